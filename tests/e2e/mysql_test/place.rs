//! Where the suite's tables lie. The suite makes them as it goes, `t1` again and again with other columns; so the catalog is
//! written anew before a CREATE TABLE whose table does not fit its place.
//!
//! Two tables of three are sharded by hash of a column that all unique keys contain, every third is global, and every
//! fifth lies on the default node, as do those that have no such column.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serval_testkit::{Cluster, ServalPorts};
use serval_tests::{ADMIN, APP, Answer, Client};

/// Where tables are made on the one server to look at them.
pub(super) const SHAPES: &str = "replay_shapes";

/// The catalog's tables.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// By their names in lower case: as they were written, and where they lie.
    tables: BTreeMap<String, (String, String)>,
    made: usize,
}

impl Places {
    /// Finds a place for the table that a statement would make; the change, if the catalog has changed. The client of the
    /// suite makes the table to look at, under its settings, which must not disturb who looks.
    pub(super) async fn find(
        &mut self,
        sql: &str,
        oracle: &mut Client,
        looker: &mut Client,
    ) -> Option<Change> {
        let made = Made::read(sql)?;
        let present = oracle.run(&format!("SELECT 1 FROM {} LIMIT 0", made.name)).await;
        if matches!(present, Answer::Rows { .. }) && !made.replaces {
            return None;
        }
        let shape = Shape::of(&made, sql, oracle, looker).await;
        let place = shape.and_then(|shape| self.place(&shape));
        let name = made.name.trim_matches('`').to_owned();
        let key = name.to_ascii_lowercase();
        let after = place.map(|place| (name, place));
        let before = match &after {
            Some(after) => self.tables.insert(key, after.clone()),
            None => self.tables.remove(&key),
        };
        (before != after).then_some(Change { table: made.name, replaces: made.replaces })
    }

    fn place(&mut self, shape: &Shape) -> Option<String> {
        self.made += 1;
        match self.made {
            made if made % 5 == 0 => None,
            made if made % 3 == 0 => Some(r#"{ global = "dn[0-3]" }"#.to_owned()),
            _ => shape.column().map(|column| format!("{{ rule = \"by_any\", column = \"{column}\" }}")),
        }
    }

    /// The configuration file.
    pub(super) fn toml(&self, cluster: &Cluster, ports: &ServalPorts, scratch: &str) -> String {
        let mut text = ports.listen_table();
        let (user, password) = (cluster.backend_user(), cluster.backend_password());
        let _ = write!(
            text,
            r#"
[limits]
query_timeout = "20s"
[users.{}]
password = "{}"
[admin.users.{}]
password = "{}"
[defaults.group]
user = "{user}"
password = "{password}"
[scratch]
server = "{scratch}"
user = "{user}"
password = "{password}"
[nodes]
"dn[0-1]" = {{ group = "g0", database = "test_[0-1]" }}
"dn[2-3]" = {{ group = "g1", database = "test_[2-3]" }}
[rules.by_any]
function = "hash"
nodes = "dn[0-3]"
default = "dn0"
"#,
            APP.0, APP.1, ADMIN.0, ADMIN.1,
        );
        for (index, group) in cluster.groups().iter().enumerate() {
            let _ = writeln!(text, "[groups.g{index}]\nprimary = \"{}\"", group.primary().address());
        }
        text.push_str("[schemas.test]\ndefault_node = \"dn0\"\n[schemas.test.tables]\n");
        for (name, place) in self.tables.values() {
            let _ = writeln!(text, "{name:?} = {place}");
        }
        text
    }
}

/// A table whose place has changed.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) table: String,
    /// CREATE OR REPLACE: what is there has to go from its old place first.
    pub(super) replaces: bool,
}

/// What a CREATE TABLE says before its columns.
#[derive(Debug)]
struct Made {
    name: String,
    replaces: bool,
    /// What stands behind the name.
    rest: usize,
}

impl Made {
    fn read(sql: &str) -> Option<Made> {
        let mut words = Words { text: sql, at: 0 };
        let mut made = Made { name: String::new(), replaces: false, rest: 0 };
        if !words.next()?.eq_ignore_ascii_case("create") {
            return None;
        }
        loop {
            match words.next()?.to_ascii_lowercase().as_str() {
                "or" => made.replaces = true,
                "replace" => {}
                "table" => break,
                _ => return None,
            }
        }
        let mut name = words.next()?;
        if name.eq_ignore_ascii_case("if") {
            words.next()?;
            words.next()?;
            name = words.next()?;
        }
        let lower = name.to_ascii_lowercase();
        let own = lower.strip_prefix("test.").or_else(|| lower.strip_prefix("`test`."));
        let name = own.map_or(name, |own| &name[name.len() - own.len()..]);
        if name.contains('.') {
            return None;
        }
        Some(Made { name: name.to_owned(), rest: words.at, ..made })
    }
}

