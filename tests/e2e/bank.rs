//! Money moves between 1,000 accounts on four nodes while proxies, primaries and connections die. In the end the sum is
//! what it was, every transfer that a client was told of is there, and none that it was told is not.
//!
//! `SERVAL_BANK_SECONDS=60` runs it longer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serval_testkit::{Cluster, ServalProcess};
use serval_tests::{APP, Answer, Client, Topology, eventually, make_databases, own_cluster};
use tokio::sync::Mutex;

use crate::atomic::{QUICK, branches};

const ACCOUNTS: u64 = 1000;
const CLIENTS: u64 = 16;
const EACH: u64 = 100;
/// Between two kills.
const PAUSE: Duration = Duration::from_secs(3);

/// What one client has heard of its transfers.
#[derive(Default)]
struct Heard {
    done: Vec<u64>,
    undone: Vec<u64>,
    unknown: u64,
}

/// The two proxies, each replaced when it is killed.
struct Proxies {
    topology: Topology,
    running: [Mutex<ServalProcess>; 2],
}

impl Proxies {
    async fn start(cluster: &Cluster, topology: Topology) -> Proxies {
        let one = proxy(cluster, &topology).await;
        let options = one.client_options(APP.0, APP.1, Some(&topology.schema));
        fill(&mut Client::connect("proxy", options).await).await;
        // Started now, it knows the tables; DDL through another proxy would have to be told to it.
        let two = proxy(cluster, &topology).await;
        Proxies { topology, running: [Mutex::new(one), Mutex::new(two)] }
    }

    async fn replace(&self, cluster: &Cluster, number: usize) {
        let mut running = self.running[number].lock().await;
        running.signal("KILL");
        *running = proxy(cluster, &self.topology).await;
    }

    async fn connect(&self, number: usize) -> Option<Client> {
        let options =
            self.running[number].lock().await.client_options(APP.0, APP.1, Some(&self.topology.schema));
        let connecting = Client::try_connect("proxy", options);
        tokio::time::timeout(Duration::from_secs(5), connecting).await.ok()?.ok()
    }
}

async fn proxy(cluster: &Cluster, topology: &Topology) -> ServalProcess {
    ServalProcess::start(|ports| topology.toml(cluster, ports)).await.expect("the proxy starts")
}

