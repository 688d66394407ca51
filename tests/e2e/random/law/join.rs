//! FROM clauses of several tables.

use super::super::dice::JOINS;
use super::column::Class;
use super::schema::Table;
use super::{Asked, Law};

impl Law {
    pub(super) fn joined(&mut self) -> Asked {
        let (from, tables) = self.from();
        let tables: Vec<(&str, &Table)> = tables.iter().map(|(name, table)| (*name, table)).collect();
        let listed = 1 + self.dice.below(3);
        let mut list = Vec::new();
        for _ in 0..listed {
            let (name, table) = self.dice.one_of(&tables);
            list.push(self.value(name, table));
        }
        let keys: Vec<String> = tables.iter().map(|(name, table)| format!("{name}.{}", table.key)).collect();
        list.extend(keys.iter().cloned());
        let sql = format!("SELECT {} FROM {from}{}", list.join(", "), self.where_clause(&tables));
        self.ordered(sql, &keys)
    }

    /// A FROM clause, and what its names stand for.
    pub(super) fn from(&mut self) -> (String, Vec<(&'static str, Table)>) {
        let names: &[&'static str] = if self.dice.once_in(3) { &["x", "y", "z"] } else { &["x", "y"] };
        let tables: Vec<(&'static str, Table)> = names.iter().map(|name| (*name, self.table())).collect();
        let refs: Vec<(&str, &Table)> = tables.iter().map(|(name, table)| (*name, table)).collect();
        let first = format!("{} x", tables[0].1.name);
        if names.len() == 3 && self.dice.once_in(4) {
            let (kind, inner) = (self.kind(), self.dice.one_of(&["JOIN", "LEFT JOIN", "RIGHT JOIN"]));
            let (inside, outside) = (self.on(&refs[1..]), self.on(&refs));
            let (two, three) = (tables[1].1.name, tables[2].1.name);
            return (format!("{first} {kind} ({two} y {inner} {three} z ON {inside}) ON {outside}"), tables);
        }
        let mut from = first;
        for (index, (name, table)) in tables.iter().enumerate().skip(1) {
            let (kind, on) = (self.kind(), self.on(&refs[..=index]));
            let table = table.name;
            from.push_str(&match self.dice.below(8) {
                0 if names.len() == 2 && tables[0].1.key == tables[1].1.key => {
                    format!(" {kind} {table} {name} USING ({})", tables[0].1.key)
                }
                1 if index == 1 => format!(" CROSS JOIN {table} {name} ON {on}"),
                _ => format!(" {kind} {table} {name} ON {on}"),
            });
        }
        (from, tables)
    }

    fn kind(&mut self) -> &'static str {
        self.dice.one_of(&JOINS)
    }

    /// A condition over several tables, the last of them among those that are compared.
    fn on(&mut self, tables: &[(&str, &Table)]) -> String {
        let ((last, table), before) = tables.split_last().expect("a table");
        let (other, other_table) = self.dice.one_of(before);
        let same = other_table.key == table.key;
        let equal = match self.dice.below(8) {
            0..=2 if same => format!("{other}.{} = {last}.{}", table.key, table.key),
            0..=3 => format!("{other}.k = {last}.id"),
            4 => format!("{last}.k = {other}.k AND {last}.id = {other}.id"),
            5 => {
                let (one, two) = (
                    other_table.of(&[Class::Text], &mut self.dice),
                    table.of(&[Class::Text], &mut self.dice),
                );
                if one.declared == two.declared {
                    format!("{other}.{} = {last}.{} AND {last}.k = {other}.k", one.name, two.name)
                } else {
                    format!("{other}.id = {last}.id")
                }
            }
            6 => {
                let (one, two) = (
                    other_table.of(&[Class::Exact], &mut self.dice),
                    table.of(&[Class::Exact], &mut self.dice),
                );
                if self.mariadb || one.declared == two.declared {
                    format!("{other}.{} = {last}.{} AND {last}.k < 6", one.name, two.name)
                } else {
                    // MySQL's hash join finds rows of DECIMAL and INT that are not equal.
                    format!("{other}.k = {last}.k AND {last}.k < 6")
                }
            }
            _ => format!("{other}.id < {last}.k AND {last}.id < 6"),
        };
        match self.dice.below(5) {
            0 => format!("{equal} AND {}", self.condition(tables, 1)),
            1 => format!("{} AND {equal}", self.condition(tables, 1)),
            2 => format!("{equal} AND {}", self.condition(&tables[tables.len() - 1..], 0)),
            _ => equal,
        }
    }
}
