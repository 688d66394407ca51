//! Where a scenario connects to: one plain server, and the proxy, both with TLS and with every way to log in.

use std::path::PathBuf;

use serval_testkit::{Cluster, ClusterSpec, Flavour, ScratchDirectory, ServalProcess};
use tokio::sync::OnceCell;

use super::certificate::Certificate;
use crate::topology::{APP, Topology};
use crate::world::{make_databases, shared};

/// The plain server with its certificate, shared by all scenarios of a process.
#[derive(Debug)]
struct Direct {
    server: Cluster,
    certificate: Certificate,
    /// Holds the certificate's files.
    _folder: ScratchDirectory,
}

static DIRECT: OnceCell<Direct> = OnceCell::const_new();

/// A name for the plugins' users: the proxy announces a plugin per listener, so there is a proxy for each.
const PLUGINS: [&str; 2] = ["mysql_native_password", "caching_sha2_password"];
/// A user without a password.
const NOBODY: &str = "nobody";

/// Both targets of one scenario: the plain server, and the proxy.
#[derive(Debug)]
pub struct Targets {
    schema: String,
    /// One per plugin, in the order of [`PLUGINS`]; none before they are needed.
    proxies: Vec<ServalProcess>,
    direct: &'static Direct,
}

/// What a scenario is told.
#[derive(Debug)]
pub(super) struct Target {
    pub port: u16,
    pub schema: String,
    pub authority: PathBuf,
    /// `plugin:port:user:password`, each.
    pub logins: Vec<String>,
}

impl Targets {
    /// Makes databases of the scenario's own on all servers.
    ///
    /// # Panics
    /// If a server does not start.
    pub async fn start(name: &str) -> Targets {
        let schema = format!("client_{}", name.replace('-', "_"));
        let shared = shared().await;
        let direct = DIRECT.get_or_init(start_direct).await;
        make_databases(&shared.cluster, &schema).await;
        let make = format!("CREATE DATABASE {schema}");
        direct.server.group(0).primary().execute(&make).await.expect("a database");
        Targets { schema, proxies: Vec::new(), direct }
    }

    /// The plain server.
    pub(super) fn direct(&self) -> Target {
        let port = self.direct.server.group(0).primary().port();
        let plugin = if Flavour::from_env().is_mysql() { PLUGINS[1] } else { PLUGINS[0] };
        self.target(port, vec![login(plugin, port), empty(port)])
    }

    /// The proxy, which is started for it.
    pub(super) async fn proxied(&mut self) -> Target {
        for plugin in PLUGINS {
            self.proxies.push(self.proxy(plugin).await);
        }
        let port = self.proxies[0].ports().mysql();
        let logins =
            PLUGINS.iter().zip(&self.proxies).map(|(plugin, proxy)| login(plugin, proxy.ports().mysql()));
        self.target(port, logins.chain([empty(port)]).collect())
    }

    /// A proxy that announces this plugin.
    async fn proxy(&self, plugin: &str) -> ServalProcess {
        let more = users_and_tls(&self.direct.certificate, &self.schema);
        let topology = Topology { more, ..Topology::new(&self.schema) };
        let cluster = &shared().await.cluster;
        let started = ServalProcess::start(|ports| {
            let listen = format!("[listen]\nauth_plugin = \"{plugin}\"\n");
            topology.toml(cluster, ports).replacen("[listen]\n", &listen, 1)
        });
        started.await.expect("the proxy starts")
    }

    fn target(&self, port: u16, logins: Vec<String>) -> Target {
        let authority = self.direct.certificate.authority.clone();
        Target { port, schema: self.schema.clone(), authority, logins }
    }
}

fn login(plugin: &str, port: u16) -> String {
    format!("{plugin}:{port}:{}:{}", APP.0, APP.1)
}

fn empty(port: u16) -> String {
    format!("empty_password:{port}:{NOBODY}:")
}

fn users_and_tls(certificate: &Certificate, schema: &str) -> String {
    format!(
        "[users.{NOBODY}]\npassword = \"\"\nschemas = [\"{schema}\"]\n\
         [tls]\ncertificate = \"{}\"\nkey = \"{}\"\n",
        certificate.certificate.display(),
        certificate.key.display()
    )
}

async fn start_direct() -> Direct {
    let folder = ScratchDirectory::new(None).expect("a folder");
    let certificate = Certificate::make(folder.path());
    let mut spec = ClusterSpec::new(Flavour::from_env(), 1, 0);
    spec.options =
        [("ca", &certificate.authority), ("cert", &certificate.certificate), ("key", &certificate.key)]
            .map(|(option, file)| format!("--ssl-{option}={}", file.display()))
            .to_vec();
    spec.options.push("--local-infile=ON".to_owned());
    let server = Cluster::start(spec).await.expect("the plain server starts");
    let primary = server.group(0).primary();
    for (user, password) in [APP, (NOBODY, "")] {
        let create = format!("CREATE USER {user}@'%' IDENTIFIED BY '{password}'");
        primary.execute(&create).await.expect("a user");
        primary.execute(&format!("GRANT ALL ON *.* TO {user}@'%'")).await.expect("its rights");
    }
    Direct { server, certificate, _folder: folder }
}
