//! The demo's config: the files a user would write, with the ports of this run.

use std::net::SocketAddr;
use std::path::Path;

use serval_catalog::Verifier;

use crate::failure::Failure;

/// The client's user and password.
pub const USER: (&str, &str) = ("shop", "shop");
/// The console's user and password.
pub const ADMIN: (&str, &str) = ("admin", "admin");
/// The file that holds the servers' password, beside the config.
const SECRET_FILE: &str = "servers.secret";

/// What differs from run to run.
#[derive(Debug)]
pub struct DemoConfig {
    /// Where MySQL clients connect.
    pub mysql: SocketAddr,
    /// Where the console listens.
    pub admin: SocketAddr,
    /// Where /metrics is.
    pub http: SocketAddr,
    /// Per group: the address of the primary and of the replica.
    pub groups: Vec<(String, String)>,
    /// The user and password that Serval has on the servers.
    pub server_user: (String, String),
    /// The first month of the events, `2026-01`.
    pub from: String,
    /// The last one.
    pub to: String,
}

impl DemoConfig {
    /// Writes `serval.toml` and the file with the servers' password.
    pub fn write(&self, directory: &Path) -> Result<(), Failure> {
        let write = || {
            std::fs::create_dir_all(directory)?;
            std::fs::write(directory.join(SECRET_FILE), &self.server_user.1)?;
            std::fs::write(directory.join("serval.toml"), self.text())
        };
        write().map_err(|error| Failure::other(format!("cannot write to {}: {error}", directory.display())))
    }

    /// The TOML.
    pub fn text(&self) -> String {
        let Self { mysql, admin, http, from, to, .. } = self;
        let groups: String =
            self.groups.iter().enumerate().map(|(index, group)| group_text(index, group)).collect();
        let server_user = &self.server_user.0;
        let ((user, verifier), (admin_user, admin_verifier)) = (account(USER), account(ADMIN));
        format!(
            r#"# The demo's config. `serval passwd` makes verifiers like those of its users.

[listen]
mysql = "{mysql}"
admin = "{admin}"
http  = "{http}"

[users.{user}]
verifier = "{verifier}"
schemas = ["shop"]

[admin.users.{admin_user}]
verifier = "{admin_verifier}"

[defaults.group]
user = "{server_user}"
password = {{ file = "{SECRET_FILE}" }}
max_connections = 64
{groups}
# Where joins, subqueries and windows over several nodes are finished.
[scratch]
server = "managed"

[nodes]
"dn[0-1]" = {{ group = "g0", database = "shop_[0-1]" }}
"dn[2-3]" = {{ group = "g1", database = "shop_[2-3]" }}

# A user and everything that belongs to it live on one node.
[rules.by_user]
function = "hash"
column = "user_id"
nodes = "dn[0-3]"

[rules.by_product]
function = "mod"
column = "id"
nodes = "dn[0-3]"

# A table per month; the months go round the nodes.
[rules.by_month]
function = "month"
column = "created_at"
nodes = "dn[0-3]"
from = "{from}"
to = "{to}"
tables = "{{table}}_{{yyyymm}}"

[schemas.shop]
default_node = "dn0"
transaction = "atomic"
consistency = "primary"

[schemas.shop.tables]
users       = {{ rule = "by_user", column = "id", auto_increment = "segment" }}
orders      = {{ rule = "by_user", auto_increment = "segment", unique = "sequence" }}
order_items = {{ rule = "by_user" }}
payments    = {{ rule = "by_user", auto_increment = "segment" }}
products    = {{ rule = "by_product" }}
events      = {{ rule = "by_month", auto_increment = "segment" }}
regions     = {{ global = "dn[0-3]" }}
"#
        )
    }
}

/// A user's name, and the verifier of the password.
fn account((name, password): (&'static str, &str)) -> (&'static str, String) {
    (name, Verifier::of_password(password).to_text())
}

fn group_text(index: usize, (primary, replica): &(String, String)) -> String {
    format!("\n[groups.g{index}]\nprimary = \"{primary}\"\nreplicas = [\"{replica}\"]\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn the_config_is_valid() {
        let config = DemoConfig {
            mysql: address(3307),
            admin: address(9066),
            http: address(9067),
            groups: vec![
                ("127.0.0.1:4000".into(), "127.0.0.1:4001".into()),
                ("127.0.0.1:4002".into(), "127.0.0.1:4003".into()),
            ],
            server_user: ("serval".into(), "secret".into()),
            from: "2026-01".into(),
            to: "2027-12".into(),
        };
        let directory = tempfile::tempdir().unwrap();
        config.write(directory.path()).unwrap();
        let files = crate::config_files::ConfigFiles::read(directory.path()).unwrap();
        let (catalog, warnings) = files.load().unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!((catalog.nodes.len(), warnings.len()), (4, 0), "{}", files.render(&warnings));
    }
}
