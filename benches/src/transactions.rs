//! What transactions cost: of one node beside single statements, and of two nodes beside the servers' own XA, driven by hand
//! over connections of the same kind.
//!
//! One client, turns of a few hundred, interleaved, medians: the ratios are what counts.

use std::fmt;
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder};

use crate::client::Failure;
use crate::cpu;
use crate::protocol::{Protocol, Times};
use crate::target::{Bench, USER};

/// Transactions of one turn.
const TURN: u32 = 300;
/// Rows that are updated, so that nothing waits for a lock.
const ROWS: u32 = 1000;
/// Statements of a one-node transaction, BEGIN and COMMIT among them.
const STATEMENTS: u32 = 6;

/// Measures and prints.
pub(crate) async fn run(rounds: u32) -> Result<(), Failure> {
    let bench = Bench::start(1, ROWS, &[]).await?;
    let sharded = &bench.targets[3];
    let options = OptsBuilder::default()
        .ip_or_hostname("127.0.0.1")
        .tcp_port(sharded.port)
        .user(Some(USER.0))
        .pass(Some(USER.1))
        .db_name(Some(sharded.schema))
        .prefer_socket(false);
    let mut serval = Conn::new(options).await?;
    let mut direct = Vec::new();
    for group in bench.cluster.groups() {
        direct.push(group.primary().connect_as_backend(None).await?);
    }
    let ids = [ids(&mut direct[0], 0).await?, ids(&mut direct[1], 2).await?];
    let pid = sharded.proxy.ok_or("Serval has no process")?;
    let (mut single, mut one, mut two, mut hand) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut each = Vec::new();
    let (mut steps, mut steps_of_each, mut commits_by_hand) =
        (Steps::default(), Steps::default(), Vec::new());
    for _ in 0..rounds {
        single.push(measured(pid, single_statements(&mut serval, &ids[0])).await?);
        one.push(measured(pid, one_node(&mut serval, &ids[0])).await?);
        two.push(two_nodes(&mut serval, &ids, &mut steps).await?);
        serval.query_drop("SET serval_transaction = 'best_effort'").await?;
        each.push(two_nodes(&mut serval, &ids, &mut steps_of_each).await?);
        serval.query_drop("SET serval_transaction = DEFAULT").await?;
        hand.push(by_hand(&mut direct, &ids, &mut commits_by_hand).await?);
    }
    let (single, one) = (middle(single), middle(one));
    println!(
        "CPU of Serval per statement, one node: autocommit {single:.1?}, in a transaction of {STATEMENTS} {one:.1?}"
    );
    println!("    ratio {:.2}", one.as_secs_f64() / single.as_secs_f64());
    let (two, hand) = (middle(two), middle(hand));
    let each = middle(each);
    println!(
        "Transaction over two nodes, median: through Serval {} µs (best_effort {} µs), XA by hand {} µs",
        two.as_micros(),
        each.as_micros(),
        hand.as_micros()
    );
    println!("    ratio {:.2}", two.as_secs_f64() / hand.as_secs_f64());
    println!("    of its statements: {steps}; with best_effort: {steps_of_each}");
    let (commit, by_hand) = (middle(steps.0[3].clone()), middle(commits_by_hand));
    println!("COMMIT over two nodes, median: {} µs, by hand {} µs", commit.as_micros(), by_hand.as_micros());
    println!("    ratio {:.2}", commit.as_secs_f64() / by_hand.as_secs_f64());
    protocol(&bench, &ids, rounds).await
}

/// The protocol without sessions, beside XA by hand over the same connections.
async fn protocol(bench: &Bench, ids: &[Vec<u32>; 2], rounds: u32) -> Result<(), Failure> {
    let mut protocol = Protocol::start(bench)?;
    let (mut serval, mut hand) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let rows = || ids[0].iter().cycle().zip(ids[1].iter().cycle());
        let updates = |(here, there): (&u32, &u32)| {
            [update("sharded_0.sbtest1", *here), update("sharded_2.sbtest1", *there)]
        };
        for (_, rows) in (0..TURN).zip(rows()) {
            serval.push(protocol.serval(&updates(rows)).await?);
        }
        for (_, rows) in (0..TURN).zip(rows()) {
            hand.push(protocol.by_hand(&updates(rows)).await?);
        }
    }
    for (what, part) in [("transaction", whole as fn(&Times) -> Duration), ("its commit", commit)] {
        let serval = middle(serval.iter().map(part).collect());
        let hand = middle(hand.iter().map(part).collect());
        println!(
            "Over the same connections, {what} of two nodes, median: the protocol {} µs, XA by hand {} µs",
            serval.as_micros(),
            hand.as_micros()
        );
        println!("    ratio {:.2}", serval.as_secs_f64() / hand.as_secs_f64());
    }
    Ok(())
}

