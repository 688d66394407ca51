//! DROP TABLE of tables that lie on different nodes, where it is not known of all of them that they are there.

use std::sync::Arc;

use serval_planner::{Bound, plan_ddl};
use serval_remote::Backend;
use serval_sql::{Ddl, DdlKind, TableName};
use serval_types::MysqlError;

use super::{execute, meant, refresh, reparsed};
use crate::answer::Outcome;
use crate::failure::Failure;
use crate::literal::identifier;
use crate::session::Session;

/// Whether a DROP that was refused is worth another look.
pub(super) fn may_help(ddl: &Ddl) -> bool {
    ddl.tables.len() > 1 && matches!(ddl.kind, DdlKind::DropTable { if_exists: false, temporary: false })
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
    let (mut known, mut missing) = (Vec::new(), Vec::new());
    for (schema, name) in schemas.iter().zip(&ddl.tables) {
        if is_known(schema, name) {
            known.push(format!("{}.{}", identifier(schema), identifier(&name.table.value)));
        } else {
            missing.push(format!("{schema}.{}", name.table.value));
        }
    }
    if !missing.is_empty() {
        if session.proxy.flavour().is_mariadb() && !known.is_empty() {
            drop_known(session, &known).await?;
        }
        return Err(unknown(&missing).into());
    }
    let bound = plan_ddl(&catalog, session.schema.as_deref(), ddl, text, session.options);
    bound.map_err(|error| error.to_mysql().into())
}

async fn drop_known<B: Backend>(session: &mut Session<B>, names: &[String]) -> Result<(), Failure> {
    let text = format!("DROP TABLE {}", names.join(", "));
    let ddl = reparsed(&text, session.options)?;
    let schemas: Vec<String> =
        ddl.tables.iter().filter_map(|name| Some(name.schema.as_ref()?.value.clone())).collect();
    let catalog = meant(session, &ddl, &schemas);
    let bound = plan_ddl(&catalog, session.schema.as_deref(), &ddl, &text, session.options)
        .map_err(|error| error.to_mysql())?;
    let mut sink = Outcome::new(catalog.settings.memory_per_query);
    let state = session.effective_state();
    execute(session, &mut sink, (&ddl, &schemas), &bound, &Arc::clone(&catalog), state).await.map(|_| ())
}

/// ER_BAD_TABLE_ERROR.
fn unknown(names: &[String]) -> MysqlError {
    let message = format!("Unknown table '{}'", names.join(","));
    MysqlError { number: 1051, sqlstate: *b"42S02", message }
}
