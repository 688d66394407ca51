//! Statements that miss the table of a period.

use std::path::PathBuf;

use mysql_async::{Value, WhiteListFsHandler};
use serval_tests::{Client, World};

use super::{CREATE, month, named, topology};

const OPTIONS: &str = "ahead = 2";

/// The node of a month, and its table there.
fn place(from_now: i64) -> (usize, String) {
    let node = usize::try_from((from_now + 6).rem_euclid(4)).expect("a node");
    (node, format!("$db.live_{}", named(month(from_now), "")))
}

async fn lose(world: &World, months: &[i64]) {
    for from_now in months {
        let (node, table) = place(*from_now);
        world.on_node(node, &format!("DROP TABLE IF EXISTS {table}")).await;
    }
}

fn row(id: i64, from_now: i64) -> String {
    format!("({id}, '{}-15', {id})", named(month(from_now), "-"))
}

#[tokio::test]
async fn writes_have_the_table_made() {
    let world = World::with(topology("live_missed", OPTIONS)).await;
    let mut client = world.client().await;
    client.must(CREATE).await;
    lose(&world, &[1]).await;
    client.must(&format!("INSERT INTO live VALUES {}", row(1, 1))).await;
    // Of several shards, the first of which has done its part.
    lose(&world, &[2]).await;
    client.must(&format!("INSERT INTO live VALUES {}, {}, {}", row(2, -1), row(3, 2), row(4, 0))).await;
    let rows = client.rows("SELECT id, COUNT(*) FROM live GROUP BY id ORDER BY id").await;
    assert_eq!(rows, [["1", "1"], ["2", "1"], ["3", "1"], ["4", "1"]]);
    // In a transaction of the client's, which goes on.
    client.must("BEGIN").await;
    client.must(&format!("INSERT INTO live VALUES {}", row(5, 0))).await;
    lose(&world, &[1, -2]).await;
    client.must(&format!("REPLACE INTO live VALUES {}", row(6, 1))).await;
    client.must(&format!("INSERT INTO live VALUES {}, {}", row(7, -2), row(8, -1))).await;
    client.must("ROLLBACK").await;
    assert_eq!(client.rows("SELECT id FROM live ORDER BY id").await, [["2"], ["3"], ["4"]]);
    // A row that moves.
    lose(&world, &[1]).await;
    let sql = format!("UPDATE live SET at = '{}-03' WHERE id = 4", named(month(1), "-"));
    let answer = client.run(&sql).await;
    if answer.error_number() == 0 {
        let (node, table) = place(1);
        assert_eq!(world.on_node(node, &format!("SELECT id FROM {table}")).await, ["4"]);
    } else {
        assert_ne!(answer.error_number(), 1146, "{answer:?}");
    }
    // Prepared.
    lose(&world, &[2]).await;
    let values = [Value::from(9), Value::from(format!("{}-09", named(month(2), "-")))];
    let answer = client.execute("INSERT INTO live (id, at) VALUES (?, ?)", &values).await;
    assert_eq!(answer.error_number(), 0, "{answer:?}");
    assert_eq!(client.value("SELECT v FROM live WHERE id = 9").await, "5");
    // Beyond what is ahead.
    let answer = client.run(&format!("INSERT INTO live VALUES {}", row(1, 5))).await;
    assert_eq!(answer.error_number(), 1526);
    let window = format!("new rows go to {} to {}", named(month(-6), "-"), "");
    assert!(answer.message().contains(window.trim_end()), "{answer:?}");
}

#[tokio::test]
async fn a_file_is_loaded_into_a_missed_table() {
    let world = World::with(topology("live_load", OPTIONS)).await;
    world.client().await.must(CREATE).await;
    let file = tempfile::NamedTempFile::new().expect("a file");
    let day = |from_now| format!("{}-11", named(month(from_now), "-"));
    std::fs::write(file.path(), format!("1\t{}\t1\n2\t{}\t2\n", day(0), day(2))).expect("a file");
    let handler = WhiteListFsHandler::new([PathBuf::from(file.path())]);
    let options = world.client_options().local_infile_handler(Some(handler));
    let mut client = Client::connect("proxy", options).await;
    lose(&world, &[2]).await;
    client.must(&format!("LOAD DATA LOCAL INFILE '{}' INTO TABLE live", file.path().display())).await;
    assert_eq!(client.rows("SELECT id FROM live ORDER BY id").await, [["1"], ["2"]]);
}

#[tokio::test]
async fn a_period_without_a_table_is_empty() {
    let world = World::with(topology("live_empty", OPTIONS)).await;
    let mut client = world.client().await;
    client.must(CREATE).await;
    client.must(&format!("INSERT INTO live VALUES {}, {}", row(1, -1), row(2, 0))).await;
    for sql in ["SELECT id FROM live ORDER BY id", "SELECT id FROM live WHERE v > 0 ORDER BY id DESC LIMIT 5"]
    {
        lose(&world, &[1, 2, -3]).await;
        assert_eq!(client.run(sql).await.rows().len(), 2, "{sql}");
    }
    lose(&world, &[1]).await;
    let bound = format!("WHERE at >= '{}-01'", named(month(1), "-"));
    assert_eq!(client.rows(&format!("SELECT * FROM live {bound}")).await, Vec::<Vec<String>>::new());
    lose(&world, &[1]).await;
    assert_eq!(client.value(&format!("SELECT COUNT(*) FROM live {bound}")).await, "0");
    lose(&world, &[-4]).await;
    client.must("UPDATE live SET v = v + 1").await;
    lose(&world, &[-4]).await;
    client.must(&format!("DELETE FROM live {bound}")).await;
    assert_eq!(client.rows("SELECT v FROM live ORDER BY id").await, [["2"], ["3"]]);
    // What is nowhere does not exist, and nothing is made of it.
    lose(&world, &(-6..=4).collect::<Vec<_>>()).await;
    let answer = client.run("SELECT id FROM live").await;
    assert_eq!((answer.error_number(), answer.message()), (1146, "Table 'live_empty.live' doesn't exist"));
    assert_eq!(super::tables(&world).await, Vec::<String>::new());
}
