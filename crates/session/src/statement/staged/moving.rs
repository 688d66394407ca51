//! UPDATE of sharding columns: rows whose shard changes move there.
//!
//! Each shard first changes its rows as one server would, so that assignments, counts, warnings and errors are the
//! servers' own. Then the rows of the new value lie where they do not belong, if anywhere; those are taken out and
//! inserted on their shard, where they may meet a duplicate. The new value must be a literal: then every order in which
//! one server could change the rows ends in the same rows or the same duplicate.

use std::sync::Arc;

use serval_catalog::{ColumnDef, Placement, Sharding, TableDefinition};
use serval_planner::primitive::{Primitive, Route, Target};
use serval_planner::{Bound, PlanTable};
use serval_remote::{Backend, SessionState};
use serval_sql::TokenKind;
use serval_types::{ColumnType, IntWidth, NodeId, Value};

use super::cells::Cells;
use super::keyed::Keyed;
use crate::failure::{Failure, refused};
use crate::literal::identifier;
use crate::session::{Query, Staging, places, prepare_moving, rescan, targets};

/// An UPDATE that sets sharding columns to one value each.
pub(super) struct Moving<'a> {
    table: &'a PlanTable,
    definition: &'a TableDefinition,
    sharding: &'a Sharding,
    assigned: Vec<Assigned<'a>>,
}

/// A sharding column and its new value.
struct Assigned<'a> {
    column: &'a ColumnDef,
    /// Whether the rule's second function takes it.
    inside: bool,
    /// The new value as the statement writes it.
    value: String,
}

/// Where rows of a shard go that has those of the new values.
enum Way {
    /// All to this one.
    To(usize),
    /// Each to its own: other columns that are hashed with the assigned ones tell.
    ByRow,
}

impl<'a> Moving<'a> {
    /// Checks that it can be done exactly.
    ///
    /// # Errors
    /// 1235 where it cannot, and what to do instead.
    pub(super) fn of(
        statement: &Keyed<'_>,
        table: &'a PlanTable,
        assignments: &[(String, (usize, usize))],
    ) -> Result<Self, Failure> {
        let name = &table.table.name;
        let (Placement::Sharded(sharding), Some(definition)) =
            (&table.table.placement, table.table.definition.as_deref())
        else {
            return Err(refused(format!("The definition of {name} is not known")));
        };
        let advice = |why: &str| {
            refused(format!(
                "{} is the sharding column of {name}, and {why}; DELETE the row and INSERT it with the new value in one \
                 transaction",
                sharding.names()
            ))
        };
        if statement.ignore {
            return Err(advice("UPDATE IGNORE of it cannot tell which rows would stay where they are"));
        }
        if !definition.foreign_keys.is_empty() {
            return Err(advice("a table with foreign keys does not move its rows"));
        }
        if let Some(child) = sharding.children.first() {
            return Err(advice(&format!("rows of {} lie beside its rows", child.table)));
        }
        let unique = |name: &str| {
            let named = |other: &String| other.eq_ignore_ascii_case(name);
            definition.primary_key.iter().any(named)
                || definition.unique_keys.iter().any(|key| key.columns.iter().any(named))
        };
        let mut found: Vec<Assigned<'a>> = Vec::new();
        for (assigned, (from, to)) in assignments {
            let literal = literal(statement, *from, *to);
            if let Some(known) = sharding.position(assigned).and_then(|at| sharding.columns.get(at)) {
                let column =
                    definition.column(&known.name).ok_or_else(|| advice("its definition is not known"))?;
                if found.iter().any(|before| before.column.name == column.name) {
                    return Err(advice("it is assigned twice"));
                }
                let value = literal.filter(|text| stores_itself(text, &column.column_type));
                let value = value.ok_or_else(|| {
                    advice("its new value must be a literal of the column's own type and range")
                })?;
                found.push(Assigned { column, inside: known.inside, value });
            } else if unique(assigned) && literal.is_none() {
                return Err(advice("the other columns of unique keys must be set to literals too"));
            }
        }
        if found.is_empty() {
            return Err(advice("its new value is not understood"));
        }
        found.sort_by_key(|assigned| sharding.position(&assigned.column.name));
        Ok(Self { table, definition, sharding, assigned: found })
    }

