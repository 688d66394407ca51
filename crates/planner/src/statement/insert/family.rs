//! Rows of tables that have a parent or children.
//!
//! A child's row lies where its parent's row lies, so that has to be looked for before the INSERT is bound. A parent's
//! row may find children that are older than itself, whose own parent was deleted: where they lie on another shard than
//! the new row, they would not be found beside it.

use serval_catalog::{Catalog, Child, ShardIndex, Sharding};
use serval_types::Value;

use super::bind::explicit_value;
use super::{InsertPlan, KeySource, Placing, PlannedRow};
use crate::bound::PlanTable;
use crate::error::PlanError;
use crate::operand::Values;
use crate::plan::Led;

impl InsertPlan {
    /// See [`crate::Plan::follows`].
    pub(crate) fn follows(&self, values: &Values<'_>) -> Option<Vec<Value>> {
        let Placing::ByKey(sharding) = &self.placing else { return None };
        sharding.parent.as_ref()?;
        let key = |row: &PlannedRow| row.keys.first().map_or(Value::Null, |key| given(row, key, values));
        Some(self.rows.iter().map(key).collect())
    }

    /// See [`crate::Plan::leads`].
    pub(crate) fn leads(
        &self,
        values: &Values<'_>,
        sequence_start: Option<u64>,
    ) -> Result<Vec<Led>, PlanError> {
        let Placing::ByKey(sharding) = &self.placing else { return Ok(Vec::new()) };
        let mut found: Vec<Led> =
            self.watched.iter().map(|child| Led { child: child.clone(), keys: Vec::new() }).collect();
        if found.is_empty() {
            return Ok(found);
        }
        let mut next = sequence_start;
        for (at, row) in self.rows.iter().enumerate() {
            let number = self.generated_number(row, values, &mut next)?;
            let mut shard = None;
            for (led, key) in found.iter_mut().zip(&row.led) {
                let key = match key {
                    Some(KeySource::Generated) if number.is_some() => continue,
                    Some(key) => given(row, key, values),
                    None => continue,
                };
                let place = match shard {
                    Some(place) => place,
                    None => self.shard_of(sharding, row, (at, number), values)?,
                };
                shard = Some(place);
                if !key.is_null() {
                    led.keys.push((key, place));
                }
            }
        }
        found.retain(|led| !led.keys.is_empty());
        Ok(found)
    }

    /// The shard that a row is stored in.
    pub(super) fn shard_of(
        &self,
        sharding: &Sharding,
        row: &PlannedRow,
        (at, number): (usize, Option<u64>),
        values: &Values<'_>,
    ) -> Result<ShardIndex, PlanError> {
        if let (Some(parent), [column, ..]) = (&sharding.parent, &*sharding.columns) {
            let shard = values.shards.and_then(|shards| shards.get(at).copied());
            let (table, parent) = (column.name.clone(), parent.to_string());
            return shard.ok_or(PlanError::Follows { table, parent });
        }
        self.shard_of_keys(sharding, row, number, values)
    }
}

/// The value of a key that the row itself brings.
fn given(row: &PlannedRow, key: &KeySource, values: &Values<'_>) -> Value {
    match key {
        KeySource::Operand(operand) => operand.value(values),
        KeySource::Generated => explicit_value(row, values),
    }
}

/// The children of a table that may hold keys whose parent is gone: those that no foreign key ties to it.
#[must_use]
pub fn untied_children(catalog: &Catalog, table: &PlanTable) -> Vec<Child> {
    let Some(sharding) = table.table.sharding() else { return Vec::new() };
    let tied = |child: &&Child| {
        let definition =
            catalog.table(&table.schema, &child.table).and_then(|table| table.definition.as_ref());
        definition.is_some_and(|definition| {
            definition.foreign_keys.iter().any(|key| {
                let only = |columns: &[String], name: &str| {
                    matches!(columns, [column] if column.eq_ignore_ascii_case(name))
                };
                key.table.eq_ignore_ascii_case(&table.table.name)
                    && only(&key.columns, &child.column)
                    && only(&key.referenced, &child.key.column)
            })
        })
    };
    sharding.children.iter().filter(|child| !tied(child)).cloned().collect()
}
