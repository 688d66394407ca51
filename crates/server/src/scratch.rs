//! The scratch server that Serval starts itself, where the config says `[scratch] server = "managed"`.
//!
//! It listens on a socket in a directory that nobody else may enter, keeps no binary log, and ends with the proxy. Where
//! it ends by itself it is started again; statements that need it meanwhile get an error.

use std::sync::Arc;
use std::time::Duration;

use serval_backend::Servers;
use serval_catalog::{Address, Catalog, ScratchHost};
use serval_testkit::{Flavour, PrivateServer, ScratchDirectory};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

/// How often it is looked after, and how long a start that failed is waited for.
const LOOK: Duration = Duration::from_secs(1);
const RETRY: Duration = Duration::from_secs(10);

/// The place of a managed scratch server.
#[derive(Debug)]
pub struct ScratchPlace {
    directory: ScratchDirectory,
}

impl ScratchPlace {
    /// A place, where the catalog wants one.
    pub fn of(catalog: &Catalog) -> Result<Option<Arc<Self>>, Failure> {
        if !is_managed(catalog) {
            return Ok(None);
        }
        let directory = ScratchDirectory::new(None)
            .map_err(|error| Failure::other(format!("no place for the scratch server: {error}")))?;
        Ok(Some(Arc::new(Self { directory })))
    }

    /// The catalog with the server's address.
    pub fn settle(&self, catalog: Catalog) -> Catalog {
        if !is_managed(&catalog) {
            return catalog;
        }
        catalog.with_scratch_at(Address::Unix(PrivateServer::socket_in(&self.directory)))
    }

    /// Keeps the server running, of the same kind as the servers with the data, until `shutdown`.
    pub async fn keep(self: Arc<Self>, database: String, servers: Arc<Servers>, shutdown: CancellationToken) {
        tokio::select! {
            () = self.keep_running(&database, &servers) => {}
            () = shutdown.cancelled() => {}
        }
    }

    async fn keep_running(&self, database: &str, servers: &Servers) {
        let flavour = loop {
            match servers.lowest_version() {
                Some(version) if version.to_ascii_lowercase().contains("mariadb") => break Flavour::MariaDb,
                Some(_) => break Flavour::MySql97,
                None => tokio::time::sleep(LOOK).await,
            }
        };
        loop {
            match PrivateServer::start(flavour, &self.directory, database).await {
                Ok(mut server) => {
                    tracing::info!(pid = server.pid(), "the scratch server is ready");
                    while !server.has_ended() {
                        tokio::time::sleep(LOOK).await;
                    }
                    tracing::warn!("the scratch server ended; it is started again");
                }
                Err(error) => {
                    tracing::error!(%error, "the scratch server did not start; statements that need it are refused");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }
}

fn is_managed(catalog: &Catalog) -> bool {
    catalog.scratch.as_ref().is_some_and(|scratch| scratch.host == ScratchHost::Managed)
}
