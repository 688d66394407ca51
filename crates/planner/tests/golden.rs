//! Golden plans: each statement of `plans/`, `unsupported/`, `gathered/`, and `mysql/` with the plan or the refusal that it gets.
//!
//! `> statement` plans and binds it with its own literals; `parameters=[…]` are not needed, because a plain literal
//! takes the same path. After a change that is meant, regenerate them with `UPDATE_GOLDENFILES=1 cargo test`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serval_catalog::Catalog;
use serval_planner::{
    BindRequest, ClientText, PlanError, PlanRequest, Planner, UserVariables, expand_views, explain, plan_ddl,
};
use serval_sql::{LexOptions, ServerKind, Statement, parse, scan};
use serval_types::Value;

/// Numbers that INSERTs get where the table has a sequence.
const SEQUENCE_START: u64 = 1001;

const MARIADB: ServerKind = ServerKind { mariadb: true, version: 101_100 };
const MYSQL: ServerKind = ServerKind { mariadb: false, version: 90_700 };

/// The instant of every statement.
const NOW: &str = "2026-03-15 12:00:00";

/// `@id` is a number, `@text` one as text, `@latin` has a value that does not tell, others are not set.
#[derive(Debug)]
struct Variables;

impl UserVariables for Variables {
    fn value(&self, name: &str) -> Option<Value> {
        match name {
            "@id" => Some(Value::Int(7)),
            "@text" => Some(Value::Text(b"7".to_vec())),
            "@latin" => None,
            _ => Some(Value::Null),
        }
    }
}

struct Runner {
    catalog: Arc<Catalog>,
    planner: Planner,
}

impl Runner {
    /// With a scratch server or without, over servers of one kind.
    fn new(scratch: &str, servers: ServerKind) -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let read = |name: &str| fs::read_to_string(here.join(name)).unwrap();
        let secret = |_: &serval_catalog::SecretSource| Ok("secret".to_owned());
        let snapshot = [("shop.sql".to_owned(), read("shop.sql"))];
        let loaded =
            serval_catalog::load(&(read("catalog.toml") + scratch), "catalog.toml", &secret, &snapshot);
        let (catalog, _) = loaded.unwrap_or_else(|problems| panic!("{problems:#?}"));
        let views = read("views.sql");
        let views: Vec<(String, String)> = views
            .lines()
            .filter_map(|line| {
                Some((line.split(".`").nth(1)?.split('`').next()?.to_owned(), line.to_owned()))
            })
            .collect();
        let with_views = catalog.with_views("shop", &views, &[], true);
        let totals_nothing = Some(!servers.mariadb);
        let catalog =
            Catalog { servers, totals_nothing, ..with_views.map_or(catalog, |(catalog, _)| catalog) };
        Self { catalog: Arc::new(catalog), planner: Planner::new(1 << 20) }
    }

    fn plan(&self, sql: &str) -> Result<Vec<String>, PlanError> {
        let options = LexOptions::default();
        let schema = Some("shop");
        if let Statement::Ddl(ddl) = parse(sql, options)? {
            return Ok(explain(&plan_ddl(&self.catalog, schema, &ddl, sql, options)?, &self.catalog));
        }
        let scan = scan(sql.as_bytes(), options).unwrap();
        let request = PlanRequest { sql: sql.as_bytes(), scan: &scan, schema, options };
        if let Some(expanded) = expand_views(&self.catalog, &request)? {
            let text = String::from_utf8_lossy(&expanded.sql);
            let request = PlanRequest { sql: &expanded.sql, scan: &expanded.scan, ..request };
            let mut lines = vec![format!("expand_view: {text}")];
            lines.extend(self.bind(&request)?);
            return Ok(lines);
        }
        self.bind(&request)
    }

    fn bind(&self, request: &PlanRequest<'_>) -> Result<Vec<String>, PlanError> {
        let PlanRequest { sql, scan, .. } = *request;
        let plan = self.planner.plan(&self.catalog, request)?;
        let now = Value::Text(NOW.as_bytes().to_vec());
        let values = BindRequest {
            sequence_start: Some(SEQUENCE_START),
            now: Some(&now),
            text: ClientText::Utf8mb4,
            variables: Some(&Variables),
            ..BindRequest::of(sql, scan)
        };
        Ok(explain(&plan.bind(&values)?, &self.catalog))
    }
}

impl goldenscript::Runner for Runner {
    type Command = goldenscript::Command;

    fn run(&mut self, command: &Self::Command, _: &goldenscript::Context) -> Result<String, Box<dyn Error>> {
        let lines = self.plan(&command.name).unwrap_or_else(|error| {
            let error = error.to_mysql();
            vec![format!("{} ({}): {}", error.number, error.sqlstate(), error.message)]
        });
        let lines = lines.iter().map(|line| format!("    {line}"));
        Ok(std::iter::once(command.name.clone()).chain(lines).collect::<Vec<_>>().join("\n"))
    }
}

fn run_all(folder: &str, scratch: &str, servers: ServerKind) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut files: Vec<_> = fs::read_dir(here).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        goldenscript::run(&mut Runner::new(scratch, servers), &file)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}

#[test]
fn plans() {
    run_all("plans", "", MARIADB);
}

#[test]
fn mysql() {
    run_all("mysql", "", MYSQL);
}

#[test]
fn unsupported() {
    run_all("unsupported", "", MARIADB);
}

#[test]
fn gathered() {
    run_all("gathered", "\n[scratch]\nserver = \"managed\"\n", MARIADB);
}
