//! TIMESTAMP keys: sessions write one instant by clocks of their own, and it has one place.

use serval_tests::{Client, Topology, World};

fn topology(schema: &str) -> Topology {
    let mut topology = Topology::new(schema);
    topology.more = r#"
pings = { rule = "by_instant", column = "at", unique = "unchecked" }
beats = { rule = "by_hour", column = "at", unique = "unchecked" }
[rules.by_instant]
function = "day"
nodes = "dn[0-3]"
from = "2026-10-01"
to = "2026-12-31"
tables = "{table}_{yyyymmdd}"
time_zone = "Asia/Shanghai"
[rules.by_hour]
function = "hour"
nodes = "dn[0-3]"
from = "2026-10-25 00"
to = "2026-10-25 05"
time_zone = "+00:00"
"#
    .to_owned();
    topology
}

/// The same instant on four clocks: 16:30 UTC, which is half past midnight in Shanghai.
const CLOCKS: &[(&str, &str)] = &[
    ("+00:00", "2026-11-20 16:30:00"),
    ("Asia/Shanghai", "2026-11-21 00:30:00"),
    ("-10:00", "2026-11-20 06:30:00"),
    ("+13:00", "2026-11-21 05:30:00"),
];

async fn tables(client: &mut Client) {
    client.must("CREATE TABLE pings (id INT NOT NULL, at TIMESTAMP NOT NULL, what VARCHAR(20), PRIMARY KEY (id, at))").await;
    client.must("CREATE TABLE beats (id INT NOT NULL, at TIMESTAMP(3) NOT NULL, PRIMARY KEY (id, at))").await;
}

/// A number, also as prepared statements give it.
fn number(value: &str) -> &str {
    value.trim_start_matches("Int(").trim_end_matches(')')
}

/// Names are known to servers only where somebody has loaded them.
async fn knows_names(client: &mut Client) -> bool {
    client.run("SET time_zone = 'Asia/Shanghai'").await.error_number() == 0
}

#[tokio::test]
async fn one_instant_lies_in_one_place_and_everybody_finds_it() {
    let world = World::with(topology("zones")).await;
    let mut client = world.client().await;
    tables(&mut client).await;
    let names = knows_names(&mut client).await;
    let clocks: Vec<_> = CLOCKS.iter().filter(|(zone, _)| names || zone.starts_with(['+', '-'])).collect();
    for (at, (zone, time)) in clocks.iter().enumerate() {
        let (id, prepared) = (at * 2, at * 2 + 1);
        let mut plain = world.client().await;
        plain.must(&format!("SET time_zone = '{zone}'")).await;
        plain.must(&format!("INSERT INTO pings VALUES ({id}, '{time}', 'text')")).await;
        let mut preparing = world.client().await.preparing();
        preparing.must(&format!("SET time_zone = '{zone}'")).await;
        let values = [mysql_async::Value::from(prepared), mysql_async::Value::from(*time)];
        let answer = preparing.execute("INSERT INTO pings VALUES (?, ?, 'binary')", &values).await;
        assert_eq!(answer.error_number(), 0, "{answer:?}");
    }
    let expected = clocks.len() * 2;
    let mut places = Vec::new();
    for node in 0..4 {
        let sql = "SELECT CONCAT(table_name, '') FROM information_schema.tables WHERE table_schema = '$db' AND \
                   table_name LIKE 'pings%'";
        for table in world.on_node(node, sql).await {
            let count = world.on_node(node, &format!("SELECT COUNT(*) FROM $db.`{table}`")).await.concat();
            if count != "0" {
                places.push((table, count));
            }
        }
    }
    assert_eq!(places, [("pings_20261121".to_owned(), expected.to_string())], "the day in Shanghai");
    for (zone, time) in &clocks {
        let mut reader = world.client().await;
        let mut preparing = world.client().await.preparing();
        for session in [&mut reader, &mut preparing] {
            session.must(&format!("SET time_zone = '{zone}'")).await;
            for condition in [
                format!("at = '{time}'"),
                format!("at IN ('{time}', '2026-10-05')"),
                format!("at BETWEEN '{time}' AND '{time}'"),
                format!("at >= '{time}' AND at < '{time}' + INTERVAL 1 SECOND"),
            ] {
                let count = session.value(&format!("SELECT COUNT(*) FROM pings WHERE {condition}")).await;
                assert_eq!(number(&count), expected.to_string(), "{zone}: {condition}");
            }
        }
        let plan =
            reader.rows(&format!("EXPLAIN FORMAT=SERVAL SELECT * FROM pings WHERE at = '{time}'")).await;
        let plan = plan.concat().join("\n");
        assert!(plan.contains("pings_20261121") && !plan.contains("pings_20261120"), "{zone}: {plan}");
    }
    // What a session SETs counts from the next statement on, and NOW() is of its clock, too.
    for zone in ["+12:00", "-11:00"] {
        client.must(&format!("SET time_zone = '{zone}', timestamp = 1795400000")).await;
        client
            .must(&format!(
                "INSERT INTO pings VALUES ({}, NOW(), 'now')",
                zone.len() + zone.as_bytes()[0] as usize
            ))
            .await;
    }
    assert_eq!(client.value("SELECT COUNT(*) FROM pings WHERE what = 'now'").await, "2");
    assert_eq!(client.rows("SELECT MIN(at), MAX(at) FROM pings WHERE what = 'now'").await.concat().len(), 2);
    client.must("UPDATE pings SET what = 'then' WHERE at = NOW() AND what = 'now'").await;
    assert_eq!(client.value("SELECT COUNT(*) FROM pings WHERE what = 'then'").await, "2");
}

#[tokio::test]
async fn a_clock_that_nobody_knows_is_refused() {
    let world = World::with(topology("zones_unknown")).await;
    let mut client = world.client().await;
    tables(&mut client).await;
    // What the tests' servers have: SYSTEM is UTC in most places, and a zone of its own elsewhere.
    let answer = client.run("INSERT INTO pings VALUES (1, '2026-11-20 10:00:00', 'x')").await;
    let system = client.value("SELECT @@system_time_zone").await;
    match system.as_str() {
        "UTC" | "GMT" => assert_eq!(answer.error_number(), 0, "{answer:?}"),
        _ => assert!(answer.message().contains("SET time_zone"), "{answer:?}"),
    }
    // Summer time ends: the hour comes twice, and belongs to one day all the same.
    if client.run("SET time_zone = 'Europe/Berlin'").await.error_number() == 0 {
        client.must("INSERT INTO pings VALUES (2, '2026-10-25 02:30:00', 'twice')").await;
        let answer = client.run("INSERT INTO beats VALUES (2, '2026-10-25 02:30:00')").await;
        assert!(answer.message().contains("twice or never"), "{answer:?}");
        assert_eq!(client.value("SELECT COUNT(*) FROM pings WHERE at = '2026-10-25 02:30:00'").await, "1");
    }
}
