//! Rules whose windows go on with the clock: kept in step with it, with their tables made ahead and dropped when they
//! have expired.
//!
//! The servers' clocks count beside the proxy's own. Where they differ by more than [`BOUND`] the servers' are taken,
//! and nothing expires until they agree.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serval_backend::Servers;
use serval_catalog::{Catalog, Clock, Moment};
use serval_session::{Proxy, periods};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How often windows and tables are looked at.
const LOOK: Duration = Duration::from_secs(10);
/// How far the proxy's clock and the servers' may be apart, in seconds.
const BOUND: i64 = 300;

/// The proxy's clock, by which nothing expires.
pub fn own_clock() -> Clock {
    let now = now();
    Clock { earliest: now, latest: now, trusted: false }
}

/// The catalog with its windows at the proxy's clock.
pub fn rolled(catalog: Catalog) -> Catalog {
    match catalog.rolled(&own_clock()) {
        // It is the first of its kind all the same.
        Some(rolled) => Catalog { version: catalog.version, ..rolled },
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
        if let Some(next) = catalog.rolled(&clock) {
            // The tables first: whoever reads the new window finds them.
            wrong.extend(make(proxy, &next).await);
            proxy.catalog.rcu(|current| current.rolled(&clock).map_or_else(|| Arc::clone(current), Arc::new));
            tracing::info!("windows of rules have gone on with the clock");
        }
        let catalog = proxy.catalog.load_full();
        wrong.extend(make(proxy, &catalog).await);
        if clock.trusted {
            wrong.extend(drop_expired(proxy, &catalog).await);
        }
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
async fn make(proxy: &Proxy<Servers>, catalog: &Catalog) -> Vec<String> {
    let found = periods::look(&*proxy.backend, catalog).await;
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
            Err(why) => wrong.push(format!("the table {table} on {node} could not be created: {why}")),
        }
    }
    wrong
}

/// Drops what has expired; what could not be dropped.
async fn drop_expired(proxy: &Proxy<Servers>, catalog: &Catalog) -> Vec<String> {
    let found = periods::look(&*proxy.backend, catalog).await;
    let mut wrong = Vec::new();
    for (period, _, result) in periods::drop_passed(&*proxy.backend, catalog, &found, false).await {
        let (node, table) = (&catalog.node(period.node).name, &period.physical);
        match result {
            Ok(()) => tracing::warn!("dropped the table {table} on {node}: its period has expired"),
            Err(why) => {
                wrong.push(format!("the expired table {table} on {node} could not be dropped: {why}"))
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
    fn days_are_counted_from_1970() {
        assert_eq!(moment("1970-01-01").day_number(), 0);
        assert!(now().year >= 2026);
    }
}
