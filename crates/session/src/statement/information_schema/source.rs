//! The text of a derived table.

use std::fmt::Write as _;

use serval_remote::Backend;
use serval_types::GroupId;
use serval_wire::packet::ColumnDefinition;

use super::layout::Part;
use super::own::variables;
use super::shape::{ACCOUNT_COLUMNS, SCHEMA_COLUMNS, Scope, TABLE_COLUMNS};
use super::sizes::Sizes;
use super::{Source, View};
use crate::literal::{identifier, quote};
use crate::session::Session;

/// Tables of Serval's own begin with this.
const OWN: &str = "serval_";

impl Source<'_> {
    /// The rows of one group's parts, and, of the main group, those about information_schema itself.
    pub(super) fn of_group<B: Backend>(
        &self,
        view: &View<'_>,
        group: GroupId,
        session: &Session<B>,
        sizes: &Sizes,
    ) -> String {
        let mut branches = Vec::new();
        for part in view.layout.parts_of(group) {
            if let Some(condition) = self.condition(part) {
                let databases = view.layout.databases(group);
                let mapping = Mapping { part, databases: &databases, account: account(session), sizes };
                branches.push(self.branch(&mapping, &condition));
            }
        }
        // What servers tell of their own tables.
        let about_itself = matches!(self.shape.name, "SCHEMATA" | "TABLES" | "COLUMNS");
        if about_itself && group == view.layout.main {
            let itself = format!("t.{} = 'information_schema'", identifier(self.shape.schema));
            branches.push(format!("{} WHERE {itself}", self.all_columns()));
        }
        if branches.is_empty() {
            branches.push(self.none());
        }
        branches.join(" UNION ALL ")
    }

    /// The table as the server has it, but for variables that are the proxy's.
    pub(super) fn of_server<B: Backend>(&self, session: &Session<B>) -> String {
        if self.shape.scope != Scope::Variables {
            return self.all_columns();
        }
        let known = variables(session);
        let columns = self.columns.iter().map(|column| {
            let name = identifier(&name(column));
            let is_value = matches!(&*name, "`VARIABLE_VALUE`" | "`SESSION_VALUE`" | "`GLOBAL_VALUE`");
            if !is_value {
                return format!("t.{name}");
            }
            let mut text = "CASE UPPER(t.`VARIABLE_NAME`)".to_owned();
            for (variable, value) in &known {
                // Writing to a String cannot fail.
                let _ = write!(text, " WHEN '{variable}' THEN {}", quote(value.as_bytes(), "utf8mb4"));
            }
            format!("{text} ELSE t.{name} END AS {name}")
        });
        format!("SELECT {} FROM {} AS t", columns.collect::<Vec<_>>().join(", "), self.table())
    }

    /// The table without rows, for its columns.
    pub(super) fn none(&self) -> String {
        format!("{} WHERE FALSE", self.all_columns())
    }

    fn all_columns(&self) -> String {
        let columns = self.columns.iter().map(|column| format!("t.{}", identifier(&name(column))));
        format!("SELECT {} FROM {} AS t", columns.collect::<Vec<_>>().join(", "), self.table())
    }

    fn table(&self) -> String {
        format!("{}.{}", self.reference.schema, identifier(&self.reference.table))
    }

    /// Which of a database's rows are shown; `None` where none is.
    fn condition(&self, part: &Part) -> Option<String> {
        let schema = identifier(self.shape.schema);
        let database = literal(&part.database);
        let in_database = format!("t.{schema} = {database}");
        match self.shape.scope {
            Scope::Schemas | Scope::Objects => part.stands.then_some(in_database),
            Scope::Checks if !self.has("TABLE_NAME") => {
                let shown = represented(part, "k.`TABLE_NAME`")?;
                Some(format!(
                    "{in_database} AND t.`CONSTRAINT_NAME` IN (SELECT k.`CONSTRAINT_NAME` FROM \
                     information_schema.TABLE_CONSTRAINTS AS k WHERE k.`CONSTRAINT_SCHEMA` = {database} AND {shown})"
                ))
            }
            _ => {
                let shown = represented(part, &format!("t.{}", identifier(self.shape.table)))?;
                Some(format!("{in_database} AND {shown}"))
            }
        }
    }

    /// Whether the server's table has a column at all: CHECK_CONSTRAINTS of MariaDB says whose they are.
    fn has(&self, column: &str) -> bool {
        self.all_names.iter().any(|name| name == column)
    }

    fn branch(&self, mapping: &Mapping<'_>, condition: &str) -> String {
        let columns = self.columns.iter().map(|column| {
            let name = name(column);
            let shown = mapping.column(self, &name);
            let name = identifier(&name);
            if shown == format!("t.{name}") { shown } else { format!("{shown} AS {name}") }
        });
        let columns = columns.collect::<Vec<_>>().join(", ");
        format!("SELECT {columns} FROM {} AS t WHERE {condition}", self.table())
    }
}

