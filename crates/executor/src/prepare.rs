//! What a server says of a statement before it is executed.

use serval_planner::PlanTable;
use serval_planner::primitive::Target;
use serval_remote::{Access, Backend, RemoteError};
use serval_types::GroupId;
use serval_wire::response::Prepared;

use crate::context::Context;
use crate::error::ExecuteError;
use crate::link::{Link, Query};
use crate::names::Names;

/// Prepares a target's statement on its node, and gives the parameters and columns with logical names. The parameters
/// are those of the target's text: [`Target::parameters`] says which of the client's each one is. The statement's
/// number means nothing to a client.
///
/// # Errors
/// [`ExecuteError::Server`] where the server refuses the statement, and [`ExecuteError::Remote`].
pub async fn prepare<B: Backend>(
    target: &Target,
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
) -> Result<Prepared, ExecuteError> {
    let group = context.catalog.node(target.node).group;
    let names = Names::of(context.catalog, tables, target);
    let mut link = link(group, context).await.map_err(|error| names.map_remote(error))?;
    let prepared = link.prepare(&Query { execution: None, ..context.query(target) }).await;
    let closed = link.close(context.transaction).await;
    let mut prepared = prepared.map_err(|error| names.map_remote(error))?;
    closed?;
    prepared.columns.iter_mut().for_each(|column| names.map_column(column));
    Ok(prepared)
}

/// The transaction's connection where the group has joined it, since only that one is sure to be free; a group does
/// not join because of a statement that does not run.
async fn link<B: Backend>(group: GroupId, context: &mut Context<'_, B>) -> Result<Link<B>, RemoteError> {
    if context.transaction.groups().contains(&group) {
        return Link::open(context, group, Access::Primary).await;
    }
    let Context { backend, state, deadline, .. } = context;
    backend.acquire(group, Access::Primary, state, *deadline).await.map(Link::own)
}
