//! Statements of one text that is routed by its predicates: SELECT, UPDATE, DELETE.

use std::sync::Arc;

use serval_catalog::{Placement, Sharding};
use serval_sql::{Piece, Template};
use serval_types::{NodeId, Value};
use smallvec::SmallVec;

use crate::bound::Note;
use crate::destination::{Destination, Resolved, Shards};
use crate::error::PlanError;
use crate::operand::{Operand, Values, parameters_in};
use crate::physical::{NameSlot, render};
use crate::plan::Plan;
use crate::primitive::{
    Aggregate, Cut, Filter, Limit, MergeSort, Primitive, Returning, Rollup, Route, Sort, Spread, Tally,
    Target,
};
use crate::rewrite::{Finished, LIMIT_SLOT, Stage};

/// A statement's text with its table names open, and what becomes of it on one or several shards.
#[derive(Debug)]
pub(crate) struct RoutedPlan {
    pub(crate) destination: Destination,
    /// The text for a single target.
    pub(crate) single: Template,
    pub(crate) names: Vec<NameSlot>,
    pub(crate) several: Several,
    /// SQL_CALC_FOUND_ROWS: rows that LIMIT leaves out are counted too.
    pub(crate) counts_all: bool,
    /// A replica may answer.
    pub(crate) replica_safe: bool,
    /// What a single route says of itself.
    pub(crate) single_notes: Arc<[Note]>,
}

/// What happens where several shards are reached.
#[derive(Debug)]
pub(crate) enum Several {
    /// A SELECT's nodes get this text, and these primitives stand above the route.
    Read {
        /// The nodes' text.
        template: Template,
        /// The primitives, innermost first.
        stages: Vec<Stage>,
        /// Hidden columns at the end of each row.
        hidden: usize,
        /// What fired.
        notes: Arc<[Note]>,
    },
    /// A write goes to each shard as it is.
    Write,
    /// So does one that gives rows.
    WriteReturning,
    /// A write goes to every copy of a global table.
    Copies(Vec<NodeId>),
    /// So does one that gives rows, which every copy gives.
    CopiesReturning(Vec<NodeId>),
    /// It cannot be done; the text says what to do instead.
    Refused(String),
}

impl Several {
    /// A SELECT whose operators have all been placed.
    pub(crate) fn read(template: Template, finished: Finished) -> Self {
        Self::Read {
            template,
            stages: finished.stages,
            hidden: finished.hidden,
            notes: finished.notes.into(),
        }
    }
}

impl RoutedPlan {
    pub(crate) fn writes(&self) -> bool {
        !matches!(self.several, Several::Read { .. } | Several::Refused(_)) || !self.replica_safe
    }

    pub(crate) fn bind(
        &self,
        plan: &Plan,
        values: &Values<'_>,
    ) -> Result<(Primitive, Arc<[Note]>), PlanError> {
        if let Several::Copies(nodes) | Several::CopiesReturning(nodes) = &self.several {
            if let Some(place) = plan.place() {
                return Err(place.copies());
            }
            return Ok((self.copies(plan, values, nodes), Arc::clone(&self.single_notes)));
        }
        match self.destination.resolve(values, &plan.catalog, plan.place())? {
            Resolved::One { node, shards } => {
                let target = self.target(plan, values, &self.single, node, &shards, None);
                Ok((self.route(vec![target], 0), Arc::clone(&self.single_notes)))
            }
            Resolved::Many(set) => self.many(plan, values, set.iter()),
        }
    }

    /// The nodes of which any can answer, the statement being a read that locks nothing and changes nothing.
    pub(crate) fn copies_to_read(&self) -> Option<&[NodeId]> {
        let reads = matches!(self.several, Several::Read { .. } | Several::Refused(_)) && self.replica_safe;
        self.destination.copies().filter(|_| reads)
    }

    /// The text for one node; see [`Plan::sample`].
    pub(crate) fn sample(&self, plan: &Plan, values: &Values<'_>) -> Result<Target, PlanError> {
        let (first, shards) = self.destination.any()?;
        let chosen = values.copy.filter(|node| self.copies_to_read().is_some_and(|all| all.contains(node)));
        let node = chosen.unwrap_or(first);
        Ok(self.target(plan, values, &self.single, node, &shards, None))
    }

