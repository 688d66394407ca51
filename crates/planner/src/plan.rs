//! A plan: what is known of a statement before its values are.

use std::sync::Arc;

use serval_catalog::{Catalog, Child, Placement, ShardIndex, Table, Zone};
use serval_sql::{LexOptions, Scan, Span};
use serval_types::{NodeId, Value};

use crate::bound::{Bound, PlanTable};
use crate::clock;
use crate::error::PlanError;
use crate::gather;
use crate::hint::{self, Hinted, Place};
use crate::operand::{ClientText, Values};
use crate::primitive::{Gather, Primitive, Target};
use crate::statement::insert::InsertPlan;
use crate::statement::routed::{RoutedPlan, Several};
use crate::variables::UserVariables;

/// A plan for every statement with the same key (see [`serval_sql::Scan::key`]) whose guarded literals agree.
#[derive(Debug)]
pub struct Plan {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) tables: Arc<[PlanTable]>,
    pub(crate) options: LexOptions,
    pub(crate) guards: Vec<Guard>,
    /// The text names a function of the statement's instant.
    pub(crate) names_clock: bool,
    /// Why the statement may run on one node only; `None` where it may run on several.
    pub(crate) alone: Option<&'static str>,
    /// Present where the statement may be gathered instead of refused.
    pub(crate) gathers: Option<Gathers>,
    /// The hints that the text has.
    pub(crate) hinted: Option<Box<Hinted>>,
    pub(crate) kind: Kind,
}

/// What gathering has to know besides the statement itself.
#[derive(Debug)]
pub(crate) struct Gathers {
    /// The session's current schema.
    pub(crate) schema: Option<String>,
}

/// What kind of statement it is, as far as binding differs.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Rows of VALUES, which go where each of them belongs.
    Insert(InsertPlan),
    /// Everything else: one text, routed by its predicates.
    Routed(RoutedPlan),
    /// A read that has no route whatever its values are, for this reason.
    Gathered(String),
}

/// A literal that the plan depends on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Guard {
    hole: usize,
    text: Box<[u8]>,
}

/// The values of an execution.
#[derive(Debug, Clone, Copy)]
pub struct BindRequest<'a> {
    /// The statement being run.
    pub sql: &'a [u8],
    /// Its scan.
    pub scan: &'a Scan,
    /// The values of `?` in order; empty for plain queries.
    pub parameters: &'a [Value],
    /// The first of the numbers that [`Plan::sequence_demand`] asked for.
    pub sequence_start: Option<u64>,
    /// What NOW(6) is, where [`Plan::needs_now`]: the nodes must be told the same (`SET timestamp`).
    pub now: Option<&'a Value>,
    /// What the bytes of the client's strings are.
    pub text: ClientText,
    /// The shard of each row, where rows lie beside a parent's: what [`Plan::follows`] asks for.
    pub shards: Option<&'a [ShardIndex]>,
    /// The session's time zone, where [`Plan::sees_time_zones`] and it is known.
    pub zone: Option<&'a Zone>,
    /// The session's user variables, where the statement does not change them.
    pub variables: Option<&'a dyn UserVariables>,
}

impl<'a> BindRequest<'a> {
    /// A statement without parameters.
    #[must_use]
    pub fn of(sql: &'a [u8], scan: &'a Scan) -> Self {
        Self {
            sql,
            scan,
            parameters: &[],
            sequence_start: None,
            now: None,
            text: ClientText::default(),
            shards: None,
            zone: None,
            variables: None,
        }
    }
}

/// What to prepare, to learn of a statement's columns before it has values.
#[derive(Debug, Clone)]
pub enum Sample {
    /// This statement on its node.
    Node(Target),
    /// This one, over tables without rows.
    Gathered(Gather),
}

/// Numbers that an INSERT needs from a table's sequence.
#[derive(Debug, Clone)]
pub struct SequenceDemand {
    /// The logical schema.
    pub schema: String,
    /// The table.
    pub table: Arc<Table>,
    /// How many.
    pub count: u64,
    /// The largest number that the statement itself brings for the column, which the sequence must not give again.
    pub explicit: Option<u64>,
    /// The number that the last row brings itself, as a server reports it in its OK packet (a negative one wraps).
    pub last: Option<u64>,
    /// How many rows there are.
    pub rows: usize,
    /// Whether a row may be left out (IGNORE) or change another in its place (ON DUPLICATE KEY UPDATE).
    pub conditional: bool,
}

/// Keys that an INSERT gives to rows of a parent.
#[derive(Debug, Clone)]
pub struct Led {
    /// The table that may hold them.
    pub child: Child,
    /// Each key with its row's shard.
    pub keys: Vec<(Value, ShardIndex)>,
}

impl Plan {
    /// The tables that the statement names.
    #[must_use]
    pub fn tables(&self) -> &[PlanTable] {
        &self.tables
    }

