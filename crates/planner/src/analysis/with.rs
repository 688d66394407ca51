//! WITH clauses, whose names are not tables.

use sqlparser::ast::{ObjectName, Query};

/// A WITH clause, as far as its names are known at the place that is being read.
pub(super) struct With {
    /// The names in lower case, in order.
    pub(super) names: Vec<String>,
    /// Where each one's query is, to know it again.
    queries: Vec<*const Query>,
    /// How many of the names can be meant: within the query of one, those before it.
    visible: usize,
    pub(super) recursive: bool,
}

impl With {
    pub(super) fn of(query: &Query) -> Self {
        let tables = || query.with.iter().flat_map(|with| &with.cte_tables);
        let names: Vec<String> = tables().map(|cte| cte.alias.name.value.to_lowercase()).collect();
        let queries = tables().map(|cte| std::ptr::from_ref(&*cte.query)).collect();
        let recursive = query.with.as_ref().is_some_and(|with| with.recursive);
        Self { visible: names.len(), names, queries, recursive }
    }

    /// Notes that the query of one of its names begins, if it is one.
    pub(super) fn enter(&mut self, query: &Query) {
        if let Some(at) = self.queries.iter().position(|known| std::ptr::eq(*known, query)) {
            self.visible = if self.recursive { self.names.len() } else { at };
        }
    }

    /// Notes that a query has ended.
    pub(super) fn leave(&mut self, query: &Query) {
        if self.queries.iter().any(|known| std::ptr::eq(*known, query)) {
            self.visible = self.names.len();
        }
    }

    /// Whether a query is that of one of its names.
    pub(super) fn has(&self, query: &Query) -> bool {
        self.queries.iter().any(|known| std::ptr::eq(*known, query))
    }

    /// Whether a name of a table means one of its queries.
    pub(super) fn names(&self, name: &ObjectName) -> bool {
        let Some(ident) = name.0.first().and_then(|part| part.as_ident()).filter(|_| name.0.len() == 1)
        else {
            return false;
        };
        self.names[..self.visible].contains(&ident.value.to_lowercase())
    }
}
