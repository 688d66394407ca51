//! `inline_with`: a query of WITH that is read once, in the place where it is read.
//!
//! `WITH c AS (SELECT …) SELECT … FROM c` reads the same rows as `SELECT … FROM (SELECT …) AS c`, whose predicates can then
//! be pushed into it. What reads it twice reads the same rows twice, even where they depend on chance, and stays as it is;
//! so does what calls itself.

use std::ops::ControlFlow;

use serval_sql::{Edit, Span};
use sqlparser::ast::{Cte, Ident, ObjectName, Query, Statement, TableFactor, Visit, Visitor, With};

use super::super::Gathering;
use super::super::temporary::quoted;
use crate::bound::Note;

/// MariaDB has not room for more in a WITH.
const MOST_QUERIES: usize = 60;

impl Gathering<'_> {
    /// The next query of WITH that can stand where it is read.
    pub(super) fn inline(&self) -> Option<(Vec<Edit>, Note)> {
        let Statement::Query(query) = &self.planning.parsed.ast else { return None };
        let with = query.with.as_ref().filter(|with| !with.recursive)?;
        let mut mentions = Mentions::default();
        let _ = query.visit(&mut mentions);
        // What is wrong with the list is for the server to say.
        if mentions.withs != 1 || with.cte_tables.len() > MOST_QUERIES || names_twice(&with.cte_tables) {
            return None;
        }
        let candidates = with.cte_tables.iter().enumerate();
        candidates.into_iter().find_map(|(at, cte)| {
            let only = mentions.only(&cte.alias.name)?;
            let plain = cte.alias.columns.is_empty() && cte.materialized.is_none() && cte.from.is_none();
            // In its new place later names of the list would be in sight.
            let mut inner = Mentions::default();
            let _ = cte.query.visit(&mut inner);
            let captured = with.cte_tables.iter().skip(at + 1).any(|later| inner.names(&later.alias.name));
            let edits = (plain && !captured).then(|| self.moved(with, at, &only, &mentions)).flatten()?;
            let reason =
                format!("{} is read once, so its query may stand where it is read", cte.alias.name.value);
            Some((edits, Note { rewrite: "inline_with", reason }))
        })
    }

    fn moved(&self, with: &With, at: usize, mention: &Mention, mentions: &Mentions) -> Option<Vec<Edit>> {
        let cte = with.cte_tables.get(at)?;
        let name = self.token_at(self.place_of(&cte.alias.name))?;
        let (open, close) = self.parentheses_after(name)?;
        let inner = Span { start: self.tokens[open].span.end, end: self.tokens[close].span.start };
        let text = self.with_values(inner, Vec::new())?;
        let alias =
            if mention.aliased { String::new() } else { format!(" AS {}", quoted(&cte.alias.name.value)) };
        let mut edits = vec![Edit { at: self.place_of(&mention.name), text: format!("({text}){alias}") }];
        let (first, last) = (self.tokens[name].span.start, self.tokens[close].span.end);
        let removed = match with.cte_tables.len() {
            1 => {
                let word = self.planning.parsed.locator.span(with.with_token.0.span).start;
                Span { start: word, end: last }
            }
            // With the comma behind it, or before it where it is the last.
            _ if at == 0 => Span { start: first, end: self.tokens.get(close + 1)?.span.end },
            _ => Span { start: self.tokens.get(name.checked_sub(1)?)?.span.start, end: last },
        };
        // A query that another one of the list reads moves into that one, whose text must not move at the same time.
        edits.push(Edit { at: removed, text: String::new() });
        // A mention before the query is another table's. One inside of a query that is read twice would be read twice.
        let place = mention.at(self);
        let last = with.cte_tables.last().and_then(|last| self.token_at(self.place_of(&last.alias.name)))?;
        let end = self.tokens[self.parentheses_after(last)?.1].span.end;
        let behind = place >= removed.end && (place > end || self.is_read_once(with, mentions, place)?);
        behind.then_some(edits)
    }

    /// Whether the query of WITH that stands around a place is named once.
    fn is_read_once(&self, with: &With, mentions: &Mentions, place: u32) -> Option<bool> {
        for cte in &with.cte_tables {
            let (open, close) = self.parentheses_after(self.token_at(self.place_of(&cte.alias.name))?)?;
            if self.tokens[open].span.end <= place && place < self.tokens[close].span.start {
                return Some(mentions.only(&cte.alias.name).is_some());
            }
        }
        Some(true)
    }

    /// The token that stands at a place.
    pub(super) fn token_at(&self, place: Span) -> Option<usize> {
        self.tokens.iter().position(|token| token.span.start == place.start)
    }

    /// The first parentheses behind a token.
    pub(super) fn parentheses_after(&self, token: usize) -> Option<(usize, usize)> {
        let open = (token + 1..self.tokens.len()).find(|&at| self.tokens[at].is_symbol(b'('))?;
        Some((open, serval_sql::closing(&self.tokens, open)?))
    }
}

/// Whether two queries of WITH have the same name.
fn names_twice(queries: &[Cte]) -> bool {
    let mut names: Vec<String> = queries.iter().map(|cte| cte.alias.name.value.to_lowercase()).collect();
    names.sort();
    names.windows(2).any(|pair| pair[0] == pair[1])
}

/// A name in FROM.
#[derive(Clone)]
struct Mention {
    name: Ident,
    aliased: bool,
}

impl Mention {
    fn at(&self, gathering: &Gathering<'_>) -> u32 {
        gathering.place_of(&self.name).start
    }
}

/// The names in FROM that have no schema.
#[derive(Default)]
struct Mentions {
    withs: usize,
    all: Vec<Mention>,
}

impl Mentions {
    /// Whether a name is among them.
    fn names(&self, name: &Ident) -> bool {
        self.all.iter().any(|mention| mention.name.value.eq_ignore_ascii_case(&name.value))
    }

    /// The only mention of a name.
    fn only(&self, name: &Ident) -> Option<Mention> {
        let is = |mention: &&Mention| mention.name.value.eq_ignore_ascii_case(&name.value);
        let mut found = self.all.iter().filter(is);
        let only = found.next()?;
        found.next().is_none().then(|| only.clone())
    }
}

impl Visitor for Mentions {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.withs += usize::from(query.with.is_some());
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, alias, .. } = factor
            && let Some(name) = alone(name)
        {
            self.all.push(Mention { name: name.clone(), aliased: alias.is_some() });
        }
        ControlFlow::Continue(())
    }
}

/// A name without a schema.
fn alone(name: &ObjectName) -> Option<&Ident> {
    match &*name.0 {
        [part] => part.as_ident(),
        _ => None,
    }
}
