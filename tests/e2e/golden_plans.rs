//! The statements of the planner's golden plans, through the proxy and on one plain server.
//!
//! A golden says what a plan looks like; here it is shown that its answer is right. Writes run in transactions that are rolled
//! back. Left out are definitions and hints, which have tests of their own, and what has parameters.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serval_testkit::{Cluster, Flavour, ServalPorts, ServalProcess};
use serval_tests::{ADMIN, APP, Answer, Client, make_databases, shared};

/// Of the databases of the data nodes.
const PHYSICAL: &str = "golden_plans";

/// The schema of the goldens' catalog.
const SCHEMA: &str = "shop";

/// Errors that say what Serval does not do.
const REFUSALS: [u16; 3] = [1210, 1235, 1526];

/// What a statement has in it whose answer one server cannot judge, and why.
const NOT_COMPARED: [(&str, &str); 5] = [
    ("TABLE ", "MariaDB does not read MySQL's TABLE, and Serval does"),
    ("GROUP_CONCAT(name) AS g", "it concatenates in no order"),
    ("RAND()", "it is another number each time"),
    (
        "(events.id, shop.events.created_at)",
        "the key of this table is one that the configuration leaves unchecked",
    ),
    ("LIMIT ROWS EXAMINED", "it is refused over several shards (docs/limits.md)"),
];

/// The same of MySQL.
const NOT_COMPARED_ON_MYSQL: [(&str, &str); 1] =
    [("name = VALUES(name)", "each shard warns that VALUES() is deprecated, and one server once")];

const ROWS: &str = "
INSERT INTO regions VALUES (1, 'north'), (2, 'south'), (3, 'east'), (7, NULL);
INSERT INTO vendors VALUES (1, 'acme'), (2, 'Bolt'), (3, NULL);
INSERT INTO settings VALUES ('a', 'x'), ('b', NULL), ('theme', 'dark');
INSERT INTO users VALUES
  (1, 'ann', 'ann@x', 1.50, 0.5, 'new', '2026-01-01 10:00:00', '1990-01-01', 'b1', 1),
  (2, 'Bob', 'bob@x', 2.25, 1.25, 'active', '2026-02-01 10:00:00', '1991-05-01', 'b2', 2),
  (3, 'cid', NULL, -3.00, NULL, 'gone', NULL, NULL, NULL, NULL),
  (4, NULL, 'd@x', 0.00, 0, 'active', '2026-03-01 00:00:00', '1990-01-01', '', 1),
  (5, 'eve', 'eve@x', 99.99, -1.5, 'active', '2026-01-01 10:00:00', '2001-12-31', 'b5', 3),
  (6, 'fay', 'fay@x', 7.00, 2, 'new', NULL, '1985-07-07', 'b6', 2),
  (7, 'a', 'a@x', 10.00, 3.5, 'active', '2026-03-15 12:00:00', '1999-09-09', 'seven', 7),
  (8, 'hal', 'A@x', 5.50, 0.25, 'gone', NULL, '1990-01-01', 'b8', NULL),
  (9, 'ivy', 'i@x', 12.00, 0.5, 'new', '2025-12-31 23:59:59', NULL, 'b9', 1),
  (107, 'zed', 'z@x', 50.00, 8, 'active', NULL, '1970-01-01', 'b107', 9);
INSERT INTO orders (id, user_id, amount, note) VALUES
  (1, 1, 10.00, 'first'), (2, 1, 20.50, NULL), (3, 2, 5.00, 'x'), (4, 7, 700.00, 'a'), (5, 7, 1.25, 'b'), (6, 5, 0.00, ''),
  (7, 7, 70.00, 'seven'), (8, 9, 33.30, 'x'), (9, 107, 12.00, NULL), (10, 4, 10.00, 'first');
INSERT INTO coupons VALUES ('a', 7), ('A', 1), ('b', NULL), ('c', 3), ('x1', 7), ('zz', 2);
INSERT INTO events (id, created_at, user_id, kind) VALUES
  (1, '2026-01-05 00:00:00', 1, 'in'), (2, '2026-02-14 12:30:00', 7, 'out'), (3, '2026-03-01 00:00:00', 7, NULL),
  (4, '2026-03-31 23:59:59', NULL, 'in'), (5, '2026-04-10 08:00:00', 2, 'in'), (6, '2026-02-28 00:00:00', 5, 'x');
