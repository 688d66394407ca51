//! Engines: servers of other kinds, which speak as much of MySQL's protocol as they know.
//!
//! Nothing is asked of them but the clients' own statements, since there is no statement that all of them understand: they
//! are not watched, their sessions are not set to anything, and nobody kills what runs there. A connection that was
//! given up in the middle is closed.

mod conversation;
mod pool;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use serval_catalog::{Catalog, Engine};
use serval_remote::{EngineAnswer, EngineStatus, Engines, Later};
use serval_types::{ErrorCode, MysqlError};

use crate::handshake::{Login, connect_engine};
use pool::Pool;

/// The pools of all engines.
#[derive(Debug, Default)]
pub(crate) struct EnginePools(ArcSwap<Vec<Arc<Pool>>>);

impl EnginePools {
    /// Takes over a catalog's engines; those that stay as they are keep their connections.
    pub(crate) fn replace(&self, catalog: &Catalog) {
        let known = self.0.load_full();
        let connect = catalog.settings.connect_timeout;
        let pool = |engine: &Arc<Engine>| {
            let same = known.iter().find(|pool| pool.is_of(engine, connect));
            same.cloned().unwrap_or_else(|| Arc::new(Pool::new(Arc::clone(engine), connect)))
        };
        self.0.store(Arc::new(catalog.engines.engines.values().map(pool).collect()));
    }
}

impl Engines for EnginePools {
    fn ask<'a>(
        &'a self,
        engine: &'a str,
        sql: &'a [u8],
    ) -> Later<'a, Result<Box<dyn EngineAnswer>, MysqlError>> {
        Box::pin(async move {
            let pool = self.0.load().iter().find(|pool| pool.engine.name == engine).cloned();
            let pool = pool.ok_or_else(|| {
                let message = format!("Engine {engine} is no longer configured; run the statement again");
                MysqlError::new(ErrorCode::BackendUnavailable, message)
            })?;
            let answer: Box<dyn EngineAnswer> = Box::new(pool.ask(sql).await?);
            Ok(answer)
        })
    }

    fn statistics(&self) -> Vec<EngineStatus> {
        self.0.load().iter().map(|pool| pool.status()).collect()
    }
}

/// Connects to an engine and logs in; the version that it tells.
///
/// # Errors
/// Why that cannot be done, in words.
pub async fn greet_engine(engine: &Engine, limit: Duration) -> Result<String, String> {
    let connected = connect_engine(&login(engine), limit).await;
    connected.map(|connected| connected.version).map_err(|error| error.to_string())
}

fn login(engine: &Engine) -> Login {
    let Engine { address, user, password, tls, database, .. } = engine;
    Login::new(address.clone(), user.clone(), password.clone(), tls.clone()).tolerant(database.clone())
}
