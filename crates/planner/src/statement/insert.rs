//! INSERT and REPLACE: every row goes to the shard that its sharding column names.

mod bind;
mod columns;

use std::sync::Arc;

use serval_catalog::{Placement, Sharding, ShardingColumn};
use serval_sql::{Modifier, Replacement, Span, Template};
use serval_types::{ColumnType, NodeId};
use smallvec::SmallVec;
use sqlparser::ast::{Assignment, AssignmentTarget, Expr, Insert, OnInsert, SetExpr};

use super::copies::refuse_unequal_values;
use super::insert_text::{InsertText, RowText};
use super::routed::{RoutedPlan, Several, copies};
use super::{Planning, plan_tables};
use crate::analysis::Analysis;
use crate::anchor::AnchorSpan;
use crate::bound::PlanTable;
use crate::clock;
use crate::destination::Destination;
use crate::error::PlanError;
use crate::operand::{Operand, is_date, is_moment, is_now};
use crate::physical::{NameSlot, Renaming, name_slots};
use crate::plan::{Kind, Plan, guards};
use columns::{Columns, GeneratedColumn, KeyColumn};

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
        refuse_key_update(insert, sharding)?;
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

/// Without its definition no row of a sharded table can be placed.
fn refuse_undefined(table: &PlanTable) -> Result<(), PlanError> {
    match &table.table.placement {
        Placement::Sharded(_) if table.table.definition.is_none() => {
            Err(PlanError::Undefined { schema: table.schema.clone(), table: table.table.name.clone() })
        }
        _ => Ok(()),
    }
}

/// An INSERT whose text is not split: into a table that is not sharded, or from a SELECT.
fn plan_whole(planning: Planning<'_>, insert: &Insert, analysis: &Analysis) -> Result<Plan, PlanError> {
    let target = &analysis.refs[0];
    let (edits, names) = name_slots(planning.sql, analysis, Renaming::Qualifiers);
    let sql = planning.sql;
    let several = match copies(&target.table.table.placement) {
        Some(nodes) => {
            refuse_unequal_copies(planning, insert, analysis)?;
            match insert.returning {
                Some(_) => Several::CopiesReturning(nodes.to_vec()),
                None => Several::Copies(nodes.to_vec()),
            }
        }
        None => Several::Refused(format!(
            "INSERT … SELECT into or from several shards is not supported yet; read the rows and insert them into {} \
             with VALUES",
            target.exposed
        )),
    };
    let everything = Span::new(0, u32::try_from(sql.len()).unwrap_or(u32::MAX));
    Ok(Plan {
        catalog: Arc::clone(planning.catalog),
        tables: plan_tables(analysis),
        options: planning.options,
        guards: guards(sql, planning.scan, &[everything]),
        names_clock: clock::is_named(planning.sql, planning.options),
        alone: None,
        gathers: None,
        hinted: None,
        kind: Kind::Routed(RoutedPlan {
            destination: Destination::of(&analysis.refs, planning.home())?,
            single: Template::build(sql, planning.scan, &edits),
            names,
            several,
            counts_all: false,
            replica_safe: false,
            single_notes: Arc::new([]),
        }),
    })
}

/// Every copy of a global table must get the same rows.
fn refuse_unequal_copies(
    planning: Planning<'_>,
    insert: &Insert,
    analysis: &Analysis,
) -> Result<(), PlanError> {
    refuse_unequal_values(planning)?;
    let target = &analysis.refs[0];
    let global = |found: &crate::analysis::TableRef| copies(&found.table.table.placement).is_some();
    if !analysis.refs.iter().all(global) {
        return Err(PlanError::refused(format!(
            "Rows of other tables cannot be inserted into the global table {} directly; read them first",
            target.exposed
        )));
    }
    let generated = target.table.table.definition.as_ref().and_then(|definition| definition.auto_increment());
    let Some(column) = generated.filter(|_| target.table.table.sequence.is_none()) else { return Ok(()) };
    let listed = |name: &sqlparser::ast::ObjectName| columns::is_named(name, &column.name);
    let assigned = |assignment: &Assignment| match &assignment.target {
        AssignmentTarget::ColumnName(name) => listed(name),
        AssignmentTarget::Tuple(_) => false,
    };
    if insert.columns.is_empty() && insert.assignments.is_empty()
        || insert.columns.iter().any(listed)
        || insert.assignments.iter().any(assigned)
    {
        return Ok(());
    }
    Err(PlanError::refused(format!(
        "Column {} of the global table {} is AUTO_INCREMENT, and its copies could number rows differently; give the \
         value in the statement",
        column.name, target.exposed
    )))
}