    fn many(
        &self,
        plan: &Plan,
        values: &Values<'_>,
        shards: impl Iterator<Item = usize>,
    ) -> Result<(Primitive, Arc<[Note]>), PlanError> {
        let sharding =
            self.destination.sharding().ok_or_else(|| PlanError::refused("No table is sharded"))?;
        match &self.several {
            Several::Read { template, stages, hidden, notes } => {
                let window = window(stages, values)?;
                let targets = self.targets(plan, values, sharding, template, shards, Some(window))?;
                let route = self.route_of(targets, *hidden);
                let root = raise(route, stages, *hidden, (window, self.counts_all), values)?;
                Ok((root, Arc::clone(notes)))
            }
            Several::WriteReturning => {
                let targets = self.targets(plan, values, sharding, &self.single, shards, None)?;
                let spread = Spread::new(targets, Tally::Sum);
                let root = Primitive::Returning(Returning { spread });
                Ok((root, Arc::clone(&self.single_notes)))
            }
            Several::Write | Several::Copies(_) | Several::CopiesReturning(_) => {
                let targets = self.targets(plan, values, sharding, &self.single, shards, None)?;
                Ok((Primitive::Spread(Spread::new(targets, Tally::Sum)), Arc::clone(&self.single_notes)))
            }
            Several::Refused(reason) => Err(PlanError::refused(reason)),
        }
    }

    fn copies(&self, plan: &Plan, values: &Values<'_>, nodes: &[NodeId]) -> Primitive {
        let shards: Shards = SmallVec::from_elem(None, plan.tables.len());
        let target = |node: &NodeId| self.target(plan, values, &self.single, *node, &shards, None);
        let mut targets: Vec<Target> = nodes.iter().map(target).collect();
        in_group_order(plan, &mut targets);
        if targets.len() == 1 {
            return self.route(targets, 0);
        }
        let spread = Spread::new(targets, Tally::First);
        match self.several {
            Several::CopiesReturning(_) => Primitive::Returning(Returning { spread }),
            _ => Primitive::Spread(spread),
        }
    }

    fn targets(
        &self,
        plan: &Plan,
        values: &Values<'_>,
        sharding: &Sharding,
        template: &Template,
        shards: impl Iterator<Item = usize>,
        window: Option<Window>,
    ) -> Result<Vec<Target>, PlanError> {
        let mut targets = Vec::new();
        for shard in shards {
            let node = sharding.shards[shard].node;
            if self.destination.common().is_some_and(|common| !common.contains(&node)) {
                return Err(PlanError::refused(
                    "A global table of this statement is not on every node of the sharded one; add the nodes to it",
                ));
            }
            let of_ref = |table: &crate::PlanTable| table.table.sharding().map(|_| shard);
            let per_ref: Shards = plan.tables.iter().map(of_ref).collect();
            targets.push(self.target(plan, values, template, node, &per_ref, window));
        }
        in_group_order(plan, &mut targets);
        Ok(targets)
    }

    fn target(
        &self,
        plan: &Plan,
        values: &Values<'_>,
        template: &Template,
        node: NodeId,
        shards: &Shards,
        window: Option<Window>,
    ) -> Target {
        let mut sql = Vec::with_capacity(values.sql.len() + 64);
        let slot = |number: u16, out: &mut Vec<u8>| {
            if number == LIMIT_SLOT {
                let rows = window.and_then(|window| window.rows()).unwrap_or(u64::MAX);
                out.extend_from_slice(format!("LIMIT {rows}").as_bytes());
            } else if let Some(name) = self.names.get(usize::from(number)) {
                let shard = shards.get(name.reference).copied().flatten();
                render(name, &plan.tables[name.reference], shard, node, &plan.catalog, out);
            }
        };
        template.render(values.sql, values.scan, &slot, &mut sql);
        let kept = template.pieces().iter().filter_map(|piece| match piece {
            Piece::Hole(hole) => values.scan.holes.get(*hole as usize),
            _ => None,
        });
        let parameters = parameters_in(kept).collect();
        Target { node, shard: shards.iter().copied().flatten().next(), sql, parameters }
    }

    fn route(&self, targets: Vec<Target>, hidden: usize) -> Primitive {
        Primitive::Route(self.route_of(targets, hidden))
    }

    fn route_of(&self, targets: Vec<Target>, hidden: usize) -> Route {
        Route { targets, replica_safe: self.replica_safe, hidden }
    }
}

/// The rows that LIMIT asks for.
#[derive(Debug, Clone, Copy)]
struct Window {
    offset: u64,
    count: Option<u64>,
}

