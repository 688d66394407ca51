//! Commands as payloads. On a path where a copy counts, [`write_command`](crate::frame::write_command) frames a
//! statement's text without one. COM_STMT_EXECUTE is [`encode_execute`](super::execute::encode_execute).

use super::{ChangeUser, code};

/// COM_QUERY.
#[must_use]
pub fn query(sql: &[u8]) -> Vec<u8> {
    with_body(code::COM_QUERY, sql)
}

/// COM_INIT_DB.
#[must_use]
pub fn init_db(database: &[u8]) -> Vec<u8> {
    with_body(code::COM_INIT_DB, database)
}

/// COM_FIELD_LIST.
#[must_use]
pub fn field_list(table: &[u8], wildcard: &[u8]) -> Vec<u8> {
    let mut payload = with_body(code::COM_FIELD_LIST, table);
    payload.push(0);
    payload.extend_from_slice(wildcard);
    payload
}

/// COM_PING.
#[must_use]
pub fn ping() -> Vec<u8> {
    vec![code::COM_PING]
}

/// COM_QUIT.
#[must_use]
pub fn quit() -> Vec<u8> {
    vec![code::COM_QUIT]
}

/// COM_STATISTICS.
#[must_use]
pub fn statistics() -> Vec<u8> {
    vec![code::COM_STATISTICS]
}

/// COM_RESET_CONNECTION.
#[must_use]
pub fn reset_connection() -> Vec<u8> {
    vec![code::COM_RESET_CONNECTION]
}

/// COM_SET_OPTION.
#[must_use]
pub fn set_option(option: u16) -> Vec<u8> {
    with_body(code::COM_SET_OPTION, &option.to_le_bytes())
}

/// COM_PROCESS_KILL.
#[must_use]
pub fn process_kill(connection: u32) -> Vec<u8> {
    with_body(code::COM_PROCESS_KILL, &connection.to_le_bytes())
}

/// COM_CHANGE_USER.
#[must_use]
pub fn change_user(change: &ChangeUser) -> Vec<u8> {
    let mut payload = vec![code::COM_CHANGE_USER];
    change.encode(&mut payload);
    payload
}

/// COM_STMT_PREPARE.
#[must_use]
pub fn prepare(sql: &[u8]) -> Vec<u8> {
    with_body(code::COM_STMT_PREPARE, sql)
}

/// COM_STMT_CLOSE.
#[must_use]
pub fn close_statement(statement: u32) -> Vec<u8> {
    with_body(code::COM_STMT_CLOSE, &statement.to_le_bytes())
}

/// COM_STMT_RESET.
#[must_use]
pub fn reset_statement(statement: u32) -> Vec<u8> {
    with_body(code::COM_STMT_RESET, &statement.to_le_bytes())
}

/// COM_STMT_SEND_LONG_DATA, which has no answer.
#[must_use]
pub fn send_long_data(statement: u32, parameter: u16, data: &[u8]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(7 + data.len());
    payload.push(code::COM_STMT_SEND_LONG_DATA);
    payload.extend_from_slice(&statement.to_le_bytes());
    payload.extend_from_slice(&parameter.to_le_bytes());
    payload.extend_from_slice(data);
    payload
}

/// COM_STMT_FETCH.
#[must_use]
pub fn fetch(statement: u32, rows: u32) -> Vec<u8> {
    let mut payload = with_body(code::COM_STMT_FETCH, &statement.to_le_bytes());
    payload.extend_from_slice(&rows.to_le_bytes());
    payload
}

fn with_body(command: u8, body: &[u8]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(1 + body.len());
    payload.push(command);
    payload.extend_from_slice(body);
    payload
}
