//! CREATE TABLE … SELECT.
//!
//! Where the table and all rows lie on one node its server does all of it. Otherwise a server says what the table looks
//! like, it is made like any other, and the rows are inserted; where that fails it is dropped again.

use std::sync::Arc;

use serval_catalog::{Catalog, Placement};
use serval_executor::definitions::fetch;
use serval_planner::primitive::{Primitive, Route};
use serval_planner::{PlanTable, plan_create_select, plan_ddl};
use serval_remote::Backend;
use serval_sql::{Ddl, DdlKind, Edit, LexOptions, create_table, splice};
use serval_types::NodeId;
use serval_wire::packet::OkPacket;
use tokio::io::AsyncWrite;

use super::clauses::Clauses;
use super::head::{Head, Modifier};
use super::insert_select::{self, InsertSelect};
use super::{created, is_utf8};
use crate::answer::{ClientSink, Outcome};
use crate::failure::{Failure, refused};
use crate::literal::identifier;
use crate::session::{Effects, Purpose, Query, Ready, Session, Staging, Sum, prepare, rescan};
use crate::statement::transaction::commit;
use crate::statement::{ddl as definitions, definitions as known};
use crate::stream::Writer;

/// A statement being run.
struct Creating<'a> {
    /// With what belongs to the session in its place.
    text: &'a str,
    ddl: &'a Ddl,
    schemas: &'a [String],
    /// What the name of the new table is looked up in.
    catalog: Arc<Catalog>,
}

/// Runs the statement. The open transaction has been committed; `schemas` are those of its tables.
pub(in crate::statement) async fn run<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    text: &str,
    ddl: &Ddl,
    schemas: &[String],
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    if session.locked.is_some() {
        return Err(refused("CREATE TABLE … SELECT under LOCK TABLES is not supported; UNLOCK TABLES first"));
    }
    let filled = session.with_identity(text.as_bytes())?.into_owned();
    let filled = String::from_utf8(filled).map_err(|_| created::not_understood())?;
    let reparsed = definitions::reparsed(&filled, session.options)?;
    let (filled, reparsed) = match expanded(session, &filled, &reparsed)? {
        Some(text) => {
            let reparsed = definitions::reparsed(&text, session.options)?;
            (text, reparsed)
        }
        None => (filled, reparsed),
    };
    let catalog = definitions::meant(session, ddl, schemas);
    let creating = Creating { text: &filled, ddl: &reparsed, schemas, catalog };
    let ready = creating.ready(session).await?;
    if let Some(query) = creating.beside(&ready)?
        && !creating.would_break_replicas(session)
    {
        return creating.whole(session, writer, query, &ready.bound.tables).await;
    }
    if let Some(existing) = creating.existing(session).await? {
        let ddl = definitions::reparsed(&existing, session.options)?;
        return definitions::define(session, writer, &existing, &ddl, &schemas[..1], &creating.catalog).await;
    }
    let ok = creating.in_steps(session, &ready.bound.tables).await?;
    writer.ok(&ok);
    Ok(())
}

/// The statement with the views of its query expanded.
fn expanded<B: Backend>(session: &Session<B>, text: &str, ddl: &Ddl) -> Result<Option<String>, Failure> {
    let Some(at) = ddl.query else { return Ok(None) };
    let Some(query) = session.expand_text(at.of(text.as_bytes()))? else { return Ok(None) };
    let query = session.with_identity(&query.sql)?.into_owned();
    let query = String::from_utf8(query).map_err(|_| created::not_understood())?;
    let text = splice(text.as_bytes(), &[Edit { at, text: query }]);
    Ok(Some(String::from_utf8_lossy(&text).into_owned()))
}

