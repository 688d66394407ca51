//! Tables whose definitions this proxy has changed, for whoever tells the other proxies.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// What has yet to be told. Each table stands here once, however often it changes.
#[derive(Debug, Default)]
pub struct Defined {
    tables: Mutex<BTreeSet<(String, String)>>,
    wake: Notify,
}

impl Defined {
    /// Notes tables, by schema and name.
    pub(crate) fn note(&self, tables: impl IntoIterator<Item = (String, String)>) {
        self.tables.lock().extend(tables);
        self.wake.notify_one();
    }

    /// Waits for tables that have changed since the last call.
    pub async fn next(&self) -> Vec<(String, String)> {
        loop {
            let tables = std::mem::take(&mut *self.tables.lock());
            if !tables.is_empty() {
                return tables.into_iter().collect();
            }
            self.wake.notified().await;
        }
    }
}
