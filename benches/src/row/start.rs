//! From the start of the process to its first greeting.

use std::time::Instant;

use crate::client::Failure;
use crate::target::{Bench, MANY, TABLES_OF_MANY};
use crate::verdict::{Finding, Limit, median};

use super::Effort;

pub(super) async fn run(bench: &Bench, effort: Effort) -> Result<Vec<Finding>, Failure> {
    let server = bench.cluster.group(0).primary();
    let mut statements = vec![format!("CREATE DATABASE IF NOT EXISTS {MANY}")];
    statements.extend((1..=TABLES_OF_MANY).map(|number| {
        format!(
            "CREATE TABLE IF NOT EXISTS {MANY}.t{number} (id BIGINT PRIMARY KEY AUTO_INCREMENT, a INT, b VARCHAR(80), \
             c DATETIME, d DECIMAL(10, 2), KEY (a), KEY (b)) ENGINE = MyISAM"
        )
    }));
    server.execute_all(&statements).await?;
    let mut times = Vec::new();
    for _ in 0..effort.rounds {
        let begun = Instant::now();
        let serval = bench.serval(&[]).await?;
        times.push(begun.elapsed().as_secs_f64());
        drop(serval);
    }
    let seconds = median(times);
    let what = format!("seconds from the start to the first greeting, {TABLES_OF_MANY} tables");
    Ok(vec![Finding::new(what, format!("{} starts", effort.rounds), seconds, Limit::AtMost(1.0))])
}
