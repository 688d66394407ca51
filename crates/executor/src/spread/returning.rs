//! RETURNING on several nodes: the rows of all; those of an INSERT in the order of the statement's own.

use std::collections::VecDeque;

use bytes::Bytes;
use serval_planner::PlanTable;
use serval_planner::primitive::{Returning, Tally, Target};
use serval_remote::Backend;
use serval_wire::packet::{ColumnDefinition, OkPacket};
use serval_wire::response::{Part, PartDecoder};

use super::warnings::{Places, Warnings};
use super::{atomic, links::Links, stored};
use crate::context::{Behind, Completed, Context};
use crate::error::ExecuteError;
use crate::names::Names;
use crate::sink::{End, ResultSink};

/// Runs the write, and passes its rows on when all targets have given theirs: until then it may still fail.
pub(crate) async fn run<B: Backend, S: ResultSink>(
    returning: &Returning,
    tables: &[PlanTable],
    context: &mut Context<'_, B>,
    sink: &mut S,
) -> Result<Completed, ExecuteError> {
    let given = atomic(&returning.spread, context, async |context, links| {
        let mut given = Given::default();
        for (at, target) in returning.spread.targets.iter().enumerate() {
            let places = Places::of(&returning.spread.rows, at);
            let warnings = match given.take(target, tables, context, links).await {
                Err(ExecuteError::Server(error)) => {
                    return Err(ExecuteError::Server(places.renumber(error)));
                }
                taken => taken?,
            };
            // Copies warn of the same.
            if warnings > 0 && (at == 0 || returning.spread.tally != Tally::First) {
                given.warnings = given.warnings.saturating_add(warnings);
                links.warnings(target, tables, context, places, &mut given.messages).await?;
            }
            if let Some(numbers) = &returning.spread.numbers {
                let found = stored::first(numbers, target, tables, context, links).await?;
                given.stored = given.stored.into_iter().chain(found).min();
            }
        }
        given.in_order(returning)
    });
    let given = given.await?;
    let warnings = given.warnings;
    let behind = (warnings > 0).then(|| Box::new(Behind::of_warnings(given.messages.into_rows())));
    if given.columns.is_empty() {
        // MariaDB answers DELETE … RETURNING with OK where it has seen beforehand that no row can match.
        sink.ok(&OkPacket { warnings, ..OkPacket::default() }).await?;
        return Ok(Completed { warnings, behind, ..Completed::default() });
    }
    sink.columns(&given.columns).await?;
    for row in &given.ordered {
        sink.row(row).await?;
    }
    sink.end(End { warnings, ..End::default() }).await?;
    let rows = given.ordered.len() as u64;
    let last_insert_id = given.stored.unwrap_or_default();
    Ok(Completed { affected_rows: rows, last_insert_id, warnings, rows, behind, ..Completed::default() })
}

/// What the targets have given so far.
#[derive(Debug, Default)]
struct Given {
    columns: Vec<ColumnDefinition>,
    /// By target.
    rows: Vec<VecDeque<Bytes>>,
    ordered: Vec<Bytes>,
    bytes: usize,
    /// The smallest number of a sequence that was stored.
    stored: Option<u64>,
    warnings: u16,
    messages: Warnings,
}

impl Given {
    /// Runs one target's part; how many warnings it left.
    async fn take<B: Backend>(
        &mut self,
        target: &Target,
        tables: &[PlanTable],
        context: &mut Context<'_, B>,
        links: &mut Links<B>,
    ) -> Result<u16, ExecuteError> {
        let (limit, mut decoder) = (context.memory_limit, PartDecoder::new(true));
        let mut rows = VecDeque::new();
        let mut held = self.bytes;
        let mut columns = None;
        let each = |bytes: Bytes| {
            decoder.push(bytes);
            let malformed = |source| ExecuteError::Malformed { from: "a node".to_owned(), source };
            while let Some(part) = decoder.next().map_err(malformed)? {
                match part {
                    Part::Columns(found) => columns = Some(found),
                    Part::Row(row) => {
                        held += row.len();
                        if held > limit {
                            return Err(ExecuteError::Memory { limit });
                        }
                        rows.push_back(row);
                    }
                    Part::End(_) | Part::Ok(_) | Part::Err(_) | Part::LocalInfile(_) => {}
                }
            }
            Ok(())
        };
        let completion = links.run_with_rows(target, tables, context, each).await?;
        self.bytes = held;
        self.rows.push(rows);
        if self.columns.is_empty() {
            let names = Names::of(context.catalog, tables, target);
            self.columns = columns.unwrap_or_default();
            self.columns.iter_mut().for_each(|column| names.map_column(column));
        }
        Ok(completion.warnings)
    }

    /// The rows as the statement has them.
    fn in_order(mut self, returning: &Returning) -> Result<Self, ExecuteError> {
        if returning.spread.tally == Tally::First {
            self.ordered = self.rows.first_mut().map(std::mem::take).unwrap_or_default().into();
            return Ok(self);
        }
        let order = &returning.spread.rows;
        if order.is_empty() || self.rows.len() == 1 {
            self.ordered = self.rows.drain(..).flatten().collect();
            return Ok(self);
        }
        let next = |target: &usize| self.rows.get_mut(*target).and_then(VecDeque::pop_front);
        let ordered: Vec<Bytes> = order.iter().filter_map(next).collect();
        if ordered.len() != order.len() {
            // IGNORE left rows out, and which they were is not known.
            return Err(ExecuteError::refused(
                "INSERT IGNORE … RETURNING of rows for several shards left rows out, so their order is not known; \
                 nothing was inserted; insert the rows one by one",
            ));
        }
        self.ordered = ordered;
        Ok(self)
    }
}
