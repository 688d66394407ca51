//! Whether a statement may call a stored function, which can read and write tables by itself.

use crate::{LexOptions, TokenKind, identifier_value, tokens};

/// Servers' own functions, and words that stand before a parenthesis otherwise. What is missing here is taken for
/// stored, which costs a read its replica and a group a part in the commit, but never an answer.
#[rustfmt::skip]
const OWN: [&str; 417] = [
    "ABS", "ACOS", "ADDDATE", "ADDTIME", "ADD_MONTHS", "AES_DECRYPT", "AES_ENCRYPT", "AGAINST", "ALL", "AND",
    "ANY", "ANY_VALUE", "AS", "ASIN", "ATAN", "ATAN2", "AVG", "BENCHMARK", "BETWEEN", "BIN", "BINARY",
    "BIN_TO_UUID", "BIT_AND", "BIT_COUNT", "BIT_LENGTH", "BIT_OR", "BIT_XOR", "BY", "CASE", "CAST", "CEIL",
    "CEILING", "CHAR", "CHARACTER_LENGTH", "CHARSET", "CHAR_LENGTH", "CHECK", "CHR", "COALESCE", "COERCIBILITY",
    "COLLATION", "COLUMN_CHECK", "COLUMN_CREATE", "COLUMN_EXISTS", "COLUMN_GET", "COLUMN_JSON", "COLUMN_LIST",
    "COMPRESS", "CONCAT", "CONCAT_WS", "CONNECTION_ID", "CONV", "CONVERT", "CONVERT_TZ", "COS", "COT", "COUNT",
    "CRC32", "CRC32C", "CUBE", "CUME_DIST", "CURDATE", "CURRENT_DATE", "CURRENT_ROLE", "CURRENT_TIME",
    "CURRENT_TIMESTAMP", "CURRENT_USER", "CURTIME", "DATABASE", "DATE", "DATEDIFF", "DATETIME", "DATE_ADD",
    "DATE_FORMAT", "DATE_SUB", "DAY", "DAYNAME", "DAYOFMONTH", "DAYOFWEEK", "DAYOFYEAR", "DEC", "DECIMAL",
    "DECODE", "DEGREES", "DENSE_RANK", "DES_DECRYPT", "DES_ENCRYPT", "DISTINCT", "DISTINCTROW", "DIV", "DOUBLE",
    "DUAL", "ELSE", "ELT", "ENCODE", "ENCRYPT", "END", "ESCAPE", "EXCEPT", "EXISTS", "EXP", "EXPORT_SET",
    "EXTRACT", "EXTRACTVALUE", "FIELD", "FIND_IN_SET", "FIRST_VALUE", "FLOAT", "FLOOR", "FOR", "FORMAT",
    "FOUND_ROWS", "FROM", "FROM_BASE64", "FROM_DAYS", "FROM_UNIXTIME", "GEOMETRYCOLLECTION", "GET_FORMAT",
    "GET_LOCK", "GREATEST", "GROUP", "GROUPING", "GROUP_CONCAT", "HAVING", "HEX", "HOUR", "IF", "IFNULL",
    "IGNORE", "IN", "INDEX", "INET6_ATON", "INET6_NTOA", "INET_ATON", "INET_NTOA", "INSERT", "INSTR",
    "INTERSECT", "INTERVAL", "INTO", "IS", "ISNULL", "IS_FREE_LOCK", "IS_IPV4", "IS_IPV4_COMPAT",
    "IS_IPV4_MAPPED", "IS_IPV6", "IS_USED_LOCK", "IS_UUID", "JOIN", "JSON_ARRAY", "JSON_ARRAYAGG",
    "JSON_ARRAY_APPEND", "JSON_ARRAY_INSERT", "JSON_COMPACT", "JSON_CONTAINS", "JSON_CONTAINS_PATH",
    "JSON_DEPTH", "JSON_DETAILED", "JSON_EQUALS", "JSON_EXISTS", "JSON_EXTRACT", "JSON_INSERT", "JSON_KEYS",
    "JSON_LENGTH", "JSON_LOOSE", "JSON_MERGE", "JSON_MERGE_PATCH", "JSON_MERGE_PRESERVE", "JSON_NORMALIZE",
    "JSON_OBJECT", "JSON_OBJECTAGG", "JSON_OVERLAPS", "JSON_PRETTY", "JSON_QUERY", "JSON_QUOTE", "JSON_REMOVE",
    "JSON_REPLACE", "JSON_SEARCH", "JSON_SET", "JSON_STORAGE_SIZE", "JSON_TABLE", "JSON_TYPE", "JSON_UNQUOTE",
    "JSON_VALID", "JSON_VALUE", "KEY", "LAG", "LAST_DAY", "LAST_INSERT_ID", "LAST_VALUE", "LATERAL", "LCASE",
    "LEAD", "LEAST", "LEFT", "LENGTH", "LIKE", "LIMIT", "LINESTRING", "LN", "LOAD_FILE", "LOCALTIME",
    "LOCALTIMESTAMP", "LOCATE", "LOG", "LOG10", "LOG2", "LOWER", "LPAD", "LTRIM", "MAKEDATE", "MAKETIME",
    "MAKE_SET", "MATCH", "MAX", "MBRCONTAINS", "MBRINTERSECTS", "MBRWITHIN", "MD5", "MEDIAN", "MICROSECOND",
    "MID", "MIN", "MINUTE", "MOD", "MONTH", "MONTHNAME", "MULTIPOINT", "MULTIPOLYGON", "NAME_CONST",
    "NATURAL_SORT_KEY", "NCHAR", "NOT", "NOW", "NTH_VALUE", "NTILE", "NULLIF", "NUMERIC", "NVL", "NVL2", "OCT",
    "OCTET_LENGTH", "OF", "OFFSET", "ON", "OR", "ORD", "ORDER", "OVER", "PARTITION", "PASSWORD",
    "PERCENTILE_CONT", "PERCENTILE_DISC", "PERCENT_RANK", "PERIOD_ADD", "PERIOD_DIFF", "PI", "POINT", "POLYGON",
    "POSITION", "POW", "POWER", "QUARTER", "QUOTE", "RADIANS", "RAND", "RANDOM_BYTES", "RANK", "REAL", "REGEXP",
    "REGEXP_INSTR", "REGEXP_LIKE", "REGEXP_REPLACE", "REGEXP_SUBSTR", "RELEASE_ALL_LOCKS", "RELEASE_LOCK",
    "REPEAT", "REPLACE", "REVERSE", "RIGHT", "RLIKE", "ROLLUP", "ROUND", "ROW", "ROWNUM", "ROW_COUNT",
    "ROW_NUMBER", "RPAD", "RTRIM", "SCHEMA", "SECOND", "SEC_TO_TIME", "SELECT", "SEPARATOR", "SESSION_USER",
    "SET", "SFORMAT", "SHA", "SHA1", "SHA2", "SIGN", "SIGNED", "SIN", "SLEEP", "SOME", "SOUNDEX", "SPACE",
    "SQRT", "STATEMENT_DIGEST", "STATEMENT_DIGEST_TEXT", "STD", "STDDEV", "STDDEV_POP", "STDDEV_SAMP",
    "STRAIGHT_JOIN", "STRCMP", "STR_TO_DATE", "ST_AREA", "ST_ASBINARY", "ST_ASGEOJSON", "ST_ASTEXT", "ST_ASWKB",
    "ST_ASWKT", "ST_BUFFER", "ST_CENTROID", "ST_CONTAINS", "ST_CROSSES", "ST_DIFFERENCE", "ST_DIMENSION",
    "ST_DISJOINT", "ST_DISTANCE", "ST_DISTANCE_SPHERE", "ST_ENDPOINT", "ST_ENVELOPE", "ST_EQUALS",
    "ST_GEOMFROMGEOJSON", "ST_GEOMFROMTEXT", "ST_GEOMFROMWKB", "ST_INTERSECTION", "ST_INTERSECTS", "ST_ISEMPTY",
    "ST_ISSIMPLE", "ST_ISVALID", "ST_LATITUDE", "ST_LENGTH", "ST_LONGITUDE", "ST_NUMPOINTS", "ST_OVERLAPS",
    "ST_POINTFROMTEXT", "ST_POINTN", "ST_SRID", "ST_TOUCHES", "ST_UNION", "ST_WITHIN", "ST_X", "ST_Y",
    "SUBDATE", "SUBSTR", "SUBSTRING", "SUBSTRING_INDEX", "SUBTIME", "SUM", "SYSDATE", "SYSTEM_USER", "SYS_GUID",
    "TAN", "THEN", "TIME", "TIMEDIFF", "TIMESTAMP", "TIMESTAMPADD", "TIMESTAMPDIFF", "TIME_FORMAT",
    "TIME_TO_SEC", "TO_BASE64", "TO_CHAR", "TO_DAYS", "TO_SECONDS", "TRIM", "TRUNCATE", "UCASE", "UNCOMPRESS",
    "UNCOMPRESSED_LENGTH", "UNHEX", "UNION", "UNIX_TIMESTAMP", "UNSIGNED", "UPDATEXML", "UPPER", "USE", "USER",
    "USING", "UTC_DATE", "UTC_TIME", "UTC_TIMESTAMP", "UUID", "UUID_SHORT", "UUID_TO_BIN", "VALUE", "VALUES",
    "VARBINARY", "VARCHAR", "VARIANCE", "VAR_POP", "VAR_SAMP", "VERSION", "WEEK", "WEEKDAY", "WEEKOFYEAR",
    "WEIGHT_STRING", "WHEN", "WHERE", "WITH", "XOR", "YEAR", "YEARWEEK",
];

