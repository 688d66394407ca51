//! The query of a view.

use serval_catalog::Placement;
use serval_planner::primitive::{Primitive, Route};
use serval_planner::{BindRequest, PlanError, PlanRequest};
use serval_remote::Backend;
use serval_sql::{Edit, Span};

use super::body;
use super::place::Place;
use crate::failure::{Failure, refused};
use crate::session::{Session, rescan};

/// The query with the names that it has on the view's node.
pub(super) async fn edit<B: Backend>(
    session: &mut Session<B>,
    text: &str,
    query: Span,
    place: &Place,
) -> Result<Edit, Failure> {
    let sql = query.text(text);
    body::refuse_identity(session, sql, "A view")?;
    if session.schema.as_deref() != Some(&place.schema) {
        return Err(refused(format!(
            "A view of another schema than the current one is not supported; USE {} first",
            place.schema
        )));
    }
    let catalog = session.catalog();
    let scan = rescan(sql.as_bytes(), session.options)?;
    let request = PlanRequest {
        sql: sql.as_bytes(),
        scan: &scan,
        schema: Some(&place.schema),
        options: session.options,
    };
    let plan = session.proxy.planner.plan(&catalog, &request).map_err(|error| match error {
        PlanError::SystemSchema(schema) => refused(format!(
            "A view of tables of {schema} would show the server's own names; query them directly"
        )),
        error => Failure::Told(error.to_mysql()),
    })?;
    for table in plan.tables() {
        let beside = matches!(table.table.placement, Placement::Node(node) if node == place.node);
        if !beside || table.schema != place.schema {
            return Err(refused(format!(
                "A view can only be of tables that lie on its own data node alone, which {} does not",
                table.table.name
            )));
        }
    }
    let values = BindRequest { ..BindRequest::of(sql.as_bytes(), &scan) };
    let bound = plan.bind(&values).map_err(|error| error.to_mysql())?;
    match bound.root {
        Primitive::Route(Route { targets, .. }) if targets.len() == 1 => {
            let sql = targets.into_iter().next().map(|target| target.sql).unwrap_or_default();
            Ok(Edit { at: query, text: String::from_utf8_lossy(&sql).into_owned() })
        }
        _ => Err(refused("A view over several data nodes is not supported; query the tables directly")),
    }
}
