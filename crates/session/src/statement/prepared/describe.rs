//! What is found out about a statement when it is prepared.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use serval_catalog::{Catalog, TransactionMode};
use serval_executor::Context;
use serval_planner::primitive::Target;
use serval_planner::{BindRequest, Plan, PlanTable, Sample};
use serval_remote::Backend;
use serval_sql::{DdlKind, LexOptions, Scan, StatementClass, parse};
use serval_transaction::Transaction;
use serval_types::{ErrorCode, MysqlError};
use serval_wire::packet::column_type::MYSQL_TYPE_VAR_STRING;
use serval_wire::packet::{CHARSET_BINARY, ColumnDefinition};
use serval_wire::response::Prepared;

use super::literals::fill;
use super::statement::{Kind, Manner, Statement};
use crate::failure::{Failure, refused};
use crate::identity::{Replaced, Style};
use crate::session::{Effects, Query, Session, plan, rescan};
use crate::statement::{
    call, definitions, engines, is_blank, is_dml, open_version_comments, other, scan, staged,
};

/// The statement as it is kept: shared with other sessions where they have prepared the same one.
///
/// # Errors
/// Whatever is wrong with the statement, and 1295 where it cannot be prepared.
pub(super) async fn describe<B: Backend>(
    session: &mut Session<B>,
    sql: &Bytes,
) -> Result<Arc<Statement>, Failure> {
    session.undefined = None;
    session.views.clear();
    match described(session, sql).await {
        Err(failure) if session.undefined.is_some() => {
            Box::pin(definitions::resolve(session, failure)).await?;
            Box::pin(described(session, sql)).await
        }
        Err(Failure::Told(error)) if !session.views.is_empty() => {
            let views = std::mem::take(&mut session.views);
            let broken = definitions::broken(session, &error, &views).await;
            Err(broken.unwrap_or(error).into())
        }
        described => described,
    }
}

async fn described<B: Backend>(session: &mut Session<B>, sql: &Bytes) -> Result<Arc<Statement>, Failure> {
    let first = scan(session, sql)?;
    let opened = if first.version_comments { open_version_comments(session, sql)? } else { sql.clone() };
    let read = if first.version_comments { scan(session, &opened)? } else { first };
    // Of a comment that no server of this version reads, nothing is left to prepare.
    let is_nothing = read.class == StatementClass::Empty;
    let (sql, scan) = if is_nothing { (sql, scan(session, sql)?) } else { (&opened, read) };
    engines::refuse_prepared(session, sql, &scan)?;
    if u16::try_from(scan.parameter_count()).is_err() {
        return Err(too_many_parameters().into());
    }
    let (catalog, manner) = (session.catalog(), Manner::of(session));
    // Variables take a row, and no rows are sent.
    let into = is_dml(scan.class) && Effects::of(&Query::text(sql, &scan), session.options).into.is_some();
    let kind = match is_dml(scan.class) {
        _ if is_nothing && !is_blank(sql) => Kind::Plain,
        true if into => Kind::Plain,
        true => Kind::Rows,
        false => kind(sql, &scan, session.options)?,
    };
    let expanded = match kind {
        Kind::Rows => session.expand(sql, &scan, session.schema.as_deref(), session.options)?,
        Kind::Call | Kind::OfSchema | Kind::Plain => None,
    };
    if let Some(expanded) = &expanded {
        session.views.clone_from(&expanded.views);
    }
    let (text, text_scan) = match &expanded {
        Some(expanded) => (&*expanded.sql, &expanded.scan),
        None => (&**sql, &scan),
    };
    let replaced = match kind {
        Kind::Rows => session.replace_identity(text, session.options, Style::Parameters)?,
        Kind::Call | Kind::OfSchema | Kind::Plain => None,
    };
    let filled = replaced.as_ref().map(|replaced| rescan(&replaced.sql, session.options)).transpose()?;
    let query = match (&replaced, &filled) {
        (Some(replaced), Some(filled)) => Query::text(&replaced.sql, filled),
        _ => Query::text(text, text_scan),
    };
    let mut kind = kind;
    let planned = match plan_rows(session, &catalog, &query, kind).await {
        // It is done in steps, each of which is planned when it runs.
        Err(failure) if staged::may_take(session, &query, &failure) => {
            kind = Kind::Plain;
            None
        }
        planned => planned?,
    };
    // What a session is told of itself, and what its variables are, belongs into nobody else's definitions.
    let is_shared = replaced.is_none() && !catalog.is_overlay() && !scan.marks.variable;
    let found = session.proxy.prepared.find(sql, &manner, catalog.version).filter(|_| is_shared);
    if let Some(statement) = found {
        return Ok(statement);
    }
    let answer = match planned {
        Some(plan) => {
            let asked = ask(session, &catalog, &plan, &query).await;
            let takes_steps = asked.as_ref().is_err_and(|failure| staged::may_take(session, &query, failure));
            if takes_steps {
                kind = Kind::Plain;
                unknown_columns(scan.parameter_count())
            } else {
                let mut answer = asked?;
                let added: Vec<usize> = replaced.iter().flat_map(Replaced::positions).collect();
                answer.parameters = without(answer.parameters, &added);
                answer
            }
        }
        None if kind == Kind::Call => {
            let (target, tables) = call::sample(session, &catalog, sql, &scan)?;
            ask_servers(session, &catalog, &Sample::Node(target), &tables, &scan).await?
        }
        None => unknown_columns(scan.parameter_count()),
    };
    let Prepared { ok, parameters, columns } = answer;
    let warnings = ok.warnings;
    // The packet that brought the text may be larger than the text.
    let sql = Bytes::copy_from_slice(sql);
    let statement = Arc::new(Statement { sql, scan, kind, manner, parameters, columns, warnings });
    if is_shared {
        session.proxy.prepared.keep(&statement, catalog.version);
    }
    Ok(statement)
}

