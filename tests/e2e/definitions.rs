//! Definitions on many nodes: half done and finished, waited for, seen by other proxies, compared.

use std::time::{Duration, Instant};

use serval_testkit::{Cluster, ServalProcess};
use serval_tests::{
    ADMIN, APP, Client, Limits, Topology, World, eventually, make_databases, on_node, own_cluster,
};

/// What a column of `t1` is on each of the four nodes, or nothing.
async fn columns(world: &World, column: &str) -> Vec<Vec<String>> {
    let sql = format!(
        "SELECT COLUMN_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '$db' AND TABLE_NAME = 't1' AND \
         COLUMN_NAME = '{column}'"
    );
    let mut found = Vec::new();
    for node in 0..4 {
        found.push(world.on_node(node, &sql).await);
    }
    found
}

/// Runs a statement on a data node's own database, past the proxy.
async fn past(world: &World, node: usize, sql: &str) {
    let sql = sql.replace("$db", &format!("{}_{node}", world.schema));
    world.shared.cluster.group(node / 2).primary().execute(&sql).await.expect("a statement on a data node");
}

#[tokio::test]
async fn a_sharding_column_that_servers_change_is_left_alone() {
    let world = World::new("ddl_on_update").await;
    let mut client = world.client().await;
    for node in 0..4 {
        let column = "code DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP";
        past(&world, node, &format!("CREATE TABLE $db.c1 ({column} PRIMARY KEY, v INT)")).await;
    }
    client.must("INSERT INTO c1 VALUES ('2026-01-01', 1), ('2026-01-03', 3)").await;
    let update = "UPDATE c1 SET v = v + 1";
    let replace = "INSERT INTO c1 VALUES ('2026-01-01', 1) ON DUPLICATE KEY UPDATE v = 7";
    for sql in
        [update, "UPDATE c1 SET v = 9 WHERE code = '2026-01-01'", "UPDATE c1 SET v = 9 LIMIT 1", replace]
    {
        assert_eq!(client.run(sql).await.error_number(), 1235, "{sql}");
    }
    client.must("UPDATE c1 SET v = 2, code = '2026-01-02' WHERE code = '2026-01-01'").await;
    assert_eq!(client.value("SELECT v FROM c1 WHERE code = '2026-01-02'").await, "2");
    client.must("ALTER TABLE c1 MODIFY code DATETIME NOT NULL").await;
    client.must(update).await;
    assert_eq!(client.value("SELECT v FROM c1 WHERE code = '2026-01-02'").await, "3");
}

#[tokio::test]
async fn what_failed_half_way_is_finished_by_running_it_again() {
    let world = World::new("ddl_half").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    client.must("INSERT INTO t1 VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)").await;

    past(&world, 1, "ALTER TABLE $db.t1 ADD COLUMN w INT NOT NULL DEFAULT 7").await;
    past(&world, 2, "ALTER TABLE $db.t1 ADD COLUMN w INT NOT NULL DEFAULT 7").await;
    client.must("ALTER TABLE t1 ADD COLUMN w INT NOT NULL DEFAULT 7, ALGORITHM=INPLACE, LOCK=NONE").await;
    assert!(columns(&world, "w").await.iter().all(|found| found.len() == 1));
    assert_eq!(client.value("SELECT SUM(w) FROM t1").await, "35");
    assert_eq!(client.run("ALTER TABLE t1 ADD COLUMN w INT NOT NULL DEFAULT 7").await.error_number(), 1060);

    past(&world, 3, "CREATE INDEX by_v ON $db.t1 (v)").await;
    client.must("CREATE INDEX by_v ON t1 (v)").await;
    past(&world, 0, "DROP INDEX by_v ON $db.t1").await;
    client.must("DROP INDEX by_v ON t1").await;
    past(&world, 0, "RENAME TABLE $db.t1 TO $db.t2").await;
    client.must("RENAME TABLE t1 TO t2").await;
    assert_eq!(client.value("SELECT COUNT(*) FROM t2").await, "5");
    past(&world, 2, "DROP TABLE $db.t2").await;
    client.must("DROP TABLE t2").await;
    past(&world, 2, "CREATE TABLE $db.t3 (id INT NOT NULL PRIMARY KEY)").await;
    client.must("CREATE TABLE t3 (id INT NOT NULL PRIMARY KEY)").await;

    // What is there under the name but is something else stays an error that names the node.
    past(&world, 2, "CREATE TABLE $db.t4 (id BIGINT NOT NULL PRIMARY KEY)").await;
    let answer = client.run("CREATE TABLE t4 (id INT NOT NULL PRIMARY KEY)").await;
    assert_eq!(answer.error_number(), 1050);
    for part in ["Failed on 1 of 4", "dn2: ", "done on: dn0, dn1, dn3"] {
        assert!(answer.message().contains(part), "{answer:?}");
    }
}

