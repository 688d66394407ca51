//! What a definition says of other tables: each server must find there the rows that its own need.

use serval_catalog::{Alteration, Catalog, Placement, Sharding, Table, TableDefinition, check_foreign_keys};
use serval_sql::{Ddl, DdlKind, LexOptions, Token, create_table, identifier_value, tokens};

use crate::bound::PlanTable;
use crate::error::PlanError;

/// Refuses foreign keys to rows on other nodes, and MERGE tables over tables elsewhere.
pub(super) fn refuse_apart(
    catalog: &Catalog,
    (ddl, alteration): (&Ddl, Option<&Alteration>),
    table: &PlanTable,
    sql: &str,
    options: LexOptions,
) -> Result<(), PlanError> {
    let definition = match ddl.kind {
        DdlKind::CreateTable { .. } => create_table::parse(sql, options).ok(),
        DdlKind::AlterTable { .. } => alteration.map(|alteration| added_keys(&table.table, alteration)),
        _ => return Ok(()),
    };
    let typed = definition.as_ref().map(|definition| typed(&table.table, definition));
    if let (Some(typed), Some(definition)) = (typed, &definition)
        && let Some(problem) = check_foreign_keys(catalog, &table.schema, &typed, definition)
    {
        return Err(PlanError::refused(problem));
    }
    refuse_merged(catalog, table, sql, options)
}

/// The table as it will be placed, with the types that its sharding columns get.
fn typed(table: &Table, definition: &TableDefinition) -> Table {
    let mut table = table.clone();
    if let Placement::Sharded(sharding) = &table.placement {
        table.placement = Placement::Sharded(with_types(sharding, definition).into());
    }
    table
}

fn with_types(sharding: &Sharding, definition: &TableDefinition) -> Sharding {
    let columns = sharding.columns.iter().map(|known| match definition.column(&known.name) {
        Some(column) => known.defined(column),
        None => known.clone(),
    });
    sharding.with_columns(columns.collect())
}

/// The table as an ALTER TABLE makes it, of its foreign keys those that are new.
fn added_keys(table: &Table, alteration: &Alteration) -> TableDefinition {
    let known = table.definition.as_deref().cloned().unwrap_or_else(|| TableDefinition::named(&table.name));
    TableDefinition { foreign_keys: alteration.foreign_keys(), ..alteration.applied(&known) }
}

/// A MERGE table reads the tables of its UNION that are on its own server.
fn refuse_merged(
    catalog: &Catalog,
    table: &PlanTable,
    sql: &str,
    options: LexOptions,
) -> Result<(), PlanError> {
    let schema = catalog.schema(&table.schema);
    for name in merged(sql, options) {
        let other = schema.and_then(|schema| schema.table_or_default(&name));
        let together = other.is_some_and(|other| {
            matches!((&table.table.placement, &other.placement),
                (Placement::Node(own), Placement::Node(node)) if own == node)
        });
        if !together {
            return Err(PlanError::refused(format!(
                "MERGE table {} can only unite tables of its own schema that lie on its own data node alone, which {name} \
                 does not; write a UNION ALL of them",
                table.table.name
            )));
        }
    }
    Ok(())
}

/// The tables of the option `UNION = (a, b)`; a name with its schema is one that no table has.
fn merged(sql: &str, options: LexOptions) -> Vec<String> {
    let Some(tokens) = significant(sql, options) else { return Vec::new() };
    let symbol = |at: usize, symbol: u8| tokens.get(at).is_some_and(|token| token.is_symbol(symbol));
    let mut depth = 0_i32;
    let option = tokens.iter().enumerate().find_map(|(at, token)| {
        depth += i32::from(token.is_symbol(b'(')) - i32::from(token.is_symbol(b')'));
        let lists = symbol(at + 1 + usize::from(symbol(at + 1, b'=')), b'(');
        (depth == 0 && token.is_word(sql.as_bytes(), "UNION") && lists).then_some(at)
    });
    let Some(option) = option else { return Vec::new() };
    let list = tokens.iter().skip(option + 1).skip_while(|token| !token.is_symbol(b'(')).skip(1);
    let mut names = vec![String::new()];
    for token in list.take_while(|token| !token.is_symbol(b')')) {
        if token.is_symbol(b',') {
            names.push(String::new());
        } else if let Some(name) = names.last_mut() {
            name.push_str(&String::from_utf8_lossy(&identifier_value(token.span.of(sql.as_bytes()))));
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The tokens that are no comments.
fn significant(sql: &str, options: LexOptions) -> Option<Vec<Token>> {
    let mut tokens = tokens(sql.as_bytes(), options).ok()?;
    tokens.retain(|token| !token.kind.is_comment());
    Some(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_of_a_union() {
        let names = |sql: &str| merged(sql, LexOptions::default());
        assert_eq!(names("CREATE TABLE m (a INT) ENGINE=MERGE UNION=(t1, `t 2`)"), ["t1", "t 2"]);
        assert_eq!(names("ALTER TABLE m UNION (s.t1)"), ["s.t1"]);
        assert_eq!(names("CREATE TABLE `union` (a INT CHECK (a IN (1)))"), [""; 0]);
    }
}
