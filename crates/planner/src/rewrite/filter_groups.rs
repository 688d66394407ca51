//! `filter_groups`: HAVING over groups that are combined in the proxy.
//!
//! The proxy compares exact numbers with literals and parameters as servers do: COUNT, and SUM, MIN and MAX of integers and DECIMAL.
//! Everything else of an expression is the servers' to compute. AVG is not among them: what servers compare is the
//! quotient with more digits than they show.

use serval_sql::{HoleKind, Replacement};
use serval_types::ColumnType;
use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, SelectItem,
    UnaryOperator,
};

use super::distinct_argument::is_count;
use super::draft::{Draft, Grouping, Stage};
use super::expression::{Decomposable, argument, decomposable, is_name, item_expr, strip};
use super::operator::Operator;
use super::split_aggregate::{combine, selected_key};
use crate::error::PlanError;
use crate::operand::Operand;
use crate::primitive::{ColumnRef, Combine, Comparison, Condition};

pub(super) fn apply(operator: Operator, draft: &mut Draft<'_>) -> Result<Option<String>, PlanError> {
    if operator != Operator::Having || !matches!(draft.grouping, Grouping::Split(_)) {
        return Ok(None);
    }
    let source = draft.source;
    let (Some(having), Some(clause)) = (&source.select.having, source.clauses.having) else {
        return Ok(None);
    };
    let Some(condition) = condition(draft, having)? else { return Ok(None) };
    draft.edits.push((clause, Replacement::Text(String::new())));
    draft.stage(Stage::Filter(condition));
    Ok(Some("its numbers are known, and exact, where groups are combined".to_owned()))
}

/// The condition; `None` where it takes more than comparing numbers.
fn condition(draft: &mut Draft<'_>, expr: &Expr) -> Result<Option<Condition<Operand>>, PlanError> {
    let pair = |draft: &mut Draft<'_>, left: &Expr, right: &Expr| -> Result<_, PlanError> {
        let left = condition(draft, left)?;
        Ok(left.zip(condition(draft, right)?).map(|(left, right)| vec![left, right]))
    };
    Ok(match strip(expr) {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            pair(draft, left, right)?.map(Condition::All)
        }
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
            pair(draft, left, right)?.map(Condition::Any)
        }
        // Without parentheses what NOT belongs to depends on HIGH_NOT_PRECEDENCE.
        Expr::UnaryOp { op: UnaryOperator::Not, expr } if matches!(**expr, Expr::Nested(_)) => {
            condition(draft, expr)?.map(not)
        }
        Expr::BinaryOp { left, op, right } => {
            let Some(how) = comparison(op) else { return Ok(None) };
            match (number(draft, left), number(draft, right)) {
                (None, Some(number)) => compare(draft, left, how, number)?,
                (Some(number), None) => compare(draft, right, how.reversed(), number)?,
                _ => None,
            }
        }
        Expr::Between { expr, negated, low, high } => {
            let (Some(low), Some(high)) = (number(draft, low), number(draft, high)) else { return Ok(None) };
            let from = compare(draft, expr, Comparison::GreaterOrEqual, low)?;
            let to = compare(draft, expr, Comparison::LessOrEqual, high)?;
            let both = from.zip(to).map(|(from, to)| Condition::All(vec![from, to]));
            if *negated { both.map(not) } else { both }
        }
        Expr::IsNull(inner) => column(draft, inner)?.map(Condition::IsNull),
        Expr::IsNotNull(inner) => column(draft, inner)?.map(Condition::IsNull).map(not),
        _ => None,
    })
}

fn not(condition: Condition<Operand>) -> Condition<Operand> {
    Condition::Not(Box::new(condition))
}

