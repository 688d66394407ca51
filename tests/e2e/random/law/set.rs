//! Set operations, derived tables, and WITH.

use super::{Asked, Law, Order};

impl Law {
    pub(super) fn union(&mut self) -> Asked {
        let second = self.dice.one_of(&["k", "id"]);
        let mut sql = String::new();
        for at in 0..2 + self.dice.below(2) {
            if at > 0 {
                sql.push_str(self.dice.one_of(&[
                    " UNION ",
                    " UNION ALL ",
                    " UNION DISTINCT ",
                    " UNION ",
                    " INTERSECT ",
                    " EXCEPT ",
                ]));
            }
            let table = self.table();
            let condition = self.where_clause(&[("x", &table)]);
            let rows = format!("SELECT x.id, x.{second} AS v FROM {} x{condition}", table.name);
            sql.push_str(&match self.dice.below(4) {
                0 => format!("({rows} ORDER BY x.id, x.{} LIMIT {})", table.key, self.dice.below(9)),
                1 => format!("SELECT {}, COUNT(*) FROM {} x{condition}", self.dice.below(9), table.name),
                _ => rows,
            });
        }
        match self.dice.below(3) {
            0 => Asked { sql, order: Order::Any, writes: false },
            1 => {
                let direction = self.dice.one_of(&["", " DESC"]);
                Asked {
                    sql: format!("{sql} ORDER BY 1{direction}, 2{}", self.limit()),
                    order: Order::Total,
                    writes: false,
                }
            }
            _ => self.ordered(format!("SELECT * FROM ({sql}) AS u"), &["1".to_owned(), "2".to_owned()]),
        }
    }

    /// Derived tables and WITH.
    pub(super) fn nested(&mut self) -> Asked {
        let (one, two) = (self.table(), self.table());
        let (first, second) = (self.where_clause(&[("x", &one)]), self.where_clause(&[("y", &two)]));
        let kind = self.dice.one_of(&["JOIN", "LEFT JOIN", "RIGHT JOIN"]);
        let after = match self.dice.below(3) {
            0 => String::new(),
            1 => format!(" WHERE a.n {} {}", self.comparison(), self.dice.below(5)),
            _ => format!(" WHERE b.id IS {}NULL", self.dice.one_of(&["", "NOT "])),
        };
        let grouped =
            format!("SELECT x.k, COUNT(*) AS n, SUM(x.n0) AS total FROM {} x{first} GROUP BY x.k", one.name);
        let plain = format!("SELECT y.id, y.k, y.s0 FROM {} y{second}", two.name);
        let on = self.dice.one_of(&["a.k = b.k", "a.k = b.id", "a.n = b.k"]);
        let sql = match self.dice.below(6) {
            0 => {
                format!("SELECT a.k, a.n, a.total, b.id FROM ({grouped}) a {kind} ({plain}) b ON {on}{after}")
            }
            1 => format!(
                "WITH a AS ({grouped}), b AS ({plain}) SELECT a.k, a.n, a.total, b.id FROM a {kind} b ON {on}{after}"
            ),
            2 => format!(
                "WITH a AS ({grouped}) SELECT a.k, a.n, b.n AS m FROM a {kind} a b ON {}",
                self.dice.one_of(&["a.k = b.k", "a.n = b.n", "a.k < b.k"])
            ),
            3 => {
                format!("WITH a AS ({grouped}) SELECT a.k, a.total FROM a WHERE a.n = (SELECT MAX(n) FROM a)")
            }
            4 => format!(
                "WITH RECURSIVE r AS (SELECT y.id, y.k, 1 AS depth FROM {} y{second} UNION ALL SELECT r.id, r.k, r.depth + 1 FROM r WHERE r.depth < r.k) SELECT r.id, r.k, r.depth FROM r",
                two.name
            ),
            _ => format!(
                "SELECT n.id, n.k, n.v FROM (SELECT y.id, y.k FROM {0} y{second}) m NATURAL JOIN (SELECT x.id, x.k, x.n1 AS v FROM {1} x{first}) n",
                two.name, one.name
            ),
        };
        Asked { sql, order: Order::Any, writes: false }
    }
}
