//! Which copy of a global table is read, on real servers.

use std::collections::BTreeSet;
use std::time::Duration;

use serval_testkit::ServalProcess;
use serval_tests::{APP, Client, Topology, World, eventually, make_databases, own_cluster};

/// As many clients as make sure that each copy is somebody's.
const CLIENTS: usize = 8;
const READ: &str = "SELECT @@server_id FROM regions WHERE id = 1";

async fn fill(client: &mut Client) {
    client.must("CREATE TABLE regions (id INT NOT NULL PRIMARY KEY, name VARCHAR(20))").await;
    client.must("INSERT INTO regions VALUES (1, 'north'), (2, 'south'), (3, 'east')").await;
    client.must("CREATE TABLE n1 (id INT NOT NULL PRIMARY KEY, v VARCHAR(20))").await;
    client.must("INSERT INTO n1 VALUES (0, 'a'), (1, 'b'), (2, 'c'), (3, 'd')").await;
}

async fn clients(world: &World) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(world.client().await);
    }
    clients
}

/// The servers that the rows 0 and 2 of n1 lie on: one of each group.
async fn servers(client: &mut Client) -> [String; 2] {
    [
        client.value("SELECT @@server_id FROM n1 WHERE id = 0").await,
        client.value("SELECT @@server_id FROM n1 WHERE id = 2").await,
    ]
}

#[tokio::test]
async fn both_groups_get_reads_and_a_session_stays_with_one() {
    let world = World::new("copies_shared").await;
    let mut first = world.client().await;
    fill(&mut first).await;
    let all: BTreeSet<String> = servers(&mut first).await.into();
    let (mut asked, mut prepared) = (BTreeSet::new(), BTreeSet::new());
    for mut client in clients(&world).await {
        let own = client.value(READ).await;
        for _ in 0..3 {
            assert_eq!(client.value(READ).await, own, "a session reads one copy");
            assert_eq!(client.value("SELECT COUNT(*) FROM regions").await, "3");
        }
        asked.insert(own);
        let mut preparing = client.preparing();
        prepared.insert(preparing.value(READ).await);
        assert_eq!(preparing.value("SELECT COUNT(*) FROM regions WHERE id > 1").await, "Int(2)");
    }
    assert_eq!(asked, all, "each group has been read");
    assert_eq!(prepared.len(), 2, "by prepared statements too: {prepared:?}");
    // What locks is on one and the same server for all, or it would not be seen by others.
    let mut locked = BTreeSet::new();
    for mut client in clients(&world).await {
        locked.insert(client.value("SELECT @@server_id FROM regions WHERE id = 1 FOR UPDATE").await);
    }
    assert_eq!(locked.len(), 1, "{locked:?}");
}

#[tokio::test]
async fn a_write_is_seen_by_everybody_at_once() {
    let world = World::new("copies_written").await;
    let mut writer = world.client().await;
    fill(&mut writer).await;
    let mut readers = clients(&world).await;
    for round in 0..20 {
        writer.must(&format!("UPDATE regions SET name = 'r{round}' WHERE id = 2")).await;
        let sql = "SELECT name FROM regions WHERE id = 2";
        assert_eq!(writer.value(sql).await, format!("r{round}"));
        for reader in &mut readers {
            assert_eq!(reader.value(sql).await, format!("r{round}"));
        }
    }
}

#[tokio::test]
async fn a_transaction_reads_where_it_is() {
    let world = World::new("copies_transaction").await;
    let mut writer = world.client().await;
    fill(&mut writer).await;
    let servers = servers(&mut writer).await;
    for mut client in clients(&world).await {
        for (row, server) in [(0, &servers[0]), (2, &servers[1])] {
            client.must("BEGIN").await;
            client.must(&format!("UPDATE n1 SET v = 'x' WHERE id = {row}")).await;
            assert_eq!(&client.value(READ).await, server, "no second group for the sake of a copy");
            client.must("ROLLBACK").await;
        }
        // Its reads stay on one copy, so that they are of one snapshot.
        for (first, second) in [(0, 2), (2, 0)] {
            client.must("BEGIN").await;
            client.must(&format!("SELECT * FROM n1 WHERE id = {first}")).await;
            let before = client.value("SELECT name FROM regions WHERE id = 3").await;
            writer.must("UPDATE regions SET name = CONCAT(name, '!') WHERE id = 3").await;
            client.must(&format!("SELECT * FROM n1 WHERE id = {second}")).await;
            assert_eq!(client.value("SELECT name FROM regions WHERE id = 3").await, before);
            client.must("COMMIT").await;
            assert_ne!(client.value("SELECT name FROM regions WHERE id = 3").await, before);
        }
        client.must("SET autocommit = 0").await;
        let before = client.value("SELECT name FROM regions WHERE id = 3").await;
        writer.must("UPDATE regions SET name = CONCAT(name, '?') WHERE id = 3").await;
        client.must("SELECT * FROM n1").await;
        assert_eq!(client.value("SELECT name FROM regions WHERE id = 3").await, before);
        client.must("COMMIT").await;
        writer.must("UPDATE regions SET name = 'east' WHERE id = 3").await;
    }
}

