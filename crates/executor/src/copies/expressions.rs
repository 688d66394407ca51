//! Columns as SQL: what makes a checksum of a row, and what writes a value as a literal that means the same elsewhere.

use serval_catalog::{ColumnDef, TableDefinition};
use serval_types::ColumnType;

use crate::places::quoted;

/// The columns of a table.
pub(super) struct Columns {
    /// Quoted names of the primary key; empty where there is none that text can say exactly.
    pub(super) key: Vec<String>,
    /// What writes each of them as a literal.
    pub(super) key_literals: Vec<String>,
    /// Quoted names of all columns that are stored.
    pub(super) names: Vec<String>,
    /// What writes each of them as a literal.
    pub(super) literals: Vec<String>,
    /// The digest of a row, as 64 digits: MySQL 9.6 and later have no MD5() and SHA1().
    pub(super) digest: String,
}

impl Columns {
    pub(super) fn of(definition: &TableDefinition) -> Self {
        let stored: Vec<&ColumnDef> = definition.columns.iter().filter(|column| !column.generated).collect();
        let key = definition.primary_key.iter().filter_map(|name| definition.column(name));
        let key: Vec<&ColumnDef> = key.collect();
        let exact = key.len() == definition.primary_key.len() && key.iter().all(|column| is_exact(column));
        let key = if exact { key } else { Vec::new() };
        let names = |columns: &[&ColumnDef]| columns.iter().map(|column| quoted(&column.name)).collect();
        let literals = |columns: &[&ColumnDef]| columns.iter().map(|column| literal(column)).collect();
        let digests: Vec<String> = stored.iter().map(|column| digest(column)).collect();
        Self {
            names: names(&stored),
            literals: literals(&stored),
            key_literals: literals(&key),
            digest: format!("SHA2(CONCAT_WS(',', {}), 256)", digests.join(", ")),
            key: names(&key),
        }
    }

    /// The number of rows, and over them two checksums of 16 digits of each digest.
    pub(super) fn sums(&self) -> String {
        let half = |start: u8| {
            format!(
                "COALESCE(BIT_XOR(CAST(CONV(SUBSTRING({}, {start}, 16), 16, 10) AS UNSIGNED)), 0)",
                self.digest
            )
        };
        format!("COUNT(*), {}, {}", half(1), half(17))
    }
}

/// Whether a value as text compares equal to itself, and sorts as the column does.
fn is_exact(column: &ColumnDef) -> bool {
    !matches!(
        column.column_type,
        ColumnType::Float { .. } | ColumnType::Double { .. } | ColumnType::Json | ColumnType::Other(_)
    )
}

/// A digest of one column, of which NULL has one too. The text of a FLOAT lacks digits, which that of a DOUBLE has.
fn digest(column: &ColumnDef) -> String {
    let name = quoted(&column.name);
    let value = match &column.column_type {
        ColumnType::Float { .. } => format!("CAST({name} + 0e0 AS CHAR)"),
        _ => format!("CAST({name} AS BINARY)"),
    };
    format!("COALESCE(SHA2({value}, 256), '~')")
}

/// An expression whose value is the column's as a literal. NULL from a server means that it was too long for it.
fn literal(column: &ColumnDef) -> String {
    let name = quoted(&column.name);
    let text = match &column.column_type {
        ColumnType::Int { .. } | ColumnType::Decimal { .. } | ColumnType::Year => format!("CONCAT({name})"),
        ColumnType::Bit { .. } | ColumnType::Enum { .. } | ColumnType::Set { .. } => {
            format!("CONCAT({name} + 0)")
        }
        ColumnType::Float { .. } | ColumnType::Double { .. } => format!("CONCAT({name} + 0e0)"),
        ColumnType::Date
        | ColumnType::DateTime { .. }
        | ColumnType::Timestamp { .. }
        | ColumnType::Time { .. } => format!("CONCAT('''', {name}, '''')"),
        ColumnType::Text { .. } | ColumnType::Json => {
            format!("CONCAT('_utf8mb4 x''', HEX(CONVERT({name} USING utf8mb4)), '''')")
        }
        ColumnType::Binary { .. } | ColumnType::Other(_) => format!("CONCAT('x''', HEX({name}), '''')"),
    };
    format!("IF({name} IS NULL, 'NULL', {text})")
}
