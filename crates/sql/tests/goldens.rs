//! Scripts of statements and what becomes of them.
//!
//! A line is `> command statement`, with `⏎` for a newline and `␀` for a NUL byte in the statement; the tags `ansi`,
//! `raw` and `concat` set the parts of sql_mode that the lexer knows. `UPDATE_GOLDENFILES=1` writes the answers.

use std::error::Error;
use std::fmt::Write as _;

use serval_sql::{
    Ident, LexOptions, Scan, Span, Statement, TableDefinition, TableName, Template, create_table,
    digest_text, parse, scan, tokens,
};

struct Runner {
    definitions: &'static str,
}

impl goldenscript::Runner for Runner {
    type Command = goldenscript::Command;

    fn run(
        &mut self,
        command: &goldenscript::Command,
        context: &goldenscript::Context,
    ) -> Result<String, Box<dyn Error>> {
        let (name, statement) = command.name.split_once(' ').unwrap_or((&command.name, ""));
        let sql = statement.replace('⏎', "\n").replace('␀', "\0");
        let options = LexOptions {
            ansi_quotes: context.tags.contains("ansi"),
            no_backslash_escapes: context.tags.contains("raw"),
            pipes_as_concat: context.tags.contains("concat"),
            ..LexOptions::default()
        };
        Ok(match name {
            "scan" => scanned(&sql, options),
            "tokens" => tokenised(&sql, options),
            "digest" => digest_text(sql.as_bytes(), options),
            "parse" => parsed(&sql, options),
            "define" => self.defined(statement, options),
            other => return Err(format!("unknown command {other}").into()),
        } + "\n")
    }
}

fn scanned(sql: &str, options: LexOptions) -> String {
    let scan = match scan(sql.as_bytes(), options) {
        Ok(scan) => scan,
        Err(error) => return error.to_string(),
    };
    assert_verbatim(sql, &scan);
    let mut out = format!("{:?}: {}", scan.class, String::from_utf8_lossy(&scan.key).replace('\0', "·"));
    for (number, hole) in scan.holes.iter().enumerate() {
        let _ = write!(out, "\n  {:?} [{}]", hole.kind, hole.span.text(sql));
        for element in scan.list(number) {
            let _ = write!(out, " <{}>", element.text(sql));
        }
    }
    if scan.version_comments {
        out.push_str("\n  has version comments");
    }
    if let Some(next) = scan.next_statement {
        let _ = write!(out, "\n  then [{}]", &sql[next as usize..]);
    }
    out.replace('\n', "⏎").replace("⏎  ", "\n  ")
}

fn assert_verbatim(sql: &str, scan: &Scan) {
    let mut out = Vec::new();
    let edit = (Span::at(0), serval_sql::Replacement::Text(String::new()));
    Template::build(sql.as_bytes(), scan, &[edit]).render(sql.as_bytes(), scan, &|_, _| {}, &mut out);
    assert_eq!(String::from_utf8_lossy(&out), sql[..scan.end as usize]);
}

fn tokenised(sql: &str, options: LexOptions) -> String {
    match tokens(sql.as_bytes(), options) {
        Ok(tokens) => {
            let tokens = tokens.iter().map(|token| format!("{:?}[{}]", token.kind, token.span.text(sql)));
            tokens.collect::<Vec<_>>().join(" ").replace('\n', "⏎")
        }
        Err(error) => error.to_string(),
    }
}

fn parsed(sql: &str, options: LexOptions) -> String {
    match parse(sql, options) {
        Ok(Statement::Dml(parsed)) => {
            let kind = format!("{:?}", parsed.ast);
            format!("Dml {}", kind.split(['(', ' ', '{']).next().unwrap_or_default())
        }
        Ok(Statement::Set(assignments)) => assignments
            .iter()
            .map(|one| spans_as_text(&format!("{one:?}"), sql))
            .collect::<Vec<_>>()
            .join("\n"),
        Ok(Statement::Ddl(ddl)) => {
            let mut out = spans_as_text(&format!("{:?}", ddl.kind), sql);
            for table in &ddl.tables {
                let _ = write!(out, "\n  table {}", name(table, sql));
            }
            for table in &ddl.references {
                let _ = write!(out, "\n  references {}", name(table, sql));
            }
            out
        }
        Ok(other) => spans_as_text(&format!("{other:?}"), sql),
        Err(error) => error.to_mysql().to_string(),
    }
}

