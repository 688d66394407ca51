//! Rows that nobody would find any more if another config came into effect.

use std::time::{Duration, Instant};

use serval_backend::Servers;
use serval_catalog::{Catalog, Placement, Sharding, Table};
use serval_executor::{ExecuteError, query_rows};

use super::beside::{Tie, alone};
use super::check::{key_columns, shown_key, usual_rows};
use super::keys::Keys;
use super::place::{Place, places};

/// How long looking for stranded rows may take in all.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many tables are named; who has more of them has understood.
const NAMED: usize = 10;
/// Copies of a global table are counted up to this many rows.
const COUNTED: u64 = 100_000;

/// What would be stranded, one sentence for each table. `same_rule` says whether a rule of the old config and one of
/// the new one are written alike, apart from their columns and nodes.
pub async fn stranded(
    servers: &Servers,
    old: &Catalog,
    new: &Catalog,
    same_rule: &(dyn Fn(&str, &str) -> bool + Sync),
) -> Vec<String> {
    let deadline = Instant::now() + PATIENCE;
    let mut found = Vec::new();
    for schema in old.schemas.values() {
        // A schema that goes as a whole answers nothing any more, and so nothing wrong.
        let Some(then) = new.schema(&schema.name) else { continue };
        for table in schema.tables.values() {
            let after = then.table_or_default(&table.name);
            let name = format!("table {}.{}", schema.name, table.name);
            let moves = Moves { servers, old, new, table, after: after.as_deref(), same_rule };
            if moves.none() {
                continue;
            }
            if Instant::now() > deadline {
                found.push(format!(
                    "{name} and what follows it could not be looked at in {} s",
                    PATIENCE.as_secs()
                ));
                return found;
            }
            found.extend(moves.look().await.map(|what| format!("{name}: {what}")));
            if found.len() >= NAMED {
                found.push("perhaps other tables, too".to_owned());
                return found;
            }
        }
    }
    found
}

/// A table before and after.
struct Moves<'a> {
    servers: &'a Servers,
    old: &'a Catalog,
    new: &'a Catalog,
    table: &'a Table,
    after: Option<&'a Table>,
    same_rule: &'a (dyn Fn(&str, &str) -> bool + Sync),
}

