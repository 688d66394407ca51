//! What proxies tell each other of definitions: what this one has changed, and what others have.

use std::sync::Arc;
use std::time::Duration;

use serval_backend::Servers;
use serval_executor::definitions::{Changes, announce};
use serval_session::Proxy;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::definitions::Definitions;
use crate::server_kind;

/// How often the others' changes are looked for: so long a proxy may work with a definition of yesterday.
const LOOK: Duration = Duration::from_secs(1);

/// Tells and looks until `shutdown`. `changes` has looked once, before the definitions were read.
pub async fn watch(
    proxy: Arc<Proxy<Servers>>,
    definitions: Arc<Definitions>,
    mut changes: Changes,
    shutdown: CancellationToken,
) {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let work = async {
        loop {
            tokio::select! {
                tables = proxy.defined.next() => tell(&proxy, &tables).await,
                _ = ticks.tick() => {
                    server_kind::learn(&proxy.catalog, &proxy.backend).await;
                    let catalog = proxy.catalog.load_full();
                    let changed = changes.look(&*proxy.backend, &catalog).await;
                    definitions.read(&changed).await;
                }
            }
        }
    };
    tokio::select! {
        () = work => {}
        () = shutdown.cancelled() => {}
    }
}

async fn tell(proxy: &Proxy<Servers>, tables: &[(String, String)]) {
    let catalog = proxy.catalog.load_full();
    for (group, why) in announce(&*proxy.backend, &catalog, tables).await {
        tracing::debug!(group, why, "other proxies could not be told of a definition there");
    }
}