INSERT INTO members VALUES (1, 1, 'm11'), (1, 7, 'm17'), (2, 7, NULL), (3, 9, 'm39'), (7, 7, 'm77');
INSERT INTO badges (id, tenant_id, user_id) VALUES (1, 1, 1), (2, 1, 7), (3, 2, 7), (4, 7, 7), (5, 1, 7);
INSERT INTO visits VALUES
  (1, '2026-01-10 10:00:00', 'home'), (7, '2026-02-10 10:00:00', 'cart'), (7, '2026-03-10 10:00:00', NULL), (2, '2026-03-31 23:59:59', 'home');
INSERT INTO shipments (id, user_id, weight) VALUES (1, 1, 10), (2, 7, 20), (3, 2, NULL), (7, 7, 70);
INSERT INTO boxes (id, shipment_id, weight) VALUES (1, 1, 5), (2, 1, 5), (3, 2, 20), (7, 7, NULL);
INSERT INTO seals VALUES (1, 1), (1, 2), (3, 1), (7, 9)";

/// The goldens' catalog, on the shared servers.
fn toml(cluster: &Cluster, ports: &ServalPorts, scratch: &str) -> String {
    let catalog = read("catalog.toml");
    let (_, rest) = catalog.split_once("[nodes]").expect("the nodes of the goldens' catalog");
    let rest = rest.replace("\"shop_[", &format!("\"{PHYSICAL}_["));
    let (user, password) = (cluster.backend_user(), cluster.backend_password());
    let mut text = ports.listen_table();
    let _ = write!(
        text,
        "
[users.{}]
password = \"{}\"
[admin.users.{}]
password = \"{}\"
[defaults.group]
user = \"{user}\"
password = \"{password}\"
[scratch]
server = \"{scratch}\"
user = \"{user}\"
password = \"{password}\"
",
        APP.0, APP.1, ADMIN.0, ADMIN.1,
    );
    for (index, group) in cluster.groups().iter().enumerate() {
        let _ = writeln!(text, "[groups.g{index}]\nprimary = \"{}\"", group.primary().address());
    }
    text + "[nodes]" + &rest
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/planner/tests")
}

fn read(name: &str) -> String {
    let path = folder().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The definitions of the views, as a client makes them.
fn views() -> Vec<String> {
    let text = read("views.sql").replace("`serval_views_shop_0`.", "");
    let made = text.lines().filter_map(|line| {
        let (head, view) = line.split_once(" VIEW ")?;
        let apart = if head.contains("TEMPTABLE") { "ALGORITHM=TEMPTABLE " } else { "" };
        Some(format!("CREATE {apart}VIEW {view}"))
    });
    made.collect()
}

/// The statements of the goldens, each with the name of its file.
fn statements() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mysql = Flavour::from_env().is_mysql().then_some("mysql");
    for kind in ["plans", "gathered"].into_iter().chain(mysql) {
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder().join(kind))
            .expect("the folder of goldens")
            .map(|entry| entry.expect("a file").path())
            .collect();
        files.sort();
        for file in files {
            let name = file.file_name().expect("a name").to_string_lossy().into_owned();
            if matches!(&*name, "hint" | "definition") {
                continue;
            }
            let text = std::fs::read_to_string(&file).expect("a golden");
            let commands = text.lines().filter_map(|line| line.strip_prefix("> "));
            found.extend(commands.map(|sql| (format!("{kind}/{name}"), sql.to_owned())));
        }
    }
    found
}

#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Equal,
    /// LIMIT cuts rows whose order is not total: as many of them.
    AsMany,
    /// Or an error on either side, of which the proxy's says that it would not do it.
    SameError,
    Refused,
    Different,
}