impl Creating<'_> {
    fn query(&self) -> &str {
        self.ddl.query.map_or("", |query| query.text(self.text))
    }

    fn name(&self) -> &str {
        self.ddl.tables.first().map_or("", |name| name.span().text(self.text))
    }

    /// The plan of the query, all of whose tables must be there.
    async fn ready<B: Backend>(&self, session: &mut Session<B>) -> Result<Ready, Failure> {
        let sql = self.query().as_bytes();
        let scan = rescan(sql, session.options)?;
        let catalog = session.catalog();
        session.undefined = None;
        let failure = match prepare(session, &catalog, &Query::text(sql, &scan), Purpose::Run).await {
            Err(failure) if session.undefined.is_some() => failure,
            ready => return ready,
        };
        known::resolve(session, failure).await?;
        let catalog = session.catalog();
        prepare(session, &catalog, &Query::text(sql, &scan), Purpose::Run).await
    }

    /// The node of the new table, where there is but one.
    fn node(&self) -> Option<NodeId> {
        let (schema, name) = (self.schemas.first()?, self.ddl.tables.first()?);
        match self.catalog.schema(schema)?.table_or_default(&name.table.value)?.placement {
            Placement::Node(node) => Some(node),
            Placement::Global(_) | Placement::Sharded(_) => None,
        }
    }

    /// The query as the new table's only node reads it, where all rows are there.
    fn beside(&self, ready: &Ready) -> Result<Option<String>, Failure> {
        let (Some(node), Primitive::Route(Route { targets, hidden: 0, .. })) =
            (self.node(), &ready.bound.root)
        else {
            return Ok(None);
        };
        let [target] = &**targets else { return Ok(None) };
        if target.node != node && !ready.bound.tables.is_empty() {
            return Ok(None);
        }
        let text = String::from_utf8(target.sql.clone()).map_err(|_| created::not_understood())?;
        Ok(Some(text))
    }

    /// MariaDB writes rows to its binary log that IGNORE has left out of the new table, where replicas then stop.
    fn would_break_replicas<B: Backend>(&self, session: &Session<B>) -> bool {
        let head = Head::of(self.text, self.ddl, session.options);
        session.proxy.flavour().is_mariadb() && head.is_some_and(|head| head.modifier == Modifier::Ignore)
    }

    /// Has one node do all of it.
    async fn whole<B, W>(
        &self,
        session: &mut Session<B>,
        writer: &mut Writer<W>,
        query: String,
        tables: &[PlanTable],
    ) -> Result<(), Failure>
    where
        B: Backend,
        W: AsyncWrite + Unpin + Send,
    {
        let wanted = Effects::of_text(query.as_bytes(), session.options)?.wanted;
        let schema = session.schema.as_deref();
        let bound = plan_create_select(&self.catalog, schema, self.ddl, self.text, (query, tables))
            .map_err(|error| error.to_mysql())?;
        let (status, state) = (session.status(), session.effective_state());
        let mut sink = ClientSink::new(writer, status, None);
        let what = (self.ddl, &self.schemas[..1]);
        let group = self.node().filter(|_| !wanted.is_nothing()).map(|node| self.catalog.node(node).group);
        if let Some(group) = group {
            session.pin_for(group, &wanted).await?;
        }
        let done = definitions::execute(session, &mut sink, what, &bound, &self.catalog, state).await;
        match group {
            Some(group) => session.read_after(group, &wanted, done.map(|_| ())).await,
            None => done.map(|_| ()),
        }
    }

    /// Where the table is there already: a definition that says so, as an error or as a note.
    async fn existing<B: Backend>(&self, session: &Session<B>) -> Result<Option<String>, Failure> {
        let DdlKind::CreateTable { if_not_exists, or_replace: false, .. } = self.ddl.kind else {
            return Ok(None);
        };
        let (Some(schema), Some(name)) = (self.schemas.first(), self.ddl.tables.first()) else {
            return Ok(None);
        };
        let found = fetch(&*session.proxy.backend, &self.catalog, schema, Some(&name.table.value)).await;
        if let Some((_, error)) = found.failed.into_iter().next() {
            return Err(error.to_mysql().into());
        }
        let unless = if if_not_exists { "IF NOT EXISTS " } else { "" };
        // It is never made, so it may have whatever columns the rules ask for.
        let like = |(_, create): &(String, String)| {
            let columns = create.find('(').map_or("", |at| &create[at..]);
            format!("CREATE TABLE {unless}{} {columns}", self.name())
        };
        Ok(found.definitions.first().map(like))
    }

    /// Makes the table, then its rows.
    async fn in_steps<B: Backend>(
        &self,
        session: &mut Session<B>,
        sources: &[PlanTable],
    ) -> Result<OkPacket, Failure> {
        let head = Head::of(self.text, self.ddl, session.options).ok_or_else(created::not_understood)?;
        self.refuse(sources)?;
        let query = self.query().as_bytes();
        let charset = match head.has_charset {
            true => String::new(),
            false => self.charset(session).await?,
        };
        let (columns, options) = (&head.columns, &head.options);
        let body = created::definition(session, &format!("{columns}{charset} {options}"), query).await?;
        let selected = match head.columns.is_empty() {
            true => names(&body, session.options)?,
            false => names(&created::definition(session, "", query).await?, session.options)?,
        };
        if !body.is_ascii() && !is_utf8(session) {
            return Err(refused("This statement must be written in UTF-8; SET NAMES utf8mb4 first"));
        }
        let body = head.finished(&body);
        self.define(session, &self.create(&body)).await?;
        let inserted = self.insert(session, head.modifier, &selected).await;
        // One in which autocommit is off is committed as well.
        let inserted = match inserted {
            Ok(inserted) => commit(session).await.map(|()| inserted),
            Err(failure) => Err(failure),
        };
        match inserted {
            Ok((sum, info)) => Ok(sum.answer(session, info)),
            Err(failure) => Err(self.undone(session, failure).await),
        }
    }

    fn refuse(&self, sources: &[PlanTable]) -> Result<(), Failure> {
        if !self.ddl.references.is_empty() {
            return Err(refused(
                "CREATE TABLE … SELECT over several nodes cannot have foreign keys; add them with ALTER TABLE",
            ));
        }
        let (Some(schema), Some(name)) = (self.schemas.first(), self.ddl.tables.first()) else {
            return Ok(());
        };
        let is_source = |table: &PlanTable| {
            table.schema == *schema && table.table.name.eq_ignore_ascii_case(&name.table.value)
        };
        if sources.iter().any(is_source) {
            return Err(refused(
                "CREATE TABLE … SELECT over several nodes cannot read the table that it makes; make another, then RENAME",
            ));
        }
        Ok(())
    }

    fn create(&self, body: &str) -> String {
        let replace = match self.ddl.kind {
            DdlKind::CreateTable { or_replace: true, .. } => "OR REPLACE ",
            _ => "",
        };
        format!("CREATE {replace}TABLE {} {body}", self.name())
    }

    /// What a table gets that says nothing of character sets: that of its database.
    async fn charset<B: Backend>(&self, session: &mut Session<B>) -> Result<String, Failure> {
        let (Some(schema), Some(name)) = (self.schemas.first(), self.ddl.tables.first()) else {
            return Ok(String::new());
        };
        let table = self.catalog.schema(schema).and_then(|schema| schema.table_or_default(&name.table.value));
        let nodes = table.map(|table| table.placement.nodes()).unwrap_or_default();
        let Some(node) = nodes.first() else { return Ok(String::new()) };
        let answer =
            session.ask_readably(*node, "SELECT @@character_set_database, @@collation_database").await?;
        let cell = |column| answer.text(0, column).unwrap_or_default();
        Ok(format!(" DEFAULT CHARSET={} COLLATE={}", cell(0), cell(1)))
    }

    /// Runs a definition of its own.
    async fn define<B: Backend>(&self, session: &mut Session<B>, text: &str) -> Result<(), Failure> {
        let ddl = definitions::reparsed(text, session.options)?;
        let schema = session.schema.as_deref();
        let bound =
            plan_ddl(&self.catalog, schema, &ddl, text, session.options).map_err(|error| error.to_mysql())?;
        let mut state = session.effective_state();
        if text.contains("'0000-00-00") {
            state = state.with("sql_mode", &lenient(session).await?);
        }
        let mut sink = Outcome::new(self.catalog.settings.memory_per_query);
        let what = (&ddl, &self.schemas[..1]);
        definitions::execute(session, &mut sink, what, &bound, &self.catalog, state).await?;
        // The warnings that the client may ask for are those of the rows.
        session.fetch_warnings().await;
        session.last.messages = None;
        Ok(())
    }

    /// Inserts the rows, and says what one server says of them.
    async fn insert<B: Backend>(
        &self,
        session: &mut Session<B>,
        modifier: Modifier,
        columns: &[String],
    ) -> Result<(Sum, Vec<u8>), Failure> {
        let columns: Vec<String> = columns.iter().map(|name| identifier(name)).collect();
        let (verb, name, query) = (modifier.verb(), self.name(), self.query());
        let sql = format!("{verb} INTO {name} ({}) {query}", columns.join(", "));
        let catalog = session.catalog();
        let mut staging = Staging::begin(session, catalog).await?;
        let result = match staging.change(sql.as_bytes()).await {
            Ok(ok) => Ok(Some(ok)),
            // ER_NOT_SUPPORTED_YET: no plan does it in one step.
            Err(Failure::Told(error)) if error.number == 1235 => Ok(None),
            Err(failure) => Err(failure),
        };
        let clauses = Clauses::of(sql.as_bytes(), staging.session.options);
        match (result, clauses.as_ref().and_then(InsertSelect::of)) {
            (Ok(Some(_)), _) => {
                let ((), sum) = staging.end(Ok(())).await?;
                let count = |label| sum.field(label);
                let (records, duplicates) = (count("Records"), count("Duplicates"));
                let warnings = sum.warnings();
                let info = format!("Records: {records}  Duplicates: {duplicates}  Warnings: {warnings}");
                Ok((sum, info.into_bytes()))
            }
            (Ok(None), Some(statement)) => {
                let result = insert_select::copy_into(&mut staging, &statement).await;
                let (records, sum) = staging.end(result).await?;
                let info = insert_select::info(&statement, records, &sum);
                Ok((sum, info))
            }
            (Ok(None), None) => {
                staging.end(Err(created::not_understood())).await.map(|((), sum)| (sum, Vec::new()))
            }
            (Err(failure), _) => staging.end(Err(failure)).await.map(|((), sum)| (sum, Vec::new())),
        }
    }

    /// Takes the table away again, whose rows could not be inserted.
    async fn undone<B: Backend>(&self, session: &mut Session<B>, failure: Failure) -> Failure {
        let _ = commit(session).await;
        let dropped = self.define(session, &format!("DROP TABLE {}", self.name())).await;
        match (failure, dropped) {
            (Failure::Told(mut error), Err(Failure::Told(why))) => {
                error.message =
                    format!("{}; the new table stays without rows: {}", error.message, why.message);
                Failure::Told(error)
            }
            (failure, _) => failure,
        }
    }
}

/// The columns of a definition.
fn names(body: &str, options: LexOptions) -> Result<Vec<String>, Failure> {
    let definition = create_table::parse(&format!("CREATE TABLE t {body}"), options);
    let definition = definition.map_err(|_| created::not_understood())?;
    Ok(definition.columns.into_iter().map(|column| column.name).collect())
}

/// The session's mode, but that zero dates may be defaults: a server gives them to columns that it makes itself.
async fn lenient<B: Backend>(session: &mut Session<B>) -> Result<String, Failure> {
    let answer = session.collect(b"SELECT @@sql_mode").await?;
    let mode = answer.text(0, 0).unwrap_or_default();
    let strict = ["NO_ZERO_DATE", "NO_ZERO_IN_DATE", "TRADITIONAL"];
    let kept: Vec<&str> = mode.split(',').filter(|word| !strict.contains(word)).collect();
    Ok(format!("'{}'", kept.join(",")))
}
