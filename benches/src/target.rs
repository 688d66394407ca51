//! What is measured: a server, and what stands in front of it.

use std::fmt::Write as _;
use std::time::Duration;

use serval_testkit::{Cluster, ClusterSpec, Flavour, PortLease, ServalPorts, ServalProcess, Supervised};

use crate::client::Failure;
use crate::load;

/// The user and password of sysbench, on the servers and on Serval alike.
pub(crate) const USER: (&str, &str) = ("serval", "serval-backend");
/// The database on the first server that all targets but the sharded one use.
pub(crate) const PLAIN: &str = "plain";
/// The schema whose tables lie on two groups.
pub(crate) const SHARDED: &str = "sharded";

/// The schema of many tables, which a start reads.
pub(crate) const MANY: &str = "many";
/// How many.
pub(crate) const TABLES_OF_MANY: u32 = 1000;
/// Connections that Serval may have to a server.
pub(crate) const CONNECTIONS: u32 = 64;

/// How long Serval may take to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A port that sysbench connects to.
pub(crate) struct Target {
    pub name: &'static str,
    pub port: u16,
    pub schema: &'static str,
    /// The process between sysbench and the server, none for a direct connection.
    pub proxy: Option<u32>,
}

impl Target {
    /// The process between the client and the server.
    pub(crate) fn pid(&self) -> Result<u32, Failure> {
        self.proxy.ok_or_else(|| format!("{} has no process of its own", self.name).into())
    }
}

/// Everything that runs. Fields are dropped from the top: proxies before servers.
pub(crate) struct Bench {
    pub targets: Vec<Target>,
    pub tables: u32,
    pub rows: u32,
    serval: ServalProcess,
    _haproxy: Supervised,
    _haproxy_port: PortLease,
    /// Last, so that the servers outlive the proxies.
    pub cluster: Cluster,
}

impl Bench {
    /// Starts everything and loads the tables: once into the first server, once through Serval. `under` is what Serval
    /// is run by, if anything.
    pub(crate) async fn start(tables: u32, rows: u32, under: &[String]) -> Result<Bench, Failure> {
        let mut spec = ClusterSpec::new(Flavour::MariaDb, 2, 0);
        let options = ["--innodb-buffer-pool-size=256M", "--max-connections=10000", "--back-log=4096"];
        spec.options = options.map(str::to_owned).to_vec();
        let cluster = Cluster::start(spec).await?;
        let server = cluster.group(0).primary();
        server.execute(&format!("CREATE DATABASE {PLAIN}")).await?;
        for node in 0..4 {
            let primary = cluster.group(node / 2).primary();
            primary.execute(&format!("CREATE DATABASE {SHARDED}_{node}")).await?;
        }
        let haproxy_port = PortLease::take()?;
        let haproxy = start_haproxy(&cluster, &haproxy_port)?;
        let serval = start_serval(&cluster, under).await?;
        let proxy =
            |name, schema| Target { name, port: serval.ports().mysql(), schema, proxy: Some(serval.pid()) };
        let targets = vec![
            Target { name: "direct", port: server.port(), schema: PLAIN, proxy: None },
            Target {
                name: "HAProxy",
                port: haproxy_port.number(),
                schema: PLAIN,
                proxy: Some(haproxy.pid()),
            },
            proxy("Serval", PLAIN),
            proxy("Serval, sharded", SHARDED),
        ];
        let bench =
            Bench { targets, tables, rows, serval, _haproxy: haproxy, _haproxy_port: haproxy_port, cluster };
        load::prepare(&bench, &bench.targets[0]).await?;
        load::prepare(&bench, &bench.targets[3]).await?;
        Ok(bench)
    }

    /// Ends Serval as an operator does.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        self.serval.signal("TERM");
        match self.serval.wait(PATIENCE).await {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("Serval ended with {status}").into()),
            None => Err("Serval does not end".into()),
        }
    }

    /// Another Serval in front of the same servers.
    pub(crate) async fn serval(&self, under: &[String]) -> Result<ServalProcess, Failure> {
        Ok(start_serval(&self.cluster, under).await?)
    }

    /// The target of this name.
    pub(crate) fn target(&self, name: &str) -> Result<&Target, Failure> {
        let found = self.targets.iter().find(|target| target.name == name);
        found.ok_or_else(|| format!("there is no {name}").into())
    }

    /// The first targets in the order of a round: another one goes first in each.
    pub(crate) fn turn(&self, round: u32, count: usize) -> impl Iterator<Item = &Target> {
        let first = &self.targets[..count];
        (0..count).map(move |index| &first[(index + round as usize) % count])
    }
}

async fn start_serval(cluster: &Cluster, under: &[String]) -> serval_testkit::Result<ServalProcess> {
    ServalProcess::start_under(under, |ports| configuration(cluster, ports)).await
}

fn start_haproxy(cluster: &Cluster, port: &PortLease) -> Result<Supervised, Failure> {
    let text = format!(
        "global\n  maxconn 9000\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n\
         listen mysql\n  bind 127.0.0.1:{}\n  server primary {}\n",
        port.number(),
        cluster.group(0).primary().address()
    );
    let path = cluster.directory().join("haproxy.cfg");
    std::fs::write(&path, text)?;
    let program = ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy"]
        .into_iter()
        .find(|path| std::fs::exists(path).unwrap_or(false));
    let program = program.ok_or("haproxy is not installed: run `cargo xtask bench`")?;
    let arguments = ["-db".as_ref(), "-f".as_ref(), path.as_os_str()];
    Ok(Supervised::spawn(program.as_ref(), arguments, &[], &cluster.directory().join("haproxy.log"))?)
}

fn configuration(cluster: &Cluster, ports: &ServalPorts) -> String {
    let mut text = ports.listen_table();
    let (user, password) = USER;
    let _ = write!(
        text,
        r#"
[users.{user}]
password = "{password}"
schemas = ["{PLAIN}", "{SHARDED}", "{MANY}"]

[admin.users.admin]
password = "admin"

[defaults.group]
user = "{}"
password = "{}"
max_connections = {CONNECTIONS}

[groups.g0]
primary = "{}"

[groups.g1]
primary = "{}"

[nodes]
plain = {{ group = "g0", database = "{PLAIN}" }}
many = {{ group = "g0", database = "{MANY}" }}
"dn[0-1]" = {{ group = "g0", database = "{SHARDED}_[0-1]" }}
"dn[2-3]" = {{ group = "g1", database = "{SHARDED}_[2-3]" }}

[rules.by_id]
function = "hash"
column = "id"
nodes = "dn[0-3]"

[schemas.{PLAIN}]
default_node = "plain"

[schemas.{MANY}]
default_node = "many"

[schemas.{SHARDED}]
default_node = "dn0"

[schemas.{SHARDED}.tables]
"sbtest[1-16]" = {{ rule = "by_id", auto_increment = "segment" }}
wide = {{ rule = "by_id" }}
"#,
        cluster.backend_user(),
        cluster.backend_password(),
        cluster.group(0).primary().address(),
        cluster.group(1).primary().address(),
    );
    text
}
