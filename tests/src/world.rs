//! What one test works in.

use std::time::{Duration, Instant};

use mysql_async::OptsBuilder;
use serval_testkit::{Cluster, ClusterSpec, Flavour, ServalProcess};
use tokio::sync::OnceCell;

use crate::answer::Client;
use crate::topology::{ADMIN, APP, Topology};

/// The servers that all tests of this process share, except those that stop servers.
#[derive(Debug)]
pub struct Shared {
    /// Two groups of a primary and a replica.
    pub cluster: Cluster,
    /// One plain server.
    pub oracle: Cluster,
}

static SHARED: OnceCell<Shared> = OnceCell::const_new();

/// Starts the shared servers once. They end with the process.
///
/// # Panics
/// If the servers cannot be started.
pub async fn shared() -> &'static Shared {
    SHARED
        .get_or_init(|| async {
            let flavour = Flavour::from_env();
            let (cluster, oracle) =
                tokio::join!(Cluster::start(ClusterSpec::new(flavour, 2, 1)), Cluster::single(flavour));
            Shared {
                cluster: cluster.expect("the servers start"),
                oracle: oracle.expect("the oracle starts"),
            }
        })
        .await
}

/// Servers for a test that stops them.
///
/// # Panics
/// If the servers cannot be started.
pub async fn own_cluster() -> Cluster {
    Cluster::start(ClusterSpec::new(Flavour::from_env(), 2, 1)).await.expect("the servers start")
}

/// A proxy with databases of its own, and a database for the same rows on the oracle.
#[derive(Debug)]
pub struct World {
    /// The proxy.
    pub serval: ServalProcess,
    /// The logical schema, and the oracle's database.
    pub schema: String,
    /// The shared servers.
    pub shared: &'static Shared,
}

impl World {
    /// The usual topology. The schema's name must differ from test to test.
    pub async fn new(schema: &str) -> World {
        World::with(Topology::new(schema)).await
    }

    /// The usual topology with a scratch server, which is the oracle's.
    ///
    /// # Panics
    /// If a server or the proxy does not work.
    pub async fn gathering(schema: &str) -> World {
        World::with(World::gathering_topology(schema).await).await
    }

    /// That topology, for tests that change it.
    ///
    /// # Panics
    /// If the oracle does not work.
    pub async fn gathering_topology(schema: &str) -> Topology {
        let oracle = shared().await.oracle.group(0).primary();
        let made = oracle.execute("CREATE DATABASE IF NOT EXISTS serval_scratch").await;
        made.expect("the database for gathering");
        Topology { scratch: Some(oracle.address()), ..Topology::new(schema) }
    }

    /// A topology that the test has changed.
    ///
    /// # Panics
    /// If a server or the proxy does not work.
    pub async fn with(topology: Topology) -> World {
        let shared = shared().await;
        make_databases(&shared.cluster, &topology.schema).await;
        let oracle = shared.oracle.group(0).primary();
        oracle.execute(&format!("CREATE DATABASE {}", topology.schema)).await.expect("the oracle's database");
        let serval = ServalProcess::start(|ports| topology.toml(&shared.cluster, ports)).await;
        World { serval: serval.expect("the proxy starts"), schema: topology.schema, shared }
    }

    /// A client of the proxy.
    pub async fn client(&self) -> Client {
        Client::connect("proxy", self.client_options()).await
    }

    /// A client of the oracle.
    pub async fn oracle(&self) -> Client {
        let server = self.shared.oracle.group(0).primary();
        Client::connect("oracle", server.backend_options().db_name(Some(&self.schema))).await
    }

    /// A client of the admin console.
    pub async fn admin(&self) -> Client {
        Client::connect("console", self.serval.admin_options(ADMIN.0, ADMIN.1)).await
    }

    /// How clients connect to the proxy.
    #[must_use]
    pub fn client_options(&self) -> OptsBuilder {
        self.serval.client_options(APP.0, APP.1, Some(&self.schema))
    }

    /// The values of a one-column query on a data node's own database, past the proxy.
    ///
    /// # Panics
    /// If the server refuses the query.
    pub async fn on_node(&self, node: usize, sql: &str) -> Vec<String> {
        on_node(&self.shared.cluster, &self.schema, node, sql).await
    }
}

/// The values of a one-column query on a data node's database, in which `$db` stands for its name.
///
/// # Panics
/// If the server refuses the query.
pub async fn on_node(cluster: &Cluster, schema: &str, node: usize, sql: &str) -> Vec<String> {
    let sql = sql.replace("$db", &format!("{schema}_{node}"));
    cluster.group(node / 2).primary().column(&sql).await.expect("a query on a data node")
}

/// The four physical databases, on all servers of their groups when this returns.
///
/// # Panics
/// If a server refuses.
pub async fn make_databases(cluster: &Cluster, schema: &str) {
    for node in 0..4 {
        let sql = format!("CREATE DATABASE {schema}_{node}");
        cluster.group(node / 2).primary().execute(&sql).await.expect("a database");
    }
    cluster.wait_until_replicated().await.expect("replication");
}

/// Waits until `condition` holds.
///
/// # Panics
/// If it does not hold within `limit`.
pub async fn eventually<F: Future<Output = bool>>(
    what: &str,
    limit: Duration,
    mut condition: impl FnMut() -> F,
) {
    let deadline = Instant::now() + limit;
    while !condition().await {
        assert!(Instant::now() < deadline, "{what}: not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
