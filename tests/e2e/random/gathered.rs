//! Makes SELECTs that need rows of several data nodes in one place.

use super::dice::{Dice, JOINS};
use super::generator::Statement;

/// A sequence of SELECTs that follows from a seed.
pub(crate) struct Gathered {
    dice: Dice,
}

/// Sharded by hash, sharded by modulo, global, on one node, and on the default node.
const TABLES: [&str; 5] = ["t1", "n1", "regions", "audit", "plain"];
const NUMBERS: [&str; 4] = ["id", "k", "b", "d"];
const TEXTS: [&str; 3] = ["s", "c", "l"];
const COLUMNS: [&str; 10] = ["id", "k", "b", "d", "f", "s", "c", "l", "t", "e"];
/// Columns whose equal values are the same.
const PLAIN: [&str; 5] = ["id", "k", "b", "d", "t"];
const WORDS: [&str; 12] =
    ["apple", "Apple", "apple ", "äpfel", "Äpfel", "pear", "PEAR", "zoo", "", "fig", "straße", "strasse"];

impl Gathered {
    pub(crate) fn new(seed: u64) -> Gathered {
        Gathered { dice: Dice::new(seed) }
    }

    /// The statements that make the tables.
    pub(crate) fn tables(&mut self) -> Vec<String> {
        let columns = "id BIGINT NOT NULL PRIMARY KEY, k INT, b BIGINT UNSIGNED NOT NULL, d DECIMAL(65,30), f DOUBLE, \
             s VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, \
             c VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, \
             l VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_german1_ci, t DATETIME(3), e ENUM('z','y','x'), KEY (k)";
        let mut statements = Vec::new();
        for table in TABLES {
            statements.push(format!("CREATE TABLE {table} ({columns}) DEFAULT CHARSET=utf8mb4"));
            let rows: Vec<String> = (0..18 + self.dice.below(12)).map(|at| self.row(at)).collect();
            statements.push(format!("INSERT INTO {table} VALUES {}", rows.join(", ")));
        }
        statements
    }

    pub(crate) fn statement(&mut self) -> Statement {
        match self.dice.below(8) {
            0 | 1 => self.join(),
            2 => self.subquery(),
            3 => self.union(),
            4 => self.window(),
            5 | 6 => self.aggregate(),
            _ => self.nested(),
        }
    }

    fn join(&mut self) -> Statement {
        let (from, names) = self.from();
        let listed = 1 + self.dice.below(3);
        let mut list: Vec<String> = (0..listed).map(|_| self.value(&names)).collect();
        list.extend(names.iter().map(|name| format!("{name}.id")));
        let sql = format!("SELECT {} FROM {from}{}", list.join(", "), self.where_clause(&names));
        let ids: Vec<String> = names.iter().map(|name| format!("{name}.id")).collect();
        self.ordered(sql, &ids)
    }

    /// A FROM clause and the names in it.
    fn from(&mut self) -> (String, Vec<&'static str>) {
        let names: &[&'static str] = if self.dice.once_in(3) { &["x", "y", "z"] } else { &["x", "y"] };
        let first = self.table();
        if names.len() == 3 && self.dice.once_in(4) {
            let (kind, inner) = (self.outer(), self.dice.one_of(&["JOIN", "LEFT JOIN", "RIGHT JOIN"]));
            let (two, three) = (self.table(), self.table());
            let (inside, outside) = (self.on(&["y", "z"]), self.on(names));
            let from = format!("{first} x {kind} ({two} y {inner} {three} z ON {inside}) ON {outside}");
            return (from, names.to_vec());
        }
        let mut from = format!("{first} x");
        for (index, name) in names.iter().enumerate().skip(1) {
            let (kind, table) = (self.outer(), self.table());
            let on = self.on(&names[..=index]);
            from.push_str(&format!(" {kind} {table} {name} ON {on}"));
        }
        (from, names.to_vec())
    }

    fn outer(&mut self) -> &'static str {
        self.dice.one_of(&JOINS)
    }