    /// Changes the rows of `sql`, and moves those whose shard has changed.
    pub(super) async fn run<B: Backend>(
        &self,
        staging: &mut Staging<'_, B>,
        sql: &[u8],
    ) -> Result<(), Failure> {
        let catalog = Arc::clone(&staging.catalog);
        let place = self.beside_parent(staging).await?;
        self.way(0, place)?;
        let scan = rescan(sql, staging.session.options)?;
        let bound = prepare_moving(staging.session, &catalog, &Query::text(sql, &scan))?;
        for target in targets(&bound.root) {
            self.refuse_triggers(staging, target).await?;
        }
        let state = staging.session.effective_state();
        let (outcome, _) = staging.run(&bound, &state, None).await?;
        staging.add(&bound, &outcome.ok, state).await;
        let mut scattered = Vec::new();
        for target in targets(&bound.root) {
            let from = target.shard.unwrap_or_default();
            match self.way(from, place)? {
                Way::To(to) if to == from => {}
                Way::To(to) => {
                    let Some(rows) = self.take(staging, target).await? else { continue };
                    self.put(staging, &rows, Some(to)).await?;
                }
                Way::ByRow => scattered.extend(self.take(staging, target).await?),
            }
        }
        // Not before all have been taken, or those that have come would be taken again.
        for rows in &scattered {
            self.put(staging, rows, None).await?;
        }
        Ok(())
    }

    /// The shard of the parent's row that the new value names, which is locked.
    async fn beside_parent<B: Backend>(
        &self,
        staging: &mut Staging<'_, B>,
    ) -> Result<Option<usize>, Failure> {
        let (Some(_), Some(assigned)) = (&self.sharding.parent, self.assigned.first()) else {
            return Ok(None);
        };
        let catalog = Arc::clone(&staging.catalog);
        let shards = places(staging.session, &catalog, self.table, &[assigned.literal()]).await?;
        Ok(shards.first().copied())
    }

    /// Where rows of the new values go from a shard.
    ///
    /// # Errors
    /// That of an INSERT where the rule has no shard for a new value.
    fn way(&self, from: usize, place: Option<usize>) -> Result<Way, Failure> {
        if let Some(shard) = place {
            return Ok(Way::To(shard));
        }
        let of_level = |inside: bool| -> Vec<Value> {
            let assigned = self.assigned.iter().filter(|assigned| assigned.inside == inside);
            // The literals are what the columns store, in the order of the rule's columns.
            assigned.map(Assigned::literal).collect()
        };
        let mut to = from;
        for inside in [false, true] {
            let values = of_level(inside);
            if values.is_empty() {
                continue;
            }
            if !inside && values.len() < self.sharding.combined() {
                return Ok(Way::ByRow);
            }
            let reached = self.sharding.shard_of_level(inside, &values);
            let reached = reached.map_err(|unroutable| Failure::from(unroutable.to_mysql()))?;
            to = self.sharding.rule.moved(to, reached, inside);
        }
        Ok(Way::To(to))
    }

    /// Triggers would see a DELETE and an INSERT, and foreign keys of other tables lose their row.
    async fn refuse_triggers<B: Backend>(
        &self,
        staging: &mut Staging<'_, B>,
        target: &Target,
    ) -> Result<(), Failure> {
        let text = |name: &str| name.replace('\'', "''").replace('\\', "\\\\");
        let name = text(self.table.physical_name(target.shard));
        let known: Vec<String> =
            self.definition.columns.iter().map(|column| format!("'{}'", text(&column.name))).collect();
        let sql = format!(
            "SELECT (SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = DATABASE() AND \
             EVENT_OBJECT_TABLE = '{name}') + (SELECT COUNT(*) FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE \
             UNIQUE_CONSTRAINT_SCHEMA = DATABASE() AND REFERENCED_TABLE_NAME = '{name}'), (SELECT COUNT(*) FROM \
             information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '{name}' AND COLUMN_NAME NOT IN ({}))",
            known.join(", ")
        );
        let answer = staging.session.ask_readably(target.node, &sql).await?;
        // Rows would move without what stands in them.
        if answer.text(0, 1).as_deref() != Some("0") {
            let PlanTable { schema, table } = self.table;
            staging.session.undefined = Some((schema.clone(), table.name.clone()));
            return Err(refused(format!(
                "The servers have columns of {} that are not known yet; run the statement again",
                table.name
            )));
        }
        if answer.text(0, 0).as_deref() == Some("0") {
            return Ok(());
        }
        Err(refused(format!(
            "{} is the sharding column of {}, and a table with triggers, or that foreign keys refer to, does not move its \
             rows; DELETE the row and INSERT it with the new value in one transaction",
            self.sharding.names(),
            self.table.table.name
        )))
    }

