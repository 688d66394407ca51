//! The SET that takes a connection from one session's state to another's.
//!
//! What a session no longer sets goes back to what a fresh connection has. For the character set variables that comes
//! from the handshake and not from the server's defaults: `DEFAULT` would turn utf8mb4 into whatever the server's
//! configuration names. Autocommit is on, whatever the configuration says.

use serval_remote::{NAMES, SessionState};

/// Variables that a server gives no DEFAULT for, or whose DEFAULT is not what a fresh connection has. A connection
/// that has one set is not handed to another session.
const NO_WAY_BACK: [&str; 7] = [
    "identity",
    "insert_id",
    "last_insert_id",
    "pseudo_thread_id",
    "rand_seed1",
    "rand_seed2",
    "pseudo_slave_mode",
];

/// The variables that SET NAMES sets, in an order in which none undoes another: setting a connection's character set
/// picks its default collation, and setting the collation picks the character set.
const CHARSETS: [&str; 4] =
    ["character_set_connection", "collation_connection", "character_set_client", "character_set_results"];

/// What a user variable is that nobody has set. A bare NULL would leave it the type of its last value, which result
/// columns show and which would differ from connection to connection.
const UNSET: &str = "CAST(NULL AS BINARY)";

/// What the handshake asks for.
const FRESH_NAMES: &str = "'utf8mb4' COLLATE 'utf8mb4_general_ci'";

/// The assignments, `name=value` or `NAMES …` each, that turn a connection in state `from` into `to`; empty where they are equal.
pub(crate) fn assignments(from: &SessionState, to: &SessionState) -> Vec<String> {
    if from == to {
        return Vec::new();
    }
    let mut all = charsets(from, to);
    for (name, value) in to.iter().filter(|(name, value)| is_plain(name) && from.value(name) != Some(value)) {
        let is_null = name.starts_with('@') && value.eq_ignore_ascii_case("NULL");
        all.push(format!("{name}={}", if is_null { UNSET } else { value }));
    }
    for (name, _) in from.iter().filter(|(name, _)| is_plain(name) && to.value(name).is_none()) {
        all.push(format!("{name}={}", fresh(name)));
    }
    all
}

/// The statement that carries them.
pub(crate) fn statement(assignments: &[String]) -> String {
    format!("SET {}", assignments.join(", "))
}

/// Whether a connection in this state can be brought to any other.
pub(crate) fn is_reversible(state: &SessionState) -> bool {
    // A session sets a few variables, if any.
    state.iter().all(|(name, _)| !NO_WAY_BACK.contains(&name))
}

fn is_plain(name: &str) -> bool {
    name != NAMES && !CHARSETS.contains(&name)
}

/// All of them, whatever differs. SET NAMES also sets the collation that result columns are marked with, which no
/// variable shows, so it is the only way to a known state.
fn charsets(from: &SessionState, to: &SessionState) -> Vec<String> {
    if [NAMES].iter().chain(&CHARSETS).all(|name| from.value(name) == to.value(name)) {
        return Vec::new();
    }
    let names = format!("NAMES {}", to.value(NAMES).unwrap_or(FRESH_NAMES));
    let after = CHARSETS.iter().filter_map(|name| Some(format!("{name}={}", to.value(name)?)));
    std::iter::once(names).chain(after).collect()
}

/// The value of a variable that nobody has set on this connection.
fn fresh(name: &str) -> &'static str {
    match name {
        "autocommit" => "1",
        _ if name.starts_with('@') => UNSET,
        _ => "DEFAULT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(variables: &[(&str, &str)]) -> SessionState {
        variables.iter().fold(SessionState::default(), |state, (name, value)| state.with(name, value))
    }

    fn set(from: &[(&str, &str)], to: &[(&str, &str)]) -> String {
        statement(&assignments(&state(from), &state(to)))
    }

    #[test]
    fn equal_states_need_nothing() {
        assert!(assignments(&state(&[("sql_mode", "''")]), &state(&[("sql_mode", "''")])).is_empty());
    }

    #[test]
    fn character_sets_go_back_to_the_handshakes() {
        let latin = [(NAMES, "'latin1'")];
        assert_eq!(set(&latin, &[]), "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_general_ci'");
        assert_eq!(set(&[], &latin), "SET NAMES 'latin1'");
    }

    #[test]
    fn what_was_set_after_names_comes_after_it() {
        let to =
            [(NAMES, "'utf8mb4'"), ("character_set_results", "NULL"), ("collation_connection", "latin1_bin")];
        assert_eq!(
            set(&[(NAMES, "'utf8mb4'")], &to),
            "SET NAMES 'utf8mb4', collation_connection=latin1_bin, character_set_results=NULL"
        );
        assert_eq!(set(&to, &[(NAMES, "'utf8mb4'")]), "SET NAMES 'utf8mb4'");
    }

    #[test]
    fn the_rest_is_set_or_reset() {
        assert_eq!(
            set(&[("@a", "1"), ("sql_mode", "''")], &[("time_zone", "'+00:00'")]),
            "SET time_zone='+00:00', @a=CAST(NULL AS BINARY), sql_mode=DEFAULT"
        );
        assert!(!is_reversible(&state(&[("last_insert_id", "7")])));
    }
}
