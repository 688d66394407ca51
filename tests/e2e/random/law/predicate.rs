//! Conditions.

use super::Law;
use super::column::{Class, WORDS};
use super::schema::Table;

impl Law {
    pub(super) fn where_clause(&mut self, tables: &[(&str, &Table)]) -> String {
        if self.dice.once_in(4) { String::new() } else { format!(" WHERE {}", self.condition(tables, 2)) }
    }

    /// A condition over rows of these tables.
    pub(super) fn condition(&mut self, tables: &[(&str, &Table)], depth: usize) -> String {
        let (name, table) = self.dice.one_of(tables);
        let less = depth.saturating_sub(1);
        match self.dice.below(if depth == 0 { 13 } else { 18 }) {
            0 | 1 => format!("{name}.{} {}", table.key, self.of_key(table)),
            2 | 3 => {
                let column = table.column(&mut self.dice);
                let value = column.value(&mut self.dice);
                let comparison = self.comparison();
                format!("{name}.{} {comparison} {value}", column.name)
            }
            4 => format!(
                "{name}.{} IS {}NULL",
                table.column(&mut self.dice).name,
                self.dice.one_of(&["", "NOT "])
            ),
            5 => format!("{name}.k BETWEEN {} AND {}", self.dice.below(4), 4 + self.dice.below(8)),
            6 => {
                let text = table.of(&[Class::Text], &mut self.dice).name;
                let pattern = self.dice.one_of(&["a%", "A%", "ä%", "%e", "_", "%p_e%", "%\\_%"]);
                format!("{name}.{text} {}LIKE '{pattern}'", self.dice.one_of(&["", "NOT "]))
            }
            7 => {
                let text = table.of(&[Class::Text], &mut self.dice).name;
                let words: Vec<String> =
                    (0..=self.dice.below(4)).map(|_| format!("'{}'", self.dice.one_of(&WORDS))).collect();
                format!("{name}.{text} {}IN ({})", self.dice.one_of(&["", "NOT "]), words.join(", "))
            }
            8 => format!(
                "{name}.k IN ({}, {}, {})",
                self.dice.below(9),
                self.dice.below(9),
                self.dice.below(9)
            ),
            9 => {
                let moment = table.of(&[Class::Moment], &mut self.dice);
                let (low, high) = (moment.value(&mut self.dice), moment.value(&mut self.dice));
                format!("{name}.{} BETWEEN {low} AND {high}", moment.name)
            }
            10 => {
                let (one, two) = (self.exact_of(name, table), self.exact_of(name, table));
                format!("{one} {} {two}", self.comparison())
            }
            11 => {
                let (text, other) =
                    (table.of(&[Class::Text], &mut self.dice), table.of(&[Class::Text], &mut self.dice));
                if text.declared == other.declared || self.dice.once_in(3) {
                    format!("{name}.{} {} {name}.{}", text.name, self.comparison(), other.name)
                } else {
                    format!("CHAR_LENGTH({name}.{}) > CHAR_LENGTH({name}.{})", text.name, other.name)
                }
            }
            12 => format!(
                "({name}.{}, {name}.k) IN (({}, {}), ({}, {}))",
                table.key,
                self.key_value(table),
                self.dice.below(9),
                self.key_value(table),
                self.dice.below(9)
            ),
            13 => format!("NOT ({})", self.condition(tables, less)),
            14 => format!("({} OR {})", self.condition(tables, less), self.condition(tables, less)),
            15 => format!("({} XOR {})", self.condition(tables, less), self.condition(tables, less)),
            16 => format!("(({}) IS {}TRUE)", self.condition(tables, less), self.dice.one_of(&["", "NOT "])),
            _ => format!("{} AND {}", self.condition(tables, less), self.condition(tables, less)),
        }
    }

    fn exact_of(&mut self, name: &str, table: &Table) -> String {
        format!("{name}.{}", table.of(&[Class::Exact, Class::Huge, Class::Real], &mut self.dice).name)
    }

    /// What follows the sharding column.
    pub(super) fn of_key(&mut self, table: &Table) -> String {
        match self.dice.below(7) {
            0..=2 => format!("= {}", self.key_value(table)),
            3 => format!(
                "IN ({}, {}, {})",
                self.key_value(table),
                self.key_value(table),
                self.key_value(table)
            ),
            4 => format!("NOT IN ({}, {})", self.key_value(table), self.key_value(table)),
            5 => format!("BETWEEN {} AND {}", self.key_value(table), self.key_value(table)),
            _ => format!("{} {}", self.comparison(), self.key_value(table)),
        }
    }

    /// A value of the sharding column that a row may have, in one of its spellings.
    pub(super) fn key_value(&mut self, table: &Table) -> String {
        let number = if self.dice.once_in(4) { 100 + self.dice.below(60) } else { self.dice.below(40) };
        if table.key != "id" {
            return format!("'{}{number}'", self.dice.one_of(&["k", "K", "ä", "k "]));
        }
        match self.dice.below(12) {
            0 => format!("'{number}'"),
            1 => format!("{number}.0"),
            2 => format!("-{number}"),
            3 => format!("{number}e0"),
            4 => format!("({number} + 1)"),
            5 => format!("0x{number:02x}"),
            _ => number.to_string(),
        }
    }
}
