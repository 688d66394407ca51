//! Rules whose windows go on with the clock: kept in step with it, with their tables made ahead and dropped when they
//! have expired.
//!
//! The servers' clocks count beside the proxy's own. Where they differ by more than [`BOUND`] the servers' are taken,
//! and nothing expires until they agree. Where all of them jump forward together nothing expires for a day, so that
//! somebody can set them right.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serval_backend::Servers;
use serval_catalog::{Catalog, Clock, Moment};
use serval_session::{Proxy, periods};
use serval_types::NodeId;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How often windows and tables are looked at.
const LOOK: Duration = Duration::from_secs(10);
/// How far the proxy's clock and the servers' may be apart, in seconds.
const BOUND: i64 = 300;
/// For how long nothing expires when all clocks have jumped forward together.
const DISTRUST: Duration = Duration::from_secs(24 * 60 * 60);

/// The proxy's clock, by which nothing expires.
pub fn own_clock() -> Clock {
    let now = now();
    Clock { earliest: now, latest: now, trusted: false }
}

/// The catalog with its windows at the proxy's clock.
pub fn rolled(catalog: Catalog) -> Catalog {
    match catalog.rolled(&own_clock()) {
        // It is the first of its kind all the same.
        Some(rolled) => Catalog { version: catalog.version, placed: catalog.placed, ..rolled },
        None => catalog,
    }
}

