//! Transactions in doubt that a person decides at the console.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use serval_testkit::{Cluster, ServalProcess};
use serval_tests::{ADMIN, APP, Client, Topology, eventually, make_databases, own_cluster};

use crate::atomic::branches;

/// Recovery that looks often and leaves what others prepared to them for longer than the test takes.
const PATIENT: &str = "[recovery]\ninterval = \"500ms\"\npatience = \"10m\"\n";

struct Place {
    cluster: Cluster,
    serval: ServalProcess,
    topology: Topology,
    uuid: String,
}

impl Place {
    async fn new(schema: &str) -> Place {
        let cluster = own_cluster().await;
        let topology = Topology { more: PATIENT.to_owned(), ..Topology::new(schema) };
        make_databases(&cluster, schema).await;
        let serval = start(&cluster, &topology).await;
        let mut client = client(&serval, &topology).await;
        client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT NOT NULL)").await;
        let rows: Vec<String> = (1..=20).map(|id| format!("({id}, 0)")).collect();
        client.must(&format!("INSERT INTO t1 VALUES {}", rows.join(", "))).await;
        let sql = format!("SELECT uuid FROM {schema}_0.serval_group");
        let uuid = cluster.group(0).primary().value(&sql).await.expect("a query").expect("a UUID");
        cluster
            .group(1)
            .primary()
            .execute(&format!("CREATE TABLE {schema}_2.x (id INT PRIMARY KEY)"))
            .await
            .expect("x");
        Place { cluster, serval, topology, uuid }
    }

    async fn admin(&self) -> Client {
        Client::connect("console", self.serval.admin_options(ADMIN.0, ADMIN.1)).await
    }

    /// A branch on the second group as a proxy leaves it that dies: a row of `x`. Gives the transaction's name.
    async fn leave(&self, number: u32) -> String {
        let gtrid = format!("serval.{}.00000000000a-{number}", self.uuid);
        let mut branch =
            self.cluster.group(1).primary().connect_as_backend(None).await.expect("a connection");
        let xa = format!("'{gtrid}','1.{}'", branch.id());
        for sql in [
            format!("XA START {xa}"),
            format!("INSERT INTO {}_2.x VALUES ({number})", self.topology.schema),
            format!("XA END {xa}"),
            format!("XA PREPARE {xa}"),
        ] {
            branch.query_drop(sql).await.expect("a branch");
        }
        gtrid
    }

    async fn record(&self, gtrid: &str, verdict: &str) {
        let sql = format!(
            "INSERT INTO {}_0.serval_transaction VALUES ('{gtrid}', '{verdict}', 1, UNIX_TIMESTAMP())",
            self.topology.schema
        );
        self.cluster.group(0).primary().execute(&sql).await.expect("a record");
    }

    async fn recorded(&self, gtrid: &str) -> Option<String> {
        let sql = format!(
            "SELECT verdict FROM {}_0.serval_transaction WHERE gtrid = '{gtrid}'",
            self.topology.schema
        );
        self.cluster.group(0).primary().value(&sql).await.expect("a query")
    }

    /// Whether the branch's row is there.
    async fn is_there(&self, number: u32) -> bool {
        let sql = format!("SELECT COUNT(*) FROM {}_2.x WHERE id = {number}", self.topology.schema);
        self.cluster.group(1).primary().value::<u32>(&sql).await.expect("a count") == Some(1)
    }
}

async fn start(cluster: &Cluster, topology: &Topology) -> ServalProcess {
    ServalProcess::start(|ports| topology.toml(cluster, ports)).await.expect("the proxy starts")
}

async fn client(serval: &ServalProcess, topology: &Topology) -> Client {
    Client::connect("proxy", serval.client_options(APP.0, APP.1, Some(&topology.schema))).await
}

