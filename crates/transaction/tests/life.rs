//! The life of a transaction over scripted servers: what each group is sent, and what the client is told.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

mod scripted;

use std::time::{Duration, Instant};

use scripted::{Reply, Servers};
use serval_catalog::TransactionMode;
use serval_remote::{Connection, RemoteError, Request, SessionState};
use serval_transaction::{CommitError, Ending, Transaction};
use serval_types::{GroupId, MysqlError};

struct Client {
    servers: Servers,
    transaction: Transaction<Servers>,
}

impl Client {
    fn begin(mode: TransactionMode) -> Self {
        let mut transaction = Transaction::new();
        transaction.begin("BEGIN", mode);
        Self { servers: Servers::default(), transaction }
    }

    /// Runs a statement as the executor does: lend, ask, settle.
    async fn run(&mut self, group: u16, sql: &str) -> Result<(), RemoteError> {
        let state = SessionState::default();
        let deadline = Instant::now() + Duration::from_secs(1);
        let name = format!("g{group}");
        let mut lent = self.transaction.lend(&self.servers, GroupId(group), &name, &state, deadline).await?;
        let begin = lent.begin.take();
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
            Err(error) => {
                self.transaction.settle(lent, Ending::Lost).await.unwrap();
                return Err(error);
            }
        };
        let ending = error.as_ref().map_or(Ending::Success, Ending::Failed);
        self.transaction.settle(lent, ending).await.unwrap();
        error.map_or(Ok(()), |error| Err(RemoteError::Refused(error)))
    }
}

fn number<T: std::fmt::Debug>(result: Result<T, RemoteError>) -> u16 {
    result.unwrap_err().to_mysql().number
}

#[tokio::test]
async fn groups_begin_when_they_are_used_and_commit_in_their_order() {
    let mut client = Client::begin(TransactionMode::BestEffort);
    assert!(client.servers.log().is_empty());
    client.run(1, "a").await.unwrap();
    client.run(0, "b").await.unwrap();
    client.run(1, "c").await.unwrap();
    client.transaction.commit().await.unwrap();
    assert_eq!(client.servers.log(), ["g1: BEGIN; a", "g0: BEGIN; b", "g1: c", "g0: COMMIT", "g1: COMMIT"]);
    assert!(!client.transaction.is_open());
    assert_eq!(client.servers.open(), 0);
}

#[tokio::test]
async fn mode_single_refuses_a_second_group_and_keeps_the_first() {
    let mut client = Client::begin(TransactionMode::Single);
    client.run(1, "a").await.unwrap();
    let error = client.run(0, "b").await.unwrap_err().to_mysql();
    assert_eq!(error.number, 1235);
    assert!(error.message.contains("g1") && error.message.contains("atomic"), "{}", error.message);
    client.run(1, "c").await.unwrap();
    client.transaction.commit().await.unwrap();
    assert_eq!(client.servers.log(), ["g1: BEGIN; a", "g1: c", "g1: COMMIT"]);
}

#[tokio::test]
async fn a_lost_connection_dooms_until_rollback() {
    let mut client = Client::begin(TransactionMode::BestEffort);
    client.run(0, "a").await.unwrap();
    client.servers.on(1, "b", Reply::Lost { sent: true });
    assert_eq!(number(client.run(1, "b").await), 1429);
    let error = client.run(0, "c").await.unwrap_err().to_mysql();
    assert_eq!(error.number, 1105);
    assert!(error.message.contains("group g1 lost its connection") && error.message.contains("ROLLBACK"));
    assert!(client.transaction.is_open());
    client.transaction.rollback().await;
    assert!(!client.transaction.is_open());
    assert_eq!(
        client.servers.log(),
        ["g0: BEGIN; a", "g1: BEGIN; b", "g1: (closed in a transaction)", "g0: ROLLBACK"]
    );
}

#[tokio::test]
async fn commit_of_a_doomed_transaction_rolls_back_the_others() {
    let mut client = Client::begin(TransactionMode::BestEffort);
    client.run(0, "a").await.unwrap();
    client.run(1, "b").await.unwrap();
    client.transaction.mark_lost(GroupId(0));
    let error = client.transaction.commit().await.unwrap_err();
    assert!(matches!(&error, CommitError::RolledBack(error) if error.number == 1105), "{error:?}");
    assert!(!client.transaction.is_open());
    assert_eq!(client.servers.log().last().unwrap(), "g1: ROLLBACK");
    assert_eq!(client.servers.open(), 0);
}

