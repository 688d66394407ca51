//! The traits through which plans reach servers: [`Backend`] hands out [`Connection`]s of a group, and a connection
//! takes one [`Request`] at a time and answers it in [`Burst`]s of whole packets.
//!
//! The crate implements nothing that touches a socket. The real servers live in the backend crate; tests script
//! their own. The executor and the transaction crate name only what is here, so both run unchanged over either.
//!
//! ```
//! use serval_remote::SessionState;
//! let plain = SessionState::default();
//! let strict = plain.with("sql_mode", "'STRICT_ALL_TABLES'");
//! assert_eq!(strict.value("sql_mode"), Some("'STRICT_ALL_TABLES'"));
//! assert_eq!(strict.without("sql_mode"), plain);
//! ```

mod engine;
mod error;
mod state;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use bytes::BytesMut;
use serval_types::GroupId;
use serval_wire::command::execute::Parameters;
use serval_wire::response::{Completion, Prepared};

pub use engine::{EngineAnswer, EngineEvent, EngineStatus, EngineWarnings, Engines, Later};
pub use error::RemoteError;
pub use state::{NAMES, SessionState};

/// Which servers of a group may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// The primary only: writes, locking reads, transactions, and reads that must be current.
    Primary,
    /// Any healthy replica within the group's lag limit by weight, or the primary where there is none.
    Replica,
}

/// The servers behind Serval.
pub trait Backend: Send + Sync + 'static {
    /// A connection; see [`Connection`] for what dropping one does.
    type Connection: Connection;

    /// Takes one connection of `group`, preferably one that is already in `state`.
    ///
    /// # Errors
    /// [`RemoteError::Exhausted`] when none became free by `deadline`, [`RemoteError::Unavailable`] when no server
    /// of the group can serve `access`.
    fn acquire(
        &self,
        group: GroupId,
        access: Access,
        state: &SessionState,
        deadline: Instant,
    ) -> impl Future<Output = Result<Self::Connection, RemoteError>> + Send;

    /// Takes `count` connections of `group` in one step: all or, at the deadline, none.
    ///
    /// A fan-out that took them one by one could hold some while another fan-out holds the rest, and neither would
    /// ever finish. `count` is at most [`Backend::fan_out`].
    ///
    /// # Errors
    /// As [`Backend::acquire`].
    fn acquire_many(
        &self,
        group: GroupId,
        access: Access,
        count: usize,
        state: &SessionState,
        deadline: Instant,
    ) -> impl Future<Output = Result<Vec<Self::Connection>, RemoteError>> + Send;

    /// The largest number of connections of `group` that one statement may hold; at least 1.
    fn fan_out(&self, group: GroupId) -> usize;

    /// Servers of other kinds; `None` where there are none.
    fn engines(&self) -> Option<&dyn Engines> {
        None
    }

    /// Whether a read under `access` can be expected to find a server of `group`, as far as is known without asking: one
    /// that several groups can answer goes to one of which this is true.
    fn is_available(&self, _group: GroupId, _access: Access) -> bool {
        true
    }

    /// Whether connections may take part in XA. Servers refuse that where tables are locked.
    fn allows_xa(&self) -> bool {
        true
    }
}