/// The line of the console, once there is one.
async fn shown(admin: &mut Client, gtrid: &str) -> Vec<String> {
    for _ in 0..100 {
        let rows = admin.rows("show @@transaction").await;
        if let Some(row) = rows.into_iter().find(|row| row[0] == gtrid) {
            return row;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{gtrid} is not shown");
}

fn order(gtrid: &str, verdict: &str) -> String {
    format!("resolve transaction '{gtrid}' {verdict}")
}

/// As long as the record can be read, it counts, and where there is none nothing was committed.
#[tokio::test]
async fn what_is_in_doubt_is_shown_and_resolved() {
    let place = Place::new("by_hand").await;
    let mut admin = place.admin().await;
    // What was recorded; what may be said of it by hand; what may not; whether the row is there then.
    for (number, record, right, wrong, there) in [
        (1, None, "rollback", "commit", false),
        (2, Some("commit"), "commit", "rollback", true),
        (3, Some("abort"), "rollback", "commit", false),
    ] {
        let gtrid = place.leave(number).await;
        if let Some(verdict) = record {
            place.record(&gtrid, verdict).await;
        }
        let row = shown(&mut admin, &gtrid).await;
        assert_eq!((row[1].as_str(), row[3].as_str()), ("g1", "waiting"), "{row:?}");
        tokio::time::sleep(Duration::from_millis(1200)).await;
        let later = shown(&mut admin, &gtrid).await;
        let age = |row: &[String]| row[2].parse::<u64>().expect("seconds");
        assert!(age(&later) > age(&row), "it grows older: {row:?} {later:?}");

        let refused = admin.run(&order(&gtrid, wrong)).await;
        assert_eq!(refused.error_number(), 1210, "{refused:?}");
        let advice = match record {
            Some(verdict) => format!("says {verdict}"),
            None => "resolve it with rollback".to_owned(),
        };
        assert!(refused.message().contains(&advice), "{refused:?}");
        assert_eq!(branches(&place.cluster).await, [gtrid.as_str()], "nothing was done");
        assert_eq!(place.recorded(&gtrid).await.as_deref(), record, "nothing was decided");

        admin.must(&order(&gtrid, right)).await;
        assert!(branches(&place.cluster).await.is_empty());
        assert_eq!(place.is_there(number).await, there, "{record:?}");
        let verdict = if there { "commit" } else { "abort" };
        assert_eq!(place.recorded(&gtrid).await.as_deref(), Some(verdict), "nobody decides otherwise later");
        assert!(admin.rows("show @@transaction").await.is_empty());
        let again = admin.run(&order(&gtrid, right)).await;
        assert!(again.message().contains("nothing to resolve"), "{again:?}");
    }
    let name = place.leave(9).await;
    for bad in ["resolve transaction", "resolve transaction 'x' perhaps", "resolve transaction 'x' commit"] {
        assert_ne!(admin.run(bad).await.error_number(), 0, "{bad}");
    }
    admin.must(&order(&name, "ROLLBACK")).await;
    assert!(place.serval.log().contains("resolved by hand"), "{}", place.serval.log());
}

/// Nobody else can say what was decided, so a person does.
#[tokio::test]
async fn the_first_group_is_gone_for_good() {
    let place = Place::new("by_hand_gone").await;
    let mut admin = place.admin().await;
    let names = [place.leave(1).await, place.leave(2).await];
    place.cluster.group(0).primary().kill().await.expect("kill");
    for ((number, gtrid), (verdict, there)) in (1..).zip(&names).zip([("commit", true), ("rollback", false)])
    {
        shown(&mut admin, gtrid).await;
        let mut answer = admin.run(&order(gtrid, verdict)).await;
        // The proxy may have just noticed that the server is gone.
        for _ in 0..20 {
            if answer.error_number() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
            answer = admin.run(&order(gtrid, verdict)).await;
        }
        assert_eq!(answer.error_number(), 0, "{answer:?}");
        assert_eq!(place.is_there(number).await, there);
    }
    let mut second = place.cluster.group(1).primary().connect().await.expect("a connection");
    let left: Vec<mysql_async::Row> = second.query("XA RECOVER").await.expect("XA RECOVER");
    assert!(left.is_empty(), "{left:?}");
}

/// Another proxy is committing: whoever says commit before it is decided would make half of it stay.
#[tokio::test]
async fn a_commit_that_is_under_way_is_left_alone() {
    let place = Place::new("by_hand_busy").await;
    let other = start(&place.cluster, &place.topology).await;
    let (mut admin, mut theirs) =
        (place.admin().await, Client::connect("console", other.admin_options(ADMIN.0, ADMIN.1)).await);
    let mut working = client(&other, &place.topology).await;
    working.must("BEGIN").await;
    working.must("UPDATE t1 SET v = 1").await;
    // The first group takes no writes for a while, so the record has to wait.
    let mut locker = place.cluster.group(0).primary().connect().await.expect("a connection");
    locker.query_drop("FLUSH TABLES WITH READ LOCK").await.expect("a lock");
    let committing = tokio::spawn(async move {
        let answer = working.run("COMMIT").await;
        (working, answer)
    });
    eventually("the branch is prepared", Duration::from_secs(10), || async {
        branches(&place.cluster).await.len() == 1
    })
    .await;
    let gtrid = branches(&place.cluster).await.remove(0);
    assert_eq!(shown(&mut theirs, &gtrid).await[3], "running");
    assert_eq!(shown(&mut admin, &gtrid).await[3], "waiting");
    let refused = theirs.run(&order(&gtrid, "rollback")).await;
    assert!(refused.message().contains("is being committed by a session"), "{refused:?}");
    let refused = admin.run(&order(&gtrid, "commit")).await;
    assert_eq!(refused.error_number(), 1210, "{refused:?}");
    // It cannot be decided now, so nothing is done: the record could say commit in a moment.
    let refused = admin.run(&order(&gtrid, "rollback")).await;
    assert_ne!(refused.error_number(), 0, "{refused:?}");
    assert_eq!(branches(&place.cluster).await.len(), 1);
    locker.query_drop("UNLOCK TABLES").await.expect("unlocked");
    let (mut working, answer) = committing.await.expect("the client");
    let sum = working.value("SELECT SUM(v) FROM t1").await;
    // Either may be first now.
    assert!(matches!((answer.error_number(), sum.as_str()), (0, "20") | (1.., "0")), "{answer:?} {sum}");
    eventually("no branch is left", Duration::from_secs(10), || async {
        branches(&place.cluster).await.is_empty()
    })
    .await;
}
