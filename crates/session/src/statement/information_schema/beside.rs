//! Tables of information_schema beside others: their rows are gathered like any other table's.

use std::sync::Arc;

use serval_catalog::{Catalog, DescribedTable};
use serval_planner::{Plan, PlanError, PlanRequest, system_tables};
use serval_remote::Backend;

use super::layout::Layout;
use super::words::Words;
use super::{View, allowed, derived};
use crate::failure::Failure;
use crate::session::{Session, describe_columns, fresh_overlay};

/// The plan of such a query; `refusal` where there is no scratch server.
pub(super) async fn plan<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    request: &PlanRequest<'_>,
    refusal: PlanError,
) -> Result<Arc<Plan>, Failure> {
    let found = system_tables(request).ok().filter(|_| catalog.scratch.is_some());
    let Some(references) = found else { return Err(refusal.to_mysql().into()) };
    let schemas = allowed(session, catalog);
    let home = session.home(catalog)?;
    let layout = Layout::of(catalog, &schemas, home);
    let node = layout.node(catalog, home);
    let view = View { catalog, layout, node, words: Words::of(request.sql, request.options) };
    let mut described: Vec<DescribedTable> = Vec::new();
    for reference in &references {
        if described.iter().any(|known| known.definition.name.eq_ignore_ascii_case(&reference.table)) {
            continue;
        }
        let (text, columns) = derived(session, &view, reference, &mut Vec::new()).await?;
        let mut definition =
            describe_columns(session, catalog, node, "information_schema", &reference.table).await?;
        // As result columns tell it.
        definition.name.make_ascii_uppercase();
        let names: Vec<String> = columns.iter().map(super::source::name).collect();
        definition.columns.retain(|column| names.iter().any(|name| name.eq_ignore_ascii_case(&column.name)));
        let schema = "information_schema".to_owned();
        described.push(DescribedTable { schema, definition, node, derived: Some(text), held: None });
    }
    let catalog = fresh_overlay(session, catalog, described);
    session.proxy.planner.plan(&catalog, request).map_err(|error| error.to_mysql().into())
}
