//! `SELECT … INTO @a` over several shards: the merged row becomes the variables' values.

use serval_catalog::Catalog;
use serval_planner::Bound;
use serval_planner::primitive::{Combine, Primitive, Route, Tally};
use serval_remote::Backend;
use serval_sql::{Edit, LexOptions, TokenKind, is_call, splice, tokens};
use serval_types::{GroupId, MysqlError};
use serval_wire::packet::column_type::{
    MYSQL_TYPE_BIT, MYSQL_TYPE_DATE, MYSQL_TYPE_DATETIME, MYSQL_TYPE_FLOAT, MYSQL_TYPE_JSON, MYSQL_TYPE_TIME,
    MYSQL_TYPE_TIMESTAMP,
};
use serval_wire::packet::{ColumnDefinition, OkPacket};
use tokio::io::AsyncWrite;

use super::{named_locks, user_variable};
use crate::answer::Answer;
use crate::failure::{Failure, refused};
use crate::literal::variable_literal;
use crate::session::{Effects, Into, Purpose, Query, Session, is_one_node, prepare, rescan};
use crate::stream::Writer;

/// What came of a SELECT … INTO.
enum Outcome {
    /// One node answers it, so its server can say INTO itself.
    OneNode,
    /// So many rows, none or one, with so many warnings.
    Merged { rows: u64, warnings: u16 },
}

/// Runs the SELECT without its INTO where several nodes answer it. False where one does: its server can say INTO
/// itself.
pub(super) async fn merged<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    query: &Query<'_>,
    into: &Into,
) -> Result<bool, Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    match fetch(session, query, into).await? {
        Outcome::OneNode => Ok(false),
        Outcome::Merged { rows, warnings } => {
            writer.ok(&OkPacket { affected_rows: rows, warnings, ..session.plain_ok() });
            Ok(true)
        }
    }
}

/// Runs a SELECT … INTO of Serval's own making.
///
/// # Errors
/// Those of servers; 1172 and 1222.
pub(super) async fn assign<B: Backend>(session: &mut Session<B>, sql: &[u8]) -> Result<(), Failure> {
    let sql = session.with_identity(sql)?.into_owned();
    let scan = rescan(&sql, session.options)?;
    let query = Query::text(&sql, &scan);
    let effects = Effects::of(&query, session.options);
    let Some(into) = &effects.into else { return Ok(()) };
    if let Outcome::Merged { .. } = fetch(session, &query, into).await? {
        return Ok(());
    }
    let catalog = session.catalog();
    let mut ready = prepare(session, &catalog, &query, Purpose::Run).await?;
    let placed = named_locks::place(session, &catalog, &query, &mut ready).await?;
    let Some(group) = one_group(&catalog, &ready.bound) else { return Ok(()) };
    session.begin_for(&catalog, &ready, &sql);
    session.pin_for(group, &effects.wanted).await?;
    let state = session.effective_state();
    let result = session.collect_completed(&ready.bound, &catalog, &state).await;
    if let Some(placed) = placed {
        named_locks::settle(session, &catalog, placed, result.is_ok()).await;
    }
    if let Ok((_, completed)) = &result {
        session.last.warnings = session.last.warnings.saturating_add(completed.warnings);
        if completed.warnings > 0 {
            session.note_warnings(&ready.bound, &catalog, state);
            session.fetch_warnings().await;
        }
    }
    let read = session.read_wanted(group, &effects.wanted).await;
    result.map_err(|error| error.to_mysql())?;
    read
}

/// The group of the one node that answers a statement, where one does.
pub(crate) fn one_group(catalog: &Catalog, bound: &Bound) -> Option<GroupId> {
    match &bound.root {
        Primitive::Route(Route { targets, .. }) if targets.len() == 1 => {
            Some(catalog.node(targets[0].node).group)
        }
        _ => None,
    }
}

/// The group whose server tells what the statement leaves: that of the one node, or of the first of equal copies.
pub(crate) fn telling_group(catalog: &Catalog, bound: &Bound) -> Option<GroupId> {
    match &bound.root {
        Primitive::Spread(spread) if spread.tally == Tally::First => {
            spread.targets.first().map(|target| catalog.node(target.node).group)
        }
        _ => one_group(catalog, bound),
    }
}

async fn fetch<B: Backend>(
    session: &mut Session<B>,
    query: &Query<'_>,
    into: &Into,
) -> Result<Outcome, Failure> {
    let catalog = session.catalog();
    if into.enclosed && session.proxy.flavour().is_mariadb() {
        return Ok(Outcome::OneNode);
    }
    let plain = splice(query.sql, &[Edit { at: into.span, text: String::new() }]);
    let scan = rescan(&plain, query.options(session))?;
    let query = Query { sql: &plain, scan: &scan, execution: query.execution, views: query.views };
    let ready = prepare(session, &catalog, &query, Purpose::Run).await?;
    if is_one_node(&ready.bound) {
        return Ok(Outcome::OneNode);
    }
    if averages(&ready.bound.root) || divides(&query, query.options(session)) {
        return Err(refused(
            "A variable keeps more digits of AVG and of quotients than shards tell; select their operands into variables \
             and divide these",
        ));
    }
    if query.execution.is_some() {
        return Err(refused("SELECT … INTO over several shards cannot be executed as a prepared statement"));
    }
    session.begin_for(&catalog, &ready, query.sql);
    // Strings come as they are, and say which collation they have.
    let state = session.effective_state().with("character_set_results", "NULL");
    let (answer, completed) =
        session.collect_completed(&ready.bound, &catalog, &state).await.map_err(|error| error.to_mysql())?;
    if answer.columns.len() != into.names.len() {
        return Err(wrong_count().into());
    }
    let rows = answer.rows.len() as u64;
    let warnings = match &*answer.rows {
        [] => {
            session.last.changed(0, 0, completed.warnings.saturating_add(1));
            session.last.messages = Some(no_data());
            session.last.warnings
        }
        [row, more @ ..] => {
            let mut state = session.state.clone();
            let mariadb = session.proxy.flavour().is_mariadb();
            let chosen = if mariadb { chosen(&query, query.options(session)) } else { Vec::new() };
            for (at, ((name, column), cell)) in into.names.iter().zip(&answer.columns).zip(row).enumerate() {
                let literal = match cell {
                    None => "NULL".to_owned(),
                    Some(cell) => literal(session, column, cell, chosen.contains(&at)).await?,
                };
                state = state.with(&user_variable(name), &literal);
            }
            super::check_size(&state)?;
            session.state = state;
            if !more.is_empty() {
                // A server has assigned the first row when the second one comes.
                return Err(too_many_rows().into());
            }
            session.last.changed(1, 0, completed.warnings);
            if completed.warnings > 0 {
                let state = session.effective_state();
                session.note_warnings(&ready.bound, &catalog, state);
            }
            completed.warnings
        }
    };
    session.last.found_rows = Some(rows);
    Ok(Outcome::Merged { rows, warnings })
}

