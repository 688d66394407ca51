//! Hints: what the writer of a statement says about where it runs.
//!
//! A hint narrows where a statement goes and never widens it. A read that is narrowed answers with what lies there, which
//! is what was asked for; a write that would put a row where its rule does not look for it is refused.

use std::sync::Arc;

use serval_catalog::{Catalog, ShardSet, Sharding};
use serval_sql::{HintedServer, Hints, scan, without_hints};
use serval_types::{NodeId, Value};
use sqlparser::ast::Statement;

use crate::bound::Note;
use crate::error::PlanError;
use crate::operand::ClientText;
use crate::plan::{BindRequest, Kind, Plan};
use crate::planner::{PlanRequest, plan};
use crate::primitive::{Primitive, Target};

/// The hints of a statement, looked up in the catalog.
#[derive(Debug, Default)]
pub(crate) struct Hinted {
    place: Option<Place>,
    server: Option<HintedServer>,
    notes: Vec<Note>,
}

/// Where a statement is to run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Place {
    /// On this data node.
    Node { id: NodeId, name: String },
    /// On the shard that this value of the sharding column belongs to.
    Key(Value),
}

/// The hints of a request, where it has any.
///
/// # Errors
/// [`PlanError::Hint`] for what is not understood or names nothing.
pub(crate) fn written<'a>(request: &PlanRequest<'a>) -> Result<Option<&'a Hints>, PlanError> {
    let Some(hints) = &request.scan.hints else { return Ok(None) };
    hints.as_ref().as_ref().map(Some).map_err(|error| PlanError::Hint(error.to_string()))
}

impl Hinted {
    /// Looks up what the hints name.
    pub(crate) fn of(
        catalog: &Arc<Catalog>,
        request: &PlanRequest<'_>,
        hints: &Hints,
    ) -> Result<Self, PlanError> {
        let mut notes = Vec::new();
        let mut note = |reason: String| notes.push(Note { rewrite: "hint", reason });
        let place = if let Some(name) = &hints.node {
            Some(named(catalog, name)?)
        } else if let Some(key) = &hints.shard_key {
            note("only the shard of the shard_key is looked at".to_owned());
            Some(Place::Key(key.clone()))
        } else if let Some(sql) = &hints.routed_as {
            Some(routed(catalog, request, sql)?)
        } else {
            None
        };
        if let Some(Place::Node { name, .. }) = &place {
            note(format!("only what lies on {name} is looked at"));
        }
        match hints.server {
            Some(HintedServer::Primary) => note("the primary answers".to_owned()),
            Some(HintedServer::Replica) => note("a replica answers, where one is up".to_owned()),
            None => {}
        }
        hints.timeout.iter().for_each(|time| note(format!("it may run for {time:?}")));
        hints.schema.iter().for_each(|schema| note(format!("names are looked up in schema {schema}")));
        Ok(Self { place, server: hints.server, notes })
    }

    /// Where the statement is to run.
    pub(crate) fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// Refuses what the hints would make wrong.
    pub(crate) fn check(&self, plan: &Plan, ast: &Statement) -> Result<(), PlanError> {
        if self.server == Some(HintedServer::Replica) && plan.writes() {
            return Err(PlanError::Hint(
                "The hint replica is for reads; this statement writes or locks rows".to_owned(),
            ));
        }
        let Some(place) = &self.place else { return Ok(()) };
        if matches!(plan.kind, Kind::Gathered(_)) {
            return Err(PlanError::Hint(format!(
                "A hint for {} needs a statement that one data node can answer",
                place.text()
            )));
        }
        let whole = matches!(ast, Statement::Insert(_)) && matches!(plan.kind, Kind::Routed(_));
        if whole && plan.tables.first().is_some_and(|target| target.table.sharding().is_some()) {
            return Err(PlanError::Hint(format!(
                "INSERT … SELECT into a sharded table with a hint for {}: rows might be put where the table's rule does not \
                 look for them; leave the hint out",
                place.text()
            )));
        }
        Ok(())
    }

    /// What EXPLAIN says of them.
    pub(crate) fn notes(&self) -> &[Note] {
        &self.notes
    }
}

