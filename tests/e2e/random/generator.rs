//! Makes statements over one table.

/// A statement, and whether its rows have a total order.
pub(crate) struct Statement {
    pub sql: String,
    pub ordered: bool,
}

/// A sequence of statements that follows from a seed.
pub(crate) struct Generator {
    state: u64,
    next_id: u64,
}

const NUMBERS: [&str; 3] = ["id", "a", "b"];
const COLUMNS: [&str; 7] = ["id", "a", "b", "d", "s", "c", "t"];
const WORDS: [&str; 10] = ["apple", "Apple", "apple ", "äpfel", "pear", "PEAR", "zoo", "", "😀", "fig"];

impl Generator {
    pub(crate) fn new(seed: u64) -> Generator {
        Generator { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, next_id: 1 }
    }

    /// The statements that make the table.
    pub(crate) fn table(&mut self) -> Vec<String> {
        let definition = "CREATE TABLE t1 (id BIGINT NOT NULL PRIMARY KEY, a INT, b SMALLINT NOT NULL, \
             d DECIMAL(12,3), s VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, \
             c VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, t DATETIME)";
        let rows: Vec<String> = (0..150).map(|_| self.row()).collect();
        let other = definition.replace("TABLE t1", "TABLE t2");
        let fill = |table: &str, rows: &[String]| format!("INSERT INTO {table} VALUES {}", rows.join(", "));
        vec![definition.to_owned(), fill("t1", &rows), other, fill("t2", &rows[50..100])]
    }

    pub(crate) fn statement(&mut self) -> Statement {
        match self.below(10) {
            0 => self.write(),
            1..=3 => self.aggregate(),
            _ => self.select(),
        }
    }

    fn select(&mut self) -> Statement {
        if self.below(4) == 0 {
            return self.join();
        }
        let columns: Vec<String> = (0..=self.below(3)).map(|_| self.selected()).collect();
        let mut sql = format!("SELECT {} FROM t1{}", columns.join(", "), self.condition_clause());
        let ordered = self.below(2) == 0;
        if ordered {
            let direction = self.one_of(&["", " DESC"]);
            let key = self.one_of(&["1", "(1)", "id", "a", "b", "d", "s", "c", "t", "a + b", "UPPER(s)"]);
            sql.push_str(&format!(" ORDER BY {key}{direction}, t1.id"));
            sql.push_str(&self.limit());
        }
        Statement { sql, ordered }
    }

    /// Joins on the sharding column, and conditions beside it that are not always enough to stay on one node.
    fn join(&mut self) -> Statement {
        let mut from = "t1 x".to_owned();
        let names: &[&str] = if self.below(2) == 0 { &["x", "y"] } else { &["x", "y", "z"] };
        for (index, name) in names.iter().enumerate().skip(1) {
            let kind = self.one_of(&["JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN"]);
            let before = names[self.below(index)];
            let mut on = vec![format!("{before}.id = {name}.id")];
            if self.below(3) == 0 {
                on.push(format!("{before}.id {}", self.key_condition()));
            }
            if self.below(5) == 0 {
                // Says nothing of the new table, or of the others.
                on[0] = format!("{}.id = {}.id", names[self.below(index)], names[self.below(index + 1)]);
            }
            from.push_str(&format!(" {kind} t2 {name} ON {}", on.join(" AND ")));
        }
        let condition = match self.below(4) {
            0 => String::new(),
            1 => format!(" WHERE {}.id IS {}NULL", names[1], self.one_of(&["", "NOT "])),
            _ => format!(" WHERE {}.id {}", names[self.below(names.len())], self.key_condition()),
        };
        let ids: Vec<String> = names.iter().map(|name| format!("{name}.id")).collect();
        let ids = ids.join(", ");
        let sql =
            format!("SELECT {ids}, {}.a, {}.s FROM {from}{condition} ORDER BY {ids}", names[0], names[1]);
        Statement { sql: format!("{sql}{}", self.limit()), ordered: true }
    }

    fn aggregate(&mut self) -> Statement {
        let aggregates: Vec<String> = (0..=self.below(2)).map(|_| self.aggregated()).collect();
        let (list, condition) = (aggregates.join(", "), self.condition_clause());
        // Text is left out: which of its equal spellings stands for a group, or is the least, is not determined.
        let key = self.one_of(&["a", "b", "d", "t", "id"]);
        match self.below(3) {
            0 => Statement { sql: format!("SELECT {list} FROM t1{condition}"), ordered: true },
            1 => Statement {
                sql: format!("SELECT {key}, {list} FROM t1{condition} GROUP BY {key}"),
                ordered: false,
            },
            _ => {
                let limit = self.limit();
                let sql =
                    format!("SELECT {key}, {list} FROM t1{condition} GROUP BY {key} ORDER BY {key}{limit}");
                Statement { sql, ordered: true }
            }
        }
    }

