//! Dumps: what the servers' own tool writes through the proxy is one logical dump, and restores through it.

use std::io::Write as _;
use std::process::{Output, Stdio};

use serval_testkit::Flavour;
use serval_tests::{APP, Client, World};

/// A schema with a table of each kind, and something of everything that is stored beside tables.
const SCHEMA: [&str; 14] = [
    "CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40), data BLOB, KEY by_name (name))",
    "CREATE TABLE orders (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id BIGINT NOT NULL, total DECIMAL(10,2), \
     KEY by_user (user_id), CONSTRAINT of_user FOREIGN KEY (user_id) REFERENCES users (id))",
    "CREATE TABLE events (id BIGINT NOT NULL, created_at DATETIME NOT NULL, what TEXT, PRIMARY KEY (id, created_at))",
    "CREATE TABLE regions (id INT NOT NULL PRIMARY KEY, name VARCHAR(20))",
    "CREATE TABLE audit (id INT NOT NULL PRIMARY KEY, what VARCHAR(20))",
    "CREATE TABLE plain (a INT AUTO_INCREMENT PRIMARY KEY, b TEXT, c DATE NULL, seen INT NOT NULL DEFAULT 0)",
    "CREATE TABLE vacant (a INT)",
    "CREATE VIEW shown AS SELECT a, b FROM plain WHERE a > 1",
    "CREATE VIEW bought AS SELECT u.id, u.name, o.total FROM users u JOIN orders o ON o.user_id = u.id",
    "CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2",
    "CREATE PROCEDURE bump(IN n INT) BEGIN UPDATE plain SET seen = seen + n; UPDATE plain SET seen = seen + 1; END",
    "CREATE TRIGGER shout BEFORE UPDATE ON plain FOR EACH ROW BEGIN SET NEW.b = CONCAT(NEW.b, '!'); END",
    "CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM plain WHERE a > 1000",
    "INSERT INTO plain (b, c) VALUES ('it''s; a \\\\ \"test\"', '2026-01-31'), (NULL, NULL), ('Zoë 😀', NULL)",
];

const TABLES: [&str; 7] = ["users", "orders", "events", "regions", "audit", "plain", "vacant"];

async fn fill(client: &mut Client) {
    for sql in SCHEMA {
        client.must(sql).await;
    }
    for id in 1..=60 {
        client
            .must(&format!("INSERT INTO users (name, data) VALUES ('user {id}', x'00ff27{id:02x}5c')"))
            .await;
        client.must(&format!("INSERT INTO orders (user_id, total) VALUES ({id}, {id}.50)")).await;
        let month = id % 12 + 1;
        client.must(&format!("INSERT INTO events VALUES ({id}, '2026-{month:02}-03 04:05:06', 'é')")).await;
    }
    client.must("INSERT INTO regions VALUES (1, 'north'), (2, 'south')").await;
    client.must("INSERT INTO audit VALUES (1, 'x'), (2, NULL)").await;
}

/// Everything that a client can see of the schema.
async fn contents(client: &mut Client) -> Vec<String> {
    let mut all = Vec::new();
    for table in TABLES {
        let mut rows = client.run(&format!("SELECT * FROM {table}")).await.rows().to_vec();
        rows.sort();
        all.push(format!("{rows:?}"));
        all.push(format!("{:?}", client.run(&format!("SHOW CREATE TABLE {table}")).await.rows()));
    }
    all
}

/// What is stored beside tables.
async fn stored(client: &mut Client) -> Vec<String> {
    let mut all = vec![format!("{:?}", client.run("SELECT * FROM shown ORDER BY 1").await.rows())];
    for what in
        ["VIEW shown", "VIEW bought", "FUNCTION twice", "PROCEDURE bump", "TRIGGER shout", "EVENT tidy"]
    {
        let answer = client.run(&format!("SHOW CREATE {what}")).await;
        let text = answer.rows()[0].iter().find(|cell| cell.starts_with("CREATE ")).cloned();
        all.push(text.unwrap_or_else(|| panic!("{what}: {answer:?}")));
    }
    all
}