fn whole(times: &Times) -> Duration {
    times.whole
}

fn commit(times: &Times) -> Duration {
    times.commit
}

/// The rows of a node, on its own server.
async fn ids(conn: &mut Conn, node: u32) -> Result<Vec<u32>, mysql_async::Error> {
    conn.query(format!("SELECT id FROM sharded_{node}.sbtest1 ORDER BY id LIMIT 200")).await
}

fn update(table: &str, id: u32) -> String {
    format!("UPDATE {table} SET k = k + 1 WHERE id = {id}")
}

/// Serval's CPU time per statement.
async fn measured(
    pid: u32,
    work: impl Future<Output = Result<u32, mysql_async::Error>>,
) -> Result<Duration, Failure> {
    let before = cpu::used(pid).ok_or("Serval has ended")?;
    let statements = work.await?;
    let after = cpu::used(pid).ok_or("Serval has ended")?;
    Ok((after - before) / statements)
}

async fn single_statements(serval: &mut Conn, ids: &[u32]) -> Result<u32, mysql_async::Error> {
    let statements = TURN * STATEMENTS;
    for (_, id) in (0..statements).zip(ids.iter().cycle()) {
        serval.query_drop(update("sbtest1", *id)).await?;
    }
    Ok(statements)
}

async fn one_node(serval: &mut Conn, ids: &[u32]) -> Result<u32, mysql_async::Error> {
    for (_, id) in (0..TURN).zip(ids.iter().cycle()) {
        serval.query_drop("BEGIN").await?;
        for _ in 0..STATEMENTS - 2 {
            serval.query_drop(update("sbtest1", *id)).await?;
        }
        serval.query_drop("COMMIT").await?;
    }
    Ok(TURN * STATEMENTS)
}

/// How long each statement of a transaction over two nodes took.
#[derive(Default)]
struct Steps([Vec<Duration>; 4]);

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, times) in ["BEGIN", "UPDATE", "UPDATE", "COMMIT"].into_iter().zip(&self.0) {
            write!(f, "{name} {} µs ", middle(times.clone()).as_micros())?;
        }
        Ok(())
    }
}

/// The median time of a transaction.
async fn two_nodes(
    serval: &mut Conn,
    ids: &[Vec<u32>; 2],
    steps: &mut Steps,
) -> Result<Duration, mysql_async::Error> {
    let mut times = Vec::new();
    for (_, (here, there)) in (0..TURN).zip(ids[0].iter().cycle().zip(ids[1].iter().cycle())) {
        let begun = Instant::now();
        let mut before = begun;
        let statements =
            ["BEGIN".to_owned(), update("sbtest1", *here), update("sbtest1", *there), "COMMIT".to_owned()];
        for (statement, step) in statements.into_iter().zip(&mut steps.0) {
            serval.query_drop(statement).await?;
            let now = Instant::now();
            step.push(now - before);
            before = now;
        }
        times.push(before - begun);
    }
    Ok(middle(times))
}

/// The same rows, two branches: PREPARE on both servers at once, then COMMIT on both at once.
async fn by_hand(
    direct: &mut [Conn],
    ids: &[Vec<u32>; 2],
    commits: &mut Vec<Duration>,
) -> Result<Duration, mysql_async::Error> {
    let [one, two] = direct else { return Ok(Duration::ZERO) };
    let mut times = Vec::new();
    for (number, (here, there)) in (0..TURN).zip(ids[0].iter().cycle().zip(ids[1].iter().cycle())) {
        let begun = Instant::now();
        for (conn, table, id) in
            [(&mut *one, "sharded_0.sbtest1", here), (&mut *two, "sharded_2.sbtest1", there)]
        {
            conn.query_drop(format!("XA START 'bench-{number}'")).await?;
            conn.query_drop(update(table, *id)).await?;
        }
        let written = Instant::now();
        for verb in ["END", "PREPARE", "COMMIT"] {
            let sql = format!("XA {verb} 'bench-{number}'");
            let (here, there) = tokio::join!(one.query_drop(&sql), two.query_drop(&sql));
            here.and(there)?;
        }
        commits.push(written.elapsed());
        times.push(begun.elapsed());
    }
    Ok(middle(times))
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
