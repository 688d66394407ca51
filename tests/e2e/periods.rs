//! Tables of rules that go on with the clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

mod bad_days;
mod missed;

use serval_tests::{Topology, World, eventually};

/// The month so many months from the current one, as a number of months.
fn month(from_now: i64) -> i64 {
    month_at(0, from_now)
}

/// The same so many hours from now: windows reach to wherever on Earth it is earliest and latest.
fn month_at(hours: i64, from_now: i64) -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let seconds = i64::try_from(since).expect("few seconds") + hours * 3600;
    let mut days = seconds / 86_400 + 719_468;
    let era = days.div_euclid(146_097);
    days -= era * 146_097;
    let of_era = (days - days / 1460 + days / 36_524 - days / 146_096) / 365;
    let day = days - (365 * of_era + of_era / 4 - of_era / 100);
    let shifted = (5 * day + 2) / 153;
    let (year, month) = (of_era + era * 400 + i64::from(shifted >= 10), (shifted + 2) % 12);
    year * 12 + month + from_now
}

/// `202611`, or with a dash.
fn named(month: i64, dash: &str) -> String {
    format!("{:04}{dash}{:02}", month.div_euclid(12), month.rem_euclid(12) + 1)
}

fn topology(schema: &str, options: &str) -> Topology {
    let from = named(month(-6), "-");
    let mut topology = Topology::new(schema);
    topology.more = format!(
        r#"
live = {{ rule = "by_live", unique = "unchecked" }}
[rules.by_live]
function = "month"
column = "at"
nodes = "dn[0-3]"
from = "{from}"
tables = "{{table}}_{{yyyymm}}"
{options}
"#
    );
    topology
}

/// The tables on all nodes, by name.
async fn tables(world: &World) -> Vec<String> {
    let mut names = Vec::new();
    for node in 0..4 {
        let sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = '$db' \
                   AND table_name LIKE 'live%' ORDER BY 1";
        names.extend(world.on_node(node, sql).await);
    }
    names.sort();
    names
}

const CREATE: &str = "CREATE TABLE live (id INT NOT NULL, at DATETIME NOT NULL, v INT DEFAULT 5, PRIMARY KEY (id, at), KEY (v))";

#[tokio::test]
async fn coming_periods_have_tables_and_old_ones_are_dropped() {
    let world = World::with(topology("live_drop", "ahead = 2\nretain = 2\nexpired = \"drop\"")).await;
    let mut client = world.client().await;
    client.must(CREATE).await;
    let window: Vec<String> =
        (month_at(-12, -3)..=month_at(14, 3)).map(|month| format!("live_{}", named(month, ""))).collect();
    assert_eq!(tables(&world).await, window, "the retained, the current, those ahead and one more each way");

    for ahead in -2..=2 {
        let sql =
            format!("INSERT INTO live (id, at) VALUES ({}, '{}-15')", ahead + 10, named(month(ahead), "-"));
        client.must(&sql).await;
    }
    for ahead in [-4, 4, 5, -20] {
        let sql = format!("INSERT INTO live (id, at) VALUES (1, '{}-15')", named(month(ahead), "-"));
        let answer = client.run(&sql).await;
        assert_eq!(answer.error_number(), 1526, "{sql}: {answer:?}");
    }
    assert_eq!(client.rows("SELECT COUNT(*) FROM live").await, [["5"]]);

    // A coming table that is lost, and one that has expired: the one is made again, the other goes.
    let (lost, passed) = (month(2), month(-5));
    let node = |month: i64| usize::try_from((month - self::month(-6)).rem_euclid(4)).expect("a node");
    let lost_name = format!("live_{}", named(lost, ""));
    let passed_name = format!("live_{}", named(passed, ""));
    let newest = format!("live_{}", named(passed + 4, ""));
    world.on_node(node(lost), &format!("DROP TABLE $db.{lost_name}")).await;
    world.on_node(node(passed), &format!("CREATE TABLE $db.{passed_name} LIKE $db.{newest}")).await;
    let mut admin = world.admin().await;
    let shown = admin.rows("show @@periods where schema = live_drop and table = live").await;
    assert!(shown.iter().flatten().any(|cell| cell == &lost_name), "{shown:?}");
    // What would be done is shown, unless the round of every ten seconds has just done it.
    let planned = admin.rows("dry run @@periods").await.concat();
    let done = tables(&world).await;
    assert!(planned.contains(&lost_name) || done.contains(&lost_name), "{planned:?}");
    assert!(planned.contains(&passed_name) || !done.contains(&passed_name), "{planned:?}");
    eventually("one is made and one is dropped", Duration::from_secs(60), || async {
        let names = tables(&world).await;
        names.contains(&lost_name) && !names.contains(&passed_name)
    })
    .await;
    assert_eq!(admin.rows("dry run @@periods").await, Vec::<Vec<String>>::new());
    let keys = world
        .on_node(
            node(lost),
            &format!("SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = '$db' AND table_name = '{lost_name}'"),
        )
        .await;
    assert_eq!(keys, ["3"], "the new table has the keys of the others");
    assert_eq!(client.rows("SELECT COUNT(*) FROM live").await, [["4"]]);
}

#[tokio::test]
async fn detached_tables_stay_and_are_read_no_more() {
    let world = World::with(topology("live_detach", "ahead = 1\nretain = 2\nexpired = \"detach\"")).await;
    let mut client = world.client().await;
    client.must(CREATE).await;
    let passed = format!("live_{}", named(month(-5), ""));
    let newest = format!("live_{}", named(month(-1), ""));
    world.on_node(1, &format!("CREATE TABLE $db.{passed} LIKE $db.{newest}")).await;
    world
        .on_node(1, &format!("INSERT INTO $db.{passed} VALUES (7, '{}-05', 1)", named(month(-5), "-")))
        .await;
    let mut admin = world.admin().await;
    let shown = admin.rows("show @@periods").await;
    let row = shown.iter().find(|row| row[3] == passed).unwrap_or_else(|| panic!("{shown:?}"));
    assert_eq!(row[4], "expired, detached");
    assert_eq!(admin.rows("dry run @@periods").await, Vec::<Vec<String>>::new());
    tokio::time::sleep(Duration::from_secs(22)).await;
    assert!(tables(&world).await.contains(&passed), "two rounds later it is still there");
    assert_eq!(client.value("SELECT COUNT(*) FROM live").await, "0");
    let late = format!("INSERT INTO live (id, at) VALUES (1, '{}-15')", named(month(-5), "-"));
    assert_eq!(client.run(&late).await.error_number(), 1526);
    assert_eq!(world.on_node(1, &format!("SELECT id FROM $db.{passed}")).await, ["7"]);
}

#[tokio::test]
async fn without_an_action_nothing_expires() {
    let world = World::with(topology("live_keep", "ahead = 1\nretain = 1")).await;
    let mut client = world.client().await;
    client.must(CREATE).await;
    let window: Vec<String> =
        (month(-6)..=month_at(14, 2)).map(|month| format!("live_{}", named(month, ""))).collect();
    assert_eq!(tables(&world).await, window);
    client
        .must(&format!("INSERT INTO live (id, at) VALUES (1, '{}-01'), (2, NOW())", named(month(-6), "-")))
        .await;
    assert_eq!(client.rows("SELECT id FROM live ORDER BY id").await, [["1"], ["2"]]);
    let mut admin = world.admin().await;
    let shown = admin.rows("show @@periods").await;
    assert_eq!(shown.len(), window.len(), "{shown:?}");
    assert_eq!(admin.rows("dry run @@periods").await, Vec::<Vec<String>>::new());
}