    /// Takes the rows of the new values from a shard; `None` where there are none.
    async fn take<B: Backend>(
        &self,
        staging: &mut Staging<'_, B>,
        from: &Target,
    ) -> Result<Option<Vec<String>>, Failure> {
        let columns = self.columns();
        let state = load_state(staging.session.effective_state());
        let (table, condition) = (identifier(self.table.physical_name(from.shard)), self.condition());
        let list: Vec<String> = columns.iter().map(|column| cell(column)).collect();
        let sql = format!("SELECT {} FROM {table} WHERE {condition} FOR UPDATE", list.join(", "));
        let read = state.with("character_set_results", "NULL");
        let parameters = serval_wire::command::execute::Parameters::none();
        let bound = self.on(from.node, from.shard, sql);
        let (outcome, _) = staging.run(&bound, &read, Some(&parameters)).await?;
        if outcome.rows.is_empty() {
            return Ok(None);
        }
        let bound = self.on(from.node, from.shard, format!("DELETE FROM {table} WHERE {condition}"));
        let (deleted, _) = staging.run(&bound, &state, None).await?;
        if deleted.ok.affected_rows != outcome.rows.len() as u64 {
            return Err(refused("Rows changed while they moved to another shard; run the statement again"));
        }
        let decides = columns.iter().map(|column| self.sharding.position(&column.name).is_some()).collect();
        let places = columns.iter().map(|column| Some(*column)).collect();
        let cells = Cells::of(staging, &outcome, places, decides).await?.in_universal_time();
        let mut rows = Vec::with_capacity(outcome.rows.len());
        for payload in &outcome.rows {
            let row = cells.row(payload)?;
            let row: Vec<&str> = row.iter().map(|cell| cell.as_deref().unwrap_or("NULL")).collect();
            self.refuse_number_zero(&columns, &row)?;
            rows.push(format!("({})", row.join(", ")));
        }
        Ok(Some(rows))
    }

    /// Inserts rows that have been taken: into one shard, or each where it belongs.
    async fn put<B: Backend>(
        &self,
        staging: &mut Staging<'_, B>,
        rows: &[String],
        to: Option<usize>,
    ) -> Result<(), Failure> {
        let state = load_state(staging.session.effective_state());
        let names: Vec<String> = self.columns().iter().map(|column| identifier(&column.name)).collect();
        for rows in rows.chunks(100) {
            let values = format!("({}) VALUES {}", names.join(", "), rows.join(", "));
            let bound = match to {
                Some(shard) => {
                    let table = identifier(self.table.physical_name(to));
                    let node = self.sharding.shards[shard].node;
                    self.on(node, to, format!("INSERT INTO {table} {values}"))
                }
                None => {
                    let PlanTable { schema, table } = self.table;
                    let sql =
                        format!("INSERT INTO {}.{} {values}", identifier(schema), identifier(&table.name));
                    let scan = rescan(sql.as_bytes(), staging.session.options)?;
                    let catalog = Arc::clone(&staging.catalog);
                    let query = Query::text(sql.as_bytes(), &scan);
                    let purpose = crate::session::Purpose::Run;
                    crate::session::prepare(staging.session, &catalog, &query, purpose).await?.bound
                }
            };
            staging.run(&bound, &state, None).await?;
        }
        Ok(())
    }

    /// The columns that rows are moved with.
    fn columns(&self) -> Vec<&'a ColumnDef> {
        self.definition.columns.iter().filter(|column| !column.generated).collect()
    }

    /// A row whose AUTO_INCREMENT value is 0 would be given a number where it is inserted again.
    fn refuse_number_zero(&self, columns: &[&ColumnDef], row: &[&str]) -> Result<(), Failure> {
        let automatic = self.definition.auto_increment().map(|column| column.name.as_str());
        let at = columns.iter().position(|column| Some(column.name.as_str()) == automatic);
        if at.and_then(|at| row.get(at)) != Some(&"0") {
            return Ok(());
        }
        Err(refused(
            "A row whose AUTO_INCREMENT column is 0 does not move to another shard; give it a number first",
        ))
    }

    fn condition(&self) -> String {
        let each: Vec<String> = self.assigned.iter().map(Assigned::condition).collect();
        each.join(" AND ")
    }

    fn on(&self, node: NodeId, shard: Option<usize>, sql: String) -> Bound {
        let targets = vec![Target::new(node, shard, sql.into_bytes())];
        let root = Primitive::Route(Route { targets, replica_safe: false, hidden: 0 });
        Bound { root, tables: Arc::from([self.table.clone()]), notes: Arc::from([]) }
    }
}

