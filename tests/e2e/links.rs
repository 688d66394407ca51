//! The network is cut at every message of a transaction over two groups, before the server has it, after it, and without
//! anybody noticing. Afterwards all of it is there or nothing, the client was told the truth, and no branch is left.

use std::sync::Arc;
use std::time::Duration;

use serval_testkit::{Cluster, ServalProcess};
use serval_tests::link::{Link, Moment, Trigger, Wire};
use serval_tests::{APP, Client, Topology, eventually, make_databases, own_cluster};

use crate::atomic::{QUICK, branches};
use crate::chaos::{Told, commit, links, step};

/// More messages than a transaction over two groups has.
const MOST: u64 = 24;
/// How long a client waits for its answer.
const PATIENCE: Duration = Duration::from_secs(40);

struct Place {
    cluster: Cluster,
    serval: ServalProcess,
    links: Vec<Link>,
    trigger: Arc<Trigger>,
    schema: String,
}

impl Place {
    async fn new(schema: &str) -> Place {
        let (cluster, trigger) = (own_cluster().await, Arc::default());
        let links = links(&cluster, &trigger).await;
        let primaries = links.iter().map(Link::address).collect();
        let topology = Topology { more: QUICK.to_owned(), primaries, ..Topology::new(schema) };
        make_databases(&cluster, schema).await;
        let serval = ServalProcess::start(|ports| topology.toml(&cluster, ports)).await;
        let serval = serval.expect("the proxy starts");
        Place { cluster, serval, links, trigger, schema: schema.to_owned() }
    }

    async fn client(&self) -> Client {
        let options = || self.serval.client_options(APP.0, APP.1, Some(&self.schema));
        eventually("all groups serve", Duration::from_secs(30), || async {
            let Ok(mut client) = Client::try_connect("proxy", options()).await else { return false };
            client.run("SELECT SUM(v) FROM t1").await.error_number() != 1429
        })
        .await;
        Client::connect("proxy", options()).await
    }

    /// The cut is noticed, and the network is whole again.
    async fn mend(&self) {
        for link in self.links.iter().filter(|link| !link.is_whole()) {
            link.set(Wire::Cut);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.links.iter().for_each(|link| link.set(Wire::Whole));
    }
}

/// One transaction that gives both rows the value.
async fn transaction(client: &mut Client, ids: [u64; 2], value: u64) -> Told {
    let update = |id: u64| format!("UPDATE t1 SET v = {value} WHERE id = {id}");
    for sql in ["BEGIN".to_owned(), update(ids[0]), update(ids[1])] {
        if let Err(told) = step(client, &sql).await {
            return told;
        }
    }
    commit(client).await
}

#[tokio::test]
async fn the_network_is_cut_at_every_message() {
    let place = Place::new("links").await;
    let mut client = place.client().await;
    client.must("CREATE TABLE t1 (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)").await;
    client.must("INSERT INTO t1 VALUES (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0)").await;
    let mut ids = [0; 2];
    for node in [0, 2] {
        let rows = serval_tests::on_node(&place.cluster, &place.schema, node, "SELECT id FROM $db.t1").await;
        ids[node / 2] = rows[0].parse().expect("an id");
    }
    let (mut value, mut was) = (0, 0);
    for moment in [Moment::Before, Moment::After, Moment::Unnoticed] {
        let mut cuts = 0;
        for number in 0..MOST {
            value += 1;
            place.trigger.arm(number, moment);
            let working = tokio::time::timeout(PATIENCE, transaction(&mut client, ids, value));
            let mending = async {
                while place.links.iter().all(Link::is_whole) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                tokio::time::sleep(Duration::from_millis(300)).await;
                place.mend().await;
                std::future::pending::<()>().await;
            };
            let told = tokio::select! {
                told = working => told.expect("an answer in time"),
                () = mending => unreachable!("it waits for ever"),
            };
            let untouched = place.trigger.disarm();
            place.mend().await;
            client = place.client().await;
            eventually("no branch is left", Duration::from_secs(20), || async {
                branches(&place.cluster).await.is_empty()
            })
            .await;
            let rows = client.rows(&format!("SELECT v FROM t1 WHERE id IN ({}, {})", ids[0], ids[1])).await;
            let what = format!("{moment:?} at message {number}, told {told:?}: {rows:?} after {was}");
            assert_eq!(rows[0], rows[1], "half of it: {what}");
            let there = rows[0][0] == value.to_string();
            assert!(there || rows[0][0] == was.to_string(), "{what}");
            assert!(told.is_true_of(there), "{what}\n{}", place.serval.log());
            if there {
                was = value;
            }
            if untouched {
                assert_eq!(told, Told::Done, "{what}");
                break;
            }
            cuts += 1;
        }
        // Each update with its beginning, PREPARE and the record, COMMIT, XA COMMIT.
        assert!((6..MOST).contains(&cuts), "{moment:?}: {cuts} messages");
    }
}
