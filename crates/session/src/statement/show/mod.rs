//! SHOW and DESCRIBE: the logical schema as one server would show it, without a physical name.

pub(crate) mod columns;
mod create;
mod databases;
mod filter;
mod index;
mod like;
mod place;
mod process_list;
mod table_status;
mod tables;
mod variables;
mod warnings;

use serval_remote::Backend;
use serval_sql::{Scope, Show};
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
            filter::apply(session, rows, text, filter.as_ref()).await?
        }
        Show::Tables { full, schema, filter } => {
            let rows = tables::rows(session, full, schema.as_deref(), filter.as_ref()).await?;
            filter::apply(session, rows, text, filter.as_ref()).await?
        }
        Show::Columns { full, table, filter } => {
            columns::rows(session, text, full, &table, filter.as_ref()).await?
        }
        Show::Index { table, filter } => index::rows(session, text, &table, filter.as_ref()).await?,
        Show::CreateTable(table) => create::table(session, &table).await?,
        Show::CreateDatabase(name) => create::database(session, &name).await?,
        Show::TableStatus { schema, filter } => {
            let rows = table_status::rows(session, schema.as_deref()).await?;
            filter::apply(session, rows, text, filter.as_ref()).await?
        }
        Show::Variables { scope, .. } => variables::variables(session, text, scope == Scope::Session).await?,
        Show::Status { .. } => variables::status(session, text).await?,
        Show::Warnings | Show::Errors | Show::WarningCount | Show::ErrorCount => {
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

/// What is not about the logical schema.
async fn passthrough<B: Backend>(
    session: &mut Session<B>,
    text: &str,
    what: &str,
) -> Result<Answer, Failure> {
    let word = what.split(' ').next().unwrap_or_default();
    if word == "GRANTS" {
        return Ok(databases::grants(session));
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
