//! Money moves between 1,000 accounts on four nodes while proxies, primaries and connections die. In the end the sum is
//! what it was, every transfer that a client was told of is there, and none that it was told is not.
//!
//! `SERVAL_BANK_SECONDS=60` runs it longer, with twice as many clients.

use std::collections::BTreeSet;
use std::sync::Arc;

use serval_tests::{Client, Topology, own_cluster};

use crate::atomic::QUICK;
use crate::chaos::{Draw, Heard, Load, Proxies, Told, commit, seconds, step, storm};

const ACCOUNTS: u64 = 1000;
const EACH: u64 = 100;

#[tokio::test]
async fn no_money_is_made_or_lost() {
    let seconds = seconds("SERVAL_BANK_SECONDS", 12);
    let cluster = own_cluster().await;
    let topology = Topology { more: QUICK.to_owned(), ..Topology::new("bank") };
    let proxies = Proxies::start(&cluster, topology, fill).await;
    let clients = if seconds < 30 { 16 } else { 32 };
    let heard = storm(&cluster, &proxies, &Arc::new(Transfers), clients, seconds).await;
    check(&proxies, &heard).await;
}

async fn fill(client: &mut Client) {
    client.must("CREATE TABLE t1 (id BIGINT NOT NULL PRIMARY KEY, v BIGINT NOT NULL)").await;
    client.must("CREATE TABLE t2 (id BIGINT NOT NULL PRIMARY KEY)").await;
    let rows: Vec<String> = (0..ACCOUNTS).map(|id| format!("({id}, {EACH})")).collect();
    client.must(&format!("INSERT INTO t1 VALUES {}", rows.join(", "))).await;
}

struct Transfers;

impl Load for Transfers {
    async fn one(&self, client: &mut Client, id: u64, draw: &mut Draw) -> Told {
        let (from, to) = (draw.below(ACCOUNTS), draw.below(ACCOUNTS));
        for sql in [
            "BEGIN".to_owned(),
            format!("UPDATE t1 SET v = v - 1 WHERE id = {from}"),
            format!("UPDATE t1 SET v = v + 1 WHERE id = {to}"),
            format!("INSERT INTO t2 VALUES ({id})"),
        ] {
            if let Err(told) = step(client, &sql).await {
                return told;
            }
        }
        commit(client).await
    }
}

async fn check(proxies: &Proxies, heard: &Heard) {
    let mut client = proxies.recovered("SELECT SUM(v) FROM t1").await;
    let total = (ACCOUNTS * EACH).to_string();
    assert_eq!(client.value("SELECT SUM(v) FROM t1").await, total, "the sum has changed");
    let rows = client.rows("SELECT id FROM t2").await;
    let there: BTreeSet<u64> = rows.iter().map(|row| row[0].parse().expect("an id")).collect();
    let lost: Vec<_> = heard.done.iter().filter(|id| !there.contains(id)).collect();
    assert!(lost.is_empty(), "told committed, and gone: {lost:?}");
    let kept: Vec<_> = heard.undone.iter().filter(|id| there.contains(id)).collect();
    assert!(kept.is_empty(), "told rolled back, and there: {kept:?}");
}
