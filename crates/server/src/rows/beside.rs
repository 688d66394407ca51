//! Rows that should lie beside a parent's row, and do not.

use serval_backend::Servers;
use serval_executor::{ExecuteError, query_rows};

use super::place::Place;

/// What was seen of one part of a child.
#[derive(Debug, Default)]
pub struct Alone {
    /// Rows looked at.
    pub looked_at: u64,
    /// Whether these are all there are.
    pub complete: bool,
    /// How many of them have no row of the parent beside them.
    pub count: u64,
    /// The keys of some of these.
    pub first: Vec<String>,
}

/// The columns of a child and its parent that hold the same key.
#[derive(Debug, Clone, Copy)]
pub struct Tie<'a> {
    /// The child's.
    pub column: &'a str,
    /// The parent's.
    pub key: &'a str,
}

/// Looks at up to `rows` rows of a part of a child, and keeps the keys of the first `shown` that are alone. Without a place
/// of the parent's all of them are.
pub async fn alone(
    servers: &Servers,
    child: &Place,
    parent: Option<&Place>,
    tie: Tie<'_>,
    rows: u64,
    shown: usize,
) -> Result<Alone, String> {
    let asks = Asks { servers, place: child };
    let (table, column) = (quoted(&child.table), quoted(tie.column));
    let some = format!("(SELECT {column} AS k FROM {table} LIMIT {rows}) AS c");
    let one_more = rows.saturating_add(1);
    let counted =
        asks.numbers(&format!("SELECT COUNT(*) FROM (SELECT 1 FROM {table} LIMIT {one_more}) AS c")).await?;
    let Some(&counted) = counted.first() else { return Ok(Alone { complete: true, ..Alone::default() }) };
    let condition = parent.map_or("TRUE".to_owned(), |parent| {
        let (database, table) = (quoted(&parent.database), quoted(&parent.table));
        format!("NOT EXISTS (SELECT 1 FROM {database}.{table} AS p WHERE p.{} = c.k)", quoted(tie.key))
    });
    let count = asks.numbers(&format!("SELECT COUNT(*) FROM {some} WHERE {condition}")).await?;
    let count = count.first().copied().unwrap_or(0);
    let first = match count {
        0 => Vec::new(),
        _ => asks.texts(&format!("SELECT c.k FROM {some} WHERE {condition} LIMIT {shown}")).await?,
    };
    Ok(Alone { looked_at: counted.min(rows), complete: counted <= rows, count, first })
}

struct Asks<'a> {
    servers: &'a Servers,
    place: &'a Place,
}

impl Asks<'_> {
    /// The first column of the answer; nothing where there is no such table.
    async fn texts(&self, sql: &str) -> Result<Vec<String>, String> {
        let Place { group, database, .. } = self.place;
        match query_rows(self.servers, *group, Some(database), sql).await {
            Ok(rows) => Ok(rows.into_iter().map(|row| text(row.first())).collect()),
            Err(ExecuteError::Server(error)) if matches!(error.number, 1146 | 1049) => Ok(Vec::new()),
            Err(error) => Err(format!("{}: {}", self.place, error.to_mysql().message)),
        }
    }

    async fn numbers(&self, sql: &str) -> Result<Vec<u64>, String> {
        let texts = self.texts(sql).await?;
        let number = |text: &String| text.parse().map_err(|_| format!("{}: no number came back", self.place));
        texts.iter().map(number).collect()
    }
}

fn text(cell: Option<&Option<Vec<u8>>>) -> String {
    let bytes = cell.and_then(Option::as_deref);
    bytes.map_or_else(|| "NULL".to_owned(), |bytes| String::from_utf8_lossy(bytes).chars().take(64).collect())
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
