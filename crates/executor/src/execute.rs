//! The way in: which primitive runs how.

use serval_planner::Bound;
use serval_planner::primitive::{Primitive, Route};
use serval_remote::Backend;

use crate::context::{Completed, Context};
use crate::error::ExecuteError;
use crate::sink::ResultSink;
use crate::{relay, rows, spread};

/// Runs a plan and sends its result to `sink`.
///
/// # Errors
/// [`ExecuteError`]. After one the result in the sink may be unfinished, never finished and short.
pub async fn execute<B: Backend, S: ResultSink>(
    bound: &Bound,
    context: &mut Context<'_, B>,
    sink: &mut S,
) -> Result<Completed, ExecuteError> {
    match &bound.root {
        Primitive::Route(Route { targets, replica_safe, hidden: 0 }) if targets.len() == 1 => {
            let access = context.access(*replica_safe);
            relay::run(&targets[0], access, &bound.tables, context, sink).await
        }
        Primitive::Spread(spread) => spread::run(spread, &bound.tables, context, sink).await,
        root => rows::run(root, &bound.tables, context, sink).await,
    }
}
