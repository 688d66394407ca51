//! Schemas, data and statements of every kind that the law speaks of, from a seed.
//!
//! What one server does not determine itself is not asked: which of equal texts stands for a group, which rows a LIMIT
//! without an order takes, which of two errors a statement has first.

mod change;
mod column;
mod join;
mod key;
mod predicate;
mod run;
mod schema;
mod select;
mod set;
mod value;
mod write;

pub(crate) use run::{Counted, compare};

use super::dice::Dice;
use schema::Table;

/// What has to be equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The rows in this order.
    Total,
    /// The rows in any order.
    Any,
}

/// A statement and what may be compared of it.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) sql: String,
    pub(crate) order: Order,
    /// It changes rows.
    pub(crate) writes: bool,
}

/// A sequence of statements that follows from a seed.
pub(crate) struct Law {
    dice: Dice,
    tables: Vec<Table>,
    /// Whether MariaDB's own forms are understood.
    mariadb: bool,
    /// A number that no row has yet.
    next: u64,
    in_transaction: bool,
    /// A value of the statement that is being made will not be taken.
    wrong_once: bool,
}

impl Law {
    pub(crate) fn new(seed: u64, mariadb: bool) -> Self {
        let mut dice = Dice::new(seed);
        let tables = schema::tables(&mut dice);
        Self { dice, tables, mariadb, next: 100, in_transaction: false, wrong_once: false }
    }

    /// The statements that make the tables and fill them.
    pub(crate) fn prepare(&mut self) -> Vec<String> {
        let mut statements = Vec::new();
        for index in 0..self.tables.len() {
            let table = self.tables[index].clone();
            statements.push(format!("DROP TABLE IF EXISTS {}", table.name));
            statements.push(table.create());
            let rows: Vec<String> = (0..20 + self.dice.below(15))
                .map(|at| {
                    let cells: Vec<String> =
                        table.columns.iter().map(|column| column.stored(&mut self.dice, at as u64)).collect();
                    format!("({})", cells.join(", "))
                })
                .collect();
            statements.push(format!("INSERT INTO {} VALUES {}", table.name, rows.join(", ")));
        }
        statements
    }

    /// One query for each table that shows all of it.
    pub(crate) fn contents(&self) -> Vec<String> {
        let all = |table: &Table| format!("SELECT * FROM {} ORDER BY {}", table.name, table.key);
        self.tables.iter().map(all).collect()
    }

    /// What keeps the tables small.
    pub(crate) fn shrink(&self) -> Vec<String> {
        let delete =
            |table: &Table| format!("DELETE FROM {} WHERE id > 60 AND id % 3 <> 1 OR id > 900", table.name);
        self.tables.iter().map(delete).collect()
    }

    pub(crate) fn statement(&mut self) -> Asked {
        match self.dice.below(22) {
            0..=2 => self.plain(),
            3..=5 => self.aggregate(),
            20 | 21 => self.keyed(),
            6 | 7 => self.joined(),
            8 => self.subquery(),
            9 => self.union(),
            10 => self.window(),
            11 => self.nested(),
            12 => self.session(),
            _ => self.write(),
        }
    }

    /// Transactions around the others, and variables of the session.
    fn session(&mut self) -> Asked {
        let sql = match self.dice.below(8) {
            0 | 1 if !self.in_transaction => {
                self.in_transaction = true;
                self.dice.one_of(&["BEGIN", "START TRANSACTION", "START TRANSACTION READ WRITE"]).to_owned()
            }
            0 | 1 => {
                self.in_transaction = false;
                self.dice.one_of(&["COMMIT", "ROLLBACK"]).to_owned()
            }
            2 if self.in_transaction => "SAVEPOINT s1".to_owned(),
            3 if self.in_transaction => "ROLLBACK TO SAVEPOINT s1".to_owned(),
            4 => format!("SET @v = {}, @w = '{}'", self.dice.below(9), self.dice.one_of(&["a", "b"])),
            5 => {
                let table = self.table();
                let condition = self.dice.one_of(&["x.k >= @v", "x.id = @v", "x.id <=> @v"]);
                let sql =
                    format!("SELECT x.{}, @v, x.k + @v FROM {} x WHERE {condition}", table.key, table.name);
                return self.ordered(sql, &[format!("x.{}", table.key)]);
            }
            // MySQL decides about a variable's type when it prepares.
            _ if !self.mariadb => "SELECT CAST(@v AS SIGNED), CAST(@w AS CHAR(5))".to_owned(),
            _ => "SELECT @v, @w".to_owned(),
        };
        Asked { sql, order: Order::Total, writes: false }
    }

    fn table(&mut self) -> Table {
        let at = if self.dice.once_in(2) { self.dice.below(4) } else { self.dice.below(self.tables.len()) };
        self.tables[at].clone()
    }

    fn ordered(&mut self, sql: String, keys: &[String]) -> Asked {
        if self.dice.once_in(3) {
            return Asked { sql, order: Order::Any, writes: false };
        }
        let keys: Vec<String> =
            keys.iter().map(|key| format!("{key}{}", self.dice.one_of(&["", "", " ASC", " DESC"]))).collect();
        let limit = self.limit();
        Asked {
            sql: format!("{sql} ORDER BY {}{limit}", keys.join(", ")),
            order: Order::Total,
            writes: false,
        }
    }

    fn limit(&mut self) -> String {
        match self.dice.below(5) {
            0 => format!(" LIMIT {}", self.dice.below(10)),
            1 => format!(" LIMIT {} OFFSET {}", self.dice.below(10), self.dice.below(8)),
            2 => format!(" LIMIT {}, {}", self.dice.below(8), self.dice.below(10)),
            _ => String::new(),
        }
    }

    fn comparison(&mut self) -> &'static str {
        self.dice.one_of(&["=", "=", "<>", "!=", "<", "<=", ">", ">=", "<=>"])
    }
}