impl Moves<'_> {
    /// Whether it is clear without asking anybody that every row stays where it belongs.
    fn none(&self) -> bool {
        let Some(after) = self.after else { return false };
        let (before_places, after_places) = (places(self.old, self.table), places(self.new, after));
        match (&self.table.placement, &after.placement) {
            (Placement::Sharded(one), Placement::Sharded(other)) => {
                let alike = (self.same_rule)(&one.rule.name, &other.rule.name);
                alike
                    && one.parent == other.parent
                    && same_columns(one, other)
                    && same_places(&before_places, &after_places)
            }
            (Placement::Sharded(_), _) | (_, Placement::Sharded(_)) => false,
            // A copy less strands nothing; another one has to hold the rows.
            (Placement::Global(_), _) => after_places.iter().all(|place| is_among(place, &before_places)),
            (Placement::Node(_), _) => same_places(&before_places, &after_places),
        }
    }

    /// What stands in the way, if anything does.
    async fn look(&self) -> Option<String> {
        if let (Placement::Global(_), Some(Placement::Global(_))) =
            (&self.table.placement, self.after.map(|after| &after.placement))
        {
            return self.copies_missing().await;
        }
        let mut sample = Sample::default();
        for place in places(self.old, self.table) {
            if let Err(error) = self.sample(&place, &mut sample).await {
                return Some(format!("its rows could not be looked at: {error}"));
            }
        }
        self.verdict(&sample)
    }

    fn verdict(&self, sample: &Sample) -> Option<String> {
        let rules = format!("{} → {}", rule_of(Some(self.table)), rule_of(self.after));
        let Sample { looked_at, moved, complete, first } = sample;
        match (moved, complete) {
            (0, true) => None,
            (0, false) => Some(format!(
                "{rules}: none of the {looked_at} rows in a sample would lie elsewhere, but there are more that were not \
                 looked at"
            )),
            _ => Some(format!(
                "{rules}: {moved} of {looked_at} rows{} would lie elsewhere; {first}",
                if *complete { "" } else { " in a sample" }
            )),
        }
    }

    async fn sample(&self, here: &Place, sample: &mut Sample) -> Result<(), String> {
        let sharding = self.after.and_then(Table::sharding);
        let homes = self.after.map(|after| places(self.new, after)).unwrap_or_default();
        if let Some(sharding) = sharding
            && let (Some(parent), Some(column)) = (&sharding.parent, sharding.columns.first())
        {
            let tie = Tie { column: &column.name, key: &parent.column };
            return self.sample_beside(here, &homes, (&parent.schema, &parent.table), tie, sample).await;
        }
        let columns = sharding.map(|sharding| key_columns(sharding)).unwrap_or_default();
        let mut keys = Keys::new(self.servers, here, columns, self.table.definition.as_deref(), usual_rows());
        loop {
            let some = keys.next().await?;
            if some.is_empty() {
                break;
            }
            for key in some {
                sample.looked_at += 1;
                let home = match sharding {
                    Some(sharding) => match sharding.shard_for_row(&key) {
                        Ok(shard) => homes.get(shard).map_or("nowhere".to_owned(), |home| stays(home, here)),
                        Err(reason) => format!("nowhere: {reason}"),
                    },
                    None => match &*homes {
                        [] => "nowhere: the config no longer has the table".to_owned(),
                        [home] => stays(home, here),
                        _ => "on several nodes".to_owned(),
                    },
                };
                if !home.is_empty() {
                    sample.moved += 1;
                    if sample.first.is_empty() {
                        let key = if key.is_empty() { "a row".to_owned() } else { shown_key(&key) };
                        sample.first = format!("{key} lies on {here} and would be looked for {home}");
                    }
                }
            }
        }
        sample.complete &= keys.all_read();
        Ok(())
    }

    /// Rows that would be looked for beside their parent's.
    async fn sample_beside(
        &self,
        here: &Place,
        homes: &[Place],
        (schema, parent): (&str, &str),
        tie: Tie<'_>,
        sample: &mut Sample,
    ) -> Result<(), String> {
        let parents = self.new.table(schema, parent).map(|table| places(self.new, table)).unwrap_or_default();
        let beside = homes.iter().position(|home| home.is(here)).and_then(|at| parents.get(at));
        let found = alone(self.servers, here, beside, tie, usual_rows(), 1).await?;
        sample.looked_at += found.looked_at;
        sample.moved += found.count;
        sample.complete &= found.complete;
        if let (true, Some(key)) = (sample.first.is_empty(), found.first.first()) {
            sample.first = format!(
                "{key} lies on {here} and would be looked for beside its row of {parent}, which is not there"
            );
        }
        Ok(())
    }

    /// Nodes that would get a copy of a global table and do not have one.
    async fn copies_missing(&self) -> Option<String> {
        let before = places(self.old, self.table);
        let expected = match self.count(before.first()?).await {
            Ok(count) => count,
            Err(error) => return Some(format!("its rows could not be counted: {error}")),
        };
        let after = self.after.map(|after| places(self.new, after)).unwrap_or_default();
        for place in after.iter().filter(|place| !is_among(place, &before)) {
            // A node of a group that is new has no connections yet; nobody can have looked.
            let known = self.old.group_with(place.group).is_some();
            let count = if known { self.count(place).await } else { Ok(0) };
            match count {
                Ok(count) if count == expected => {}
                Ok(count) => {
                    return Some(format!(
                        "{place} has {count} of its {expected} rows; copy the table there first"
                    ));
                }
                Err(error) => return Some(format!("its copy could not be counted: {error}")),
            }
        }
        None
    }

    async fn count(&self, place: &Place) -> Result<u64, String> {
        let table = place.table.replace('`', "``");
        let sql = format!("SELECT COUNT(*) FROM (SELECT 1 FROM `{table}` LIMIT {COUNTED}) AS counted");
        match query_rows(self.servers, place.group, Some(&place.database), &sql).await {
            Ok(rows) => {
                let cell = rows.first().and_then(|row| row.first()?.as_deref());
                let count = cell.and_then(|cell| std::str::from_utf8(cell).ok()?.parse().ok());
                count.ok_or_else(|| format!("{place}: no number came back"))
            }
            Err(ExecuteError::Server(error)) if matches!(error.number, 1146 | 1049) => Ok(0),
            Err(error) => Err(format!("{place}: {}", error.to_mysql().message)),
        }
    }
}

/// What was seen of one table's rows.
struct Sample {
    looked_at: u64,
    moved: u64,
    complete: bool,
    first: String,
}

impl Default for Sample {
    fn default() -> Self {
        Self { looked_at: 0, moved: 0, complete: true, first: String::new() }
    }
}

/// Nothing where the row lies at home already.
fn stays(home: &Place, here: &Place) -> String {
    if home.is(here) { String::new() } else { format!("on {home}") }
}

fn same_places(one: &[Place], other: &[Place]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.is(other))
}

fn is_among(place: &Place, places: &[Place]) -> bool {
    places.iter().any(|other| place.is(other))
}

fn same_columns(one: &Sharding, other: &Sharding) -> bool {
    one.columns.len() == other.columns.len()
        && one.columns.iter().zip(&other.columns).all(|(one, other)| {
            one.name.eq_ignore_ascii_case(&other.name)
                && one.text_match == other.text_match
                && one.inside == other.inside
        })
}

fn rule_of(table: Option<&Table>) -> String {
    match table.map(|table| &table.placement) {
        None => "not in the config".to_owned(),
        Some(Placement::Node(_)) => "one node".to_owned(),
        Some(Placement::Global(_)) => "global".to_owned(),
        Some(Placement::Sharded(sharding)) => {
            format!("rule {} ({} of {})", sharding.rule.name, sharding.rule.function.name(), sharding.names())
        }
    }
}
