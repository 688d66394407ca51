//! The queries inside of a statement that may come as their results.

use std::collections::HashSet;
use std::ops::ControlFlow;

use serval_sql::Span;
use sqlparser::ast::{Query, SetExpr, Statement, TableFactor, Visit, Visitor};

use super::super::Gathering;

/// A query inside of a statement.
pub(super) struct Candidate {
    /// Between its parentheses.
    pub(super) inner: Span,
    /// The name of the derived table that it is.
    pub(super) derived: Option<String>,
    /// A server takes no LIMIT in it.
    pub(super) compared: bool,
}

impl Gathering<'_> {
    /// The queries inside of the statement, without those inside of another one that is taken.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        let Statement::Query(query) = &self.planning.parsed.ast else { return Vec::new() };
        let mut finder = Finder {
            gathering: self,
            depth: 0,
            aliases: Vec::new(),
            listed: Vec::new(),
            names: HashSet::new(),
            found: Vec::new(),
        };
        let _ = query.visit(&mut finder);
        finder.found
    }

    fn candidate(&self, query: &Query, aliases: &[(u32, String)]) -> Option<Candidate> {
        let SetExpr::Select(select) = &*query.body else { return None };
        let word = self.planning.parsed.locator.span(select.select_token.0.span);
        let open = self.token_at(word)?.checked_sub(1).filter(|&at| self.tokens[at].is_symbol(b'('))?;
        let close = serval_sql::closing(&self.tokens, open)?;
        let inner = Span { start: self.tokens[open].span.end, end: self.tokens[close].span.start };
        let sql = self.planning.sql;
        let before = |word: &str| open > 0 && self.tokens[open - 1].is_word(sql, word);
        // Of a query of WITH that is read twice the columns would be announced as others than its tables'.
        if before("EXISTS") || before("AS") || before("MATERIALIZED") {
            return None;
        }
        let compared = ["IN", "ANY", "ALL", "SOME"].iter().any(|word| before(word));
        let derived = aliases.iter().find(|(start, _)| *start == word.start).map(|(_, name)| name.clone());
        Some(Candidate { inner, derived, compared })
    }
}

/// Finds them, from the outside in.
struct Finder<'g, 'a> {
    gathering: &'g Gathering<'a>,
    depth: usize,
    /// The derived tables that were met, by where their SELECT stands.
    aliases: Vec<(u32, String)>,
    /// Those that have a list of columns.
    listed: Vec<u32>,
    /// The names of the statement's WITH clauses.
    names: HashSet<String>,
    found: Vec<Candidate>,
}

impl Visitor for Finder<'_, '_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.depth += 1;
        if let Some(with) = &query.with {
            if with.recursive {
                self.found.clear();
                return ControlFlow::Break(());
            }
            self.names.extend(with.cte_tables.iter().map(|cte| cte.alias.name.value.to_lowercase()));
        }
        let is_listed = match &*query.body {
            SetExpr::Select(select) => {
                let word = self.gathering.planning.parsed.locator.span(select.select_token.0.span).start;
                self.listed.contains(&word)
            }
            _ => false,
        };
        if self.depth > 1
            && !is_listed
            && !reads(query, &self.names)
            && let Some(candidate) = self.gathering.candidate(query, &self.aliases)
        {
            self.found.push(candidate);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Derived { subquery, alias: Some(alias), lateral: false, sample: None } = factor
            && let SetExpr::Select(select) = &*subquery.body
        {
            let word = self.gathering.planning.parsed.locator.span(select.select_token.0.span).start;
            // A list of columns is not in what types are asked with.
            if alias.columns.is_empty() {
                self.aliases.push((word, alias.name.value.clone()));
            } else {
                self.listed.push(word);
            }
        }
        ControlFlow::Continue(())
    }
}

/// Whether a query reads one of WITH by its name.
fn reads(query: &Query, names: &HashSet<String>) -> bool {
    struct Reads<'n>(&'n HashSet<String>);
    impl Visitor for Reads<'_> {
        type Break = ();

        fn pre_visit_relation(&mut self, name: &sqlparser::ast::ObjectName) -> ControlFlow<()> {
            match &*name.0 {
                [part] if part.as_ident().is_some_and(|name| self.0.contains(&name.value.to_lowercase())) => {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    query.visit(&mut Reads(names)).is_break()
}
