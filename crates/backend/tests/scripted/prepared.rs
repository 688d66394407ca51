//! Prepared statements: kept, forgotten, evicted, refused.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use serval_backend::{ServerConnection, Timing};
use serval_remote::{Connection, Execution, RemoteError, Request, SessionState};
use serval_types::Value;
use serval_wire::command::execute::Parameters;
use serval_wire::response::Completion;

use crate::fake::{Door, Fake, Reply};
use crate::{acquire, group, plain, run, start, start_timed, timing};

static FRESH: LazyLock<SessionState> = LazyLock::new(SessionState::default);

/// INT 7, NULL.
static PARAMETERS: LazyLock<Parameters> = LazyLock::new(|| {
    let mut parameters = Parameters::none();
    parameters.push(&Value::Text(b"7".to_vec()));
    parameters.push(&Value::Null);
    parameters
});

/// What the fake writes down for the parameters in this order.
const ONE: &str = "[00, 01, fd, 00, 01, 37]";
const NULL_ONE: &str = "[01, 01, 06, 00, fd, 00, 01, 37]";

fn execution<'a>(sql: &'a str, selection: &'a [u16]) -> Request<'a> {
    Request { execution: Some(Execution { parameters: &PARAMETERS, selection }), ..plain(sql) }
}

async fn execute(connection: &mut ServerConnection, sql: &str) -> Result<Completion, RemoteError> {
    run(connection, &execution(sql, &[0])).await
}

/// Answers like [`Reply::Ok`], except that the first `times` commands that begin with `prefix` are refused.
async fn refusing(prefix: &'static str, times: usize, number: u16) -> Fake {
    let seen = AtomicUsize::new(0);
    Fake::start(Door::Native, move |command| {
        if command.starts_with(prefix) && seen.fetch_add(1, Ordering::Relaxed) < times {
            Reply::Err(number)
        } else {
            Reply::Ok
        }
    })
    .await
}

#[tokio::test]
async fn a_statement_is_prepared_once_and_executed_often() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 1)]);
    for selection in [&[0][..], &[0]] {
        let mut connection = acquire(&servers).await.unwrap();
        run(&mut connection, &execution("SELECT ?", selection)).await.unwrap();
    }
    let mut connection = acquire(&servers).await.unwrap();
    run(&mut connection, &execution("SELECT ?, ?", &[1, 0])).await.unwrap();
    run(&mut connection, &execution("SELECT 1", &[])).await.unwrap();
    assert_eq!(
        fake.transcript(),
        [
            "a PREPARE SELECT ?".to_owned(),
            format!("a EXECUTE 1 {ONE}"),
            format!("a EXECUTE 1 {ONE}"),
            "a PREPARE SELECT ?, ?".to_owned(),
            format!("a EXECUTE 2 {NULL_ONE}"),
            "a PREPARE SELECT 1".to_owned(),
            "a EXECUTE 3 []".to_owned(),
        ]
    );
    assert_eq!(servers.statistics()[0].queries, 4);
}

#[tokio::test]
async fn preambles_come_first_and_share_a_write_where_they_may() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 1)]);
    let mut connection = acquire(&servers).await.unwrap();
    let quotes = FRESH.with("sql_mode", "'ANSI_QUOTES'");
    let full = |database, state| Request {
        database: Some(database),
        state,
        begin: Some("BEGIN"),
        ..execution("SELECT ?", &[0])
    };
    for (database, state) in [("d0", &*FRESH), ("d1", &quotes), ("d0", &FRESH), ("d0", &quotes)] {
        run(&mut connection, &full(database, state)).await.unwrap();
        run(&mut connection, &Request { state, ..plain("COMMIT") }).await.unwrap();
    }
    assert_eq!(
        fake.transcript(),
        [
            "a INIT_DB d0".to_owned(),
            "a QUERY BEGIN".to_owned(),
            "a PREPARE SELECT ?".to_owned(),
            format!("a EXECUTE 1 {ONE}"),
            "a QUERY COMMIT".to_owned(),
            "a INIT_DB d1".to_owned(),
            "a QUERY SET sql_mode='ANSI_QUOTES'".to_owned(),
            "a QUERY BEGIN +".to_owned(),
            "a PREPARE SELECT ?".to_owned(),
            format!("a EXECUTE 2 {ONE}"),
            "a QUERY COMMIT".to_owned(),
            "a QUERY SET sql_mode=DEFAULT".to_owned(),
            "a QUERY BEGIN +".to_owned(),
            "a INIT_DB d0 +".to_owned(),
            format!("a EXECUTE 1 {ONE}"),
            "a QUERY COMMIT".to_owned(),
            "a QUERY SET sql_mode='ANSI_QUOTES' +".to_owned(),
            "a QUERY BEGIN +".to_owned(),
            "a PREPARE SELECT ?".to_owned(),
            format!("a EXECUTE 3 {ONE}"),
            "a QUERY COMMIT".to_owned(),
        ]
    );
}

