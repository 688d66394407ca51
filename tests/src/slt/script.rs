//! Reading a file.

use serval_testkit::Flavour;

/// A statement and what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub line: usize,
    pub connection: String,
    pub expect: Expect,
    pub options: Options,
    pub sql: String,
}

/// The directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    Ok,
    Error(u16),
    Rows { sort: bool },
    Refused,
}

/// The words after a directive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub any_meta: bool,
    pub any_text: bool,
    pub any_id: bool,
    pub any_warnings: bool,
    pub any_info: bool,
    pub only_proxy: bool,
    pub only_oracle: bool,
    /// Not as a prepared statement.
    pub text_only: bool,
    pub only_flavour: Option<Flavour>,
}

/// Takes a file apart; the error names the line.
pub(crate) fn parse(text: &str) -> Result<Vec<Record>, String> {
    let mut reader = Reader { connection: "a".to_owned(), ..Reader::default() };
    // The added line ends a last block that has no blank line after it.
    for (index, line) in text.lines().chain([""]).enumerate() {
        reader.line(index + 1, line).map_err(|error| format!("line {}: {error}", index + 1))?;
    }
    Ok(reader.records)
}

#[derive(Default)]
struct Reader {
    records: Vec<Record>,
    connection: String,
    /// Set inside a block.
    directive: Option<(Expect, Options)>,
    /// The lines of an unfinished statement.
    sql: String,
    begins: usize,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        match self.directive {
            None if line.trim().is_empty() || line.starts_with('#') => Ok(()),
            None => self.outside(line),
            Some(_) if line.trim().is_empty() && !self.sql.is_empty() => {
                Err("a statement without ;".to_owned())
            }
            Some(_) if line.trim().is_empty() => {
                self.directive = None;
                Ok(())
            }
            Some((expect, options)) => {
                self.inside(number, line, expect, options);
                Ok(())
            }
        }
    }

    fn outside(&mut self, line: &str) -> Result<(), String> {
        match line.strip_prefix("connection ") {
            Some(name) => name.trim().clone_into(&mut self.connection),
            None => self.directive = Some(parse_directive(line)?),
        }
        Ok(())
    }

    fn inside(&mut self, number: usize, line: &str, expect: Expect, options: Options) {
        if self.sql.is_empty() {
            self.begins = number;
        } else {
            self.sql.push('\n');
        }
        self.sql.push_str(line);
        if let Some(whole) = self.sql.trim_end().strip_suffix(';') {
            let (connection, sql) = (self.connection.clone(), whole.to_owned());
            self.records.push(Record { line: self.begins, connection, expect, options, sql });
            self.sql.clear();
        }
    }
}

fn parse_directive(line: &str) -> Result<(Expect, Options), String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (expect, rest) = match words.as_slice() {
        ["statement", "ok", rest @ ..] => (Expect::Ok, rest),
        ["statement", "error", number, rest @ ..] => {
            (Expect::Error(number.parse().map_err(|_| format!("{number} is no error number"))?), rest)
        }
        ["query", "rowsort", rest @ ..] => (Expect::Rows { sort: true }, rest),
        ["query", rest @ ..] => (Expect::Rows { sort: false }, rest),
        ["refused", rest @ ..] => (Expect::Refused, rest),
        _ => return Err(format!("unknown directive {line:?}")),
    };
    let mut options = Options::default();
    for word in rest {
        match *word {
            "anymeta" => options.any_meta = true,
            "anytext" => options.any_text = true,
            "anyid" => options.any_id = true,
            "anywarnings" => options.any_warnings = true,
            "anyinfo" => options.any_info = true,
            "onlyproxy" => options.only_proxy = true,
            "onlyoracle" => options.only_oracle = true,
            "textonly" => options.text_only = true,
            "onlymariadb" => options.only_flavour = Some(Flavour::MariaDb),
            "onlymysql" => options.only_flavour = Some(Flavour::MySql97),
            other => return Err(format!("unknown word {other:?}")),
        }
    }
    Ok((expect, options))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_blocks_and_connections() {
        let text = "# comment\nstatement ok anyid\nINSERT INTO t\nVALUES (';');\nDELETE FROM t;\n\n\
                    connection b\nquery rowsort\nSELECT 1;\n";
        let records = parse(text).expect("well formed");
        let sql: Vec<&str> = records.iter().map(|record| record.sql.as_str()).collect();
        assert_eq!(sql, ["INSERT INTO t\nVALUES (';')", "DELETE FROM t", "SELECT 1"]);
        assert_eq!((records[0].line, records[2].line), (3, 9));
        assert!(records[0].options.any_id);
        assert_eq!((records[1].connection.as_str(), records[2].connection.as_str()), ("a", "b"));
        assert_eq!(records[2].expect, Expect::Rows { sort: true });
    }

    #[test]
    fn names_the_line_of_a_mistake() {
        assert_eq!(parse("\nquerry\n").unwrap_err(), "line 2: unknown directive \"querry\"");
        assert_eq!(parse("query\nSELECT 1\n").unwrap_err(), "line 3: a statement without ;");
    }
}
