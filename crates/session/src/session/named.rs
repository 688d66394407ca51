//! The locks of GET_LOCK that a session may hold.

/// How many names are remembered; with more, the session keeps its connection until RELEASE_ALL_LOCKS.
const MOST_NAMES: usize = 256;

/// The locks that a session may hold. Which it does hold is asked of the server.
#[derive(Debug, Default)]
pub(crate) struct NamedLocks {
    /// As literals.
    names: Vec<String>,
    /// Some name is not known here.
    unknown: bool,
}

impl NamedLocks {
    /// Notes a name that GET_LOCK was called with; `None` for one that is computed.
    pub(crate) fn add(&mut self, name: Option<String>) {
        match name {
            Some(name) if self.names.contains(&name) => {}
            Some(name) if self.names.len() < MOST_NAMES => self.names.push(name),
            _ => self.unknown = true,
        }
    }

    /// No lock is held.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// A statement that was nothing but RELEASE_ALL_LOCKS() is done, so that none is held but those whose names are asked for.
    pub(crate) fn forget_unknown(&mut self) {
        self.unknown = false;
    }

    /// The query that asks the server which are held: the connection's id, and one column for each name.
    pub(crate) fn question(&self) -> String {
        let held = self.names.iter().map(|name| format!(", IS_USED_LOCK({name}) <=> CONNECTION_ID()"));
        format!("SELECT CONNECTION_ID(){}", held.collect::<String>())
    }

    /// Keeps the names for which the answer to the question says so.
    pub(crate) fn keep(&mut self, is_held: impl Fn(usize) -> bool) {
        let mut column = 0;
        self.names.retain(|_| {
            column += 1;
            is_held(column)
        });
    }

    /// Whether nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty() && !self.unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_asked_for_in_their_order() {
        let mut locks = NamedLocks::default();
        locks.add(Some("'a'".into()));
        locks.add(Some("'b'".into()));
        locks.add(Some("'a'".into()));
        let question = locks.question();
        assert_eq!(
            question,
            "SELECT CONNECTION_ID(), IS_USED_LOCK('a') <=> CONNECTION_ID(), IS_USED_LOCK('b') <=> CONNECTION_ID()"
        );
        locks.keep(|column| column == 2);
        assert_eq!(locks.question(), "SELECT CONNECTION_ID(), IS_USED_LOCK('b') <=> CONNECTION_ID()");
    }

    #[test]
    fn a_computed_name_is_never_taken_for_released() {
        let mut locks = NamedLocks::default();
        locks.add(None);
        locks.keep(|_| false);
        assert!(!locks.is_empty());
        locks.clear();
        assert!(locks.is_empty());
    }
}