    /// The tables whose rows may have to be gathered and whose definitions nobody has told: temporary ones, views, and
    /// tables that have been made past Serval.
    #[must_use]
    pub fn undescribed(&self) -> Vec<&PlanTable> {
        if self.gathers.is_none() || !matches!(self.kind, Kind::Gathered(_)) && self.lies_on_one_node() {
            return Vec::new();
        }
        let wanted = |table: &&PlanTable| {
            table.table.definition.is_none() && matches!(table.table.placement, Placement::Node(_))
        };
        self.tables.iter().filter(wanted).collect()
    }

    /// Whether all tables have their rows on the same node.
    fn lies_on_one_node(&self) -> bool {
        if let [PlanTable { table, .. }] = &*self.tables
            && matches!(table.placement, Placement::Node(_))
        {
            return true;
        }
        let mut nodes: Vec<_> = self.tables.iter().flat_map(|table| table.table.placement.nodes()).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes.len() < 2
    }

    /// Whether the statement changes rows.
    #[must_use]
    pub fn writes(&self) -> bool {
        match &self.kind {
            Kind::Insert(_) => true,
            Kind::Routed(routed) => routed.writes(),
            Kind::Gathered(_) => false,
        }
    }

    /// Whether the statement's instant decides where a row goes, or must be one for every copy of a row, so that it
    /// must be fixed before binding.
    #[must_use]
    pub fn needs_now(&self) -> bool {
        match &self.kind {
            Kind::Insert(insert) => insert.needs_now(),
            Kind::Routed(routed) => {
                routed.destination.looks_at_clock()
                    || matches!(routed.several, Several::Copies(_) | Several::CopiesReturning(_))
            }
            Kind::Gathered(_) => false,
        }
    }

    /// Whether the statement's instant shows in what it reads or stores, so that several nodes must be told the same
    /// one.
    #[must_use]
    pub fn looks_at_clock(&self) -> bool {
        self.names_clock || self.writes() && clock::is_stored(&self.tables)
    }

    /// The numbers that must come from a sequence before the plan can be bound.
    ///
    /// # Errors
    /// As [`Plan::bind`].
    pub fn sequence_demand(&self, request: &BindRequest<'_>) -> Result<Option<SequenceDemand>, PlanError> {
        match &self.kind {
            Kind::Insert(insert) => insert.sequence_demand(&self.tables, &self.values(request)),
            Kind::Routed(_) | Kind::Gathered(_) => Ok(None),
        }
    }

    /// Whether a TIMESTAMP says where rows lie, so that the session's time zone has to be known.
    #[must_use]
    pub fn sees_time_zones(&self) -> bool {
        let shardings = self.tables.iter().filter_map(|table| table.table.sharding());
        shardings.into_iter().any(|sharding| sharding.sees_time_zones())
    }

    /// The parent's keys that the rows of an INSERT hold, one for each row: the rows lie where the parent's rows with
    /// these keys do. `None` where the rule alone says where.
    #[must_use]
    pub fn follows(&self, request: &BindRequest<'_>) -> Option<Vec<Value>> {
        match &self.kind {
            Kind::Insert(insert) => insert.follows(&self.values(request)),
            Kind::Routed(_) | Kind::Gathered(_) => None,
        }
    }

    /// What children may already hold of the keys that the rows of an INSERT bring. Numbers of a sequence are new.
    ///
    /// # Errors
    /// As [`Plan::bind`].
    pub fn leads(&self, request: &BindRequest<'_>) -> Result<Vec<Led>, PlanError> {
        match &self.kind {
            Kind::Insert(insert) => insert.leads(&self.values(request), request.sequence_start),
            Kind::Routed(_) | Kind::Gathered(_) => Ok(Vec::new()),
        }
    }

    /// The statement for one node, whichever, with all its parameters: what preparing it there says of its columns
    /// holds for every node. Numbers of a sequence are parameters behind the client's, as in executions.
    ///
    /// # Errors
    /// As [`Plan::bind`].
    pub fn sample(&self, request: &BindRequest<'_>) -> Result<Sample, PlanError> {
        self.sample_of(request, None)
    }

    /// [`Plan::sample`] on one of [`Plan::copies`].
    ///
    /// # Errors
    /// As [`Plan::bind`].
    pub fn sample_of(&self, request: &BindRequest<'_>, copy: Option<NodeId>) -> Result<Sample, PlanError> {
        let values = Values { copy, ..self.values(request) };
        let target = match &self.kind {
            Kind::Insert(insert) => Ok(insert.sample(self, &values)),
            Kind::Routed(routed) => routed.sample(self, &values),
            Kind::Gathered(reason) => Err(PlanError::refused(reason)),
        };
        let mut sample = match (target, &self.gathers) {
            (Err(PlanError::Refused(reason)), Some(gathers)) => {
                gather::sample(self, gathers, &values, &reason).map(Sample::Gathered)
            }
            (target, _) => target.map(Sample::Node),
        }?;
        if self.hinted.is_some() {
            let (Sample::Node(target) | Sample::Gathered(Gather { statement: target, .. })) = &mut sample;
            target.sql = serval_sql::without_hints(&target.sql, self.options);
        }
        Ok(sample)
    }

