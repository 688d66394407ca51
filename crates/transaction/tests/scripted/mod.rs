//! Servers that answer OK to everything, except where a test says otherwise, and that note what they were asked.

use std::collections::HashMap;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::BytesMut;
use serval_remote::{Access, Backend, Burst, Connection, RemoteError, Request, SessionState};
use serval_types::{GroupId, MysqlError};
use serval_wire::packet::ErrPacket;
use serval_wire::response::{Completion, CompletionKind, Prepared};

/// What a server does with a statement.
#[derive(Debug, Clone)]
pub enum Reply {
    /// OK, and the transaction is over, as after DDL.
    CommitsImplicitly,
    /// An error; the transaction stays as it is.
    Error(u16),
    /// OK, but the whole transaction was undone some time before.
    WasRolledBack,
    /// The connection breaks, after the statement was sent or before.
    Lost { sent: bool },
    /// No answer, ever.
    Silence,
}

#[derive(Debug, Default)]
struct Script {
    log: Vec<String>,
    replies: HashMap<(u16, String), Reply>,
    open: usize,
}

/// All groups; clones share one script.
#[derive(Debug, Clone, Default)]
pub struct Servers(Arc<Mutex<Script>>);

impl Servers {
    /// The next time `group` is sent `sql`, it does this.
    pub fn on(&self, group: u16, sql: &str, reply: Reply) {
        self.0.lock().unwrap().replies.insert((group, sql.to_owned()), reply);
    }

    /// What was sent since the last call, and which connections were dropped in a transaction.
    pub fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().log)
    }

    /// Connections that are in somebody's hands.
    pub fn open(&self) -> usize {
        self.0.lock().unwrap().open
    }
}

impl Backend for Servers {
    type Connection = Server;

    async fn acquire(
        &self,
        group: GroupId,
        _access: Access,
        _state: &SessionState,
        _deadline: Instant,
    ) -> Result<Server, RemoteError> {
        self.0.lock().unwrap().open += 1;
        Ok(Server {
            servers: self.clone(),
            group: group.0,
            in_transaction: false,
            spoiled: false,
            next: None,
        })
    }

    async fn acquire_many(
        &self,
        group: GroupId,
        access: Access,
        _count: usize,
        state: &SessionState,
        deadline: Instant,
    ) -> Result<Vec<Server>, RemoteError> {
        Ok(vec![self.acquire(group, access, state, deadline).await?])
    }

    fn fan_out(&self, _group: GroupId) -> usize {
        1
    }
}

#[derive(Debug)]
pub struct Server {
    servers: Servers,
    group: u16,
    in_transaction: bool,
    spoiled: bool,
    next: Option<Option<Reply>>,
}

impl Server {
    fn lost(&self, sent: bool) -> RemoteError {
        RemoteError::Lost {
            group: format!("g{}", self.group),
            server: String::new(),
            sent,
            reason: "script".into(),
        }
    }

    fn completion(&mut self, reply: Option<Reply>) -> Completion {
        if let Some(Reply::Error(number)) = reply {
            let error = MysqlError { number, sqlstate: *b"HY000", message: format!("error {number}") };
            let error = Some(ErrPacket::from(&error));
            return Completion { kind: CompletionKind::Err, error, ..Completion::default() };
        }
        if reply.is_some() {
            self.in_transaction = false;
        }
        Completion::default()
    }
}

impl Connection for Server {
    async fn send(&mut self, request: &Request<'_>) -> Result<(), RemoteError> {
        let sql = String::from_utf8_lossy(request.sql).into_owned();
        let begin = request.begin.map_or(String::new(), |begin| format!("{begin}; "));
        let mut script = self.servers.0.lock().unwrap();
        script.log.push(format!("g{}: {begin}{sql}", self.group));
        let reply = script.replies.remove(&(self.group, sql.clone()));
        drop(script);
        if matches!(reply, Some(Reply::Lost { sent: false })) {
            return Err(self.lost(false));
        }
        self.in_transaction |= request.begin.is_some();
        if reply.is_none() && (sql == "COMMIT" || sql == "ROLLBACK") {
            self.in_transaction = false;
        }
        self.next = Some(reply);
        Ok(())
    }

    async fn read_burst(&mut self) -> Result<Burst, RemoteError> {
        match self.next.take().expect("read before send") {
            Some(Reply::Lost { .. }) => Err(self.lost(true)),
            Some(Reply::Silence) => {
                self.next = Some(Some(Reply::Silence));
                pending().await
            }
            reply => Ok(Burst { bytes: BytesMut::new(), completion: Some(self.completion(reply)) }),
        }
    }

    async fn prepare(&mut self, _request: &Request<'_>) -> Result<Prepared, RemoteError> {
        unreachable!("nothing here is prepared")
    }

    fn in_transaction(&self) -> bool {
        self.in_transaction
    }

    fn spoil(&mut self) {
        self.spoiled = true;
    }

    fn thread_id(&self) -> u32 {
        1
    }

    fn server_name(&self) -> &'static str {
        "server"
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut script = self.servers.0.lock().unwrap();
        script.open -= 1;
        if self.spoiled {
            script.log.push(format!("g{}: (closed)", self.group));
        } else if self.in_transaction {
            script.log.push(format!("g{}: (closed in a transaction)", self.group));
        }
    }
}
