//! Whether a statement without tables may call a stored function, which can read and write tables by itself: such a
//! statement belongs into the client's transaction, as one with tables does.

use serval_sql::{LexOptions, TokenKind, identifier_value, tokens};

/// Functions and words before a parenthesis that touch no table. What is missing here is taken for stored, which only
/// costs a place in the transaction.
const HARMLESS: &[&str] = &[
    "ABS",
    "ALL",
    "AND",
    "ANY",
    "AS",
    "BETWEEN",
    "BIN",
    "CAST",
    "CEIL",
    "CHAR",
    "CHARACTER_LENGTH",
    "CHARSET",
    "CHAR_LENGTH",
    "COALESCE",
    "COLLATION",
    "CONCAT",
    "CONCAT_WS",
    "CONNECTION_ID",
    "CONVERT",
    "CONVERT_TZ",
    "COUNT",
    "CURDATE",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURRENT_USER",
    "CURTIME",
    "DATABASE",
    "DATE",
    "DATE_ADD",
    "DATE_FORMAT",
    "DATE_SUB",
    "DATETIME",
    "DECIMAL",
    "DISTINCT",
    "DUAL",
    "ELSE",
    "ELT",
    "EXISTS",
    "FIELD",
    "FLOOR",
    "FORMAT",
    "FOUND_ROWS",
    "FROM",
    "FROM_UNIXTIME",
    "GET_LOCK",
    "GREATEST",
    "HEX",
    "IF",
    "IFNULL",
    "IN",
    "INSERT",
    "INSTR",
    "INTERVAL",
    "IS_FREE_LOCK",
    "IS_USED_LOCK",
    "JSON_ARRAY",
    "JSON_EXTRACT",
    "JSON_OBJECT",
    "LAST_INSERT_ID",
    "LCASE",
    "LEAST",
    "LEFT",
    "LENGTH",
    "LIKE",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "LOCATE",
    "LOWER",
    "LPAD",
    "LTRIM",
    "MAX",
    "MD5",
    "MID",
    "MIN",
    "MOD",
    "NOT",
    "NOW",
    "NULLIF",
    "OCTET_LENGTH",
    "ON",
    "OR",
    "PI",
    "POSITION",
    "POW",
    "POWER",
    "QUOTE",
    "RAND",
    "REGEXP",
    "RELEASE_ALL_LOCKS",
    "RELEASE_LOCK",
    "REPEAT",
    "REPLACE",
    "RIGHT",
    "ROUND",
    "ROW_COUNT",
    "RPAD",
    "RTRIM",
    "SCHEMA",
    "SELECT",
    "SESSION_USER",
    "SHA",
    "SHA1",
    "SHA2",
    "SIGN",
    "SIGNED",
    "SLEEP",
    "SOME",
    "SQRT",
    "STR_TO_DATE",
    "SUBSTR",
    "SUBSTRING",
    "SUM",
    "SYSDATE",
    "SYSTEM_USER",
    "THEN",
    "TIME",
    "TIMEDIFF",
    "TIMESTAMP",
    "TIMESTAMPDIFF",
    "TRIM",
    "TRUNCATE",
    "UCASE",
    "UNHEX",
    "UNION",
    "UNIX_TIMESTAMP",
    "UPPER",
    "USER",
    "UTC_DATE",
    "UTC_TIME",
    "UTC_TIMESTAMP",
    "UUID",
    "VALUES",
    "VARCHAR",
    "VERSION",
    "WEIGHT_STRING",
    "WHEN",
    "WHERE",
    "XOR",
    "YEAR",
];

/// Whether the text may call a stored function.
pub(crate) fn may_call_stored(sql: &[u8], options: LexOptions) -> bool {
    let Ok(mut tokens) = tokens(sql, options) else { return true };
    tokens.retain(|token| !token.kind.is_comment());
    tokens.windows(2).any(|pair| {
        pair[1].is_symbol(b'(')
            && match pair[0].kind {
                TokenKind::Word => {
                    let name = pair[0].span.of(sql).to_ascii_uppercase();
                    !HARMLESS.iter().any(|known| known.as_bytes() == name)
                }
                TokenKind::QuotedIdent => !identifier_value(pair[0].span.of(sql)).is_empty(),
                _ => false,
            }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_functions_are_harmless() {
        let check = |sql: &str| may_call_stored(sql.as_bytes(), LexOptions::default());
        for sql in [
            "SELECT 1",
            "SELECT NOW (), CONCAT('f(', 1)",
            "SELECT (1 + 2) * 3",
            "DO SLEEP(1)",
            "SELECT 1 IN (2)",
        ] {
            assert!(!check(sql), "{sql}");
        }
        for sql in ["SELECT f(1)", "SELECT shop.twice (2)", "SELECT `f`(1)", "SELECT NOW(), note('x')"] {
            assert!(check(sql), "{sql}");
        }
    }
}
