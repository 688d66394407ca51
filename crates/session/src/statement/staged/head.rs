//! What stands before the query of a CREATE TABLE … SELECT.

use serval_sql::{Ddl, LexOptions};

use super::clauses::Clauses;

/// Columns and options of a table to be made, and what becomes of rows that meet others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The columns and keys in their parentheses; empty where there are none.
    pub(super) columns: String,
    /// The options behind them, but for partitions.
    pub(super) options: String,
    /// PARTITION BY and what follows it.
    partitions: String,
    /// Whether the options name a character set or a collation.
    pub(super) has_charset: bool,
    has_engine: bool,
    pub(super) modifier: Modifier,
}

/// What becomes of rows that have the keys of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Modifier {
    /// An error.
    None,
    /// IGNORE.
    Ignore,
    /// REPLACE.
    Replace,
}

impl Modifier {
    /// The statement that inserts the rows.
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::None => "INSERT",
            Self::Ignore => "INSERT IGNORE",
            Self::Replace => "REPLACE",
        }
    }
}

impl Head {
    /// The head of a statement.
    pub(super) fn of(text: &str, ddl: &Ddl, options: LexOptions) -> Option<Self> {
        let (name, query) = (ddl.tables.first()?, ddl.query?);
        let head = text.get(name.span().end as usize..query.start as usize)?;
        let clauses = Clauses::of(head.as_bytes(), options)?;
        let mut end = clauses.tokens.len();
        let mut modifier = Modifier::None;
        while end > 0 {
            match () {
                () if clauses.is_word(end - 1, &["AS"]) => {}
                () if clauses.is_word(end - 1, &["IGNORE"]) => modifier = Modifier::Ignore,
                () if clauses.is_word(end - 1, &["REPLACE"]) => modifier = Modifier::Replace,
                () => break,
            }
            end -= 1;
        }
        let part = |from: usize, to: usize| String::from_utf8_lossy(clauses.text(from, to)).into_owned();
        let columns = if clauses.is_symbol(0, b'(') { clauses.closing(0)? + 1 } else { 0 };
        let partitions = clauses.find(columns, &["PARTITION"]).min(end);
        let named =
            |words: &[&str]| clauses.outside(columns).any(|at| at < partitions && clauses.is_word(at, words));
        Some(Self {
            columns: part(0, columns),
            options: part(columns, partitions),
            partitions: part(partitions, end),
            has_charset: named(&["CHARSET", "CHARACTER", "COLLATE"]),
            has_engine: named(&["ENGINE", "TYPE"]),
            modifier,
        })
    }

    /// The definition of the table from that of a temporary one: what such a one cannot have comes to it, and what it
    /// has only because it is one goes.
    pub(super) fn finished(&self, body: &str) -> String {
        let mut body = without_generated_names(body);
        if !self.has_engine
            && let Some(at) = body.rfind("\n)").and_then(|end| Some(end + body[end..].find(" ENGINE=")?))
        {
            let behind = at + " ENGINE=".len();
            let end = body[behind..].find(' ').map_or(body.len(), |length| behind + length);
            body.replace_range(at..end, "");
        }
        if !self.partitions.is_empty() {
            body.push('\n');
            body.push_str(&self.partitions);
        }
        body
    }
}

/// CHECKs without a name have got one from the temporary table's.
fn without_generated_names(body: &str) -> String {
    let lines = body.lines().map(|line| {
        let Some(named) = line.trim_start().strip_prefix("CONSTRAINT ") else { return line.to_owned() };
        let generated = named.get(1..).is_some_and(|name| name.starts_with("serval_created_chk_"));
        match named.find(" CHECK ").filter(|_| generated) {
            Some(at) => format!(" {}", &named[at..]),
            None => line.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serval_sql::Statement;

    use super::*;

    fn head(sql: &str) -> Head {
        let Ok(Statement::Ddl(ddl)) = serval_sql::parse(sql, LexOptions::default()) else { panic!("{sql}") };
        Head::of(sql, &ddl, LexOptions::default()).expect(sql)
    }

    #[test]
    fn its_parts_are_told_apart() {
        let found =
            head("CREATE TABLE t (a INT, KEY (a)) ENGINE=InnoDB PARTITION BY HASH (a) IGNORE AS SELECT 1");
        assert_eq!(found.columns, "(a INT, KEY (a))");
        assert_eq!(found.options, "ENGINE=InnoDB");
        assert_eq!(found.partitions, "PARTITION BY HASH (a)");
        assert_eq!((found.modifier, found.has_engine, found.has_charset), (Modifier::Ignore, true, false));
        let found = head("CREATE TABLE t COLLATE utf8mb4_bin REPLACE (SELECT 1)");
        assert_eq!((&*found.columns, &*found.options), ("", "COLLATE utf8mb4_bin"));
        assert_eq!((found.modifier, found.has_charset), (Modifier::Replace, true));
    }

    #[test]
    fn the_temporary_table_leaves_no_trace() {
        let body = "(\n  `a` int COMMENT ' ENGINE=x',\n  CONSTRAINT `serval_created_chk_1` CHECK (`a` > 1)\n) ENGINE=InnoDB \
                    DEFAULT CHARSET=utf8mb4";
        let found = head("CREATE TABLE t (a INT CHECK (a > 1)) PARTITION BY HASH (a) SELECT 1 AS a");
        assert_eq!(
            found.finished(body),
            "(\n  `a` int COMMENT ' ENGINE=x',\n  CHECK (`a` > 1)\n) DEFAULT CHARSET=utf8mb4\nPARTITION BY HASH (a)"
        );
    }
}