/// Whether an exact quotient may be among the values.
fn divides(query: &Query<'_>, options: LexOptions) -> bool {
    let tokens = tokens(query.sql, options).unwrap_or_default();
    let selected = (0..tokens.len()).take_while(|at| !tokens[*at].is_word(query.sql, "FROM"));
    let divides = |at: usize| tokens[at].span.of(query.sql) == b"/" || is_call(query.sql, &tokens, at, "AVG");
    selected.into_iter().any(divides)
}

/// The places of select items that are one of several values: of moments MariaDB has such a one as binary.
fn chosen(query: &Query<'_>, options: LexOptions) -> Vec<usize> {
    const FUNCTIONS: [&str; 5] = ["COALESCE", "IFNULL", "NULLIF", "IF", "CASE"];
    let (sql, mut tokens) = (query.sql, tokens(query.sql, options).unwrap_or_default());
    tokens.retain(|token| !token.kind.is_comment());
    let (mut depth, mut place, mut begins) = (0_usize, 0, true);
    let mut found = Vec::new();
    for token in tokens.iter().skip(1).take_while(|token| !token.is_word(sql, "FROM")) {
        if begins && FUNCTIONS.iter().any(|name| token.is_word(sql, name)) {
            found.push(place);
        }
        match token.kind {
            TokenKind::Symbol(b'(') => depth += 1,
            TokenKind::Symbol(b')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        begins = depth == 0 && token.is_symbol(b',');
        place += usize::from(begins);
    }
    found
}

/// Whether an average is computed of what the shards say.
fn averages(root: &Primitive) -> bool {
    let is_average = |column: &Combine| matches!(column, Combine::Average { .. });
    root.chain().any(|primitive| match primitive {
        Primitive::Aggregate(aggregate) => aggregate.columns.iter().any(is_average),
        _ => false,
    })
}

async fn literal<B: Backend>(
    session: &mut Session<B>,
    column: &ColumnDefinition,
    cell: &[u8],
    is_chosen: bool,
) -> Result<String, Failure> {
    match column.column_type {
        MYSQL_TYPE_FLOAT => {
            return Err(refused(
                "A FLOAT of several shards cannot be stored into a variable exactly; CAST it to DOUBLE or DECIMAL",
            ));
        }
        MYSQL_TYPE_BIT => {
            let number = cell.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
            return Ok(format!("CAST({number} AS UNSIGNED)"));
        }
        _ => {}
    }
    let collation = match own_collation(column.column_type).filter(|_| !is_chosen) {
        Some(collation) => collation.to_owned(),
        None => collation_name(session, column.charset).await?,
    };
    let hex: String = cell.iter().map(|byte| format!("{byte:02X}")).collect();
    variable_literal(column, &String::from_utf8_lossy(cell), &hex, &collation)
        .ok_or_else(|| refused("A value of this type cannot be stored into a variable; CAST it"))
}

/// The collation of a variable whose value is told as bytes and is text to the servers: moments are in that of numbers, and
/// MySQL's JSON in one of its own.
fn own_collation(column_type: u8) -> Option<&'static str> {
    match column_type {
        MYSQL_TYPE_TIME | MYSQL_TYPE_DATE | MYSQL_TYPE_DATETIME | MYSQL_TYPE_TIMESTAMP => {
            Some("latin1_swedish_ci")
        }
        MYSQL_TYPE_JSON => Some("utf8mb4_bin"),
        _ => None,
    }
}

async fn collation_name<B: Backend>(session: &mut Session<B>, id: u16) -> Result<String, Failure> {
    let catalog = session.catalog();
    let home = session.home(&catalog)?;
    let sql = format!("SELECT COLLATION_NAME FROM information_schema.COLLATIONS WHERE ID = {id}");
    let answer = session.ask_readably(home, &sql).await?;
    answer.text(0, 0).ok_or_else(|| {
        refused("The collation of a value over several shards is not known; say COLLATE in the select list")
    })
}

fn no_data() -> Answer {
    let mut answer = Answer::of_text(&["Level", "Code", "Message"]);
    answer.push(["Warning", "1329", "No data - zero rows fetched, selected, or processed"]);
    answer
}

fn wrong_count() -> MysqlError {
    let message = "The used SELECT statements have a different number of columns".to_owned();
    MysqlError { number: 1222, sqlstate: *b"21000", message }
}

fn too_many_rows() -> MysqlError {
    let message = "Result consisted of more than one row".to_owned();
    MysqlError { number: 1172, sqlstate: *b"42000", message }
}
