//! Whether a statement looks at the clock, so that several servers must be told one instant for it.

use serval_sql::{LexOptions, is_call, tokens};
use serval_types::ColumnType;

use crate::bound::PlanTable;

/// Functions of the statement's instant. Servers take it from `@@timestamp`; SYSDATE() does not.
const FUNCTIONS: [&str; 12] = [
    "CURDATE",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURTIME",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "NOW",
    "UNIX_TIMESTAMP",
    "UTC_DATE",
    "UTC_TIME",
    "UTC_TIMESTAMP",
];

/// Whether the text names a function of the instant.
#[must_use]
pub fn is_named(sql: &[u8], options: LexOptions) -> bool {
    let tokens = tokens(sql, options).unwrap_or_default();
    let is_named = |at: usize, name: &str| tokens[at].is_word(sql, name) || is_call(sql, &tokens, at, name);
    (0..tokens.len()).any(|at| FUNCTIONS.iter().any(|name| is_named(at, name)))
}

/// Whether a write to one of these tables may store the instant by itself: DEFAULT or ON UPDATE CURRENT_TIMESTAMP.
pub(crate) fn is_stored(tables: &[PlanTable]) -> bool {
    let timed = |table: &PlanTable| match &table.table.definition {
        Some(definition) => definition.columns.iter().any(|column| {
            matches!(column.column_type, ColumnType::DateTime { .. } | ColumnType::Timestamp { .. })
        }),
        None => true,
    };
    tables.iter().any(timed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_not_text() {
        let named = |sql: &str| is_named(sql.as_bytes(), LexOptions::default());
        assert!(named("UPDATE t SET a = NOW()"));
        assert!(named("SELECT current_timestamp"));
        assert!(named("SELECT `UNIX_TIMESTAMP`()"));
        assert!(!named("SELECT 'NOW()' AS nowadays"));
        assert!(!named("SELECT `now` FROM t"));
    }
}
