//! A group's servers, and which of them serves a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serval_catalog::Role;
use serval_remote::{Access, RemoteError};

use crate::server::Server;

/// The golden ratio's share of 2⁶⁴: its multiples spread evenly, so that weighted turns interleave.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// One group, as one version of the catalog has it.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) members: Vec<Member>,
    pub(crate) max_connections: usize,
    /// Counts the choices of a replica.
    turns: AtomicU64,
}

/// A server's part in its group.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) server: Arc<Server>,
    pub(crate) role: Role,
    pub(crate) weight: u32,
}

impl Group {
    pub(crate) fn new(name: String, members: Vec<Member>, max_connections: usize) -> Self {
        Self { name, members, max_connections, turns: AtomicU64::new(0) }
    }

    /// The most connections that one statement may hold: half of a pool, so that one wide statement leaves room for
    /// others. Later a part of the rest is kept for transactions that hold connections already.
    pub(crate) fn fan_out(&self) -> usize {
        (self.max_connections / 2).max(1)
    }

    /// The server to ask. A replica that turns out to be down while it is asked is no longer healthy at the next call.
    pub(crate) fn choose(&self, access: Access) -> Result<&Arc<Server>, RemoteError> {
        match access {
            Access::Primary => self.primary(),
            Access::Replica => self.replica().map_or_else(|| self.primary(), Ok),
        }
    }

    /// How often another choice may be asked for after one that failed.
    pub(crate) fn others(&self, access: Access) -> usize {
        match access {
            Access::Primary => 0,
            Access::Replica => self.members.len().saturating_sub(1),
        }
    }

    /// Whether there is a server for such a request that is not known to be down.
    pub(crate) fn is_available(&self, access: Access) -> bool {
        self.members.iter().any(|member| match member.role {
            Role::Primary => !member.server.health.is_down(),
            Role::Replica => access == Access::Replica && member.weight > 0 && member.server.health.is_up(),
        })
    }

    fn primary(&self) -> Result<&Arc<Server>, RemoteError> {
        self.members
            .iter()
            .find(|member| member.role == Role::Primary)
            .map(|member| &member.server)
            .ok_or_else(|| RemoteError::Unavailable {
                group: self.name.clone(),
                reason: "it has no primary".to_owned(),
            })
    }

    /// A healthy replica, each in proportion to its weight.
    fn replica(&self) -> Option<&Arc<Server>> {
        let healthy = || {
            self.members.iter().filter(|member| member.role == Role::Replica && member.server.health.is_up())
        };
        let total: u64 = healthy().map(|member| u64::from(member.weight)).sum();
        if total == 0 {
            return None;
        }
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        let mut share = spread(turn, total);
        // A server may change its health between the two passes; then the primary serves this one.
        healthy().find_map(|member| {
            let weight = u64::from(member.weight);
            if share < weight {
                return Some(&member.server);
            }
            share -= weight;
            None
        })
    }
}

/// The `turn`-th of a sequence that visits the numbers below `total` evenly.
fn spread(turn: u64, total: u64) -> u64 {
    let fraction = u128::from(turn.wrapping_mul(GOLDEN));
    // Below `total`, so it fits.
    u64::try_from((fraction * u128::from(total)) >> 64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_follow_the_weights_and_interleave() {
        let heavy = |turn: u64| spread(turn, 4) < 3;
        let share = (0..4000).filter(|&turn| heavy(turn)).count();
        assert!((2990..=3010).contains(&share), "{share}");
        let longest =
            (0..4000).collect::<Vec<u64>>().chunk_by(|&a, &b| heavy(a) == heavy(b)).map(<[u64]>::len).max();
        assert!(longest < Some(6), "{longest:?}");
    }
}
