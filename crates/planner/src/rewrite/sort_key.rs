//! Sort keys: what the proxy compares so that its order is the servers'.
//!
//! The proxy has no collations. Text compares by `WEIGHT_STRING`, computed by the node. Its trailing spaces follow
//! the collation: NO PAD weights compare as they are; for PAD SPACE collations of one level whose weight of a space
//! is known, shorter weights are continued with it; for all others the node pads to the column's length. ENUM and SET
//! sort by number, FLOAT is widened because its text loses digits, TIMESTAMP becomes a number because its text is
//! ambiguous when clocks go back.

use std::ops::ControlFlow;

use serval_types::{Collation, ColumnType, Pad};
use sqlparser::ast::{Expr, JoinConstraint, visit_expressions};

use super::computed::{Collated, Computed, Text};
use super::draft::{Draft, Grouping, is_descending, order_items};
use super::expression::{Decomposable, decomposable, is_aggregate, is_named, strip};
use super::operator::contains;
use super::unsorted::{drawn, too_long, uncertain, unknown_text};
use super::weight::{
    FILLED_CHARACTERS, SESSION_CHARACTERS, SORTED_BYTES, SORTED_CHARACTERS, filled, is_continued,
    padded_by_servers, space_weight,
};
use crate::analysis::{Scope, constraint};
use crate::error::PlanError;
use crate::primitive::{ColumnRef, Combine, Padding, SortKey};
use crate::statement::copies::NOT_DETERMINISTIC;

/// The key of the `index`-th ORDER BY item of a statement whose nodes sort by it.
pub(super) fn order_key(draft: &mut Draft<'_>, index: usize) -> Result<SortKey, PlanError> {
    let item = &order_items(draft.source.query)[index];
    let descending = is_descending(item);
    let (visible, expr, text) = match draft.item(&item.expr)? {
        Some(at) => {
            let (expr, text) = draft.item_source(at).ok_or_else(unknown_text)?;
            (Some(at), expr, text)
        }
        None => match draft.aliased(&item.expr).and_then(|at| draft.item_source(at)) {
            // Behind a wildcard the item's place is not known, but its value is.
            Some((expr, text)) => (None, expr, text),
            None => {
                refuse_alias_inside(draft, &item.expr)?;
                refuse_shared_name(draft, &item.expr)?;
                (None, &item.expr, draft.order_text(index).ok_or_else(unknown_text)?)
            }
        },
    };
    key(draft, expr, &text, visible, descending)
}

/// ORDER BY can compute with an alias (`ORDER BY k + 1`), but the select list, where the hidden column goes, cannot.
fn refuse_alias_inside(draft: &Draft<'_>, expr: &Expr) -> Result<(), PlanError> {
    let scope = draft.source.analysis.root_scope();
    let found = visit_expressions(expr, |inner| match inner {
        Expr::Identifier(name) if !scope.may_own(&name.value) && draft.aliased(inner).is_some() => {
            ControlFlow::Break(name.value.clone())
        }
        _ => ControlFlow::Continue(()),
    });
    match found {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(alias) => Err(PlanError::refused(format!(
            "ORDER BY over several shards cannot compute with the alias {alias}; write what it stands for"
        ))),
    }
}

/// ORDER BY finds a name in the select list first, `*` included; where several tables have it, the hidden column would not.
fn refuse_shared_name(draft: &Draft<'_>, expr: &Expr) -> Result<(), PlanError> {
    let scope = draft.source.analysis.root_scope();
    let joins = draft.source.select.from.iter().flat_map(|from| &from.joins);
    let mut constraints = joins.filter_map(|join| constraint(&join.join_operator));
    let coalesced = constraints
        .any(|constraint| matches!(constraint, JoinConstraint::Using(_) | JoinConstraint::Natural));
    match strip(expr) {
        Expr::Identifier(name) if !coalesced && scope.is_owned(expr) && scope.column(expr).is_none() => {
            Err(PlanError::refused(format!(
                "{name} in ORDER BY is a column of several tables; write which one's over several shards"
            )))
        }
        _ => Ok(()),
    }
}

/// The key of groups, or of rows of which one is left: as [`key`], but of a value that servers round where they group by it.
pub(super) fn group_key(
    draft: &mut Draft<'_>,
    expr: &Expr,
    text: &str,
    visible: Option<usize>,
    descending: bool,
) -> Result<SortKey, PlanError> {
    let scope = draft.source.analysis.root_scope();
    if !is_column(scope, strip(expr)) && Computed::of(scope, expr) == Some(Computed::Short) {
        return Err(PlanError::refused(format!(
            "Rows of several shards cannot be grouped by {text}, which servers round to the decimals that they print; group by \
             ROUND of it"
        )));
    }
    key(draft, expr, text, visible, descending)
}

