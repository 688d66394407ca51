//! Which keywords can stand for no name.

use sqlparser::keywords::Keyword;

/// Whether the bare word can be no alias: what follows a table or a column goes on with the statement.
pub(super) fn is_no_name(keyword: Keyword) -> bool {
    is_no_operand(keyword)
        || matches!(
            keyword,
            Keyword::BINARY
                | Keyword::CASE
                | Keyword::EXISTS
                | Keyword::INTERVAL
                | Keyword::NOT
                | Keyword::NULL
                | Keyword::TRUE
                | Keyword::FALSE
                | Keyword::DEFAULT
                | Keyword::LEFT
                | Keyword::RIGHT
                | Keyword::VALUES
                | Keyword::REPLACE
                | Keyword::INSERT
                | Keyword::PARTITION
                | Keyword::WINDOW
                | Keyword::OVER
                | Keyword::LATERAL
                | Keyword::EXCEPT
                | Keyword::INTERSECT
                | Keyword::RETURNING
                | Keyword::END
                | Keyword::OFFSET
                | Keyword::FETCH
                | Keyword::WITHIN
                | Keyword::ROWS
                | Keyword::RANGE
                | Keyword::SEPARATOR
                | Keyword::ESCAPE
                | Keyword::AGAINST
        )
}

/// Whether no expression begins with the word.
pub(super) fn is_no_operand(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::AND
            | Keyword::AS
            | Keyword::ASC
            | Keyword::BETWEEN
            | Keyword::BY
            | Keyword::COLLATE
            | Keyword::CROSS
            | Keyword::DELETE
            | Keyword::DESC
            | Keyword::DISTINCT
            | Keyword::ELSE
            | Keyword::FOR
            | Keyword::FORCE
            | Keyword::FROM
            | Keyword::GROUP
            | Keyword::HAVING
            | Keyword::IGNORE
            | Keyword::IN
            | Keyword::INNER
            | Keyword::INTO
            | Keyword::IS
            | Keyword::JOIN
            | Keyword::LIKE
            | Keyword::LIMIT
            | Keyword::NATURAL
            | Keyword::ON
            | Keyword::OR
            | Keyword::ORDER
            | Keyword::OUTER
            | Keyword::REGEXP
            | Keyword::RLIKE
            | Keyword::SELECT
            | Keyword::SET
            | Keyword::STRAIGHT_JOIN
            | Keyword::THEN
            | Keyword::UNION
            | Keyword::UPDATE
            | Keyword::USE
            | Keyword::USING
            | Keyword::WHEN
            | Keyword::WHERE
            | Keyword::WITH
            | Keyword::XOR
    )
}
