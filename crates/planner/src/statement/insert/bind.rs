//! Rows of an INSERT to their shards.

use std::collections::BTreeMap;
use std::sync::Arc;

use serval_catalog::Sharding;
use serval_sql::Span;
use serval_types::{NodeId, Value};
use smallvec::SmallVec;

use super::{Edit, Generated, InsertPlan, KeySource, Placing, PlannedRow};
use crate::bound::{Note, PlanTable};
use crate::error::PlanError;
use crate::operand::{Operand, Values, parameters_in};
use crate::physical::render;
use crate::plan::{Plan, SequenceDemand};
use crate::primitive::{GivenNumbers, Primitive, Returning, Route, Spread, Tally, Target};
use crate::statement::routed::in_group_order;

/// A row with the number that the sequence gives it.
type NumberedRow<'a> = (&'a PlannedRow, Option<u64>);

impl InsertPlan {
    /// Whether any row's sharding value is the statement's instant, or the copies of a row must agree on it.
    pub(crate) fn needs_now(&self) -> bool {
        matches!(self.placing, Placing::Copies(_))
            || self
                .rows
                .iter()
                .any(|row| row.keys.iter().any(|key| matches!(key, KeySource::Operand(Operand::Now))))
    }

    /// How many numbers the rows need, and the largest that they bring.
    pub(crate) fn sequence_demand(
        &self,
        tables: &[PlanTable],
        values: &Values<'_>,
    ) -> Result<Option<SequenceDemand>, PlanError> {
        let Some(target) = tables.first().filter(|target| target.table.sequence.is_some()) else {
            return Ok(None);
        };
        let mut count = 0;
        let mut explicit = None;
        for row in &self.rows {
            match given(row, values)? {
                None => count += 1,
                Some(number) => explicit = explicit.max(Some(number)),
            }
        }
        let (schema, table) = (target.schema.clone(), Arc::clone(&target.table));
        let (rows, conditional) = (self.rows.len(), self.conditional);
        let last = match self.rows.last() {
            Some(row) => given(row, values)?.and_then(|_| reported(row, values)),
            None => None,
        };
        Ok((rows > 0).then_some(SequenceDemand { schema, table, count, explicit, last, rows, conditional }))
    }

    /// All rows for one node; see [`Plan::sample`].
    pub(crate) fn sample(&self, plan: &Plan, values: &Values<'_>) -> Target {
        // A value that is added needs some number to have its column, which is a parameter as in executions; one that
        // stands in the text stays.
        let values = &Values { numbers_from: Some(0), ..*values };
        let number = |row: &PlannedRow| matches!(row.generated, Generated::Append(_)).then_some(0);
        let rows: Vec<NumberedRow<'_>> = self.rows.iter().map(|row| (row, number(row))).collect();
        let (node, shard) = match &self.placing {
            Placing::ByKey(sharding) => (sharding.shards[0].node, Some(0)),
            Placing::Copies(nodes) => (nodes[0], None),
        };
        self.target(plan, values, node, shard, &rows)
    }

