//! Which columns of each table a statement can need: all whose names stand anywhere in it.

use std::collections::HashSet;
use std::mem::{Discriminant, discriminant};

use serval_catalog::ColumnDef;
use serval_sql::{TokenKind, identifier_value};
use serval_types::ColumnType;

use super::Gathering;
use crate::clauses::MODIFIERS;
use crate::error::PlanError;

/// The names in a statement's text.
pub(super) struct Named {
    /// Every word and quoted identifier, in lower case.
    words: HashSet<String>,
    /// For each reference, whether a `*` takes all of its columns.
    all_of: Vec<bool>,
    /// Names that stand beside `=`, `USING (` or `IN (SELECT`: columns that rows are found by.
    compared: HashSet<String>,
    /// `DEFAULT(column)` is asked for.
    defaults: bool,
}

impl Named {
    pub(super) fn of(gathering: &Gathering<'_>) -> Result<Self, PlanError> {
        let (sql, tokens) = (gathering.planning.sql, &gathering.tokens);
        let name = |at: usize| gathering.name(at);
        let words: HashSet<String> = (0..tokens.len()).filter_map(name).collect();
        let natural = tokens.iter().any(|token| token.is_word(sql, "NATURAL"));
        let refs = &gathering.analysis.refs;
        let mut all_of = vec![natural; refs.len()];
        for at in (1..tokens.len()).filter(|&at| tokens[at].is_symbol(b'*')) {
            let before = &tokens[at - 1];
            let qualifier = if before.is_symbol(b'.') { at.checked_sub(2).and_then(name) } else { None };
            let wildcard = qualifier.is_some()
                || before.is_symbol(b',')
                || before.is_word(sql, "SELECT")
                || MODIFIERS.iter().any(|word| before.is_word(sql, word));
            if !wildcard {
                continue;
            }
            let segment = gathering.segments.around(at);
            for (found, all) in refs.iter().zip(&mut all_of) {
                let here = gathering.segments.around_byte(tokens, found.name.start) == segment;
                let meant = qualifier.as_ref().is_none_or(|name| found.exposed.to_lowercase() == *name);
                *all |= here && meant;
            }
        }
        for word in &gathering.analysis.table_words {
            let behind = refs.iter().enumerate().filter(|(_, found)| found.name.start > word.start);
            if let Some((index, _)) = behind.min_by_key(|(_, found)| found.name.start) {
                all_of[index] = true;
            }
        }
        let compared = compared(gathering);
        let asks = |at: &usize| {
            tokens[*at].is_word(sql, "DEFAULT") && tokens.get(at + 1).is_some_and(|next| next.is_symbol(b'('))
        };
        let defaults = (0..tokens.len()).any(|at| asks(&at));
        Ok(Self { words, all_of, compared, defaults })
    }

    /// The columns of a reference that are brought, in their order; at least one.
    pub(super) fn columns<'d>(&self, index: usize, columns: &'d [ColumnDef]) -> Vec<&'d ColumnDef> {
        let needed = |column: &&ColumnDef| {
            self.words.contains(&column.name.to_lowercase()) || self.all_of[index] && !column.invisible
        };
        let found: Vec<&ColumnDef> = columns.iter().filter(needed).collect();
        // Servers make no table without a column that is shown.
        let shown = columns.iter().find(|column| !column.invisible).or(columns.first());
        if found.is_empty() { shown.into_iter().collect() } else { found }
    }

    /// Also where the statement does not ask for them.
    pub(super) fn with_defaults(mut self, defaults: bool) -> Self {
        self.defaults |= defaults;
        self
    }

    /// Whether the tables need their defaults.
    pub(super) fn asks_defaults(&self) -> bool {
        self.defaults
    }

    /// Whether rows are looked for by a column.
    pub(super) fn is_compared(&self, column: &str) -> bool {
        self.compared.contains(&column.to_lowercase())
    }
}

/// The names on either side of an `=` between two columns of one kind, and those of USING and IN.
fn compared(gathering: &Gathering<'_>) -> HashSet<String> {
    let (sql, tokens) = (gathering.planning.sql, &gathering.tokens);
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is_word(sql, word));
    let dotted = |at: usize| tokens.get(at).is_some_and(|token| token.is_symbol(b'.'));
    // The last part of the name that begins at a token.
    let last_part = |mut at: usize| {
        while dotted(at + 1) {
            at += 2;
        }
        gathering.name(at)
    };
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Symbol(b'=') if at > 0 => {
                if let (Some(left), Some(right)) = (gathering.name(at - 1), last_part(at + 1)) {
                    found.push((left, right));
                }
            }
            TokenKind::Word if is(at, "IN") && is(at + 2, "SELECT") => {
                let before = at.checked_sub(1).and_then(|at| gathering.name(at));
                if let (Some(left), Some(right)) = (before, last_part(at + 3)) {
                    found.push((left, right));
                }
            }
            TokenKind::Word if is(at, "USING") => {
                let listed = tokens[at..].iter().take_while(|token| !token.is_symbol(b')')).count();
                let names = (at + 1..at + listed).filter_map(|at| gathering.name(at));
                found.extend(names.map(|name| (name.clone(), name)));
            }
            _ => {}
        }
    }
    let alike = |(left, right): &&(String, String)| are_alike(gathering, left, right);
    let unlike: HashSet<&String> =
        found.iter().filter(|pair| !alike(pair)).flat_map(|(left, right)| [left, right]).collect();
    let names = found.iter().flat_map(|(left, right)| [left, right]).filter(|name| !unlike.contains(name));
    names.cloned().collect()
}

/// Whether all columns of these names hold values of one kind. Servers convert what they look for in an index to its
/// column, and then find 0 where they look for 0.1, or the year 2004 where they look for 4.
fn are_alike(gathering: &Gathering<'_>, left: &str, right: &str) -> bool {
    let kinds = |name: &str| -> Vec<Discriminant<ColumnType>> {
        let definitions =
            gathering.analysis.refs.iter().filter_map(|found| found.table.table.definition.as_deref());
        let columns = definitions.filter_map(|definition| definition.column(name));
        columns.map(|column| discriminant(&column.column_type)).collect()
    };
    let (left, right) = (kinds(left), kinds(right));
    left.iter().all(|kind| right.iter().all(|other| kind == other))
}

impl Gathering<'_> {
    /// The name that a token is, in lower case.
    pub(super) fn name(&self, at: usize) -> Option<String> {
        let token = self.tokens.get(at)?;
        let text = token.span.of(self.planning.sql);
        match token.kind {
            TokenKind::Word => Some(String::from_utf8_lossy(text).to_lowercase()),
            TokenKind::QuotedIdent => Some(String::from_utf8_lossy(&identifier_value(text)).to_lowercase()),
            _ => None,
        }
    }
}
