//! SHOW DATABASES and SHOW GRANTS: what the session's user may see.

use serval_catalog::SchemaAccess;
use serval_remote::Backend;
use serval_sql::{Filter, identifier_value, tokens};
use serval_types::MysqlError;

use crate::answer::Answer;
use crate::session::Session;

/// The schemas that the user may use, and information_schema, in the order of their names.
pub(super) fn rows<B: Backend>(session: &Session<B>, filter: Option<&Filter>) -> Answer {
    let catalog = session.catalog();
    let mut names = vec!["information_schema".to_owned()];
    if let Some(user) = catalog.users.get(&session.user) {
        names.extend(
            catalog.schemas.values().map(|schema| schema.name.clone()).filter(|name| user.may_use(name)),
        );
    }
    names.sort();
    let header = match filter {
        Some(Filter::Like { pattern, .. }) => format!("Database ({pattern})"),
        _ => "Database".to_owned(),
    };
    let mut rows = Answer::of_text(&[&header]);
    for name in names {
        rows.push([name]);
    }
    rows
}

/// Whether SHOW GRANTS asks for the session's own account.
///
/// # Errors
/// 1141 for one that is not there, and 1044 for another's, which a server shows to those alone who may read its accounts.
pub(super) fn check_account<B: Backend>(session: &Session<B>, text: &str) -> Result<(), MysqlError> {
    let sql = text.as_bytes();
    let mut tokens = tokens(sql, session.options).unwrap_or_default();
    tokens.retain(|token| !token.kind.is_comment());
    let asked = tokens.iter().position(|token| token.is_word(sql, "FOR")).and_then(|at| tokens.get(at + 1));
    let Some(asked) = asked else { return Ok(()) };
    if asked.is_word(sql, "CURRENT_USER") || asked.is_word(sql, "SESSION_USER") {
        return Ok(());
    }
    let written = asked.span.of(sql);
    let quoted = |quote: u8| written.strip_prefix(&[quote]).and_then(|rest| rest.strip_suffix(&[quote]));
    let name = quoted(b'\'').or_else(|| quoted(b'"')).map_or_else(|| identifier_value(written), Into::into);
    let name = String::from_utf8_lossy(&name).into_owned();
    if name == session.user {
        return Ok(());
    }
    if session.catalog().users.contains_key(&name) {
        let message =
            format!("Access denied for user '{}'@'{}' to database 'mysql'", session.user, session.host);
        return Err(MysqlError { number: 1044, sqlstate: *b"42000", message });
    }
    let message = format!("There is no such grant defined for user '{name}' on host '%'");
    Err(MysqlError { number: 1141, sqlstate: *b"42000", message })
}

/// What Serval's own config grants, in the words of a server.
pub(super) fn grants<B: Backend>(session: &Session<B>) -> Answer {
    let catalog = session.catalog();
    let user = &session.user;
    let mut rows = Answer::of_text(&[&format!("Grants for {user}@%")]);
    match catalog.users.get(user).map(|user| &user.schemas) {
        Some(SchemaAccess::All) => rows.push([format!("GRANT ALL PRIVILEGES ON *.* TO `{user}`@`%`")]),
        Some(SchemaAccess::Only(names)) => {
            rows.push([format!("GRANT USAGE ON *.* TO `{user}`@`%`")]);
            for name in names {
                rows.push([format!("GRANT ALL PRIVILEGES ON `{name}`.* TO `{user}`@`%`")]);
            }
        }
        None => {}
    }
    rows
}
