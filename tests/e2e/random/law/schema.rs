//! The tables: of every placement, each with the same names for columns of other types.

use super::super::dice::Dice;
use super::column::{Class, Column};

#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// What no two rows share.
    pub(crate) key: &'static str,
    pub(crate) columns: Vec<Column>,
    indexed: Vec<String>,
}

/// Two sharded alike, one by modulo, one by text, one everywhere, one on a node, one on the default node.
const NAMES: [(&str, &str, &str); 7] = [
    ("t1", "id", "BIGINT"),
    ("t2", "id", "BIGINT"),
    ("n1", "id", "INT"),
    ("c1", "code", "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"),
    ("regions", "id", "BIGINT UNSIGNED"),
    ("audit", "id", "INT"),
    ("plain", "id", "BIGINT"),
];
const COLUMNS: [(&str, Class); 14] = [
    ("n0", Class::Exact),
    ("n1", Class::Exact),
    ("n2", Class::Exact),
    ("f0", Class::Real),
    ("f1", Class::Real),
    ("s0", Class::Text),
    ("s1", Class::Text),
    ("s2", Class::Text),
    ("m0", Class::Moment),
    ("m1", Class::Moment),
    ("h0", Class::Huge),
    ("o0", Class::Member),
    ("o1", Class::Bytes),
    ("o2", Class::Bit),
];

/// The tables of a seed.
pub(crate) fn tables(dice: &mut Dice) -> Vec<Table> {
    NAMES.iter().map(|&(name, key, declared)| table(name, key, declared, dice)).collect()
}

fn table(name: &'static str, key: &'static str, declared: &'static str, dice: &mut Dice) -> Table {
    let mut columns = vec![Column::unique(key, declared)];
    if key != "id" {
        columns.push(Column::unique("id", "BIGINT"));
    }
    let mut k = Column::of(Class::Exact, "k", dice);
    k.declared = dice.one_of(&["TINYINT", "INT", "SMALLINT UNSIGNED"]);
    let mut others = vec![k, Column::of(Class::Json, "j0", dice)];
    others.extend(COLUMNS.iter().map(|(name, class)| Column::of(*class, name, dice)));
    while !others.is_empty() {
        columns.push(others.remove(dice.below(others.len())));
    }
    let indexable = |column: &&Column| {
        // Servers that look for 4 in an index of years find 2004.
        matches!(column.class, Class::Exact | Class::Moment | Class::Member) && column.declared != "YEAR"
            || column.class == Class::Text
                && !column.declared.contains("TEXT")
                && !column.declared.contains("300")
    };
    let candidates: Vec<String> =
        columns.iter().skip(1).filter(indexable).map(|column| column.name.clone()).collect();
    let indexed = candidates.into_iter().filter(|_| dice.once_in(4)).collect();
    Table { name, key, columns, indexed }
}

impl Table {
    pub(crate) fn create(&self) -> String {
        let mut lines: Vec<String> = self.columns.iter().map(Column::line).collect();
        lines.push(format!("PRIMARY KEY ({})", self.key));
        lines.extend(self.indexed.iter().map(|name| format!("KEY ({name})")));
        format!("CREATE TABLE {} ({}) DEFAULT CHARSET=utf8mb4", self.name, lines.join(", "))
    }

    pub(crate) fn column(&self, dice: &mut Dice) -> Column {
        self.columns[dice.below(self.columns.len())].clone()
    }

    /// A column of some of the classes.
    pub(crate) fn of(&self, classes: &[Class], dice: &mut Dice) -> Column {
        let found: Vec<&Column> =
            self.columns.iter().filter(|column| classes.contains(&column.class)).collect();
        found[dice.below(found.len())].clone()
    }

    /// The type of a column that every table has.
    pub(crate) fn declared(&self, name: &str) -> &'static str {
        self.columns.iter().find(|column| column.name == name).map_or("", |column| column.declared)
    }

    /// A column that MIN and MAX compare in one way: of ENUM and SET servers compare the text, or by an index the number.
    pub(crate) fn least(&self, dice: &mut Dice) -> Column {
        let column = self.of(&[Class::Exact, Class::Huge, Class::Moment, Class::Member, Class::Bytes], dice);
        if column.class == Class::Member && self.indexed.contains(&column.name) {
            return self.of(&[Class::Exact, Class::Moment], dice);
        }
        column
    }

    /// A column whose equal values are the same. Not BIT, which MariaDB sends as bits or as a number, as its plan is.
    pub(crate) fn plain(&self, dice: &mut Dice) -> Column {
        self.of(&[Class::Exact, Class::Huge, Class::Moment, Class::Member, Class::Bytes], dice)
    }

    /// The columns that a write may set.
    pub(crate) fn settable(&self) -> Vec<Column> {
        self.columns.iter().filter(|column| !column.unique).cloned().collect()
    }
}
