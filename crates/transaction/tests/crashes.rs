//! Every statement of an atomic commit goes wrong once, in every way; afterwards all is there or nothing, the client was
//! told the truth, and no branch is left.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

mod simulated;

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serval_catalog::{Catalog, TransactionMode};
use serval_remote::{Connection, Request, SessionState};
use serval_transaction::{CommitError, Coordinator, Ending, Transaction};
use serval_types::{GroupId, MysqlError};
use simulated::{Fault, Flavour, SOON, Servers};

/// What the client heard.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Committed,
    RolledBack(MysqlError),
    InDoubt,
    Partial,
    Nothing,
}

const CONFIG: &str = r#"
[defaults.group]
user = "u"
password = "p"
[groups]
g0 = { primary = "127.0.0.1:1" }
g1 = { primary = "127.0.0.1:2" }
g2 = { primary = "127.0.0.1:3" }
[nodes]
dn0 = { group = "g0", database = "d0" }
dn1 = { group = "g1", database = "d1" }
dn2 = { group = "g2", database = "d2" }
[schemas.shop]
default_node = "dn0"
"#;

fn catalog() -> Arc<ArcSwap<Catalog>> {
    static READ: std::sync::LazyLock<Catalog> = std::sync::LazyLock::new(read);
    Arc::new(ArcSwap::from_pointee(READ.clone()))
}

fn read() -> Catalog {
    let (mut catalog, _) = serval_catalog::load(CONFIG, "serval.toml", &|_| Ok(String::new()), &[])
        .map_err(|all| all[0].clone())
        .unwrap();
    catalog.settings.recovery.patience = Duration::ZERO;
    catalog
}

fn coordinator(servers: &Servers) -> Arc<Coordinator<Servers>> {
    Coordinator::new(Arc::new(servers.clone()), catalog())
}

/// A statement as the executor runs it. False once it failed.
async fn run(servers: &Servers, transaction: &mut Transaction<Servers>, group: u16, sql: &str) -> bool {
    let (state, deadline) = (SessionState::default(), Instant::now() + SOON);
    let lent = transaction.lend(servers, GroupId(group), &format!("g{group}"), &state, deadline).await;
    let Ok(mut lent) = lent else { return false };
    let begin = lent.begin.take();
    lent.only_reads = sql == LOOK;
    let request = Request {
        database: None,
        state: &state,
        begin: begin.as_deref(),
        sql: sql.as_bytes(),
        execution: None,
    };
    let answer = match lent.connection.send(&request).await {
        Ok(()) => lent.connection.read_burst().await,
        Err(error) => Err(error),
    };
    let error = match answer {
        Ok(burst) => burst.completion.unwrap().error.map(|error| error.to_mysql()),
        Err(_) => {
            transaction.settle(lent, Ending::Lost).await.unwrap();
            return false;
        }
    };
    let ending = error.as_ref().map_or(Ending::Success, Ending::Failed);
    transaction.settle(lent, ending).await.unwrap();
    error.is_none()
}