/// The plan of a statement that has one.
async fn plan_rows<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    query: &Query<'_>,
    kind: Kind,
) -> Result<Option<Arc<Plan>>, Failure> {
    match kind {
        Kind::Rows => Ok(Some(plan(session, catalog, query).await?)),
        Kind::Call | Kind::OfSchema | Kind::Plain => Ok(None),
    }
}

/// The definitions of the client's own parameters.
fn without(parameters: Vec<ColumnDefinition>, added: &[usize]) -> Vec<ColumnDefinition> {
    let all = parameters.into_iter().enumerate();
    all.filter(|(position, _)| !added.contains(position)).map(|(_, parameter)| parameter).collect()
}

/// What a node says of the statement.
async fn ask<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    plan: &Plan,
    query: &Query<'_>,
) -> Result<Prepared, Failure> {
    let Query { sql, scan, .. } = *query;
    let request = BindRequest { ..BindRequest::of(sql, scan) };
    let copy = session.copy_to_read(catalog, plan);
    let sample = plan.sample_of(&request, copy).map_err(|error| error.to_mysql())?;
    ask_servers(session, catalog, &sample, plan.tables(), scan).await
}

/// What the servers say of a statement for them.
async fn ask_servers<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    sample: &Sample,
    tables: &[PlanTable],
    scan: &Scan,
) -> Result<Prepared, Failure> {
    let target = match sample {
        Sample::Node(target) => target,
        Sample::Gathered(gather) => &gather.statement,
    };
    let state = session.effective_state();
    // Preparing must not draw a group into the transaction; one that is in it is asked there, so that nothing waits
    // for the transaction's own locks.
    let mut outside = Transaction::new();
    let joined = session.transaction.groups().contains(&catalog.node(target.node).group);
    let mut context = Context {
        backend: &session.backend,
        catalog,
        transaction: if joined { &mut session.transaction } else { &mut outside },
        mode: TransactionMode::default(),
        state: &state,
        deadline: Instant::now() + catalog.settings.acquire_timeout,
        memory_limit: catalog.settings.memory_per_query,
        replicas: false,
        parameters: None,
        watch: None,
        share: 1,
    };
    let answer = match sample {
        Sample::Node(target) => serval_executor::prepare(target, tables, &mut context).await,
        Sample::Gathered(gather) => {
            Box::pin(serval_executor::prepare_gathered(gather, tables, &mut context)).await
        }
    };
    let answer = answer.map_err(|error| error.to_mysql())?;
    if answer.parameters.len() != target.parameters.len() {
        return Err(refused(
            "Parameters inside of version comments are not supported; write the statement without them",
        ));
    }
    let parameters = (0..scan.parameter_count()).map(|position| parameter(&answer, target, position));
    Ok(Prepared { parameters: parameters.collect(), ..answer })
}

