//! The rows of one table that lie where its rule would not put them.

use serval_backend::Servers;
use serval_catalog::{Catalog, Placement, Sharding, Table};
use serval_types::Value;

use super::beside::{Alone, Tie, alone};
use super::keys::{KeyColumn, Keys};
use super::place::{Place, places};

/// How many rows of each physical table are looked at unless somebody says otherwise.
pub fn usual_rows() -> u64 {
    10_000
}

/// What was seen of one table.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TableRows {
    /// Rows looked at.
    pub looked_at: u64,
    /// Whether these are all there are.
    pub complete: bool,
    /// Rows that lie elsewhere than the rule says.
    pub misplaced: u64,
    /// Rows that the rule has no place for.
    pub unroutable: u64,
    /// The first of both.
    pub first: Vec<Misplaced>,
}

/// A row that lies wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct Misplaced {
    /// The values of its sharding columns.
    pub key: String,
    /// Where it is.
    pub is_at: String,
    /// Where it belongs, or why it belongs nowhere.
    pub belongs: String,
}

impl TableRows {
    fn add(&mut self, here: &Place, found: Alone, parent: &str, shown: usize) {
        self.looked_at += found.looked_at;
        self.complete &= found.complete;
        self.misplaced += found.count;
        let left = shown.saturating_sub(self.first.len());
        self.first.extend(found.first.into_iter().take(left).map(|key| Misplaced {
            key,
            is_at: here.to_string(),
            belongs: format!("beside its row of {parent}, which is not here"),
        }));
    }

    /// Lines of a table: counts, then key, place and home; the counts stand in the first line only.
    pub fn cells(self) -> impl Iterator<Item = Vec<String>> {
        let more = if self.complete { "" } else { "+" };
        let counts =
            [format!("{}{more}", self.looked_at), self.misplaced.to_string(), self.unroutable.to_string()];
        let mut rows: Vec<Vec<String>> =
            self.first.into_iter().map(|row| vec![row.key, row.is_at, row.belongs]).collect();
        if rows.is_empty() {
            rows.push(vec![String::new(); 3]);
        }
        rows.into_iter().enumerate().map(move |(at, row)| {
            let counts = if at == 0 { counts.clone() } else { std::array::from_fn(|_| String::new()) };
            counts.into_iter().chain(row).collect()
        })
    }
}

/// Looks at up to `rows` rows of each part of a table, and keeps the first `shown` that lie wrong; `None` for tables
/// that no rule places, and
/// for those that are nowhere.
pub async fn check_table(
    servers: &Servers,
    catalog: &Catalog,
    table: &Table,
    rows: u64,
    shown: usize,
) -> Option<Result<TableRows, String>> {
    let Placement::Sharded(sharding) = &table.placement else { return None };
    let places = places(catalog, table);
    if !sharding.is_known() {
        return unknown(servers, &places).await.map(Err);
    }
    let mut seen = TableRows { complete: true, ..TableRows::default() };
    if let (Some(parent), Some(column)) = (&sharding.parent, sharding.columns.first()) {
        let parents = catalog.table(&parent.schema, &parent.table);
        let parents = parents.map(|parent| self::places(catalog, parent)).unwrap_or_default();
        let tie = Tie { column: &column.name, key: &parent.column };
        for (here, beside) in places.iter().zip(&parents) {
            match alone(servers, here, Some(beside), tie, rows, shown).await {
                Ok(found) => seen.add(here, found, &parent.table, shown),
                Err(error) => return Some(Err(error)),
            }
        }
        return Some(Ok(seen));
    }
    for at in 0..places.len() {
        if let Err(error) = check_place(servers, table, sharding, &places, at, rows, shown, &mut seen).await {
            return Some(Err(error));
        }
    }
    Some(Ok(seen))
}

/// What there is to say of a table whose definition is not known: nothing, where it is nowhere.
async fn unknown(servers: &Servers, places: &[Place]) -> Option<String> {
    for place in places {
        match Keys::new(servers, place, Vec::new(), None, 1).next().await {
            Ok(rows) if rows.is_empty() => {}
            Ok(_) => {
                return Some("its definition is not known, so nothing can be said of its rows".to_owned());
            }
            Err(error) => return Some(error),
        }
    }
    None
}

#[expect(clippy::too_many_arguments, reason = "one step of a loop")]
async fn check_place(
    servers: &Servers,
    table: &Table,
    sharding: &Sharding,
    places: &[Place],
    at: usize,
    rows: u64,
    shown: usize,
    seen: &mut TableRows,
) -> Result<(), String> {
    let here = &places[at];
    let mut keys = Keys::new(servers, here, key_columns(sharding), table.definition.as_deref(), rows);
    loop {
        let some = keys.next().await?;
        if some.is_empty() {
            break;
        }
        for key in some {
            seen.looked_at += 1;
            if let Some(misplaced) = judge(sharding, places, here, &key, seen) {
                seen.first.extend((seen.first.len() < shown).then_some(misplaced));
            }
        }
    }
    seen.complete &= keys.all_read();
    Ok(())
}

/// What is wrong with a row that lies here.
fn judge(
    sharding: &Sharding,
    places: &[Place],
    here: &Place,
    key: &[Value],
    seen: &mut TableRows,
) -> Option<Misplaced> {
    let belongs = match sharding.shard_for_row(key) {
        Ok(shard) => {
            let home = places.get(shard)?;
            if home.is(here) {
                return None;
            }
            seen.misplaced += 1;
            home.to_string()
        }
        Err(reason) => {
            seen.unroutable += 1;
            format!("nowhere: {reason}")
        }
    };
    Some(Misplaced { key: shown_key(key), is_at: here.to_string(), belongs })
}

/// The sharding columns, each with the time zone of its function.
pub fn key_columns(sharding: &Sharding) -> Vec<KeyColumn<'_>> {
    let outer = sharding.rule.time_zone.as_deref();
    let inside = sharding.rule.inside.as_ref().and_then(|inside| inside.time_zone.as_deref());
    let zone = |is_inside: bool| if is_inside { inside } else { outer };
    sharding.columns.iter().map(|column| KeyColumn { column, time_zone: zone(column.inside) }).collect()
}

/// A key as a message shows it.
pub fn shown_key(key: &[Value]) -> String {
    const SHOWN: usize = 64;
    let cell = |value: &Value| match value {
        Value::Null => "NULL".to_owned(),
        Value::Text(bytes) => String::from_utf8_lossy(bytes).chars().take(SHOWN).collect(),
        Value::Bytes(bytes) => {
            let digits: String = bytes.iter().take(SHOWN / 2).map(|byte| format!("{byte:02x}")).collect();
            format!("0x{digits}")
        }
        other => format!("{other:?}"),
    };
    key.iter().map(cell).collect::<Vec<_>>().join(", ")
}
