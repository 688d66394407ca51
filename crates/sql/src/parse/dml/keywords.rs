//! Which words are keywords.
//!
//! sqlparser knows the keywords of fifteen dialects, and takes `SELECT top 5`, `FROM t sample` or `SELECT array[1]`
//! for what other servers mean by them. A word that MySQL's queries do not know is an identifier here.

use sqlparser::keywords::Keyword;

/// Whether MySQL's SELECT, INSERT, REPLACE, UPDATE or DELETE gives the word a meaning.
pub(super) fn is_mysql(keyword: Keyword) -> bool {
    is_clause(keyword) || is_operator(keyword) || is_part(keyword) || is_unit(keyword)
}

fn is_clause(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::ALL
            | Keyword::AS
            | Keyword::ASC
            | Keyword::BY
            | Keyword::CROSS
            | Keyword::DELETE
            | Keyword::DESC
            | Keyword::DISTINCT
            | Keyword::EXCEPT
            | Keyword::FOR
            | Keyword::FORCE
            | Keyword::FROM
            | Keyword::GROUP
            | Keyword::HAVING
            | Keyword::IGNORE
            | Keyword::INDEX
            | Keyword::INNER
            | Keyword::INSERT
            | Keyword::INTERSECT
            | Keyword::INTO
            | Keyword::JOIN
            | Keyword::KEY
            | Keyword::LATERAL
            | Keyword::LEFT
            | Keyword::LIMIT
            | Keyword::LOCKED
            | Keyword::NATURAL
            | Keyword::NOWAIT
            | Keyword::ON
            | Keyword::ORDER
            | Keyword::OUTER
            | Keyword::PARTITION
            | Keyword::RECURSIVE
            | Keyword::REPLACE
            | Keyword::RETURNING
            | Keyword::RIGHT
            | Keyword::SELECT
            | Keyword::SET
            | Keyword::SHARE
            | Keyword::SKIP
            | Keyword::STRAIGHT_JOIN
            | Keyword::UNION
            | Keyword::UPDATE
            | Keyword::USE
            | Keyword::USING
            | Keyword::VALUES
            | Keyword::WHERE
            | Keyword::WINDOW
            | Keyword::WITH
    )
}

fn is_operator(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::AND
            | Keyword::ANY
            | Keyword::BETWEEN
            | Keyword::BINARY
            | Keyword::CASE
            | Keyword::COLLATE
            | Keyword::ELSE
            | Keyword::END
            | Keyword::ESCAPE
            | Keyword::EXISTS
            | Keyword::FALSE
            | Keyword::IN
            | Keyword::INTERVAL
            | Keyword::IS
            | Keyword::LIKE
            | Keyword::MEMBER
            | Keyword::NOT
            | Keyword::NULL
            | Keyword::OF
            | Keyword::OR
            | Keyword::REGEXP
            | Keyword::RLIKE
            | Keyword::SOME
            | Keyword::THEN
            | Keyword::TRUE
            | Keyword::UNKNOWN
            | Keyword::WHEN
            | Keyword::XOR
    )
}

/// Words inside clauses and function calls.
fn is_part(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::AGAINST
            | Keyword::BOOLEAN
            | Keyword::BOTH
            | Keyword::CURRENT
            | Keyword::CURRENT_DATE
            | Keyword::CURRENT_TIME
            | Keyword::CURRENT_TIMESTAMP
            | Keyword::DEFAULT
            | Keyword::DUPLICATE
            | Keyword::EXPANSION
            | Keyword::FOLLOWING
            | Keyword::LANGUAGE
            | Keyword::LEADING
            | Keyword::LOCALTIME
            | Keyword::LOCALTIMESTAMP
            | Keyword::MODE
            | Keyword::OVER
            | Keyword::PRECEDING
            | Keyword::QUERY
            | Keyword::RANGE
            | Keyword::ROLLUP
            | Keyword::ROW
            | Keyword::ROWS
            | Keyword::SEPARATOR
            | Keyword::TRAILING
            | Keyword::UNBOUNDED
    )
}

/// Units of INTERVAL and EXTRACT.
pub(super) fn is_unit(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::YEAR
            | Keyword::QUARTER
            | Keyword::MONTH
            | Keyword::WEEK
            | Keyword::DAY
            | Keyword::HOUR
            | Keyword::MINUTE
            | Keyword::SECOND
            | Keyword::MICROSECOND
    )
}

/// Functions with keywords among their arguments. Elsewhere the word is an identifier.
pub(super) fn is_special_function(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::CAST
            | Keyword::CONVERT
            | Keyword::EXTRACT
            | Keyword::JSON_TABLE
            | Keyword::MATCH
            | Keyword::POSITION
            | Keyword::SUBSTR
            | Keyword::SUBSTRING
            | Keyword::TRIM
    )
}

/// Keywords that name an ordinary function where a parenthesis follows them.
pub(super) fn is_function_before_parenthesis(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::DEFAULT
            | Keyword::INSERT
            | Keyword::LEFT
            | Keyword::REPLACE
            | Keyword::RIGHT
            | Keyword::YEAR
            | Keyword::QUARTER
            | Keyword::MONTH
            | Keyword::WEEK
            | Keyword::DAY
            | Keyword::HOUR
            | Keyword::MINUTE
            | Keyword::SECOND
            | Keyword::MICROSECOND
    )
}

/// Types before a string that make a date of it: `DATE '2024-02-29'`.
pub(super) fn is_typed_literal(keyword: Keyword) -> bool {
    matches!(keyword, Keyword::DATE | Keyword::TIME | Keyword::TIMESTAMP)
}

/// Functions that MySQL also calls without parentheses.
pub(super) fn is_bare_call(word: &str) -> bool {
    const BARE: [&str; 4] = ["CURRENT_USER", "UTC_DATE", "UTC_TIME", "UTC_TIMESTAMP"];
    BARE.iter().any(|bare| word.eq_ignore_ascii_case(bare))
}

/// Whether an expression can end with the keyword, so that an operator may follow it.
pub(super) fn ends_expression(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::NULL | Keyword::TRUE | Keyword::FALSE | Keyword::END | Keyword::DEFAULT | Keyword::UNKNOWN
    ) || is_unit(keyword)
}
