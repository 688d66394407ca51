//! `serval demo`: private servers with replication, a small shop on them, and the proxy in front, in one command.
//!
//! The servers die with this process, however it ends, and their directory with them.

mod calendar;
mod config;
mod guide;
mod load;
mod shop;

use std::net::SocketAddr;
use std::path::PathBuf;

use serval_testkit::{Cluster, ClusterSpec, Flavour, PortLease, TestkitError};

use self::calendar::Month;
use self::config::DemoConfig;
use self::guide::{Guide, ServerLine};
use crate::cli::DemoArgs;
use crate::command::run::runtime;
use crate::config_files::ConfigFiles;
use crate::failure::Failure;
use crate::listeners::Listeners;
use crate::logging::{self, LogFormat};
use crate::output::say;
use crate::proxy::Running;
use crate::signals::Signals;

/// The databases of each group's data nodes.
const DATABASES: [&str; 2] = ["shop_0, shop_1", "shop_2, shop_3"];

/// Runs until a signal.
pub fn run(args: &DemoArgs) -> Result<(), Failure> {
    logging::start("warn", LogFormat::Text);
    runtime()?.block_on(async {
        let mut signals = Signals::listen()?;
        let ports = Ports::take(args)?;
        let ready = tokio::select! {
            ready = start(args, &ports) => ready?,
            () = signals.stop() => return Ok(()),
        };
        say(&ready.guide);
        ready.running.until_signal(&mut signals).await;
        say("Stopping the servers …");
        ready.cluster.remove();
        Ok(())
    })
}

/// A demo that is ready to be used.
struct Ready {
    running: Running,
    cluster: Servers,
    guide: String,
}

/// The three addresses, and the leases of those that were not asked for by number.
struct Ports {
    mysql: SocketAddr,
    admin: SocketAddr,
    http: SocketAddr,
    _leases: Vec<PortLease>,
}

impl Ports {
    fn take(args: &DemoArgs) -> Result<Self, Failure> {
        let mut leases = Vec::new();
        let mut address = |port: u16| -> Result<SocketAddr, Failure> {
            let port = if port == 0 {
                let lease = PortLease::take().map_err(|error| Failure::other(error.to_string()))?;
                let number = lease.number();
                leases.push(lease);
                number
            } else {
                port
            };
            Ok(SocketAddr::from(([127, 0, 0, 1], port)))
        };
        let (mysql, admin, http) = (address(args.port)?, address(args.admin_port)?, address(args.http_port)?);
        Ok(Self { mysql, admin, http, _leases: leases })
    }

    fn listen(&self) -> serval_catalog::Listen {
        serval_catalog::Listen {
            mysql: self.mysql,
            admin: Some(self.admin),
            http: Some(self.http),
            ..serval_catalog::Listen::default()
        }
    }
}

async fn start(args: &DemoArgs, ports: &Ports) -> Result<Ready, Failure> {
    let listeners = Listeners::bind(&ports.listen()).await?;
    say("Starting four MariaDB servers: two groups, each a primary and a replica …");
    let cluster = Servers::start(args).await?;
    let now = Month::now();
    let config = cluster.config(ports, now);
    let directory = cluster.cluster.directory().join("conf");
    config.write(&directory)?;
    let files = ConfigFiles::read(&directory)?;
    let (catalog, _) = files.load()?;
    let running = Running::start(files, catalog, listeners).await?;
    say("Creating the shop and filling it, through the proxy …");
    load::Loader::connect(ports.mysql, now).await?.fill().await?;
    cluster.cluster.wait_until_replicated().await.map_err(|error| failed(&error))?;
    let guide = cluster.guide(ports, now).await;
    Ok(Ready { running, cluster, guide })
}

/// The servers, and a directory to be removed if the demo made it.
struct Servers {
    cluster: Cluster,
    made: Option<PathBuf>,
}

impl Servers {
    async fn start(args: &DemoArgs) -> Result<Self, Failure> {
        let made = args.data_dir.clone().filter(|directory| !directory.exists());
        let mut spec = ClusterSpec::new(Flavour::from_env(), DATABASES.len(), 1);
        spec.parent.clone_from(&args.data_dir);
        let cluster = Cluster::start(spec).await.map_err(|error| failed(&error))?;
        for (group, databases) in cluster.groups().iter().zip(DATABASES) {
            for database in databases.split(", ") {
                let sql = format!("CREATE DATABASE {database}");
                group.primary().execute(&sql).await.map_err(|error| failed(&error))?;
            }
        }
        Ok(Self { cluster, made })
    }

    fn config(&self, ports: &Ports, now: Month) -> DemoConfig {
        let groups = self.cluster.groups().iter();
        DemoConfig {
            mysql: ports.mysql,
            admin: ports.admin,
            http: ports.http,
            groups: groups.map(|group| (group.primary().address(), group.replica(0).address())).collect(),
            server_user: (self.cluster.backend_user().into(), self.cluster.backend_password().into()),
            from: now.first_of_range().to_string(),
            to: now.last_of_range().to_string(),
        }
    }

    async fn guide(&self, ports: &Ports, now: Month) -> String {
        let mut servers = Vec::new();
        for (index, (group, databases)) in self.cluster.groups().iter().zip(DATABASES).enumerate() {
            for (role, server) in [("primary", group.primary()), ("replica", group.replica(0))] {
                let name = format!("g{index} {role}");
                servers.push(ServerLine { name, port: server.port(), pid: server.pid().await, databases });
            }
        }
        let server_user = (self.cluster.backend_user(), self.cluster.backend_password());
        let (mysql, admin, http) = (ports.mysql, ports.admin, ports.http);
        Guide { mysql, admin, http, servers: &servers, server_user, now }.text()
    }

    /// Ends the servers and removes what they left.
    fn remove(self) {
        drop(self.cluster);
        if let Some(made) = self.made {
            // Somebody may have put a file of their own into it; then it stays.
            let _ = std::fs::remove_dir(made);
        }
    }
}

fn failed(error: &TestkitError) -> Failure {
    match error {
        TestkitError::NotInstalled { .. } => Failure::other(format!(
            "{error}\n  help: `cargo xtask demo` installs what is missing and then runs the demo; \
             or install the package mariadb-server"
        )),
        _ => Failure::other(error.to_string()),
    }
}
