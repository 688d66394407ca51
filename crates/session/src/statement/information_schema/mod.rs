//! SELECT from information_schema, in logical names.
//!
//! Each mention of such a table in the client's query becomes a derived table: the rows that one server has of the
//! tables which represent the logical ones, with logical names in them. What that server does not hold is read from
//! its own first and put in as literals. The query itself runs on the server, so its joins, its functions and its
//! collations are a server's own.
//!
//! ```text
//! SELECT table_name FROM information_schema.tables WHERE table_schema = 'shop'
//! SELECT table_name FROM (SELECT CASE t.`TABLE_SCHEMA` WHEN 'shop_0' THEN 'shop' … FROM information_schema.TABLES AS t
//!     WHERE t.`TABLE_SCHEMA` = 'shop_0' …) AS `tables` WHERE table_schema = 'shop'
//! ```

mod beside;
mod elsewhere;
mod layout;
mod literals;
mod own;
mod shape;
mod sizes;
mod source;
mod words;

use std::sync::Arc;

use serval_catalog::{Catalog, Schema};
use serval_planner::{Plan, PlanError, PlanRequest, SystemReference, system_plan, system_query};
use serval_remote::Backend;
use serval_types::{MysqlError, NodeId};
use serval_wire::packet::ColumnDefinition;

use crate::failure::{Failure, refused};
use crate::literal::identifier;
use crate::session::Session;

use layout::Layout;
use shape::{Scope, Shape};
use words::Words;

/// What all tables of one query have in common.
struct View<'a> {
    catalog: &'a Catalog,
    layout: Layout,
    /// The node that runs the query.
    node: NodeId,
    words: Words,
}

/// One table of information_schema in a query.
struct Source<'a> {
    reference: &'a SystemReference,
    shape: &'static Shape,
    /// The names of all columns that the server's table has.
    all_names: Vec<String>,
    /// The columns that are shown: those that the query can mean.
    columns: Vec<ColumnDefinition>,
}

/// The plan of a query over the servers' own schemas.
pub(crate) async fn plan<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    request: &PlanRequest<'_>,
) -> Result<Arc<Plan>, Failure> {
    let query = match system_query(request) {
        Ok(query) => query,
        Err(PlanError::Refused(reason)) => {
            return Box::pin(beside::plan(session, catalog, request, PlanError::Refused(reason))).await;
        }
        Err(error) => return Err(error.to_mysql().into()),
    };
    let schemas = allowed(session, catalog);
    let home = session.home(catalog)?;
    let layout = Layout::of(catalog, &schemas, home);
    let node = layout.node(catalog, home);
    let view = View { catalog, layout, node, words: Words::of(request.sql, request.options) };
    let (mut texts, mut columns) = (Vec::new(), Vec::new());
    for reference in &query.references {
        let (text, _) = derived(session, &view, reference, &mut columns).await?;
        let alias = if reference.aliased { String::new() } else { identifier(&reference.table) };
        texts.push((reference.name, format!("({text}) {alias}").trim_end().to_owned()));
    }
    let is_mariadb = session.proxy.flavour().is_mariadb();
    texts.extend(query.labels.into_iter().map(|(span, name)| {
        let label = label(&name, &columns, is_mariadb);
        (span, format!("{} AS {}", identifier(&name), identifier(label)))
    }));
    texts.extend(query.prefixes.iter().map(|prefix| (*prefix, String::new())));
    Ok(Arc::new(system_plan(catalog, request, node, texts)))
}

/// The schemas that the session's user may use.
fn allowed<'a, B: Backend>(session: &Session<B>, catalog: &'a Catalog) -> Vec<&'a Schema> {
    let user = catalog.users.get(&session.user);
    catalog.schemas.values().filter(|schema| user.is_some_and(|user| user.may_use(&schema.name))).collect()
}

/// How a server names the result's column: MariaDB as the query writes it, MySQL as its own table has it. Of a derived
/// table the name would depend on whether the server merges it.
fn label<'a>(name: &'a str, columns: &'a [String], is_mariadb: bool) -> &'a str {
    let own = columns.iter().filter(|_| !is_mariadb).find(|own| own.eq_ignore_ascii_case(name));
    own.map_or(name, |own| own)
}

/// The query that stands in the place of one table, and its columns; all that the table has are added to `names`.
async fn derived<B: Backend>(
    session: &mut Session<B>,
    view: &View<'_>,
    reference: &SystemReference,
    names: &mut Vec<String>,
) -> Result<(String, Vec<ColumnDefinition>), Failure> {
    let Some(shape) = shape::of(&reference.schema, &reference.table) else {
        return Err(unknown(session, view, reference).await);
    };
    let name = identifier(&reference.table);
    let sql = format!("SELECT * FROM {}.{name} WHERE FALSE LIMIT 0", reference.schema);
    let columns = session.ask_in_utf8(view.catalog, view.node, &sql).await?.columns;
    let all_names: Vec<String> = columns.iter().map(source::name).collect();
    names.extend_from_slice(&all_names);
    let source = Source { reference, shape, all_names, columns: view.words.wanted(columns) };
    let text = match shape.scope {
        Scope::Server | Scope::Variables => source.of_server(session),
        Scope::Nothing => source.none(),
        Scope::Sessions => own::sessions(session, &source),
        Scope::Grants => own::grants(session, view.catalog, &source),
        Scope::Schemas | Scope::Tables | Scope::Objects | Scope::Checks => {
            let sizes = sizes::of(session, view, &source).await?;
            let mut text = source.of_group(view, view.layout.main, session, &sizes);
            for group in view.layout.other_groups() {
                let rows = elsewhere::rows(session, view, &source, group, &sizes).await?;
                text.push_str(&rows);
            }
            text
        }
    };
    Ok((text, source.columns))
}

/// A table that is not shown: it does not exist, or it describes one server, or it is none of the client's business.
async fn unknown<B: Backend>(
    session: &mut Session<B>,
    view: &View<'_>,
    reference: &SystemReference,
) -> Failure {
    let SystemReference { schema, table, .. } = reference;
    if schema != "information_schema" {
        let message = format!(
            "SELECT command denied to user '{}'@'{}' for table '{table}'",
            session.user, session.host
        );
        // ER_TABLEACCESS_DENIED_ERROR.
        return Failure::Told(MysqlError { number: 1142, sqlstate: *b"42000", message });
    }
    let sql = format!("SELECT * FROM information_schema.{} WHERE FALSE LIMIT 0", identifier(table));
    match session.ask_in_utf8(view.catalog, view.node, &sql).await {
        Err(error) => error,
        Ok(_) => refused(format!(
            "information_schema.{table} describes one server and is not shown through Serval; ask the server directly"
        )),
    }
}