impl Window {
    /// How many rows must be known to serve it.
    fn rows(self) -> Option<u64> {
        self.count.map(|count| if count == 0 { 0 } else { count.saturating_add(self.offset) })
    }
}

fn window(stages: &[Stage], values: &Values<'_>) -> Result<Window, PlanError> {
    let limit = stages.iter().find_map(|stage| match stage {
        Stage::Limit { offset, count } => Some((offset, count)),
        _ => None,
    });
    let Some((offset, count)) = limit else { return Ok(Window { offset: 0, count: None }) };
    let offset = offset.as_ref().map_or(Ok(0), |offset| rows(offset, values))?;
    Ok(Window { offset, count: Some(rows(count, values)?) })
}

fn rows(operand: &Operand, values: &Values<'_>) -> Result<u64, PlanError> {
    match operand.value(values) {
        Value::Int(rows) if rows >= 0 => Ok(rows.unsigned_abs()),
        Value::UInt(rows) => Ok(rows),
        // Drivers that send every parameter as text.
        Value::Text(digits) => {
            std::str::from_utf8(&digits).ok().and_then(|digits| digits.parse().ok()).ok_or_else(no_rows)
        }
        _ => Err(no_rows()),
    }
}

fn no_rows() -> PlanError {
    PlanError::refused("LIMIT takes integers that are not negative")
}

/// The digits of a number that HAVING compares with.
fn digits(operand: &Operand, values: &Values<'_>) -> Result<String, PlanError> {
    match operand.value(values) {
        Value::Int(number) => Ok(number.to_string()),
        Value::UInt(number) => Ok(number.to_string()),
        Value::Decimal(number) => Ok(number.to_plain_string()),
        // Servers compare with texts and doubles otherwise than with exact numbers.
        _ => Err(PlanError::refused(
            "HAVING over several shards compares with integers and DECIMAL only; bind such a number, or let a [scratch] \
             server finish the statement",
        )),
    }
}

/// Puts the stages above the route.
fn raise(
    route: Route,
    stages: &[Stage],
    hidden: usize,
    (window, counts_all): (Window, bool),
    values: &Values<'_>,
) -> Result<Primitive, PlanError> {
    let keep = if counts_all { None } else { window.rows() };
    let mut tree = Primitive::Route(route);
    for stage in stages {
        tree = match (stage, tree) {
            (Stage::MergeSort(keys), Primitive::Route(input)) => {
                Primitive::MergeSort(MergeSort { input, keys: keys.clone() })
            }
            // Only a route has streams to merge, and no rewrite merges twice.
            (Stage::MergeSort(_), other) => other,
            (Stage::Aggregate { keys, columns }, input) => {
                let (keys, columns) = (keys.clone(), columns.clone());
                Primitive::Aggregate(Aggregate { input: Box::new(input), keys, columns })
            }
            (Stage::Rollup { keys, shown, columns, totals_nothing }, input) => {
                let (keys, shown, columns) = (keys.clone(), shown.clone(), columns.clone());
                let input = Box::new(input);
                Primitive::Rollup(Rollup { input, keys, shown, columns, totals_nothing: *totals_nothing })
            }
            (Stage::Filter(condition), input) => {
                let condition = condition.with_numbers(&|operand| digits(operand, values))?;
                Primitive::Filter(Filter { input: Box::new(input), condition })
            }
            (Stage::Sort(keys), input) => {
                Primitive::Sort(Sort { input: Box::new(input), keys: keys.clone(), keep })
            }
            (Stage::Limit { .. }, input) => {
                let count = window.count.unwrap_or(u64::MAX);
                Primitive::Limit(Limit { input: Box::new(input), offset: window.offset, count, counts_all })
            }
        };
    }
    Ok(if hidden == 0 { tree } else { Primitive::Cut(Cut { input: Box::new(tree), hidden }) })
}

/// Targets in the order of their groups, so that locks are always taken in one order.
pub(crate) fn in_group_order(plan: &Plan, targets: &mut [Target]) {
    targets.sort_by_key(|target| plan.catalog.node(target.node).group);
}

/// The nodes of a global table that a statement writes, where it is one.
pub(crate) fn copies(placement: &Placement) -> Option<&[NodeId]> {
    match placement {
        Placement::Global(nodes) => Some(nodes),
        Placement::Node(_) | Placement::Sharded(_) => None,
    }
}