/// Keeps windows and tables until `shutdown`.
pub async fn keep(proxy: Arc<Proxy<Servers>>, mut keeper: Keeper, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let work = async {
        loop {
            ticks.tick().await;
            keeper.look(&proxy).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = shutdown.cancelled() => {}
    }
}

/// What has been said, so that it is not said again and again.
#[derive(Debug, Default)]
pub struct Keeper {
    said: Vec<String>,
    steps: Steps,
}

/// What could not be made or dropped, by node and name there, and why.
type Blocked = BTreeMap<(NodeId, String), String>;

/// The steps of the clocks.
#[derive(Debug, Default)]
struct Steps {
    /// The latest time, in seconds, and when it was.
    known: Option<(i64, Instant)>,
    /// When the clocks have last jumped forward.
    jumped: Option<Instant>,
}

impl Steps {
    /// Trusts a clock no more once it has gone faster than time does.
    fn check(&mut self, clock: Clock, now: Instant, wrong: &mut Vec<String>) -> Clock {
        let latest = seconds(&clock.latest);
        if let Some((before, at)) = self.known {
            let passed = i64::try_from(now.duration_since(at).as_secs()).unwrap_or(i64::MAX);
            if latest > before.saturating_add(passed).saturating_add(BOUND) {
                self.jumped = Some(now);
            }
        }
        self.known = Some((latest, now));
        match self.jumped {
            Some(at) if now.duration_since(at) < DISTRUST => {
                wrong.push("the clocks have jumped forward: no table expires for a day".to_owned());
                Clock { trusted: false, ..clock }
            }
            _ => clock,
        }
    }
}

impl Keeper {
    /// Looks once.
    pub async fn look(&mut self, proxy: &Proxy<Servers>) {
        let catalog = proxy.catalog.load_full();
        if !periods::any(&catalog) {
            return;
        }
        let mut wrong = Vec::new();
        let clocks = periods::clocks(&*proxy.backend, &catalog).await;
        // Without a server's word the window stays: nothing could be made now anyway.
        let Some(clock) = judge(&now(), &clocks, &mut wrong) else { return self.report(wrong) };
        let clock = self.steps.check(clock, Instant::now(), &mut wrong);
        let mut blocked = Blocked::new();
        if let Some(next) = catalog.rolled(&clock) {
            // The tables first: whoever reads the new window finds them.
            wrong.extend(make(proxy, &next, &mut blocked).await);
            proxy.catalog.rcu(|current| current.rolled(&clock).map_or_else(|| Arc::clone(current), Arc::new));
            tracing::info!("windows of rules have gone on with the clock");
        }
        let catalog = proxy.catalog.load_full();
        wrong.extend(make(proxy, &catalog, &mut blocked).await);
        if clock.trusted {
            wrong.extend(drop_expired(proxy, &catalog, &mut blocked).await);
        }
        *proxy.blocked_periods.lock() = blocked;
        self.report(wrong);
    }

    fn report(&mut self, wrong: Vec<String>) {
        for line in wrong.iter().filter(|line| !self.said.contains(line)) {
            tracing::warn!("{line}");
        }
        self.said = wrong;
    }
}

/// Makes what is missing; what could not be made.
async fn make(proxy: &Proxy<Servers>, catalog: &Catalog, blocked: &mut Blocked) -> Vec<String> {
    let mut found = periods::look(&*proxy.backend, catalog).await;
    if found.is_missing() {
        found = periods::settled(&*proxy.backend, catalog, found, |_, _| true).await;
    }
    let mut wrong: Vec<String> = found
        .failed
        .iter()
        .map(|(node, why)| {
            format!("tables of periods on {} cannot be looked at: {why}", catalog.node(*node).name)
        })
        .collect();
    for (period, _, result) in periods::make_missing(&*proxy.backend, catalog, &found, false).await {
        let (node, table) = (&catalog.node(period.node).name, &period.physical);
        match result {
            Ok(()) => tracing::info!("created the table {table} on {node} for a coming period"),
            Err(why) => {
                wrong.push(format!("the table {table} on {node} could not be created: {why}"));
                blocked.insert((period.node, table.clone()), why);
            }
        }
    }
    wrong
}

/// Drops what has expired; what could not be dropped.
async fn drop_expired(proxy: &Proxy<Servers>, catalog: &Catalog, blocked: &mut Blocked) -> Vec<String> {
    let found = periods::look(&*proxy.backend, catalog).await;
    let mut wrong = Vec::new();
    for (period, _, result) in periods::drop_passed(&*proxy.backend, catalog, &found, false).await {
        let (node, table) = (&catalog.node(period.node).name, &period.physical);
        match result {
            Ok(()) => tracing::warn!("dropped the table {table} on {node}: its period has expired"),
            Err(why) => {
                wrong.push(format!("the expired table {table} on {node} could not be dropped: {why}"));
                blocked.insert((period.node, table.clone()), why);
            }
        }
    }
    wrong
}

/// What the time is; `None` where no server said it.
fn judge(own: &Moment, servers: &[(String, Moment)], wrong: &mut Vec<String>) -> Option<Clock> {
    let earliest = servers.iter().map(|(_, clock)| *clock).min_by_key(seconds)?;
    let latest = servers.iter().map(|(_, clock)| *clock).max_by_key(seconds)?;
    let apart = |clock: &Moment| (seconds(clock) - seconds(own)).abs() > BOUND;
    if let Some((group, clock)) = servers.iter().find(|(_, clock)| apart(clock)) {
        wrong.push(format!(
            "the clock of {group} says {clock} UTC and the proxy's {own}: no table expires until they agree"
        ));
        return Some(Clock { earliest, latest, trusted: false });
    }
    let earliest = if seconds(own) < seconds(&earliest) { *own } else { earliest };
    let latest = if seconds(own) > seconds(&latest) { *own } else { latest };
    Some(Clock { earliest, latest, trusted: true })
}

fn seconds(moment: &Moment) -> i64 {
    let Moment { hour, minute, second, .. } = *moment;
    ((moment.day_number() * 24 + i64::from(hour)) * 60 + i64::from(minute)) * 60 + i64::from(second)
}

fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (days, rest) = (since / 86_400, since % 86_400);
    let small = |part: u64| u8::try_from(part).unwrap_or_default();
    let day = Moment::of_day_number(i64::try_from(days).unwrap_or_default()).unwrap_or_default();
    Moment { hour: small(rest / 3600), minute: small(rest / 60 % 60), second: small(rest % 60), ..day }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Moment {
        Moment::parse_text(text).unwrap().0
    }

    #[test]
    fn clocks_that_differ_expire_nothing() {
        let servers = |texts: &[&str]| -> Vec<(String, Moment)> {
            texts.iter().map(|text| ("g".to_owned(), moment(text))).collect()
        };
        let own = moment("2026-11-20 10:00:00");
        let mut wrong = Vec::new();
        assert_eq!(judge(&own, &[], &mut wrong), None);
        let near =
            judge(&own, &servers(&["2026-11-20 10:04:00", "2026-11-20 09:59:00"]), &mut wrong).unwrap();
        assert!(near.trusted && wrong.is_empty());
        assert_eq!(
            (near.earliest, near.latest),
            (moment("2026-11-20 09:59:00"), moment("2026-11-20 10:04:00"))
        );
        // The proxy's clock has jumped: the servers' counts, and nothing expires.
        let jumped =
            judge(&moment("2027-11-20 10:00:00"), &servers(&["2026-11-20 10:00:00"]), &mut wrong).unwrap();
        assert!(!jumped.trusted && jumped.latest == own);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
    }

    #[test]
    fn clocks_that_jump_together_expire_nothing_for_a_day() {
        let clock = |text: &str| Clock { earliest: moment(text), latest: moment(text), trusted: true };
        let (mut steps, mut wrong, begun) = (Steps::default(), Vec::new(), Instant::now());
        let later = |seconds: u64| begun + Duration::from_secs(seconds);
        assert!(steps.check(clock("2026-11-20 10:00:00"), begun, &mut wrong).trusted);
        assert!(steps.check(clock("2026-11-20 10:04:50"), later(10), &mut wrong).trusted);
        assert!(steps.check(clock("2026-11-20 09:50:00"), later(20), &mut wrong).trusted, "back is no harm");
        assert!(wrong.is_empty());
        assert!(!steps.check(clock("2027-11-20 10:00:00"), later(30), &mut wrong).trusted);
        assert!(!steps.check(clock("2027-11-20 10:00:10"), later(40), &mut wrong).trusted);
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(steps.check(clock("2027-11-21 10:01:00"), later(86_500), &mut wrong).trusted);
    }

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(moment("1970-01-01").day_number(), 0);
        assert!(now().year >= 2026);
    }
}
