//! Wrong passwords cost time.
//!
//! After a few failures of one user from one address every further attempt of that pair has to wait before it learns
//! anything, a right one too: else a guesser would only have to see who is kept waiting. The wait doubles up to a
//! bound, and only so many may wait at once; one more is refused without a look at its password. Others notice
//! nothing, and a success forgets everything.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Failures that cost nothing: people mistype.
const FREE: u32 = 3;
/// The first wait.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait. Together with the rest of a handshake it has to stay below what clients wait for one.
const LONGEST_WAIT: Duration = Duration::from_secs(4);
/// How many of a pair may wait at once.
const MOST_WAITING: u32 = 8;
/// Failures are forgotten after this long without another.
const MEMORY: Duration = Duration::from_secs(300);
/// How many pairs are remembered; beyond, the oldest is forgotten.
const MOST_PAIRS: usize = 10_000;
/// Longer names are told apart by their start: a client chooses them, and they are kept.
const NAME_BYTES: usize = 80;

/// The failures of the last minutes.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<Pair, Record>>);

/// A user and where it logs in from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Pair {
    user: String,
    host: Option<IpAddr>,
}

#[derive(Debug)]
struct Record {
    failures: u32,
    waiting: u32,
    last: Instant,
}

/// An attempt that is under way.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    attempts: &'a Attempts,
    pair: Pair,
    wait: Duration,
    /// Whether it is among those that wait.
    counted: bool,
}

impl Attempts {
    /// Begins an attempt; `None` where too many of this pair are waiting.
    pub fn begin(&self, user: &str, host: Option<IpAddr>) -> Option<Attempt<'_>> {
        let pair = Pair::new(user, host);
        let mut records = self.0.lock();
        let (mut wait, mut counted) = (Duration::ZERO, false);
        if let Some(record) = records.get_mut(&pair) {
            if record.last.elapsed() > MEMORY && record.waiting == 0 {
                records.remove(&pair);
            } else {
                wait = wait_after(record.failures);
                if !wait.is_zero() && record.waiting >= MOST_WAITING {
                    return None;
                }
                record.waiting += 1;
                counted = true;
            }
        }
        drop(records);
        Some(Attempt { attempts: self, pair, wait, counted })
    }

    fn failed(&self, pair: &Pair) -> u32 {
        let mut records = self.0.lock();
        let now = Instant::now();
        if records.len() >= MOST_PAIRS && !records.contains_key(pair) {
            make_room(&mut records, now);
        }
        let record = records.entry(pair.clone()).or_insert(Record { failures: 0, waiting: 0, last: now });
        record.failures = record.failures.saturating_add(1);
        record.last = now;
        record.failures
    }
}

impl Attempt<'_> {
    /// Waits as long as it has to.
    pub async fn wait(&self) {
        if !self.wait.is_zero() {
            tokio::time::sleep(self.wait).await;
        }
    }

    /// The password was wrong; how often in a row.
    pub fn failed(self) -> u32 {
        self.attempts.failed(&self.pair)
    }

    /// The password was right.
    pub fn succeeded(self) {
        self.attempts.0.lock().remove(&self.pair);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.counted {
            return;
        }
        if let Some(record) = self.attempts.0.lock().get_mut(&self.pair) {
            record.waiting = record.waiting.saturating_sub(1);
        }
    }
}

impl Pair {
    fn new(user: &str, host: Option<IpAddr>) -> Self {
        let end = (0..=NAME_BYTES.min(user.len())).rev().find(|&at| user.is_char_boundary(at)).unwrap_or(0);
        Self { user: user[..end].to_owned(), host: host.map(network) }
    }
}

/// Whoever has one IPv6 address has the 2^64 beside it.
fn network(host: IpAddr) -> IpAddr {
    match host.to_canonical() {
        IpAddr::V6(host) => {
            let [a, b, c, d, ..] = host.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        host @ IpAddr::V4(_) => host,
    }
}

fn wait_after(failures: u32) -> Duration {
    match failures.checked_sub(FREE) {
        None | Some(0) => Duration::ZERO,
        Some(beyond) => (FIRST_WAIT * (1 << (beyond - 1).min(10))).min(LONGEST_WAIT),
    }
}

fn make_room(records: &mut HashMap<Pair, Record>, now: Instant) {
    records.retain(|_, record| record.waiting > 0 || now - record.last <= MEMORY);
    if records.len() < MOST_PAIRS {
        return;
    }
    let oldest = records.iter().min_by_key(|(_, record)| record.last).map(|(pair, _)| pair.clone());
    if let Some(pair) = oldest {
        records.remove(&pair);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

    /// Makes an attempt with a wrong password; how long it took.
    async fn fail(attempts: &Attempts, user: &str) -> Duration {
        let begun = Instant::now();
        let attempt = attempts.begin(user, HOST).unwrap();
        attempt.wait().await;
        attempt.failed();
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn waits_grow_up_to_a_bound_and_for_one_pair_only() {
        let attempts = Attempts::default();
        let mut waits = Vec::new();
        for _ in 0..12 {
            waits.push(fail(&attempts, "app").await.as_millis());
        }
        assert_eq!(waits, [0, 0, 0, 0, 250, 500, 1000, 2000, 4000, 4000, 4000, 4000]);
        assert!(attempts.begin("other", HOST).unwrap().wait.is_zero());
        assert!(attempts.begin("app", None).unwrap().wait.is_zero());
        attempts.begin("app", HOST).unwrap().succeeded();
        assert!(fail(&attempts, "app").await.is_zero());
    }

    #[tokio::test(start_paused = true)]
    async fn few_wait_at_once() {
        let attempts = Attempts::default();
        for _ in 0..5 {
            fail(&attempts, "app").await;
        }
        let waiting: Vec<_> = (0..MOST_WAITING).map(|_| attempts.begin("app", HOST).unwrap()).collect();
        assert!(attempts.begin("app", HOST).is_none());
        drop(waiting);
        assert!(attempts.begin("app", HOST).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_forgotten_in_time() {
        let attempts = Attempts::default();
        for _ in 0..8 {
            fail(&attempts, "app").await;
        }
        tokio::time::sleep(MEMORY + Duration::from_secs(1)).await;
        assert!(attempts.begin("app", HOST).unwrap().wait.is_zero());
    }

    #[tokio::test(start_paused = true)]
    async fn the_table_is_bounded() {
        let attempts = Attempts::default();
        for number in 0..MOST_PAIRS + 50 {
            tokio::time::advance(Duration::from_micros(10)).await;
            let attempt = attempts.begin(&format!("user{number}{}", "é".repeat(100)), HOST).unwrap();
            attempt.failed();
        }
        let records = attempts.0.lock();
        assert_eq!(records.len(), MOST_PAIRS);
        assert!(records.values().all(|record| record.waiting == 0));
        assert!(records.keys().all(|pair| pair.user.len() <= NAME_BYTES));
    }

    #[test]
    fn neighbours_in_ipv6_are_one() {
        let pair = |host: &str| Pair::new("app", Some(host.parse().unwrap()));
        assert_eq!(pair("2001:db8::1"), pair("2001:db8::2:3"));
        assert_ne!(pair("2001:db8::1"), pair("2001:db8:0:1::1"));
        assert_eq!(pair("::ffff:10.0.0.1"), pair("10.0.0.1"));
    }
}
