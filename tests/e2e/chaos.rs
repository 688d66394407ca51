//! Clients work while proxies, primaries and links die.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serval_testkit::{Cluster, ServalProcess};
use serval_tests::link::{Link, Trigger};
use serval_tests::{APP, Answer, Client, Topology, eventually, make_databases};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::atomic::branches;

/// Between two kills.
const PAUSE: Duration = Duration::from_secs(3);
/// How long one transaction may take before its client gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a client was told of its transaction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Done,
    /// Nothing of it was done, for this reason.
    Undone(String),
    /// Neither.
    Unknown,
}

impl Told {
    /// Whether it is no lie, where the transaction's rows are there or not.
    pub(crate) fn is_true_of(&self, there: bool) -> bool {
        match self {
            Self::Done => there,
            Self::Undone(_) => !there,
            Self::Unknown => true,
        }
    }
}

/// What clients do.
pub(crate) trait Load: Send + Sync + 'static {
    /// One transaction, from BEGIN to COMMIT, under a number of its own.
    fn one(&self, client: &mut Client, id: u64, draw: &mut Draw) -> impl Future<Output = Told> + Send;
}

/// What the clients have heard of their transactions.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) done: Vec<u64>,
    pub(crate) undone: Vec<u64>,
    pub(crate) unknown: u64,
    /// How often each error came.
    why: BTreeMap<String, u64>,
    /// Transactions done in each second.
    pace: Vec<u64>,
}

impl Heard {
    fn add(&mut self, other: Heard) {
        self.done.extend(other.done);
        self.undone.extend(other.undone);
        self.unknown += other.unknown;
        for (why, count) in other.why {
            *self.why.entry(why).or_default() += count;
        }
        if self.pace.len() < other.pace.len() {
            self.pace.resize(other.pace.len(), 0);
        }
        self.pace.iter_mut().zip(other.pace).for_each(|(all, one)| *all += one);
    }

    fn note_done(&mut self, id: u64, second: u64) {
        self.done.push(id);
        let second = usize::try_from(second).expect("short");
        if self.pace.len() <= second {
            self.pace.resize(second + 1, 0);
        }
        self.pace[second] += 1;
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { done, undone, unknown, why, pace } = self;
        writeln!(f, "{} transactions done, {} undone, {unknown} unknown", done.len(), undone.len())?;
        writeln!(f, "done in each second: {pace:?}")?;
        why.iter().try_for_each(|(why, count)| writeln!(f, "{count:6} {why}"))
    }
}

/// Numbers as if by chance.
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// The two proxies, each replaced when it is killed.
pub(crate) struct Proxies {
    topology: Topology,
    running: [Mutex<ServalProcess>; 2],
    /// Between the proxies and each group's primary.
    links: Vec<Link>,
}

impl Proxies {
    /// Both, and what `fill` makes through the first of them.
    pub(crate) async fn start(
        cluster: &Cluster,
        topology: Topology,
        fill: impl AsyncFnOnce(&mut Client),
    ) -> Arc<Proxies> {
        make_databases(cluster, &topology.schema).await;
        let links = links(cluster, &Arc::default()).await;
        let topology = Topology { primaries: links.iter().map(Link::address).collect(), ..topology };
        let one = proxy(cluster, &topology).await;
        let options = one.client_options(APP.0, APP.1, Some(&topology.schema));
        fill(&mut Client::connect("proxy", options).await).await;
        // Started now, it knows the tables; DDL through another proxy would have to be told to it.
        let two = proxy(cluster, &topology).await;
        Arc::new(Proxies { topology, running: [Mutex::new(one), Mutex::new(two)], links })
    }

    async fn replace(&self, cluster: &Cluster, number: usize) {
        let mut running = self.running[number].lock().await;
        running.signal("KILL");
        *running = proxy(cluster, &self.topology).await;
    }

    pub(crate) async fn connect(&self, number: usize) -> Option<Client> {
        let options =
            self.running[number].lock().await.client_options(APP.0, APP.1, Some(&self.topology.schema));
        let connecting = Client::try_connect("proxy", options);
        tokio::time::timeout(Duration::from_secs(5), connecting).await.ok()?.ok()
    }

    /// A client, once `sql`, which needs all groups, works again.
    pub(crate) async fn recovered(&self, sql: &str) -> Client {
        eventually("all groups serve again", Duration::from_secs(30), || async {
            let Some(mut client) = self.connect(1).await else { return false };
            client.run(sql).await.error_number() == 0
        })
        .await;
        self.connect(1).await.expect("a client")
    }
}

/// A link to the primary of each group.
pub(crate) async fn links(cluster: &Cluster, trigger: &Arc<Trigger>) -> Vec<Link> {
    let mut links = Vec::new();
    for group in cluster.groups() {
        links.push(Link::to(group.primary().port(), trigger).await);
    }
    links
}

async fn proxy(cluster: &Cluster, topology: &Topology) -> ServalProcess {
    ServalProcess::start(|ports| topology.toml(cluster, ports)).await.expect("the proxy starts")
}

