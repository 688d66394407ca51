//! System variables: those that Serval answers for itself, those it cannot keep, and all others.

use serval_remote::Backend;
use serval_types::MysqlError;

use super::accept::Proof;
use super::characteristics;
use super::switches::merged;
use crate::charset;
use crate::failure::{Failure, refused};
use crate::session::{Own, Session, wrong_type, wrong_value};

/// Variables whose effect is over after one statement, or belongs to one connection. Replayed, they would lie.
const ONE_CONNECTION: [&str; 6] =
    ["insert_id", "rand_seed1", "rand_seed2", "pseudo_thread_id", "gtid_next", "pseudo_slave_mode"];

/// Variables for which a server wants a privilege that users of an application do not have. They would change what the
/// servers behind Serval write into their logs.
const PRIVILEGED: [&str; 14] = [
    "binlog_direct_non_transactional_updates",
    "binlog_format",
    "binlog_row_image",
    "binlog_row_value_options",
    "binlog_rows_query_log_events",
    "gtid_domain_id",
    "gtid_seq_no",
    "server_id",
    "skip_parallel_replication",
    "skip_replication",
    "sql_log_bin",
    "sql_log_off",
    "sql_require_primary_key",
    "wsrep_on",
];

/// What can be said of a variable without its value.
///
/// # Errors
/// 1227 and 1235.
pub(super) fn check(name: &str) -> Result<(), Failure> {
    if ONE_CONNECTION.contains(&name) {
        return Err(refused(format!("SET {name} belongs to one connection of one server; run it there")));
    }
    if PRIVILEGED.contains(&name) {
        // ER_SPECIFIC_ACCESS_DENIED_ERROR.
        let message =
            "Access denied; you need (at least one of) the SUPER, BINLOG ADMIN privilege(s) for this \
                       operation"
                .to_owned();
        return Err(Failure::Told(MysqlError { number: 1227, sqlstate: *b"42000", message }));
    }
    if name == "max_sort_length" {
        return Err(refused(
            "max_sort_length would have each shard sort by other bytes than Serval merges by; sort by LEFT(column, n)",
        ));
    }
    Ok(())
}

/// Sets a session variable to a literal; `None` is DEFAULT.
pub(super) fn set_variable<B: Backend>(
    session: &mut Session<B>,
    name: &str,
    literal: Option<&str>,
    proof: &mut Proof,
) -> Result<(), MysqlError> {
    match name {
        "autocommit" => session.autocommit = switch(literal.unwrap_or("1"), name)?,
        "last_insert_id" | "identity" => session.last.insert_id = insert_id(name, literal)?,
        "sql_auto_is_null" if !matches!(literal, None | Some("0" | "'OFF'" | "'off'")) => {
            return Err(MysqlError::refused(
                "sql_auto_is_null would have a server look for the number that it gave itself; use LAST_INSERT_ID()",
            ));
        }
        "auto_increment_increment" | "auto_increment_offset" if !matches!(literal, None | Some("1")) => {
            return Err(MysqlError::refused(format!(
                "SET {name} is not supported: numbers of sharded tables are Serval's own, for all sessions; give the numbers \
                 yourself"
            )));
        }
        _ if Own::find(name).is_some() => session.own.set(name, literal)?,
        _ => {
            let literal = literal.unwrap_or("DEFAULT");
            characteristics::note_session(session, name);
            remember(session, name, literal);
            proof.needs(name, literal);
        }
    }
    Ok(())
}

/// LAST_INSERT_ID() as it is set; a server takes what is below 0 for 0.
fn insert_id(name: &str, literal: Option<&str>) -> Result<u64, MysqlError> {
    let Some(literal) = literal else { return Ok(0) };
    match literal.parse::<i128>() {
        Ok(number) => Ok(u64::try_from(number.max(0)).unwrap_or(u64::MAX)),
        Err(_) => Err(wrong_type(name)),
    }
}

/// SET CHARACTER SET: what the client writes and reads, while the connection takes the database's.
pub(super) async fn set_character_set<B: Backend>(
    session: &mut Session<B>,
    charset: &str,
) -> Result<(), Failure> {
    let names = charset::set_names(&session.state, charset, None);
    let catalog = session.catalog();
    let home = session.home(&catalog)?;
    let database =
        session.ask_readably(home, "SELECT @@character_set_database, @@collation_database").await?;
    let quoted = |column| database.text(0, column).map(|name| format!("'{name}'")).unwrap_or_default();
    session.state =
        names.with("character_set_connection", &quoted(0)).with("collation_connection", &quoted(1));
    Ok(())
}

/// Each of the two sets the other on a server.
fn remember<B: Backend>(session: &mut Session<B>, name: &str, literal: &str) {
    let state = match name {
        "character_set_connection" => session.state.without("collation_connection"),
        "collation_connection" => session.state.without("character_set_connection"),
        _ => session.state.clone(),
    };
    session.state = state.with(name, &merged(name, state.value(name), literal));
}

/// What MySQL takes for on and off.
pub(super) fn switch(literal: &str, name: &str) -> Result<bool, MysqlError> {
    let text = literal.trim_matches('\'');
    match text.to_ascii_uppercase().as_str() {
        "1" | "ON" | "TRUE" => Ok(true),
        "0" | "OFF" | "FALSE" => Ok(false),
        _ => Err(wrong_value(name, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_read_as_servers_do() {
        assert_eq!(switch("'on'", "autocommit"), Ok(true));
        assert_eq!(switch("0", "autocommit"), Ok(false));
        assert_eq!(switch("2", "autocommit").unwrap_err().number, 1231);
        assert_eq!(switch("NULL", "autocommit").unwrap_err().number, 1231);
    }

    #[test]
    fn the_insert_id_is_a_number() {
        assert_eq!(insert_id("identity", Some("-1")), Ok(0));
        assert_eq!(insert_id("identity", Some("7")), Ok(7));
        assert_eq!(insert_id("identity", Some("'x'")).unwrap_err().number, 1232);
    }
}
