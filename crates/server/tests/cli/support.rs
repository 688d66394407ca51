//! Running the binary on a config in a temporary directory.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A config that is right, with two groups and tables of every kind.
pub const GOOD: &str = r#"
[listen]
mysql = "127.0.0.1:3307"
admin = "127.0.0.1:9066"
http = "127.0.0.1:9067"

[users.app]
password = "app"
schemas = ["shop"]

[admin.users.admin]
password = { file = "admin.secret" }

[defaults.group]
user = "serval"
password = "secret"

[groups.g0]
primary = "127.0.0.1:1"
replicas = ["127.0.0.1:2"]

[groups.g1]
primary = "127.0.0.1:3"

[nodes]
"dn[0-1]" = { group = "g0", database = "shop_[0-1]" }
"dn[2-3]" = { group = "g1", database = "shop_[2-3]" }

[rules.by_user]
function = "hash"
column = "user_id"
nodes = "dn[0-3]"

[schemas.shop]
default_node = "dn0"

[schemas.shop.tables]
users = { rule = "by_user", column = "id", auto_increment = "segment" }
orders = { rule = "by_user", unique = "sequence" }
regions = { global = "dn[0-3]" }
"#;

/// The definitions of [`GOOD`]'s tables.
pub const DEFINITIONS: &str = "
CREATE TABLE `users` (
  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `name` varchar(64) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `orders` (
  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `user_id` bigint(20) unsigned NOT NULL,
  `total` decimal(10,2) NOT NULL,
  PRIMARY KEY (`id`),
  KEY `user_id` (`user_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `regions` (
  `id` int(11) NOT NULL,
  `name` varchar(32) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
";

/// A directory with a config in it.
pub struct Config {
    directory: TempDir,
}

impl Config {
    /// `serval.toml` with this text, the definitions and the secret that [`GOOD`] names.
    pub fn new(text: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let config = Self { directory };
        config.write("serval.toml", text);
        config.write("admin.secret", "hush\n");
        config.write("schema/shop.sql", DEFINITIONS);
        config
    }

    /// Writes a file beside the config.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.directory.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, text).expect("a written file");
    }

    /// The directory.
    pub fn path(&self) -> PathBuf {
        self.directory.path().to_path_buf()
    }
}

/// What the binary did.
pub struct Ran {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs `serval` to its end.
pub fn serval(arguments: &[&str], input: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_serval"))
        .args(arguments)
        .env_remove("SERVAL_CONFIG")
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // A command that does not read its input may have ended already.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    ran(child.wait_with_output().expect("the binary ends"))
}

fn ran(output: Output) -> Ran {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Runs `serval COMMAND --config <directory> …`.
pub fn with_config(command: &str, config: &Config, arguments: &[&str]) -> Ran {
    let path = config.path().display().to_string();
    let mut all = vec![command, "--config", path.as_str()];
    all.extend(arguments);
    serval(&all, "")
}
