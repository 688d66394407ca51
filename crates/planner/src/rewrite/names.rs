//! What the names and positions of ORDER BY, GROUP BY and HAVING mean.

use sqlparser::ast::{Expr, SelectItem, UnaryOperator};

use super::draft::Draft;
use super::expression::{is_text_cast, item_expr, same, strip, whole_number};
use super::operator::contains;
use crate::error::PlanError;

impl Draft<'_> {
    /// The select item that `expr` of ORDER BY or GROUP BY refers to by ordinal, alias or by saying the same.
    pub(super) fn item(&self, expr: &Expr) -> Result<Option<usize>, PlanError> {
        let items = &self.source.select.projection;
        if let Some(ordinal) = whole_number::<usize>(without_plus(expr)) {
            let wildcard = items.iter().take(ordinal).any(|item| item_expr(item).is_none());
            return match ordinal.checked_sub(1).filter(|&index| index < items.len() && !wildcard) {
                Some(index) => Ok(Some(index)),
                None => Err(PlanError::refused(format!(
                    "Position {ordinal} of ORDER BY or GROUP BY cannot be resolved over several shards; name the column"
                ))),
            };
        }
        let found = self.aliased(expr).or_else(|| self.called(expr)).or_else(|| {
            items.iter().position(|item| item_expr(item).is_some_and(|own| self.same(own, expr)))
        });
        Ok(found.filter(|&index| !self.is_behind_wildcard(index)))
    }

    /// Whether two expressions of the statement say the same. A name with a table and one without are the same column where it is
    /// certain: with USING the latter is both tables'.
    pub(super) fn same(&self, one: &Expr, two: &Expr) -> bool {
        let is_bare = |expr: &Expr| matches!(strip(expr), Expr::Identifier(_));
        let scope = self.source.analysis.root_scope();
        let certain = || {
            let column = scope.column(strip(one));
            scope.refs.len() == 1 || column.is_some() && column == scope.column(strip(two))
        };
        // Where a character set is written, it may be one's alone.
        let charsets = || {
            let sql = self.source.sql.to_ascii_uppercase();
            ["CHARACTER", "CHARSET", "ASCII", "UNICODE"].iter().any(|word| sql.contains(word))
        };
        if contains(one, is_text_cast) && !std::ptr::eq(one, two) && charsets() {
            return false;
        }
        same(one, two) && (is_bare(one) == is_bare(two) || certain())
    }

    /// The first select item that is a column of this name and has no alias.
    fn called(&self, expr: &Expr) -> Option<usize> {
        let Expr::Identifier(name) = strip(expr) else { return None };
        let is_named =
            |item: &SelectItem| column_name(item).is_some_and(|own| own.eq_ignore_ascii_case(&name.value));
        self.source.select.projection.iter().position(is_named)
    }

    /// The select item with the alias that `expr` is. Where several have it, servers take the first that is no column
    /// (of columns only they say that the name is ambiguous).
    pub(super) fn aliased(&self, expr: &Expr) -> Option<usize> {
        let Expr::Identifier(name) = without_plus(expr) else { return None };
        let items = &self.source.select.projection;
        let has_alias = |item: &SelectItem| matches!(item, SelectItem::ExprWithAlias { alias, .. } if alias.value.eq_ignore_ascii_case(&name.value));
        let is_column = |item: &SelectItem| {
            item_expr(item)
                .is_some_and(|own| matches!(strip(own), Expr::Identifier(_) | Expr::CompoundIdentifier(_)))
        };
        let computed = items.iter().position(|item| has_alias(item) && !is_column(item));
        computed.or_else(|| items.iter().position(has_alias))
    }

    /// Whether a wildcard before the item hides at which place its column comes.
    fn is_behind_wildcard(&self, index: usize) -> bool {
        self.source.select.projection.iter().take(index).any(|item| item_expr(item).is_none())
    }
}

/// The name of a select item that is a column and has no alias.
pub(super) fn column_name(item: &SelectItem) -> Option<&str> {
    match item {
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(&name.value),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last().map(|name| &*name.value),
        _ => None,
    }
}

/// An expression as servers look for it: without parentheses and plus signs.
pub(super) fn without_plus(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Plus, expr: inner } => without_plus(inner),
        other => other,
    }
}
