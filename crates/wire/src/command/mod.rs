//! What a client asks: the first byte of a command's payload and what follows it.
//!
//! [Manual, "Command Phase"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html).

pub mod attributes;
mod change_user;
pub mod code;
pub mod encode;
pub mod execute;
mod statement;

use crate::WireError;
use crate::lenenc::Reader;

pub use attributes::Attribute;
pub use change_user::ChangeUser;
pub use statement::{Execute, LongData};

/// The option of COM_SET_OPTION that allows several statements in a query.
pub const MULTI_STATEMENTS_ON: u16 = 0;
/// The option of COM_SET_OPTION that forbids them.
pub const MULTI_STATEMENTS_OFF: u16 = 1;

/// A command, borrowed from its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command<'a> {
    /// COM_QUERY with the statement's text.
    Query(&'a [u8]),
    /// COM_INIT_DB with the database's name.
    InitDb(&'a [u8]),
    /// COM_FIELD_LIST.
    FieldList {
        /// The table's name.
        table: &'a [u8],
        /// A LIKE pattern of column names; empty for all.
        wildcard: &'a [u8],
    },
    /// COM_PING.
    Ping,
    /// COM_QUIT.
    Quit,
    /// COM_STATISTICS.
    Statistics,
    /// COM_RESET_CONNECTION.
    ResetConnection,
    /// COM_SET_OPTION: 0 allows several statements in a query, 1 forbids them.
    SetOption(u16),
    /// COM_PROCESS_KILL with a connection's id.
    ProcessKill(u32),
    /// COM_CHANGE_USER.
    ChangeUser(ChangeUser),
    /// COM_STMT_PREPARE with the statement's text.
    Prepare(&'a [u8]),
    /// COM_STMT_EXECUTE.
    Execute(Execute<'a>),
    /// COM_STMT_SEND_LONG_DATA, which has no answer.
    SendLongData(LongData<'a>),
    /// COM_STMT_CLOSE with the statement's id, which has no answer.
    CloseStatement(u32),
    /// COM_STMT_RESET with the statement's id.
    ResetStatement(u32),
    /// COM_STMT_FETCH.
    Fetch {
        /// The statement's id.
        statement: u32,
        /// The most rows to send.
        rows: u32,
    },
    /// A command that has no meaning here.
    Unknown(u8),
}

impl<'a> Command<'a> {
    /// Decodes the payload of a client's packet 0. One without any byte is a command that nobody knows.
    ///
    /// # Errors
    /// [`WireError::Truncated`] and [`WireError::Malformed`] where the command lacks its fields.
    pub fn decode(payload: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(payload, "command");
        if payload.is_empty() {
            return Ok(Self::Unknown(0));
        }
        Ok(match reader.u8()? {
            code::COM_QUIT => Self::Quit,
            code::COM_INIT_DB => Self::InitDb(reader.take_rest()),
            code::COM_QUERY => Self::Query(reader.take_rest()),
            code::COM_FIELD_LIST => {
                Self::FieldList { table: reader.null_terminated()?, wildcard: reader.take_rest() }
            }
            code::COM_STATISTICS => Self::Statistics,
            code::COM_PROCESS_KILL => Self::ProcessKill(reader.u32()?),
            code::COM_PING => Self::Ping,
            code::COM_CHANGE_USER => Self::ChangeUser(ChangeUser::decode(reader.take_rest())?),
            code::COM_STMT_PREPARE => Self::Prepare(reader.take_rest()),
            code::COM_STMT_EXECUTE => Self::Execute(Execute::decode(reader.take_rest())?),
            code::COM_STMT_SEND_LONG_DATA => Self::SendLongData(LongData::decode(reader.take_rest())?),
            code::COM_STMT_CLOSE => Self::CloseStatement(reader.u32()?),
            code::COM_STMT_RESET => Self::ResetStatement(reader.u32()?),
            code::COM_SET_OPTION => Self::SetOption(reader.u16()?),
            code::COM_STMT_FETCH => Self::Fetch { statement: reader.u32()?, rows: reader.u32()? },
            code::COM_RESET_CONNECTION => Self::ResetConnection,
            unknown => Self::Unknown(unknown),
        })
    }
}

#[cfg(test)]
mod tests;
