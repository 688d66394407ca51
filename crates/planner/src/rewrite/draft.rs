//! A SELECT over several shards while its operators are being placed.

use std::borrow::Cow;

use serval_catalog::Catalog;
use serval_sql::{Locator, Replacement, Scan, Span};
use sqlparser::ast::{Expr, OrderByExpr, OrderByKind, OrderBySort, Query, Select, SelectItem};

use super::expression::item_expr;
use super::names::column_name;
use crate::analysis::Analysis;
use crate::bound::Note;
use crate::clauses::Clauses;
use crate::error::PlanError;
use crate::operand::Operand;
use crate::primitive::{ColumnRef, Combine, Condition, SortKey};

/// The template slot that renders what LIMIT the nodes get.
pub(crate) const LIMIT_SLOT: u16 = u16::MAX;

/// The statement that is being planned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    /// Its text.
    pub(crate) sql: &'a str,
    /// Its holes.
    pub(crate) scan: &'a Scan,
    /// The whole query.
    pub(crate) query: &'a Query,
    /// Its only SELECT.
    pub(crate) select: &'a Select,
    /// Where its clauses lie.
    pub(crate) clauses: &'a Clauses,
    /// Its tables.
    pub(crate) analysis: &'a Analysis,
    /// From the parser's places to bytes.
    pub(crate) locator: &'a Locator,
    /// Where it runs.
    pub(crate) catalog: &'a Catalog,
    /// SQL_CALC_FOUND_ROWS: the nodes send the rows that LIMIT leaves out too.
    pub(crate) counts_all: bool,
}

/// A primitive above the route, before values are bound.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stage {
    /// See [`crate::primitive::MergeSort`].
    MergeSort(Vec<SortKey>),
    /// See [`crate::primitive::Aggregate`].
    Aggregate {
        /// What makes two rows one group.
        keys: Vec<SortKey>,
        /// How each column is combined.
        columns: Vec<Combine>,
    },
    /// See [`crate::primitive::Rollup`].
    Rollup {
        /// One level each.
        keys: Vec<SortKey>,
        /// For each key its column.
        shown: Vec<Option<ColumnRef>>,
        /// How each column is combined.
        columns: Vec<Combine>,
        /// There is a row where there are no groups.
        totals_nothing: bool,
    },
    /// See [`crate::primitive::Filter`].
    Filter(Condition<Operand>),
    /// See [`crate::primitive::Sort`].
    Sort(Vec<SortKey>),
    /// See [`crate::primitive::Limit`].
    Limit {
        /// Rows to skip.
        offset: Option<Operand>,
        /// Rows to pass on.
        count: Operand,
    },
}

/// How rows are grouped so far.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Grouping {
    /// Not at all.
    None,
    /// Each group lies on one shard.
    WithinShard,
    /// Groups are combined in the proxy, by these keys in this order.
    Split(Vec<GroupKey>),
}

/// One key of groups that are combined in the proxy.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GroupKey {
    pub(super) expr: Expr,
    pub(super) key: SortKey,
}

/// A column that the client did not ask for.
#[derive(Debug, Clone, PartialEq)]
struct Hidden {
    sql: String,
    combine: Combine,
}

/// The state of the placement.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) source: Source<'a>,
    pub(crate) notes: Vec<Note>,
    pub(super) grouping: Grouping,
    /// Hidden columns would change what DISTINCT means.
    pub(super) distinct: bool,
    pub(super) edits: Vec<(Span, Replacement)>,
    hidden: Vec<Hidden>,
    /// How the visible columns combine, where groups are split.
    pub(super) visible: Vec<Combine>,
    /// What equal values of [aggregates with DISTINCT](super::distinct_argument) have in common.
    pub(super) once: Vec<ColumnRef>,
    stages: Vec<Stage>,
}