#[tokio::test]
async fn a_deadlock_undoes_every_group_and_closes() {
    let mut client = Client::begin(TransactionMode::BestEffort);
    client.run(0, "a").await.unwrap();
    client.servers.on(1, "b", Reply::Error(1213));
    assert_eq!(number(client.run(1, "b").await), 1213);
    assert!(!client.transaction.is_open());
    assert_eq!(client.servers.log(), ["g0: BEGIN; a", "g1: BEGIN; b", "g0: ROLLBACK", "g1: ROLLBACK"]);
}

#[tokio::test]
async fn other_errors_undo_their_statement_only() {
    let mut client = Client::begin(TransactionMode::BestEffort);
    client.servers.on(0, "a", Reply::Error(1062));
    assert_eq!(number(client.run(0, "a").await), 1062);
    client.run(0, "b").await.unwrap();
    client.transaction.commit().await.unwrap();
    assert_eq!(client.servers.log(), ["g0: BEGIN; a", "g0: b", "g0: COMMIT"]);
}

#[tokio::test]
async fn after_a_lock_wait_timeout_the_server_is_asked() {
    let mut client = Client::begin(TransactionMode::BestEffort);
    client.run(0, "a").await.unwrap();
    client.servers.on(0, "b", Reply::Error(1205));
    assert_eq!(number(client.run(0, "b").await), 1205);
    assert!(client.transaction.is_open());

    client.servers.on(0, "c", Reply::Error(1205));
    client.servers.on(0, "DO 0", Reply::WasRolledBack);
    assert_eq!(number(client.run(0, "c").await), 1205);
    assert!(!client.transaction.is_open(), "innodb_rollback_on_timeout ended it");
}

#[tokio::test]
async fn a_failure_after_the_first_commit_names_the_groups() {
    let mut client = Client::begin(TransactionMode::BestEffort);
    for group in 0..3 {
        client.run(group, "a").await.unwrap();
    }
    client.servers.on(1, "COMMIT", Reply::Lost { sent: true });
    let error = client.transaction.commit().await.unwrap_err().to_mysql();
    assert_eq!(error.number, 1180);
    assert!(error.message.contains("; committed: g0;"), "{}", error.message);
    assert!(error.message.contains("; not committed: g2;"), "{}", error.message);
    assert!(error.message.contains("no answer, so either: g1;"), "{}", error.message);
    assert_eq!(client.servers.log().last().unwrap(), "g2: ROLLBACK");
}

#[tokio::test]
async fn a_refused_first_commit_leaves_nothing_and_keeps_its_number() {
    let mut client = Client::begin(TransactionMode::BestEffort);
    client.run(0, "a").await.unwrap();
    client.run(1, "a").await.unwrap();
    client.servers.on(0, "COMMIT", Reply::Error(1213));
    let error = client.transaction.commit().await.unwrap_err();
    assert!(matches!(&error, CommitError::RolledBack(MysqlError { number: 1213, .. })), "{error:?}");
    assert_eq!(client.servers.log()[2..], ["g0: COMMIT", "g0: ROLLBACK", "g1: ROLLBACK"]);
}

#[tokio::test]
async fn a_statement_that_commits_by_itself_commits_all() {
    let mut client = Client::begin(TransactionMode::BestEffort);
    client.run(0, "a").await.unwrap();
    client.servers.on(1, "DROP", Reply::CommitsImplicitly);
    client.run(1, "DROP").await.unwrap();
    assert!(!client.transaction.is_open());
    assert_eq!(client.servers.log(), ["g0: BEGIN; a", "g1: BEGIN; DROP", "g0: COMMIT"]);
}