    /// The rows of each shard as one statement for it.
    pub(crate) fn bind(
        &self,
        plan: &Plan,
        values: &Values<'_>,
        sequence_start: Option<u64>,
    ) -> Result<(Primitive, Arc<[Note]>), PlanError> {
        let mut next = sequence_start;
        let mut rows = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            rows.push((row, self.generated_number(row, values, &mut next)?));
        }
        let (mut targets, tally, shards) = match &self.placing {
            Placing::ByKey(sharding) => {
                let (targets, shards) = self.by_key(plan, values, sharding, rows)?;
                (targets, Tally::Sum, shards)
            }
            Placing::Copies(_) if let Some(place) = plan.place() => return Err(place.copies()),
            Placing::Copies(nodes) => {
                let copy = |node: &NodeId| self.target(plan, values, *node, None, &rows);
                (nodes.iter().map(copy).collect(), Tally::First, Vec::new())
            }
        };
        in_group_order(plan, &mut targets);
        let numbers = self.unsure(plan, sequence_start, next);
        if targets.len() == 1 && numbers.is_none() {
            let route = Route { targets, replica_safe: false, hidden: 0 };
            return Ok((Primitive::Route(route), Arc::new([])));
        }
        if tally == Tally::Sum && !self.splittable {
            return Err(PlanError::refused(
                "The rows of this INSERT cannot be told apart; insert them one by one",
            ));
        }
        let reason = match targets.len() {
            1 => "rows may be left out, so the target is asked which numbers it stored".to_owned(),
            several => format!("the rows go to {several} targets; all of them or none"),
        };
        let note = Note { rewrite: "split_rows", reason };
        // Of copies the first one's rows are as good as any other's.
        let target_of = |shard: &usize| targets.iter().position(|target| target.shard == Some(*shard));
        let rows = match tally {
            Tally::First => Vec::new(),
            _ => shards.iter().map(|shard| target_of(shard).unwrap_or_default()).collect(),
        };
        let spread = Spread { targets, tally, rows, numbers };
        let root = if self.returning {
            Primitive::Returning(Returning { spread })
        } else {
            Primitive::Spread(spread)
        };
        Ok((root, Arc::new([note])))
    }

    /// The numbers from `start` to before `end` that the sequence gave, where several rows may be left out or change
    /// others; of a single one the server's own answer says so.
    fn unsure(&self, plan: &Plan, start: Option<u64>, end: Option<u64>) -> Option<GivenNumbers> {
        let (first, last) = (start?, end?.checked_sub(1)?);
        let unsure = self.conditional && self.rows.len() > 1 && first <= last;
        let sequence = plan.tables.first().filter(|_| unsure)?.table.sequence.as_ref()?;
        Some(GivenNumbers { column: sequence.column.clone(), first, last })
    }

    /// The rows of each shard, and the shard of each row.
    fn by_key(
        &self,
        plan: &Plan,
        values: &Values<'_>,
        sharding: &Sharding,
        rows: Vec<NumberedRow<'_>>,
    ) -> Result<(Vec<Target>, Vec<usize>), PlanError> {
        let mut of_rows = Vec::with_capacity(rows.len());
        let mut shards: BTreeMap<usize, Vec<NumberedRow<'_>>> = BTreeMap::new();
        for (at, (row, number)) in rows.into_iter().enumerate() {
            let shard = self.shard_of(sharding, row, (at, number), values)?;
            if let Some(place) = plan.place() {
                place.admits(sharding, shard)?;
            }
            of_rows.push(shard);
            shards.entry(shard).or_default().push((row, number));
        }
        let target = |(&shard, rows): (&usize, &Vec<NumberedRow<'_>>)| {
            self.target(plan, values, sharding.shards[shard].node, Some(shard), rows)
        };
        Ok((shards.iter().map(target).collect(), of_rows))
    }

    /// The shard that a row's own values say.
    pub(super) fn shard_of_keys(
        &self,
        sharding: &Sharding,
        row: &PlannedRow,
        number: Option<u64>,
        values: &Values<'_>,
    ) -> Result<usize, PlanError> {
        let keys = row.keys.iter().map(|key| match (key, number) {
            (KeySource::Operand(operand), _) => operand.value(values),
            (KeySource::Generated, Some(number)) => number_value(number),
            (KeySource::Generated, None) => explicit_value(row, values),
        });
        let keys: SmallVec<[Value; 1]> = keys.collect();
        let unknown = keys.iter().zip(&sharding.columns).find(|(key, _)| !values.is_known(key));
        if let Some((_, column)) = unknown {
            return Err(PlanError::refused(format!(
                "The value of the sharding column {} is not in UTF-8, so its shard is not known; SET NAMES utf8mb4 \
                 first",
                column.name
            )));
        }
        Ok(sharding.shard_for_row_in(&keys, values.zone)?)
    }

    /// The number that the sequence gives the row; `None` where the row brings its own or the table has none.
    pub(super) fn generated_number(
        &self,
        row: &PlannedRow,
        values: &Values<'_>,
        next: &mut Option<u64>,
    ) -> Result<Option<u64>, PlanError> {
        if matches!(row.generated, Generated::Never) || given(row, values)?.is_some() {
            return Ok(None);
        }
        if row.reads {
            // One server makes the number behind all values, and those that name the column read NULL or 0.
            return Err(PlanError::refused(
                "A value that reads the AUTO_INCREMENT column would read the new number, and one server has none yet; write what \
                 it reads",
            ));
        }
        let number = next.ok_or_else(|| PlanError::refused("No sequence is available for this table"))?;
        *next = number.checked_add(1);
        Ok(Some(number))
    }

    fn target(
        &self,
        plan: &Plan,
        values: &Values<'_>,
        node: NodeId,
        shard: Option<usize>,
        rows: &[NumberedRow<'_>],
    ) -> Target {
        let out = Vec::with_capacity(values.sql.len() + 64);
        let parameters = Vec::new();
        let mut writer = Writer { insert: self, plan, values, node, shard, out, parameters };
        let end = u32::try_from(values.sql.len()).unwrap_or(u32::MAX);
        match (self.rows.first().and_then(|row| row.span), self.rows.last().and_then(|row| row.span)) {
            (Some(first), Some(last)) => {
                writer.outside(Span::new(0, first.span(values.scan).start));
                for (index, (row, number)) in rows.iter().enumerate() {
                    if index > 0 {
                        writer.out.extend_from_slice(b", ");
                    }
                    writer.row(row, *number);
                }
                writer.outside(Span::new(last.span(values.scan).end, end));
            }
            _ => writer.assignments(end, rows),
        }
        Target { node, shard, sql: writer.out, parameters: writer.parameters }
    }
}

/// The number that a row brings for the sequence's column; `None` where one must be generated.
fn given(row: &PlannedRow, values: &Values<'_>) -> Result<Option<u64>, PlanError> {
    let Generated::Cell(_, operand) = &row.generated else { return Ok(None) };
    let zero = values.options.no_auto_value_on_zero.then_some(0);
    match operand.value(values) {
        Value::Null => Ok(None),
        Value::Int(0) | Value::UInt(0) => Ok(zero),
        Value::Int(number) => Ok(Some(u64::try_from(number).unwrap_or(0))),
        Value::UInt(number) => Ok(Some(number)),
        Value::Text(digits) => {
            match std::str::from_utf8(&digits).ok().and_then(|digits| digits.trim().parse().ok()) {
                Some(0_u64) => Ok(zero),
                Some(number) => Ok(Some(number)),
                None => Err(not_a_number()),
            }
        }
        _ => Err(not_a_number()),
    }
}