/// A placement that is complete.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The edits that make the nodes' SQL of the client's.
    pub(crate) edits: Vec<(Span, Replacement)>,
    /// The primitives above the route, innermost first.
    pub(crate) stages: Vec<Stage>,
    /// How many hidden columns the nodes' SQL selects.
    pub(crate) hidden: usize,
    /// What fired, and why.
    pub(crate) notes: Vec<Note>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(source: Source<'a>) -> Self {
        Self {
            source,
            notes: Vec::new(),
            grouping: Grouping::None,
            distinct: false,
            edits: Vec::new(),
            hidden: Vec::new(),
            visible: Vec::new(),
            once: Vec::new(),
            stages: Vec::new(),
        }
    }

    /// Adds a hidden column, or finds it where it was added before.
    pub(super) fn hide(&mut self, sql: String, combine: Combine) -> Result<ColumnRef, PlanError> {
        if self.distinct {
            return Err(PlanError::refused(
                "ORDER BY with SELECT DISTINCT over several shards takes numeric or time columns of the select list only",
            ));
        }
        let hidden = Hidden { sql, combine };
        if let Some(index) = self.hidden.iter().position(|known| *known == hidden) {
            return Ok(ColumnRef::Hidden(index));
        }
        self.hidden.push(hidden);
        Ok(ColumnRef::Hidden(self.hidden.len() - 1))
    }

    /// Puts a primitive above what is there.
    pub(super) fn stage(&mut self, stage: Stage) {
        self.stages.push(stage);
    }

    /// Whether rows already are one stream in the proxy, in an order or a number that the nodes do not know.
    pub(super) fn is_combined(&self) -> bool {
        self.stages.iter().any(|stage| !matches!(stage, Stage::MergeSort(_)))
    }

    /// The text at a span, without the schemas of `shop.users.id`, which the servers do not know.
    pub(super) fn text(&self, span: Span) -> Cow<'a, str> {
        let within = |prefix: &&Span| span.covers(**prefix);
        let mut prefixes: Vec<Span> =
            self.source.analysis.schema_prefixes.iter().filter(within).copied().collect();
        if prefixes.is_empty() {
            return span.text(self.source.sql).into();
        }
        prefixes.sort_by_key(|prefix| prefix.start);
        let (mut text, mut done) = (String::new(), span.start);
        for prefix in prefixes {
            text.push_str(Span::new(done, prefix.start).text(self.source.sql));
            done = prefix.end;
        }
        text.push_str(Span::new(done, span.end).text(self.source.sql));
        text.into()
    }

    /// The expression and text of a select item.
    pub(super) fn item_source(&self, index: usize) -> Option<(&'a Expr, Cow<'a, str>)> {
        let expr = item_expr(self.source.select.projection.get(index)?)?;
        let span = *self.source.clauses.items.get(index)?;
        Some((expr, self.text(span)))
    }

    /// The text of the `index`-th ORDER BY item.
    pub(super) fn order_text(&self, index: usize) -> Option<Cow<'a, str>> {
        let clause = self.source.clauses.order_by.as_ref()?;
        Some(self.text(*clause.items.get(index)?))
    }

    /// Whether a column that is written so would be called as one of the select list is.
    fn is_called_alike(&self, sql: &str) -> bool {
        let name = sql.rsplit('.').next().unwrap_or(sql).trim().trim_matches('`');
        self.source.select.projection.iter().any(|item| match item {
            SelectItem::ExprWithAlias { alias, .. } => alias.value.eq_ignore_ascii_case(name),
            SelectItem::UnnamedExpr(_) => column_name(item).is_some_and(|own| own.eq_ignore_ascii_case(name)),
            _ => self.source.analysis.root_scope().refs.len() > 1,
        })
    }

    /// Completes the placement.
    ///
    /// # Errors
    /// A refusal where the nodes' SQL would repeat a parameter: its copy would have no number.
    pub(super) fn finish(mut self) -> Result<Finished, PlanError> {
        let repeats =
            |(_, edit): &(Span, Replacement)| matches!(edit, Replacement::Text(text) if text.contains('?'));
        if self.hidden.iter().any(|hidden| hidden.sql.contains('?')) || self.edits.iter().any(repeats) {
            return Err(PlanError::refused(
                "Parameters in ORDER BY and GROUP BY over several shards are not known when it is planned; write the value",
            ));
        }
        if !self.hidden.is_empty() {
            let columns: String = (self.hidden.iter().enumerate())
                .map(|(index, hidden)| match self.is_called_alike(&hidden.sql) {
                    // Servers would not know which of two columns of one name ORDER BY means.
                    true => format!(", {} AS `hidden {index}`", hidden.sql),
                    false => format!(", {}", hidden.sql),
                })
                .collect();
            self.edits.push((Span::at(self.source.clauses.items_end), Replacement::Text(columns)));
        }
        let mut whole = self.visible.clone();
        whole.extend(self.hidden.iter().map(|hidden| hidden.combine.clone()));
        let mut finer = whole.clone();
        for column in &self.once {
            let index = match column {
                ColumnRef::Visible(index) => *index,
                ColumnRef::Hidden(index) => self.visible.len() + index,
            };
            finer[index] = Combine::First;
        }
        for stage in self.stages.iter_mut().rev() {
            match stage {
                Stage::Rollup { columns, .. } => columns.clone_from(&whole),
                // The last one makes the groups; one below it the values that they count.
                Stage::Aggregate { columns, .. } => *columns = std::mem::replace(&mut whole, finer.clone()),
                Stage::MergeSort(_) | Stage::Filter(_) | Stage::Sort(_) | Stage::Limit { .. } => {}
            }
        }
        Ok(Finished { edits: self.edits, stages: self.stages, hidden: self.hidden.len(), notes: self.notes })
    }
}

/// The items of ORDER BY; empty where there is none.
pub(super) fn order_items(query: &Query) -> &[OrderByExpr] {
    match query.order_by.as_ref().map(|order| &order.kind) {
        Some(OrderByKind::Expressions(items)) => items,
        _ => &[],
    }
}

/// Whether an ORDER BY item is DESC.
pub(super) fn is_descending(item: &OrderByExpr) -> bool {
    matches!(item.options.sort, Some(OrderBySort::Desc))
}