async fn run(world: &World, dumps: bool, options: &[&str], input: Vec<u8>) -> Output {
    let flavour = Flavour::from_env();
    let mut command = if dumps { flavour.dump() } else { flavour.client() }.expect("the program");
    command.args(["--no-defaults", "--protocol=TCP", "--host=127.0.0.1", "--default-character-set=utf8mb4"]);
    command.args([
        format!("--port={}", world.serval.ports().mysql()),
        format!("--user={}", APP.0),
        format!("--password={}", APP.1),
    ]);
    if dumps && flavour.is_mysql() {
        command.args(["--set-gtid-purged=OFF", "--column-statistics=0"]);
    }
    command.args(options).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = move || {
        let mut child = command.spawn().expect("the program starts");
        let mut stdin = child.stdin.take().expect("its input");
        let feed = std::thread::spawn(move || {
            // A program that does not read its input to the end has said why.
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().expect("its output");
        feed.join().expect("the input");
        output
    };
    tokio::task::spawn_blocking(run).await.expect("the program ends")
}

fn complaints(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    text.lines().filter(|line| !line.contains("insecure")).collect::<Vec<_>>().join("\n")
}

pub(crate) async fn dump(world: &World, options: &[&str]) -> Vec<u8> {
    let output = run(world, true, options, Vec::new()).await;
    assert!(
        output.status.success() && complaints(&output).is_empty(),
        "{options:?}: {}",
        complaints(&output)
    );
    let text = String::from_utf8_lossy(&output.stdout);
    for node in 0..4 {
        assert!(!text.contains(&format!("{}_{node}", world.schema)), "a physical database in {options:?}");
    }
    assert!(!text.contains("events_2026") && !text.contains("serval_"), "a physical table in {options:?}");
    output.stdout
}

pub(crate) async fn restore(world: &World, dump: Vec<u8>) {
    let output = run(world, false, &[&world.schema], dump).await;
    assert!(output.status.success() && complaints(&output).is_empty(), "{}", complaints(&output));
}

async fn empty(client: &mut Client, beside: bool) {
    if beside {
        for what in
            ["VIEW shown", "VIEW bought", "FUNCTION twice", "PROCEDURE bump", "TRIGGER shout", "EVENT tidy"]
        {
            client.must(&format!("DROP {what}")).await;
        }
    }
    for table in ["orders", "users", "events", "regions", "audit", "plain", "vacant"] {
        client.must(&format!("DROP TABLE {table}")).await;
    }
}

#[tokio::test]
async fn a_dump_restores_through_the_proxy() {
    let world = World::new("dump_all").await;
    let mut client = world.client().await;
    fill(&mut client).await;
    let (before, beside) = (contents(&mut client).await, stored(&mut client).await);
    let schema = world.schema.clone();
    let options = ["--single-transaction", "--routines", "--triggers", "--events", &schema];
    let whole = dump(&world, &options).await;
    empty(&mut client, true).await;
    restore(&world, whole).await;
    assert_eq!(contents(&mut client).await, before);
    assert_eq!(stored(&mut client).await, beside);
    // Numbers go on behind those that the dump brought.
    client.must("INSERT INTO users (name) VALUES ('new')").await;
    let id: u64 = client.value("SELECT MAX(id) FROM users").await.parse().expect("a number");
    assert!(id > 60, "{id}");
    // Restored over what is there: the dump drops it first.
    let again = dump(&world, &["--single-transaction", "--databases", &schema]).await;
    let rows = contents(&mut client).await;
    restore(&world, again).await;
    assert_eq!(contents(&mut client).await, rows);
}

#[tokio::test]
async fn a_dump_under_locks_has_the_same_rows() {
    let world = World::new("dump_locks").await;
    let mut client = world.client().await;
    fill(&mut client).await;
    let before = contents(&mut client).await;
    let schema = world.schema.clone();
    let locked = dump(&world, &["--skip-triggers", &schema]).await;
    client.must("DROP TRIGGER shout").await;
    client.must("DROP VIEW shown").await;
    client.must("DROP VIEW bought").await;
    empty(&mut client, false).await;
    restore(&world, locked).await;
    assert_eq!(contents(&mut client).await, before);
    assert_eq!(client.value("SELECT COUNT(*) FROM bought").await, "60");
    assert_eq!(client.value("SELECT total FROM bought WHERE id = 7").await, "7.50");
}

#[tokio::test]
async fn definitions_alone_make_empty_tables() {
    let world = World::new("dump_no_data").await;
    let mut client = world.client().await;
    fill(&mut client).await;
    let schema = world.schema.clone();
    let definitions = dump(&world, &["--single-transaction", "--no-data", &schema]).await;
    assert!(!String::from_utf8_lossy(&definitions).contains("INSERT INTO `users`"));
    restore(&world, definitions).await;
    for table in TABLES {
        assert_eq!(client.value(&format!("SELECT COUNT(*) FROM {table}")).await, "0", "{table}");
    }
    client.must("INSERT INTO users (name) VALUES ('first')").await;
    // One table by name.
    let one = dump(&world, &["--single-transaction", &schema, "users"]).await;
    assert!(String::from_utf8_lossy(&one).contains("INSERT INTO `users`"));
}
