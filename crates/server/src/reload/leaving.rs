//! Groups that a new config no longer has: whether they may go, and when nobody needs them any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serval_backend::Servers;
use serval_catalog::{Catalog, Group};
use serval_executor::query_rows;
use serval_session::{PinReason, Proxy};
use serval_types::GroupId;

/// A statement that has taken its catalog and not yet its connection takes it within this.
const GRACE: Duration = Duration::from_secs(2);
/// How often to look whether a group is free.
const EVERY: Duration = Duration::from_millis(200);

/// The groups of `old` that `new` has no more, by their names.
pub fn leaving<'a>(old: &'a Catalog, new: &Catalog) -> Vec<&'a Group> {
    old.groups.iter().filter(|group| new.group_named(&group.name).is_none()).collect()
}

/// Transactions in doubt on groups that would go; nobody would finish them. A group that does not answer may have some.
pub async fn in_doubt(proxy: &Proxy<Servers>, leaving: &[&Group]) -> Vec<String> {
    let mut found = Vec::new();
    for group in leaving {
        match query_rows(&*proxy.backend, group.id, None, "XA RECOVER").await {
            Ok(rows) => {
                let names = rows.iter().filter_map(|row| row.last()?.as_deref().map(name_of));
                let ours: Vec<String> = names.filter(|name| name.starts_with("serval.")).collect();
                if !ours.is_empty() {
                    found.push(format!(
                        "group {} cannot go, it has branches of transactions in doubt: {}; show @@transaction says more",
                        group.name,
                        ours.join(", ")
                    ));
                }
            }
            Err(error) => found.push(format!(
                "group {} cannot go, it does not say whether it has transactions in doubt: {}",
                group.name,
                error.to_mysql().message
            )),
        }
    }
    found
}

/// XA names of ours are text, whatever others put there.
fn name_of(data: &[u8]) -> String {
    String::from_utf8_lossy(data).chars().take(80).collect()
}

/// Sessions with named locks, where these would get another home.
pub fn homeless_locks(proxy: &Proxy<Servers>, old: &Catalog, new: &Catalog) -> Option<String> {
    let home = |catalog: &Catalog| {
        let used = |group: &&Group| catalog.nodes.iter().any(|node| node.group == group.id);
        catalog.groups.iter().find(used).map(|group| group.name.clone())
    };
    let (before, after) = (home(old)?, home(new)?);
    if before == after {
        return None;
    }
    let holds =
        |pins: &[(GroupId, PinReason)]| pins.iter().any(|(_, reason)| *reason == PinReason::NamedLock);
    let holders = proxy.sessions.snapshots(false).iter().filter(|session| holds(&session.pins)).count();
    (holders > 0).then(|| {
        format!(
            "named locks would move from group {before} to {after}, and {holders} sessions hold some: show @@session lists \
             them; keep the first group first, or wait until they are released"
        )
    })
}

/// Closes the groups that have left once the transactions that began before have ended.
/// `farewell` is the version of the catalog with which some left last.
pub async fn see_off(proxy: Arc<Proxy<Servers>>, farewell: Arc<AtomicU64>) {
    tokio::time::sleep(GRACE).await;
    while !proxy.shutdown.is_cancelled() {
        let leaving = proxy.backend.leaving();
        if leaving.is_empty() {
            return;
        }
        if !proxy.sessions.anyone_before(farewell.load(Ordering::Acquire)) {
            for group in leaving.into_iter().filter(|group| proxy.backend.is_idle(*group)) {
                proxy.backend.retire(group);
                tracing::info!(%group, "the connections to a group that left the config are closed");
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}
