//! Views that are read: derived tables in their place.

use serval_sql::{Edit, Replacement, Span, Token, tokens};
use sqlparser::ast::Statement;

use super::query::{ViewQuery, quoted};
use super::{Found, Mentions, order};
use crate::analysis::TableRef;
use crate::error::PlanError;
use crate::gather::shown::names_of_template;
use crate::physical::SELECT_ALL;

/// The edits that put derived tables in the place of all views but `target`, which is written through.
pub(super) fn edits(
    mentions: &Mentions<'_>,
    target: Option<usize>,
    found: &mut Found,
    edits: &mut Vec<Edit>,
) -> Result<(), PlanError> {
    let Mentions { parsed, analysis, .. } = mentions;
    let is_read = |at: &usize, view: &TableRef| view.table.table.view.is_some() && target != Some(*at);
    let views: Vec<(usize, &TableRef)> =
        analysis.refs.iter().enumerate().filter(|(at, view)| is_read(at, view)).collect();
    if views.is_empty() {
        return Ok(());
    }
    let first = edits.len();
    let lock = lock(mentions)?;
    for (_, view) in &views {
        found.note(view);
        let text = derived(mentions, view, lock.as_deref())?;
        edits.push(Edit { at: view.name, text });
    }
    edits.extend(prefixes(mentions, &views));
    edits.extend(parsed.table_words.iter().map(|word| Edit { at: *word, text: SELECT_ALL.to_owned() }));
    name_columns(mentions, first, edits);
    if let [(_, only)] = &*views
        && let Statement::Query(query) = &parsed.ast
    {
        edits.extend(order::edit(mentions, query, only)?);
    }
    Ok(())
}

/// Columns of the answer that have no name but their text keep the one that they had before the edits from `first` on.
pub(super) fn name_columns(mentions: &Mentions<'_>, first: usize, edits: &mut Vec<Edit>) {
    let request = mentions.request;
    let changed: Vec<(Span, Replacement)> =
        edits[first..].iter().map(|edit| (edit.at, Replacement::Text(String::new()))).collect();
    let names = names_of_template(request.sql, (request.scan, request.options), &changed, true);
    edits.extend(names.into_iter().filter_map(|(at, name)| match name {
        Replacement::Text(text) => Some(Edit { at, text }),
        Replacement::Slot(_) => None,
    }));
}

/// `(query) AS name`.
fn derived(mentions: &Mentions<'_>, found: &TableRef, lock: Option<&str>) -> Result<String, PlanError> {
    let table = &found.table.table;
    let Some(view) = &table.view else { return Ok(table.name.clone()) };
    let query = ViewQuery::of(view, &table.name)?;
    let mut text = query.text_under(mentions.request.options)?;
    if let Some(lock) = lock.filter(|_| found.block == 0) {
        text.push(' ');
        text.push_str(lock);
    }
    let alias = if found.aliased { String::new() } else { format!(" AS {}", quoted(&found.exposed)) };
    Ok(format!("({text}){alias}"))
}

/// Columns of a derived table are never written with a schema.
fn prefixes(mentions: &Mentions<'_>, views: &[(usize, &TableRef)]) -> Vec<Edit> {
    let analysis = mentions.analysis;
    let of_view = |span: &&Span| {
        let named = analysis.table_prefixes.iter().find(|(at, _)| at.start == span.end);
        named.is_some_and(|(_, name)| views.iter().any(|(_, view)| view.exposed.eq_ignore_ascii_case(name)))
    };
    let prefixes = analysis.schema_prefixes.iter().filter(of_view);
    prefixes.map(|span| Edit { at: *span, text: String::new() }).collect()
}

/// FOR UPDATE and the like behind a statement: they lock rows of its own tables, and those of its views.
fn lock(mentions: &Mentions<'_>) -> Result<Option<String>, PlanError> {
    let Statement::Query(query) = &mentions.parsed.ast else { return Ok(None) };
    if query.locks.is_empty() && mentions.parsed.trailing_lock.is_none() {
        return Ok(None);
    }
    let sql = mentions.request.sql;
    let mut all = tokens(sql, mentions.request.options).unwrap_or_default();
    all.retain(|token| !token.kind.is_comment() && !token.is_symbol(b';'));
    let is = |token: Option<&Token>, words: &[&str]| {
        token.is_some_and(|token| words.iter().any(|word| token.is_word(sql, word)))
    };
    let begins = |at: &usize| {
        is(all.get(*at), &["FOR"]) && is(all.get(at + 1), &["UPDATE", "SHARE"])
            || is(all.get(*at), &["LOCK"]) && is(all.get(at + 1), &["IN"])
    };
    let start = (0..all.len()).rev().find(begins);
    let (Some(start), Some(end)) = (start, all.last()) else { return Ok(None) };
    if all[start..].iter().any(|token| token.is_word(sql, "OF")) {
        return Err(PlanError::refused(
            "FOR UPDATE OF with a view is not supported; leave OF out, or lock the view's tables by name",
        ));
    }
    let span = Span { start: all[start].span.start, end: end.span.end };
    Ok(Some(String::from_utf8_lossy(span.of(sql)).into_owned()))
}
