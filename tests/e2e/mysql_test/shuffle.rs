//! What one server itself leaves open. Where the answers differ, the one server is asked again with its rows stored in
//! other orders and without keys. What it then answers otherwise is not determined by the statement: which row of a tie
//! LIMIT takes, which of a group's values stands for it, the order of what GROUP_CONCAT joins.

use serval_tests::{Answer, Client};

/// Where the rows lie in another order.
const SHUFFLED: &str = "replay_shuffled";
const TRIES: u32 = 4;

/// The one server's answers to a query over other orders of the same rows.
pub(super) async fn answers(oracle: &mut Client, sql: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    let Answer::Rows { rows, .. } = oracle.run("SELECT DATABASE()").await else { return answers };
    let Some(home) = rows.into_iter().flatten().next().filter(|home| home != "NULL") else { return answers };
    for seed in 0..TRIES {
        fill(oracle, &home, seed).await;
        oracle.run(&format!("USE {SHUFFLED}")).await;
        let answer = oracle.run(sql).await;
        if matches!(answer, Answer::Broken(_)) {
            oracle.reconnect().await;
        }
        oracle.run(&format!("USE {home}")).await;
        answers.push(answer);
    }
    oracle.run(&format!("DROP DATABASE IF EXISTS {SHUFFLED}")).await;
    answers
}

/// Copies every table, its rows in an order of their own.
async fn fill(oracle: &mut Client, home: &str, seed: u32) {
    oracle.run(&format!("DROP DATABASE IF EXISTS {SHUFFLED}")).await;
    oracle.run(&format!("CREATE DATABASE {SHUFFLED} CHARACTER SET latin1")).await;
    let tables = format!(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = '{home}' AND table_type = 'BASE TABLE'"
    );
    let Answer::Rows { rows, .. } = oracle.run(&tables).await else { return };
    for name in rows.into_iter().flatten() {
        // Every second try also turns the order of keys round.
        let order = if seed == 0 { "1 DESC".to_owned() } else { format!("RAND({seed})") };
        let sql = format!(
            "SET STATEMENT sql_mode = '' FOR CREATE TABLE {SHUFFLED}.`{name}` ENGINE = MyISAM SELECT * FROM {home}.`{name}` \
             ORDER BY {order}"
        );
        oracle.run(&sql).await;
    }
}