/// A connection to one server, for one statement at a time.
///
/// Dropping a connection is always safe. If it is idle and outside a transaction it goes back to its pool;
/// otherwise its socket is closed, which rolls the transaction back, and a statement still running on the server is
/// killed by a task of the backend. So a timeout or a client that went away needs nothing but a dropped future.
pub trait Connection: Send {
    /// Sends a statement, after whatever brings the connection into the request's state, in one write.
    ///
    /// # Errors
    /// [`RemoteError::Lost`] when the socket failed; the connection is then of no more use.
    fn send(&mut self, request: &Request<'_>) -> impl Future<Output = Result<(), RemoteError>> + Send;

    /// The next whole packets of the answer, as many as have arrived, at least one.
    ///
    /// Sequence ids count from 1, as a client expects them after its own packet 0. After a burst with a
    /// [`Burst::completion`] the connection is idle again.
    ///
    /// # Errors
    /// [`RemoteError::Lost`], [`RemoteError::Wire`], or [`RemoteError::Refused`] when what had to precede the
    /// statement (a SET, a USE, a BEGIN, its PREPARE) was refused by the server, in which case the statement did not run.
    fn read_burst(&mut self) -> impl Future<Output = Result<Burst, RemoteError>> + Send;

    /// Prepares a statement and tells what the server says of its parameters and columns now. Executions need no such
    /// call: they prepare what is not prepared.
    ///
    /// The request's `execution` is not looked at, and nothing runs.
    ///
    /// # Errors
    /// As [`Connection::read_burst`]; a statement that the server refuses to prepare is [`RemoteError::Refused`].
    fn prepare(
        &mut self,
        request: &Request<'_>,
    ) -> impl Future<Output = Result<Prepared, RemoteError>> + Send;

    /// Sends the next bytes of the file that the server asked for with
    /// [`CompletionKind::LocalInfile`](serval_wire::response::CompletionKind::LocalInfile). No bytes end the file, and
    /// the statement's answer follows. Dropping the connection before that gives the statement up.
    ///
    /// # Errors
    /// [`RemoteError::Lost`] when the socket failed or the server asked for no file.
    fn send_file(&mut self, bytes: &[u8]) -> impl Future<Output = Result<(), RemoteError>> + Send {
        let _ = bytes;
        let refused = "This connection sends no files";
        async move { Err(RemoteError::Refused(serval_types::MysqlError::refused(refused))) }
    }

    /// Whether the server said, in its last answer, that a transaction is open.
    fn in_transaction(&self) -> bool;

    /// Says that the next statement with a [`Request::begin`] begins a branch of an XA transaction that is named after
    /// [`Connection::thread_id`], which is final from now on. True where the server has begun branches before, so that its XA
    /// START may stand in the request; otherwise it is to be tried alone.
    fn begins_branch(&mut self) -> bool {
        false
    }

    /// Has the connection closed when it is dropped, instead of pooled: its server's session holds what cannot be taken
    /// back, temporary tables or locks.
    fn spoil(&mut self);

    /// The connection's id on its server, for KILL and for the console.
    fn thread_id(&self) -> u32;

    /// Who interrupts this connection's statement; `None` where nobody can.
    fn interrupt(&self) -> Option<Arc<dyn Interrupt>> {
        None
    }

    /// The configured name of the server, for logs and the console.
    fn server_name(&self) -> &str;

    /// Whether the server is MariaDB, which says some things of its results otherwise than MySQL.
    fn is_mariadb(&self) -> bool {
        false
    }
}

/// Ends statements without their connections.
pub trait Interrupt: Send + Sync {
    /// KILL QUERY for the connection with this id, unless `runs` has become false by the time it can be said: the
    /// connection may run something else then. Resolves when the server has been told, or after a bounded time.
    fn interrupt(
        self: Arc<Self>,
        thread_id: u32,
        runs: Arc<AtomicBool>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// One statement for a [`Connection`].
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The physical database that unqualified names belong to.
    pub database: Option<&'a str>,
    /// What the session has set; the connection sends the difference from its own.
    pub state: &'a SessionState,
    /// A statement that opens a transaction, sent before `sql`.
    pub begin: Option<&'a str>,
    /// The statement's text.
    pub sql: &'a [u8],
    /// Present where the statement is to be prepared and executed with these parameters, in the binary protocol;
    /// absent where it goes as COM_QUERY.
    pub execution: Option<Execution<'a>>,
}

/// The parameters of a prepared statement's execution.
#[derive(Debug, Clone, Copy)]
pub struct Execution<'a> {
    /// All parameters that the client sent.
    pub parameters: &'a Parameters,
    /// For each `?` of the text in order, which of them it takes.
    pub selection: &'a [u16],
}

/// Whole frames of an answer, with their headers.
#[derive(Debug)]
pub struct Burst {
    /// The frames, in the order they came.
    pub bytes: BytesMut,
    /// Present when the answer ends with this burst. Offsets in it count from the start of `bytes`.
    pub completion: Option<Completion>,
}