#[tokio::test]
async fn a_connection_that_was_not_used_has_not_joined() {
    let mut client = Client::begin(TransactionMode::Single);
    let deadline = Instant::now() + Duration::from_secs(1);
    let state = SessionState::default();
    let lent = client.transaction.lend(&client.servers, GroupId(0), "g0", &state, deadline).await.unwrap();
    client.transaction.settle(lent, Ending::Success).await.unwrap();
    assert!(client.transaction.is_open());
    client.run(1, "a").await.unwrap();
    client.transaction.commit().await.unwrap();
    assert_eq!(client.servers.log(), ["g1: BEGIN; a", "g1: COMMIT"]);
}

#[tokio::test]
async fn savepoints_reach_all_groups_and_those_that_join_later() {
    let mut client = Client::begin(TransactionMode::BestEffort);
    client.run(0, "a").await.unwrap();
    client.transaction.savepoint("S`1").await.unwrap();
    client.transaction.savepoint("two").await.unwrap();
    client.run(1, "b").await.unwrap();
    client.transaction.rollback_to("s`1").await.unwrap();
    assert_eq!(number(client.transaction.rollback_to("two").await), 1305);
    client.transaction.release("S`1").await.unwrap();
    assert_eq!(number(client.transaction.release("S`1").await), 1305);
    let expected = [
        "g0: BEGIN; a",
        "g0: SAVEPOINT `S``1`",
        "g0: SAVEPOINT `two`",
        "g1: BEGIN; SAVEPOINT `S``1`",
        "g1: SAVEPOINT `two`",
        "g1: b",
        "g0: ROLLBACK TO SAVEPOINT `s``1`",
        "g1: ROLLBACK TO SAVEPOINT `s``1`",
        "g0: RELEASE SAVEPOINT `S``1`",
        "g1: RELEASE SAVEPOINT `S``1`",
    ];
    assert_eq!(client.servers.log(), expected);
}

#[tokio::test]
async fn outside_a_transaction_savepoints_are_not_kept() {
    let mut transaction = Transaction::<Servers>::new();
    transaction.savepoint("s").await.unwrap();
    assert_eq!(number(transaction.rollback_to("s").await), 1305);
}

#[tokio::test(start_paused = true)]
async fn a_statement_given_up_half_way_dooms() {
    let mut client = Client::begin(TransactionMode::BestEffort);
    client.run(0, "a").await.unwrap();
    client.servers.on(1, "slow", Reply::Silence);
    let late = tokio::time::timeout(Duration::from_secs(9), client.run(1, "slow")).await;
    assert!(late.is_err());
    assert_eq!(client.servers.open(), 1, "the silent connection is closed at once");
    assert_eq!(number(client.run(0, "b").await), 1105);
    client.transaction.rollback().await;
    assert_eq!(client.servers.open(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_commit_given_up_half_way_dooms() {
    let mut client = Client::begin(TransactionMode::BestEffort);
    client.run(0, "a").await.unwrap();
    client.run(1, "a").await.unwrap();
    client.servers.on(0, "COMMIT", Reply::Silence);
    let late = tokio::time::timeout(Duration::from_secs(9), client.transaction.commit()).await;
    assert!(late.is_err());
    assert_eq!(client.servers.open(), 0);
    // Nobody may say that it was rolled back.
    assert_eq!(number(client.run(0, "b").await), 1180);
}

#[tokio::test(start_paused = true)]
async fn a_commit_without_an_answer_ends_and_is_not_called_rolled_back() {
    let mut client = Client::begin(TransactionMode::BestEffort);
    client.run(0, "a").await.unwrap();
    client.servers.on(0, "COMMIT", Reply::Silence);
    let error = client.transaction.commit().await.unwrap_err();
    assert!(matches!(&error, CommitError::Partial { unknown: Some(_), .. }), "{error:?}");
    assert_eq!(client.servers.open(), 0);
}

#[tokio::test]
async fn rollback_succeeds_whatever_the_servers_do() {
    let mut client = Client::begin(TransactionMode::BestEffort);
    client.run(0, "a").await.unwrap();
    client.run(1, "a").await.unwrap();
    client.servers.on(0, "ROLLBACK", Reply::Lost { sent: false });
    client.transaction.rollback().await;
    assert!(!client.transaction.is_open());
    assert_eq!(client.servers.log()[2..], ["g0: ROLLBACK", "g0: (closed in a transaction)", "g1: ROLLBACK"]);
}