impl Place {
    /// How errors name it.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Node { name, .. } => format!("data node {name}"),
            Self::Key(_) => "a shard_key".to_owned(),
        }
    }

    /// The shards that it leaves of a table.
    ///
    /// # Errors
    /// [`PlanError::Hint`] where it leaves none.
    pub(crate) fn shards(&self, sharding: &Sharding) -> Result<ShardSet, PlanError> {
        let found = match self {
            Self::Node { id, .. } => {
                let shards = sharding.shards.iter().enumerate();
                shards.filter(|(_, shard)| shard.node == *id).map(|(index, _)| index).collect()
            }
            Self::Key(value) => sharding.shards_where_equal_in(0, value, None),
        };
        match (found.len(), self) {
            (0, Self::Node { name, .. }) => {
                Err(PlanError::Hint(format!("The hint names data node {name}, where the table has no rows")))
            }
            (1, _) | (_, Self::Node { .. }) => Ok(found),
            (_, Self::Key(_)) => Err(PlanError::Hint(format!(
                "The shard_key of the hint is no value of the sharding column {} that leads to one shard",
                sharding.names()
            ))),
        }
    }

    /// Whether a row of this shard may be written.
    pub(crate) fn admits(&self, sharding: &Sharding, shard: usize) -> Result<(), PlanError> {
        if self.shards(sharding)?.contains(shard) {
            return Ok(());
        }
        Err(PlanError::Hint(format!(
            "The table's rule puts a row of this statement somewhere else than the hint for {} says, and would not find it \
             there; leave the hint out",
            self.text()
        )))
    }

    /// The node for tables that are not sharded, of those that have them all.
    pub(crate) fn among(&self, nodes: &[NodeId]) -> Result<NodeId, PlanError> {
        match self {
            Self::Node { id, .. } if nodes.contains(id) => Ok(*id),
            Self::Node { name, .. } => Err(PlanError::Hint(format!(
                "The hint names data node {name}, which does not hold all of these tables"
            ))),
            Self::Key(_) => {
                Err(PlanError::Hint("The hint has a shard_key, but no table here is sharded".to_owned()))
            }
        }
    }

    /// What writes of all copies are refused with.
    pub(crate) fn copies(&self) -> PlanError {
        PlanError::Hint(format!(
            "A write of a global table goes to each of its copies, and would leave them different with the hint for {}; \
             leave the hint out",
            self.text()
        ))
    }
}

fn named(catalog: &Catalog, name: &str) -> Result<Place, PlanError> {
    match catalog.node_named(name) {
        Some(node) => Ok(Place::Node { id: node.id, name: node.name.clone() }),
        None => {
            let known: Vec<&str> = catalog.nodes.iter().take(20).map(|node| &*node.name).collect();
            Err(PlanError::Hint(format!(
                "The hint names data node {name}, which is not configured; there are {}",
                known.join(", ")
            )))
        }
    }
}

/// The node of the statement that the hint says to go by.
fn routed(catalog: &Arc<Catalog>, request: &PlanRequest<'_>, sql: &str) -> Result<Place, PlanError> {
    let wrong = |reason: &str| PlanError::Hint(format!("The statement in the hint (sql={sql}) {reason}"));
    let scan = scan(sql.as_bytes(), request.options).map_err(|_| wrong("cannot be read"))?;
    if scan.next_statement.is_some() || scan.parameter_count() > 0 || scan.hints.is_some() {
        return Err(wrong("must be one statement without parameters and hints"));
    }
    let own = PlanRequest { sql: sql.as_bytes(), scan: &scan, ..*request };
    let plan = plan(catalog, &own).map_err(|error| wrong(&format!("has no plan: {error}")))?;
    if plan.needs_now() || plan.names_clock {
        return Err(wrong("must not depend on the time; write the time in it"));
    }
    let text = ClientText::Utf8mb4;
    let values = BindRequest { sequence_start: Some(1), text, ..BindRequest::of(own.sql, &scan) };
    let bound = plan.bind(&values).map_err(|error| wrong(&format!("has no route: {error}")))?;
    match &bound.root {
        Primitive::Route(route) if route.targets.len() == 1 => {
            let node = catalog.node(route.targets[0].node);
            Ok(Place::Node { id: node.id, name: node.name.clone() })
        }
        _ => Err(wrong("leads to several data nodes; name a value of the sharding column in it")),
    }
}

/// Takes the hints out of what servers get.
pub(crate) fn strip(plan: &Plan, root: &mut Primitive) {
    let mut cut = |target: &mut Target| target.sql = without_hints(&target.sql, plan.options);
    each_target(root, &mut cut);
}

fn each_target(primitive: &mut Primitive, change: &mut impl FnMut(&mut Target)) {
    match primitive {
        Primitive::Spread(spread) => spread.targets.iter_mut().for_each(change),
        Primitive::Returning(returning) => returning.spread.targets.iter_mut().for_each(change),
        Primitive::Gather(gather) => change(&mut gather.statement),
        read => read.route_mut().into_iter().flat_map(|route| &mut route.targets).for_each(change),
    }
}