#[tokio::test]
async fn a_table_in_use_is_named_and_nothing_hangs() {
    let world = World::new("ddl_in_use").await;
    let (mut client, mut other) = (world.client().await, world.client().await);
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    let holder = world.shared.cluster.group(1).primary();
    let mut holder = Client::connect("holder", holder.backend_options()).await;
    holder.must("BEGIN").await;
    holder.must(&format!("SELECT * FROM {}_2.t1", world.schema)).await;

    other.must("SET lock_wait_timeout = 4").await;
    let altering = tokio::spawn(async move {
        let began = Instant::now();
        let answer = other.run("ALTER TABLE t1 ADD COLUMN w INT").await;
        (answer, began.elapsed())
    });
    // The others go on meanwhile, and anybody can see how far it is.
    let mut admin = world.admin().await;
    eventually("half of it is done", Duration::from_secs(3), || async {
        let mut admin = world.admin().await;
        let rows = admin.rows("show @@ddl").await;
        rows.first().is_some_and(|row| row[4] == "4" && row[5] == "2")
    })
    .await;
    let list = client.rows("SHOW PROCESSLIST").await;
    assert!(
        list.iter().any(|row| row[6] == "definition: 2 of 4 tables done"),
        "the list says how far it is: {list:?}"
    );
    let (answer, waited) = altering.await.expect("an answer");
    assert_eq!(answer.error_number(), 1205, "{answer:?}");
    for part in ["dn2: ", "done on: dn0, dn1, dn3", "again"] {
        assert!(answer.message().contains(part), "{answer:?}");
    }
    assert!(waited < Duration::from_secs(12), "{waited:?}");
    assert_eq!(admin.rows("show @@ddl").await, Vec::<Vec<String>>::new());

    holder.must("COMMIT").await;
    client.must("ALTER TABLE t1 ADD COLUMN w INT").await;
    client.must("INSERT INTO t1 VALUES (1, 2, 3), (2, 2, 3), (3, 2, 3)").await;
    assert!(columns(&world, "w").await.iter().all(|found| found.len() == 1));
}

async fn connect(serval: &ServalProcess, schema: &str) -> Client {
    Client::connect("proxy", serval.client_options(APP.0, APP.1, Some(schema))).await
}

async fn both(cluster: &Cluster, topology: &Topology) -> (ServalProcess, ServalProcess) {
    let one = ServalProcess::start(|ports| topology.toml(cluster, ports)).await.expect("the proxy starts");
    let two = ServalProcess::start(|ports| topology.toml(cluster, ports)).await.expect("another starts");
    (one, two)
}

