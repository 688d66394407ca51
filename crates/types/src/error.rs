//! Errors as a MySQL client sees them: a number, a SQLSTATE and a text.
//!
//! Numbers and states are those of the manual's
//! [error reference](https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html), because drivers
//! and applications branch on them.

use std::fmt;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $state:literal;)*) => {
        /// The server error numbers that Serval itself raises. A backend's errors pass through unchanged.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $($(#[$doc])* $name,)* }

        impl ErrorCode {
            /// The number a client sees.
            #[must_use]
            pub fn number(self) -> u16 {
                match self { $(Self::$name => $code,)* }
            }

            /// The five characters of SQLSTATE.
            #[must_use]
            pub fn sqlstate(self) -> &'static str {
                match self { $(Self::$name => $state,)* }
            }
        }
    };
}

error_codes! {
    /// ER_CON_COUNT_ERROR: too many connections.
    TooManyConnections = 1040, "08004";
    /// ER_HANDSHAKE_ERROR.
    BadHandshake = 1043, "08S01";
    /// ER_DBACCESS_DENIED_ERROR: the user may not use that schema.
    SchemaAccessDenied = 1044, "42000";
    /// ER_ACCESS_DENIED_ERROR: wrong user or password.
    AccessDenied = 1045, "28000";
    /// ER_NO_DB_ERROR.
    NoSchemaSelected = 1046, "3D000";
    /// ER_UNKNOWN_COM_ERROR.
    UnknownCommand = 1047, "08S01";
    /// ER_BAD_NULL_ERROR.
    ColumnCannotBeNull = 1048, "23000";
    /// ER_BAD_DB_ERROR.
    UnknownSchema = 1049, "42000";
    /// ER_BAD_FIELD_ERROR.
    UnknownColumn = 1054, "42S22";
    /// ER_PARSE_ERROR.
    Syntax = 1064, "42000";
    /// ER_NO_SUCH_THREAD.
    NoSuchThread = 1094, "HY000";
    /// ER_UNKNOWN_ERROR.
    Unknown = 1105, "HY000";
    /// ER_WRONG_VALUE_COUNT_ON_ROW.
    WrongValueCount = 1136, "21S01";
    /// ER_NO_SUCH_TABLE.
    NoSuchTable = 1146, "42S02";
    /// ER_NET_PACKET_TOO_LARGE.
    PacketTooLarge = 1153, "08S01";
    /// ER_NET_PACKETS_OUT_OF_ORDER.
    PacketsOutOfOrder = 1156, "08S01";
    /// ER_UNKNOWN_SYSTEM_VARIABLE.
    UnknownVariable = 1193, "HY000";
    /// ER_LOCK_WAIT_TIMEOUT.
    WaitTimeout = 1205, "HY000";
    /// ER_WRONG_ARGUMENTS.
    WrongArguments = 1210, "HY000";
    /// ER_NOT_SUPPORTED_YET: a refusal, with what to do instead.
    NotSupported = 1235, "42000";
    /// ER_NOT_SUPPORTED_AUTH_MODE: the client cannot log in the way that the account needs.
    AuthNotSupported = 1251, "08004";
    /// ER_UNSUPPORTED_PS: a statement that cannot be prepared.
    UnsupportedPrepare = 1295, "HY000";
    /// ER_QUERY_INTERRUPTED.
    QueryInterrupted = 1317, "70100";
    /// ER_TABLE_DEF_CHANGED: the nodes disagree about a table.
    DefinitionsDiffer = 1412, "HY000";
    /// ER_CONNECT_TO_FOREIGN_DATA_SOURCE: a server behind Serval cannot be reached.
    BackendUnavailable = 1429, "HY000";
    /// ER_NO_PARTITION_FOR_GIVEN_VALUE: no shard takes this value of the sharding column.
    NoShardForValue = 1526, "HY000";
    /// ER_DATA_OUT_OF_RANGE.
    OutOfRange = 1690, "22003";
    /// ER_QUERY_TIMEOUT: the time that Serval allows a statement ran out.
    QueryTimeout = 3024, "HY000";
    /// ER_MALFORMED_PACKET.
    MalformedPacket = 1835, "HY000";
    /// ER_SECURE_TRANSPORT_REQUIRED.
    SecureTransportRequired = 3159, "HY000";
    /// ER_CAPACITY_EXCEEDED: a memory limit of Serval's.
    CapacityExceeded = 3170, "HY000";
    /// ER_CLIENT_INTERACTION_TIMEOUT: the client was idle too long.
    IdleTimeout = 4031, "HY000";
    /// ER_SERVER_SHUTDOWN.
    ShuttingDown = 1053, "08S01";
}

/// An error that goes to a client as an ERR packet. Its text names no host, password or physical table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MysqlError {
    /// The number, for example 1064.
    pub number: u16,
    /// The SQLSTATE, five ASCII characters.
    pub sqlstate: [u8; 5],
    /// The text.
    pub message: String,
}

impl MysqlError {
    /// An error that Serval itself raises.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let mut sqlstate = *b"HY000";
        sqlstate.copy_from_slice(code.sqlstate().as_bytes());
        Self { number: code.number(), sqlstate, message: message.into() }
    }

    /// A refusal (1235): what cannot be done, and what to do instead.
    #[must_use]
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotSupported, message)
    }

    /// The SQLSTATE as text.
    #[must_use]
    pub fn sqlstate(&self) -> &str {
        std::str::from_utf8(&self.sqlstate).unwrap_or("HY000")
    }
}

impl fmt::Display for MysqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.number, self.sqlstate(), self.message)
    }
}

impl std::error::Error for MysqlError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_1235() {
        let error = MysqlError::refused("no");
        assert_eq!((error.number, error.sqlstate()), (1235, "42000"));
    }
}
