//! What a server has already agreed to, so that it may be sent again without waiting for the answer.

use std::collections::HashSet;

use parking_lot::RwLock;

/// Sessions that invent values (`SET timestamp = …`) must not grow the sets for ever.
const LIMIT: usize = 1024;

/// Databases, assignments and BEGINs that one server has answered with OK since it was last seen down.
///
/// A statement runs even if what was sent before it failed, so only what is in here may share a write with it.
#[derive(Debug, Default)]
pub(crate) struct Accepted {
    databases: Texts,
    assignments: Texts,
    begins: Texts,
}

/// A bounded set of texts, read far more often than written.
#[derive(Debug, Default)]
struct Texts(RwLock<HashSet<Box<str>>>);

impl Accepted {
    pub(crate) fn has_database(&self, name: &str) -> bool {
        self.databases.contains(name)
    }

    pub(crate) fn has_assignments(&self, assignments: &[String]) -> bool {
        let known = self.assignments.0.read();
        assignments.iter().all(|assignment| known.contains(assignment.as_str()))
    }

    pub(crate) fn has_begin(&self, sql: &str) -> bool {
        self.begins.contains(sql)
    }

    pub(crate) fn add_database(&self, name: &str) {
        self.databases.add(name);
    }

    pub(crate) fn add_assignments(&self, assignments: &[String]) {
        for assignment in assignments {
            self.assignments.add(assignment);
        }
    }

    pub(crate) fn add_begin(&self, sql: &str) {
        self.begins.add(sql);
    }

    /// Forgets everything: the server was replaced or restarted, or refused what it had accepted before.
    pub(crate) fn clear(&self) {
        for texts in [&self.databases, &self.assignments, &self.begins] {
            texts.0.write().clear();
        }
    }
}

impl Texts {
    fn contains(&self, text: &str) -> bool {
        self.0.read().contains(text)
    }

    fn add(&self, text: &str) {
        if self.contains(text) {
            return;
        }
        let mut texts = self.0.write();
        if texts.len() >= LIMIT {
            texts.clear();
        }
        texts.insert(text.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_assignments_must_be_known() {
        let accepted = Accepted::default();
        accepted.add_assignments(&["a=1".to_owned()]);
        assert!(accepted.has_assignments(&["a=1".to_owned()]));
        assert!(!accepted.has_assignments(&["a=1".to_owned(), "b=1".to_owned()]));
        accepted.clear();
        assert!(!accepted.has_assignments(&["a=1".to_owned()]));
    }

    #[test]
    fn the_sets_stay_bounded() {
        let accepted = Accepted::default();
        for number in 0..3 * LIMIT {
            accepted.add_database(&format!("db{number}"));
        }
        assert!(accepted.databases.0.read().len() <= LIMIT);
    }
}
