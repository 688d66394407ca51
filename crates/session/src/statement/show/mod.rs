//! SHOW and DESCRIBE: the logical schema as one server would show it, without a physical name.

mod account;
pub(crate) mod columns;
mod create;
mod databases;
mod filter;
mod index;
mod like;
mod objects;
mod place;
mod process_list;
mod reversible;
mod stored;
pub(super) mod table_status;
mod tables;
mod variables;
mod warnings;

use serval_remote::Backend;
use serval_sql::{Scope, Show};
use serval_types::MysqlError;
use tokio::io::AsyncWrite;

use super::answer;
use crate::answer::Answer;
use crate::failure::{Failure, refused};
use crate::session::Session;
use crate::stream::Writer;

/// Answers a SHOW. `text` is the whole statement, for what is passed on as it is.
pub(super) async fn run<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    text: &str,
    show: Show,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin,
{
    let rows = match show {
        Show::Databases { filter } => {
            let rows = databases::rows(session, filter.as_ref());
            filter::apply(session, rows, text, 0, filter.as_ref()).await?
        }
        Show::Tables { full, schema, filter } => {
            let rows = tables::rows(session, full, schema.as_deref(), filter.as_ref()).await?;
            filter::apply(session, rows, text, 0, filter.as_ref()).await?
        }
        Show::Columns { extended, full, table, filter } => {
            let words = columns::words(extended, full);
            columns::rows(session, text, &words, &table, filter.as_ref()).await?
        }
        Show::Index { extended, table, filter } => {
            index::rows(session, text, extended, &table, filter.as_ref()).await?
        }
        Show::CreateStored { object, name } => stored::rows(session, object, &name).await?,
        Show::Triggers { schema, filter } => {
            let rows = objects::triggers(session, schema.as_deref()).await?;
            filter::apply(session, rows, text, 2, filter.as_ref()).await?
        }
        Show::Events { schema, filter } => {
            let rows = objects::events(session, schema.as_deref()).await?;
            filter::apply(session, rows, text, 1, filter.as_ref()).await?
        }
        Show::RoutineStatus { kind, filter } => {
            let rows = objects::routines(session, kind).await?;
            filter::apply(session, rows, text, 1, filter.as_ref()).await?
        }
        Show::OpenTables { schema, filter } => {
            let rows = objects::open_tables(session, schema.as_deref()).await?;
            filter::apply(session, rows, text, 1, filter.as_ref()).await?
        }
        Show::CreateTable(table) => create::table(session, &table).await?,
        Show::CreateDatabase { name, if_not_exists } => {
            create::database(session, &name, if_not_exists).await?
        }
        Show::TableStatus { schema, filter } => {
            let rows = table_status::rows(session, schema.as_deref()).await?;
            filter::apply(session, rows, text, 0, filter.as_ref()).await?
        }
        Show::Variables { scope, filter } => {
            variables::variables(session, text, scope == Scope::Session, filter.as_ref()).await?
        }
        Show::Status { scope, filter } => {
            variables::status(session, text, scope == Scope::Session, filter.as_ref()).await?
        }
        Show::Warnings { .. } | Show::Errors { .. } | Show::WarningCount | Show::ErrorCount => {
            // Asking for warnings changes none of what they are about.
            let rows = warnings::rows(session, &show)?;
            return Ok(rows.send(writer, session.status()).await?);
        }
        Show::ProcessList { full } => process_list::rows(session, full),
        Show::Passthrough(what) => passthrough(session, text, &what).await?,
    };
    answer(session, writer, &rows).await
}

/// What every server answers alike, by the first word after SHOW. Everything else would show one server's own names.
const SAME_EVERYWHERE: [&str; 10] = [
    "ENGINES",
    "STORAGE",
    "CHARACTER",
    "CHARSET",
    "COLLATION",
    "PLUGINS",
    "PRIVILEGES",
    "AUTHORS",
    "CONTRIBUTORS",
    "LOCALES",
];

/// The privilege that statements about replication need.
fn replication(what: &str, mariadb: bool) -> Option<&'static str> {
    let mut words = what.split(' ');
    match (words.next()?, words.next().unwrap_or_default()) {
        ("MASTER", "STATUS") | ("BINARY", "LOG" | "STATUS") | ("BINLOG", "STATUS") => {
            Some(if mariadb { "SUPER, BINLOG MONITOR" } else { "SUPER, REPLICATION CLIENT" })
        }
        ("MASTER" | "BINARY", "LOGS") => {
            Some(if mariadb { "SUPER, BINLOG MONITOR" } else { "SUPER, REPLICATION CLIENT" })
        }
        ("SLAVE" | "REPLICA", "STATUS") | ("ALL", "SLAVES" | "REPLICAS") => {
            Some(if mariadb { "SUPER, REPLICA MONITOR" } else { "SUPER, REPLICATION CLIENT" })
        }
        ("SLAVE" | "REPLICA", "HOSTS") | ("REPLICAS", _) => {
            Some(if mariadb { "REPLICATION MASTER ADMIN" } else { "REPLICATION SLAVE" })
        }
        _ => None,
    }
}

/// What is not about the logical schema.
async fn passthrough<B: Backend>(
    session: &mut Session<B>,
    text: &str,
    what: &str,
) -> Result<Answer, Failure> {
    let word = what.split(' ').next().unwrap_or_default();
    if word == "GRANTS" {
        databases::check_account(session, text)?;
        return Ok(databases::grants(session));
    }
    if let Some(privilege) = replication(what, session.proxy.flavour().is_mariadb()) {
        // ER_SPECIFIC_ACCESS_DENIED_ERROR, as a server answers a user without it.
        return Err(Failure::Told(MysqlError {
            number: 1227,
            sqlstate: *b"42000",
            message: format!(
                "Access denied; you need (at least one of) the {privilege} privilege(s) for this operation. Serval has no \
                 binary log of its own; ask a server directly"
            ),
        }));
    }
    if !SAME_EVERYWHERE.contains(&word) {
        return Err(refused(format!(
            "SHOW {what} is not supported through Serval yet; ask a server directly"
        )));
    }
    let catalog = session.catalog();
    let home = session.home(&catalog)?;
    session.ask(home, text).await
}
