//! Random statements under the oracle: what nobody thought of writing into a file.
//!
//! The sequence follows from a seed, which a failure prints; `SERVAL_SEED=n` replays it, and `SERVAL_STATEMENTS=n` makes
//! that of gathered statements longer.

mod dice;
mod gathered;
mod generator;
mod law;

use gathered::Gathered;
use generator::Generator;
use serval_testkit::Flavour;
use serval_tests::{Answer, Client, World, shared};

const STATEMENTS: usize = 700;
/// Of those that are gathered, unless `SERVAL_STATEMENTS` says more.
const GATHERED: u64 = 300;
/// Of the law's, for each seed.
const LAW: u64 = 600;
/// Of one seed: then it goes on with the next.
const MOST_WRONG: u64 = 200;
const NOT_SUPPORTED: u16 = 1235;

#[tokio::test]
async fn statements_answer_as_one_server_does() {
    let world = World::new("random").await;
    compare(world.client().await, world.oracle().await).await;
}

/// The same sequence on two plain servers, so what differs on the proxy is the proxy's doing.
#[tokio::test]
async fn statements_are_determined() {
    let servers = [shared().await.oracle.group(0).primary(), shared().await.cluster.group(0).primary()];
    let mut clients = Vec::new();
    for server in servers {
        server.execute("CREATE DATABASE two_random").await.expect("a database");
        let options = server.backend_options().db_name(Some("two_random"));
        clients.push(Client::connect("oracle", options).await);
    }
    compare(clients.remove(0), clients.remove(0)).await;
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// SELECTs that need rows of several nodes in one place: none is refused.
#[tokio::test]
async fn gathered_statements_answer_as_one_server_does() {
    let world = World::gathering("random_gather").await;
    compare_gathered(world.client().await, world.oracle().await).await;
}

#[tokio::test]
async fn gathered_statements_are_determined() {
    let servers = [shared().await.oracle.group(0).primary(), shared().await.cluster.group(0).primary()];
    let mut clients = Vec::new();
    for server in servers {
        server.execute("CREATE DATABASE two_random_gather").await.expect("a database");
        let options = server.backend_options().db_name(Some("two_random_gather"));
        clients.push(Client::connect("oracle", options).await);
    }
    compare_gathered(clients.remove(0), clients.remove(0)).await;
}

/// Everything that the law speaks of: all types, placements and forms of statements. No SELECT is refused, and hardly any
/// write. `SERVAL_SEEDS=3-5` takes several seeds, `SERVAL_PREPARED=1` the binary protocol;
/// `SERVAL_PAUSE=2` keeps the servers for an hour when a second answer is wrong.
#[tokio::test]
async fn the_law_holds_for_what_nobody_thought_of() {
    let world = World::gathering("random_law").await;
    let (proxy, oracle) = (world.client().await, world.oracle().await);
    the_law(proxy, oracle).await;
}

#[tokio::test]
async fn the_law_is_determined() {
    let servers = [shared().await.oracle.group(0).primary(), shared().await.cluster.group(0).primary()];
    let mut clients = Vec::new();
    for server in servers {
        server.execute("CREATE DATABASE two_random_law").await.expect("a database");
        let options = server.backend_options().db_name(Some("two_random_law"));
        clients.push(Client::connect("oracle", options).await);
    }
    the_law(clients.remove(0), clients.remove(0)).await;
}

#[allow(clippy::print_stdout, reason = "a test says what it saw to who asks for it with --nocapture")]
async fn the_law(mut proxy: Client, mut oracle: Client) {
    if number("SERVAL_PREPARED") == Some(1) {
        (proxy, oracle) = (proxy.preparing(), oracle.preparing());
    }
    let statements = number("SERVAL_STATEMENTS").unwrap_or(LAW);
    let pause = number("SERVAL_PAUSE");
    let most_wrong = pause.unwrap_or(MOST_WRONG) as usize;
    let mariadb = Flavour::from_env() == Flavour::MariaDb;
    let (mut wrong, mut report) = (0, String::new());
    let mut all = [0; 4];
    for seed in seeds() {
        let begun = std::time::Instant::now();
        let mut law = law::Law::new(seed, mariadb);
        for client in [&mut proxy, &mut oracle] {
            client.run("ROLLBACK").await;
        }
        let counted = law::compare(&mut law, statements, most_wrong, &mut proxy, &mut oracle).await;
        let law::Counted { selects, writes, refused_selects, refused_writes, errors, refusals, .. } =
            &counted;
        println!(
            "seed {seed}: {} statements in {:?}: {selects} SELECTs, {refused_selects} refused; {writes} writes, \
             {refused_writes} refused; {} wrong; errors {errors:?}; refusals {refusals:#?}",
            counted.statements,
            begun.elapsed(),
            counted.wrong.len()
        );
        wrong += counted.wrong.len();
        for (sum, number) in all.iter_mut().zip([*selects, *refused_selects, *writes, *refused_writes]) {
            *sum += number;
        }
        for line in counted.wrong.iter().take(number("SERVAL_SHOWN").unwrap_or(5) as usize) {
            report.push_str(&format!("seed {seed}, statement {line}\n"));
        }
        if pause.is_some() && counted.wrong.len() >= most_wrong {
            println!("{report}{}; {}; an hour to look at them", proxy.address(), oracle.address());
            tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
        }
    }
    let [selects, refused_selects, writes, refused_writes] = all;
    println!(
        "all: {selects} SELECTs, {refused_selects} refused; {writes} writes, {refused_writes} refused; {wrong} wrong"
    );
    assert!(refused_writes * 100 < writes, "{refused_writes} of {writes} writes are refused");
    assert!(wrong == 0, "{wrong} differ, among them\n{report}");
}

fn seeds() -> std::ops::RangeInclusive<u64> {
    let text = std::env::var("SERVAL_SEEDS").unwrap_or_default();
    let (first, last) = text.split_once('-').unwrap_or((&text, &text));
    let first = first.parse().unwrap_or(1);
    first..=last.parse().unwrap_or(first)
}

async fn compare_gathered(mut proxy: Client, mut oracle: Client) {
    let seed = number("SERVAL_SEED").unwrap_or(20_261_121);
    let statements = number("SERVAL_STATEMENTS").unwrap_or(GATHERED);
    let mut generator = Gathered::new(seed);
    for sql in generator.tables() {
        proxy.must(&sql).await;
        oracle.must(&sql).await;
    }
    let mut wrong = Vec::new();
    for number in 0..statements {
        let statement = generator.statement();
        let (ours, theirs) = tokio::join!(proxy.run(&statement.sql), oracle.run(&statement.sql));
        let [ours, theirs] = [ours, theirs].map(|answer| of_values(comparable(answer, statement.ordered)));
        if ours != theirs {
            wrong.push(format!(
                "seed {seed}, statement {number}: {}\n  proxy:  {ours:?}\n  oracle: {theirs:?}",
                statement.sql
            ));
        }
    }
    let first = wrong.iter().take(5).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {statements} differ, among them\n{first}", wrong.len());
}

async fn compare(mut proxy: Client, mut oracle: Client) {
    let seed = number("SERVAL_SEED").unwrap_or(20_261_120);
    let mut generator = Generator::new(seed);
    for sql in generator.table() {
        proxy.must(&sql).await;
        oracle.must(&sql).await;
    }
    let mut refused = 0;
    for number in 0..STATEMENTS {
        let statement = generator.statement();
        let place = format!("seed {seed}, statement {number}: {}", statement.sql);
        let ours = proxy.run(&statement.sql).await;
        if ours.error_number() == NOT_SUPPORTED {
            refused += 1;
            continue;
        }
        let theirs = oracle.run(&statement.sql).await;
        assert_eq!(comparable(ours, statement.ordered), comparable(theirs, statement.ordered), "{place}");
    }
    assert!(
        refused < STATEMENTS / 5,
        "{refused} of {STATEMENTS} refused: the generator should mostly know better"
    );
    same_table(&mut proxy, &mut oracle).await;
}

async fn same_table(proxy: &mut Client, oracle: &mut Client) {
    let all = "SELECT * FROM t1 ORDER BY id";
    assert_eq!(proxy.rows(all).await, oracle.rows(all).await);
}

/// What servers say of a computed column, beside its name and type, depends on whether they have found rows.
fn of_values(answer: Answer) -> Answer {
    let Answer::Rows { columns, rows, warnings } = answer else { return answer };
    let short = |column: String| match column.split_once(" of . (") {
        None => column,
        Some((name, rest)) => {
            let kind = rest.split(' ').find(|word| word.starts_with("MYSQL_TYPE")).unwrap_or_default();
            format!("{name} {kind}")
        }
    };
    Answer::Rows { columns: columns.into_iter().map(short).collect(), rows, warnings }
}

fn comparable(answer: Answer, ordered: bool) -> Answer {
    match answer {
        Answer::Rows { columns, mut rows, .. } => {
            if !ordered {
                rows.sort();
            }
            // Flags of a column depend on whether a server answers from a temporary table.
            let columns =
                columns.iter().map(|column| column.split(" flags ").next().unwrap_or(column).to_owned());
            let columns = columns.collect();
            // The number of warnings depends on how often a server evaluates a constant condition, and on its plan.
            Answer::Rows { columns, rows, warnings: 0 }
        }
        Answer::Done { affected, insert_id, info, .. } => {
            let info = info.split("  Warnings").next().unwrap_or_default().to_owned();
            Answer::Done { affected, insert_id, warnings: 0, info }
        }
        // Which row an error names depends on the order of the rows.
        Answer::Refused { number, state, .. } => Answer::Refused { number, state, message: String::new() },
        broken @ Answer::Broken(_) => broken,
    }
}