/// A duplicate key must not move the row to another shard.
fn refuse_key_update(insert: &Insert, sharding: &Sharding) -> Result<(), PlanError> {
    let Some(OnInsert::DuplicateKeyUpdate(assignments)) = &insert.on else { return Ok(()) };
    let changes = |column: &&ShardingColumn| {
        assignments.iter().any(|assignment| match &assignment.target {
            AssignmentTarget::ColumnName(name) => columns::is_named(name, &column.name),
            AssignmentTarget::Tuple(names) => names.iter().any(|name| columns::is_named(name, &column.name)),
        })
    };
    match sharding.columns.iter().find(changes) {
        Some(column) => Err(PlanError::refused(format!(
            "ON DUPLICATE KEY UPDATE cannot change the sharding column {}; leave it out of the assignments",
            column.name
        ))),
        None => Ok(()),
    }
}

/// The rows of VALUES; empty for any other source.
fn rows_of(insert: &Insert) -> Vec<&[Expr]> {
    match insert.source.as_deref().map(|query| &*query.body) {
        Some(SetExpr::Values(values)) => values.rows.iter().map(|row| row.content.as_slice()).collect(),
        _ => Vec::new(),
    }
}

struct Builder<'a> {
    planning: Planning<'a>,
    insert: &'a Insert,
    analysis: &'a Analysis,
    placing: &'a Placing,
    text: InsertText,
}

