//! SELECTs of one table, groups, subqueries, windows.

use super::column::Class;
use super::schema::Table;
use super::{Asked, Law, Order};

impl Law {
    /// One table: rows, or distinct ones.
    pub(super) fn plain(&mut self) -> Asked {
        let table = self.table();
        if self.dice.once_in(5) {
            let columns: Vec<String> =
                (0..=self.dice.below(2)).map(|_| table.plain(&mut self.dice).name).collect();
            let list: Vec<String> = columns.iter().map(|name| format!("x.{name}")).collect();
            let condition = self.where_clause(&[("x", &table)]);
            let sql = format!("SELECT DISTINCT {} FROM {} x{condition}", list.join(", "), table.name);
            return self.ordered(sql, &list);
        }
        let mut list: Vec<String> = (0..=self.dice.below(3)).map(|_| self.value("x", &table)).collect();
        let sorted = format!("x.{}", table.column(&mut self.dice).name);
        let by_value = self.dice.once_in(4);
        let condition = self.where_clause(&[("x", &table)]);
        match self.dice.below(8) {
            0 => list = vec!["*".to_owned()],
            1 => list.push("x.*".to_owned()),
            _ => list.push(format!("x.{}", table.key)),
        }
        let sql = format!("SELECT {} FROM {} x{condition}", list.join(", "), table.name);
        let first = match list.first() {
            Some(first) if by_value && !first.contains('*') => first.clone(),
            _ if table
                .columns
                .iter()
                .any(|column| sorted.ends_with(&column.name) && column.class == Class::Json) =>
            {
                "x.k".to_owned()
            }
            _ => sorted,
        };
        let mut asked = self.ordered(sql, &[first, format!("x.{}", table.key)]);
        if self.dice.once_in(12) {
            asked.sql.push_str(self.dice.one_of(&[" FOR UPDATE", " LOCK IN SHARE MODE"]));
        }
        asked
    }