#[tokio::test]
async fn the_least_recently_used_is_closed_along_with_the_next() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let timing = Timing { prepared_statements: 2, ..timing() };
    let servers = start_timed(&[group(&[&fake], 1)], timing);
    let mut connection = acquire(&servers).await.unwrap();
    for sql in ["a?", "b?", "a?", "c?", "a?", "b?"] {
        execute(&mut connection, sql).await.unwrap();
    }
    let expected = [
        "a PREPARE a?",
        "a EXECUTE 1",
        "a PREPARE b?",
        "a EXECUTE 2",
        "a EXECUTE 1",
        "a CLOSE 2 +",
        "a PREPARE c?",
        "a EXECUTE 3",
        "a EXECUTE 1",
        "a CLOSE 3 +",
        "a PREPARE b?",
        "a EXECUTE 4",
    ];
    assert_eq!(shortened(&fake), expected);
}

/// The transcript without parameters.
fn shortened(fake: &Fake) -> Vec<String> {
    fake.transcript().into_iter().map(|line| line.replace(&format!(" {ONE}"), "")).collect()
}

#[tokio::test]
async fn what_the_server_has_forgotten_is_prepared_again_unseen() {
    for number in [1243, 1615] {
        let fake = refusing("EXECUTE 1", 1, number).await;
        let servers = start(&[group(&[&fake], 1)]);
        let mut connection = acquire(&servers).await.unwrap();
        for _ in 0..2 {
            assert_eq!(execute(&mut connection, "a?").await.unwrap().error, None);
        }
        let expected =
            ["a PREPARE a?", "a EXECUTE 1", "a CLOSE 1 +", "a PREPARE a?", "a EXECUTE 2", "a EXECUTE 2"];
        assert_eq!(shortened(&fake), expected);
    }
}

#[tokio::test]
async fn once_and_not_for_ever() {
    let fake = refusing("EXECUTE", 2, 1615).await;
    let servers = start(&[group(&[&fake], 1)]);
    let mut connection = acquire(&servers).await.unwrap();
    assert_eq!(execute(&mut connection, "a?").await.unwrap().error.unwrap().number, 1615);
    assert_eq!(execute(&mut connection, "a?").await.unwrap().error, None);
}

#[tokio::test]
async fn a_statement_that_cannot_be_prepared_again_is_refused() {
    let prepared = Arc::new(AtomicUsize::new(0));
    let fake = Fake::start(Door::Native, move |command| match command {
        "PREPARE a?" if prepared.fetch_add(1, Ordering::Relaxed) > 0 => Reply::Err(1146),
        _ if command.starts_with("EXECUTE") => Reply::Err(1243),
        _ => Reply::Ok,
    })
    .await;
    let servers = start(&[group(&[&fake], 1)]);
    let mut connection = acquire(&servers).await.unwrap();
    let refused = execute(&mut connection, "a?").await;
    assert!(matches!(&refused, Err(RemoteError::Refused(error)) if error.number == 1146), "{refused:?}");
    run(&mut connection, &plain("DO 1")).await.unwrap();
}

#[tokio::test]
async fn an_error_of_prepare_is_the_answer_and_the_connection_stays() {
    let fake = refusing("PREPARE", 1, 1146).await;
    let servers = start(&[group(&[&fake], 1)]);
    let mut connection = acquire(&servers).await.unwrap();
    let request = Request { begin: Some("BEGIN"), ..execution("a?", &[0]) };
    let refused = run(&mut connection, &request).await;
    assert!(matches!(&refused, Err(RemoteError::Refused(error)) if error.number == 1146), "{refused:?}");
    assert!(connection.in_transaction());
    execute(&mut connection, "a?").await.unwrap();
    assert_eq!(shortened(&fake), ["a QUERY BEGIN", "a PREPARE a?", "a PREPARE a?", "a EXECUTE 1"]);
}

