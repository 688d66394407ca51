//! Connections that a session keeps for itself: they are seen, they never leak, and losing one is said once.

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use serval_testkit::ServalProcess;
use serval_tests::{APP, Client, Topology, World, eventually, make_databases, own_cluster, shared};

/// The server's id of the connection that holds a named lock, seen from the server.
async fn holder(world: &World, lock: &str) -> Option<u64> {
    let primary = world.shared.cluster.group(0).primary();
    primary
        .value::<Option<u64>>(&format!("SELECT IS_USED_LOCK('{lock}')"))
        .await
        .expect("an answer")
        .flatten()
}

/// Whether the first group's primary has a connection of this id.
async fn is_alive(world: &World, id: u64) -> bool {
    let sql = format!("SELECT COUNT(*) FROM information_schema.processlist WHERE id = {id}");
    world.shared.cluster.group(0).primary().value::<u64>(&sql).await.expect("an answer") == Some(1)
}

/// How many connections of the proxy's pools are in use.
async fn in_use(world: &World) -> u64 {
    let rows = world.admin().await.rows("show @@datasource").await;
    rows.iter().map(|row| row[9].parse::<u64>().expect("a number")).sum()
}

async fn pinned(client: &mut Client) -> String {
    let id = client.id().to_string();
    let rows = client.rows("SHOW PROCESSLIST").await;
    rows.into_iter().find(|row| row[0] == id).expect("this session")[6].clone()
}

#[tokio::test]
async fn the_reason_is_shown() {
    let world = World::new("pins_shown").await;
    let mut client = world.client().await;
    assert_eq!(pinned(&mut client).await, "");
    client.must("CREATE TEMPORARY TABLE tmp (id INT)").await;
    assert_eq!(pinned(&mut client).await, "pinned: g0 (temporary table)");
    client.must("SELECT GET_LOCK('pins_shown', 0)").await;
    assert_eq!(pinned(&mut client).await, "pinned: g0 (temporary table, named lock)");
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY)").await;
    client.must("LOCK TABLES t1 WRITE").await;
    let state = pinned(&mut client).await;
    assert_eq!(state, "pinned: g0 (temporary table, LOCK TABLES, named lock), g1 (LOCK TABLES)");
    let console = world.admin().await.rows("show @@session").await;
    assert!(console.iter().any(|row| row.contains(&state)), "{console:?}");
    client.must("UNLOCK TABLES").await;
    client.must("DROP TEMPORARY TABLE tmp").await;
    assert_eq!(pinned(&mut client).await, "pinned: g0 (named lock)");
    assert_eq!(client.value("SELECT RELEASE_LOCK('pins_shown')").await, "1");
    assert_eq!(pinned(&mut client).await, "");
    eventually("nothing is kept", Duration::from_secs(5), || async { in_use(&world).await == 0 }).await;
}

#[tokio::test]
async fn a_client_that_leaves_takes_everything_along() {
    let world = World::new("pins_leave").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY)").await;
    for in_transaction in [false, true] {
        let mut client = world.client().await;
        if in_transaction {
            client.must("BEGIN").await;
            client.must("INSERT INTO t1 VALUES (1), (2), (3), (4)").await;
        }
        client.must("CREATE TEMPORARY TABLE tmp (id INT)").await;
        client.must("SELECT GET_LOCK('pins_leave', 0)").await;
        if !in_transaction {
            client.must("LOCK TABLES t1 WRITE").await;
        }
        let id = holder(&world, "pins_leave").await.expect("the lock is held on the first group");
        assert!(is_alive(&world, id).await);
        drop(client);
        eventually("the connection is gone", Duration::from_secs(5), || async {
            !is_alive(&world, id).await
        })
        .await;
        assert_eq!(holder(&world, "pins_leave").await, None);
        eventually("nothing is in use", Duration::from_secs(5), || async { in_use(&world).await == 0 }).await;
        let mut other = world.client().await;
        other.must("SET lock_wait_timeout = 5").await;
        other.must("LOCK TABLES t1 WRITE").await;
        assert_eq!(other.value("SELECT COUNT(*) FROM t1").await, "0");
        other.must("UNLOCK TABLES").await;
        assert_eq!(other.run("SELECT * FROM tmp").await.error_number(), 1146);
    }
}