fn comparison(op: &BinaryOperator) -> Option<Comparison> {
    Some(match op {
        BinaryOperator::Eq => Comparison::Equal,
        BinaryOperator::NotEq => Comparison::NotEqual,
        BinaryOperator::Lt => Comparison::Less,
        BinaryOperator::LtEq => Comparison::LessOrEqual,
        BinaryOperator::Gt => Comparison::Greater,
        BinaryOperator::GtEq => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

/// A literal that is an integer or a DECIMAL, or a parameter, which may be one.
fn number(draft: &Draft<'_>, expr: &Expr) -> Option<Operand> {
    let (locator, scan) = (draft.source.locator, draft.source.scan);
    let operand = Operand::of(expr, locator, scan)?;
    let Operand::Hole { hole, .. } = operand else { return None };
    matches!(scan.holes[hole].kind, HoleKind::Integer | HoleKind::Decimal | HoleKind::Parameter)
        .then_some(operand)
}

fn compare(
    draft: &mut Draft<'_>,
    expr: &Expr,
    comparison: Comparison,
    number: Operand,
) -> Result<Option<Condition<Operand>>, PlanError> {
    Ok(column(draft, expr)?.map(|column| Condition::Compare { column, comparison, number }))
}

/// The column of exact numbers that an expression of HAVING is: of the select list, a group key there, or an aggregate
/// that is selected beside them.
fn column(draft: &mut Draft<'_>, expr: &Expr) -> Result<Option<ColumnRef>, PlanError> {
    let expr = strip(expr);
    let source = draft.source;
    let items = &source.select.projection;
    if decomposable(expr).is_some() || is_count(expr) {
        if !is_exact(draft, expr) {
            return Ok(None);
        }
        let selected = items.iter().position(|item| item_expr(item).is_some_and(|own| draft.same(own, expr)));
        return match selected {
            Some(index) => Ok(Some(ColumnRef::Visible(index))),
            None => hidden(draft, expr),
        };
    }
    let Expr::Identifier(name) = expr else { return Ok(None) };
    let owned = source.analysis.root_scope().may_own(&name.value);
    let is_called = |item: &&SelectItem| match item {
        SelectItem::ExprWithAlias { alias, .. } => alias.value.eq_ignore_ascii_case(&name.value),
        _ => item_expr(item).is_some_and(|own| draft.same(own, expr)),
    };
    // Of several, servers prefer the one that they group by.
    if items.iter().filter(is_called).count() > 1 {
        return Ok(None);
    }
    let index = match draft.aliased(expr) {
        // A name that is a column as well is one that servers warn about.
        Some(_) if owned => None,
        Some(index) => Some(index),
        None => items.iter().position(|item| item_expr(item).is_some_and(|own| draft.same(own, expr))),
    };
    let Some((index, own)) = index.and_then(|index| Some((index, item_expr(&items[index])?))) else {
        return Ok(None);
    };
    let is_known = decomposable(own).is_some() || is_count(own) || is_key(draft, own)?;
    Ok((is_known && is_exact(draft, own)).then_some(ColumnRef::Visible(index)))
}

/// An aggregate of a column, or COUNT(*): its text is that of its tree.
fn hidden(draft: &mut Draft<'_>, expr: &Expr) -> Result<Option<ColumnRef>, PlanError> {
    let Some((_, function)) = decomposable(expr) else { return Ok(None) };
    let fits =
        argument(function).map_or_else(|| counts_rows(&function.args), |argument| is_name(strip(argument)));
    if !fits {
        return Ok(None);
    }
    let text = expr.to_string();
    match combine(draft, expr, &text)? {
        Some(combine @ (Combine::Sum | Combine::Min { .. } | Combine::Max { .. })) => {
            draft.hide(text, combine).map(Some)
        }
        _ => Ok(None),
    }
}

fn counts_rows(args: &FunctionArguments) -> bool {
    matches!(args, FunctionArguments::List(list)
        if matches!(&*list.args, [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]))
}

fn is_key(draft: &Draft<'_>, expr: &Expr) -> Result<bool, PlanError> {
    match &draft.source.select.group_by {
        // In rows of ROLLUP, what servers take a key to be that is never NULL elsewhere is theirs to say.
        GroupByExpr::Expressions(keys, modifiers) if modifiers.is_empty() => {
            Ok(selected_key(draft, keys, expr)?.is_some())
        }
        GroupByExpr::Expressions(..) | GroupByExpr::All(_) => Ok(false),
    }
}

/// Whether its values are integers or DECIMAL.
fn is_exact(draft: &Draft<'_>, expr: &Expr) -> bool {
    let scope = draft.source.analysis.root_scope();
    let of_column = |expr: &Expr| {
        matches!(scope.declared(strip(expr)), Some(ColumnType::Int { .. } | ColumnType::Decimal { .. }))
    };
    match decomposable(expr) {
        Some((Decomposable::Count, _)) => true,
        Some((Decomposable::Avg, _)) => false,
        Some((Decomposable::Sum | Decomposable::Min | Decomposable::Max, function)) => {
            argument(function).is_some_and(of_column)
        }
        None => is_count(expr) || of_column(expr),
    }
}
