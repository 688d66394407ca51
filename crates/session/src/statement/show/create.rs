//! SHOW CREATE TABLE and SHOW CREATE DATABASE, in logical names.

use serval_remote::Backend;
use serval_sql::TableName;

use serval_executor::Names;

use super::account::Accounts;
use super::place::Place;
use super::reversible;
use crate::answer::Answer;
use crate::failure::{Failure, refused};
use crate::literal::identifier;
use crate::session::{Session, is_system_schema};

/// The definition of a table, as its first shard has it.
pub(super) async fn table<B: Backend>(
    session: &mut Session<B>,
    table: &TableName,
) -> Result<Answer, Failure> {
    let place = Place::find(session, table)?;
    let mut answer = place.ask(session, format!("SHOW CREATE TABLE {}", place.quoted())).await?;
    if is_system_schema(&place.table.schema) {
        return Ok(answer);
    }
    let database = &place.catalog.node(place.node).database;
    let is_view = answer.columns.first().is_some_and(|column| column.name.as_ref() == b"View");
    let accounts = if is_view { Some(Accounts::of(session, place.node).await?) } else { None };
    for row in &mut answer.rows {
        if let [Some(name), Some(text), ..] = &mut **row {
            *name = place.logical().as_bytes().to_vec();
            let sharded = place.table.table.sharding().is_some();
            *text = reversible::changed(text, |shown| {
                let shown = rename(shown, place.physical(), place.logical());
                let shown = match &accounts {
                    Some(accounts) => {
                        accounts.in_definition(&rename_databases(&shown, database, &place.table.schema))
                    }
                    None => rename_constraints(&shown, &place.names()),
                };
                if sharded { without_auto_increment(&shown) } else { shown }
            });
        }
    }
    Ok(answer)
}

/// Serval's own CREATE DATABASE of a schema.
pub(super) async fn database<B: Backend>(
    session: &mut Session<B>,
    name: &str,
    if_not_exists: bool,
) -> Result<Answer, Failure> {
    let option = if if_not_exists { "IF NOT EXISTS " } else { "" };
    let name = session.check_schema(name)?;
    if is_system_schema(&name) {
        let home = session.home(&session.catalog())?;
        return session.ask(home, &format!("SHOW CREATE DATABASE {option}{name}")).await;
    }
    let catalog = session.catalog();
    let schema = catalog.schema(&name);
    let node = schema.and_then(|schema| {
        let first = || schema.tables.values().find_map(|table| table.placement.nodes().first().copied());
        schema.default_node.or_else(first)
    });
    let Some(node) = node else { return Err(refused("The schema has no data node yet")) };
    let physical = &catalog.node(node).database;
    let sql = format!("SHOW CREATE DATABASE {option}{}", identifier(physical));
    let mut answer = session.ask(node, &sql).await?;
    for row in &mut answer.rows {
        if let [Some(shown), Some(text)] = &mut **row {
            *shown = name.clone().into_bytes();
            *text = reversible::changed(text, |text| rename(text, physical, &name));
        }
    }
    Ok(answer)
}

/// The statement with the logical name in the place where the physical one is defined. How names are quoted depends
/// on the session's sql_mode and sql_quote_show_create.
fn rename(text: &str, physical: &str, logical: &str) -> String {
    const VERBS: [&str; 3] =
        ["CREATE TABLE ", "CREATE DATABASE /*!32312 IF NOT EXISTS*/ ", "CREATE DATABASE "];
    for verb in VERBS {
        let Some(rest) = text.strip_prefix(verb) else { continue };
        for quote in [identifier, ansi_identifier, str::to_owned] {
            if let Some(rest) = rest.strip_prefix(&quote(physical)) {
                return format!("{verb}{}{rest}", quote(logical));
            }
        }
    }
    text.to_owned()
}

/// The lines of constraints with logical names. What stands in a CHECK is the client's, but for its name.
fn rename_constraints(text: &str, names: &Names<'_>) -> String {
    let lines = text.split('\n').map(|line| {
        let Some(rest) = line.strip_prefix("  CONSTRAINT ") else { return line.to_owned() };
        match rest.split_once(" CHECK ") {
            Some((name, check)) => format!("  CONSTRAINT {} CHECK {check}", names.map_text(name)),
            None => names.map_text(line),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A view's text names its tables with their database.
pub(super) fn rename_databases(text: &str, physical: &str, logical: &str) -> String {
    let mut text = text.to_owned();
    for quote in [identifier, ansi_identifier] {
        text = text.replace(&format!("{}.", quote(physical)), &format!("{}.", quote(logical)));
    }
    text
}

pub(super) fn ansi_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The counter of one shard says nothing of the table.
fn without_auto_increment(text: &str) -> String {
    const OPTION: &str = " AUTO_INCREMENT=";
    // Table options stand behind the last parenthesis that ends the columns.
    let options = text.rfind("\n)").unwrap_or(text.len());
    let Some(at) = text[options..].find(OPTION).map(|at| options + at) else { return text.to_owned() };
    let digits = text[at + OPTION.len()..].bytes().take_while(u8::is_ascii_digit).count();
    format!("{}{}", &text[..at], &text[at + OPTION.len() + digits..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_gets_its_logical_name() {
        let text =
            "CREATE TABLE `events_202611` (\n  `id` int\n) ENGINE=InnoDB AUTO_INCREMENT=7 COMMENT=' x'";
        let shown = without_auto_increment(&rename(text, "events_202611", "events"));
        assert_eq!(shown, "CREATE TABLE `events` (\n  `id` int\n) ENGINE=InnoDB COMMENT=' x'");
    }

    #[test]
    fn names_are_found_however_they_are_quoted() {
        assert_eq!(rename("CREATE TABLE \"t_1\" (x)", "t_1", "t"), "CREATE TABLE \"t\" (x)");
        assert_eq!(rename("CREATE DATABASE shop_0 /*!x*/", "shop_0", "shop"), "CREATE DATABASE shop /*!x*/");
    }
}