#[tokio::test]
async fn what_lives_in_a_servers_session_is_found_again() {
    let world = World::new("copies_sessions").await;
    fill(&mut world.client().await).await;
    for mut client in clients(&world).await {
        assert_eq!(
            client.rows("SELECT SQL_CALC_FOUND_ROWS id FROM regions ORDER BY id LIMIT 1").await,
            [["1"]]
        );
        assert_eq!(client.value("SELECT FOUND_ROWS()").await, "3");
        client.must("SELECT @n := MAX(id) FROM regions").await;
        assert_eq!(client.value("SELECT @n").await, "3");
        client.must("CREATE TEMPORARY TABLE mine (id INT)").await;
        client.must("INSERT INTO mine SELECT id FROM regions WHERE id > 1").await;
        assert_eq!(client.value("SELECT COUNT(*) FROM mine JOIN regions USING (id)").await, "2");
        assert_eq!(client.value("SELECT COUNT(*) FROM regions").await, "3");
        client.must("DROP TEMPORARY TABLE mine").await;
        client.must("LOCK TABLES regions WRITE").await;
        client.must("UPDATE regions SET name = 'locked' WHERE id = 1").await;
        assert_eq!(client.value("SELECT name FROM regions WHERE id = 1").await, "locked");
        client.must("UNLOCK TABLES").await;
        assert_eq!(
            client.value("SELECT GET_LOCK('copies_sessions', 5) FROM regions WHERE id = 1").await,
            "1"
        );
        assert_eq!(client.value("SELECT COUNT(*) FROM regions").await, "3");
        assert_eq!(client.value("SELECT RELEASE_LOCK('copies_sessions')").await, "1");
    }
}

#[tokio::test]
async fn reads_go_on_without_a_group() {
    let topology = Topology::new("copies_lost");
    let cluster = own_cluster().await;
    make_databases(&cluster, &topology.schema).await;
    let serval =
        ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("the proxy starts");
    let connect = || Client::connect("proxy", serval.client_options(APP.0, APP.1, Some(&topology.schema)));
    let mut first = connect().await;
    fill(&mut first).await;
    for lost in [1, 0] {
        let (mut plain, mut preparing) = (Vec::new(), Vec::new());
        for _ in 0..CLIENTS {
            let (mut one, mut other) = (connect().await, connect().await.preparing());
            one.must(READ).await;
            other.value("SELECT COUNT(*) FROM regions").await;
            plain.push(one);
            preparing.push(other);
        }
        cluster.group(lost).primary().kill().await.expect("kill");
        for _ in 0..3 {
            for client in &mut plain {
                assert_eq!(client.value("SELECT COUNT(*) FROM regions").await, "3", "without g{lost}");
            }
            for client in &mut preparing {
                assert_eq!(client.value("SELECT COUNT(*) FROM regions").await, "Int(3)", "without g{lost}");
                assert_eq!(
                    client.value("SELECT COUNT(*) + 1 FROM regions").await,
                    "Int(4)",
                    "without g{lost}"
                );
            }
        }
        let mut fresh = connect().await;
        fresh.must("BEGIN").await;
        assert_eq!(fresh.value("SELECT COUNT(*) FROM regions").await, "3", "in a transaction");
        fresh.must("COMMIT").await;
        assert_eq!(fresh.run("DELETE FROM regions").await.error_number(), 1429, "a write needs all copies");
        cluster.group(lost).primary().start_again().await.expect("start again");
        eventually("the group is back", Duration::from_secs(20), || async {
            let mut client = connect().await;
            client.run("SELECT * FROM n1").await.error_number() == 0
        })
        .await;
    }
}
