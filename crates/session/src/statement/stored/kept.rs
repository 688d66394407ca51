//! Views that Serval expands: a server beside the default node keeps their definitions, over empty copies of their tables.
//!
//! What is wrong about a definition that server says, and what it makes of the text is what is expanded later. Nobody ever
//! reads a row of it: a proxy that has not heard of the view yet looks for a table of that name, is told that there is none,
//! and asks for views then.

use serval_catalog::{Placement, Table};
use serval_executor::definitions::fetch;
use serval_planner::{PlanError, PlanRequest, PlanTable, view_tables};
use serval_remote::Backend;
use serval_sql::{Edit, Stored, StoredAction, TableName, splice, tokens};
use serval_types::{MysqlError, NodeId};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::io::AsyncWrite;

use super::copies::Keeper;
use super::place::Place;
use super::{execute, schema_of};
use crate::failure::{Failure, no_schema, refused, unknown_schema, unknown_table};
use crate::literal::{identifier, quote};
use crate::session::{Session, rescan};
use crate::statement::definitions;
use crate::statement::functions::explained_failure;
use crate::statement::transaction::commit;
use crate::stream::Writer;

/// What there is of a view's name.
enum Existing {
    Nothing,
    /// A view that a server beside the default node keeps.
    Kept,
    /// A view of the default node's own.
    Own,
    Table,
}

/// Whether the view is one that Serval expands.
pub(super) fn is_kept<B: Backend>(session: &Session<B>, place: &Place, stored: &Stored) -> bool {
    let catalog = session.base_catalog();
    let schema = catalog.schema(&place.schema);
    stored.names.iter().any(|name| schema.is_some_and(|schema| schema.view(&name.table.value).is_some()))
}

/// Whether a table that lies on several nodes has the view's name.
pub(super) fn has_taken_name<B: Backend>(session: &Session<B>, stored: &Stored) -> bool {
    let catalog = session.base_catalog();
    let Some(name) = stored.names.first() else { return false };
    let schema = schema_of(name, session.schema.as_deref()).and_then(|schema| catalog.schema(schema));
    let table = schema.and_then(|schema| schema.table(&name.table.value));
    table.is_some_and(|table| !matches!(table.placement, Placement::Node(_)))
}

/// Of a view that Serval expands CURRENT_USER() is the reader, which is what it is with SQL SECURITY INVOKER alone.
fn refuse_definer<B: Backend>(session: &Session<B>, text: &str, query: &str) -> Result<(), Failure> {
    let says = |text: &str, word: &str| {
        let tokens = tokens(text.as_bytes(), session.options).unwrap_or_default();
        tokens.iter().any(|token| token.is_word(text.as_bytes(), word))
    };
    if !says(text, "INVOKER") && (says(query, "CURRENT_USER") || says(query, "CURRENT_ROLE")) {
        return Err(refused(
            "CURRENT_USER() of a view's definer is not known to Serval, which expands views over several data nodes for \
             whoever reads them; say SQL SECURITY INVOKER",
        ));
    }
    Ok(())
}

/// CREATE VIEW and ALTER VIEW. `edits` are those of the statement's head.
pub(super) async fn define<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    text: &str,
    stored: &Stored,
    mut edits: Vec<Edit>,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let (Some(name), Some(query)) = (stored.names.first(), stored.query) else {
        return Err(refused("The view has no query"));
    };
    let schema = session.schema_or_current(name.schema.as_ref().map(|schema| &*schema.value))?;
    let keeper = Keeper::of(session, &schema).ok_or_else(|| {
        refused(format!(
            "A view needs a data node to lie on, and schema {schema} has no default_node in the configuration"
        ))
    })?;
    let name = name.table.value.clone();
    let existing = existing(session, &keeper, &name).await?;
    let alters = stored.action == StoredAction::Alter;
    match existing {
        Existing::Table if alters || stored.or_replace => return Err(no_view(session, &schema, &name).into()),
        Existing::Table | Existing::Own if stored.if_exists => return super::super::done(session, writer),
        Existing::Table => return Err(exists(&name).into()),
        Existing::Own if !alters && !stored.or_replace => return Err(exists(&name).into()),
        Existing::Nothing if alters => return Err(unknown_table(&schema, &name).into()),
        // The other server has no such view to alter.
        Existing::Own if alters => {
            edits.push(Edit { at: first_word(text, session), text: "CREATE OR REPLACE".to_owned() })
        }
        _ => {}
    }
    let sql = query.text(text);
    refuse_definer(session, text, sql)?;
    let scan = rescan(sql.as_bytes(), session.options)?;
    let catalog = session.catalog();
    let current = session.schema.clone();
    let request = PlanRequest {
        sql: sql.as_bytes(),
        scan: &scan,
        schema: current.as_deref(),
        options: session.options,
    };
    let mentioned = view_tables(&catalog, &request).map_err(|error| match error {
        PlanError::SystemSchema(schema) => refused(format!(
            "A view of tables of {schema} would show the server's own names; query them directly"
        )),
        error => Failure::Told(error.to_mysql()),
    })?;
    for table in &mentioned.tables {
        check(session, &schema, table)?;
    }
    commit(session).await?;
    keeper.make(session).await?;
    if matches!(existing, Existing::Nothing | Existing::Own) {
        keeper.forget(session, &name).await?;
    }
    for table in &mentioned.tables {
        keeper.copy(session, table).await?;
    }
    edits.push(Edit { at: query, text: String::from_utf8_lossy(&mentioned.text).into_owned() });
    let mut tables = mentioned.tables;
    let kept = Table::on_node(&name, keeper.node);
    tables.push(PlanTable { schema: schema.clone(), table: Arc::new(kept) });
    let place = Place { schema: schema.clone(), node: keeper.node, tables };
    let sql = splice(text.as_bytes(), &edits);
    let result = execute_in(session, writer, place, sql, &keeper).await;
    if result.is_ok() && matches!(existing, Existing::Own) {
        drop_own(session, &keeper, &name).await?;
    }
    learn(session, &schema, &name).await;
    result
}