    fn write(&mut self) -> Statement {
        let condition = format!("id {} AND {}", self.key_condition(), self.condition(1));
        let sql = match self.below(4) {
            0 => format!("DELETE FROM t1 WHERE {condition}"),
            1 => format!("UPDATE t1 SET a = {}, s = {} WHERE {condition}", self.number(), self.word()),
            2 => format!("UPDATE t1 SET a = {} WHERE {}", self.below(50), self.condition(1)),
            _ => {
                let rows: Vec<String> = (0..=self.below(4)).map(|_| self.row()).collect();
                format!("INSERT INTO t1 VALUES {}", rows.join(", "))
            }
        };
        Statement { sql, ordered: false }
    }

    fn row(&mut self) -> String {
        let id = self.next_id;
        self.next_id += 1 + self.below(3) as u64;
        let maybe = |null: usize, text: String| if null == 0 { "NULL".to_owned() } else { text };
        let a = maybe(self.below(6), self.below(20).to_string());
        let d = maybe(self.below(6), format!("{}.{:03}", self.below(9), self.below(1000)));
        let (s, c) = (maybe(self.below(6), self.word()), maybe(self.below(6), self.word()));
        let t = maybe(
            self.below(6),
            format!("'2026-{:02}-{:02} 10:00:00'", self.below(12) + 1, self.below(28) + 1),
        );
        format!("({id}, {a}, {}, {d}, {s}, {c}, {t})", self.below(9))
    }

    fn selected(&mut self) -> String {
        match self.below(8) {
            0 => "a + b".to_owned(),
            1 => "UPPER(s)".to_owned(),
            2 => "id AS k".to_owned(),
            3 => "d * 2".to_owned(),
            _ => self.column().to_owned(),
        }
    }

    fn aggregated(&mut self) -> String {
        match self.below(5) {
            0 => "COUNT(*)".to_owned(),
            1 => format!("COUNT({})", self.column()),
            2 => format!("SUM({})", self.one_of(&["id", "a", "b", "d"])),
            3 => format!("MIN({})", self.one_of(&["id", "a", "b", "d", "t"])),
            _ => format!("MAX({})", self.one_of(&["id", "a", "b", "d", "t"])),
        }
    }

    fn condition_clause(&mut self) -> String {
        if self.below(5) == 0 { String::new() } else { format!(" WHERE {}", self.condition(3)) }
    }

    fn condition(&mut self, depth: usize) -> String {
        match self.below(if depth == 0 { 5 } else { 10 }) {
            0 | 1 => format!("id {}", self.key_condition()),
            2 => format!("{} {} {}", self.one_of(&NUMBERS), self.comparison(), self.number()),
            3 => format!("{} {} {}", self.one_of(&["s", "c"]), self.comparison(), self.word()),
            4 => format!("{} IS {}NULL", self.column(), self.one_of(&["", "NOT "])),
            5 => format!("NOT ({})", self.condition(depth - 1)),
            6 => format!("({} OR {})", self.condition(depth - 1), self.condition(depth - 1)),
            7 => format!(
                "({} {} {})",
                self.condition(depth - 1),
                self.one_of(&["XOR", "||"]),
                self.condition(depth - 1)
            ),
            _ => format!("({} AND {})", self.condition(depth - 1), self.condition(depth - 1)),
        }
    }

    /// What follows the sharding column.
    fn key_condition(&mut self) -> String {
        let list = |generator: &mut Generator| -> String {
            let numbers: Vec<String> = (0..=generator.below(4)).map(|_| generator.number()).collect();
            numbers.join(", ")
        };
        match self.below(7) {
            0 | 1 => format!("= {}", self.number()),
            2 => format!("IN ({})", list(self)),
            3 => format!("NOT IN ({})", list(self)),
            4 => format!("BETWEEN {} AND {}", self.number(), self.number()),
            5 => format!("{} {}", self.comparison(), self.number()),
            _ => format!("<=> {}", self.number()),
        }
    }

    /// A number in one of its spellings.
    fn number(&mut self) -> String {
        let number = self.below(320);
        match self.below(16) {
            15 => format!("-'{number}'"),
            14 => format!("0x{number:04x}"),
            13 => format!("' {number} '"),
            12 => format!("'{number}x'"),
            0 => format!("'{number}'"),
            1 => format!("{number}.0"),
            2 => format!("{number}.5"),
            3 => format!("-{number}"),
            4 => "NULL".to_owned(),
            5 => format!("{number}e0"),
            6 => format!("({number} + 1)"),
            _ => number.to_string(),
        }
    }

    fn word(&mut self) -> String {
        format!("'{}'", self.one_of(&WORDS))
    }

    fn comparison(&mut self) -> &'static str {
        self.one_of(&["=", "<>", "<", "<=", ">", ">="])
    }

    fn column(&mut self) -> &'static str {
        self.one_of(&COLUMNS)
    }

    fn limit(&mut self) -> String {
        match self.below(4) {
            0 => format!(" LIMIT {}", self.below(10)),
            1 => format!(" LIMIT {} OFFSET {}", self.below(10), self.below(20)),
            2 => format!(" LIMIT {}, {}", self.below(20), self.below(10)),
            _ => String::new(),
        }
    }

    fn one_of(&mut self, choices: &[&'static str]) -> &'static str {
        choices[self.below(choices.len())]
    }

    /// A number from 0 to `limit - 1`, by xorshift.
    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from((self.state >> 20) % limit as u64).expect("less than a usize")
    }
}
