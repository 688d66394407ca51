//! UPDATE of the sharding column: rows whose shard changes move there.
//!
//! Each shard first changes its rows as one server would, so that assignments, counts, warnings and errors are the
//! servers' own. Then the rows of the new value lie where they do not belong, if anywhere; those are taken out and
//! inserted on their shard, where they may meet a duplicate. The new value must be a literal: then every order in which
//! one server could change the rows ends in the same rows or the same duplicate.

use std::sync::Arc;

use serval_catalog::{ColumnDef, Placement, TableDefinition};
use serval_planner::primitive::{Primitive, Route, Target};
use serval_planner::{Bound, PlanTable};
use serval_remote::{Backend, SessionState};
use serval_sql::TokenKind;
use serval_types::{ColumnType, IntWidth};

use super::cells::Cells;
use super::keyed::Keyed;
use crate::failure::{Failure, refused};
use crate::literal::identifier;
use crate::session::{Query, Staging, prepare_moving, rescan, targets};

/// An UPDATE that sets the sharding column to one value.
pub(super) struct Moving<'a> {
    table: &'a PlanTable,
    definition: &'a TableDefinition,
    column: &'a ColumnDef,
    /// The new value as the statement writes it.
    value: String,
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
                sharding.column
            ))
        };
        if statement.ignore {
            return Err(advice("UPDATE IGNORE of it cannot tell which rows would stay where they are"));
        }
        if !definition.foreign_keys.is_empty() {
            return Err(advice("a table with foreign keys does not move its rows"));
        }
        let column =
            definition.column(&sharding.column).ok_or_else(|| advice("its definition is not known"))?;
        let unique = |name: &str| {
            let named = |other: &String| other.eq_ignore_ascii_case(name);
            definition.primary_key.iter().any(named)
                || definition.unique_keys.iter().any(|key| key.columns.iter().any(named))
        };
        let mut value = None;
        for (assigned, (from, to)) in assignments {
            let literal = literal(statement, *from, *to);
            if assigned.eq_ignore_ascii_case(&sharding.column) {
                if value.is_some() {
                    return Err(advice("it is assigned twice"));
                }
                value = literal;
                if value.as_ref().is_none_or(|text| !stores_itself(text, &column.column_type)) {
                    return Err(advice("its new value must be a literal of the column's own type and range"));
                }
            } else if unique(assigned) && literal.is_none() {
                return Err(advice("the other columns of unique keys must be set to literals too"));
            }
        }
        let value = value.ok_or_else(|| advice("its new value is not understood"))?;
        Ok(Self { table, definition, column, value })
    }

    /// Changes the rows of `sql`, and moves those whose shard has changed.
    pub(super) async fn run<B: Backend>(
        &self,
        staging: &mut Staging<'_, B>,
        sql: &[u8],
    ) -> Result<(), Failure> {
        let place = self.place(staging).await?;
        let catalog = Arc::clone(&staging.catalog);
        let scan = rescan(sql, staging.session.options)?;
        let bound = prepare_moving(staging.session, &catalog, &Query::text(sql, &scan))?;
        for target in targets(&bound.root) {
            self.refuse_triggers(staging, target).await?;
        }
        let state = staging.session.effective_state();
        let (outcome, _) = staging.run(&bound, &state, None).await?;
        staging.add(&bound, &outcome.ok, state).await;
        for target in targets(&bound.root).iter().filter(|target| target.shard != place.shard) {
            self.take(staging, target, &place).await?;
        }
        Ok(())
    }

    /// Where rows of the new value belong.
    async fn place<B: Backend>(&self, staging: &mut Staging<'_, B>) -> Result<Target, Failure> {
        let PlanTable { schema, table } = self.table;
        let sql = format!(
            "SELECT 1 FROM {}.{} WHERE {} = {}",
            identifier(schema),
            identifier(&table.name),
            identifier(&self.column.name),
            self.value
        );
        let scan = rescan(sql.as_bytes(), staging.session.options)?;
        let catalog = Arc::clone(&staging.catalog);
        let query = Query::text(sql.as_bytes(), &scan);
        let bound =
            crate::session::prepare(staging.session, &catalog, &query, crate::session::Purpose::Run).await?;
        match targets(&bound.bound.root) {
            [only] if only.shard.is_some() => Ok(only.clone()),
            _ => Err(refused(format!(
                "The new value of the sharding column {} has no shard of its own; DELETE the row and INSERT it with the \
                 new value in one transaction",
                self.column.name
            ))),
        }
    }

    /// Triggers would see a DELETE and an INSERT, and foreign keys of other tables lose their row.
    async fn refuse_triggers<B: Backend>(
        &self,
        staging: &mut Staging<'_, B>,
        target: &Target,
    ) -> Result<(), Failure> {
        let name = self.table.physical_name(target.shard).replace('\'', "''").replace('\\', "\\\\");
        let sql = format!(
            "SELECT (SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = DATABASE() AND \
             EVENT_OBJECT_TABLE = '{name}') + (SELECT COUNT(*) FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE \
             UNIQUE_CONSTRAINT_SCHEMA = DATABASE() AND REFERENCED_TABLE_NAME = '{name}')"
        );
        let answer = staging.session.ask(target.node, &sql).await?;
        if answer.text(0, 0).as_deref() == Some("0") {
            return Ok(());
        }
        Err(refused(format!(
            "{} is the sharding column of {}, and a table with triggers, or that foreign keys refer to, does not move its \
             rows; DELETE the row and INSERT it with the new value in one transaction",
            self.column.name, self.table.table.name
        )))
    }

    /// Takes the rows of the new value from a shard where they do not belong.
    async fn take<B: Backend>(
        &self,
        staging: &mut Staging<'_, B>,
        from: &Target,
        to: &Target,
    ) -> Result<(), Failure> {
        let columns: Vec<&ColumnDef> =
            self.definition.columns.iter().filter(|column| !column.generated).collect();
        let state = load_state(staging.session.effective_state());
        let (table, condition) = (identifier(self.table.physical_name(from.shard)), self.condition());
        let list: Vec<String> = columns.iter().map(|column| cell(column)).collect();
        let sql = format!("SELECT {} FROM {table} WHERE {condition} FOR UPDATE", list.join(", "));
        let read = state.with("character_set_results", "NULL");
        let parameters = serval_wire::command::execute::Parameters::none();
        let bound = self.on(from, sql);
        let (outcome, _) = staging.run(&bound, &read, Some(&parameters)).await?;
        if outcome.rows.is_empty() {
            return Ok(());
        }
        let bound = self.on(from, format!("DELETE FROM {table} WHERE {condition}"));
        let (deleted, _) = staging.run(&bound, &state, None).await?;
        if deleted.ok.affected_rows != outcome.rows.len() as u64 {
            return Err(refused("Rows changed while they moved to another shard; run the statement again"));
        }
        let targets = columns.iter().map(|column| Some(*column)).collect();
        let cells = Cells::of(staging, &outcome, targets, Vec::new()).await?.in_universal_time();
        let names: Vec<String> = columns.iter().map(|column| identifier(&column.name)).collect();
        let table = identifier(self.table.physical_name(to.shard));
        for payloads in outcome.rows.chunks(100) {
            let mut rows = Vec::with_capacity(payloads.len());
            for payload in payloads {
                let row = cells.row(payload)?;
                let row: Vec<&str> = row.iter().map(|cell| cell.as_deref().unwrap_or("NULL")).collect();
                rows.push(format!("({})", row.join(", ")));
            }
            let sql = format!("INSERT INTO {table} ({}) VALUES {}", names.join(", "), rows.join(", "));
            let bound = self.on(to, sql);
            staging.run(&bound, &state, None).await?;
        }
        Ok(())
    }

    fn condition(&self) -> String {
        let name = identifier(&self.column.name);
        if self.column.column_type.is_text() {
            // Texts that only compare as equal may belong where they are.
            return format!(
                "{name} = {value} AND CONVERT({name} USING utf8mb4) COLLATE utf8mb4_bin = {value}",
                value = self.value
            );
        }
        format!("{name} = {}", self.value)
    }

    fn on(&self, place: &Target, sql: String) -> Bound {
        let targets = vec![Target::new(place.node, place.shard, sql.into_bytes())];
        let root = Primitive::Route(Route { targets, replica_safe: false, hidden: 0 });
        Bound { root, tables: Arc::from([self.table.clone()]), notes: Arc::from([]) }
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
