//! System variables: those that Serval answers for itself, those it cannot keep, and all others.

use std::time::Duration;

use serval_remote::Backend;
use serval_sql::{SetKind, SetValue};
use serval_types::MysqlError;

use super::accept;
use super::value::literal_of;
use crate::charset;
use crate::failure::{Failure, refused};
use crate::session::Session;

/// Variables whose effect is over after one statement, or belongs to one connection. Replayed, they would lie.
const ONE_CONNECTION: [&str; 5] = ["insert_id", "rand_seed1", "rand_seed2", "pseudo_thread_id", "gtid_next"];

/// Sets a session variable; whether a server has yet to accept it.
pub(super) async fn set_variable<B: Backend>(
    session: &mut Session<B>,
    text: &str,
    name: &str,
    value: &SetValue,
) -> Result<bool, Failure> {
    if ONE_CONNECTION.contains(&name) {
        return Err(refused(format!("SET {name} belongs to one connection of one server; run it there")));
    }
    let literal = match value.kind {
        SetKind::Default => "DEFAULT".to_owned(),
        _ => literal_of(session, text, value).await?,
    };
    match name {
        "autocommit" => {
            session.autocommit = switch(&literal, name)?;
            return Ok(false);
        }
        "last_insert_id" | "identity" => {
            session.last.insert_id = literal.parse().map_err(|_| wrong_type(name))?;
            return Ok(false);
        }
        "sql_mode" => {
            accept::sql_mode(session, &literal).await?;
            return Ok(false);
        }
        "sql_select_limit" if !is_no_limit(&literal) => {
            return Err(refused(
                "sql_select_limit would cut each shard's rows; write LIMIT in the statement",
            ));
        }
        "character_set_client" => charset::check_readable(unquoted(&literal))?,
        "wait_timeout" | "interactive_timeout" => {
            session.idle = literal.parse().ok().map(Duration::from_secs)
        }
        _ => {}
    }
    remember(session, name, &literal);
    Ok(true)
}

/// SET CHARACTER SET: what the client writes and reads, while the connection takes the database's.
pub(super) async fn set_character_set<B: Backend>(
    session: &mut Session<B>,
    charset: &str,
) -> Result<(), Failure> {
    let names = charset::set_names(&session.state, charset, None)?;
    let catalog = session.catalog();
    let home = session.home(&catalog)?;
    let database = session.ask(home, "SELECT @@character_set_database, @@collation_database").await?;
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
    session.state = state.with(name, literal);
}

fn is_no_limit(literal: &str) -> bool {
    matches!(literal, "DEFAULT" | "18446744073709551615")
}

fn unquoted(literal: &str) -> &str {
    literal.trim_matches('\'')
}

/// What MySQL takes for on and off.
fn switch(literal: &str, name: &str) -> Result<bool, MysqlError> {
    match unquoted(literal).to_ascii_uppercase().as_str() {
        "1" | "ON" | "TRUE" | "DEFAULT" => Ok(true),
        "0" | "OFF" | "FALSE" => Ok(false),
        other => Err(MysqlError {
            // ER_WRONG_VALUE_FOR_VAR.
            number: 1231,
            sqlstate: *b"42000",
            message: format!("Variable '{name}' can't be set to the value of '{other}'"),
        }),
    }
}

fn wrong_type(name: &str) -> MysqlError {
    // ER_WRONG_TYPE_FOR_VAR.
    let message = format!("Incorrect argument type to variable '{name}'");
    MysqlError { number: 1232, sqlstate: *b"42000", message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_read_as_servers_do() {
        assert_eq!(switch("'on'", "autocommit"), Ok(true));
        assert_eq!(switch("0", "autocommit"), Ok(false));
        assert_eq!(switch("2", "autocommit").unwrap_err().number, 1231);
    }
}
