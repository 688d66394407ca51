//! Keys that ALTER TABLE adds without a name.
//!
//! A server gives such a key a name that is free. Run again after it failed on some nodes, the statement would add a second
//! one on the others; so Serval gives it the name that one server would have given it the first time, and nodes that have
//! it say so.

use serval_catalog::{Catalog, TableDefinition};
use serval_sql::{Ddl, DdlKind, Edit, LexOptions, Span, splice};

use crate::literal::identifier;
use crate::statement::staged::clauses::Clauses;

/// The statement with the names; `None` where all keys have one, or the table is in one place only.
pub(super) fn text(
    catalog: &Catalog,
    ddl: &Ddl,
    schemas: &[String],
    text: &str,
    options: LexOptions,
) -> Option<String> {
    if !matches!(ddl.kind, DdlKind::AlterTable { rename_to: None }) {
        return None;
    }
    let (schema, name) = (schemas.first()?, ddl.tables.first()?);
    let table = catalog.table(schema, &name.table.value)?;
    let places = table.sharding().map_or(table.placement.nodes().len(), |sharding| sharding.shards.len());
    let definition = table.definition.as_deref().filter(|_| places > 1)?;
    named(text, name.span().end, definition, options)
}

fn named(text: &str, after: u32, definition: &TableDefinition, options: LexOptions) -> Option<String> {
    let clauses = Clauses::of(text.as_bytes(), options)?;
    let first = clauses.tokens.iter().position(|token| token.span.start >= after)?;
    let mut edits = Vec::new();
    let mut given = Vec::new();
    for (from, to) in clauses.items(first, clauses.tokens.len()) {
        let Some((at, columns)) = unnamed(&clauses, from, to) else { continue };
        let name = free(definition, &columns, &given);
        let place = clauses.tokens[at].span.start;
        edits.push(Edit { at: Span::new(place, place), text: format!("{} ", identifier(&name)) });
        given.push(name);
    }
    if edits.is_empty() {
        return None;
    }
    String::from_utf8(splice(text.as_bytes(), &edits)).ok()
}

/// Where the name of a key would stand that has none, and its columns.
fn unnamed(clauses: &Clauses<'_>, from: usize, to: usize) -> Option<(usize, Vec<String>)> {
    if !clauses.is_word(from, &["ADD"]) {
        return None;
    }
    let kind = clauses.skip(from + 1, &["UNIQUE", "FULLTEXT", "SPATIAL"]);
    let at = clauses.skip(kind, &["KEY", "INDEX"]);
    if at == from + 1 || at >= to {
        return None;
    }
    let list = if clauses.is_word(at, &["USING"]) { at + 2 } else { at };
    if !clauses.is_symbol(list, b'(') {
        return None;
    }
    let end = clauses.closing(list)?;
    let columns = clauses.items(list + 1, end).into_iter().map(|(from, _)| clauses.name(from));
    Some((at, columns.collect::<Option<Vec<_>>>()?))
}

/// The first column's name, or that with a number: the first that no other key has.
fn free(definition: &TableDefinition, columns: &[String], given: &[String]) -> String {
    let first = columns.first().map_or("key", String::as_str);
    let is_taken = |name: &str| {
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        same("PRIMARY")
            || given.iter().any(|other| same(other))
            || definition.unique_keys.iter().any(|key| same(&key.name) && !equal(&key.columns, columns))
    };
    let numbered = (2..100).map(|number| format!("{first}_{number}"));
    let mut names = std::iter::once(first.to_owned()).chain(numbered);
    names.find(|name| !is_taken(name)).unwrap_or_else(|| first.to_owned())
}

fn equal(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.eq_ignore_ascii_case(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_names(sql: &str) -> Option<String> {
        let options = LexOptions::default();
        let definition = "CREATE TABLE t (id INT PRIMARY KEY, v INT, w INT, UNIQUE KEY w (id, w))";
        let definition = serval_sql::create_table::parse(definition, options).expect("a table");
        named(sql, 13, &definition, options)
    }

    #[test]
    fn keys_get_the_names_that_one_server_gives() {
        let named = |sql: &str| with_names(sql).unwrap_or_else(|| sql.to_owned());
        assert_eq!(named("ALTER TABLE t ADD KEY (v)"), "ALTER TABLE t ADD KEY `v` (v)");
        assert_eq!(
            named("ALTER TABLE t ADD a INT, ADD UNIQUE (v, w), ADD INDEX USING BTREE (`v`)"),
            "ALTER TABLE t ADD a INT, ADD UNIQUE `v` (v, w), ADD INDEX `v_2` USING BTREE (`v`)"
        );
        assert_eq!(named("ALTER TABLE t ADD KEY (w)"), "ALTER TABLE t ADD KEY `w_2` (w)");
        for whole in [
            "ALTER TABLE t ADD KEY k (v)",
            "ALTER TABLE t ADD PRIMARY KEY (v)",
            "ALTER TABLE t ADD (a INT, KEY (v))",
            "ALTER TABLE t ADD CONSTRAINT c UNIQUE (v)",
            "ALTER TABLE t ADD COLUMN k INT, DROP KEY v",
        ] {
            assert_eq!(with_names(whole), None, "{whole}");
        }
    }
}