/// The key for an expression with this text, which may also be a column that the client sees.
pub(super) fn key(
    draft: &mut Draft<'_>,
    expr: &Expr,
    text: &str,
    visible: Option<usize>,
    descending: bool,
) -> Result<SortKey, PlanError> {
    let mut make = Maker { draft, expr, text, visible, descending };
    let scope = make.draft.source.analysis.root_scope();
    if let Expr::Collate { expr: inner, collation } = strip(expr) {
        let declared =
            scope.column(inner).and_then(|column| scope.column_type(column.table, &column.name).cloned());
        let length = declared.as_ref().and_then(length);
        return make.text(Some(&Collation::new(&collation.to_string())), length);
    }
    if !is_column(scope, strip(expr)) {
        return make.expression();
    }
    let Some(declared) = scope.declared(expr).cloned() else {
        return Err(PlanError::refused(format!(
            "The type of column {text} is not known, so rows of several shards cannot be sorted by it; write its \
             definition to the schema snapshot (serval snapshot)"
        )));
    };
    match declared {
        ColumnType::Text { length, collation } => make.text(collation.as_ref(), length),
        ColumnType::Enum { .. } | ColumnType::Set { .. } | ColumnType::Bit { .. } => {
            make.derived(format!("CAST(({text}) AS UNSIGNED)"))
        }
        other => match Computed::of_column(&other) {
            Some(computed) => make.computed(&computed),
            None => Err(too_long(text)),
        },
    }
}

struct Maker<'d, 'a> {
    draft: &'d mut Draft<'a>,
    expr: &'d Expr,
    text: &'d str,
    visible: Option<usize>,
    descending: bool,
}

impl Maker<'_, '_> {
    /// A value that compares by its own type.
    fn plain(&mut self) -> Result<SortKey, PlanError> {
        let value = self.value()?;
        Ok(self.finish(value, None, Padding::None))
    }

    /// Another value with the same order.
    fn derived(&mut self, sql: String) -> Result<SortKey, PlanError> {
        let value = self.hide(sql)?;
        Ok(self.finish(value, None, Padding::None))
    }

    fn text(&mut self, collation: Option<&Collation>, length: Option<u32>) -> Result<SortKey, PlanError> {
        let length =
            length.filter(|&length| length <= SORTED_CHARACTERS).ok_or_else(|| too_long(self.text))?;
        let Some(collation) = collation else {
            return Err(PlanError::refused(format!(
                "The collation of {} is not known, so rows of several shards cannot be sorted by it; write the \
                 table's definition to the schema snapshot (serval snapshot)",
                self.text
            )));
        };
        let value = self.value()?;
        let servers = self.draft.source.catalog.servers;
        let (padding, weight) = match (collation.pad(), space_weight(collation.name())) {
            (Pad::None, _) => (Padding::None, format!("WEIGHT_STRING({})", self.text)),
            (Pad::Space, Some(space)) => {
                (Padding::Weight(space.to_vec()), format!("WEIGHT_STRING({})", self.text))
            }
            (Pad::Space, None) if length > FILLED_CHARACTERS => return Err(too_long(self.text)),
            (Pad::Space, None) => (Padding::None, filled(self.text, length, servers)),
        };
        let weight = self.hide(weight)?;
        Ok(self.finish(value, Some(weight), padding))
    }

    /// An expression that is no column.
    fn expression(&mut self) -> Result<SortKey, PlanError> {
        let scope = self.draft.source.analysis.root_scope();
        if contains(self.expr, is_drawn) {
            let of_row = matches!(strip(self.expr), Expr::Function(function) if is_named(function, "RAND"));
            // Any order is one that this may have.
            return if of_row && self.draft.grouping == Grouping::None {
                self.plain()
            } else {
                Err(drawn(self.text))
            };
        }
        let Some(computed) = Computed::of(scope, self.expr) else {
            // What is no column at all is the servers' to refuse.
            return if names_nothing(scope, self.expr) { self.plain() } else { Err(uncertain(self.text)) };
        };
        self.computed(&computed)
    }