/// What a client does: on which groups it writes a row, and on which it looks at one.
type Script = [(u16, &'static str)];

const PUT: &str = "PUT row";
const LOOK: &str = "LOOK";

/// A client that does all of it in one transaction.
async fn client(servers: &Servers, coordinator: &Arc<Coordinator<Servers>>, script: &Script) -> Told {
    let mut transaction: Transaction<Servers> = Transaction::with(coordinator);
    transaction.begin("START TRANSACTION", TransactionMode::Atomic);
    for (group, sql) in script {
        if !run(servers, &mut transaction, *group, sql).await {
            transaction.rollback().await;
            return Told::Nothing;
        }
    }
    match transaction.commit().await {
        Ok(()) => Told::Committed,
        Err(CommitError::RolledBack(error)) => Told::RolledBack(error),
        Err(CommitError::InDoubt { .. }) => Told::InDoubt,
        Err(CommitError::Partial { .. }) => Told::Partial,
    }
}

/// Runs the client until it has its answer, or its proxy is dead.
async fn play(servers: &Servers, coordinator: &Arc<Coordinator<Servers>>, script: &Script) -> Told {
    let killed = async {
        while !servers.is_dead() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        biased;
        told = client(servers, coordinator, script) => told,
        () = killed => Told::Nothing,
    }
}

/// Recovers until no branch is left.
async fn recover(servers: &Servers, coordinator: &Arc<Coordinator<Servers>>) {
    for _ in 0..4 {
        coordinator.round().await;
        if (0..3).all(|group| servers.with(group, |group| group.branches().is_empty())) {
            return;
        }
    }
}

fn check(servers: &Servers, told: &Told, script: &Script, place: &str) {
    let writes: Vec<u16> = script.iter().filter(|(_, sql)| *sql == PUT).map(|(group, _)| *group).collect();
    let log = || servers.log().join("\n");
    let there: Vec<bool> =
        writes.iter().map(|&group| servers.with(group.into(), |group| group.rows.contains("row"))).collect();
    let all = there.iter().all(|there| *there);
    let none = there.iter().all(|there| !*there);
    assert!(all || none, "{place}: {there:?}, told {told:?}\n{}", log());
    let groups: std::collections::BTreeSet<&u16> = writes.iter().collect();
    match told {
        Told::Committed => assert!(all, "{place}: told committed, but nothing is there\n{}", log()),
        // Where one group alone wrote, its COMMIT is as good as one server's: a server's own word, or either.
        _ if groups.len() < 2 => {}
        Told::RolledBack(error) => assert!(none, "{place}: told {error}, but all is there\n{}", log()),
        Told::Partial => panic!("{place}: partial\n{}", log()),
        Told::InDoubt | Told::Nothing => {}
    }
    for group in 0..3 {
        let left = servers.with(group, |group| group.branches());
        assert!(left.is_empty(), "{place}: left on g{group}: {left:?}\n{}", log());
    }
}

/// What is committed and has yet to be told to a group is not read there.
fn check_owing(servers: &Servers, proxy: &Coordinator<Servers>, place: &str) {
    for group in 0..3_u16 {
        let left = servers.with(group.into(), |group| !group.branches().is_empty());
        assert!(!left || proxy.owes(GroupId(group)), "{place}: g{group} lacks what was committed");
    }
}

/// Every statement of the client, every fault, recovered by the same proxy and by another.
async fn enumerate(flavour: Flavour, script: &Script) {
    let calm = Servers::new(3, flavour);
    let proxy = coordinator(&calm);
    warm_up(&calm, &proxy).await;
    calm.fail(&[]);
    assert_eq!(client(&calm, &proxy, script).await, Told::Committed);
    // After a fault there may be more statements.
    let steps = calm.steps() + 6;
    for step in 0..steps {
        for fault in Fault::ALL {
            for other in [true, false] {
                let servers = Servers::new(3, flavour);
                let first = coordinator(&servers);
                warm_up(&servers, &first).await;
                servers.fail(&[(step, fault)]);
                let told = play(&servers, &first, script).await;
                let place = format!("{flavour:?} {fault:?} at {step}, other {other}");
                if told == Told::Committed {
                    check_owing(&servers, &first, &place);
                }
                servers.heal();
                let next = if other { coordinator(&servers) } else { first };
                recover(&servers, &next).await;
                next.round().await;
                assert!((0..3).all(|group| !next.owes(GroupId(group))), "{place}: nothing is owed any more");
                check(&servers, &told, script, &place);
                let lost = next.in_doubt().into_iter().any(|doubt| doubt.verdict.contains("lost"));
                assert!(!lost, "{place}: nothing was lost");
            }
        }
    }
}

/// The first use of every group makes its tables, which is not what is tried here.
async fn warm_up(servers: &Servers, coordinator: &Arc<Coordinator<Servers>>) {
    for group in 0..3 {
        let script = [(group, PUT), ((group + 1) % 3, PUT)];
        assert_eq!(client(servers, coordinator, &script).await, Told::Committed);
    }
    for group in 0..3 {
        servers.with(group, |group| group.rows.clear());
    }
}

#[tokio::test(start_paused = true)]
async fn one_fault_anywhere_on_mariadb() {
    enumerate(Flavour::MariaDb, &[(1, PUT), (0, PUT), (2, PUT)]).await;
}

#[tokio::test(start_paused = true)]
async fn one_fault_anywhere_on_mysql() {
    enumerate(Flavour::MySql, &[(1, PUT), (0, PUT), (2, LOOK), (1, PUT)]).await;
}

#[tokio::test(start_paused = true)]
async fn one_fault_anywhere_where_the_first_group_only_reads() {
    enumerate(Flavour::MariaDb, &[(1, LOOK), (0, PUT), (2, PUT)]).await;
    enumerate(Flavour::MySql, &[(1, LOOK), (0, PUT), (2, PUT)]).await;
}

/// Several faults, also while recovery runs, and two proxies that recover at once. A failure names its seed, and
/// `SERVAL_SEED=n` replays that one; `SERVAL_SEEDS=n` runs as many, from `SERVAL_FIRST_SEED` on.
#[tokio::test(start_paused = true)]
async fn many_faults_anywhere() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("SERVAL_SEED") {
        Some(seed) => seed..seed + 1,
        None => {
            let first = number("SERVAL_FIRST_SEED").unwrap_or(0);
            first..first + number("SERVAL_SEEDS").unwrap_or(5000)
        }
    };
    for seed in seeds {
        many_faults(seed).await;
    }
}

async fn many_faults(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let flavour = if random.random() { Flavour::MariaDb } else { Flavour::MySql };
    let script: Vec<(u16, &str)> = (0..random.random_range(2..6))
        .map(|_| (random.random_range(0..3), if random.random_ratio(1, 5) { LOOK } else { PUT }))
        .collect();
    let servers = Servers::new(3, flavour);
    let first = coordinator(&servers);
    if random.random() {
        warm_up(&servers, &first).await;
    }
    // A commit has some sixteen statements; what comes later meets recovery.
    let last = if random.random() { 16 } else { 40 };
    let faults: Vec<(usize, Fault)> = (0..random.random_range(1..5))
        .map(|_| (random.random_range(0..last), Fault::ALL[random.random_range(0..Fault::ALL.len())]))
        .collect();
    servers.fail(&faults);
    let told = play(&servers, &first, &script).await;
    // The faults go on while these two recover; a proxy that dies then leaves it to the last ones.
    servers.start_again();
    let (one, two) = (coordinator(&servers), coordinator(&servers));
    let rounds = async { tokio::join!(recover(&servers, &one), recover(&servers, &two)) };
    let _ = tokio::time::timeout(Duration::from_secs(600), rounds).await;
    servers.heal();
    servers.settle();
    let third = coordinator(&servers);
    tokio::join!(recover(&servers, &one), recover(&servers, &third));
    let lost = [&first, &one, &third]
        .iter()
        .flat_map(|proxy| proxy.in_doubt())
        .any(|doubt| doubt.verdict.contains("lost"));
    assert!(!lost, "seed {seed}: nothing was lost");
    check(&servers, &told, &script, &format!("seed {seed}: {flavour:?} {faults:?} {script:?}"));
}

/// XA COMMIT was done, its answer was lost with the primary, and the replica that follows has no such branch: nothing is
/// missing if a replica had acknowledged the branch, and nobody knows if not.
#[tokio::test(start_paused = true)]
async fn a_failover_that_swallows_an_answer() {
    let script = [(0, PUT), (1, PUT)];
    for (flavour, acknowledges) in
        [Flavour::MariaDb, Flavour::MySql].into_iter().flat_map(|f| [(f, true), (f, false)])
    {
        let servers = Servers::new(3, flavour);
        (0..3).for_each(|group| servers.with(group, |group| group.acknowledges = acknowledges));
        let proxy = coordinator(&servers);
        warm_up(&servers, &proxy).await;
        servers.fail(&[]);
        assert_eq!(client(&servers, &proxy, &script).await, Told::Committed);
        let last = servers.steps() - 1;
        recover(&servers, &proxy).await;
        servers.fail(&[(last, Fault::LostAfter)]);
        assert_eq!(client(&servers, &proxy, &script).await, Told::Committed);
        servers.heal();
        servers.with(1, |group| group.server = "its replica");
        proxy.round().await;
        let verdicts: Vec<_> = proxy.in_doubt().into_iter().map(|doubt| doubt.verdict).collect();
        let expected: &[&str] = if acknowledges { &[] } else { &["perhaps lost"] };
        assert_eq!(
            verdicts,
            expected,
            "{flavour:?}, acknowledges {acknowledges}\n{}",
            servers.log().join("\n")
        );
    }
}

/// Where a group has no XA, what it says to XA START becomes advice, the transaction goes on without it, and the connection
/// is as good as before.
#[tokio::test(start_paused = true)]
async fn a_group_without_xa_may_only_be_first() {
    let servers = Servers::new(2, Flavour::NoXa);
    let coordinator = coordinator(&servers);
    let mut transaction: Transaction<Servers> = Transaction::with(&coordinator);
    transaction.begin("START TRANSACTION", TransactionMode::Atomic);
    assert!(run(&servers, &mut transaction, 0, PUT).await);
    let (state, deadline) = (SessionState::default(), Instant::now() + SOON);
    let refused =
        transaction.lend(&servers, GroupId(1), "g1", &state, deadline).await.unwrap_err().to_mysql();
    assert_eq!(refused.number, 1235);
    assert!(refused.message.contains("use it first in the transaction, or in one of its own"), "{refused}");
    assert_eq!(transaction.groups(), [GroupId(0)]);
    transaction.commit().await.unwrap();
    assert_eq!(servers.with(0, |group| group.rows.len()), 1);
    assert_eq!(client(&servers, &coordinator, &[(1, PUT)]).await, Told::Committed, "alone it may");
}
