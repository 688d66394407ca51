//! A private server that holds nothing: the scratch server that Serval starts beside itself.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder};

use crate::server::tail;
use crate::supervisor::Supervised;
use crate::{Flavour, Result, ScratchDirectory, TestkitError, programs, template};

/// How long it may take to start.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running server without a network port and without a binary log. It ends with this value, or with this process.
#[derive(Debug)]
pub struct PrivateServer {
    folder: PathBuf,
    process: Supervised,
}

impl PrivateServer {
    /// Where the socket of a server in `directory` is.
    #[must_use]
    pub fn socket_in(directory: &ScratchDirectory) -> PathBuf {
        directory.path().join("sock")
    }

    /// Starts one in `directory`, with an empty database of this name.
    pub async fn start(flavour: Flavour, directory: &ScratchDirectory, database: &str) -> Result<Self> {
        let folder = directory.path().to_owned();
        let (data, fallback) = (folder.join("data"), folder.clone());
        if !data.exists() {
            let copied =
                tokio::task::spawn_blocking(move || template::copy_to(flavour, &fallback, &data)).await;
            copied.map_err(|error| TestkitError::io("copying a data directory")(error.into()))??;
        }
        let program = programs::server(flavour)?;
        let own = arguments(flavour, &folder);
        let all = program.arguments.iter().chain(&own);
        let process = Supervised::spawn(&program.path, all, &[], &folder.join("output.log"))?;
        let mut server = Self { folder, process };
        server.prepare(database).await?;
        Ok(server)
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.process.ended().is_some()
    }

    async fn prepare(&mut self, database: &str) -> Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        let socket = self.folder.join("sock");
        let options = OptsBuilder::default().socket(Some(socket.display().to_string())).user(Some("root"));
        while !self.has_ended() && Instant::now() < deadline {
            if socket.exists()
                && let Ok(mut connection) = Conn::new(options.clone()).await
            {
                let sql = format!("CREATE DATABASE IF NOT EXISTS `{}`", database.replace('`', "``"));
                let client = |source| TestkitError::Client { server: "scratch".to_owned(), source };
                connection.query_drop(sql).await.map_err(client)?;
                return connection.disconnect().await.map_err(client);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let read = |file: &str| std::fs::read_to_string(self.folder.join(file)).unwrap_or_default();
        let log = tail(&(read("server.err") + &read("output.log")));
        Err(TestkitError::NotStarted { what: "the scratch server".to_owned(), log })
    }
}

fn arguments(flavour: Flavour, folder: &Path) -> Vec<OsString> {
    let path = |option: &str, file: &str| programs::path_option(option, &folder.join(file));
    let mut arguments: Vec<OsString> = vec!["--no-defaults".into()];
    arguments.extend(programs::user_argument());
    arguments.extend(programs::places(flavour));
    arguments.extend([
        path("--datadir=", "data"),
        path("--socket=", "sock"),
        path("--pid-file=", "pid"),
        path("--log-error=", "server.err"),
        path("--tmpdir=", "data"),
        // Files are read and written nowhere else.
        path("--secure-file-priv=", "data"),
    ]);
    arguments.extend(COMMON.map(OsString::from));
    match flavour {
        Flavour::MariaDb => arguments.extend(MARIADB.map(OsString::from)),
        Flavour::MySql97 => arguments.extend(MYSQL.map(OsString::from)),
    }
    arguments
}

/// Nothing on it is worth a flush to disk, and nothing may be written to a binary log.
const COMMON: [&str; 8] = [
    "--skip-networking",
    "--skip-log-bin",
    "--max-allowed-packet=1G",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-buffer-pool-size=128M",
    "--max-connections=200",
    "--character-set-server=utf8mb4",
];

const MARIADB: [&str; 3] =
    ["--collation-server=utf8mb4_general_ci", "--performance-schema=OFF", programs::INNODB_LOG];

const MYSQL: [&str; 2] = ["--mysqlx=OFF", "--innodb-redo-log-capacity=100M"];
