//! Which predicates the nodes can apply before rows are brought: those that speak of one table only.

use std::ops::ControlFlow;

use serval_sql::{Edit, Span, TokenKind, splice};
use serval_types::Value;
use sqlparser::ast::{Expr, Ident, SetExpr, Statement, Visit, Visitor};

use super::Gathering;
use super::segments::Segment;
use crate::analysis::TableRef;
use crate::planner::dml;

/// Functions whose value is another one each time, or on each server.
const UNSTEADY: [&str; 16] = [
    "RAND",
    "UUID",
    "UUID_SHORT",
    "SYS_GUID",
    "RANDOM_BYTES",
    "SLEEP",
    "BENCHMARK",
    "SYSDATE",
    "LAST_INSERT_ID",
    "FOUND_ROWS",
    "ROW_COUNT",
    "CONNECTION_ID",
    "USER",
    "CURRENT_USER",
    "DATABASE",
    "VERSION",
];

impl Gathering<'_> {
    /// The predicates over `found` alone, as text that stands where the table has its exposed name.
    pub(super) fn filters(&self, found: &TableRef) -> Vec<String> {
        let (sql, tokens) = (self.planning.sql, &self.tokens);
        let Some(segment) = self.segments.around_byte(tokens, found.name.start) else { return Vec::new() };
        let mut terms = Vec::new();
        // WHERE judges the rows that an outer join filled up with NULLs as well.
        if !found.nullable {
            terms.extend(self.segments.filters(sql, tokens, segment));
        }
        terms.extend(self.segments.join_filters(sql, tokens, segment, self.token_of(found)));
        terms.into_iter().filter_map(|term| self.filter(found, segment, term)).collect()
    }

    fn filter(&self, found: &TableRef, segment: Segment, term: Span) -> Option<String> {
        let text = self.with_values(term)?;
        let statement = dml(&format!("SELECT 1 FROM t WHERE {text}"), self.planning.options).ok()?;
        let Statement::Query(query) = &statement.ast else { return None };
        let SetExpr::Select(select) = &*query.body else { return None };
        let condition = select.selection.as_ref()?;
        let mut reader = OneTable { gathering: self, found, segment, named: false };
        let only = condition.visit(&mut reader).is_continue();
        (only && reader.named).then(|| format!("({text})"))
    }

    /// The text of a term, with its parameters' values and without schemas before columns; `None` where a value has no
    /// form that is safe to write.
    fn with_values(&self, term: Span) -> Option<String> {
        let inside = |span: &Span| term.start <= span.start && span.end <= term.end;
        let here = |span: Span| Span { start: span.start - term.start, end: span.end - term.start };
        let prefixes = self.analysis.schema_prefixes.iter().filter(|span| inside(span));
        let mut edits: Vec<Edit> =
            prefixes.map(|span| Edit { at: here(*span), text: String::new() }).collect();
        edits.dedup();
        let parameters = self.tokens.iter().filter(|token| token.kind == TokenKind::Parameter).enumerate();
        for (index, token) in parameters.filter(|(_, token)| inside(&token.span)) {
            let text = literal(self.values.parameters.get(index)?)?;
            edits.push(Edit { at: here(token.span), text });
        }
        String::from_utf8(splice(term.of(self.planning.sql), &edits)).ok()
    }

    /// The references of the same SELECT.
    fn beside(&self, segment: Segment) -> impl Iterator<Item = &TableRef> {
        let same = move |found: &&TableRef| {
            self.segments.around_byte(&self.tokens, found.name.start) == Some(segment)
        };
        self.analysis.refs.iter().filter(same)
    }

    /// Whether a bare column name can only be `found`'s.
    fn is_own(&self, found: &TableRef, segment: Segment, name: &str) -> bool {
        let sql = self.planning.sql;
        let foreign = self.segments.has_derived(sql, &self.tokens, segment)
            || self.tokens.iter().any(|token| token.is_word(sql, "WITH"));
        let owns = |other: &TableRef| {
            let definition = other.table.table.definition.as_ref();
            definition.map(|definition| definition.column(name).is_some())
        };
        let mut others = self.beside(segment).filter(|other| other.name != found.name);
        !foreign && owns(found) == Some(true) && others.all(|other| owns(other) == Some(false))
    }
}

/// Breaks where an expression needs more than one table.
struct OneTable<'a> {
    gathering: &'a Gathering<'a>,
    found: &'a TableRef,
    segment: Segment,
    /// A column of the table is named.
    named: bool,
}

impl OneTable<'_> {
    fn column(&mut self, own: bool) -> ControlFlow<()> {
        self.named |= own;
        if own { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn is_qualifier(&self, table: &Ident) -> bool {
        let is = |found: &TableRef| found.exposed.eq_ignore_ascii_case(&table.value);
        let mut beside = self.gathering.beside(self.segment).filter(|found| is(found));
        beside.next().is_some_and(|first| first.name == self.found.name) && beside.next().is_none()
    }
}

impl Visitor for OneTable<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &sqlparser::ast::Query) -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            // A variable, whose value every connection has.
            Expr::Identifier(name) if name.value.starts_with('@') => ControlFlow::Continue(()),
            Expr::Identifier(name) => {
                self.column(self.gathering.is_own(self.found, self.segment, &name.value))
            }
            Expr::CompoundIdentifier(parts) => match &**parts {
                [table, _] => self.column(self.is_qualifier(table)),
                _ => ControlFlow::Break(()),
            },
            Expr::Function(function) => {
                let name = function.name.to_string();
                let steady = !UNSTEADY.iter().any(|known| name.eq_ignore_ascii_case(known));
                if steady { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            }
            Expr::MatchAgainst { .. } | Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => {
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

/// A parameter's value as text, where that needs no quoting.
fn literal(value: &Value) -> Option<String> {
    match value {
        Value::Int(number) => Some(number.to_string()),
        Value::UInt(number) => Some(number.to_string()),
        Value::Text(text) => {
            let plain =
                |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'\'' | b'\\' | b'"') || *byte == b' ';
            let text = std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| plain(&byte)))?;
            Some(format!("'{text}'"))
        }
        _ => None,
    }
}