/// A node on which a table, or a piece of it, is called as clients call it.
fn beside(placement: &Placement, name: &str) -> Option<NodeId> {
    match placement {
        Placement::Sharded(sharding) => {
            sharding.shards.iter().find(|shard| *shard.table == *name).map(|shard| shard.node)
        }
        placement => placement.nodes().first().copied(),
    }
}

/// DROP VIEW: each server of those that it has.
pub(super) async fn drop_views<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    stored: &Stored,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let mut places: BTreeMap<_, (String, Vec<PlanTable>)> = BTreeMap::new();
    for name in &stored.names {
        let (schema, name) = (schema(session, name)?, &name.table.value);
        let is_known = session.base_catalog().schema(&schema).is_some_and(|found| found.view(name).is_some());
        if !is_known {
            learn(session, &schema, name).await;
        }
        let catalog = session.catalog();
        let found = catalog.schema(&schema).ok_or_else(|| unknown_schema(&schema))?;
        let table = found.table_or_default(name).ok_or_else(|| unknown_table(&schema, name))?;
        let node = match &table.placement {
            Placement::Node(node) => *node,
            // What is no view is left where it is, as a server that has it says.
            placement => match beside(placement, &table.name) {
                Some(node) => node,
                None => return Err(no_view(session, &schema, name).into()),
            },
        };
        // What may be missing goes last, where the error is the answer: MariaDB drops the others all the same.
        let own = found.default_node == Some(node);
        let (_, tables) = places.entry((own, node)).or_insert_with(|| (schema.clone(), Vec::new()));
        tables.push(PlanTable { schema, table });
    }
    if places.len() > 1 && !stored.if_exists && !session.proxy.flavour().is_mariadb() {
        return Err(refused(
            "The views lie in several places, and what one statement would drop of them if one is missing is not known \
             before; use IF EXISTS, or one statement for each",
        ));
    }
    commit(session).await?;
    let last = places.len().saturating_sub(1);
    let (mut all, mut failed) = (Vec::new(), None);
    for (at, ((_, node), (schema, tables))) in places.into_iter().enumerate() {
        let names: Vec<String> = tables.iter().map(|table| identifier(&table.table.name)).collect();
        let exists = if stored.if_exists { "IF EXISTS " } else { "" };
        let sql = format!("DROP VIEW {exists}{}", names.join(", "));
        all.extend(tables.iter().map(|table| (table.schema.clone(), table.table.name.clone())));
        if at < last || failed.is_some() {
            failed = failed.or(session.ask(node, &sql).await.err());
            if at < last {
                continue;
            }
        }
        let place = Place { schema, node, tables };
        let result = match failed.take() {
            Some(error) => Err(error),
            None => execute(session, writer, place, sql.into_bytes()).await,
        };
        for (schema, name) in &all {
            if session.base_catalog().schema(schema).is_some_and(|found| found.view(name).is_some()) {
                learn(session, schema, name).await;
            }
        }
        result?;
    }
    Ok(())
}

fn schema<B: Backend>(session: &Session<B>, name: &TableName) -> Result<String, Failure> {
    let named = schema_of(name, session.schema.as_deref()).ok_or_else(no_schema)?;
    Ok(session.check_schema(named)?)
}