    /// A condition over several names, the last of them among those that are compared.
    fn on(&mut self, names: &[&'static str]) -> String {
        let (last, before) = names.split_last().expect("a name");
        let other = self.dice.one_of(before);
        let equal = match self.dice.below(6) {
            0 | 1 => format!("{other}.id = {last}.id"),
            2 => format!("{other}.k = {last}.id"),
            3 => format!("{last}.k = {other}.k"),
            4 => {
                let text = self.dice.one_of(&TEXTS);
                format!("{other}.{text} = {last}.{text}")
            }
            _ => format!("{other}.id < {last}.k AND {last}.id < 6"),
        };
        match self.dice.below(5) {
            0 => format!("{equal} AND {}", self.condition(names, 1)),
            1 => format!("{} AND {equal}", self.condition(names, 1)),
            2 => format!("{equal} AND {} AND {}", self.condition(&names[..1], 0), self.condition(&[last], 0)),
            _ => equal,
        }
    }

    fn subquery(&mut self) -> Statement {
        let (outer, inner) = (self.table(), self.table());
        let own = self.condition(&["y"], 1);
        let correlated = self.dice.one_of(&["y.id = x.id", "y.k = x.k", "y.k > x.k", "y.s = x.s", "1 = 1"]);
        let condition = match self.dice.below(7) {
            0 => format!("x.id IN (SELECT y.k FROM {inner} y WHERE {own})"),
            1 => format!("x.k NOT IN (SELECT y.id FROM {inner} y WHERE {own} AND {correlated})"),
            2 => format!("EXISTS (SELECT * FROM {inner} y WHERE {correlated} AND {own})"),
            3 => format!("NOT EXISTS (SELECT 1 FROM {inner} y WHERE {correlated} AND {own})"),
            4 => format!("x.k > ALL (SELECT y.k FROM {inner} y WHERE {own} AND y.k IS NOT NULL)"),
            5 => format!("x.d <= ANY (SELECT y.d FROM {inner} y WHERE {correlated})"),
            _ => format!("x.id < (SELECT MAX(y.id) FROM {inner} y WHERE {correlated} AND {own})"),
        };
        let also =
            if self.dice.once_in(2) { format!(" AND {}", self.condition(&["x"], 1)) } else { String::new() };
        let aggregate = self.dice.one_of(&["COUNT(*)", "SUM(y.k)", "MAX(y.d)", "MIN(y.t)"]);
        let scalar = format!("(SELECT {aggregate} FROM {inner} y WHERE {correlated})");
        let value = self.value(&["x"]);
        let sql = format!("SELECT x.id, {value}, {scalar} AS n FROM {outer} x WHERE {condition}{also}");
        self.ordered(sql, &["x.id".to_owned()])
    }

    fn union(&mut self) -> Statement {
        let columns = [self.dice.one_of(&["id", "k"]), self.dice.one_of(&PLAIN)];
        let mut sql = String::new();
        for at in 0..2 + self.dice.below(2) {
            if at > 0 {
                sql.push_str(self.dice.one_of(&[" UNION ", " UNION ALL ", " UNION DISTINCT "]));
            }
            let (table, condition) = (self.table(), self.where_clause(&["x"]));
            let [first, second] = columns;
            sql.push_str(&match self.dice.below(3) {
                0 => format!(
                    "(SELECT x.{first}, x.{second} FROM {table} x{condition} ORDER BY x.id LIMIT {})",
                    self.dice.below(9)
                ),
                _ => format!("SELECT x.{first}, x.{second} FROM {table} x{condition}"),
            });
        }
        let sql = format!("SELECT * FROM ({sql}) AS u");
        self.ordered(sql, &["1".to_owned(), "2".to_owned()])
    }

    fn window(&mut self) -> Statement {
        let (table, condition) = (self.table(), self.where_clause(&["x"]));
        let function = self.dice.one_of(&[
            "ROW_NUMBER()",
            "SUM(x.d)",
            "SUM(x.k)",
            "COUNT(*)",
            "LAG(x.c)",
            "LEAD(x.id, 2)",
            "FIRST_VALUE(x.s)",
            "NTILE(3)",
            "MAX(x.t)",
            "AVG(x.k)",
        ]);
        let partition = match self.dice.below(3) {
            0 => String::new(),
            _ => format!("PARTITION BY x.{} ", self.dice.one_of(&["k", "s", "c", "l", "e"])),
        };
        let order = self.column();
        let ranked = self.dice.one_of(&["RANK()", "DENSE_RANK()"]);
        let text = self.dice.one_of(&TEXTS);
        let sql = format!(
            "SELECT x.id, {function} OVER ({partition}ORDER BY x.{order}, x.id) AS w, {ranked} OVER (ORDER BY x.{text} \
             DESC) AS r FROM {table} x{condition}"
        );
        self.ordered(sql, &["x.id".to_owned()])
    }

    fn aggregate(&mut self) -> Statement {
        let ((from, names), joined) = match self.dice.below(2) {
            0 => (self.from(), true),
            _ => ((format!("{} x", self.table()), vec!["x"]), false),
        };
        let condition = self.where_clause(&names);
        let list: Vec<String> = (0..=self.dice.below(3)).map(|_| self.aggregated(&names)).collect();
        let list = list.join(", ");
        let key = format!("{}.{}", self.dice.one_of(&names), self.dice.one_of(&["k", "b", "e", "t", "d"]));
        let text = format!("{}.{}", self.dice.one_of(&names), self.dice.one_of(&TEXTS));
        let sql = match self.dice.below(5) {
            0 => format!("SELECT {list} FROM {from}{condition}"),
            1 => format!("SELECT {list} FROM {from}{condition} GROUP BY {text}"),
            2 if !joined => format!("SELECT {key}, {list} FROM {from}{condition} GROUP BY {key} WITH ROLLUP"),
            3 => format!(
                "SELECT {key}, {list} FROM {from}{condition} GROUP BY {key} HAVING COUNT(*) {} {}",
                self.comparison(),
                self.dice.below(4)
            ),
            _ => format!("SELECT {key} AS g, {list} FROM {from}{condition} GROUP BY {key}"),
        };
        Statement { sql, ordered: false }
    }

    /// Derived tables and WITH.
    fn nested(&mut self) -> Statement {
        let (one, two) = (self.table(), self.table());
        let (first, second) = (self.where_clause(&["x"]), self.where_clause(&["y"]));
        let kind = self.dice.one_of(&["JOIN", "LEFT JOIN", "RIGHT JOIN"]);
        let after = match self.dice.below(3) {
            0 => String::new(),
            1 => format!(" WHERE a.n {} {}", self.comparison(), self.dice.below(5)),
            _ => format!(" WHERE b.id IS {}NULL", self.dice.one_of(&["", "NOT "])),
        };
        let grouped =
            format!("SELECT x.k, COUNT(*) AS n, SUM(x.d) AS total FROM {one} x{first} GROUP BY x.k");
        let plain = format!("SELECT y.id, y.k, y.s FROM {two} y{second}");
        let on = self.dice.one_of(&["a.k = b.k", "a.k = b.id", "a.n = b.k"]);
        let sql = match self.dice.below(3) {
            0 => format!("SELECT a.k, a.n, a.total, b.id FROM ({grouped}) a {kind} ({plain}) b ON {on}{after}"),
            1 => format!(
                "WITH a AS ({grouped}), b AS ({plain}) SELECT a.k, a.n, a.total, b.id FROM a {kind} b ON {on}{after}"
            ),
            // The name of a table, which only the statement itself takes for the subquery.
            _ => format!("WITH {two} AS ({plain}) SELECT a.k, a.n, b.id FROM ({grouped}) a {kind} {two} b ON {on}{after}")
                .replacen(&format!("FROM {one} x"), &format!("FROM {} x", if one != two { one } else if one == "t1" { "n1" } else { "t1" }), 1),
        };
        Statement { sql, ordered: false }
    }

    fn ordered(&mut self, sql: String, keys: &[String]) -> Statement {
        if self.dice.once_in(3) {
            return Statement { sql, ordered: false };
        }
        let keys: Vec<String> =
            keys.iter().map(|key| format!("{key}{}", self.dice.one_of(&["", "", " DESC"]))).collect();
        let limit = match self.dice.below(4) {
            0 => format!(" LIMIT {}", self.dice.below(10)),
            1 => format!(" LIMIT {} OFFSET {}", self.dice.below(10), self.dice.below(8)),
            _ => String::new(),
        };
        Statement { sql: format!("{sql} ORDER BY {}{limit}", keys.join(", ")), ordered: true }
    }

    fn aggregated(&mut self, names: &[&'static str]) -> String {
        let name = self.dice.one_of(names);
        match self.dice.below(11) {
            0 => "COUNT(*)".to_owned(),
            1 => format!("COUNT({name}.{})", self.column()),
            2 => format!("COUNT(DISTINCT {name}.{})", self.column()),
            3 => format!("SUM({name}.{})", self.dice.one_of(&["id", "k", "b", "d", "f"])),
            4 => format!("MIN({name}.{})", self.dice.one_of(&PLAIN)),
            5 => format!("MAX({name}.{})", self.dice.one_of(&PLAIN)),
            6 => format!("AVG({name}.{})", self.dice.one_of(&["id", "k", "b"])),
            7 => format!("GROUP_CONCAT(DISTINCT {name}.k ORDER BY {name}.k DESC SEPARATOR '/')"),
            8 => format!("SUM(DISTINCT {name}.{})", self.dice.one_of(&["k", "d"])),
            9 => format!("BIT_XOR({name}.b)"),
            _ => format!("ROUND(STDDEV_POP({name}.k), 6)"),
        }
    }

    fn where_clause(&mut self, names: &[&'static str]) -> String {
        if self.dice.once_in(4) { String::new() } else { format!(" WHERE {}", self.condition(names, 2)) }
    }

    fn condition(&mut self, names: &[&'static str], depth: usize) -> String {
        let name = self.dice.one_of(names);
        match self.dice.below(if depth == 0 { 9 } else { 14 }) {
            0 => format!("{name}.id {} {}", self.comparison(), self.number()),
            1 => format!("{name}.{} {} {}", self.dice.one_of(&NUMBERS), self.comparison(), self.number()),
            2 => format!("{name}.{} {} {}", self.dice.one_of(&TEXTS), self.comparison(), self.word()),
            3 => format!("{name}.{} IS {}NULL", self.column(), self.dice.one_of(&["", "NOT "])),
            4 => format!("{name}.k BETWEEN {} AND {}", self.dice.below(4), 4 + self.dice.below(8)),
            5 => format!(
                "{name}.{} LIKE '{}%'",
                self.dice.one_of(&TEXTS),
                self.dice.one_of(&["a", "A", "ä", "p", "s"])
            ),
            6 => format!("{name}.t {} '2026-{:02}-15'", self.comparison(), self.dice.below(12) + 1),
            7 => format!(
                "{name}.id IN ({}, {}, {})",
                self.dice.below(20),
                self.dice.below(20),
                self.dice.below(20)
            ),
            8 => match self.dice.below(4) {
                0 => format!("{name}.e = '{}'", self.dice.one_of(&["x", "y", "z"])),
                1 => format!("{name}.k <=> {}", self.dice.one_of(&["NULL", "3", "5"])),
                2 => format!("UPPER({name}.c) = {}", self.word()),
                _ => format!("YEAR({name}.t) = {}", 2025 + self.dice.below(3)),
            },
            9 => format!("NOT ({})", self.condition(names, depth - 1)),
            10 => format!("({} OR {})", self.condition(names, depth - 1), self.condition(names, depth - 1)),
            11 => format!(
                "{} {} {}",
                self.condition(names, depth - 1),
                self.dice.one_of(&["XOR", "OR", "||"]),
                self.condition(names, depth - 1)
            ),
            12 => format!(
                "CASE WHEN {} AND {} THEN {name}.k > 3 ELSE {} END",
                self.condition(names, depth - 1),
                self.condition(names, 0),
                self.condition(names, 0)
            ),
            _ => format!(
                "{} {} {}",
                self.condition(names, depth - 1),
                self.dice.one_of(&["AND", "&&"]),
                self.condition(names, depth - 1)
            ),
        }
    }

    fn value(&mut self, names: &[&'static str]) -> String {
        let name = self.dice.one_of(names);
        match self.dice.below(7) {
            0 => format!("{name}.k + 1"),
            1 => format!("CONCAT({name}.s, '-', {name}.l)"),
            2 => format!("COALESCE({name}.k, {name}.id)"),
            3 => format!("{name}.d * 2"),
            _ => format!("{name}.{}", self.column()),
        }
    }

    fn row(&mut self, at: usize) -> String {
        let mut maybe = |text: String| if self.dice.once_in(6) { "NULL".to_owned() } else { text };
        let mut dice = Dice::new(at as u64 * 77 + maybe(String::new()).len() as u64 + 1);
        let word = |dice: &mut Dice| format!("'{}'", dice.one_of(&WORDS));
        let k = maybe(dice.below(9).to_string());
        let digits = "9876543210987654321098765432109876".split_at(dice.below(34)).0;
        let d = maybe(format!("{}{digits}1.{:030}", dice.one_of(&["", "-"]), dice.below(100_000)));
        let f = maybe(dice.one_of(&["0", "-0e0", "1.25", "-3.5", "1024"]).to_owned());
        let (s, l) = (maybe(word(&mut dice)), maybe(word(&mut dice)));
        let c = maybe(if dice.once_in(4) { "'😀'".to_owned() } else { word(&mut dice) });
        let (month, day, milli) = (dice.below(12) + 1, dice.below(28) + 1, dice.below(1000));
        let t = maybe(format!("'2026-{month:02}-{day:02} 10:00:00.{milli:03}'"));
        let e = maybe(format!("'{}'", dice.one_of(&["x", "y", "z"])));
        let b = dice.one_of(&["0", "7", "18446744073709551615", "9223372036854775808", "3"]);
        format!("({at}, {k}, {b}, {d}, {f}, {s}, {c}, {l}, {t}, {e})")
    }

    fn table(&mut self) -> &'static str {
        // Mostly those that are on several nodes.
        if self.dice.once_in(2) { self.dice.one_of(&TABLES[..2]) } else { self.dice.one_of(&TABLES) }
    }

    fn column(&mut self) -> &'static str {
        self.dice.one_of(&COLUMNS)
    }

    fn comparison(&mut self) -> &'static str {
        self.dice.one_of(&["=", "=", "<>", "<", "<=", ">", ">="])
    }

    fn number(&mut self) -> String {
        let number = self.dice.below(16);
        match self.dice.below(9) {
            0 => format!("'{number}'"),
            // Not .5: a server with an index takes `k = 0.5` for `k = 1`.
            1 => format!("{number}.0"),
            2 => format!("-{number}"),
            3 => "NULL".to_owned(),
            4 => format!("{number}e0"),
            5 => format!("({number} + 1)"),
            6 => format!("'{number}x'"),
            _ => number.to_string(),
        }
    }

    fn word(&mut self) -> String {
        format!("'{}'", self.dice.one_of(&WORDS))
    }
}