impl Assigned<'_> {
    fn equality(&self) -> String {
        format!("{} = {}", identifier(&self.column.name), self.value)
    }

    /// The value, which [`stores_itself`].
    fn literal(&self) -> Value {
        match self.value.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
            Some(text) => Value::Text(text.as_bytes().to_vec()),
            None => Value::integer(&self.value),
        }
    }

    fn condition(&self) -> String {
        let (name, value) = (identifier(&self.column.name), &self.value);
        if self.column.column_type.is_text() {
            // Texts that only compare as equal may belong where they are.
            return format!(
                "{name} = {value} AND CONVERT({name} USING utf8mb4) COLLATE utf8mb4_bin = {value}"
            );
        }
        self.equality()
    }
}

/// What rows move under: one time zone without summer time, and no value refused that a table already holds.
fn load_state(state: SessionState) -> SessionState {
    state.with("time_zone", "'+00:00'").with("sql_mode", "'NO_AUTO_VALUE_ON_ZERO'")
}

/// A column as it can be read exactly.
fn cell(column: &ColumnDef) -> String {
    let name = identifier(&column.name);
    match column.column_type {
        // By number: the text of a member may be that of the error value.
        ColumnType::Enum { .. } | ColumnType::Set { .. } => format!("CAST({name} AS UNSIGNED)"),
        _ => name,
    }
}

/// The text of one literal.
fn literal(statement: &Keyed<'_>, from: usize, to: usize) -> Option<String> {
    let clauses = statement.clauses;
    let last = to.checked_sub(1)?;
    let signed = to - from == 2 && clauses.is_symbol(from, b'-');
    let kind = clauses.tokens.get(last)?.kind;
    let known = match kind {
        TokenKind::Integer | TokenKind::Decimal => to - from == 1 || signed,
        TokenKind::Text => to - from == 1,
        _ => false,
    };
    let text = known.then(|| String::from_utf8(clauses.text(from, to).to_vec()).ok()).flatten()?;
    Some(text)
}

/// Whether a column of the type stores exactly what the literal says, whatever the sql_mode.
fn stores_itself(literal: &str, column_type: &ColumnType) -> bool {
    let inner = literal.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    match (column_type, inner) {
        (ColumnType::Int { width, unsigned }, None) => {
            literal.parse::<i128>().is_ok_and(|number| range(*width, *unsigned).contains(&number))
        }
        (ColumnType::Text { length, .. }, Some(text)) => {
            let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\' && byte != b'\'' || byte == b' ';
            let fits = length.is_none_or(|length| text.len() as u64 <= u64::from(length));
            fits && text.bytes().all(plain) && !text.ends_with(' ')
        }
        (ColumnType::Date, Some(text)) => is_date(text),
        (ColumnType::DateTime { .. }, Some(text)) => {
            let (date, time) = text.split_once(' ').unwrap_or((text, "00:00:00"));
            is_date(date) && is_time(time)
        }
        _ => false,
    }
}

fn range(width: IntWidth, unsigned: bool) -> std::ops::RangeInclusive<i128> {
    let bits = match width {
        IntWidth::Tiny => 8,
        IntWidth::Small => 16,
        IntWidth::Medium => 24,
        IntWidth::Int => 32,
        IntWidth::Big => 64,
    };
    if unsigned { 0..=(1_i128 << bits) - 1 } else { -(1_i128 << (bits - 1))..=(1_i128 << (bits - 1)) - 1 }
}

/// `2026-03-05`; days that not all months have are not taken.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-';
    let number = |part: Option<&str>| part.and_then(|part| part.parse::<u32>().ok()).unwrap_or(0);
    shape
        && number(text.get(..4)) > 0
        && (1..=12).contains(&number(text.get(5..7)))
        && (1..=28).contains(&number(text.get(8..)))
}

/// `09:05:00`.
fn is_time(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let number =
        |part: &str, most: u32| part.len() == 2 && part.parse::<u32>().is_ok_and(|number| number <= most);
    matches!(&*parts, [hour, minute, second] if number(hour, 23) && number(minute, 59) && number(second, 59))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_that_would_be_stored_as_others_are_seen() {
        let int = ColumnType::Int { width: IntWidth::Tiny, unsigned: false };
        assert!(stores_itself("-128", &int) && stores_itself("127", &int));
        assert!(!stores_itself("128", &int) && !stores_itself("1.5", &int) && !stores_itself("'5'", &int));
        let text = ColumnType::Text { length: Some(3), collation: None };
        assert!(stores_itself("'abc'", &text));
        assert!(
            !stores_itself("'abcd'", &text) && !stores_itself("'ab '", &text) && !stores_itself("5", &text)
        );
        let moment = ColumnType::DateTime { fsp: 0 };
        assert!(stores_itself("'2026-03-05 09:05:00'", &moment) && stores_itself("'2026-03-05'", &moment));
        assert!(!stores_itself("'2026-02-30'", &moment) && !stores_itself("'2026-03-05 25:00:00'", &moment));
    }
}