impl Builder<'_> {
    fn build(&self, rows: &[&[Expr]]) -> Result<Plan, PlanError> {
        let planning = self.planning;
        let table = &self.analysis.refs[0].table.table;
        let columns = Columns::of(self.insert, table, self.placing.sharding())?;
        let (name_edits, names) = name_slots(planning.sql, self.analysis, Renaming::Qualifiers);
        let mut edits: Vec<(AnchorSpan, Edit)> =
            name_edits.into_iter().map(|(span, edit)| (self.anchor(span), edit.into())).collect();
        if let (Some(name), Some(end)) = (columns.appended(), self.text.columns_end) {
            let mut quoted = b", ".to_vec();
            crate::physical::quote(name, &mut quoted);
            let text = String::from_utf8_lossy(&quoted).into_owned();
            edits.push((self.anchor(Span::at(end)), Edit::Text(text)));
        }
        let planned = if self.insert.assignments.is_empty() {
            let pairs = rows.iter().zip(&self.text.rows).enumerate();
            let planned = pairs.map(|(index, (values, text))| self.row(&columns, values, text, index + 1));
            planned.collect::<Result<Vec<_>, _>>()?
        } else {
            vec![self.assigned_row(&columns)?]
        };
        let sql = planning.sql;
        let everything = Span::new(0, u32::try_from(sql.len()).unwrap_or(u32::MAX));
        Ok(Plan {
            catalog: Arc::clone(planning.catalog),
            tables: plan_tables(self.analysis),
            options: planning.options,
            guards: guards(sql, planning.scan, &[everything]),
            names_clock: clock::is_named(planning.sql, planning.options),
            alone: None,
            gathers: None,
            hinted: None,
            kind: Kind::Insert(InsertPlan {
                placing: self.placing.clone(),
                rows: planned,
                edits,
                names,
                splittable: self.insert.assignments.is_empty(),
                returning: self.insert.returning.is_some(),
                conditional: self.insert.on.is_some() || self.ignores(),
            }),
        })
    }

    fn row(
        &self,
        columns: &Columns,
        values: &[Expr],
        text: &RowText,
        number: usize,
    ) -> Result<PlannedRow, PlanError> {
        if values.len() != columns.count() || text.cells.len() != values.len() {
            let PlanTable { schema, table } = &self.analysis.refs[0].table;
            let (schema, table) = (schema.clone(), table.name.clone());
            return Err(PlanError::ValueCount { row: number, schema, table });
        }
        let generated = match columns.generated() {
            GeneratedColumn::None => Generated::Never,
            GeneratedColumn::Appended(_) => Generated::Append(self.anchor(Span::at(text.span.end - 1))),
            GeneratedColumn::Listed(at) => {
                let operand = self.generated_operand(&values[*at])?;
                Generated::Cell(self.anchor(text.cells[*at]), operand)
            }
        };
        let keys = self.keys(columns, |at| &values[at])?;
        Ok(PlannedRow { span: Some(self.anchor(text.span)), keys, generated })
    }

    /// The one row of INSERT … SET.
    fn assigned_row(&self, columns: &Columns) -> Result<PlannedRow, PlanError> {
        let values: Vec<&Expr> = self.insert.assignments.iter().map(|assignment| &assignment.value).collect();
        let generated = match columns.generated() {
            GeneratedColumn::None => Generated::Never,
            GeneratedColumn::Appended(_) => {
                Generated::Append(self.anchor(Span::at(self.assigned(values.len() - 1)?.end)))
            }
            GeneratedColumn::Listed(at) => {
                let operand = self.generated_operand(values[*at])?;
                Generated::Cell(self.anchor(self.assigned(*at)?), operand)
            }
        };
        let keys = self.keys(columns, |at| values[at])?;
        Ok(PlannedRow { span: None, keys, generated })
    }

    /// Where the value of an assignment of SET stands.
    fn assigned(&self, at: usize) -> Result<Span, PlanError> {
        let place = self.text.assigned.get(at).copied();
        place.ok_or_else(|| PlanError::refused("This INSERT … SET is not understood; use INSERT … VALUES"))
    }

    fn ignores(&self) -> bool {
        self.planning.parsed.modifiers.iter().any(|(modifier, _)| *modifier == Modifier::Ignore)
    }

    /// Where a row's sharding values come from.
    fn keys<'e>(
        &self,
        columns: &Columns,
        value: impl Fn(usize) -> &'e Expr,
    ) -> Result<SmallVec<[KeySource; 1]>, PlanError> {
        let Some(sharding) = self.placing.sharding() else { return Ok(SmallVec::new()) };
        let sources = columns.keys().iter().zip(&sharding.columns);
        sources
            .map(|(source, column)| match source {
                KeyColumn::Listed(at) => {
                    self.key_operand(value(*at), sharding, column).map(KeySource::Operand)
                }
                KeyColumn::Generated => Ok(KeySource::Generated),
                KeyColumn::Now => self.now_operand(sharding, column).map(KeySource::Operand),
            })
            .collect()
    }

    fn key_operand(
        &self,
        expr: &Expr,
        sharding: &Sharding,
        column: &ShardingColumn,
    ) -> Result<Operand, PlanError> {
        if is_moment(expr) && !is_date(&column.column_type) {
            return Err(PlanError::refused(
                "A date or NOW() for a sharding column that holds no dates is stored in the server's own way of writing; \
                 write the value as a string or a number",
            ));
        }
        if is_now(expr) {
            return self.now_operand(sharding, column);
        }
        Operand::of(expr, &self.planning.parsed.locator, self.planning.scan).ok_or_else(|| {
            PlanError::refused(format!(
                "The value of the sharding column {} must be a literal or a parameter, so that Serval knows the row's \
                 shard; compute it in the application",
                column.name
            ))
        })
    }

    /// NOW(), NOW(6) and CURDATE() lie on one day, and are three values to a hash or to hours.
    fn now_operand(&self, sharding: &Sharding, column: &ShardingColumn) -> Result<Operand, PlanError> {
        let function = match &sharding.rule.inside {
            Some(inside) if column.inside => &inside.function,
            _ => &sharding.rule.function,
        };
        if !function.keeps_days_together() && column.column_type != ColumnType::Date {
            return Err(PlanError::refused(
                "NOW() for a sharding column that is hashed is not supported; write the time as a string",
            ));
        }
        Ok(Operand::Now)
    }

    fn generated_operand(&self, expr: &Expr) -> Result<Operand, PlanError> {
        let is_default = matches!(expr, Expr::Identifier(name) if name.value.eq_ignore_ascii_case("DEFAULT"));
        if is_default {
            return Ok(Operand::Constant(serval_types::Value::Null));
        }
        Operand::of(expr, &self.planning.parsed.locator, self.planning.scan).ok_or_else(|| {
            PlanError::refused(
                "The value of an AUTO_INCREMENT column of a sharded table must be a literal or a parameter",
            )
        })
    }

    fn anchor(&self, span: Span) -> AnchorSpan {
        AnchorSpan::of(span, self.planning.scan)
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