/// The number that a row brings, as a server reports it.
fn reported(row: &PlannedRow, values: &Values<'_>) -> Option<u64> {
    match explicit_value(row, values) {
        Value::Int(number) => Some(number.cast_unsigned()),
        Value::UInt(number) => Some(number),
        Value::Text(digits) => std::str::from_utf8(&digits).ok()?.trim().parse().ok(),
        _ => None,
    }
}

fn not_a_number() -> PlanError {
    PlanError::refused("The value of an AUTO_INCREMENT column of a sharded table must be an integer")
}

/// The sharding value that the row itself brings.
pub(super) fn explicit_value(row: &PlannedRow, values: &Values<'_>) -> Value {
    match &row.generated {
        Generated::Cell(_, operand) => operand.value(values),
        Generated::Never | Generated::Append(_) => Value::Null,
    }
}

fn number_value(number: u64) -> Value {
    i64::try_from(number).map_or(Value::UInt(number), Value::Int)
}

/// Writes one shard's statement.
struct Writer<'a> {
    insert: &'a InsertPlan,
    plan: &'a Plan,
    values: &'a Values<'a>,
    node: NodeId,
    shard: Option<usize>,
    out: Vec<u8>,
    /// The parameters of the text so far, in order.
    parameters: Vec<u16>,
}

impl Writer<'_> {
    /// Text outside the rows, with its edits made.
    fn outside(&mut self, span: Span) {
        let scan = self.values.scan;
        let mut done = span.start;
        let mut edits: Vec<(Span, &Edit)> =
            self.insert.edits.iter().map(|(at, edit)| (at.span(scan), edit)).collect();
        edits.retain(|(at, _)| span.covers(*at));
        edits.sort_by_key(|(at, _)| at.start);
        for (at, edit) in edits {
            self.copy(Span::new(done, at.start));
            self.edit(edit);
            done = at.end;
        }
        self.copy(Span::new(done, span.end));
    }

    fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Text(text) => self.out.extend_from_slice(text.as_bytes()),
            Edit::Name(slot) => {
                let Some(name) = self.insert.names.get(usize::from(*slot)) else { return };
                let table = &self.plan.tables[name.reference];
                render(name, table, self.shard, self.node, &self.plan.catalog, &mut self.out);
            }
        }
    }

    fn row(&mut self, row: &PlannedRow, number: Option<u64>) {
        let Some(span) = row.span.map(|span| span.span(self.values.scan)) else { return };
        let (at, lead, number) = match (&row.generated, number) {
            (Generated::Append(at), Some(number)) => (at.span(self.values.scan), ", ", number),
            (Generated::Cell(at, _), Some(number)) => (at.span(self.values.scan), "", number),
            _ => return self.copy(span),
        };
        self.copy(Span::new(span.start, at.start));
        self.out.extend_from_slice(lead.as_bytes());
        self.number(number);
        self.copy(Span::new(at.end, span.end));
    }

    /// INSERT … SET: the whole text, with the generated number assigned.
    fn assignments(&mut self, end: u32, rows: &[NumberedRow<'_>]) {
        let Some((row, Some(number))) = rows.first() else { return self.outside(Span::new(0, end)) };
        let (place, lead) = match &row.generated {
            Generated::Append(at) => (at.span(self.values.scan), self.assignment()),
            Generated::Cell(at, _) => (at.span(self.values.scan), Vec::new()),
            Generated::Never => return self.outside(Span::new(0, end)),
        };
        self.outside(Span::new(0, place.start));
        self.out.extend_from_slice(&lead);
        self.number(*number);
        self.outside(Span::new(place.end, end));
    }

    /// `, column = `.
    fn assignment(&self) -> Vec<u8> {
        let mut text = b", ".to_vec();
        if let Some(sequence) = &self.plan.tables[0].table.sequence {
            crate::physical::quote(&sequence.column, &mut text);
        }
        text.extend_from_slice(b" = ");
        text
    }

    /// A number of the sequence: a parameter behind all of the client's, or a literal.
    fn number(&mut self, number: u64) {
        let before = self.values.numbers_from.and_then(|from| number.checked_sub(from));
        let clients = self.values.scan.parameter_count() as u64;
        match before.and_then(|before| u16::try_from(before + clients).ok()) {
            Some(parameter) => {
                self.out.push(b'?');
                self.parameters.push(parameter);
            }
            None => self.out.extend_from_slice(number.to_string().as_bytes()),
        }
    }

    fn copy(&mut self, span: Span) {
        self.out.extend_from_slice(span.of(self.values.sql));
        self.parameters.extend(parameters_in(self.values.scan.holes_in(span)));
    }
}