#[tokio::test]
async fn a_server_lost_in_the_middle_is_named_and_the_rest_is_done_later() {
    let limits = Limits { query_timeout: "6s", ..Limits::default() };
    let topology = Topology { limits, ..Topology::new("ddl_lost") };
    let cluster = own_cluster().await;
    make_databases(&cluster, &topology.schema).await;
    let serval =
        ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("the proxy starts");
    let mut client = connect(&serval, &topology.schema).await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    let rows: Vec<String> = (1..=40).map(|id| format!("({id}, {id})")).collect();
    client.must(&format!("INSERT INTO t1 VALUES {}", rows.join(", "))).await;

    // Killed while it waits for a lock of somebody: the statement is under way everywhere.
    let mut holder = Client::connect("holder", cluster.group(1).primary().backend_options()).await;
    holder.must("BEGIN").await;
    holder.must(&format!("SELECT * FROM {}_2.t1", topology.schema)).await;
    let mut altering = connect(&serval, &topology.schema).await;
    let altering =
        tokio::spawn(async move { altering.run("ALTER TABLE t1 ADD COLUMN w INT NOT NULL DEFAULT 1").await });
    tokio::time::sleep(Duration::from_millis(700)).await;
    cluster.group(1).primary().kill().await.expect("kill");
    let answer = altering.await.expect("an answer");
    assert_eq!(answer.error_number(), 1429, "{answer:?}");
    for part in ["Failed on 2 of 4 nodes", "dn2: ", "dn3: ", "done on: dn0, dn1"] {
        assert!(answer.message().contains(part), "{answer:?}");
    }
    cluster.group(1).primary().start_again().await.expect("start again");
    finish(&mut client, "ALTER TABLE t1 ADD COLUMN w INT NOT NULL DEFAULT 1").await;
    assert_eq!(client.value("SELECT SUM(w) FROM t1").await, "40");

    // One that says nothing any more: query_timeout ends it.
    cluster.group(1).primary().pause().await;
    let began = Instant::now();
    let answer = client.run("ALTER TABLE t1 ADD COLUMN x INT NOT NULL DEFAULT 2").await;
    assert!(matches!(answer.error_number(), 3024 | 1969 | 1429), "{answer:?}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    cluster.group(1).primary().resume().await;
    finish(&mut client, "ALTER TABLE t1 ADD COLUMN x INT NOT NULL DEFAULT 2").await;
    assert_eq!(client.value("SELECT SUM(x) FROM t1").await, "80");
    for node in 0..4 {
        let columns = "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '$db' AND TABLE_NAME = \
                       't1' ORDER BY ORDINAL_POSITION";
        assert_eq!(on_node(&cluster, &topology.schema, node, columns).await, ["id", "v", "w", "x"]);
    }
}

/// Runs it until it succeeds, or until every node says that it has it already.
async fn finish(client: &mut Client, sql: &str) {
    let deadline = Instant::now() + Duration::from_secs(25);
    loop {
        let answer = client.run(sql).await;
        // A server that was silent may have done it after all.
        if matches!(answer.error_number(), 0 | 1060) {
            return;
        }
        assert!(Instant::now() < deadline, "{answer:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn other_proxies_learn_of_definitions() {
    let world = World::new("ddl_proxies").await;
    let topology = Topology::new(&world.schema);
    let (_one, two) = both(&world.shared.cluster, &topology).await;
    let (mut here, mut there) = (world.client().await, connect(&two, &world.schema).await);
    assert_eq!(there.run("INSERT INTO t1 VALUES (1, 1)").await.error_number(), 1146);
    here.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    // At once: the first INSERT that lacks the definition asks for it.
    there.must("INSERT INTO t1 VALUES (1, 1), (2, 2), (3, 3)").await;
    here.must("ALTER TABLE t1 ADD COLUMN w INT").await;
    there.must("INSERT INTO t1 VALUES (4, 4, 4)").await;
    here.must("DROP TABLE t1").await;
    assert_eq!(there.run("INSERT INTO t1 VALUES (5, 5, 5)").await.error_number(), 1146);
    assert_eq!(there.run("INSERT INTO t1 (id) VALUES (6)").await.error_number(), 1146);
    here.must("CREATE TABLE t1 (v INT NOT NULL, id VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, PRIMARY KEY (id))").await;
    // What no error would tell: other types, and columns in another order.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    there.must("INSERT INTO t1 VALUES (1, '1'), (2, '2'), (3, 'three'), (4, 'four')").await;
    for id in ["1", "2", "three", "four"] {
        assert_eq!(here.value(&format!("SELECT COUNT(*) FROM t1 WHERE id = '{id}'")).await, "1", "{id}");
    }
}

#[tokio::test]
async fn differences_are_shown_with_what_repairs_them() {
    let world = World::new("ddl_check").await;
    let (mut client, mut admin) = (world.client().await, world.admin().await);
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT, KEY by_v (v)) COMMENT 'one'").await;
    client.must("CREATE TABLE regions (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(10))").await;
    let check = format!("check @@schema where schema = {}", world.schema);
    assert_eq!(admin.rows(&check).await, Vec::<Vec<String>>::new());
    past(
        &world,
        1,
        "ALTER TABLE $db.t1 MODIFY v BIGINT NOT NULL DEFAULT 4, DROP KEY by_v, ADD COLUMN z INT FIRST",
    )
    .await;
    past(&world, 3, "ALTER TABLE $db.t1 COMMENT 'other', ENGINE=InnoDB").await;
    past(&world, 2, "DROP TABLE $db.regions").await;
    let rows = admin.rows(&check).await;
    let found: Vec<(&str, &str)> = rows.iter().map(|row| (&*row[1], &*row[2])).collect();
    assert_eq!(found.len(), 3, "{rows:?}");
    for wanted in [("t1", "dn1"), ("t1", "dn3"), ("regions", "dn2")] {
        assert!(found.contains(&wanted), "{rows:?}");
    }
    let only = admin.rows(&format!("{check} and table = t1")).await;
    assert_eq!(only.len(), 2);
    for row in &rows {
        let group = if row[2] == "dn1" { 0 } else { 1 };
        let server = world.shared.cluster.group(group).primary();
        server.execute(&row[5]).await.unwrap_or_else(|error| panic!("{}: {error}", row[5]));
    }
    assert_eq!(admin.rows(&check).await, Vec::<Vec<String>>::new());
}

#[tokio::test]
async fn copies_are_compared_and_repaired() {
    let world = World::new("global_repair").await;
    let (mut client, mut admin) = (world.client().await, world.admin().await);
    client
        .must(
            "CREATE TABLE regions (a INT NOT NULL, b VARCHAR(20) NOT NULL, f FLOAT, d DECIMAL(9,3), t TIMESTAMP(3) NULL, \
             x BLOB, e ENUM('p','q'), bits BIT(9), PRIMARY KEY (a, b))",
        )
        .await;
    for start in (0..3000).step_by(500) {
        let rows: Vec<String> = (start..start + 500)
            .map(|n| {
                format!(
                    "({}, 'näme{n}', {n}.1, {n}.125, '2026-03-29 03:00:01.5', x'00ff{:04x}', 'q', {})",
                    n / 7,
                    n,
                    n % 512
                )
            })
            .collect();
        client.must(&format!("INSERT INTO regions VALUES {}", rows.join(", "))).await;
    }
    let check = format!("check @@global where schema = {} and table = regions", world.schema);
    let states = |rows: Vec<Vec<String>>| {
        rows.into_iter().map(|row| (row[2].clone(), row[5].clone())).collect::<Vec<_>>()
    };
    let fine: Vec<(String, String)> = (0..4).map(|node| (format!("dn{node}"), "ok".to_owned())).collect();
    let rows = admin.rows(&check).await;
    assert!(rows.iter().all(|row| row[3] == "3000" && row[4] == rows[0][4]), "{rows:?}");
    assert_eq!(states(rows), fine);

    past(&world, 1, "DELETE FROM $db.regions WHERE a BETWEEN 3 AND 5").await;
    past(&world, 1, "UPDATE $db.regions SET f = f + 1, x = NULL WHERE a = 200").await;
    past(&world, 2, "INSERT INTO $db.regions (a, b) VALUES (-1, 'new'), (99999, 'newer')").await;
    let found = states(admin.rows(&check).await);
    assert_eq!(found[0].1, "ok");
    assert_eq!(found[1].1, "differs in 2 chunks");
    assert_eq!(found[2].1, "differs in 2 chunks");

    let repair = format!("repair @@global where schema = {} and table = regions", world.schema);
    let dry = admin.rows(&format!("{repair} dry run")).await;
    let sum = |rows: &[Vec<String>], node: &str, column: usize| {
        let of_node = rows.iter().filter(|row| row[0] == node);
        of_node.map(|row| row[column].parse::<u32>().expect("a number")).sum::<u32>()
    };
    assert_eq!((sum(&dry, "dn1", 2), sum(&dry, "dn1", 3), sum(&dry, "dn1", 4)), (21, 0, 7), "{dry:?}");
    assert_eq!((sum(&dry, "dn2", 2), sum(&dry, "dn2", 3), sum(&dry, "dn2", 4)), (0, 2, 0), "{dry:?}");
    assert_ne!(states(admin.rows(&check).await), fine, "a dry run changes nothing");
    let done = admin.rows(&repair).await;
    assert!(done.iter().all(|row| row[5] == "done"), "{done:?}");
    assert_eq!(states(admin.rows(&check).await), fine);

    // Two against two: somebody has to say who is right.
    past(&world, 0, "DELETE FROM $db.regions WHERE a = 1").await;
    past(&world, 1, "DELETE FROM $db.regions WHERE a = 1").await;
    let answer = admin.run(&repair).await;
    assert!(answer.message().contains("name the node"), "{answer:?}");
    admin.must(&format!("{repair} from dn3")).await;
    assert_eq!(states(admin.rows(&check).await), fine);
    assert_eq!(client.value("SELECT COUNT(*) FROM regions").await, "3000");
    let mut stranger = Client::connect("console", world.serval.admin_options(ADMIN.0, ADMIN.1)).await;
    let answer =
        stranger.run(&format!("repair @@global where schema = {} and table = users", world.schema)).await;
    assert!(answer.message().contains("not a global table"), "{answer:?}");
}

#[tokio::test]
async fn databases_that_are_missing_are_made() {
    let world = World::new("ddl_database").await;
    let mut client = world.client().await;
    assert_eq!(client.run(&format!("CREATE DATABASE {}", world.schema)).await.error_number(), 1007);
    past(&world, 3, "DROP DATABASE $db").await;
    past(&world, 1, "DROP DATABASE $db").await;
    client.must(&format!("CREATE DATABASE {} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", world.schema)).await;
    let collation =
        "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '$db'";
    assert_eq!(world.on_node(3, collation).await, ["utf8mb4_bin"]);
    client.must(&format!("ALTER DATABASE {} COLLATE utf8mb4_general_ci", world.schema)).await;
    for node in 0..4 {
        assert_eq!(world.on_node(node, collation).await, ["utf8mb4_general_ci"]);
    }
    client.must("CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(9))").await;
    client.must("INSERT INTO users (name) VALUES ('a'), ('b'), ('c'), ('d')").await;
    client.must(&format!("DROP DATABASE {}", world.schema)).await;
    for node in 0..4 {
        let tables = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '$db' AND TABLE_NAME NOT LIKE \
                      'serval%'";
        assert_eq!(world.on_node(node, tables).await, Vec::<String>::new());
    }
    client.must(&format!("CREATE DATABASE {}", world.schema)).await;
    client.must(&format!("USE {}", world.schema)).await;
    assert_eq!(client.run("INSERT INTO users (name) VALUES ('a')").await.error_number(), 1146);
    if let Err(error) = world.shared.cluster.wait_until_replicated().await {
        let log = world.shared.cluster.group(0).replica(0).log();
        panic!("{error}: {}", &log[log.len().saturating_sub(3000)..]);
    }
}

/// Two businesses beside the usual schema: one whole on a node of its own, one sharded by another rule on one group.
const BUSINESSES: &str = r#"
[users.owner]
password = "owner-secret"

[rules.by_account]
function = "mod"
column = "account_id"
nodes = "dn[2-3]"

[schemas.billing]
default_node = "dn2"

[schemas.ledger]
default_node = "dn3"
[schemas.ledger.tables]
accounts = { rule = "by_account", column = "id" }
bookings = { rule = "by_account", unique = "unchecked" }
currencies = { global = "dn[2-3]" }
"#;

#[tokio::test]
async fn each_business_has_its_own_groups_and_rules() {
    let topology = Topology { more: BUSINESSES.to_owned(), ..Topology::new("ddl_business") };
    let world = World::with(topology).await;
    let options = world.serval.client_options("owner", "owner-secret", Some("billing"));
    let mut client = Client::connect("proxy", options).await;
    client.must("CREATE TABLE invoices (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, account INT)").await;
    client.must("INSERT INTO invoices (account) VALUES (1), (2), (3)").await;
    client.must("USE ledger").await;
    client.must("CREATE TABLE accounts (id INT NOT NULL PRIMARY KEY, currency INT)").await;
    client
        .must("CREATE TABLE bookings (account_id INT NOT NULL, amount INT NOT NULL, KEY (account_id))")
        .await;
    client.must("CREATE TABLE currencies (id INT NOT NULL PRIMARY KEY, name VARCHAR(9))").await;
    client.must("CREATE TABLE notes (id INT NOT NULL PRIMARY KEY)").await;
    client.must("INSERT INTO accounts VALUES (1, 1), (2, 1), (3, 2)").await;
    client.must("INSERT INTO bookings VALUES (1, 10), (1, 20), (2, 5), (3, 7)").await;
    client.must("INSERT INTO currencies VALUES (1, 'EUR'), (2, 'USD')").await;
    client.must("INSERT INTO notes VALUES (1)").await;

    assert_eq!(world.on_node(2, "SELECT id FROM $db.invoices ORDER BY id").await, ["1", "2", "3"]);
    assert_eq!(world.on_node(2, "SELECT id FROM $db.accounts ORDER BY id").await, ["2"]);
    assert_eq!(world.on_node(3, "SELECT id FROM $db.accounts ORDER BY id").await, ["1", "3"]);
    assert_eq!(world.on_node(3, "SELECT id FROM $db.notes").await, ["1"]);
    let tables = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '$db' AND TABLE_NAME NOT LIKE \
                  'serval%'";
    assert_eq!(world.on_node(0, tables).await, Vec::<String>::new());
    let join = "SELECT a.id, SUM(b.amount), MAX(c.name) FROM accounts a JOIN bookings b ON b.account_id = a.id JOIN \
                currencies c ON c.id = a.currency GROUP BY a.id ORDER BY a.id";
    assert_eq!(client.rows(join).await, [["1", "30", "EUR"], ["2", "5", "EUR"], ["3", "7", "USD"]]);
    // Two schemas in one statement, where the rows lie together.
    let across =
        "SELECT i.id FROM billing.invoices i JOIN ledger.accounts a ON a.id = i.account WHERE a.id = 2";
    assert_eq!(client.value(across).await, "2");
    // Both are kept in the same physical database, so neither goes with the other.
    assert_eq!(client.run("DROP DATABASE billing").await.error_number(), 1235);
    let mut other = world.client().await;
    assert_eq!(other.run("SELECT * FROM ledger.accounts").await.error_number(), 1044);
}