#[tokio::test]
async fn no_money_is_made_or_lost() {
    let seconds = std::env::var("SERVAL_BANK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let cluster = Arc::new(own_cluster().await);
    let topology = Topology { more: QUICK.to_owned(), ..Topology::new("bank") };
    make_databases(&cluster, &topology.schema).await;
    let proxies = Arc::new(Proxies::start(&cluster, topology).await);

    let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut clients = tokio::task::JoinSet::new();
    for seed in 0..CLIENTS {
        clients.spawn(transfers(Arc::clone(&proxies), Arc::clone(&stop), Arc::clone(&next), seed));
    }
    let ends = Instant::now() + Duration::from_secs(seconds);
    let mut number = 0;
    while Instant::now() + PAUSE < ends {
        tokio::time::sleep(PAUSE).await;
        kill(&cluster, &proxies, number).await;
        number += 1;
    }
    tokio::time::sleep(ends.saturating_duration_since(Instant::now())).await;
    stop.store(true, Ordering::Relaxed);
    let mut heard = Heard::default();
    while let Some(one) = clients.join_next().await {
        let one = one.expect("a client");
        heard.done.extend(one.done);
        heard.undone.extend(one.undone);
        heard.unknown += one.unknown;
    }
    eventually("no branch is left", Duration::from_secs(40), || async {
        branches(&cluster).await.is_empty()
    })
    .await;
    check(&proxies, &heard).await;
}

async fn fill(client: &mut Client) {
    client.must("CREATE TABLE t1 (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)").await;
    client.must("CREATE TABLE t2 (id BIGINT NOT NULL PRIMARY KEY)").await;
    let rows: Vec<String> = (0..ACCOUNTS).map(|id| format!("({id}, {EACH})")).collect();
    client.must(&format!("INSERT INTO t1 VALUES {}", rows.join(", "))).await;
}

/// One of the things that go wrong.
async fn kill(cluster: &Cluster, proxies: &Proxies, number: usize) {
    let primary = |group: usize| cluster.group(group).primary();
    match number % 6 {
        0 => {
            primary(1).kill().await.expect("kill");
            primary(1).start_again().await.expect("start");
        }
        1 => proxies.replace(cluster, 0).await,
        2 => {
            // As a network that is cut for a while: nothing arrives, nothing is refused.
            primary(0).pause().await;
            tokio::time::sleep(Duration::from_millis(1500)).await;
            primary(0).resume().await;
        }
        3 => {
            primary(0).kill().await.expect("kill");
            primary(0).start_again().await.expect("start");
        }
        4 => proxies.replace(cluster, 1).await,
        _ => {
            let ids = "SELECT id FROM information_schema.processlist WHERE user = 'serval'";
            for id in primary(1).column::<u64>(ids).await.expect("the process list") {
                // It may be gone already.
                let _ = primary(1).execute(&format!("KILL {id}")).await;
            }
        }
    }
}

async fn transfers(proxies: Arc<Proxies>, stop: Arc<AtomicBool>, next: Arc<AtomicU64>, seed: u64) -> Heard {
    let (mut heard, mut random, mut client) = (Heard::default(), seed * 7919 + 1, None);
    let mut draw = move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % ACCOUNTS
    };
    while !stop.load(Ordering::Relaxed) {
        let mut connected = match client.take() {
            Some(client) => client,
            None => match proxies.connect(usize::from(seed % 2 == 1)).await {
                Some(mut fresh) => {
                    let set = fresh.run("SET innodb_lock_wait_timeout = 1").await;
                    if set.error_number() != 0 || matches!(set, Answer::Broken(_)) {
                        continue;
                    }
                    fresh
                }
                None => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let (id, from, to) = (next.fetch_add(1, Ordering::Relaxed), draw(), draw());
        let moved = transfer(&mut connected, id, from, to);
        match tokio::time::timeout(Duration::from_secs(30), moved).await {
            Ok(Some(true)) => heard.done.push(id),
            Ok(Some(false)) => {
                heard.undone.push(id);
                if matches!(connected.run("ROLLBACK").await, Answer::Broken(_)) {
                    continue;
                }
            }
            Ok(None) | Err(_) => {
                heard.unknown += 1;
                continue;
            }
        }
        client = Some(connected);
    }
    heard
}

/// Whether the client was told that it is done, or that it is not; `None` where it was told neither.
async fn transfer(client: &mut Client, id: u64, from: u64, to: u64) -> Option<bool> {
    for sql in [
        "BEGIN".to_owned(),
        format!("UPDATE t1 SET v = v - 1 WHERE id = {from}"),
        format!("UPDATE t1 SET v = v + 1 WHERE id = {to}"),
        format!("INSERT INTO t2 VALUES ({id})"),
    ] {
        match client.run(&sql).await {
            Answer::Broken(_) => return None,
            answer if answer.error_number() != 0 => return Some(false),
            _ => {}
        }
    }
    match client.run("COMMIT").await {
        Answer::Broken(_) => None,
        answer => match answer.error_number() {
            0 => Some(true),
            1180 => None,
            _ => Some(false),
        },
    }
}

async fn check(proxies: &Proxies, heard: &Heard) {
    eventually("all groups serve again", Duration::from_secs(30), || async {
        let Some(mut client) = proxies.connect(1).await else { return false };
        client.run("SELECT SUM(v) FROM t1").await.error_number() == 0
    })
    .await;
    let mut client = proxies.connect(1).await.expect("a client");
    let total = (ACCOUNTS * EACH).to_string();
    assert_eq!(client.value("SELECT SUM(v) FROM t1").await, total, "the sum has changed");
    let rows = client.rows("SELECT id FROM t2").await;
    let there: BTreeSet<u64> = rows.iter().map(|row| row[0].parse().expect("an id")).collect();
    let lost: Vec<_> = heard.done.iter().filter(|id| !there.contains(id)).collect();
    assert!(lost.is_empty(), "told committed, and gone: {lost:?}");
    let kept: Vec<_> = heard.undone.iter().filter(|id| there.contains(id)).collect();
    assert!(kept.is_empty(), "told rolled back, and there: {kept:?}");
    let Heard { done, undone, unknown } = heard;
    assert!(
        done.len() > 100,
        "{} done, {} undone, {unknown} unknown: hardly anything ran",
        done.len(),
        undone.len()
    );
    // Shown with --nocapture, for who wants to know how much that was.
    tracing_line(&format!("{} transfers done, {} undone, {unknown} unknown", done.len(), undone.len()));
}

#[allow(clippy::print_stdout, reason = "a test says what it did to who asks for it")]
fn tracing_line(text: &str) {
    println!("{text}");
}