    /// A value of which it is certain what it is.
    fn computed(&mut self, computed: &Computed) -> Result<SortKey, PlanError> {
        let text = self.text;
        match computed {
            Computed::Null | Computed::Exact | Computed::Quotient | Computed::Double | Computed::Rounded => {
                self.plain()
            }
            Computed::Date | Computed::DateTime | Computed::Time => self.plain(),
            Computed::Float | Computed::Short => self.derived(format!("({text})+0e0")),
            Computed::Timestamp => self.derived(format!("UNIX_TIMESTAMP({text})")),
            Computed::Bits => Err(uncertain(text)),
            Computed::Binary(length) if *length > SORTED_BYTES => Err(too_long(text)),
            Computed::Binary(_) => self.plain(),
            Computed::Text(_) if is_extreme(self.expr) => Err(PlanError::refused(format!(
                "{text} is text, whose order over several shards is not known; let a [scratch] server finish the statement"
            ))),
            Computed::Text(of) => self.computed_text(of),
        }
    }

    fn computed_text(&mut self, of: &Text) -> Result<SortKey, PlanError> {
        let text = self.text;
        let fits = |most: u32| of.characters <= most;
        // Weights that are too long are refused when they come; a scratch server would take them, too.
        let alone = self.draft.source.catalog.scratch.is_none();
        match &of.collated {
            Collated::BySession if !of.low && (fits(SESSION_CHARACTERS) || alone) => {
                self.weighed(format!("WEIGHT_STRING({text})"))
            }
            Collated::By(collation) if fits(SORTED_CHARACTERS) || alone && is_continued(collation) => {
                self.text(Some(collation), Some(of.characters.min(SORTED_CHARACTERS)))
            }
            _ if !fits(SORTED_CHARACTERS) => Err(too_long(text)),
            Collated::Mixed => Err(PlanError::refused(format!(
                "{text} mixes collations, so rows of several shards cannot be sorted by it; sort by a column"
            ))),
            _ if !fits(FILLED_CHARACTERS) => Err(too_long(text)),
            _ => self.weighed(padded_by_servers(text, self.draft.source.catalog.servers)),
        }
    }

    /// A value beside a weight that is continued with nothing.
    fn weighed(&mut self, weight: String) -> Result<SortKey, PlanError> {
        let value = self.value()?;
        let weight = self.hide(weight)?;
        Ok(self.finish(value, Some(weight), Padding::None))
    }

    fn value(&mut self) -> Result<ColumnRef, PlanError> {
        match self.visible {
            Some(index) => Ok(ColumnRef::Visible(index)),
            None => self.hide(self.text.to_owned()),
        }
    }

    /// A hidden column; in a grouped statement inside MIN, because only_full_group_by does not see that it follows
    /// from the group's key.
    fn hide(&mut self, sql: String) -> Result<ColumnRef, PlanError> {
        let grouped = self.draft.grouping != Grouping::None && !contains(self.expr, is_aggregate);
        self.draft.hide(if grouped { format!("MIN({sql})") } else { sql }, Combine::First)
    }

    fn finish(&self, value: ColumnRef, weight: Option<ColumnRef>, padding: Padding) -> SortKey {
        SortKey { value, weight, padding, descending: self.descending }
    }
}

/// Whether an expression is a column, its table certain or not. Other names are the servers' to refuse.
pub(super) fn is_column(scope: Scope<'_>, expr: &Expr) -> bool {
    match expr {
        Expr::Identifier(name) => scope.may_own(&name.value),
        other => scope.column(other).is_some(),
    }
}

fn length(declared: &ColumnType) -> Option<u32> {
    match declared {
        ColumnType::Text { length, .. } => *length,
        _ => None,
    }
}

/// Whether an expression is a call whose value is another one each time.
fn is_drawn(expr: &Expr) -> bool {
    matches!(expr, Expr::Function(function) if NOT_DETERMINISTIC.iter().any(|name| is_named(function, name)))
}

/// Whether an expression has a name that no table of the statement can own.
fn names_nothing(scope: Scope<'_>, expr: &Expr) -> bool {
    if contains(expr, |inner| matches!(inner, Expr::Subquery(_))) {
        return false;
    }
    let unknown = |inner: &Expr| match inner {
        Expr::Identifier(name) => !name.value.starts_with('@') && !scope.may_own(&name.value),
        Expr::CompoundIdentifier(_) => scope.column(inner).is_none(),
        _ => false,
    };
    let found = visit_expressions(expr, |inner| {
        if unknown(inner) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    !scope.opaque && found.is_break()
}

/// Whether an expression is MIN or MAX, of whose text servers give no weight.
fn is_extreme(expr: &Expr) -> bool {
    matches!(decomposable(strip(expr)), Some((Decomposable::Min | Decomposable::Max, _)))
}