    pub(super) fn aggregate(&mut self) -> Asked {
        let (from, tables) = match self.dice.below(3) {
            0 => self.from(),
            _ => {
                let table = self.table();
                (format!("{} x", table.name), vec![("x", table)])
            }
        };
        let tables: Vec<(&str, &Table)> = tables.iter().map(|(name, table)| (*name, table)).collect();
        let condition = self.where_clause(&tables);
        let list: Vec<String> = (0..=self.dice.below(3)).map(|_| self.aggregated(&tables)).collect();
        let list = list.join(", ");
        let mut keys = Vec::new();
        for _ in 0..=self.dice.below(2) {
            let (name, table) = self.dice.one_of(&tables);
            let key = format!("{name}.{}", table.plain(&mut self.dice).name);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        let by = keys.join(", ");
        match self.dice.below(6) {
            0 | 1 => Asked {
                sql: format!("SELECT {list} FROM {from}{condition}"),
                order: Order::Total,
                writes: false,
            },
            2 => {
                let (name, table) = self.dice.one_of(&tables);
                let text = format!("{name}.{}", table.of(&[Class::Text, Class::Bytes], &mut self.dice).name);
                any(format!("SELECT {list} FROM {from}{condition} GROUP BY {text}"))
            }
            3 => {
                // MariaDB's total of GROUP_CONCAT is NULL where its plan sorts joined rows without a temporary table.
                let list = if self.mariadb && list.contains("GROUP_CONCAT(") {
                    "COUNT(*), SUM(x.k)".to_owned()
                } else {
                    list
                };
                let last = keys.last().unwrap_or(&by);
                let numbers =
                    (1..=keys.len()).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
                let (items, by) = match self.dice.below(5) {
                    0 => (format!("{by}, {list}"), numbers),
                    1 => (format!("{list}, {last} AS q"), by),
                    2 => (list, by),
                    _ => (format!("{by}, {list}"), by),
                };
                let having = match self.dice.below(3) {
                    0 => format!(" HAVING COUNT(*) {} {}", self.comparison(), self.dice.below(6)),
                    _ => String::new(),
                };
                any(format!("SELECT {items} FROM {from}{condition} GROUP BY {by} WITH ROLLUP{having}"))
            }
            4 => {
                let having = format!(
                    "HAVING {} {} {}",
                    self.dice.one_of(&["COUNT(*)", "MAX(x.k)", "SUM(x.k)"]),
                    self.comparison(),
                    self.dice.below(6)
                );
                any(format!("SELECT {by}, {list} FROM {from}{condition} GROUP BY {by} {having}"))
            }
            _ => {
                let sql = format!("SELECT {by}, {list} FROM {from}{condition} GROUP BY {by}");
                self.ordered(sql, &keys)
            }
        }
    }

    pub(super) fn subquery(&mut self) -> Asked {
        let (outer, inner) = (self.table(), self.table());
        let own = self.condition(&[("y", &inner)], 1);
        let correlated = self.dice.one_of(&["y.id = x.id", "y.k = x.k", "y.k > x.k", "y.n0 = x.n0", "1 = 1"]);
        // As in joins.
        let alike = self.mariadb || outer.declared("n0") == inner.declared("n0");
        let correlated = if correlated == "y.n0 = x.n0" && !alike { "y.k = x.k" } else { correlated };
        let from = format!("FROM {} y", inner.name);
        let key = outer.key;
        let condition = match self.dice.below(10) {
            0 => format!("x.id IN (SELECT y.k {from} WHERE {own})"),
            1 => format!("x.k NOT IN (SELECT y.id {from} WHERE {own} AND {correlated})"),
            2 => format!("EXISTS (SELECT * {from} WHERE {correlated} AND {own})"),
            3 => format!("NOT EXISTS (SELECT 1 {from} WHERE {correlated} AND {own})"),
            4 => format!("x.k > ALL (SELECT y.k {from} WHERE {own} AND y.k IS NOT NULL)"),
            5 => format!("x.n1 <= ANY (SELECT y.n1 {from} WHERE {correlated})"),
            6 => format!("(x.id, x.k) IN (SELECT y.id, y.k {from} WHERE {own})"),
            7 => format!("x.id = (SELECT y.id {from} WHERE {own} ORDER BY y.{} LIMIT 1)", inner.key),
            8 => format!("x.k < (SELECT AVG(y.k) {from} WHERE {correlated} AND {own})"),
            _ => format!("x.id < (SELECT MAX(y.id) {from} WHERE {correlated} AND {own})"),
        };
        let also = if self.dice.once_in(2) {
            format!(" AND {}", self.condition(&[("x", &outer)], 1))
        } else {
            String::new()
        };
        let aggregate = self.dice.one_of(&[
            "COUNT(*)",
            "SUM(y.k)",
            "MAX(y.n0)",
            "MIN(y.m0)",
            "GROUP_CONCAT(DISTINCT y.k ORDER BY y.k)",
        ]);
        let scalar = format!("(SELECT {aggregate} {from} WHERE {correlated})");
        let value = self.value("x", &outer);
        let sql =
            format!("SELECT x.{key}, {value}, {scalar} AS n FROM {} x WHERE {condition}{also}", outer.name);
        self.ordered(sql, &[format!("x.{key}")])
    }

    pub(super) fn window(&mut self) -> Asked {
        let table = self.table();
        let condition = self.where_clause(&[("x", &table)]);
        let key = table.key;
        let exact = table.of(&[Class::Exact], &mut self.dice).name;
        let column = table.column(&mut self.dice).name;
        let function = match self.dice.below(10) {
            0 => "ROW_NUMBER()".to_owned(),
            1 | 2 => format!("SUM(x.{exact})"),
            3 => "COUNT(*)".to_owned(),
            4 => format!("LAG(x.{column})"),
            5 => format!("LEAD(x.{column}, 2)"),
            6 => format!("FIRST_VALUE(x.{column})"),
            7 => "NTILE(3)".to_owned(),
            8 => "AVG(x.k)".to_owned(),
            _ => "PERCENT_RANK()".to_owned(),
        };
        let partition = if self.dice.once_in(3) {
            String::new()
        } else {
            format!(
                "PARTITION BY x.{} ",
                table.of(&[Class::Exact, Class::Text, Class::Member, Class::Moment], &mut self.dice).name
            )
        };
        let order = table
            .of(&[Class::Exact, Class::Text, Class::Moment, Class::Member, Class::Real], &mut self.dice)
            .name;
        let ranked = self.dice.one_of(&["RANK()", "DENSE_RANK()"]);
        let frame = if function.starts_with("SUM") && self.dice.once_in(2) {
            " ROWS BETWEEN 2 PRECEDING AND CURRENT ROW"
        } else {
            ""
        };
        let text = table.of(&[Class::Text], &mut self.dice).name;
        let sql = format!(
            "SELECT x.{key}, {function} OVER ({partition}ORDER BY x.{order}, x.{key}{frame}) AS w, {ranked} OVER (ORDER BY \
             x.{text} DESC) AS r FROM {} x{condition}",
            table.name
        );
        self.ordered(sql, &[format!("x.{key}")])
    }
}

fn any(sql: String) -> Asked {
    Asked { sql, order: Order::Any, writes: false }
}
