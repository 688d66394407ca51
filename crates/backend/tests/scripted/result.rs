//! Answers: relayed, broken off, malformed, large.

use serval_remote::{Connection, RemoteError};
use serval_wire::response::CompletionKind;

use crate::fake::{Door, Fake, Reply};
use crate::{acquire, group, plain, run, start};

#[tokio::test]
async fn rows_and_errors_pass() {
    let fake = Fake::start(Door::Native, |command| match command {
        "QUERY SELECT" => Reply::Rows(1000),
        _ => Reply::Err(1064),
    })
    .await;
    let servers = start(&[group(&[&fake], 2)]);
    let mut connection = acquire(&servers).await.unwrap();
    assert_eq!(run(&mut connection, &plain("SELECT")).await.unwrap().rows, 1000);
    let error = run(&mut connection, &plain("SELEKT")).await.unwrap().error.unwrap();
    assert_eq!(error.number, 1064);
    let status = &servers.statistics()[0];
    assert_eq!((status.queries, status.errors), (2, 1));
}

#[tokio::test]
async fn a_result_that_breaks_off_is_lost() {
    let fake = Fake::start(Door::Native, |_| Reply::Broken(3)).await;
    let servers = start(&[group(&[&fake], 2)]);
    let mut connection = acquire(&servers).await.unwrap();
    let lost = run(&mut connection, &plain("SELECT")).await;
    assert!(matches!(lost, Err(RemoteError::Lost { sent: true, .. })), "{lost:?}");
    let again = connection.send(&plain("SELECT")).await;
    assert!(matches!(again, Err(RemoteError::Lost { sent: false, .. })), "{again:?}");
}

#[tokio::test]
async fn packets_out_of_order_are_no_answer() {
    let fake = Fake::start(Door::Native, |_| Reply::Raw(vec![7, 0, 0, 9, 0, 0, 0, 2, 0, 0, 0])).await;
    let servers = start(&[group(&[&fake], 2)]);
    let mut connection = acquire(&servers).await.unwrap();
    let malformed = run(&mut connection, &plain("DO 1")).await;
    assert!(matches!(malformed, Err(RemoteError::Wire { .. })), "{malformed:?}");
}

#[tokio::test]
async fn a_file_is_never_handed_out_and_the_connection_not_used_again() {
    let fake = Fake::start(Door::Native, |_| Reply::Raw(b"\x0c\0\0\x01\xfb/etc/passwd".to_vec())).await;
    let servers = start(&[group(&[&fake], 2)]);
    let mut connection = acquire(&servers).await.unwrap();
    let asked = run(&mut connection, &plain("LOAD DATA")).await.unwrap();
    assert_eq!(asked.kind, CompletionKind::LocalInfile);
    let again = connection.send(&plain("DO 1")).await;
    assert!(matches!(again, Err(RemoteError::Lost { sent: false, .. })), "{again:?}");
    drop(connection);
    fake.saw("a closed").await;
    // The statement that waits for the file is killed, as any that is given up.
    fake.saw("b QUERY KILL 7").await;
    assert_eq!(fake.transcript()[..2], ["a QUERY LOAD DATA", "a closed"]);
}

#[tokio::test]
async fn rows_above_16_mib_come_frame_by_frame() {
    const LENGTH: usize = 40 << 20;
    let fake = Fake::start(Door::Native, |_| Reply::Wide(LENGTH)).await;
    let servers = start(&[group(&[&fake], 2)]);
    let mut connection = acquire(&servers).await.unwrap();
    connection.send(&plain("SELECT")).await.unwrap();
    let (mut total, mut largest) = (0, 0);
    let completion = loop {
        let burst = connection.read_burst().await.unwrap();
        total += burst.bytes.len();
        largest = largest.max(burst.bytes.len());
        if let Some(completion) = burst.completion {
            break completion;
        }
    };
    assert_eq!(completion.rows, 1);
    assert!(total > LENGTH && largest < 17 << 20, "{total} in pieces of up to {largest}");
}

#[tokio::test]
async fn statements_above_16_mib_arrive_whole() {
    let fake = Fake::start(Door::Native, |_| Reply::Ok).await;
    let servers = start(&[group(&[&fake], 2)]);
    let mut connection = acquire(&servers).await.unwrap();
    for length in [(16 << 20) - 3, (16 << 20) - 2, (16 << 20) - 1, 33 << 20] {
        run(&mut connection, &plain(&" ".repeat(length))).await.unwrap();
        fake.saw(&format!("a 0x3 of {length} bytes")).await;
    }
}