    /// The statement for one node, whichever, or over tables without rows: what a table that is made of its rows looks
    /// like there holds for all of them. It must have no parameters.
    ///
    /// # Errors
    /// As [`Plan::bind`].
    pub fn typed(&self, request: &BindRequest<'_>) -> Result<Sample, PlanError> {
        let values = self.values(request);
        let (refusal, gathers) = match (self.sample(request)?, &self.gathers) {
            (Sample::Gathered(_), Some(gathers)) => ("The statement is gathered", gathers),
            (sample, _) => return Ok(sample),
        };
        gather::typed(self, gathers, &values, refusal).map(Sample::Gathered)
    }

    /// Fills in the values: which nodes, and which SQL for each.
    ///
    /// # Errors
    /// [`PlanError::Unroutable`] where a row has no shard, and refusals of what several shards cannot do.
    pub fn bind(&self, request: &BindRequest<'_>) -> Result<Bound, PlanError> {
        self.bind_values(request, self.values(request))
    }

    /// The nodes of which each can answer the statement, in the order of the config: it reads global tables only, and
    /// neither locks nor changes anything. `None` where the place is given, by a table or by a hint.
    #[must_use]
    pub fn copies(&self) -> Option<&[NodeId]> {
        match &self.kind {
            Kind::Routed(routed) if self.place().is_none() => routed.copies_to_read(),
            _ => None,
        }
    }

    /// [`Plan::bind`] to one of [`Plan::copies`]. Prepared or not, such a statement is the same.
    ///
    /// # Errors
    /// As [`Plan::bind`].
    pub fn bind_to(&self, request: &BindRequest<'_>, copy: NodeId) -> Result<Bound, PlanError> {
        self.bind_values(request, Values { copy: Some(copy), ..self.values(request) })
    }

    /// [`Plan::bind`] for a prepared statement: the numbers of a sequence are parameters behind the client's own, in
    /// order, so that the text is the same for all of them. The caller adds them to what is executed with.
    ///
    /// # Errors
    /// As [`Plan::bind`].
    pub fn bind_execution(&self, request: &BindRequest<'_>) -> Result<Bound, PlanError> {
        let numbers_from = request.sequence_start;
        self.bind_values(request, Values { numbers_from, ..self.values(request) })
    }

    /// Where a hint says that the statement runs.
    pub(crate) fn place(&self) -> Option<&Place> {
        self.hinted.as_ref()?.place()
    }

    fn bind_values(&self, request: &BindRequest<'_>, values: Values<'_>) -> Result<Bound, PlanError> {
        let bound = self.bind_plain(request, values)?;
        let Some(hinted) = &self.hinted else { return Ok(bound) };
        let Bound { mut root, tables, notes } = bound;
        hint::strip(self, &mut root);
        let notes = notes.iter().chain(hinted.notes()).cloned().collect();
        Ok(Bound { root, tables, notes })
    }

    fn bind_plain(&self, request: &BindRequest<'_>, values: Values<'_>) -> Result<Bound, PlanError> {
        match (self.bind_routed(request, values), &self.gathers) {
            (Err(PlanError::Refused(reason)), Some(gathers)) => gather::bind(self, gathers, &values, &reason),
            (routed, _) => routed,
        }
    }

    /// Binds without gathering.
    fn bind_routed(&self, request: &BindRequest<'_>, values: Values<'_>) -> Result<Bound, PlanError> {
        let (root, notes) = match &self.kind {
            Kind::Insert(insert) => insert.bind(self, &values, request.sequence_start)?,
            Kind::Routed(routed) => routed.bind(self, &values)?,
            Kind::Gathered(reason) => return Err(PlanError::refused(reason)),
        };
        match self.alone {
            Some(reason) if !matches!(&root, Primitive::Route(route) if route.targets.len() == 1) => {
                Err(PlanError::refused(reason))
            }
            _ => Ok(Bound { root, tables: Arc::clone(&self.tables), notes }),
        }
    }

    /// Whether the plan holds for a statement of the same key.
    pub(crate) fn admits(&self, sql: &[u8], scan: &Scan) -> bool {
        self.guards
            .iter()
            .all(|guard| scan.holes.get(guard.hole).is_some_and(|hole| hole.span.of(sql) == &*guard.text))
    }

    fn values<'a>(&self, request: &BindRequest<'a>) -> Values<'a> {
        Values {
            sql: request.sql,
            scan: request.scan,
            parameters: request.parameters,
            options: self.options,
            now: request.now,
            text: request.text,
            shards: request.shards,
            zone: request.zone,
            variables: request.variables,
            numbers_from: None,
            copy: None,
        }
    }
}

/// Guards for every literal outside `released`. Comments change nothing and are never guarded.
pub(crate) fn guards(sql: &[u8], scan: &Scan, released: &[Span]) -> Vec<Guard> {
    let is_free = |hole: &serval_sql::Hole| {
        matches!(hole.kind, serval_sql::HoleKind::Comment | serval_sql::HoleKind::Parameter)
            || released.iter().any(|span| span.covers(hole.span))
    };
    let guarded = scan.holes.iter().enumerate().filter(|(_, hole)| !is_free(hole));
    guarded.map(|(hole, found)| Guard { hole, text: found.span.of(sql).into() }).collect()
}
