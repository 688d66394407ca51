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
use crate::verdict::{Finding, Limit, Verdict};

/// Transactions of one turn.
const TURN: u32 = 300;
/// Rows that are updated, so that nothing waits for a lock.
const ROWS: u32 = 1000;
/// Statements of a one-node transaction, BEGIN and COMMIT among them.
const STATEMENTS: u32 = 6;

/// Medians of all rounds.
#[derive(Default)]
pub(crate) struct Figures {
    /// Serval's CPU per statement: autocommit ones, and those of one-node transactions.
    single: Vec<Duration>,
    one: Vec<Duration>,
    /// A client in front: Serval, Serval in mode `best_effort`, the servers' XA driven by the client itself.
    serval: Vec<Times>,
    each: Vec<Times>,
    hand: Vec<Times>,
    /// Nobody in front: the protocol and XA by hand, over the same pooled connections.
    protocol: Vec<Times>,
    pooled: Vec<Times>,
    steps: Steps,
    steps_of_each: Steps,
}

/// Measures and prints.
pub(crate) async fn run(rounds: u32) -> Result<(), Failure> {
    let bench = Bench::start(1, ROWS, &[]).await?;
    let figures = Figures::measure(&bench, rounds).await?;
    println!("{figures}");
    let mut verdict = Verdict::default();
    verdict.add(figures.findings());
    println!("{verdict}");
    Ok(())
}

impl Figures {
    /// Everything by turns, in each round.
    pub(crate) async fn measure(bench: &Bench, rounds: u32) -> Result<Figures, Failure> {
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
        let mut protocol = Protocol::start(bench)?;
        let mut figures = Figures::default();
        for _ in 0..rounds {
            figures.single.push(measured(pid, single_statements(&mut serval, &ids[0])).await?);
            figures.one.push(measured(pid, one_node(&mut serval, &ids[0])).await?);
            figures.serval.extend(two_nodes(&mut serval, &ids, &mut figures.steps).await?);
            figures.hand.extend(by_hand(&mut direct, &ids).await?);
            for updates in pairs(&ids) {
                figures.protocol.push(protocol.serval(&updates).await?);
            }
            for updates in pairs(&ids) {
                figures.pooled.push(protocol.by_hand(&updates).await?);
            }
            serval.query_drop("SET serval_transaction = 'best_effort'").await?;
            figures.each.extend(two_nodes(&mut serval, &ids, &mut figures.steps_of_each).await?);
            serval.query_drop("SET serval_transaction = DEFAULT").await?;
        }
        Ok(figures)
    }

    /// As the table of the benchmark shows them.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let (single, one) = (middle(self.single.clone()), middle(self.one.clone()));
        let cpu = Finding::new(
            "CPU per statement of a one-node transaction, of autocommit",
            format!("{one:.1?} of {single:.1?}"),
            one.as_secs_f64() / single.as_secs_f64(),
            Limit::AtMost(1.1),
        );
        let ratios = [
            (
                "COMMIT of two nodes, no client in front, of XA by hand",
                &self.protocol,
                &self.pooled,
                commit as Part,
            ),
            (
                "transaction of two nodes, no client in front, of XA by hand",
                &self.protocol,
                &self.pooled,
                whole,
            ),
            ("COMMIT of two nodes with a client in front, of XA by hand", &self.serval, &self.hand, commit),
            (
                "transaction of two nodes with a client in front, of XA by hand",
                &self.serval,
                &self.hand,
                whole,
            ),
        ];
        let ratio = |(what, ours, theirs, part): (&str, &Vec<Times>, &Vec<Times>, Part)| {
            let of = |times: &Vec<Times>| middle(times.iter().map(part).collect());
            let (ours, theirs) = (of(ours), of(theirs));
            let measured = format!("{} of {} µs", ours.as_micros(), theirs.as_micros());
            Finding::new(what, measured, ours.as_secs_f64() / theirs.as_secs_f64(), Limit::AtMost(1.3))
        };
        std::iter::once(cpu).chain(ratios.into_iter().map(ratio)).collect()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = middle(self.each.iter().map(whole).collect());
        writeln!(f, "Statements of a transaction over two nodes: {}", self.steps)?;
        write!(f, "Mode best_effort: {} µs, of which {}", each.as_micros(), self.steps_of_each)
    }
}

type Part = fn(&Times) -> Duration;

/// One update on each node, for a turn.
fn pairs(ids: &[Vec<u32>; 2]) -> impl Iterator<Item = [String; 2]> {
    let rows = ids[0].iter().cycle().zip(ids[1].iter().cycle());
    let rows =
        rows.map(|(here, there)| [update("sharded_0.sbtest1", *here), update("sharded_2.sbtest1", *there)]);
    rows.take(TURN as usize)
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

async fn two_nodes(
    serval: &mut Conn,
    ids: &[Vec<u32>; 2],
    steps: &mut Steps,
) -> Result<Vec<Times>, mysql_async::Error> {
    let mut times = Vec::new();
    for (_, (here, there)) in (0..TURN).zip(ids[0].iter().cycle().zip(ids[1].iter().cycle())) {
        let begun = Instant::now();
        let (mut before, mut last) = (begun, Duration::ZERO);
        let statements =
            ["BEGIN".to_owned(), update("sbtest1", *here), update("sbtest1", *there), "COMMIT".to_owned()];
        for (statement, step) in statements.into_iter().zip(&mut steps.0) {
            serval.query_drop(statement).await?;
            let now = Instant::now();
            last = now - before;
            step.push(last);
            before = now;
        }
        times.push(Times { whole: before - begun, commit: last });
    }
    Ok(times)
}

/// The same rows, two branches: PREPARE on both servers at once, then COMMIT on both at once.
async fn by_hand(direct: &mut [Conn], ids: &[Vec<u32>; 2]) -> Result<Vec<Times>, mysql_async::Error> {
    let [one, two] = direct else { return Ok(Vec::new()) };
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
        times.push(Times { whole: begun.elapsed(), commit: written.elapsed() });
    }
    Ok(times)
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