/// How the columns of a part's rows are shown.
struct Mapping<'a> {
    part: &'a Part,
    /// The databases of the group with their schemas.
    databases: &'a [(&'a str, &'a str)],
    /// The client's own.
    account: String,
    sizes: &'a Sizes,
}

impl Mapping<'_> {
    fn column(&self, source: &Source<'_>, name: &str) -> String {
        let upper = name.to_ascii_uppercase();
        let value = format!("t.{}", identifier(name));
        let own = identifier(source.shape.table);
        if let Some(size) = self.sizes.column(self.part, &upper, &format!("t.{own}"), &value) {
            return size;
        }
        match &*upper {
            column if SCHEMA_COLUMNS.contains(&column) => self.schema(&value),
            column if TABLE_COLUMNS.contains(&column) => self.table(&value),
            column if ACCOUNT_COLUMNS.contains(&column) => {
                format!("CASE {value} WHEN CURRENT_USER() THEN {} ELSE {value} END", literal(&self.account))
            }
            "CONSTRAINT_NAME" => self.constraint(&value),
            "VIEW_DEFINITION" => self.qualifiers(&value),
            "TABLE_COMMENT" => {
                let told = self.told(&value);
                if told == value { value } else { format!("IF({value} LIKE 'View %', {told}, {value})") }
            }
            _ => value,
        }
    }

    /// A database becomes the schema that it belongs to; the part's own first, because schemas may share it.
    fn schema(&self, value: &str) -> String {
        let own = (&*self.part.database, &*self.part.schema);
        let others = self.databases.iter().copied().filter(|(database, _)| *database != own.0);
        let pairs = std::iter::once(own).chain(others);
        cases(value, pairs.map(|(database, schema)| (database.to_owned(), schema.to_owned())))
    }

    fn table(&self, value: &str) -> String {
        cases(value, self.part.renamed.iter().cloned())
    }

    /// Servers make up names from the table's: `events_202601_ibfk_1`.
    fn constraint(&self, value: &str) -> String {
        let renamed = self.part.renamed.iter();
        let represented =
            renamed.filter(|(physical, _)| self.part.tables.iter().any(|(shown, _)| shown == physical));
        let mut text = String::new();
        for (physical, logical) in represented {
            let length = physical.chars().count() + 1;
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                " WHEN LEFT({value}, {length}) = {} THEN CONCAT({}, SUBSTRING({value}, {length}))",
                literal(&format!("{physical}_")),
                literal(logical)
            );
        }
        if text.is_empty() { value.to_owned() } else { format!("CASE{text} ELSE {value} END") }
    }

    /// A query names its tables with their database.
    fn qualifiers(&self, value: &str) -> String {
        let own = std::iter::once((&*self.part.database, &*self.part.schema));
        own.filter(|(database, schema)| database != schema).fold(
            value.to_owned(),
            |text, (database, schema)| {
                let (from, to) = (format!("{}.", identifier(database)), format!("{}.", identifier(schema)));
                format!("REPLACE({text}, {}, {})", literal(&from), literal(&to))
            },
        )
    }

    /// What a server says of a view that is broken.
    fn told(&self, value: &str) -> String {
        let Part { database, schema, .. } = self.part;
        if database == schema {
            return value.to_owned();
        }
        let (from, to) = (format!("'{database}."), format!("'{schema}."));
        format!("REPLACE({value}, {}, {})", literal(&from), literal(&to))
    }
}

/// Which tables of a part are shown; `None` where none is.
fn represented(part: &Part, column: &str) -> Option<String> {
    let list = |names: &mut dyn Iterator<Item = &str>| names.map(literal).collect::<Vec<_>>().join(", ");
    let shown = list(&mut part.tables.iter().map(|(physical, _)| &**physical));
    if !part.stands {
        return (!shown.is_empty()).then(|| format!("{column} IN ({shown})"));
    }
    let others = list(&mut part.others.iter().map(|name| &**name));
    let mut unnamed = format!("LEFT({column}, {}) <> '{OWN}'", OWN.len());
    if !others.is_empty() {
        let _ = write!(unnamed, " AND {column} NOT IN ({others})");
    }
    Some(if shown.is_empty() {
        format!("({unnamed})")
    } else {
        format!("({column} IN ({shown}) OR {unnamed})")
    })
}

/// `CASE` over names; only the value where nothing differs.
fn cases(value: &str, pairs: impl Iterator<Item = (String, String)>) -> String {
    let mut text = String::new();
    for (from, to) in pairs.filter(|(from, to)| from != to) {
        // Writing to a String cannot fail.
        let _ = write!(text, " WHEN {} THEN {}", literal(&from), literal(&to));
    }
    if text.is_empty() { value.to_owned() } else { format!("CASE {value}{text} ELSE {value} END") }
}

/// The account that the client is logged in with, as DEFINER shows it.
fn account<B: Backend>(session: &Session<B>) -> String {
    format!("{}@%", session.user)
}

/// The name of a column.
pub(super) fn name(column: &ColumnDefinition) -> String {
    String::from_utf8_lossy(&column.name).into_owned()
}

fn literal(text: &str) -> String {
    quote(text.as_bytes(), "utf8mb4")
}
