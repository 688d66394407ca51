//! INSERT and REPLACE: every row goes to the shard that its sharding column names.

mod bind;
mod columns;
mod family;
mod refused;
mod rows;
mod whole;

use std::sync::Arc;

use serval_catalog::{Child, Placement, Sharding};
use serval_sql::Replacement;
use serval_types::NodeId;
use smallvec::SmallVec;
use sqlparser::ast::{Expr, Insert, SetExpr};

use super::Planning;
use super::insert_text::InsertText;
use crate::anchor::AnchorSpan;
use crate::error::PlanError;
use crate::operand::Operand;
use crate::physical::NameSlot;
use crate::plan::Plan;
pub use family::untied_children;
use refused::{refuse_key_update, refuse_undefined, refuse_unequal_copies};
use rows::Builder;
use whole::plan_whole;

/// Rows of VALUES (or the one of SET) for a sharded table, or for a global one whose numbers Serval gives.
#[derive(Debug)]
pub(crate) struct InsertPlan {
    placing: Placing,
    /// The rows; one for SET.
    rows: Vec<PlannedRow>,
    /// Edits outside the rows: table names, and the sequence's column in the column list.
    edits: Vec<(AnchorSpan, Edit)>,
    names: Vec<NameSlot>,
    /// Whether rows have places of their own, so that some can be left out.
    splittable: bool,
    returning: bool,
    /// IGNORE or ON DUPLICATE KEY UPDATE.
    conditional: bool,
    /// The children that may hold keys of new rows.
    watched: Vec<Child>,
}

/// Where rows go.
#[derive(Debug, Clone)]
enum Placing {
    /// Each to the shard of its key.
    ByKey(Arc<Sharding>),
    /// All to every copy.
    Copies(Vec<NodeId>),
}

/// One row.
#[derive(Debug)]
struct PlannedRow {
    /// Its text; empty for SET.
    span: Option<AnchorSpan>,
    /// Of each sharding column; none where the row goes to every copy.
    keys: SmallVec<[KeySource; 1]>,
    generated: Generated,
    /// A value behind the one that the sequence gives reads it.
    reads: bool,
    /// The keys that children may hold of it, for each of [`InsertPlan::watched`]; `None` where it brings none.
    led: Vec<Option<KeySource>>,
}

/// Where the sharding value of a row comes from.
#[derive(Debug)]
enum KeySource {
    Operand(Operand),
    /// The sharding column is the one that the sequence fills.
    Generated,
}

/// Whether the row's AUTO_INCREMENT value comes from the sequence.
#[derive(Debug)]
enum Generated {
    /// The table has no sequence.
    Never,
    /// The column is not listed: the value is appended here.
    Append(AnchorSpan),
    /// The value stands here; NULL and 0 ask for a generated one, as in MySQL.
    Cell(AnchorSpan, Operand),
}

/// What an edit outside the rows puts in.
#[derive(Debug)]
enum Edit {
    Name(u16),
    Text(String),
}

/// Plans an INSERT or REPLACE.
pub(crate) fn plan(planning: Planning<'_>, insert: &Insert) -> Result<Plan, PlanError> {
    let analysis = planning.analyse()?;
    let Some(target) = analysis.refs.first() else {
        return Err(PlanError::refused("INSERT needs the name of a table"));
    };
    refuse_undefined(&target.table)?;
    let placing = match &target.table.table.placement {
        Placement::Sharded(sharding) => Placing::ByKey(Arc::clone(sharding)),
        Placement::Global(nodes) if target.table.table.sequence.is_some() => {
            refuse_unequal_copies(planning, insert, &analysis)?;
            Placing::Copies(nodes.clone())
        }
        Placement::Node(_) | Placement::Global(_) => return plan_whole(planning, insert, &analysis),
    };
    if let Placing::ByKey(sharding) = &placing {
        refuse_key_update(insert, &target.table, sharding)?;
    }
    let text = InsertText::find(planning.sql, target.name.end, planning.options);
    let rows = rows_of(insert);
    if rows.iter().any(|row| row.is_empty()) {
        return Err(PlanError::refused(
            "A row of defaults only (VALUES ()) cannot be placed; give the sharding column in the statement",
        ));
    }
    let (Some(text), false) = (text, rows.is_empty() && insert.assignments.is_empty()) else {
        return plan_whole(planning, insert, &analysis);
    };
    if analysis.refs.len() > 1 {
        return Err(PlanError::refused(
            "Subqueries in the values of an INSERT into a sharded table may need other data nodes; read the values first, or write INSERT … SELECT",
        ));
    }
    Builder { planning, insert, analysis: &analysis, placing: &placing, text }.build(&rows)
}

/// The rows of VALUES that the tree has; empty for any other source.
pub(super) fn rows_of(insert: &Insert) -> Vec<&[Expr]> {
    match insert.source.as_deref().map(|query| &*query.body) {
        Some(SetExpr::Values(values)) => values.rows.iter().map(|row| row.content.as_slice()).collect(),
        _ => Vec::new(),
    }
}

impl Placing {
    fn sharding(&self) -> Option<&Sharding> {
        match self {
            Self::ByKey(sharding) => Some(sharding),
            Self::Copies(_) => None,
        }
    }
}

impl From<Replacement> for Edit {
    fn from(replacement: Replacement) -> Self {
        match replacement {
            Replacement::Slot(slot) => Self::Name(slot),
            Replacement::Text(text) => Self::Text(text),
        }
    }
}
