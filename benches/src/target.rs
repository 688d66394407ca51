//! What is measured: a server, and what stands in front of it.

use std::error::Error;
use std::fmt::Write as _;

use serval_testkit::{Cluster, ClusterSpec, Flavour, PortLease, ServalPorts, ServalProcess, Supervised};

use crate::load;

/// The user and password of sysbench, on the servers and on Serval alike.
pub(crate) const USER: (&str, &str) = ("serval", "serval-backend");
/// The database on the first server that all targets but the sharded one use.
const PLAIN: &str = "plain";
/// The schema whose tables lie on two groups.
const SHARDED: &str = "sharded";

/// A port that sysbench connects to.
pub(crate) struct Target {
    pub name: &'static str,
    pub port: u16,
    pub schema: &'static str,
    /// The process between sysbench and the server, none for a direct connection.
    pub proxy: Option<u32>,
}

/// Everything that runs. Fields are dropped from the top: proxies before servers.
pub(crate) struct Bench {
    pub targets: Vec<Target>,
    pub tables: u32,
    pub rows: u32,
    _serval: ServalProcess,
    _haproxy: Supervised,
    _haproxy_port: PortLease,
    /// Last, so that the servers outlive the proxies.
    pub cluster: Cluster,
}

impl Bench {
    /// Starts everything and loads the tables: once into the first server, once through Serval. `under` is what Serval
    /// is run by, if anything.
    pub(crate) async fn start(tables: u32, rows: u32, under: &[String]) -> Result<Bench, Box<dyn Error>> {
        let mut spec = ClusterSpec::new(Flavour::MariaDb, 2, 0);
        spec.options = vec!["--innodb-buffer-pool-size=256M".to_owned()];
        let cluster = Cluster::start(spec).await?;
        let server = cluster.group(0).primary();
        server.execute(&format!("CREATE DATABASE {PLAIN}")).await?;
        for node in 0..4 {
            let primary = cluster.group(node / 2).primary();
            primary.execute(&format!("CREATE DATABASE {SHARDED}_{node}")).await?;
        }
        let haproxy_port = PortLease::take()?;
        let haproxy = start_haproxy(&cluster, &haproxy_port)?;
        let serval = ServalProcess::start_under(under, |ports| configuration(&cluster, ports)).await?;
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
        let bench = Bench {
            targets,
            tables,
            rows,
            _serval: serval,
            _haproxy: haproxy,
            _haproxy_port: haproxy_port,
            cluster,
        };
        load::prepare(&bench, &bench.targets[0]).await?;
        load::prepare(&bench, &bench.targets[3]).await?;
        Ok(bench)
    }
}

fn start_haproxy(cluster: &Cluster, port: &PortLease) -> Result<Supervised, Box<dyn Error>> {
    let text = format!(
        "global\n  maxconn 1000\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n\
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
schemas = ["{PLAIN}", "{SHARDED}"]

[admin.users.admin]
password = "admin"

[defaults.group]
user = "{}"
password = "{}"
max_connections = 128

[groups.g0]
primary = "{}"

[groups.g1]
primary = "{}"

[nodes]
plain = {{ group = "g0", database = "{PLAIN}" }}
"dn[0-1]" = {{ group = "g0", database = "{SHARDED}_[0-1]" }}
"dn[2-3]" = {{ group = "g1", database = "{SHARDED}_[2-3]" }}

[rules.by_id]
function = "hash"
column = "id"
nodes = "dn[0-3]"

[schemas.{PLAIN}]
default_node = "plain"

[schemas.{SHARDED}]
default_node = "dn0"

[schemas.{SHARDED}.tables]
"sbtest[1-16]" = {{ rule = "by_id", auto_increment = "segment" }}
"#,
        cluster.backend_user(),
        cluster.backend_password(),
        cluster.group(0).primary().address(),
        cluster.group(1).primary().address(),
    );
    text
}