#[tokio::test]
async fn a_reset_drops_them() {
    let world = World::new("pins_reset").await;
    let mut connection = mysql_async::Conn::new(world.client_options()).await.expect("a connection");
    connection.query_drop("CREATE TEMPORARY TABLE tmp (id INT)").await.expect("a table");
    connection.query_drop("SELECT GET_LOCK('pins_reset', 0)").await.expect("a lock");
    connection.query_drop("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY)").await.expect("a table");
    connection.query_drop("LOCK TABLES t1 WRITE").await.expect("a lock");
    assert!(connection.reset().await.expect("a reset"));
    assert_eq!(holder(&world, "pins_reset").await, None);
    let error = connection.query_drop("SELECT * FROM tmp").await.expect_err("it is gone");
    assert!(matches!(&error, mysql_async::Error::Server(error) if error.code == 1146), "{error}");
    let count: Option<u32> = connection.query_first("SELECT COUNT(*) FROM t1").await.expect("not locked");
    assert_eq!(count, Some(0));
    eventually("nothing is in use", Duration::from_secs(5), || async { in_use(&world).await == 0 }).await;
}

#[tokio::test]
async fn a_reset_leaves_the_numbers_of_a_new_session() {
    let world = World::new("pins_numbers").await;
    let oracle = world.shared.oracle.group(0).primary().backend_options();
    let mut found = Vec::new();
    for options in [world.client_options(), oracle] {
        let mut connection = mysql_async::Conn::new(options).await.expect("a connection");
        let first: Option<u64> = connection.query_first("SELECT FOUND_ROWS()").await.expect("a number");
        connection.query_drop("SELECT 1 UNION SELECT 2 UNION SELECT 3").await.expect("rows");
        assert!(connection.reset().await.expect("a reset"));
        let numbers: Option<(u64, i64, u64)> = connection
            .query_first("SELECT FOUND_ROWS(), ROW_COUNT(), LAST_INSERT_ID()")
            .await
            .expect("numbers");
        found.push((first, numbers));
    }
    assert_eq!(found[0], found[1]);
}

#[tokio::test]
async fn a_lost_connection_is_told_once() {
    let world = World::new("pins_lost").await;
    let mut client = world.client().await;
    client.must("CREATE TEMPORARY TABLE tmp (id INT)").await;
    client.must("INSERT INTO tmp VALUES (1)").await;
    client.must("SELECT GET_LOCK('pins_lost', 0)").await;
    let id = holder(&world, "pins_lost").await.expect("held");
    world.shared.cluster.group(0).primary().execute(&format!("KILL {id}")).await.expect("a kill");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let answer = client.run("SELECT COUNT(*) FROM tmp").await;
    assert_eq!(answer.error_number(), 1429, "{answer:?}");
    assert!(answer.message().contains("named locks, temporary tables"), "{answer:?}");
    assert_eq!(pinned(&mut client).await, "");
    assert_eq!(client.run("SELECT COUNT(*) FROM tmp").await.error_number(), 1146);
    client.must("CREATE TEMPORARY TABLE tmp (id INT)").await;
    assert_eq!(client.value("SELECT COUNT(*) FROM tmp").await, "0");
}