fn name(table: &TableName, sql: &str) -> String {
    let part = |ident: &Ident| format!("{} [{}]", ident.value, ident.span.text(sql));
    match &table.schema {
        Some(schema) => format!("{} . {}", part(schema), part(&table.table)),
        None => part(&table.table),
    }
}

/// `Span { start: 4, end: 6 }` says less than the text there.
fn spans_as_text(debug: &str, sql: &str) -> String {
    let mut out = String::new();
    let mut rest = debug;
    while let Some((before, after)) = rest.split_once("Span { start: ") {
        let (numbers, behind) = after.split_once(" }").unwrap_or((after, ""));
        let (start, end) = numbers.split_once(", end: ").unwrap_or_default();
        let span = Span::new(start.parse().unwrap_or_default(), end.parse().unwrap_or_default());
        let _ = write!(out, "{before}[{}]", span.text(sql));
        rest = behind;
    }
    out + rest
}

impl Runner {
    fn defined(&self, wanted: &str, options: LexOptions) -> String {
        for statement in self.definitions.split("\n\n") {
            match create_table::parse(statement, options) {
                Ok(table) if table.name == wanted => return definition(&table),
                Ok(_) => {}
                Err(error) => return error.to_string(),
            }
        }
        "no such table".to_owned()
    }
}

fn definition(table: &TableDefinition) -> String {
    let mut out = format!("{} charset {:?} collation {:?}", table.name, table.charset, table.collation);
    for column in &table.columns {
        let null = if column.nullable { "" } else { " NOT NULL" };
        let default = column.default.as_ref().map(|text| format!(" DEFAULT {text}")).unwrap_or_default();
        let flag = |set: bool, name: &'static str| if set { name } else { "" };
        let _ = write!(
            out,
            "\n  {} {:?}{null}{default}{}{}{}{}",
            column.name,
            column.column_type,
            flag(column.on_update, " ON UPDATE"),
            flag(column.auto_increment, " AUTO_INCREMENT"),
            flag(column.generated, " GENERATED"),
            flag(column.invisible, " INVISIBLE"),
        );
    }
    if !table.primary_key.is_empty() {
        let _ = write!(out, "\n  PRIMARY {:?}", table.primary_key);
    }
    for key in &table.unique_keys {
        let _ = write!(
            out,
            "\n  UNIQUE {} {:?}{}",
            key.name,
            key.columns,
            if key.whole { "" } else { " in part" }
        );
    }
    for key in &table.foreign_keys {
        let _ = write!(
            out,
            "\n  FOREIGN {} {:?} to {:?}.{} {:?}",
            key.name, key.columns, key.schema, key.table, key.referenced
        );
        if (key.on_delete, key.on_update) != Default::default() {
            let _ = write!(out, " on delete {:?} on update {:?}", key.on_delete, key.on_update);
        }
    }
    out
}

fn run(script: &str, definitions: &'static str) -> std::io::Result<()> {
    goldenscript::run(&mut Runner { definitions }, format!("tests/scripts/{script}"))
}

macro_rules! scripts {
    ($($name:ident $(with $definitions:literal)?,)*) => {
        $(#[test]
        fn $name() -> std::io::Result<()> {
            #[allow(unused_mut, unused_assignments, reason = "most scripts need no definitions")]
            let mut definitions = "";
            $(definitions = include_str!(concat!("definitions/", $definitions));)?
            run(stringify!($name), definitions)
        })*
    };
}

scripts! {
    lexing,
    scanning,
    digests,
    set,
    show,
    ddl,
    transactions,
    others,
    definitions_mariadb with "mariadb_10_11.sql",
    definitions_mysql with "mysql_9.sql",
    definitions_by_hand with "by_hand.sql",
}
