//! Variables of the session that are about its connection to Serval, and that no server must see.
//!
//! `sql_select_limit` is here because Serval's own questions to servers must not be cut; statements of the client carry
//! it with them. A server that was told `wait_timeout = 1` would close the connections that Serval keeps to it, one that was told
//! `completion_type = CHAIN` would open transactions nobody asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use serval_catalog::TransactionMode;
use serval_types::MysqlError;

/// What such a variable takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A number within these bounds; what lies outside is moved to the nearest.
    Number(u64, u64),
    /// NO_CHAIN, CHAIN or RELEASE, or their numbers.
    Completion,
    /// A transaction mode, as the config writes it.
    Transaction,
}

const VARIABLES: [(&str, Kind); 8] = [
    ("completion_type", Kind::Completion),
    ("interactive_timeout", Kind::Number(1, 31_536_000)),
    ("net_read_timeout", Kind::Number(1, 31_536_000)),
    ("net_retry_count", Kind::Number(1, u64::MAX)),
    ("net_write_timeout", Kind::Number(1, 31_536_000)),
    ("serval_transaction", Kind::Transaction),
    ("sql_select_limit", Kind::Number(0, u64::MAX)),
    ("wait_timeout", Kind::Number(1, 31_536_000)),
];

/// The values of one COMMIT's ends, in the order of their numbers.
const COMPLETIONS: [&str; 3] = ["NO_CHAIN", "CHAIN", "RELEASE"];

/// What the session has set of them, as SHOW VARIABLES shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Own {
    values: BTreeMap<&'static str, String>,
}

impl Own {
    /// Whether a variable is one of them; its name as it is kept.
    pub(crate) fn find(name: &str) -> Option<&'static str> {
        VARIABLES.iter().find(|(known, _)| *known == name).map(|(known, _)| *known)
    }

    /// The value that was set.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// All that were set.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.values.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Whether a variable's value is a number.
    pub(crate) fn is_number(name: &str) -> bool {
        VARIABLES.iter().any(|(known, kind)| *known == name && matches!(kind, Kind::Number(..)))
    }

    /// Sets a variable to a literal; `None` is its default.
    ///
    /// # Errors
    /// 1231 and 1232, as servers say them.
    pub(crate) fn set(&mut self, name: &str, literal: Option<&str>) -> Result<(), MysqlError> {
        let Some((name, kind)) = VARIABLES.iter().find(|(known, _)| *known == name) else { return Ok(()) };
        let Some(literal) = literal else {
            self.values.remove(name);
            return Ok(());
        };
        let text = literal.trim_matches('\'');
        let value = match kind {
            Kind::Number(least, most) => {
                let number = literal.parse::<i128>().map_err(|_| wrong_type(name))?;
                number.clamp(i128::from(*least), i128::from(*most)).to_string()
            }
            Kind::Completion => {
                let number = literal.parse::<usize>().ok();
                let named = COMPLETIONS.iter().position(|known| known.eq_ignore_ascii_case(text));
                let chosen = named.or(number).and_then(|at| COMPLETIONS.get(at));
                (*chosen.ok_or_else(|| wrong_value(name, text))?).to_owned()
            }
            Kind::Transaction => {
                let word = text.to_ascii_lowercase();
                mode(&word).map(|_| word).ok_or_else(|| wrong_value(name, text))?
            }
        };
        self.values.insert(name, value);
        Ok(())
    }

    /// How transactions over several groups end, where the client said so.
    pub(crate) fn transaction(&self) -> Option<TransactionMode> {
        self.value("serval_transaction").and_then(mode)
    }

    /// How long the client may be silent, where it said so.
    pub(crate) fn idle(&self) -> Option<Duration> {
        self.value("wait_timeout").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs)
    }
}

/// The mode that a word names.
fn mode(word: &str) -> Option<TransactionMode> {
    match word {
        "atomic" => Some(TransactionMode::Atomic),
        "best_effort" => Some(TransactionMode::BestEffort),
        "single" => Some(TransactionMode::Single),
        _ => None,
    }
}

/// ER_WRONG_VALUE_FOR_VAR.
pub(crate) fn wrong_value(name: &str, value: &str) -> MysqlError {
    let message = format!("Variable '{name}' can't be set to the value of '{value}'");
    MysqlError { number: 1231, sqlstate: *b"42000", message }
}

/// ER_WRONG_TYPE_FOR_VAR.
pub(crate) fn wrong_type(name: &str) -> MysqlError {
    let message = format!("Incorrect argument type to variable '{name}'");
    MysqlError { number: 1232, sqlstate: *b"42000", message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked_as_servers_do() {
        let mut own = Own::default();
        own.set("wait_timeout", Some("0")).unwrap();
        assert_eq!(own.value("wait_timeout"), Some("1"));
        assert_eq!(own.set("wait_timeout", Some("'x'")).unwrap_err().number, 1232);
        own.set("completion_type", Some("'chain'")).unwrap();
        assert_eq!(own.value("completion_type"), Some("CHAIN"));
        own.set("completion_type", Some("2")).unwrap();
        assert_eq!(own.value("completion_type"), Some("RELEASE"));
        assert_eq!(own.set("completion_type", Some("5")).unwrap_err().number, 1231);
        own.set("serval_transaction", Some("'Single'")).unwrap();
        assert_eq!(own.transaction(), Some(TransactionMode::Single));
        assert_eq!(own.set("serval_transaction", Some("'xa'")).unwrap_err().number, 1231);
        own.set("serval_transaction", None).unwrap();
        assert_eq!(own.transaction(), None);
        own.set("completion_type", None).unwrap();
        assert_eq!(own.value("completion_type"), None);
    }

    #[test]
    fn they_are_sorted() {
        assert!(VARIABLES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