fn compare(sql: &str, proxy: &Answer, oracle: &Answer) -> Fate {
    match (proxy, oracle) {
        (Answer::Rows { rows: ours, .. }, Answer::Rows { rows: theirs, .. }) => {
            let sorted = |rows: &[Vec<String>]| {
                let mut rows = rows.to_vec();
                rows.sort();
                rows
            };
            if sorted(ours) == sorted(theirs) {
                return Fate::Equal;
            }
            if sql.contains("LIMIT") && ours.len() == theirs.len() { Fate::AsMany } else { Fate::Different }
        }
        (
            Answer::Done { affected: ours, info: ours_said, .. },
            Answer::Done { affected: theirs, info, .. },
        ) if ours == theirs && ours_said == info => Fate::Equal,
        (Answer::Refused { number: ours, .. }, Answer::Refused { number: theirs, .. }) if ours == theirs => {
            Fate::SameError
        }
        (Answer::Refused { number, .. }, _) if REFUSALS.contains(number) => match oracle {
            Answer::Refused { .. } => Fate::SameError,
            _ => Fate::Refused,
        },
        _ => Fate::Different,
    }
}

#[tokio::test]
async fn their_statements_answer_as_one_server_does() {
    let shared = shared().await;
    make_databases(&shared.cluster, PHYSICAL).await;
    let server = shared.oracle.group(0).primary();
    server.execute("CREATE DATABASE IF NOT EXISTS serval_scratch").await.expect("the database for gathering");
    server.execute(&format!("CREATE DATABASE {SCHEMA}")).await.expect("the oracle's database");
    let scratch = server.address();
    let serval = ServalProcess::start(|ports| toml(&shared.cluster, ports, &scratch)).await;
    let serval = serval.expect("the proxy starts");
    let mut proxy = Client::connect("proxy", serval.client_options(APP.0, APP.1, Some(SCHEMA))).await;
    let mut oracle = Client::connect("oracle", server.backend_options().db_name(Some(SCHEMA))).await;
    // Such a sharding column is refused where it is made, and known of a table that is there.
    let tables = read("shop.sql").replace(" ON UPDATE CURRENT_TIMESTAMP", "");
    let tables = tables.split(";\n").chain(ROWS.split(";\n")).map(str::to_owned);
    let settings = ["SET @id = 7", "SET @text = '7'"].map(str::to_owned);
    for sql in tables.chain(views()).chain(settings).filter(|sql| !sql.trim().is_empty()) {
        proxy.must(&sql).await;
        oracle.must(&sql).await;
    }
    let mut not_compared = NOT_COMPARED.to_vec();
    if Flavour::from_env() != Flavour::MariaDb {
        not_compared.extend(NOT_COMPARED_ON_MYSQL);
    }
    let mut counts = [0_usize; 4];
    let mut report = String::new();
    for (file, sql) in statements() {
        let first =
            sql.trim_start_matches('(').split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        let reads = matches!(&*first, "SELECT" | "WITH" | "TABLE" | "VALUES");
        let writes = matches!(&*first, "INSERT" | "REPLACE" | "UPDATE" | "DELETE");
        let left_out = not_compared.iter().any(|(part, _)| sql.contains(part));
        if sql.contains('?') || left_out || !reads && !writes {
            continue;
        }
        for client in [&mut proxy, &mut oracle] {
            client.must("BEGIN").await;
        }
        let (ours, theirs) = (proxy.run(&sql).await, oracle.run(&sql).await);
        for client in [&mut proxy, &mut oracle] {
            client.must("ROLLBACK").await;
        }
        match compare(&sql, &ours, &theirs) {
            Fate::Equal => counts[0] += 1,
            Fate::AsMany => counts[1] += 1,
            Fate::SameError => counts[2] += 1,
            Fate::Refused if writes => counts[3] += 1,
            Fate::Refused | Fate::Different => {
                let _ = writeln!(report, "{file}: {sql}\n  proxy:  {ours:?}\n  oracle: {theirs:?}");
            }
        }
    }
    let [equal, as_many, same_error, refused] = counts;
    println!(
        "{equal} equal, {as_many} as many rows, {same_error} with the same error, {refused} writes refused"
    );
    assert!(report.is_empty(), "{report}");
    assert!(equal > 250, "only {equal} statements answered");
}