/// What the node says of the client's parameter at `position`; the planner may have moved it and added others.
fn parameter(answer: &Prepared, target: &Target, position: usize) -> ColumnDefinition {
    let place = target.parameters.iter().position(|parameter| usize::from(*parameter) == position);
    place.and_then(|place| answer.parameters.get(place)).cloned().unwrap_or_else(any_parameter)
}

/// How a statement that is not about rows is executed, if it can be prepared.
fn kind(sql: &[u8], scan: &Scan, options: LexOptions) -> Result<Kind, Failure> {
    if scan.class == StatementClass::Empty && !is_blank(sql) {
        return Ok(Kind::Plain);
    }
    let parse = |text: &[u8]| match std::str::from_utf8(text) {
        Ok(text) => parse(text, options).map_err(|error| Failure::Told(error.to_mysql())),
        Err(_) => Err(other(StatementClass::Other)),
    };
    let filled = |literal: &str| fill(sql, scan, vec![literal.to_owned(); scan.parameter_count()]);
    // Where a literal has to stand, the parser takes no parameter; which kind of literal is found by trying.
    let parsed = parse(sql).or_else(|error| {
        let other = parse(&filled("''")).or_else(|_| parse(&filled("1")));
        if scan.parameter_count() == 0 { Err(error) } else { other.map_err(|_| error) }
    });
    use serval_sql::Statement as Parsed;
    match parsed? {
        Parsed::Dml(_) => Ok(Kind::Rows),
        // They name what they are about, and DROP DATABASE leaves the session without one.
        Parsed::Ddl(ddl)
            if matches!(ddl.kind, DdlKind::CreateDatabase { .. } | DdlKind::DropDatabase { .. }) =>
        {
            Ok(Kind::Plain)
        }
        Parsed::Show(_) | Parsed::Ddl(_) | Parsed::Explain(_) | Parsed::Maintenance(_) => Ok(Kind::OfSchema),
        Parsed::SetStatement { .. } => Err(not_preparable().into()),
        Parsed::Other(StatementClass::Prepare | StatementClass::Execute | StatementClass::Deallocate) => {
            Err(not_preparable().into())
        }
        Parsed::Other(StatementClass::Call) => Ok(Kind::Call),
        Parsed::Other(class) => Err(other(class)),
        _ => Ok(Kind::Plain),
    }
}

/// The definitions of a statement whose columns are known only when it runs.
fn unknown_columns(parameters: usize) -> Prepared {
    Prepared { parameters: vec![any_parameter(); parameters], ..Prepared::default() }
}

/// A parameter of which nothing is known.
fn any_parameter() -> ColumnDefinition {
    ColumnDefinition { charset: CHARSET_BINARY, ..ColumnDefinition::new("?", MYSQL_TYPE_VAR_STRING) }
}

fn not_preparable() -> MysqlError {
    MysqlError::new(
        ErrorCode::UnsupportedPrepare,
        "This command is not supported in the prepared statement protocol yet",
    )
}

fn too_many_parameters() -> MysqlError {
    // ER_PS_MANY_PARAM.
    let message = "Prepared statement contains too many placeholders".to_owned();
    MysqlError { number: 1390, sqlstate: *b"HY000", message }
}
