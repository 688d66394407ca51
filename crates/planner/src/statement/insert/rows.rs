//! Rows of VALUES, or the one of SET, with the places of their keys.

use serval_catalog::{Sharding, ShardingColumn};
use serval_sql::{Modifier, Span};
use serval_types::ColumnType;
use smallvec::SmallVec;
use sqlparser::ast::{Expr, Insert};

use super::columns::{Columns, GeneratedColumn, KeyColumn};
use super::family::untied_children;
use super::{Edit, Generated, InsertPlan, KeySource, Placing, PlannedRow};
use crate::analysis::Analysis;
use crate::anchor::AnchorSpan;
use crate::bound::PlanTable;
use crate::error::PlanError;
use crate::operand::{Operand, is_date, is_moment, is_now};
use crate::physical::{Renaming, name_slots};
use crate::plan::{Kind, Plan};
use crate::rewrite::contains;
use crate::statement::Planning;
use crate::statement::insert_text::{InsertText, RowText};

/// Builds the plan of an INSERT with rows.
pub(super) struct Builder<'a> {
    pub(super) planning: Planning<'a>,
    pub(super) insert: &'a Insert,
    pub(super) analysis: &'a Analysis,
    pub(super) placing: &'a Placing,
    pub(super) text: InsertText,
}

impl Builder<'_> {
    pub(super) fn build(&self, rows: &[&[Expr]]) -> Result<Plan, PlanError> {
        let planning = self.planning;
        let table = &self.analysis.refs[0].table.table;
        let columns = Columns::of(self.insert, table, self.placing.sharding())?;
        let watched = untied_children(planning.catalog, &self.analysis.refs[0].table);
        let led = columns.led(&watched);
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
            self.planned(rows, (&columns, &led))?
        } else {
            vec![self.assigned_row((&columns, &led))?]
        };
        let kind = Kind::Insert(InsertPlan {
            placing: self.placing.clone(),
            rows: planned,
            edits,
            names,
            splittable: self.insert.assignments.is_empty(),
            returning: self.insert.returning.is_some(),
            conditional: self.insert.on.is_some() || self.ignores(),
            watched,
        });
        Ok(planning.planned(self.analysis, Vec::new(), kind))
    }

    /// All rows of the text: those of the tree, and those that it has left out.
    fn planned(
        &self,
        rows: &[&[Expr]],
        columns: (&Columns, &[Option<KeyColumn>]),
    ) -> Result<Vec<PlannedRow>, PlanError> {
        let left = &self.planning.parsed.rows_left;
        let misread =
            || PlanError::refused("The rows of this INSERT cannot be told apart; insert them one by one");
        let mut kept = rows.iter();
        let mut planned = Vec::with_capacity(self.text.rows.len());
        for (index, text) in self.text.rows.iter().enumerate() {
            let row = if left.binary_search(&text.span.start).is_ok() {
                let Planning { readable, options, .. } = self.planning;
                let values = serval_sql::row_values(readable, options, text.span).map_err(|_| misread())?;
                self.row(columns, &values, text, index + 1)?
            } else {
                self.row(columns, kept.next().ok_or_else(misread)?, text, index + 1)?
            };
            planned.push(row);
        }
        if kept.next().is_some() { Err(misread()) } else { Ok(planned) }
    }

    fn row(
        &self,
        (columns, led): (&Columns, &[Option<KeyColumn>]),
        values: &[Expr],
        text: &RowText,
        number: usize,
    ) -> Result<PlannedRow, PlanError> {
        if values.len() != columns.count() || text.cells.len() != values.len() {
            let PlanTable { schema, table } = &self.analysis.refs[0].table;
            let (schema, table) = (schema.clone(), table.name.clone());
            return Err(PlanError::ValueCount { row: number, schema, table });
        }
        let mut reads = false;
        let generated = match columns.generated() {
            GeneratedColumn::None => Generated::Never,
            GeneratedColumn::Appended(_) => {
                self.refuse_names()?;
                Generated::Append(self.anchor(Span::at(text.span.end - 1)))
            }
            GeneratedColumn::Listed(at) => {
                let operand = self.generated_operand(&values[*at])?;
                reads = names_column(columns.name(*at), &values[at + 1..]);
                Generated::Cell(self.anchor(text.cells[*at]), operand)
            }
        };
        let keys = self.keys(columns, |at| &values[at])?;
        let led = self.led(led, |at| &values[at])?;
        Ok(PlannedRow { span: Some(self.anchor(text.span)), keys, generated, reads, led })
    }

    /// `AS new (a, b)` names every column of the row, and one more is appended.
    fn refuse_names(&self) -> Result<(), PlanError> {
        let alias = self.insert.insert_alias.as_ref().and_then(|alias| alias.col_aliases.as_ref());
        if alias.is_none_or(Vec::is_empty) {
            return Ok(());
        }
        Err(PlanError::refused(
            "An INSERT whose row alias names its columns must list the AUTO_INCREMENT column, too, with NULL for its value and a name \
             for it",
        ))
    }

    /// The one row of INSERT … SET.
    fn assigned_row(
        &self,
        (columns, led): (&Columns, &[Option<KeyColumn>]),
    ) -> Result<PlannedRow, PlanError> {
        let values: Vec<&Expr> = self.insert.assignments.iter().map(|assignment| &assignment.value).collect();
        let mut reads = false;
        let generated = match columns.generated() {
            GeneratedColumn::None => Generated::Never,
            GeneratedColumn::Appended(_) => {
                self.refuse_names()?;
                Generated::Append(self.anchor(Span::at(self.assigned(values.len() - 1)?.end)))
            }
            GeneratedColumn::Listed(at) => {
                let operand = self.generated_operand(values[*at])?;
                reads = names_column(columns.name(*at), values[at + 1..].iter().copied());
                Generated::Cell(self.anchor(self.assigned(*at)?), operand)
            }
        };
        let keys = self.keys(columns, |at| values[at])?;
        let led = self.led(led, |at| values[at])?;
        Ok(PlannedRow { span: None, keys, generated, reads, led })
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

    /// Where the keys come from that children may hold.
    fn led<'e>(
        &self,
        columns: &[Option<KeyColumn>],
        value: impl Fn(usize) -> &'e Expr,
    ) -> Result<Vec<Option<KeySource>>, PlanError> {
        let source = |column: &Option<KeyColumn>| match column {
            Some(KeyColumn::Listed(at)) => {
                let found = Operand::of(value(*at), &self.planning.parsed.locator, self.planning.scan);
                let operand = found.ok_or_else(|| {
                    PlanError::refused(
                        "The key that other tables' rows follow must be a literal or a parameter, so that Serval can look \
                         for them; compute it in the application",
                    )
                })?;
                Ok(Some(KeySource::Operand(operand)))
            }
            Some(KeyColumn::Generated) => Ok(Some(KeySource::Generated)),
            Some(KeyColumn::Now) | None => Ok(None),
        };
        columns.iter().map(source).collect()
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

/// Whether any of the values names the column.
fn names_column<'e>(column: &str, values: impl IntoIterator<Item = &'e Expr>) -> bool {
    let names = |expr: &Expr| match expr {
        Expr::Identifier(name) => name.value.eq_ignore_ascii_case(column),
        Expr::CompoundIdentifier(parts) => {
            parts.last().is_some_and(|name| name.value.eq_ignore_ascii_case(column))
        }
        _ => false,
    };
    values.into_iter().any(|value| contains(value, names))
}
