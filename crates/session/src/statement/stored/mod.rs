//! CREATE, ALTER and DROP of views, routines, triggers and events, on the one node that can hold them.
//!
//! Servers store these as text with names in them, and run them without asking the proxy. So they may only name what
//! lies beside them under the name that the client knows: tables of that node which are neither split nor copied. A
//! view's query is planned to know its tables. A routine's body is opaque, so every name in it counts.

mod body;
mod copies;
mod definer;
mod kept;
mod of_session;
mod place;
mod view;

use std::sync::Arc;

use serval_executor::ExecuteError;
use serval_planner::primitive::Target;
use serval_planner::{Bound, PlanTable};
use serval_remote::Backend;
use serval_sql::{
    Ddl, DdlKind, Edit, ParseError, Statement, Stored, StoredAction, StoredObject, TableName,
    open_version_comments, splice,
};
use tokio::io::AsyncWrite;

use super::transaction::commit;
use crate::answer::ClientSink;
use crate::failure::Failure;
use crate::literal::identifier;
use crate::session::{Session, on_node};
use crate::stream::Writer;

pub(super) use copies::{renew, what_is_broken};
use place::Place;
pub(super) use place::trigger_nodes;

/// Runs the statement. It commits the open transaction first, as on a server.
pub(super) async fn run<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    text: &str,
    stored: &Stored,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let opened =
        open_version_comments(text.as_bytes(), session.options, session.proxy.flavour().server_kind());
    match opened.map_err(|error| ParseError::from_lex(text, &error).to_mysql())? {
        None => define(session, writer, text, stored).await,
        // What stands in version comments is looked at as the servers read it.
        Some(opened) => {
            let text = String::from_utf8_lossy(&opened).into_owned();
            match serval_sql::parse(&text, session.options).map_err(|error| error.to_mysql())? {
                Statement::Ddl(Ddl { kind: DdlKind::Stored(stored), .. }) => {
                    define(session, writer, &text, &stored).await
                }
                // The comments were for other servers.
                _ => super::done(session, writer),
            }
        }
    }
}

async fn define<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    text: &str,
    stored: &Stored,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    if stored.object == StoredObject::View && stored.action == StoredAction::Drop {
        return kept::drop_views(session, writer, stored).await;
    }
    if let (StoredObject::View, Some(query)) = (stored.object, stored.query) {
        of_session::refuse_view(query.text(text).as_bytes(), session.options)?;
    }
    let mut edits = names(stored);
    edits.extend(definer::edit(session, stored)?);
    if stored.object == StoredObject::View && kept::has_taken_name(session, stored) {
        return kept::define(session, writer, text, stored, edits).await;
    }
    let place = Place::find(session, stored).await?;
    match stored.query {
        _ if stored.action == StoredAction::Drop => {}
        Some(query) => match view::edit(session, text, query, &place).await {
            Ok(edit) if !kept::is_kept(session, &place, stored) => edits.push(edit),
            // Its tables are not beside it, or a server would take something in it for its own.
            _ => return kept::define(session, writer, text, stored, edits).await,
        },
        None => body::check(session, text, stored, &place)?,
    }
    commit(session).await?;
    let sql = splice(text.as_bytes(), &edits);
    execute(session, writer, place, sql).await
}

/// Runs the statement on its node.
async fn execute<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    place: Place,
    sql: Vec<u8>,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let tables: Vec<PlanTable> = place.tables;
    let bound = Bound { tables: Arc::from(tables), ..on_node(Target::new(place.node, None, sql)) };
    let catalog = session.catalog();
    let (status, state) = (session.status(), session.effective_state());
    let mut sink = ClientSink::new(writer, status, None);
    match session.execute(&bound, &catalog, &state, None, &mut sink).await {
        Ok(completed) => {
            session.last.changed(completed.affected_rows, 0, completed.warnings);
            if completed.warnings > 0 {
                session.note_warnings(&bound, &catalog, state);
            }
            Ok(())
        }
        Err(ExecuteError::Client(_)) => Err(Failure::Gone),
        Err(error) => Err(error.to_mysql().into()),
    }
}

/// Names lose their schema: the node's database is the connection's current one.
fn names(stored: &Stored) -> Vec<Edit> {
    let all = stored.names.iter().chain(&stored.table).chain(&stored.rename_to);
    let qualified = all.filter(|name| name.schema.is_some());
    qualified.map(|name| Edit { at: name.span(), text: identifier(&name.table.value) }).collect()
}

/// What the statement is about, for messages.
fn what(stored: &Stored) -> &'static str {
    match stored.object {
        StoredObject::View => "A view",
        StoredObject::Procedure | StoredObject::Function => "A routine",
        StoredObject::Trigger => "A trigger",
        StoredObject::Event => "An event",
    }
}

/// The name by which a table was meant.
fn schema_of<'a>(name: &'a TableName, current: Option<&'a str>) -> Option<&'a str> {
    name.schema.as_ref().map(|schema| &*schema.value).or(current)
}
