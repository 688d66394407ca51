//! Isolation and READ ONLY: of the session, of the next transaction, and of the one that is open.

use std::sync::Arc;

use serval_catalog::Catalog;
use serval_remote::{Backend, SessionState};
use serval_sql::may_call_stored;
use serval_types::MysqlError;

use super::{Ready, Session};
use crate::flavour::Flavour;

/// Characteristics of one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Characteristics {
    /// For example `READ-COMMITTED`.
    pub(crate) isolation: Option<String>,
    /// READ ONLY or READ WRITE.
    pub(crate) read_only: Option<bool>,
}

impl<B: Backend> Session<B> {
    /// With `autocommit = 0` the first statement opens a transaction, with what SET TRANSACTION said of it.
    pub(crate) fn begin_if_implicit(&mut self, catalog: &Arc<Catalog>) {
        if !self.autocommit && !self.transaction.is_open() {
            self.begin(begin_sql(self.next_transaction.read_only, false), catalog);
        }
    }

    /// [`Session::begin_if_implicit`] before a statement that touches tables, or may.
    pub(crate) fn begin_for(&mut self, catalog: &Arc<Catalog>, ready: &Ready, sql: &[u8]) {
        if !self.autocommit && (!ready.plan.tables().is_empty() || may_call_stored(sql, self.options)) {
            self.begin_if_implicit(catalog);
        }
    }

    /// The state that connections are brought to for the next statement: what was SET, and what SET TRANSACTION said
    /// of this transaction only.
    pub(crate) fn effective_state(&self) -> SessionState {
        let Characteristics { isolation, read_only } = &self.next_transaction;
        let mut state = self.state.clone();
        let flavour = self.proxy.flavour();
        if let Some(begun) = &self.begun {
            // A group that joins later begins as the first one did: SET SESSION TRANSACTION is of the next transaction.
            for name in [flavour.isolation_variable(), flavour.read_only_variable()] {
                state = match begun.value(name) {
                    value if value == state.value(name) => continue,
                    Some(value) => state.with(name, value),
                    None => state.without(name),
                };
            }
        }
        if let Some(isolation) = isolation {
            state = state.with(flavour.isolation_variable(), &format!("'{isolation}'"));
        }
        if let (Some(read_only), false) = (read_only, self.transaction.is_open()) {
            state = state.with(flavour.read_only_variable(), if *read_only { "1" } else { "0" });
        }
        state
    }

    /// What was SET of transactions that do not say it themselves.
    pub(super) fn begins_read_only(&self) -> bool {
        let variable = self.state.value(self.proxy.flavour().read_only_variable());
        self.next_transaction.read_only.unwrap_or(variable.is_some_and(is_on))
    }

    /// The isolation level that variables show, as SQL, where a connection of the session has another one: what SET TRANSACTION
    /// said of one transaction is in no variable, and what was SET inside of a transaction is shown at once.
    pub(crate) fn shown_isolation(&self) -> Option<String> {
        let name = self.proxy.flavour().isolation_variable();
        Some(match self.shown(name)? {
            Some(literal) => format!("'{}'", isolation_level(literal)?),
            None => format!("@@global.{name}"),
        })
    }

    /// [`Session::shown_isolation`] of READ ONLY.
    pub(crate) fn shown_read_only(&self) -> Option<String> {
        let name = self.proxy.flavour().read_only_variable();
        Some(match self.shown(name)? {
            Some(literal) => if is_on(literal) { "1" } else { "0" }.to_owned(),
            None => format!("@@global.{name}"),
        })
    }

    /// What was SET of a variable, where connections have another value; `None` in it where nothing was.
    fn shown(&self, name: &str) -> Option<Option<&str>> {
        if self.begun.is_none() && self.next_transaction == Characteristics::default() {
            return None;
        }
        let set = self.state.value(name);
        (self.effective_state().value(name) != set).then_some(set)
    }
}

/// Whether a statement ends with this error before it uses its tables. What SET TRANSACTION said is then for the next:
/// read only (1792), no such table, or two of one name; on MySQL columns that are not there or ambiguous, too.
pub(crate) fn has_not_run(error: &MysqlError, flavour: Flavour) -> bool {
    match error.number {
        1064 | 1066 | 1146 | 1792 => true,
        1052 | 1054 => !flavour.is_mariadb(),
        _ => false,
    }
}

/// The statement that begins a transaction.
pub(crate) fn begin_sql(read_only: Option<bool>, snapshot: bool) -> &'static str {
    match (snapshot, read_only) {
        (false, None) => "START TRANSACTION",
        (false, Some(true)) => "START TRANSACTION READ ONLY",
        (false, Some(false)) => "START TRANSACTION READ WRITE",
        (true, None) => "START TRANSACTION WITH CONSISTENT SNAPSHOT",
        (true, Some(true)) => "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        (true, Some(false)) => "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ WRITE",
    }
}

/// The name of an isolation level that was written as a literal: its name or its number.
pub(crate) fn isolation_level(literal: &str) -> Option<&'static str> {
    const LEVELS: [&str; 4] = ["READ-UNCOMMITTED", "READ-COMMITTED", "REPEATABLE-READ", "SERIALIZABLE"];
    let named = LEVELS.iter().find(|level| level.eq_ignore_ascii_case(literal.trim_matches('\'')));
    named.or_else(|| LEVELS.get(literal.parse::<usize>().ok()?)).copied()
}

/// Whether a literal says ON.
fn is_on(literal: &str) -> bool {
    ["1", "'1'", "ON", "'ON'"].iter().any(|on| literal.eq_ignore_ascii_case(on))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_names_and_numbers() {
        assert_eq!(isolation_level("'read-committed'"), Some("READ-COMMITTED"));
        assert_eq!(isolation_level("3"), Some("SERIALIZABLE"));
        assert_eq!(isolation_level("4"), None);
        assert_eq!(isolation_level("'snapshot'"), None);
    }
}
