//! A server that cannot write what the protocol needs: the record of the decision, or a branch's PREPARE.

use std::process::Command;
use std::time::Duration;

use serval_testkit::{Cluster, ClusterSpec, Flavour, ServalProcess};
use serval_tests::{APP, Client, Topology, eventually, get, make_databases, on_node};

use crate::atomic::{QUICK, branches};
use crate::chaos::{Told, commit, step};

struct Place {
    cluster: Cluster,
    serval: ServalProcess,
    schema: &'static str,
    /// A row on each group.
    ids: [String; 2],
}

impl Place {
    async fn new(schema: &'static str) -> Place {
        let spec = ClusterSpec::new(Flavour::from_env(), 2, 0);
        let cluster = Cluster::start(spec).await.expect("the servers start");
        let topology = Topology { more: QUICK.to_owned(), ..Topology::new(schema) };
        make_databases(&cluster, schema).await;
        let serval =
            ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("the proxy starts");
        let options = serval.client_options(APP.0, APP.1, Some(schema));
        let mut client = Client::connect("proxy", options).await;
        client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT NOT NULL)").await;
        let rows: Vec<String> = (1..=20).map(|id| format!("({id}, 0)")).collect();
        client.must(&format!("INSERT INTO t1 VALUES {}", rows.join(", "))).await;
        let mut ids = [String::new(), String::new()];
        for node in [0, 2] {
            ids[node / 2] = on_node(&cluster, schema, node, "SELECT id FROM $db.t1").await.remove(0);
        }
        Place { cluster, serval, schema, ids }
    }

    async fn client(&self) -> Client {
        Client::connect("proxy", self.serval.client_options(APP.0, APP.1, Some(self.schema))).await
    }

    /// Gives both rows the value, the first group's first.
    async fn transaction(&self, client: &mut Client, value: u64) -> Told {
        for sql in [
            "BEGIN".to_owned(),
            format!("UPDATE t1 SET v = {value} WHERE id = {}", self.ids[0]),
            format!("UPDATE t1 SET v = {value} WHERE id = {}", self.ids[1]),
        ] {
            if let Err(told) = step(client, &sql).await {
                return told;
            }
        }
        commit(client).await
    }

    /// Both rows' values, once all groups serve again and no branch is left.
    async fn settled(&self) -> [String; 2] {
        let sql = format!("SELECT v FROM t1 WHERE id IN ({}, {})", self.ids[0], self.ids[1]);
        eventually("all groups serve and no branch is left", Duration::from_secs(40), || async {
            let options = self.serval.client_options(APP.0, APP.1, Some(self.schema));
            let Ok(mut client) = Client::try_connect("proxy", options).await else { return false };
            client.run(&sql).await.error_number() == 0 && branches(&self.cluster).await.is_empty()
        })
        .await;
        let rows = self.client().await.rows(&sql).await;
        [rows[0][0].clone(), rows[1][0].clone()]
    }
}

/// What a full disk or a full tablespace says becomes the answer to COMMIT, and nothing of the transaction stays.
#[tokio::test]
async fn the_record_cannot_be_written() {
    let place = Place::new("full_record").await;
    let mut client = place.client().await;
    let first = place.cluster.group(0).primary();
    for error in [1114, 1021] {
        let trigger = format!(
            "CREATE TRIGGER full_record_0.full BEFORE INSERT ON full_record_0.serval_transaction FOR EACH ROW SIGNAL \
             SQLSTATE 'HY000' SET MYSQL_ERRNO = {error}, MESSAGE_TEXT = 'it is full'"
        );
        first.execute(&trigger).await.expect("a trigger");
        client.must("BEGIN").await;
        client.must("UPDATE t1 SET v = v + 1").await;
        let answer = client.run("COMMIT").await;
        assert_eq!(answer.error_number(), error, "{answer:?}");
        // The transaction is over: what comes next is by itself.
        client.must(&format!("UPDATE t1 SET v = v + 10 WHERE id = {}", place.ids[1])).await;
        client.must("ROLLBACK").await;
        // Statements of their own over both groups, too.
        assert_eq!(client.run("UPDATE t1 SET v = v + 1").await.error_number(), error);
        first.execute("DROP TRIGGER full_record_0.full").await.expect("no trigger");
        assert_eq!(client.value("SELECT SUM(v) FROM t1").await, "10");
        assert!(branches(&place.cluster).await.is_empty());
        client.must("UPDATE t1 SET v = 0").await;
    }
    let metrics = get(place.serval.ports().http(), "/metrics").await.body;
    assert!(metrics.contains("serval_transactions_in_doubt 0"), "{metrics}");
}

