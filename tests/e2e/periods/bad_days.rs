//! Periods on bad days.

use std::time::Duration;

use serval_testkit::ServalProcess;
use serval_tests::{ADMIN, APP, Client, World, eventually, make_databases, on_node, own_cluster};

use super::{CREATE, month, named, tables, topology};

/// What the proxy says of tables that it could not make or drop.
fn complaints(serval: &ServalProcess) -> Vec<String> {
    serval.log().lines().filter(|line| line.contains("could not be")).map(str::to_owned).collect()
}

#[tokio::test]
async fn two_proxies_at_once_do_no_harm() {
    let options = "ahead = 2\nretain = 2\nexpired = \"drop\"";
    let world = World::with(topology("live_two", options)).await;
    let other =
        ServalProcess::start(|ports| topology("live_two", options).toml(&world.shared.cluster, ports));
    let other = other.await.expect("the second proxy");
    let mut one = world.client().await;
    one.must(CREATE).await;
    let mut two =
        Client::connect("second proxy", other.client_options(APP.0, APP.1, Some(&world.schema))).await;
    let before = tables(&world).await;
    let lost = format!("live_{}", named(month(1), ""));
    for round in 0..5 {
        world.on_node(3, &format!("DROP TABLE IF EXISTS $db.{lost}")).await;
        let insert =
            |id: i32| format!("INSERT INTO live (id, at) VALUES ({id}, '{}-02')", named(month(1), "-"));
        let (first, second) = (insert(2 * round), insert(2 * round + 1));
        let (first, second) = tokio::join!(one.run(&first), two.run(&second));
        assert_eq!((first.error_number(), second.error_number()), (0, 0), "{first:?} {second:?}");
        let count = format!("SELECT COUNT(*) FROM live WHERE at >= '{}-01'", named(month(1), "-"));
        assert_eq!((one.value(&count).await, two.value(&count).await), ("2".to_owned(), "2".to_owned()));
    }
    // Both look after what has expired.
    let passed = format!("live_{}", named(month(-5), ""));
    world.on_node(1, &format!("CREATE TABLE $db.{passed} LIKE $db.live_{}", named(month(-1), ""))).await;
    eventually("it is dropped", Duration::from_secs(40), || async { tables(&world).await == before }).await;
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(complaints(&world.serval), Vec::<String>::new());
    assert_eq!(complaints(&other), Vec::<String>::new());
}

#[tokio::test]
async fn a_table_in_use_is_dropped_later() {
    let world = World::with(topology("live_used", "ahead = 1\nretain = 2\nexpired = \"drop\"")).await;
    let mut client = world.client().await;
    client.must(CREATE).await;
    let passed = format!("live_{}", named(month(-5), ""));
    world.on_node(1, &format!("CREATE TABLE $db.{passed} LIKE $db.live_{}", named(month(-1), ""))).await;
    let mut holder =
        Client::connect("holder", world.shared.cluster.group(0).primary().backend_options()).await;
    holder.must("BEGIN").await;
    holder.must(&format!("SELECT * FROM live_used_1.{passed}")).await;
    eventually("it is shown", Duration::from_secs(40), || async {
        let shown = world.admin().await.rows("show @@periods").await;
        shown
            .iter()
            .any(|row| row[3] == passed && row[4].starts_with("expired, to be dropped; tried in vain: "))
    })
    .await;
    holder.must("COMMIT").await;
    eventually("it is dropped", Duration::from_secs(40), || async {
        !tables(&world).await.contains(&passed)
    })
    .await;
    let shown = world.admin().await.rows("show @@periods").await;
    assert!(!shown.iter().flatten().any(|cell| cell.contains("in vain")), "{shown:?}");
}

#[tokio::test]
async fn a_node_that_is_down_holds_up_no_other() {
    let topology = topology("live_down", "ahead = 2");
    let cluster = own_cluster().await;
    make_databases(&cluster, &topology.schema).await;
    let serval =
        ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("the proxy starts");
    let mut client =
        Client::connect("proxy", serval.client_options(APP.0, APP.1, Some(&topology.schema))).await;
    client.must(CREATE).await;
    let table = |from_now: i64| format!("live_{}", named(month(from_now), ""));
    let there = async |node: usize, name: &str| {
        let sql = format!(
            "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '$db' AND table_name = '{name}'"
        );
        on_node(&cluster, "live_down", node, &sql).await == ["1"]
    };
    // The months -1 to 2 lie on dn1, dn2, dn3 and dn0.
    on_node(&cluster, "live_down", 3, &format!("DROP TABLE $db.{}", table(1))).await;
    cluster.group(1).primary().kill().await.expect("kill");
    on_node(&cluster, "live_down", 0, &format!("DROP TABLE $db.{}", table(2))).await;
    eventually("the other node has its table", Duration::from_secs(60), || async {
        there(0, &table(2)).await
    })
    .await;
    let mut admin = Client::connect("console", serval.admin_options(ADMIN.0, ADMIN.1)).await;
    let shown = admin.rows("show @@periods").await;
    for node in ["dn2", "dn3"] {
        assert!(shown.iter().any(|row| row[2] == node && row[4].starts_with("not asked: ")), "{shown:?}");
    }
    client.must(&format!("INSERT INTO live (id, at) VALUES (1, '{}-02')", named(month(2), "-"))).await;
    cluster.group(1).primary().start_again().await.expect("start again");
    eventually("it is made when the node is back", Duration::from_secs(60), || async {
        there(3, &table(1)).await
    })
    .await;
    let shown = admin.rows("show @@periods").await;
    assert!(!shown.iter().any(|row| row[4].starts_with("not asked")), "{shown:?}");
}

#[tokio::test]
async fn a_reload_moves_the_window() {
    let world = World::with(topology("live_moves", "ahead = 1")).await;
    let mut client = world.client().await;
    client.must(CREATE).await;
    let insert = format!("INSERT INTO live (id, at) VALUES (1, '{}-20')", named(month(3), "-"));
    assert_eq!(client.run(&insert).await.error_number(), 1526);
    let mut admin = world.admin().await;
    let mut reload = async |options: &str| {
        let text = topology("live_moves", options).toml(&world.shared.cluster, world.serval.ports());
        std::fs::write(world.serval.config_path(), text).expect("write the configuration");
        admin.run("reload @@config").await
    };
    // Wider: at once, though no table of it is there yet.
    assert_eq!(reload("ahead = 4").await.error_number(), 0);
    client.must(&insert).await;
    assert_eq!(client.rows("SELECT id FROM live").await, [["1"]]);
    // Narrower: not while a row lies there.
    let narrower = "ahead = 1\nretain = 3\nexpired = \"drop\"";
    let answer = reload(narrower).await;
    assert!(answer.message().contains("1 of 1 rows would lie elsewhere"), "{answer:?}");
    client.must("DELETE FROM live").await;
    assert_eq!(reload(narrower).await.error_number(), 0);
    let count = tables(&world).await.len();
    eventually("old ones are dropped", Duration::from_secs(40), || async {
        tables(&world).await.len() < count
    })
    .await;
    let kept = format!("live_{}", named(month(3), ""));
    assert!(
        tables(&world).await.contains(&kept),
        "nothing of the future is dropped, though it is ahead no more"
    );
}