/// Those of them that are the server's own only where the parenthesis follows at once (IGNORE_SPACE apart).
#[rustfmt::skip]
const CLOSE: [&str; 34] = [
    "ADDDATE", "BIT_AND", "BIT_OR", "BIT_XOR", "CAST", "COUNT", "CURDATE", "CURTIME", "DATE_ADD", "DATE_SUB",
    "EXTRACT", "GROUP_CONCAT", "JSON_ARRAYAGG", "JSON_OBJECTAGG", "MAX", "MID", "MIN", "NOW", "POSITION",
    "SESSION_USER", "STD", "STDDEV", "STDDEV_POP", "STDDEV_SAMP", "SUBDATE", "SUBSTR", "SUBSTRING", "SUM",
    "SYSDATE", "SYSTEM_USER", "TRIM", "VARIANCE", "VAR_POP", "VAR_SAMP",
];

/// Whether the text may call a stored function.
///
/// ```
/// use serval_sql::{LexOptions, may_call_stored};
/// assert!(!may_call_stored(b"SELECT COUNT(*), UPPER(name) FROM t WHERE id IN (1, 2)", LexOptions::default()));
/// assert!(may_call_stored(b"SELECT take_number(7)", LexOptions::default()));
/// ```
#[must_use]
pub fn may_call_stored(sql: &[u8], options: LexOptions) -> bool {
    let Ok(mut tokens) = tokens(sql, options) else { return true };
    if tokens.iter().any(|token| token.kind == TokenKind::VersionComment) {
        return true;
    }
    tokens.retain(|token| !token.kind.is_comment());
    let mut before = None;
    for pair in tokens.windows(2) {
        let [token, next] = pair else { continue };
        let qualified = before.is_some_and(|before: &crate::Token| before.is_symbol(b'.'));
        before = Some(token);
        if !next.is_symbol(b'(') {
            continue;
        }
        let stored = match token.kind {
            TokenKind::Word => {
                let name = token.span.of(sql).to_ascii_uppercase();
                let apart = token.span.end != next.span.start;
                qualified || !has(&OWN, &name) || apart && has(&CLOSE, &name)
            }
            TokenKind::QuotedIdent => !identifier_value(token.span.of(sql)).is_empty(),
            _ => false,
        };
        if stored {
            return true;
        }
    }
    false
}

fn has(sorted: &[&str], name: &[u8]) -> bool {
    sorted.binary_search_by(|known| known.as_bytes().cmp(name)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_functions_are_harmless() {
        assert!(OWN.is_sorted() && CLOSE.is_sorted());
        let check = |sql: &str| may_call_stored(sql.as_bytes(), LexOptions::default());
        for sql in [
            "SELECT 1",
            "SELECT NOW(), CONCAT('f(', 1), upper (name) FROM t",
            "SELECT (1 + 2) * 3",
            "DO SLEEP(1)",
            "SELECT 1 IN (2)",
            "SELECT COUNT(DISTINCT a) OVER (PARTITION BY b) FROM t USE INDEX (i) WHERE a NOT IN (SELECT 1)",
        ] {
            assert!(!check(sql), "{sql}");
        }
        for sql in [
            "SELECT f(1)",
            "SELECT shop.twice (2)",
            "SELECT shop.abs(1)",
            "SELECT `f`(1)",
            "SELECT NOW(), note('x')",
            "SELECT id FROM t WHERE id = 3 AND note /* so */ (4) > 0",
            "SELECT now ()",
        ] {
            assert!(check(sql), "{sql}");
        }
    }
}
