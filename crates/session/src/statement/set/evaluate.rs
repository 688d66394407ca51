//! The new value of a system variable, as a literal that means the same on every connection.

use serval_remote::Backend;
use serval_sql::{SetKind, SetValue};
use serval_types::{MysqlError, Value};
use serval_wire::packet::column_type::{
    MYSQL_TYPE_DECIMAL, MYSQL_TYPE_DOUBLE, MYSQL_TYPE_FLOAT, MYSQL_TYPE_INT24, MYSQL_TYPE_LONG,
    MYSQL_TYPE_LONGLONG, MYSQL_TYPE_NEWDECIMAL, MYSQL_TYPE_SHORT, MYSQL_TYPE_TINY, MYSQL_TYPE_YEAR,
    is_string,
};
use serval_wire::packet::{CHARSET_BINARY, ColumnDefinition};

use super::Text;
use crate::charset;
use crate::failure::Failure;
use crate::literal::literal;
use crate::session::Session;

/// The literal of a value; expressions are evaluated by a server.
pub(super) async fn literal_of<B: Backend>(
    session: &mut Session<B>,
    text: Text<'_>,
    value: &SetValue,
) -> Result<String, Failure> {
    let sql = value.span.of(text.sql);
    match &value.kind {
        SetKind::Literal(value) if sql.is_ascii() => Ok(literal(value, &charset::of_client(&session.state))),
        SetKind::Default => Ok("DEFAULT".to_owned()),
        SetKind::Literal(_) | SetKind::Expression => evaluate(session, sql).await,
    }
}

/// The literal of an expression's value.
pub(super) async fn evaluate<B: Backend>(
    session: &mut Session<B>,
    expression: &[u8],
) -> Result<String, Failure> {
    let mut sql = b"SELECT ".to_vec();
    // A scalar subquery comes with its parentheses; nothing else needs them.
    sql.extend_from_slice(expression);
    let answer = session.collect(&sql).await?;
    let (Some(column), Some(row)) = (answer.columns.first(), answer.rows.first()) else {
        return Ok("NULL".to_owned());
    };
    if answer.columns.len() != 1 {
        // ER_OPERAND_COLUMNS.
        let message = "Operand should contain 1 column(s)".to_owned();
        return Err(Failure::Told(MysqlError { number: 1241, sqlstate: *b"21000", message }));
    }
    let cell = row.first().cloned().flatten();
    Ok(literal(&typed(column, cell), &charset::of_results(&session.state)))
}

/// A cell as a value of its column's type.
fn typed(column: &ColumnDefinition, cell: Option<Vec<u8>>) -> Value {
    let Some(cell) = cell else { return Value::Null };
    let text = String::from_utf8_lossy(&cell);
    match column.column_type {
        MYSQL_TYPE_TINY | MYSQL_TYPE_SHORT | MYSQL_TYPE_INT24 | MYSQL_TYPE_LONG | MYSQL_TYPE_LONGLONG
        | MYSQL_TYPE_YEAR => Value::integer(&text),
        MYSQL_TYPE_DECIMAL | MYSQL_TYPE_NEWDECIMAL => Value::decimal(&text),
        MYSQL_TYPE_FLOAT | MYSQL_TYPE_DOUBLE => {
            text.parse().map_or_else(|_| Value::Text(cell.clone()), Value::Double)
        }
        other if is_string(other) && column.charset == CHARSET_BINARY => Value::Bytes(cell),
        _ => Value::Text(cell),
    }
}

#[cfg(test)]
mod tests {
    use serval_wire::packet::column_type::{MYSQL_TYPE_DATETIME, MYSQL_TYPE_VAR_STRING};

    use super::*;

    fn check(column_type: u8, cell: &str, expect: &str) {
        let column = ColumnDefinition::new(b"x".to_vec(), column_type);
        assert_eq!(literal(&typed(&column, Some(cell.into())), "utf8mb4"), expect);
    }

    #[test]
    fn values_keep_their_types() {
        check(MYSQL_TYPE_LONGLONG, "-7", "-7");
        check(MYSQL_TYPE_NEWDECIMAL, "1.50", "1.50");
        check(MYSQL_TYPE_DOUBLE, "1.5", "1.5e0");
        check(MYSQL_TYPE_VAR_STRING, "it's", "_utf8mb4 x'69742773'");
        check(MYSQL_TYPE_DATETIME, "2026-11-20 10:00:00", "'2026-11-20 10:00:00'");
        let column = ColumnDefinition::new(b"x".to_vec(), MYSQL_TYPE_LONGLONG);
        assert_eq!(typed(&column, None), Value::Null);
    }
}
