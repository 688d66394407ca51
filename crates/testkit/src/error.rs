//! What can go wrong while starting servers, told so that a reader of a test's output can act on it.

use std::io;
use std::path::PathBuf;

/// Why a server or the proxy could not be started or asked.
#[derive(Debug, thiserror::Error)]
pub enum TestkitError {
    /// A program is missing on this machine.
    #[error("{program} was not found: {hint}")]
    NotInstalled {
        /// What was looked for.
        program: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// A process ended or stayed silent where it should have answered.
    #[error("{what} did not start; the end of its log:\n{log}")]
    NotStarted {
        /// The server or proxy.
        what: String,
        /// The last lines it wrote.
        log: String,
    },
    /// Something did not come true in time.
    #[error("{what} did not happen within {seconds} s")]
    Timeout {
        /// What was waited for.
        what: String,
        /// For how long.
        seconds: u64,
    },
    /// A statement on a server, or a connection to it, failed.
    #[error("{server}: {source}")]
    Client {
        /// The server's name, such as `g0-replica1`.
        server: String,
        /// The client library's error.
        source: mysql_async::Error,
    },
    /// The operating system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A helper program such as `mariadb-install-db` failed.
    #[error("{program} failed:\n{output}")]
    Program {
        /// The program.
        program: String,
        /// What it wrote.
        output: String,
    },
    /// No free port was found.
    #[error("no free port in {first}..{last}")]
    NoPort {
        /// First port that was tried.
        first: u16,
        /// One past the last.
        last: u16,
    },
    /// A folder that should hold a prepared MySQL does not.
    #[error("no MySQL in {root}: run `cargo xtask mysql` (or set SERVAL_MYSQL_ROOT)")]
    MysqlNotPrepared {
        /// The folder.
        root: PathBuf,
    },
}

impl TestkitError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> TestkitError {
        let what = what.into();
        move |source| TestkitError::Io { what, source }
    }
}
