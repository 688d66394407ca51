//! What a client has SET, in a form that a backend connection can be brought to.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The entry of `SET NAMES`, for example `'utf8mb4' COLLATE 'utf8mb4_bin'`.
pub const NAMES: &str = "names";

/// The session variables that differ from a fresh backend connection's, by name, with the SQL text of each value.
///
/// Names are lower-case system variables (`sql_mode`) or user variables with their sign (`@total`). Values are SQL
/// literals (`'STRICT_ALL_TABLES'`, `1`), already accepted by a server. Cloning is cheap, and two clones compare by pointer first.
///
/// `SET NAMES` is kept as what stands behind the word, under [`NAMES`]: it also sets the collation that result columns
/// are marked with, for which there is no variable. Character set variables beside it were set after it.
#[derive(Debug, Clone, Default)]
pub struct SessionState {
    variables: Arc<BTreeMap<Box<str>, Box<str>>>,
}

impl SessionState {
    /// This state with one variable changed.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut variables = BTreeMap::clone(&self.variables);
        variables.insert(name.to_ascii_lowercase().into(), value.into());
        Self { variables: Arc::new(variables) }
    }

    /// This state with one variable back at the server's own value.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        let mut variables = BTreeMap::clone(&self.variables);
        variables.remove(name.to_ascii_lowercase().as_str());
        Self { variables: Arc::new(variables) }
    }

    /// The SQL text of a variable's value, where this session set one.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|value| &**value)
    }

    /// All variables in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (&**name, &**value))
    }
}

impl PartialEq for SessionState {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.variables, &other.variables) || self.variables == other.variables
    }
}

impl Eq for SessionState {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_variables_compare_without_case() {
        let one = SessionState::default().with("time_zone", "'+00:00'");
        assert_eq!(one, SessionState::default().with("TIME_ZONE", "'+00:00'"));
        assert_eq!(one.without("Time_Zone"), SessionState::default());
    }
}
