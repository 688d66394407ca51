//! Running a file.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use mysql_async::OptsBuilder;
use serval_testkit::Flavour;

use crate::answer::{Answer, Client};
use crate::slt::difference;
use crate::slt::script::{self, Record};
use crate::world::{World, shared};

/// All differences that a file showed.
#[derive(Debug, Default)]
pub struct Report {
    file: String,
    statements: usize,
    differences: Vec<String>,
}

impl Report {
    /// Whether there is no difference.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.differences.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} of {} statements of {} differ", self.differences.len(), self.statements, self.file)?;
        self.differences.iter().try_for_each(|difference| writeln!(f, "\n{difference}"))
    }
}

/// Runs a file of `tests/slt` in a world.
///
/// # Panics
/// If the file cannot be read or is not well formed.
pub async fn run(world: &World, file: &str) -> Report {
    let oracle = world.shared.oracle.group(0).primary().backend_options().db_name(Some(&world.schema));
    run_between(file, &world.schema, world.client_options(), oracle, Mode { real: true, prepares: false })
        .await
}

/// Runs a file of `tests/slt` in a world, every statement as a prepared one on both sides.
///
/// # Panics
/// If the file cannot be read or is not well formed.
pub async fn run_prepared(world: &World, file: &str) -> Report {
    let oracle = world.shared.oracle.group(0).primary().backend_options().db_name(Some(&world.schema));
    run_between(file, &world.schema, world.client_options(), oracle, Mode { real: true, prepares: true })
        .await
}

/// Runs a file with a second database on the oracle in the proxy's place. Differences then show a file whose answers
/// are not determined, before it is blamed on the proxy. Refusals and one-sided statements are left out.
///
/// # Panics
/// If the file cannot be read or is not well formed.
pub async fn run_on_oracles(file: &str, schema: &str) -> Report {
    let oracles = [shared().await.oracle.group(0).primary(), shared().await.cluster.group(0).primary()];
    for server in oracles {
        server.execute(&format!("CREATE DATABASE {schema}")).await.expect("a database");
    }
    let [left, right] = oracles.map(|server| server.backend_options().db_name(Some(schema)));
    run_between(file, schema, left, right, Mode { real: false, prepares: false }).await
}

/// How a file is run.
#[derive(Clone, Copy)]
struct Mode {
    /// One side is the proxy.
    real: bool,
    /// Statements are prepared.
    prepares: bool,
}

async fn run_between(
    file: &str,
    schema: &str,
    proxy: OptsBuilder,
    oracle: OptsBuilder,
    mode: Mode,
) -> Report {
    let Mode { real, prepares } = mode;
    let mut report = Report { file: file.to_owned(), ..Report::default() };
    let mut pairs = Pairs { proxy, oracle, prepares, open: HashMap::new() };
    for mut record in records(file) {
        let unwanted = record.options.only_flavour.is_some_and(|flavour| flavour != Flavour::from_env());
        if unwanted || (!real && record.options.only_proxy) || (prepares && record.options.text_only) {
            continue;
        }
        record.sql = record.sql.replace("$schema", schema);
        report.statements += 1;
        let (proxy, oracle) = pairs.pair(&record.connection).await;
        if let Some(difference) = step(&record, proxy, oracle, real).await {
            report.differences.push(format!("{file}:{}: {}\n{difference}", record.line, record.sql));
        }
    }
    report
}

async fn step(record: &Record, proxy: &mut Client, oracle: &mut Client, real: bool) -> Option<String> {
    if record.options.only_proxy {
        let answer = proxy.run(&record.sql).await;
        return difference::unexpected(record.expect, &answer);
    }
    if real && record.options.only_oracle {
        let answer = oracle.run(&record.sql).await;
        return difference::unexpected(record.expect, &answer);
    }
    let (left, right) = (proxy.run(&record.sql).await, oracle.run(&record.sql).await);
    for (client, answer) in [(proxy, &left), (oracle, &right)] {
        if matches!(answer, Answer::Broken(_)) {
            client.reconnect().await;
        }
    }
    if !real && record.expect == script::Expect::Refused {
        return difference::unexpected(record.expect, &right);
    }
    difference::find(record, &left, &right)
}

fn records(file: &str) -> Vec<Record> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("slt").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    script::parse(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The file's connections, opened when first named.
struct Pairs {
    proxy: OptsBuilder,
    oracle: OptsBuilder,
    prepares: bool,
    open: HashMap<String, (Client, Client)>,
}

impl Pairs {
    async fn pair(&mut self, name: &str) -> (&mut Client, &mut Client) {
        if !self.open.contains_key(name) {
            let proxy = Client::connect("proxy", self.proxy.clone()).await;
            let oracle = Client::connect("oracle", self.oracle.clone()).await;
            let pair = match self.prepares {
                true => (proxy.preparing(), oracle.preparing()),
                false => (proxy, oracle),
            };
            self.open.insert(name.to_owned(), pair);
        }
        let (proxy, oracle) = self.open.get_mut(name).expect("just opened");
        (proxy, oracle)
    }
}
