//! The SET that takes a connection from one session's state to another's.
//!
//! `SessionState::difference_from` says what differs; a real connection needs a little more, because the character
//! set variables of a fresh connection come from its handshake and not from the server's defaults: `DEFAULT` would
//! turn utf8mb4 into whatever the server's configuration names. Autocommit is on, whatever the configuration says.

use serval_remote::SessionState;

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

/// The two that move together: setting the first picks the second's default, setting the second picks the first.
const CHARSET: &str = "character_set_connection";
const COLLATION: &str = "collation_connection";

/// What the handshake asks for.
const FRESH_CHARSET: &str = "utf8mb4";
const FRESH_COLLATION: &str = "utf8mb4_general_ci";

/// The assignments, `name=value` each, that turn a connection in state `from` into `to`; empty where they are equal.
pub(crate) fn assignments(from: &SessionState, to: &SessionState) -> Vec<String> {
    if from == to {
        return Vec::new();
    }
    let mut all = connection_charset(from, to);
    for (name, value) in to.iter().filter(|(name, value)| is_plain(name) && from.value(name) != Some(value)) {
        all.push(format!("{name}={value}"));
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
    NO_WAY_BACK.iter().all(|name| state.value(name).is_none())
}

fn is_plain(name: &str) -> bool {
    name != CHARSET && name != COLLATION
}

fn connection_charset(from: &SessionState, to: &SessionState) -> Vec<String> {
    let pair = |state: &SessionState| {
        (state.value(CHARSET).map(str::to_owned), state.value(COLLATION).map(str::to_owned))
    };
    if pair(from) == pair(to) {
        return Vec::new();
    }
    match pair(to) {
        (None, None) => vec![format!("{CHARSET}={FRESH_CHARSET}"), format!("{COLLATION}={FRESH_COLLATION}")],
        (charset, collation) => {
            let charset = charset.map(|value| format!("{CHARSET}={value}"));
            let collation = collation.map(|value| format!("{COLLATION}={value}"));
            charset.into_iter().chain(collation).collect()
        }
    }
}

/// The value of a variable that nobody has set on this connection.
fn fresh(name: &str) -> &'static str {
    match name {
        "character_set_client" | "character_set_results" => FRESH_CHARSET,
        "autocommit" => "1",
        _ if name.starts_with('@') => "NULL",
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
        let latin = [
            ("character_set_client", "latin1"),
            ("character_set_connection", "latin1"),
            ("character_set_results", "latin1"),
        ];
        assert_eq!(
            set(&latin, &[]),
            "SET character_set_connection=utf8mb4, collation_connection=utf8mb4_general_ci, \
             character_set_client=utf8mb4, character_set_results=utf8mb4"
        );
    }

    #[test]
    fn a_collation_is_left_for_its_character_sets_default() {
        let from = [("character_set_connection", "utf8mb4"), ("collation_connection", "utf8mb4_bin")];
        assert_eq!(
            set(&from, &[("character_set_connection", "utf8mb4")]),
            "SET character_set_connection=utf8mb4"
        );
    }

    #[test]
    fn the_rest_is_set_or_reset() {
        assert_eq!(
            set(&[("@a", "1"), ("sql_mode", "''")], &[("time_zone", "'+00:00'")]),
            "SET time_zone='+00:00', @a=NULL, sql_mode=DEFAULT"
        );
        assert!(!is_reversible(&state(&[("last_insert_id", "7")])));
    }
}