/// Words up to white space or a parenthesis.
struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let text = self.text;
        let rest = &text[self.at..];
        let begin = self.at + rest.len() - rest.trim_start().len();
        let end = text[begin..].find([' ', '\t', '\n', '\r', '(']).map_or(text.len(), |end| begin + end);
        self.at = end;
        (end > begin).then(|| &text[begin..end])
    }
}

/// What decides a table's place.
#[derive(Debug)]
struct Shape {
    /// Names and types, in order.
    columns: Vec<(String, String)>,
    /// The columns of each unique key.
    unique: Vec<(String, Vec<String>)>,
    counted: Option<String>,
}

impl Shape {
    /// Makes the table on the one server, looks at it and removes it.
    async fn of(made: &Made, sql: &str, oracle: &mut Client, looker: &mut Client) -> Option<Shape> {
        let sql = format!("CREATE TABLE {SHAPES}.{} {}", made.name, &sql[made.rest..]);
        let answer = oracle.run(&sql).await;
        let shape = match answer {
            Answer::Done { .. } => Some(Shape::read(looker).await),
            _ => None,
        };
        oracle.run(&format!("DROP TABLE IF EXISTS {SHAPES}.{}", made.name)).await;
        shape
    }

    async fn read(oracle: &mut Client) -> Shape {
        let columns = format!(
            "SELECT column_name, data_type, extra FROM information_schema.columns WHERE table_schema = '{SHAPES}' \
             ORDER BY ordinal_position"
        );
        let keys = format!(
            "SELECT index_name, column_name FROM information_schema.statistics WHERE table_schema = '{SHAPES}' AND \
             non_unique = 0 ORDER BY index_name = 'PRIMARY' DESC, index_name, seq_in_index"
        );
        let mut shape = Shape { columns: Vec::new(), unique: Vec::new(), counted: None };
        for row in oracle.rows(&columns).await {
            if row[2].contains("auto_increment") {
                shape.counted = Some(row[0].clone());
            }
            if !row[2].contains("GENERATED") && !row[2].contains("INVISIBLE") {
                shape.columns.push((row[0].clone(), row[1].clone()));
            }
        }
        for row in oracle.rows(&keys).await {
            match shape.unique.last_mut().filter(|(name, _)| *name == row[0]) {
                Some((_, columns)) => columns.push(row[1].clone()),
                None => shape.unique.push((row[0].clone(), vec![row[1].clone()])),
            }
        }
        shape
    }

    /// The sharding column: the one that counts, the primary key's first, or the first that will do.
    fn column(&self) -> Option<&str> {
        const NUMBERS: [&str; 5] = ["tinyint", "smallint", "mediumint", "int", "bigint"];
        let fits = |name: &String, kind: &String| {
            let text = ["char", "varchar"].contains(&kind.as_str()) && self.unique.is_empty();
            (text || NUMBERS.contains(&kind.as_str()))
                && self.unique.iter().all(|(_, key)| key.contains(name))
        };
        let fitting = |name: &String| self.columns.iter().find(|(own, kind)| own == name && fits(own, kind));
        let first = self.unique.first().and_then(|(_, key)| key.first());
        let found = match &self.counted {
            Some(counted) => fitting(counted),
            None => {
                first.and_then(fitting).or_else(|| self.columns.iter().find(|(name, kind)| fits(name, kind)))
            }
        };
        found.map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tables_that_are_made() {
        let name = |sql| Made::read(sql).map(|made| made.name);
        assert_eq!(name("create table t1 (a int)").as_deref(), Some("t1"));
        assert_eq!(name("CREATE OR REPLACE TABLE `t2`(a int)").as_deref(), Some("`t2`"));
        assert_eq!(name("create table if not exists test.t3 like t1").as_deref(), Some("t3"));
        assert_eq!(name("create temporary table t1 (a int)"), None);
        assert_eq!(name("create table other.t1 (a int)"), None);
        assert_eq!(name("create view v1 as select 1"), None);
    }
}
