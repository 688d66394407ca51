//! What a transaction sends to its servers, as their own logs show it: nothing more than the client's statements where one
//! group is enough.

use serval_testkit::{Cluster, ServalProcess};
use serval_tests::{APP, Client, Topology, make_databases, on_node, own_cluster};

struct Logged {
    cluster: Cluster,
    serval: ServalProcess,
    schema: String,
}

impl Logged {
    async fn new(schema: &str) -> Logged {
        let (cluster, topology) = (own_cluster().await, Topology::new(schema));
        make_databases(&cluster, schema).await;
        let serval = ServalProcess::start(|ports| topology.toml(&cluster, ports)).await;
        Logged { cluster, serval: serval.expect("the proxy starts"), schema: schema.to_owned() }
    }

    async fn client(&self) -> Client {
        let options = self.serval.client_options(APP.0, APP.1, Some(&self.schema));
        Client::connect("proxy", options).await
    }

    /// The statements that the sessions' connections have sent to a group since this was called last, without what runs
    /// beside them. A session's connections use a node's database; health checks and recovery use none.
    async fn sent(&self, group: usize) -> Vec<String> {
        let sql = "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE command_type IN ('Query', 'Execute', \
                   'Prepare', 'Init DB') AND user_host LIKE 'serval[%' ORDER BY event_time";
        let all: Vec<String> = self.cluster.group(group).primary().column(sql).await.expect("the log");
        self.log(true).await;
        let own = |sql: &String| {
            let other = ["XA RECOVER", "SELECT ", "SHOW ", "SET NAMES", "SET SESSION", "DO 1"];
            !other.iter().any(|other| sql.starts_with(other)) || sql.contains("FROM t1")
        };
        all.into_iter().filter(own).collect()
    }

    async fn log(&self, on: bool) {
        for group in self.cluster.groups() {
            let off = ["SET GLOBAL general_log = OFF", "TRUNCATE TABLE mysql.general_log"];
            group.primary().execute_all(&off).await.expect("the log is emptied");
            if on {
                let on = ["SET GLOBAL log_output = 'TABLE'", "SET GLOBAL general_log = ON"];
                group.primary().execute_all(&on).await.expect("the log is on");
            }
        }
    }
}

#[tokio::test]
async fn one_group_is_sent_what_the_client_says() {
    let place = Logged::new("costs").await;
    let mut client = place.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT NOT NULL)").await;
    let rows: Vec<String> = (1..=20).map(|id| format!("({id}, 0)")).collect();
    client.must(&format!("INSERT INTO t1 VALUES {}", rows.join(", "))).await;
    let mut ids = Vec::new();
    for node in 0..4 {
        ids.push(
            on_node(&place.cluster, &place.schema, node, "SELECT id FROM $db.t1 LIMIT 1").await.remove(0),
        );
    }
    let update = |node: usize| format!("UPDATE t1 SET v = v + 1 WHERE id = {}", ids[node]);
    // Connections that are in the right database already.
    for node in [0, 2] {
        client.must(&update(node)).await;
    }
    place.log(true).await;

    // One node.
    for sql in ["BEGIN", &update(0), &update(0), "COMMIT"] {
        client.must(sql).await;
    }
    assert_eq!(place.sent(0).await, ["START TRANSACTION", &update(0), &update(0), "COMMIT"]);
    // By itself.
    client.must(&update(0)).await;
    assert_eq!(place.sent(0).await, [update(0)]);
    client.must("BEGIN").await;
    client.must(&update(0)).await;
    client.must("ROLLBACK").await;
    assert_eq!(place.sent(0).await, ["START TRANSACTION", &update(0), "ROLLBACK"]);
    // Two nodes of one group are one local transaction.
    for sql in ["BEGIN", &update(0), &update(1), "COMMIT"] {
        client.must(sql).await;
    }
    let mut sent = place.sent(0).await;
    sent.retain(|sql| !sql.starts_with("costs_") && !sql.starts_with("USE "));
    assert_eq!(sent, ["START TRANSACTION", &update(0), &update(1), "COMMIT"]);
    // An empty one is nobody's business.
    for sql in ["BEGIN", "COMMIT", "BEGIN", "ROLLBACK"] {
        client.must(sql).await;
    }
    assert!(place.sent(0).await.is_empty());

    // Two groups: the first runs an ordinary transaction with the record in it, the second a branch.
    let both = ["BEGIN", &update(0), &update(2), "COMMIT"];
    for sql in both {
        client.must(sql).await;
    }
    let verbs = |sent: Vec<String>| -> Vec<String> {
        let words = |sql: String| sql.split(' ').take(2).collect::<Vec<_>>().join(" ");
        sent.into_iter().filter(|sql| !sql.starts_with("costs_")).map(words).collect()
    };
    // Without autocommit XA START need not be waited for; the connection stays so for the next branch.
    let branch = ["XA START", "UPDATE t1", "XA END", "XA PREPARE", "XA COMMIT"];
    assert_eq!(verbs(place.sent(1).await), [&["SET autocommit=0"], &branch[..]].concat());
    for group in [1, 0] {
        for sql in both {
            client.must(sql).await;
        }
        let first = ["START TRANSACTION", "UPDATE t1", "INSERT INTO", "COMMIT"];
        assert_eq!(verbs(place.sent(group).await), if group == 1 { &branch[..] } else { &first[..] });
    }
    // Where one group has only been read from, nothing is prepared.
    client.must("BEGIN").await;
    client.must(&update(0)).await;
    client.must(&format!("SELECT v FROM t1 WHERE id = {}", ids[2])).await;
    client.must("COMMIT").await;
    assert_eq!(verbs(place.sent(1).await), ["XA START", "SELECT v", "XA END", "XA COMMIT"]);
}
