//! From logical names in a statement's text to the names that the servers know.

use serval_catalog::{Catalog, Placement, Table};
use serval_sql::{Replacement, Span};
use serval_types::NodeId;

use crate::analysis::{Analysis, TableRef};
use crate::bound::PlanTable;

/// What a statement allows where a table is renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renaming {
    /// The table can be given its logical name as an alias.
    Alias,
    /// It cannot, so columns that are qualified with it are rewritten too.
    Qualifiers,
}

/// One table name to render: the slot of the same number in the template.
#[derive(Debug, Clone)]
pub(crate) struct NameSlot {
    /// Which reference of the statement.
    pub(crate) reference: usize,
    /// Write the database before it.
    pub(crate) qualified: bool,
    /// Write this alias behind it where the physical name differs.
    pub(crate) alias: Option<String>,
    /// Only the alias: the name stands elsewhere.
    pub(crate) alias_only: bool,
}

/// The edits that put slots in the place of names, and what each slot renders.
pub(crate) fn name_slots(
    sql: &[u8],
    analysis: &Analysis,
    renaming: Renaming,
) -> (Vec<(Span, Replacement)>, Vec<NameSlot>) {
    let mut edits = Vec::new();
    let mut slots = Vec::new();
    for (reference, found) in analysis.refs.iter().enumerate() {
        if !found.qualified && !is_renamed(&found.table.table) {
            continue;
        }
        // An alias is for the other places that say the name. Where there are none the statement does without, so that
        // it may use a table that LOCK TABLES has locked: no two pieces of a database can be locked under one alias.
        let needed = renaming == Renaming::Alias && !found.aliased && mentions(sql, &found.exposed) > 1;
        let alias = needed.then(|| found.exposed.clone());
        let slot = NameSlot { reference, qualified: found.qualified, alias, alias_only: false };
        match behind_partitions(sql, found.name.end).filter(|_| slot.alias.is_some()) {
            Some(place) => {
                push(&mut edits, &mut slots, found.name, NameSlot { alias: None, ..slot.clone() });
                push(&mut edits, &mut slots, Span::at(place), NameSlot { alias_only: true, ..slot });
            }
            None => push(&mut edits, &mut slots, found.name, slot),
        }
    }
    edits.extend(analysis.table_words.iter().map(|word| (*word, Replacement::Text(SELECT_ALL.to_owned()))));
    for span in &analysis.schema_prefixes {
        edits.push((*span, Replacement::Text(String::new())));
    }
    if renaming == Renaming::Qualifiers {
        for (span, name) in &analysis.table_prefixes {
            if let Some(reference) = renamed_as(&analysis.refs, name) {
                push(
                    &mut edits,
                    &mut slots,
                    *span,
                    NameSlot { reference, qualified: false, alias: None, alias_only: false },
                );
            }
        }
    }
    (edits, slots)
}

/// The place behind `PARTITION (p0, p1)`, where that stands behind a table's name: an alias follows it.
fn behind_partitions(sql: &[u8], name_end: u32) -> Option<u32> {
    const WORD: &[u8] = b"PARTITION";
    let rest = sql.get(name_end as usize..)?;
    let word = rest.trim_ascii_start();
    let (start, behind) = word.split_at_checked(WORD.len())?;
    if !start.eq_ignore_ascii_case(WORD) || !behind.trim_ascii_start().starts_with(b"(") {
        return None;
    }
    let close = behind.iter().position(|byte| *byte == b')')?;
    let before = rest.len() - behind.len() + close + 1;
    u32::try_from(before).ok().map(|before| name_end + before)
}

/// What TABLE is short for.
pub(crate) const SELECT_ALL: &str = "SELECT * FROM";

/// How often a name stands in the text, in whatever meaning.
fn mentions(sql: &[u8], name: &str) -> usize {
    sql.windows(name.len().max(1)).filter(|window| window.eq_ignore_ascii_case(name.as_bytes())).count()
}

fn push(edits: &mut Vec<(Span, Replacement)>, slots: &mut Vec<NameSlot>, span: Span, slot: NameSlot) {
    // A statement with 65,535 table names has been refused by its length long before.
    let number = u16::try_from(slots.len()).unwrap_or(u16::MAX);
    edits.push((span, Replacement::Slot(number)));
    slots.push(slot);
}

fn renamed_as(refs: &[TableRef], name: &str) -> Option<usize> {
    refs.iter().position(|found| {
        !found.aliased && found.exposed.eq_ignore_ascii_case(name) && is_renamed(&found.table.table)
    })
}

/// Whether any shard of the table has another name on its server.
fn is_renamed(table: &Table) -> bool {
    match &table.placement {
        Placement::Sharded(sharding) => sharding.shards.iter().any(|shard| shard.table != table.name),
        Placement::Node(_) | Placement::Global(_) => false,
    }
}

/// Renders one name for a node.
pub(crate) fn render(
    slot: &NameSlot,
    table: &PlanTable,
    shard: Option<usize>,
    node: NodeId,
    catalog: &Catalog,
    out: &mut Vec<u8>,
) {
    let physical = table.physical_name(shard);
    if !slot.alias_only {
        name(slot, physical, node, catalog, out);
    }
    if let Some(alias) = slot.alias.as_ref().filter(|_| physical != table.table.name) {
        out.extend_from_slice(b" AS ");
        quote(alias, out);
    }
}

fn name(slot: &NameSlot, physical: &str, node: NodeId, catalog: &Catalog, out: &mut Vec<u8>) {
    if slot.qualified {
        quote(&catalog.node(node).database, out);
        out.push(b'.');
    }
    quote(physical, out);
}

/// An identifier in backticks.
pub(crate) fn quote(name: &str, out: &mut Vec<u8>) {
    out.push(b'`');
    for byte in name.bytes() {
        if byte == b'`' {
            out.push(b'`');
        }
        out.push(byte);
    }
    out.push(b'`');
}
