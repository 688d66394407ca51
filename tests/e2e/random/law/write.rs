//! Statements that write rows.

use super::column::Column;
use super::schema::Table;
use super::{Asked, Law, Order};

impl Law {
    pub(super) fn write(&mut self) -> Asked {
        let table = self.table();
        let sql = match self.dice.below(20) {
            0..=3 => self.insert(&table),
            4 | 5 => self.insert_or_update(&table),
            6 | 7 => self.replace(&table),
            8 => self.insert_select(&table),
            9..=11 => self.update(&table),
            12 => self.update_limited(&table),
            13 => self.moving(&table),
            14 => self.update_joined(),
            15 | 16 => self.delete(&table),
            17 => self.delete_joined(),
            18 => self.with_subquery(&table),
            _ => self.returning(&table),
        };
        Asked { sql, order: Order::Any, writes: true }
    }

    /// A number for a row: mostly new.
    pub(super) fn number(&mut self) -> u64 {
        if self.dice.once_in(4) {
            return self.dice.below(40) as u64;
        }
        self.fresh()
    }

    /// A number that no row has.
    fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// One row's values for these columns; one value of the statement may be wrong.
    fn row(&mut self, columns: &[Column], wrong: &mut Option<String>) -> String {
        // Which of two errors is met first depends on the order of the rows.
        let fresh = self.wrong_once;
        let number = if fresh { self.fresh() } else { self.number() };
        let mut cells = Vec::new();
        for column in columns {
            let bad = wrong.as_deref() == Some(&column.name) && self.dice.once_in(2);
            let value = column.stored(&mut self.dice, number);
            cells.push(match column.wrong().filter(|_| bad) {
                Some(bad) => {
                    *wrong = None;
                    bad.to_owned()
                }
                None => value,
            });
        }
        format!("({})", cells.join(", "))
    }

    fn wrong(&mut self, table: &Table) -> Option<String> {
        let column = table.column(&mut self.dice);
        (self.dice.once_in(12) && !column.unique).then_some(column.name)
    }

    fn rows(&mut self, table: &Table, columns: &[Column], most: usize) -> String {
        let mut wrong = self.wrong(table);
        self.wrong_once = wrong.is_some();
        let rows: Vec<String> = (0..=self.dice.below(most)).map(|_| self.row(columns, &mut wrong)).collect();
        rows.join(", ")
    }

    fn insert(&mut self, table: &Table) -> String {
        let ignore = if self.dice.once_in(5) { " IGNORE" } else { "" };
        let name = table.name;
        match self.dice.below(4) {
            0 => {
                let number = self.number();
                let set: Vec<String> = table
                    .columns
                    .iter()
                    .map(|column| format!("{} = {}", column.name, column.stored(&mut self.dice, number)))
                    .collect();
                format!("INSERT{ignore} INTO {name} SET {}", set.join(", "))
            }
            1 => {
                // NULL where nothing is said.
                let mut columns: Vec<Column> = table
                    .columns
                    .iter()
                    .filter(|column| !column.nullable || column.unique)
                    .cloned()
                    .collect();
                columns.extend(
                    table.settable().into_iter().filter(|column| column.nullable && self.dice.once_in(2)),
                );
                let names: Vec<&str> = columns.iter().map(|column| &*column.name).collect();
                let rows = self.rows(table, &columns, 4);
                format!("INSERT{ignore} INTO {name} ({}) VALUES {rows}", names.join(", "))
            }
            _ => format!("INSERT{ignore} INTO {name} VALUES {}", self.rows(table, &table.columns, 5)),
        }
    }

    fn insert_or_update(&mut self, table: &Table) -> String {
        let rows = self.rows(table, &table.columns, 4);
        let mut set = Vec::new();
        for _ in 0..=self.dice.below(2) {
            let columns = table.settable();
            let column = &columns[self.dice.below(columns.len())];
            set.push(match self.dice.below(3) {
                0 => format!("{0} = VALUES({0})", column.name),
                1 => format!("{} = {}", column.name, column.value(&mut self.dice)),
                _ => "k = (k + 1) % 50".to_owned(),
            });
        }
        format!("INSERT INTO {} VALUES {rows} ON DUPLICATE KEY UPDATE {}", table.name, set.join(", "))
    }

    fn replace(&mut self, table: &Table) -> String {
        format!("REPLACE INTO {} VALUES {}", table.name, self.rows(table, &table.columns, 4))
    }

    /// Numbers of the other table, moved to where none is, and what fits from it.
    fn insert_select(&mut self, table: &Table) -> String {
        let from = self.table();
        self.next += 50;
        let next = self.next;
        self.next += 950;
        let mut columns = Vec::new();
        let mut values = Vec::new();
        for column in &table.columns {
            let same = from.columns.iter().find(|other| {
                other.declared == column.declared && !other.unique && (column.nullable || !other.nullable)
            });
            let value = match same {
                _ if column.name == "id" => format!("x.id + {next}"),
                _ if column.unique => format!("CONCAT('k', x.id + {next})"),
                Some(other) if self.dice.once_in(2) => format!("x.{}", other.name),
                _ if column.nullable && self.dice.once_in(2) => continue,
                _ => column.value(&mut self.dice),
            };
            columns.push(column.name.clone());
            values.push(value);
        }
        let condition = self.condition(&[("x", &from)], 0);
        // Of rows with the same number the last one stays, so that their order counts.
        let limit = if from.key != "id" {
            format!(" ORDER BY x.{}", from.key)
        } else if self.dice.once_in(3) {
            format!(" ORDER BY x.{} LIMIT {}", from.key, self.dice.below(6))
        } else {
            String::new()
        };
        let verb = self.dice.one_of(&["INSERT", "INSERT", "INSERT IGNORE", "REPLACE"]);
        format!(
            "{verb} INTO {} ({}) SELECT {} FROM {} x WHERE x.id < 200 AND ({condition}){limit}",
            table.name,
            columns.join(", "),
            values.join(", "),
            from.name
        )
    }

    fn returning(&mut self, table: &Table) -> String {
        if !self.mariadb {
            return self.insert(table);
        }
        match self.dice.below(3) {
            0 => format!(
                "DELETE FROM {} WHERE {} AND id % 3 = 1 RETURNING {}, k, n0",
                table.name,
                self.careful(table),
                table.key
            ),
            1 => format!(
                "INSERT INTO {} VALUES {} RETURNING {}, s0, k + 1",
                table.name,
                self.rows(table, &table.columns, 3),
                table.key
            ),
            _ => format!(
                "REPLACE INTO {} VALUES {} RETURNING *",
                table.name,
                self.rows(table, &table.columns, 3)
            ),
        }
    }
}
