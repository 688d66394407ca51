//! SHOW CREATE of views, routines, triggers and events.

use serval_catalog::Placement;
use serval_remote::Backend;
use serval_sql::{StoredObject, TableName};
use serval_types::NodeId;

use super::account::Accounts;
use super::create::rename_databases;
use crate::answer::Answer;
use crate::failure::{Failure, refused, unknown_schema, unknown_table};
use crate::literal::{identifier, quote};
use crate::session::{Session, is_system_schema};
use crate::statement::stored::trigger_nodes;

/// The definition of an object, in logical names.
pub(super) async fn rows<B: Backend>(
    session: &mut Session<B>,
    object: StoredObject,
    name: &TableName,
) -> Result<Answer, Failure> {
    let named = name.schema.as_ref().map(|schema| schema.value.as_str());
    let schema = session.schema_or_current(named)?;
    if is_system_schema(&schema) {
        return Err(refused("Definitions of the servers' own schemas are not shown through Serval"));
    }
    let node = node(session, &schema, object, &name.table.value).await?;
    let sql = format!("SHOW CREATE {} {}", object.word(), identifier(&name.table.value));
    let catalog = session.catalog();
    let mut answer = session.ask(node, &sql).await?;
    let accounts = Accounts::of(session, node).await?;
    let database = &catalog.node(node).database;
    for cell in answer.rows.iter_mut().flatten().flatten() {
        let Ok(text) = std::str::from_utf8(cell) else { continue };
        if !text.starts_with("CREATE ") {
            continue;
        }
        let shown = accounts.in_definition(text);
        // Only a view's text is the server's own; a body is the client's.
        let shown =
            if object == StoredObject::View { rename_databases(&shown, database, &schema) } else { shown };
        *cell = shown.into_bytes();
    }
    Ok(answer)
}

async fn node<B: Backend>(
    session: &mut Session<B>,
    schema_name: &str,
    object: StoredObject,
    name: &str,
) -> Result<NodeId, Failure> {
    let catalog = session.catalog();
    let kind = if session.proxy.flavour().is_mariadb() { "of type 'VIEW'" } else { "VIEW" };
    let schema = catalog.schema(schema_name).ok_or_else(|| unknown_schema(schema_name))?;
    if object == StoredObject::View
        && let Some(table) = schema.table(name)
    {
        return match &table.placement {
            Placement::Node(node) => Ok(*node),
            // ER_WRONG_OBJECT.
            Placement::Global(_) | Placement::Sharded(_) => Err(Failure::Told(serval_types::MysqlError {
                number: 1347,
                sqlstate: *b"HY000",
                message: format!("'{schema_name}.{name}' is not {kind}"),
            })),
        };
    }
    if object == StoredObject::Trigger {
        let nodes = trigger_nodes(schema);
        for node in nodes.iter().copied().filter(|_| nodes.len() > 1) {
            let database = quote(catalog.node(node).database.as_bytes(), "utf8mb4");
            let name = quote(name.as_bytes(), "utf8mb4");
            let sql = format!(
                "SELECT 1 FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = {database} AND TRIGGER_NAME = {name}"
            );
            if !session.ask(node, &sql).await?.rows.is_empty() {
                return Ok(node);
            }
        }
    }
    schema.default_node.ok_or_else(|| Failure::Told(unknown_table(schema_name, name)))
}
