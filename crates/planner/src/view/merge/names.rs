//! The names of a statement whose view is merged into it: the view's columns become what they stand for.

use std::ops::ControlFlow;

use serval_sql::{Edit, Span};
use sqlparser::ast::{Expr, Ident};

use super::super::query::quoted;
use super::Merge;
use crate::analysis::expressions_at_depth;
use crate::clauses::Clauses;

/// The columns that the statement names.
pub(super) struct Names<'a> {
    merge: &'a Merge<'a>,
    clauses: &'a Clauses,
    edits: Vec<Edit>,
    fits: bool,
}

impl<'a> Names<'a> {
    /// The edits that put the view's expressions in the place of its columns; `None` where a name would come to mean
    /// something else.
    pub(super) fn edits(merge: &'a Merge<'a>, clauses: &'a Clauses) -> Option<Vec<Edit>> {
        let mut names = Self { merge, clauses, edits: Vec::new(), fits: true };
        let _ = expressions_at_depth(merge.query, |expr, depth| {
            match expr {
                Expr::Identifier(name) => names.unqualified(name, depth),
                Expr::CompoundIdentifier(parts) => names.qualified(parts),
                _ => {}
            }
            if names.fits { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        names.fits.then_some(names.edits)
    }

    fn unqualified(&mut self, name: &Ident, depth: usize) {
        let Merge { body, view, mentions, .. } = *self.merge;
        let Some(source) = body.source(&name.value) else {
            // It would mean a column that the view does not show.
            self.fits &= depth > 1 || !body.has_hidden(&name.value);
            return;
        };
        if depth > 1 {
            // It may be the subquery's own, or this one: the same name means the same only where it stays.
            self.fits &= source.is_column(&name.value);
            return;
        }
        let others = mentions.analysis.refs.iter().enumerate().filter(|(at, _)| *at != self.merge.at);
        let ambiguous = others.filter(|(_, other)| other.block == 0).any(|(_, other)| {
            let definition = other.table.table.definition.as_deref();
            definition.is_none_or(|definition| definition.column(&name.value).is_some())
        });
        if ambiguous || self.merge.is_alias(&name.value) {
            self.fits = false;
            return;
        }
        let at = mentions.parsed.locator.span(name.span);
        self.put(at, source.text(&view.exposed), name);
    }

    fn qualified(&mut self, parts: &[Ident]) {
        let Merge { body, view, mentions, .. } = *self.merge;
        let ([table, name] | [_, table, name]) = parts else { return };
        if !table.value.eq_ignore_ascii_case(&view.exposed) {
            self.fits &= !self.merge.is_hidden(table);
            return;
        }
        let Some(source) = body.source(&name.value) else {
            self.fits = false;
            return;
        };
        let locator = &mentions.parsed.locator;
        let at = Span { start: locator.span(parts[0].span).start, end: locator.span(name.span).end };
        self.put(at, source.text(&view.exposed), name);
    }

    /// Puts the expression in the column's place; a column of the answer keeps its name.
    fn put(&mut self, at: Span, text: String, name: &Ident) {
        // There a number would be a position of the select list.
        let clauses = [&self.clauses.order_by, &self.clauses.group_by];
        let is_key = clauses.into_iter().flatten().any(|clause| clause.span.covers(at));
        let bare = text.trim_matches(['(', ')', '+', ' ']);
        if is_key && bare.bytes().all(|byte| byte.is_ascii_digit()) {
            self.fits = false;
            return;
        }
        let items = self.clauses.items.iter().zip(&self.clauses.named);
        let is_item = items.filter(|(_, named)| !**named).any(|(item, _)| *item == at);
        let text = if is_item { format!("{text} AS {}", quoted(&name.value)) } else { text };
        self.edits.push(Edit { at, text });
    }
}
