//! Rows as text of a query, in the types of the columns that they go below.

use serval_wire::packet::column_type::{
    MYSQL_TYPE_DATE, MYSQL_TYPE_DATETIME, MYSQL_TYPE_DOUBLE, MYSQL_TYPE_INT24, MYSQL_TYPE_LONG,
    MYSQL_TYPE_LONGLONG, MYSQL_TYPE_NEWDECIMAL, MYSQL_TYPE_SHORT, MYSQL_TYPE_TIMESTAMP, MYSQL_TYPE_TINY,
};
use serval_wire::packet::{ColumnDefinition, ColumnFlags};

use crate::answer::Row;
use crate::literal::quote;

/// ` UNION ALL SELECT …` for each row.
pub(super) fn rows(columns: &[ColumnDefinition], rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let cells = columns.iter().zip(row).map(|(column, cell)| literal(column, cell.as_deref()));
        text.push_str(" UNION ALL SELECT ");
        text.push_str(&cells.collect::<Vec<_>>().join(", "));
    }
    text
}

/// A cell in the type of its column. NULL has one too: without, a server widens integers to DECIMAL.
fn literal(column: &ColumnDefinition, cell: Option<&[u8]>) -> String {
    let text = cell.map_or_else(|| "NULL".to_owned(), |cell| quote(cell, "utf8mb4"));
    let unsigned = ColumnFlags::from_bits(column.flags).contains(ColumnFlags::UNSIGNED_FLAG);
    let cast = match column.column_type {
        MYSQL_TYPE_TINY | MYSQL_TYPE_SHORT | MYSQL_TYPE_INT24 | MYSQL_TYPE_LONG | MYSQL_TYPE_LONGLONG => {
            if unsigned {
                "UNSIGNED"
            } else {
                "SIGNED"
            }
        }
        MYSQL_TYPE_DATETIME | MYSQL_TYPE_TIMESTAMP => "DATETIME",
        MYSQL_TYPE_DATE => "DATE",
        MYSQL_TYPE_NEWDECIMAL | MYSQL_TYPE_DOUBLE => {
            return cell.map_or(text, |cell| String::from_utf8_lossy(cell).into_owned());
        }
        _ => return text,
    };
    format!("CAST({text} AS {cast})")
}

#[cfg(test)]
mod tests {
    use serval_wire::packet::column_type::MYSQL_TYPE_VAR_STRING;

    use super::*;

    #[test]
    fn cells_keep_their_types() {
        let mut number = ColumnDefinition::new("n", MYSQL_TYPE_LONGLONG);
        number.flags = ColumnFlags::UNSIGNED_FLAG.bits();
        let columns = [number, ColumnDefinition::new("t", MYSQL_TYPE_VAR_STRING)];
        let row =
            |cells: [Option<&str>; 2]| cells.map(|cell| cell.map(|cell| cell.as_bytes().to_vec())).to_vec();
        let text = rows(&columns, &[row([Some("6"), Some("it's")]), row([None, None])]);
        let expect = " UNION ALL SELECT CAST('6' AS UNSIGNED), _utf8mb4 x'69742773' UNION ALL SELECT CAST(NULL AS UNSIGNED), \
                      NULL";
        assert_eq!(text, expect);
    }
}
