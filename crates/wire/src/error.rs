//! What can be wrong with bytes from a peer, split by what is said about it.

use serval_types::{ErrorCode, MysqlError};

/// A peer's bytes that cannot be taken for what they should be.
///
/// [`WireError::TooLarge`] and [`WireError::OutOfOrder`] lose the border of packets: the connection is of no more use
/// once the error has been told. The others are about one packet whose frames were right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A packet ended before what it had to hold.
    #[error("{what} ends too early")]
    Truncated {
        /// The packet or field.
        what: &'static str,
    },
    /// A packet announced more bytes than are allowed. None of them were stored.
    #[error("packet larger than the {limit} bytes allowed")]
    TooLarge {
        /// The most that is allowed, in bytes.
        limit: usize,
    },
    /// A frame's sequence id is not the next one: a frame was lost, or the peer speaks out of turn.
    #[error("packets out of order: expected sequence id {expected}, got {got}")]
    OutOfOrder {
        /// The id that had to come.
        expected: u8,
        /// The id that came.
        got: u8,
    },
    /// Bytes that have no meaning where they stand.
    #[error("malformed {what}")]
    Malformed {
        /// The packet or field.
        what: &'static str,
    },
    /// COM_STMT_EXECUTE with parameters of a type that has no meaning, or whose types were never told.
    #[error("{what} cannot be executed with")]
    WrongArguments {
        /// What is wrong.
        what: &'static str,
    },
    /// A peer that is understood but not served: a client older than MySQL 4.1, for one.
    #[error("{what} is not supported")]
    Unsupported {
        /// The feature.
        what: &'static str,
    },
}

impl WireError {
    /// The error to tell a client whose bytes these were.
    #[must_use]
    pub fn to_mysql(&self) -> MysqlError {
        match self {
            Self::Truncated { .. } | Self::Malformed { .. } => {
                MysqlError::new(ErrorCode::MalformedPacket, format!("Malformed communication packet: {self}"))
            }
            Self::TooLarge { .. } => MysqlError::new(
                ErrorCode::PacketTooLarge,
                "Got a packet bigger than 'max_allowed_packet' bytes",
            ),
            Self::OutOfOrder { .. } => {
                MysqlError::new(ErrorCode::PacketsOutOfOrder, "Got packets out of order")
            }
            Self::WrongArguments { .. } => {
                MysqlError::new(ErrorCode::WrongArguments, "Incorrect arguments to mysqld_stmt_execute")
            }
            Self::Unsupported { .. } => {
                MysqlError::new(ErrorCode::BadHandshake, format!("Bad handshake: {self}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_told_the_servers_own_numbers() {
        assert_eq!(WireError::Truncated { what: "x" }.to_mysql().number, 1835);
        assert_eq!(WireError::Malformed { what: "x" }.to_mysql().number, 1835);
        assert_eq!(WireError::TooLarge { limit: 1 }.to_mysql().number, 1153);
        assert_eq!(WireError::OutOfOrder { expected: 1, got: 2 }.to_mysql().number, 1156);
        assert_eq!(WireError::WrongArguments { what: "x" }.to_mysql().number, 1210);
        assert_eq!(WireError::Unsupported { what: "x" }.to_mysql().number, 1043);
    }
}
