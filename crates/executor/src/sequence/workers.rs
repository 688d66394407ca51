//! The workers that this proxy has leased, one for each database that holds leases.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serval_catalog::{Catalog, Sequence};
use serval_remote::Backend;
use serval_types::GroupId;

use super::snowflake::{IN_A_SECOND, Snowflake, Taken, seconds};
use super::worker::{LEASE, Leases, RENEW};
use crate::error::ExecuteError;

/// Tells Unix seconds.
pub(super) type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// How long a statement waits for the clock at most.
const PATIENCE: Duration = Duration::from_secs(5);

type Place = (GroupId, String);
type Shared = Arc<tokio::sync::Mutex<Option<Snowflake>>>;

pub(super) struct Workers {
    leased: Mutex<HashMap<Place, Shared>>,
    owner: String,
    clock: Clock,
}

impl Workers {
    /// Workers under this clock.
    pub(super) fn new(clock: Clock) -> Self {
        Self { leased: Mutex::default(), owner: owner(), clock }
    }

    /// Takes `count` consecutive numbers and gives the first.
    pub(super) async fn next<B: Backend>(
        &self,
        backend: &B,
        catalog: &Catalog,
        sequence: &Sequence,
        count: u64,
    ) -> Result<u64, ExecuteError> {
        let shared = self.shared(catalog, sequence);
        let leases = Leases { backend, catalog, sequence, owner: &self.owner };
        let mut left = PATIENCE;
        // Held over the wait, too: whoever comes behind would have to wait as well.
        let mut leased = shared.lock().await;
        loop {
            let now = seconds((self.clock)());
            let numbers = match leased.as_mut() {
                Some(numbers) => numbers,
                None => leased.insert(leases.take(now).await?),
            };
            match numbers.take(now, count) {
                Taken::First(first) => {
                    self.renew_in_time(&leases, &mut leased, now).await;
                    return Ok(first);
                }
                Taken::Horizon => {
                    if !extend(&leases, numbers, now).await? {
                        *leased = None;
                    }
                }
                Taken::Wait(time) if time <= left => {
                    left -= time;
                    tokio::time::sleep(time).await;
                }
                Taken::Wait(time) => return Err(clock_is_behind(time)),
                Taken::TooMany => return Err(too_many()),
                Taken::UsedUp => return Err(super::used_up()),
            }
        }
    }

    /// Takes a lease where there is none, so that a statement that locks tables need not.
    pub(super) async fn prepare<B: Backend>(
        &self,
        backend: &B,
        catalog: &Catalog,
        sequence: &Sequence,
    ) -> Result<(), ExecuteError> {
        let shared = self.shared(catalog, sequence);
        let leases = Leases { backend, catalog, sequence, owner: &self.owner };
        let mut leased = shared.lock().await;
        if leased.is_none() {
            *leased = Some(leases.take(seconds((self.clock)())).await?);
        }
        Ok(())
    }

    /// Renews a lease that is about to end. If that fails there is some time left to try again.
    async fn renew_in_time<B: Backend>(
        &self,
        leases: &Leases<'_, B>,
        leased: &mut Option<Snowflake>,
        now: u64,
    ) {
        let Some(numbers) = leased.as_mut().filter(|numbers| numbers.is_short(now, RENEW)) else { return };
        match extend(leases, numbers, now).await {
            Ok(true) => {}
            Ok(false) => *leased = None,
            Err(_) => {}
        }
    }

    fn shared(&self, catalog: &Catalog, sequence: &Sequence) -> Shared {
        let node = catalog.node(sequence.node);
        // A panic elsewhere cannot leave the map half-changed.
        let mut leased = self.leased.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(leased.entry((node.group, node.database.clone())).or_default())
    }
}

impl Default for Workers {
    fn default() -> Self {
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self::new(Arc::new(clock))
    }
}

impl std::fmt::Debug for Workers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workers").field("owner", &self.owner).finish_non_exhaustive()
    }
}

/// Moves the horizon; `false` where the worker is somebody else's by now.
async fn extend<B: Backend>(
    leases: &Leases<'_, B>,
    numbers: &mut Snowflake,
    now: u64,
) -> Result<bool, ExecuteError> {
    let horizon = now.max(numbers.second() + 1) + LEASE;
    let kept = leases.renew(numbers.worker(), horizon).await?;
    if kept {
        numbers.extend(horizon);
    }
    Ok(kept)
}

/// 128 random bits; the hasher's keys are random for each of them.
fn owner() -> String {
    let random = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", random(), random())
}

fn clock_is_behind(time: Duration) -> ExecuteError {
    let text = format!(
        "the clock is {} s behind the numbers that were given already, and all numbers of that second are used; was it \
         put back?",
        time.as_secs()
    );
    super::not_read(&text)
}

fn too_many() -> ExecuteError {
    super::not_read(&format!(
        "one statement can take {IN_A_SECOND} snowflake numbers; insert fewer rows at once"
    ))
}
