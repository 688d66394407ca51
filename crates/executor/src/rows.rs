//! Drives a tree of operators: awaits what they wait for, and hands rows to the client.

use std::time::Instant;

use serval_planner::PlanTable;
use serval_planner::primitive::{Primitive, Route};
use serval_remote::Backend;
use serval_wire::packet::ColumnDefinition;

use crate::context::{Behind, Completed, Context};
use crate::error::ExecuteError;
use crate::names::Names;
use crate::operator::{Operator, Shape, Step};
use crate::sink::{End, ResultSink};
use crate::stream::{Input, Lanes};

/// Runs a tree that ends in rows.
pub(crate) async fn run<B: Backend, S: ResultSink>(
    root: &Primitive,
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
    sink: &mut S,
) -> Result<Completed, ExecuteError> {
    let route = leaf(root)?;
    let mut lanes = Lanes::new(route, tables, context);
    let begun = Instant::now();
    let result = match lanes.open(context).await {
        Ok(()) => drive(root, (route, begun), tables, &mut lanes, context, sink).await,
        Err(error) => Err(error),
    };
    let client_gone = matches!(result, Err(ExecuteError::Client(_)));
    let closed = lanes.close(context.transaction, client_gone).await;
    let completed = result?;
    closed?;
    Ok(completed)
}

/// The route that a tree reads from.
fn leaf(root: &Primitive) -> Result<&Route, ExecuteError> {
    let route = root.route().ok_or_else(|| ExecuteError::refused("The plan reads rows from a write"))?;
    if route.targets.is_empty() {
        return Err(ExecuteError::refused("The plan names no node to ask"));
    }
    Ok(route)
}

async fn drive<B: Backend, S: ResultSink>(
    root: &Primitive,
    (route, begun): (&Route, Instant),
    tables: &[PlanTable],
    lanes: &mut Lanes<'_, B>,
    context: &Context<'_, B>,
    sink: &mut S,
) -> Result<Completed, ExecuteError> {
    let nodes = route.targets.iter().map(|target| &*context.catalog.node(target.node).name);
    let mut input = Input::new(nodes, context.encoding(), context.memory_limit);
    await_columns(root, lanes, &mut input).await?;
    let columns = logical(input.columns(), &Names::of(context.catalog, tables, &route.targets[0]));
    let mut counters = context.watch.map(|_| Vec::new());
    let leaf = Shape { columns, hidden: route.hidden, encoding: context.encoding() };
    let (mut operator, shape) = Operator::build(root, leaf, &mut counters)?;
    sink.columns(&shape.columns).await?;
    let mut rows = 0;
    loop {
        match operator.next(&mut input)? {
            Step::Row(row) => {
                sink.row(&row).await?;
                rows += 1;
            }
            Step::Wait(stream) => lanes.fill(stream, &mut input).await?,
            Step::End => break,
        }
    }
    if let Some(watch) = context.watch {
        watch.streams(&input, begun, &counters.unwrap_or_default());
    }
    let (warnings, messages) = lanes.warnings().await;
    let behind = (warnings > 0).then(|| Box::new(Behind::of_warnings(messages)));
    sink.end(End { warnings, ..End::default() }).await?;
    Ok(Completed { warnings, rows, found_rows: operator.found_rows(), behind, ..Completed::default() })
}

/// Waits for the columns of all streams where all must be open at once, or else of those that are running: the
/// others are checked when their turn comes.
async fn await_columns<B: Backend>(
    root: &Primitive,
    lanes: &mut Lanes<'_, B>,
    input: &mut Input,
) -> Result<(), ExecuteError> {
    let streams = if matches!(root.bottom(), Primitive::MergeSort(_)) {
        (0..input.len()).collect()
    } else {
        lanes.running()
    };
    for stream in streams {
        while !input.has_columns(stream)? {
            lanes.fill(stream, input).await?;
        }
    }
    Ok(())
}

fn logical(mut columns: Vec<ColumnDefinition>, names: &Names<'_>) -> Vec<ColumnDefinition> {
    columns.iter_mut().for_each(|column| names.map_column(column));
    columns
}