/// Lets `clients` work for so long, half of them on each proxy, while something is killed every three seconds. Returns
/// when they have ended and no branch is left.
pub(crate) async fn storm<L: Load>(
    cluster: &Cluster,
    proxies: &Arc<Proxies>,
    load: &Arc<L>,
    clients: u64,
    seconds: u64,
) -> Heard {
    let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut running = JoinSet::new();
    for seed in 0..clients {
        let (proxies, load) = (Arc::clone(proxies), Arc::clone(load));
        running.spawn(client(proxies, load, Arc::clone(&stop), Arc::clone(&next), seed));
    }
    let ends = Instant::now() + Duration::from_secs(seconds);
    let mut number = 0;
    while Instant::now() + PAUSE < ends {
        tokio::time::sleep(PAUSE).await;
        kill(cluster, proxies, number).await;
        number += 1;
    }
    tokio::time::sleep(ends.saturating_duration_since(Instant::now())).await;
    stop.store(true, Ordering::Relaxed);
    let mut heard = Heard::default();
    while let Some(one) = running.join_next().await {
        heard.add(one.expect("a client"));
    }
    eventually("no branch is left", Duration::from_secs(40), || async { branches(cluster).await.is_empty() })
        .await;
    assert!(heard.done.len() > 100, "hardly anything ran: {heard}");
    say(&heard.to_string());
    heard
}

/// One of the things that go wrong.
async fn kill(cluster: &Cluster, proxies: &Proxies, number: usize) {
    let primary = |group: usize| cluster.group(group).primary();
    match number % 8 {
        0 => {
            primary(1).kill().await.expect("kill");
            primary(1).start_again().await.expect("start");
        }
        1 => proxies.replace(cluster, 0).await,
        2 => proxies.links[0].interrupt(Duration::from_millis(1500)).await,
        3 => {
            primary(0).kill().await.expect("kill");
            primary(0).start_again().await.expect("start");
        }
        4 => proxies.replace(cluster, 1).await,
        5 => {
            let interrupt = |link: usize| proxies.links[link].interrupt(Duration::from_millis(800));
            tokio::join!(interrupt(0), interrupt(1));
        }
        6 => {
            // As a host that swaps: nothing is answered, nothing is refused, and all of it is done later.
            primary(0).pause().await;
            tokio::time::sleep(Duration::from_millis(1500)).await;
            primary(0).resume().await;
        }
        _ => {
            let ids = "SELECT id FROM information_schema.processlist WHERE user = 'serval'";
            for id in primary(1).column::<u64>(ids).await.expect("the process list") {
                // It may be gone already.
                let _ = primary(1).execute(&format!("KILL {id}")).await;
            }
        }
    }
}

async fn client<L: Load>(
    proxies: Arc<Proxies>,
    load: Arc<L>,
    stop: Arc<AtomicBool>,
    next: Arc<AtomicU64>,
    seed: u64,
) -> Heard {
    let (mut heard, mut draw, mut connected) = (Heard::default(), Draw(seed * 7919 + 1), None);
    let begun = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let mut client = match connected.take() {
            Some(client) => client,
            None => match fresh(&proxies, usize::from(seed % 2 == 1)).await {
                Some(client) => client,
                None => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let id = next.fetch_add(1, Ordering::Relaxed);
        match tokio::time::timeout(PATIENCE, load.one(&mut client, id, &mut draw)).await {
            Ok(Told::Done) => heard.note_done(id, begun.elapsed().as_secs()),
            Ok(Told::Undone(why)) => {
                heard.undone.push(id);
                *heard.why.entry(why).or_default() += 1;
                if matches!(client.run("ROLLBACK").await, Answer::Broken(_)) {
                    continue;
                }
            }
            Ok(Told::Unknown) | Err(_) => {
                heard.unknown += 1;
                continue;
            }
        }
        connected = Some(client);
    }
    heard
}

async fn fresh(proxies: &Proxies, number: usize) -> Option<Client> {
    let mut client = proxies.connect(number).await?;
    let set = client.run("SET innodb_lock_wait_timeout = 1").await;
    (set.error_number() == 0 && !matches!(set, Answer::Broken(_))).then_some(client)
}

/// A statement before COMMIT; the error is what it means for the transaction.
pub(crate) async fn step(client: &mut Client, sql: &str) -> Result<Answer, Told> {
    match client.run(sql).await {
        Answer::Broken(_) => Err(Told::Unknown),
        answer if answer.error_number() != 0 => Err(Told::Undone(why(&answer))),
        answer => Ok(answer),
    }
}

pub(crate) async fn commit(client: &mut Client) -> Told {
    match client.run("COMMIT").await {
        Answer::Broken(_) => Told::Unknown,
        answer => match answer.error_number() {
            0 => Told::Done,
            1180 => Told::Unknown,
            _ => Told::Undone(why(&answer)),
        },
    }
}

/// An error as it is counted.
fn why(answer: &Answer) -> String {
    let text: String = answer.message().chars().take(100).collect();
    format!("{} {text}", answer.error_number())
}

/// How long a storm lasts: as the environment says, or shortly.
pub(crate) fn seconds(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[allow(clippy::print_stdout, reason = "a test says what it did to who asks for it with --nocapture")]
fn say(text: &str) {
    println!("{text}");
}
