//! Rows that are grouped, sorted and told apart by what is computed of their columns.

use super::column::Class;
use super::schema::Table;
use super::{Asked, Law, Order};

impl Law {
    pub(super) fn keyed(&mut self) -> Asked {
        let (table, beside) = (self.table(), self.tables[4].clone());
        let (from, name, columns) = match self.dice.below(3) {
            0 => {
                let list: Vec<&str> = beside.columns.iter().map(|column| column.name.as_str()).collect();
                let rows = format!("(SELECT {} FROM {}) y", list.join(", "), beside.name);
                (format!("{} x JOIN {rows} ON y.id = x.k", table.name), "y", beside)
            }
            _ => (format!("{} x", table.name), "x", table.clone()),
        };
        let condition = self.where_clause(&[("x", &table)]);
        let (key, determined) = self.key(name, &columns);
        let own = format!("x.{}", table.key);
        match self.dice.below(8) {
            0 | 1 => any(format!("SELECT COUNT(*), SUM(x.k) FROM {from}{condition} GROUP BY {key}")),
            2 if determined => any(format!("SELECT DISTINCT {key} FROM {from}{condition}")),
            3 if determined => self.ordered(
                format!("SELECT {key} AS q, COUNT(*) FROM {from}{condition} GROUP BY q"),
                &["q".to_owned()],
            ),
            4 => {
                let (other, _) = self.key("x", &table);
                any(format!("SELECT COUNT(*), MIN(x.k) FROM {from}{condition} GROUP BY {key}, {other}"))
            }
            5 => {
                let real = columns.of(&[Class::Real, Class::Exact], &mut self.dice).name;
                let extreme = self.dice.one_of(&["MIN", "MAX"]);
                let sql = format!("SELECT x.k, COUNT(*) FROM {from}{condition} GROUP BY x.k");
                self.ordered(sql, &[format!("{extreme}({name}.{real})"), "x.k".to_owned()])
            }
            _ => self.ordered(format!("SELECT {own}, x.k FROM {from}{condition}"), &[key, own]),
        }
    }

    /// Sums and averages of what is computed, and extremes of it.
    pub(super) fn computed(&mut self, name: &str, table: &Table) -> String {
        let n = self.dice.one_of(&["3", "7", "30000", "1.5"]);
        let real = table.of(&[Class::Real], &mut self.dice).name;
        match self.dice.below(8) {
            // Of quotients MariaDB adds up the printed digits where its plan has a temporary table, and all digits elsewhere.
            0 | 1 if self.mariadb => format!("AVG({name}.k * {n})"),
            0 => format!("SUM({name}.k / {n})"),
            1 => format!("AVG({name}.k / {n})"),
            2 => format!("SUM({name}.k * {n})"),
            3 => format!("SUM(ROUND({name}.k / {n}, 2))"),
            4 => format!("AVG(IF({name}.k > 1, {name}.k, {name}.k * {n}))"),
            5 => format!("SUM({name}.{real} * 2)"),
            6 => format!("MAX(CHAR_LENGTH({name}.{}))", table.of(&[Class::Text], &mut self.dice).name),
            _ => format!("MIN(YEAR({name}.{}))", table.of(&[Class::Moment], &mut self.dice).name),
        }
    }

    /// What is computed of a row, and whether equal values of it look the same.
    fn key(&mut self, name: &str, table: &Table) -> (String, bool) {
        let mut of = |class: Class| format!("{name}.{}", table.of(&[class], &mut self.dice).name);
        let (text, other, real, exact) =
            (of(Class::Text), of(Class::Text), of(Class::Real), of(Class::Exact));
        let (moment, bytes, member) = (of(Class::Moment), of(Class::Bytes), of(Class::Member));
        let k = format!("{name}.k");
        match self.dice.below(26) {
            0 => (format!("COALESCE({real}, {k})"), false),
            1 => (format!("IF({k} > 1, {real}, NULL)"), false),
            2 => (format!("{real} + {k}"), false),
            3 => (format!("{k} DIV 2"), true),
            4 => (format!("{k} % 3"), true),
            5 => (format!("ROUND({k} / 7, 1)"), true),
            6 => (format!("IFNULL({exact}, {k})"), true),
            7 => (format!("LEFT({text}, 3)"), false),
            8 => (format!("CONCAT({text}, {k})"), false),
            9 => (format!("UPPER({text})"), false),
            10 => (format!("TRIM({text})"), false),
            11 => (format!("SUBSTRING({text}, 2)"), false),
            12 => (format!("RPAD({text}, 6, 'x')"), false),
            13 => (format!("SPACE({k} % 3)"), false),
            14 => (format!("CONVERT({bytes} USING latin1)"), false),
            15 => (format!("CAST({text} AS CHAR(10))"), false),
            16 => (format!("IFNULL({text}, '')"), false),
            17 => (format!("ELT({k}, 'a', 'a ', 'A', 'b')"), false),
            18 => (format!("YEAR({moment})"), true),
            19 => (format!("HEX({bytes})"), true),
            20 => (format!("CHAR_LENGTH({text})"), true),
            21 => (format!("IF({k} > 2, {text}, {other})"), false),
            22 => (format!("CONCAT({member}, '')"), false),
            23 => (format!("REVERSE({text})"), false),
            24 => (format!("CASE WHEN {k} > 2 THEN 'x ' ELSE 'x' END"), false),
            _ => (format!("{text} = {other}"), true),
        }
    }
}

fn any(sql: String) -> Asked {
    Asked { sql, order: Order::Any, writes: false }
}
