//! UPDATE and DELETE.

use super::Law;
use super::column::Class;
use super::schema::Table;

impl Law {
    /// Assignments, of which at most one may fail.
    pub(super) fn assignments(&mut self, table: &Table) -> String {
        let columns = table.settable();
        let mut set: Vec<String> = Vec::new();
        for _ in 0..=self.dice.below(2) {
            let column = columns[self.dice.below(columns.len())].clone();
            if set.iter().any(|text| text.starts_with(&format!("{} ", column.name))) {
                continue;
            }
            set.push(format!("{} = {}", column.name, column.value(&mut self.dice)));
        }
        if self.dice.once_in(3) && !set.iter().any(|text| text.starts_with("k ")) {
            set.push(
                self.dice
                    .one_of(&["k = 7 - k % 5", "k = k", "k = (k + 1) % 50", "k = LEAST(id, 5)"])
                    .to_owned(),
            );
        }
        set.join(", ")
    }

    /// A condition that converts nothing, so that a strict server does not fail for rows that its plan happens to read.
    pub(super) fn careful(&mut self, table: &Table) -> String {
        let name = table.name;
        let key = table.key;
        let number = |law: &mut Self| match key {
            "id" => law.dice.below(60).to_string(),
            _ => format!("'k{}'", law.dice.below(40)),
        };
        let of_key = match self.dice.below(5) {
            0 | 1 => format!("{key} = {}", number(self)),
            2 => format!("{key} IN ({}, {}, {})", number(self), number(self), number(self)),
            3 => format!("{key} BETWEEN {} AND {}", number(self), number(self)),
            _ => format!("{name}.{key} <= {}", number(self)),
        };
        let other = match self.dice.below(4) {
            0 => format!("k BETWEEN {} AND {}", self.dice.below(5), 5 + self.dice.below(4)),
            1 => format!("{} IS NOT NULL", table.column(&mut self.dice).name),
            2 => {
                let text = table.of(&[Class::Text], &mut self.dice).name;
                format!("{text} LIKE '{}%'", self.dice.one_of(&["a", "p", "z"]))
            }
            _ => format!("k <> {}", self.dice.below(8)),
        };
        match self.dice.below(4) {
            0 => of_key,
            1 => other,
            2 => format!("{of_key} AND {other}"),
            _ => format!("({of_key} OR {other}) AND id % 3 = {}", self.dice.below(3)),
        }
    }

    pub(super) fn update(&mut self, table: &Table) -> String {
        let ignore = if self.dice.once_in(6) { " IGNORE" } else { "" };
        let (set, condition) = (self.assignments(table), self.careful(table));
        format!("UPDATE{ignore} {} SET {set} WHERE {condition}", table.name)
    }

    pub(super) fn update_limited(&mut self, table: &Table) -> String {
        let (set, condition) = (self.assignments(table), self.careful(table));
        let order = self.dice.one_of(&["", "k DESC, ", "n0, ", "m0 DESC, "]);
        format!(
            "UPDATE {} SET {set} WHERE {condition} ORDER BY {order}{} LIMIT {}",
            table.name,
            table.key,
            self.dice.below(6)
        )
    }

    /// A row gets another key.
    pub(super) fn moving(&mut self, table: &Table) -> String {
        let (number, old) = (self.number(), self.dice.below(40));
        let also =
            if self.dice.once_in(2) { format!(", {}", self.assignments(table)) } else { String::new() };
        match table.key {
            "id" => format!("UPDATE {} SET id = {number}{also} WHERE id = {old}", table.name),
            _ => format!("UPDATE {} SET code = 'k{number}'{also} WHERE code = 'k{old}'", table.name),
        }
    }

    pub(super) fn update_joined(&mut self) -> String {
        let (one, two) = self.dice.one_of(&[
            ("t1", "t2"),
            ("t2", "t1"),
            ("t1", "regions"),
            ("plain", "regions"),
            ("n1", "regions"),
        ]);
        let kind = self.dice.one_of(&["JOIN", "JOIN", "LEFT JOIN"]);
        let set = self.dice.one_of(&[
            "x.k = 5",
            "x.k = y.k",
            "x.k = 3, x.n0 = NULL",
            "x.k = COALESCE(y.k, 1)",
            "x.k = GREATEST(LEAST(y.k, 90), 0)",
        ]);
        // Of a row with NULL and one that is out of range, either may be met first.
        let nullable = |name: &str| {
            let table = self.tables.iter().find(|table| table.name == name).expect("a table");
            table.columns.iter().any(|column| column.name == "k" && column.nullable)
        };
        let two_errors = !nullable(one) && (nullable(two) || kind == "LEFT JOIN");
        let set = if two_errors && set == "x.k = y.k" { "x.k = LEAST(ABS(y.k), 70)" } else { set };
        format!("UPDATE {one} x {kind} {two} y ON x.id = y.id SET {set} WHERE x.id < {}", self.dice.below(60))
    }

    pub(super) fn delete(&mut self, table: &Table) -> String {
        let (ignore, condition) = (if self.dice.once_in(8) { " IGNORE" } else { "" }, self.careful(table));
        let limited = match self.dice.below(3) {
            0 => format!(
                " ORDER BY {}{} LIMIT {}",
                self.dice.one_of(&["", "k, ", "m0 DESC, "]),
                table.key,
                self.dice.below(4)
            ),
            _ => format!(" AND id % 4 = {}", self.dice.below(4)),
        };
        format!("DELETE{ignore} FROM {} WHERE ({condition}){limited}", table.name)
    }

    pub(super) fn delete_joined(&mut self) -> String {
        let (one, two) =
            self.dice.one_of(&[("t1", "t2"), ("t2", "t1"), ("t1", "regions"), ("plain", "regions")]);
        let condition = format!("x.id BETWEEN {} AND {}", self.dice.below(30), 20 + self.dice.below(30));
        match self.dice.below(3) {
            0 => format!("DELETE x FROM {one} x JOIN {two} y ON x.id = y.id WHERE {condition} AND y.k > 4"),
            1 => format!(
                "DELETE FROM x USING {one} x LEFT JOIN {two} y ON x.id = y.id WHERE {condition} AND y.id IS NULL"
            ),
            _ if one == "t1" && two == "t2" => format!(
                "DELETE x, y FROM {one} x JOIN {two} y ON x.id = y.id WHERE {condition} AND x.k = y.k"
            ),
            _ => format!(
                "DELETE x.* FROM {one} AS x, {two} AS y WHERE x.id = y.id AND {condition} AND x.k = 3"
            ),
        }
    }

    /// A write whose rows another table's rows choose.
    pub(super) fn with_subquery(&mut self, table: &Table) -> String {
        let mut other = self.table();
        if other.name == table.name {
            other = self.tables.iter().find(|known| known.name != table.name).expect("another table").clone();
        }
        let choice = match self.dice.below(4) {
            0 => format!("id IN (SELECT y.k FROM {} y WHERE y.id < {})", other.name, self.dice.below(30)),
            1 => {
                format!("EXISTS (SELECT 1 FROM {} y WHERE y.id = {}.id AND y.k > 5)", other.name, table.name)
            }
            2 => format!("k = (SELECT MIN(y.k) FROM {} y)", other.name),
            _ => format!("id NOT IN (SELECT y.id FROM {} y) AND id % 5 = {}", other.name, self.dice.below(5)),
        };
        if self.dice.once_in(3) {
            return format!("DELETE FROM {} WHERE {choice} AND id % 2 = 0", table.name);
        }
        format!("UPDATE {} SET {} WHERE {choice}", table.name, self.assignments(table))
    }
}