/// A server's log cannot grow, so that neither PREPARE nor COMMIT can be written there: MariaDB refuses it, MySQL ends
/// itself. The limit of the size of files is what a full disk is to a server.
#[tokio::test]
async fn the_log_cannot_grow() {
    let place = Place::new("full_log").await;
    // Branches on the second group, decisions on the first.
    for (value, full) in [(1, 1), (2, 0)] {
        let server = place.cluster.group(full).primary();
        let pid = server.pid().await.expect("it runs");
        // Above the size of all other files, which are written, too.
        let size = grown(server, &format!("full_log_{}", full * 2)).await;
        let mut client = place.client().await;
        limit(pid, &(size + 40).to_string());
        let told = tokio::time::timeout(Duration::from_secs(60), place.transaction(&mut client, value)).await;
        let told = told.expect("an answer in time");
        limit(pid, "unlimited");
        if Flavour::from_env().is_mysql() {
            // It ends itself, as it is told to (binlog_error_action), and somebody starts it again.
            eventually("the server has ended", Duration::from_secs(30), || async {
                server.connect().await.is_err()
            })
            .await;
            server.kill().await.expect("it has ended");
            server.start_again().await.expect("it starts again");
        }
        let [here, there] = place.settled().await;
        let what = format!("group {full}, told {told:?}: {here} {there}");
        say(&what);
        assert_eq!(here, there, "half of it: {what}");
        assert!(told.is_true_of(here == value.to_string()), "{what}\n{}", place.serval.log());
        assert_ne!(told, Told::Done, "it was full: {what}");
        // What was full has room again.
        let mut client = place.client().await;
        assert_eq!(place.transaction(&mut client, 0).await, Told::Done, "{what}");
    }
}

/// Writes 48 MB to a server's log and nothing to its tables, and gives the log's size then.
async fn grown(server: &serval_testkit::Server, database: &str) -> u64 {
    use mysql_async::prelude::Queryable as _;
    let mut conn = server.connect().await.expect("a connection");
    let filler = "x".repeat(4 << 20);
    for sql in [
        format!("CREATE TABLE {database}.filler (id INT NOT NULL PRIMARY KEY)"),
        "SET SESSION binlog_format = 'STATEMENT'".to_owned(),
    ] {
        conn.query_drop(sql).await.expect("a statement");
    }
    for id in 0..12 {
        let sql = format!("INSERT INTO {database}.filler VALUES ({id}) /* {filler} */");
        conn.query_drop(sql).await.expect("a long statement");
    }
    let rows: Vec<mysql_async::Row> = conn.query("SHOW BINARY LOGS").await.expect("its logs");
    rows.last().and_then(|row| row.get(1)).expect("a size")
}

fn limit(pid: u32, size: &str) {
    let done = Command::new("prlimit").args([format!("--pid={pid}"), format!("--fsize={size}:")]).output();
    // Where the server has ended itself there is nothing to limit.
    let _ = done.expect("prlimit is there");
}

#[allow(clippy::print_stdout, reason = "a test says what it saw to who asks for it with --nocapture")]
fn say(text: &str) {
    println!("{text}");
}