#[tokio::test]
async fn a_part_of_the_locks_is_no_lock() {
    let world = World::new("pins_part").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY)").await;
    client.must("LOCK TABLES t1 WRITE").await;
    client.must("INSERT INTO t1 VALUES (1), (2), (3), (4), (5), (6), (7), (8)").await;
    let primary = world.shared.cluster.group(0).primary();
    let sql = "SELECT id FROM information_schema.processlist WHERE db LIKE 'pins\\_part\\_%'";
    for id in primary.column::<u64>(sql).await.expect("the process list") {
        primary.execute(&format!("KILL {id}")).await.expect("a kill");
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let answer = client.run("SELECT COUNT(*) FROM t1").await;
    assert_eq!(answer.error_number(), 1429, "{answer:?}");
    assert!(answer.message().contains("table locks"), "{answer:?}");
    assert_eq!(pinned(&mut client).await, "", "the other group's lock is given up too");
    assert_eq!(client.value("SELECT COUNT(*) FROM t1").await, "8");
    let mut other = world.client().await;
    other.must("SET lock_wait_timeout = 5").await;
    other.must("LOCK TABLES t1 WRITE").await;
}

#[tokio::test]
async fn a_server_that_restarts_has_forgotten() {
    let topology = Topology::new("pins_restart");
    let cluster = own_cluster().await;
    make_databases(&cluster, &topology.schema).await;
    let serval =
        ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("the proxy starts");
    let options = serval.client_options(APP.0, APP.1, Some(&topology.schema));
    let mut client = Client::connect("proxy", options).await;
    client.must("CREATE TEMPORARY TABLE tmp (id INT)").await;
    cluster.group(0).primary().kill().await.expect("kill");
    cluster.group(0).primary().start_again().await.expect("start again");
    let answer = client.run("INSERT INTO tmp VALUES (1)").await;
    assert_eq!(answer.error_number(), 1429, "{answer:?}");
    assert!(answer.message().contains("temporary tables"), "{answer:?}");
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        match client.run("SELECT * FROM tmp").await.error_number() {
            1146 => break,
            1429 => assert!(Instant::now() < deadline, "the group does not come back"),
            other => panic!("error {other}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn pins_that_use_up_a_pool_make_others_fail_in_time() {
    let shared = shared().await;
    let topology = Topology::new("pins_full");
    make_databases(&shared.cluster, &topology.schema).await;
    let serval = ServalProcess::start(|ports| {
        let text = topology.toml(&shared.cluster, ports);
        let text = text.replace("max_connections = 32", "max_connections = 2");
        text.replace("[limits]", "[limits]\nacquire_timeout = \"1s\"")
    });
    let serval = serval.await.expect("the proxy starts");
    let connect = || Client::connect("proxy", serval.client_options(APP.0, APP.1, Some("pins_full")));
    let mut holders = Vec::new();
    for _ in 0..2 {
        let mut client = connect().await;
        client.must("CREATE TEMPORARY TABLE tmp (id INT)").await;
        holders.push(client);
    }
    let mut other = connect().await;
    let begun = Instant::now();
    let answer = other.run("SELECT * FROM plain").await;
    assert_eq!(answer.error_number(), 1205, "{answer:?}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    for client in &mut holders {
        client.must("INSERT INTO tmp VALUES (1)").await;
    }
    holders.pop();
    eventually("there is room again", Duration::from_secs(5), || async {
        connect().await.run("SELECT * FROM plain").await.error_number() == 1146
    })
    .await;
}

#[tokio::test]
async fn waiting_for_a_named_lock_is_no_waiting_for_a_connection() {
    let shared = shared().await;
    let topology = Topology::new("pins_wait");
    make_databases(&shared.cluster, &topology.schema).await;
    let serval = ServalProcess::start(|ports| {
        topology.toml(&shared.cluster, ports).replace("[limits]", "[limits]\nacquire_timeout = \"1s\"")
    });
    let serval = serval.await.expect("the proxy starts");
    let connect = || Client::connect("proxy", serval.client_options(APP.0, APP.1, Some("pins_wait")));
    let (mut first, mut second) = (connect().await, connect().await);
    assert_eq!(first.value("SELECT GET_LOCK('pins_wait', 0)").await, "1");
    let begun = Instant::now();
    assert_eq!(second.value("SELECT GET_LOCK('pins_wait', 2)").await, "0");
    assert!(begun.elapsed() >= Duration::from_millis(1900), "{:?}", begun.elapsed());
    assert_eq!(second.value("SELECT IS_USED_LOCK('pins_wait')").await, first.id().to_string());
    let killer = connect().await.must(&format!("KILL {}", first.id())).await;
    drop(killer);
    assert_eq!(second.value("SELECT GET_LOCK('pins_wait', 5)").await, "1");
}

/// What one server keeps over KILL QUERY the session keeps too: a transaction over both groups, temporary tables, locks.
#[tokio::test]
async fn an_interrupted_statement_loses_nothing() {
    let world = World::new("pins_interrupted").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    client.must("CREATE TEMPORARY TABLE tmp (id INT)").await;
    client.must("INSERT INTO tmp VALUES (1)").await;
    client.must("SELECT GET_LOCK('pins_interrupted', 0)").await;
    let rows = "INSERT INTO t1 VALUES (1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (7, 1), (8, 1)";
    for (begin, end, left) in [("BEGIN", "COMMIT", "8"), ("DO 0", "DO 0", "16")] {
        client.must(begin).await;
        client.must(&if left == "8" { rows.to_owned() } else { rows.replace("(", "(1") }).await;
        for sql in
            ["SELECT SLEEP(20) FROM t1", "SELECT SLEEP(20) FROM t1 WHERE id = 5", "SELECT SLEEP(20) FROM tmp"]
        {
            let (id, started) = (client.id(), Instant::now());
            let sleeping = tokio::spawn(async move {
                let answer = client.run(sql).await;
                (client, answer)
            });
            tokio::time::sleep(Duration::from_millis(300)).await;
            world.client().await.must(&format!("KILL QUERY {id}")).await;
            let answer;
            (client, answer) = sleeping.await.expect("the interrupted client");
            assert!(answer.error_number() == 1317 || !answer.rows().is_empty(), "{sql}: {answer:?}");
            assert!(started.elapsed() < Duration::from_secs(10), "{sql}: {:?}", started.elapsed());
            assert_eq!(client.value("SELECT COUNT(*) FROM t1").await, left, "{sql}");
            assert_eq!(client.value("SELECT COUNT(*) FROM tmp").await, "1", "{sql}");
        }
        client.must(end).await;
        assert_eq!(client.value("SELECT COUNT(*) FROM t1").await, left);
    }
    assert_eq!(client.value("SELECT RELEASE_LOCK('pins_interrupted')").await, "1");
    client.must("DROP TEMPORARY TABLE tmp").await;
    drop(client);
    eventually("nothing is kept", Duration::from_secs(5), || async { in_use(&world).await == 0 }).await;
}

/// CREATE TEMPORARY TABLE that a server refuses leaves alone what else the connection has.
#[tokio::test]
async fn a_refused_temporary_table_loses_no_locks() {
    let world = World::new("pins_refused").await;
    let mut client = world.client().await;
    client.must("SELECT GET_LOCK('pins_refused', 0)").await;
    assert_eq!(client.run("CREATE TEMPORARY TABLE tmp (a INT, a INT)").await.error_number(), 1060);
    assert_eq!(pinned(&mut client).await, "pinned: g0 (named lock)");
    assert_eq!(client.value("SELECT RELEASE_LOCK('pins_refused')").await, "1");
    assert_eq!(pinned(&mut client).await, "");
}

#[tokio::test]
async fn an_interrupted_wait_leaves_nothing_behind() {
    let world = World::new("pins_wait_killed").await;
    let (mut holder, mut client) = (world.client().await, world.client().await);
    holder.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY)").await;
    holder.must("LOCK TABLES t1 WRITE").await;
    holder.must("SELECT GET_LOCK('pins_wait_killed', 0)").await;
    for sql in ["LOCK TABLES t1 READ", "SELECT GET_LOCK('pins_wait_killed', 60)"] {
        let id = client.id();
        let waiting = tokio::spawn(async move {
            let answer = client.run(sql).await;
            (client, answer)
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        world.client().await.must(&format!("KILL QUERY {id}")).await;
        let answer;
        (client, answer) = waiting.await.expect("the waiting client");
        // MariaDB's GET_LOCK says NULL.
        assert!(answer.error_number() == 1317 || answer.rows() == [["NULL"]], "{answer:?}");
        assert_eq!(pinned(&mut client).await, "");
        client.must("CREATE TEMPORARY TABLE tmp (id INT)").await;
        client.must("DROP TEMPORARY TABLE tmp").await;
    }
    drop(holder);
    client.must("LOCK TABLES t1 READ").await;
    assert_eq!(client.value("SELECT COUNT(*) FROM t1").await, "0");
}

/// The second group's lock is held by somebody past the proxy: the first group's is given up again.
#[tokio::test]
async fn locks_are_taken_wholly_or_not_at_all() {
    let shared = shared().await;
    let topology = Topology::new("pins_second");
    make_databases(&shared.cluster, &topology.schema).await;
    let serval = ServalProcess::start(|ports| {
        topology.toml(&shared.cluster, ports).replace("[limits]", "[limits]\nacquire_timeout = \"1s\"")
    });
    let serval = serval.await.expect("the proxy starts");
    let connect = || Client::connect("proxy", serval.client_options(APP.0, APP.1, Some("pins_second")));
    let mut client = connect().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY)").await;
    let mut direct = shared.cluster.group(1).primary().connect().await.expect("a connection");
    direct.query_drop("LOCK TABLES pins_second_2.t1 WRITE").await.expect("a lock");
    let answer = client.run("LOCK TABLES t1 WRITE").await;
    assert_eq!(answer.error_number(), 1205, "{answer:?}");
    assert_eq!(pinned(&mut client).await, "");
    let mut first = shared.cluster.group(0).primary().connect().await.expect("a connection");
    first.query_drop("SET lock_wait_timeout = 5").await.expect("set");
    first
        .query_drop("LOCK TABLES pins_second_0.t1 WRITE, pins_second_1.t1 WRITE")
        .await
        .expect("they are free");
    drop((first, direct));
    client.must("LOCK TABLES t1 WRITE").await;
    client.must("UNLOCK TABLES").await;
}

/// Writes over both groups under LOCK TABLES must not give the locks up.
#[tokio::test]
async fn a_write_over_groups_keeps_its_locks() {
    let world = World::new("pins_spread").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    client.must("LOCK TABLES t1 WRITE").await;
    client.must("INSERT INTO t1 VALUES (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0)").await;
    client.must("UPDATE t1 SET v = 1").await;
    let answer = client.run("INSERT INTO t1 VALUES (9, 0), (10, 0), (11, 0), (12, 0), (1, 0)").await;
    assert_eq!(answer.error_number(), 1062, "{answer:?}");
    for node in 0..4 {
        let group = world.shared.cluster.group(node / 2).primary();
        let mut other = group.connect().await.expect("a connection");
        other.query_drop("SET lock_wait_timeout = 1").await.expect("set");
        let sql = format!("LOCK TABLES pins_spread_{node}.t1 READ");
        assert!(other.query_drop(&sql).await.is_err(), "node {node} is not locked any more");
    }
    assert_eq!(client.value("SELECT CONCAT(COUNT(*), ' ', SUM(v)) FROM t1 WHERE id = 1").await, "1 1");
    assert_eq!(client.value("SELECT COUNT(*) FROM t1").await, "8");
    client.must("UNLOCK TABLES").await;
    assert_eq!(world.client().await.value("SELECT SUM(v) FROM t1").await, "8");
}