#[tokio::test]
async fn a_server_full_of_statements_is_given_half_of_ours() {
    let count = AtomicUsize::new(0);
    let fake = Fake::start(Door::Native, move |command| {
        let number = count.fetch_add(usize::from(command.starts_with("PREPARE")), Ordering::Relaxed);
        if command.starts_with("PREPARE") && number == 4 { Reply::Err(1461) } else { Reply::Ok }
    })
    .await;
    let servers = start(&[group(&[&fake], 1)]);
    let mut connection = acquire(&servers).await.unwrap();
    for sql in ["a?", "b?", "c?", "d?", "e?"] {
        execute(&mut connection, sql).await.unwrap();
    }
    let expected = ["a PREPARE e?", "a CLOSE 1 +", "a CLOSE 2 +", "a PREPARE e?", "a EXECUTE 5"];
    assert_eq!(shortened(&fake)[8..], expected);

    let full = refusing("PREPARE", 9, 1461).await;
    let servers = start(&[group(&[&full], 1)]);
    let refused = execute(&mut acquire(&servers).await.unwrap(), "a?").await;
    assert!(matches!(&refused, Err(RemoteError::Refused(error)) if error.number == 1461), "{refused:?}");
    assert_eq!(full.transcript(), ["a PREPARE a?"]);
}

#[tokio::test]
async fn a_new_connection_has_nothing_prepared() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 1)]);
    let mut connection = acquire(&servers).await.unwrap();
    execute(&mut connection, "a?").await.unwrap();
    connection.spoil();
    drop(connection);
    execute(&mut acquire(&servers).await.unwrap(), "a?").await.unwrap();
    assert_eq!(shortened(&fake), ["a PREPARE a?", "a EXECUTE 1", "a QUIT", "b PREPARE a?", "b EXECUTE 1"]);
}

#[tokio::test]
async fn preparing_alone_describes_and_runs_nothing() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 1)]);
    let mut connection = acquire(&servers).await.unwrap();
    for _ in 0..2 {
        let prepared =
            connection.prepare(&Request { database: Some("d"), ..plain("SELECT ?, ?") }).await.unwrap();
        assert_eq!((prepared.parameters.len(), prepared.columns.len()), (2, 0));
    }
    run(&mut connection, &Request { database: Some("d"), ..execution("SELECT ?, ?", &[0, 0]) })
        .await
        .unwrap();
    let transcript = fake.transcript();
    let expected = ["a INIT_DB d", "a PREPARE SELECT ?, ?", "a CLOSE 1 +", "a PREPARE SELECT ?, ?"];
    assert_eq!(transcript[..4], expected);
    assert!(transcript[4].starts_with("a EXECUTE 2 ") && transcript.len() == 5, "{transcript:#?}");
}

#[tokio::test]
async fn another_number_of_parameters_is_not_sent() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 1)]);
    let mut connection = acquire(&servers).await.unwrap();
    for selection in [&[][..], &[0, 1], &[9]] {
        let refused = run(&mut connection, &execution("a?", selection)).await;
        assert!(matches!(&refused, Err(RemoteError::Refused(error)) if error.number == 1210), "{refused:?}");
    }
    assert_eq!(fake.transcript(), ["a PREPARE a?"]);
}

#[tokio::test]
async fn answers_to_texts_above_16_mib_are_understood() {
    let fake = Fake::start(Door::Native, |_| Reply::Err(1064)).await;
    let servers = start(&[group(&[&fake], 1)]);
    let mut connection = acquire(&servers).await.unwrap();
    for length in [(16 << 20) - 2, 17 << 20, 33 << 20] {
        let sql = format!("?{}", " ".repeat(length - 1));
        let refused = execute(&mut connection, &sql).await;
        assert!(matches!(&refused, Err(RemoteError::Refused(error)) if error.number == 1064), "{refused:?}");
        fake.saw(&format!("a 0x16 of {length} bytes")).await;
    }
}
