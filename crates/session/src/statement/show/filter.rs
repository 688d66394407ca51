//! LIKE and WHERE over rows that Serval has made itself.

use std::fmt::Write as _;

use serval_remote::Backend;
use serval_sql::Filter;

use super::like;
use crate::answer::Answer;
use crate::failure::Failure;
use crate::literal::{identifier, quote};
use crate::session::Session;

/// Keeps the rows that the filter wants: LIKE is of the names in column `name`; a condition is left to a server, over
/// a derived table of the rows.
pub(super) async fn apply<B: Backend>(
    session: &mut Session<B>,
    mut rows: Answer,
    text: &str,
    name: usize,
    filter: Option<&Filter>,
) -> Result<Answer, Failure> {
    match filter {
        None => Ok(rows),
        Some(Filter::Like { pattern, .. }) => {
            rows.rows.retain(|row| {
                let name = row.get(name).and_then(Option::as_deref).unwrap_or_default();
                like::matches(pattern, &String::from_utf8_lossy(name))
            });
            Ok(rows)
        }
        Some(Filter::Where(_)) if rows.rows.is_empty() => Ok(rows),
        Some(Filter::Where(condition)) => {
            let condition = String::from_utf8_lossy(condition.of(text.as_bytes()));
            let sql = derived(&rows, &condition);
            let catalog = session.catalog();
            let home = session.home(&catalog)?;
            rows.rows = session.ask(home, &sql).await?.rows;
            Ok(rows)
        }
    }
}

fn derived(rows: &Answer, condition: &str) -> String {
    let mut sql = "SELECT * FROM (".to_owned();
    for (number, row) in rows.rows.iter().enumerate() {
        sql.push_str(if number == 0 { "SELECT " } else { " UNION ALL SELECT " });
        for (at, (cell, column)) in row.iter().zip(&rows.columns).enumerate() {
            sql.push_str(if at == 0 { "" } else { ", " });
            sql.push_str(&cell.as_ref().map_or_else(|| "NULL".to_owned(), |cell| quote(cell, "utf8mb4")));
            if number == 0 {
                // Writing to a String cannot fail.
                let _ = write!(sql, " AS {}", identifier(&String::from_utf8_lossy(&column.name)));
            }
        }
    }
    let _ = write!(sql, ") AS shown WHERE {condition}");
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_a_derived_table() {
        let mut rows = Answer::of_text(&["Tables_in_shop", "Table_type"]);
        rows.push(["users", "BASE TABLE"]);
        rows.push(["v", "VIEW"]);
        let sql = derived(&rows, "Table_type = 'VIEW'");
        assert_eq!(
            sql,
            "SELECT * FROM (SELECT 'users' AS `Tables_in_shop`, 'BASE TABLE' AS `Table_type` UNION ALL SELECT 'v', \
             'VIEW') AS shown WHERE Table_type = 'VIEW'"
        );
    }
}