/// Runs the statement where the views are kept.
async fn execute_in<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    place: Place,
    sql: Vec<u8>,
    keeper: &Keeper,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    // The running catalog may not have the place yet.
    let before = session.beside.replace(Arc::clone(&keeper.catalog));
    let result = execute(session, writer, place, sql).await;
    session.beside = before;
    match result {
        Err(failure) => Err(explained_failure(session, failure).await),
        done => done,
    }
}

/// Reads the view's definition again, and has other proxies told.
async fn learn<B: Backend>(session: &Session<B>, schema: &str, name: &str) {
    let catalog = session.proxy.catalog.load_full();
    let fetched = fetch(&*session.proxy.backend, &catalog, schema, Some(name)).await;
    definitions::store(&session.proxy, schema, fetched);
    session.proxy.defined.note([(schema.to_owned(), name.to_owned())]);
}

/// A table that a view of `schema` can be of.
fn check<B: Backend>(session: &Session<B>, schema: &str, table: &PlanTable) -> Result<(), Failure> {
    let name = &table.table.name;
    if session.temporary.has(&table.schema, name) {
        // ER_VIEW_SELECT_TMPTABLE.
        return Err(Failure::Told(MysqlError {
            number: 1352,
            sqlstate: *b"HY000",
            message: format!("View's SELECT refers to a temporary table '{name}'"),
        }));
    }
    session.check_schema(&table.schema)?;
    if table.schema != schema {
        return Err(refused(format!(
            "A view over several data nodes can only be of tables of its own schema, which {}.{name} is not of; make a view \
             for each schema",
            table.schema
        )));
    }
    Ok(())
}

/// What there is of the name.
async fn existing<B: Backend>(
    session: &mut Session<B>,
    keeper: &Keeper,
    name: &str,
) -> Result<Existing, Failure> {
    let known = |session: &Session<B>| {
        let catalog = session.base_catalog();
        let table = catalog.schema(&keeper.schema)?.table(name).cloned()?;
        Some(table)
    };
    if known(session).is_none() {
        learn(session, &keeper.schema, name).await;
    }
    if let Some(table) = known(session) {
        if table.view.is_some() {
            return Ok(Existing::Kept);
        }
        if table.definition.is_some() {
            return Ok(Existing::Table);
        }
        if !matches!(table.placement, Placement::Node(_)) {
            return Err(refused(format!(
                "{name} has a section in the configuration, which says where a table of this name lies; choose another name"
            )));
        }
    }
    let Some(default) = keeper.catalog.schema(&keeper.schema).and_then(|schema| schema.default_node) else {
        return Ok(Existing::Nothing);
    };
    let text = |text: &str| quote(text.as_bytes(), "utf8mb4");
    let sql = format!(
        "SELECT TABLE_TYPE LIKE '%VIEW' FROM information_schema.TABLES WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {}",
        text(&keeper.catalog.node(default).database),
        text(name)
    );
    let answer = session.ask_in_utf8(&keeper.catalog, default, &sql).await?;
    Ok(match answer.text(0, 0).as_deref() {
        Some("1") => Existing::Own,
        Some(_) => Existing::Table,
        None => Existing::Nothing,
    })
}

/// Drops the view of the default node's own that another has taken the place of.
async fn drop_own<B: Backend>(session: &mut Session<B>, keeper: &Keeper, name: &str) -> Result<(), Failure> {
    let Some(default) = keeper.catalog.schema(&keeper.schema).and_then(|schema| schema.default_node) else {
        return Ok(());
    };
    let sql = format!("DROP VIEW IF EXISTS {}", identifier(name));
    session.ask_in_utf8(&keeper.catalog, default, &sql).await.map(|_| ())
}

/// The statement's verb.
fn first_word<B: Backend>(text: &str, session: &Session<B>) -> serval_sql::Span {
    let tokens = serval_sql::tokens(text.as_bytes(), session.options).unwrap_or_default();
    let word = tokens.iter().find(|token| !token.kind.is_comment());
    word.map(|token| token.span).unwrap_or_default()
}

/// ER_TABLE_EXISTS_ERROR.
fn exists(name: &str) -> MysqlError {
    MysqlError { number: 1050, sqlstate: *b"42S01", message: format!("Table '{name}' already exists") }
}

/// ER_WRONG_OBJECT.
fn no_view<B: Backend>(session: &Session<B>, schema: &str, name: &str) -> MysqlError {
    let kind = if session.proxy.flavour().is_mariadb() { "of type 'VIEW'" } else { "VIEW" };
    let message = format!("'{schema}.{name}' is not {kind}");
    MysqlError { number: 1347, sqlstate: *b"HY000", message }
}
