//! Columns whose values servers compute: they would say who Serval is, and where, instead of the client.

use serval_remote::Backend;
use serval_sql::{Ddl, DdlKind, ParseError, open_version_comments};

use super::reparsed;
use crate::failure::{Failure, refused};
use crate::identity;
use crate::session::Session;

/// Refuses DATABASE(), USER(), CONNECTION_ID() and the like in DEFAULT, AS and CHECK. A query behind the columns is a statement
/// like others.
pub(super) fn refuse<B: Backend>(session: &Session<B>, text: &str, ddl: &Ddl) -> Result<(), Failure> {
    if !matches!(ddl.kind, DdlKind::CreateTable { .. } | DdlKind::AlterTable { .. }) {
        return Ok(());
    }
    let opened =
        open_version_comments(text.as_bytes(), session.options, session.proxy.flavour().server_kind());
    let function = match opened.map_err(|error| ParseError::from_lex(text, &error).to_mysql())? {
        None => named(session, text, Some(ddl)),
        Some(opened) => {
            let text = String::from_utf8_lossy(&opened);
            named(session, &text, reparsed(&text, session.options).ok().as_ref())
        }
    };
    match function {
        Some(function) => Err(refused(format!(
            "A column cannot use {function}: the server would answer about its connection with Serval; give the value in INSERT and \
             UPDATE"
        ))),
        None => Ok(()),
    }
}

fn named<B: Backend>(session: &Session<B>, text: &str, ddl: Option<&Ddl>) -> Option<String> {
    let columns =
        ddl.and_then(|ddl| ddl.query).map_or(text, |query| text.get(..query.start as usize).unwrap_or(text));
    identity::named_of_client(columns.as_bytes(), session.options)
}
