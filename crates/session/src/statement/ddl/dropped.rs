//! DROP TABLE of tables that lie on different nodes, where it is not known of all of them that they are there.

use serval_planner::{Bound, PlanError, plan_ddl, plan_drop_temporary};
use serval_remote::Backend;
use serval_sql::{Ddl, DdlKind, TableName};
use serval_types::MysqlError;

use super::{execute, meant, refresh, reparsed};
use crate::answer::Outcome;
use crate::failure::Failure;
use crate::literal::identifier;
use crate::session::Session;

/// Whether a DROP that was refused is worth another look.
pub(super) fn may_help(ddl: &Ddl, error: &PlanError) -> bool {
    let several = ddl.tables.len() > 1 || matches!(error, PlanError::UnknownTable { .. });
    several && matches!(ddl.kind, DdlKind::DropTable { if_exists: false, temporary: false })
}

/// Asks the servers which tables there are, and plans the statement anew. Where some are missing MariaDB drops the
/// others and then says so, and MySQL drops none.
///
/// # Errors
/// 1051, and refusals.
pub(super) async fn plan<B: Backend>(
    session: &mut Session<B>,
    text: &str,
    ddl: &Ddl,
    schemas: &[String],
) -> Result<Bound, Failure> {
    refresh(session, &session.base_catalog(), ddl, schemas).await;
    let catalog = meant(session, ddl, schemas);
    let is_known = |schema: &str, name: &TableName| {
        let table = catalog.table(schema, &name.table.value);
        table.is_some_and(|table| table.definition.is_some())
    };
    let (mut temporary, mut known, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for (schema, name) in schemas.iter().zip(&ddl.tables) {
        let qualified = format!("{}.{}", identifier(schema), identifier(&name.table.value));
        if session.temporary.has(schema, &name.table.value) {
            temporary.push(qualified);
        } else if is_known(schema, name) {
            known.push(qualified);
        } else {
            missing.push(format!("{schema}.{}", name.table.value));
        }
    }
    if !missing.is_empty() {
        if session.proxy.flavour().is_mariadb() {
            drop_apart(session, "DROP TABLE", &known).await?;
            drop_apart(session, "DROP TEMPORARY TABLE", &temporary).await?;
        }
        return Err(unknown(&missing).into());
    }
    if !temporary.is_empty() {
        // Others use those of the servers, so what may fail for their sake goes first.
        drop_apart(session, "DROP TABLE", &known).await?;
        let rest = reparsed(&list("DROP TEMPORARY TABLE", &temporary), session.options)?;
        return planned(session, &rest, &list("DROP TEMPORARY TABLE", &temporary));
    }
    planned(session, ddl, text)
}

/// Drops some of the tables with a statement of their own, whose answer nobody gets.
async fn drop_apart<B: Backend>(
    session: &mut Session<B>,
    drop: &str,
    names: &[String],
) -> Result<(), Failure> {
    if names.is_empty() {
        return Ok(());
    }
    let text = list(drop, names);
    let ddl = reparsed(&text, session.options)?;
    let schemas: Vec<String> =
        ddl.tables.iter().filter_map(|name| Some(name.schema.as_ref()?.value.clone())).collect();
    let catalog = meant(session, &ddl, &schemas);
    let bound = planned(session, &ddl, &text)?;
    let mut sink = Outcome::new(catalog.settings.memory_per_query);
    let state = session.effective_state();
    execute(session, &mut sink, (&ddl, &schemas), &bound, &catalog, state).await.map(|_| ())
}

fn list(drop: &str, names: &[String]) -> String {
    format!("{drop} {}", names.join(", "))
}

fn planned<B: Backend>(session: &Session<B>, ddl: &Ddl, text: &str) -> Result<Bound, Failure> {
    let (catalog, schema) = (session.catalog(), session.schema.as_deref());
    let bound = match ddl.kind {
        DdlKind::DropTable { temporary: true, .. } => plan_drop_temporary(&catalog, schema, ddl, text),
        _ => plan_ddl(&catalog, schema, ddl, text, session.options),
    };
    bound.map_err(|error| error.to_mysql().into())
}

/// ER_BAD_TABLE_ERROR.
fn unknown(names: &[String]) -> MysqlError {
    let message = format!("Unknown table '{}'", names.join(","));
    MysqlError { number: 1051, sqlstate: *b"42S02", message }
}
