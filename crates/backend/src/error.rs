//! What can go wrong while a connection is made or used inside this crate, split by what it says about the server.

use std::io;

use serval_types::MysqlError;
use serval_wire::WireError;

/// Server errors that mean "alive, but full": ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS,
/// ER_USER_LIMIT_REACHED.
const FULL: [u16; 3] = [1040, 1203, 1226];

/// ENFILE and EMFILE, the same on all Unix systems.
const NO_MORE_FILES: [i32; 2] = [23, 24];

/// A failure on a [`Link`](crate::link::Link), or while one is made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    /// The socket failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The server said nothing for too long.
    #[error("no answer in time")]
    TimedOut,
    /// The two sides do not agree on TLS, or the server is not who it should be.
    #[error("TLS: {0}")]
    Tls(io::Error),
    /// The server answered with an error.
    #[error("the server said: {0}")]
    Server(MysqlError),
    /// The server is of a kind, or asks for something, that cannot be dealt with.
    #[error("{0}")]
    Unsupported(String),
    /// The server's bytes make no sense.
    #[error("{0}")]
    Wire(#[from] WireError),
}

impl LinkError {
    /// Whether the server is alive and only turned this one connection away for lack of room.
    fn is_full(&self) -> bool {
        matches!(self, Self::Server(error) if FULL.contains(&error.number))
    }

    /// Whether it tells that the server cannot be used, rather than that it is full or that this machine lacks
    /// something to reach it with.
    pub(crate) fn speaks_of_server(&self) -> bool {
        match self {
            Self::Io(error) => {
                error.kind() != io::ErrorKind::AddrNotAvailable
                    && !error.raw_os_error().is_some_and(|code| NO_MORE_FILES.contains(&code))
            }
            Self::Server(_) => !self.is_full(),
            Self::TimedOut | Self::Tls(_) | Self::Unsupported(_) | Self::Wire(_) => true,
        }
    }

    /// The end of the stream where more had to come.
    pub(crate) fn closed() -> Self {
        Self::Io(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"))
    }
}

#[cfg(test)]
mod tests {
    use serval_types::ErrorCode;

    use super::*;

    #[test]
    fn a_want_of_our_own_is_not_the_servers_fault() {
        assert!(!LinkError::from(io::Error::from_raw_os_error(24)).speaks_of_server());
        assert!(LinkError::from(io::Error::from(io::ErrorKind::ConnectionRefused)).speaks_of_server());
        let server = |code| LinkError::Server(MysqlError::new(code, "")).speaks_of_server();
        assert!(!server(ErrorCode::TooManyConnections));
        assert!(server(ErrorCode::AccessDenied));
    }
}
