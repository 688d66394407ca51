//! One database server.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mysql_async::prelude::{FromValue, Queryable as _};
use mysql_async::{Conn, OptsBuilder};
use tokio::sync::Mutex;

use crate::grants::{BACKEND_PASSWORD, BACKEND_USER};
use crate::supervisor::Supervised;
use crate::{Flavour, PortLease, Result, TestkitError, grants, programs, replication, template};

/// How long a server may take to answer its first connection. MySQL on a loaded machine needs several seconds.
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// A server that this process started. It keeps its port and its data over stops and kills.
#[derive(Debug)]
pub struct Server {
    name: String,
    flavour: Flavour,
    folder: PathBuf,
    port: PortLease,
    arguments: Vec<OsString>,
    process: Mutex<Option<Supervised>>,
}

/// What a server is to be.
pub(crate) struct ServerSpec<'a> {
    pub name: String,
    pub flavour: Flavour,
    /// A unique number among the servers that replicate from one another.
    pub id: u32,
    pub replica: bool,
    /// Options of the test's own, such as `--max-connections=20`.
    pub options: &'a [String],
    /// Where its folder is made.
    pub parent: &'a Path,
}

impl Server {
    pub(crate) async fn start(spec: ServerSpec<'_>) -> Result<Server> {
        let folder = spec.parent.join(&spec.name);
        std::fs::create_dir_all(&folder)
            .map_err(TestkitError::io(format!("creating {}", folder.display())))?;
        let (flavour, fallback, data) = (spec.flavour, spec.parent.to_owned(), folder.join("data"));
        let copied = tokio::task::spawn_blocking(move || template::copy_to(flavour, &fallback, &data)).await;
        copied.map_err(|error| TestkitError::io("copying a data directory")(error.into()))??;
        let port = PortLease::take()?;
        let arguments = arguments(&spec, &folder, port.number());
        let process = Mutex::new(None);
        let server = Server { name: spec.name, flavour, folder, port, arguments, process };
        server.start_again().await?;
        server.execute_all(&grants::statements(flavour)).await?;
        Ok(server)
    }

    /// Its name within the cluster, such as `g0-primary` or `g1-replica0`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which program it is.
    #[must_use]
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// Its TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// `127.0.0.1:port`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port())
    }

    /// Its Unix socket, through which `root` connects without a password.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.join("sock")
    }

    /// The process id while it runs.
    pub async fn pid(&self) -> Option<u32> {
        self.process.lock().await.as_ref().map(Supervised::pid)
    }

    /// What the server has logged.
    #[must_use]
    pub fn log(&self) -> String {
        let read = |file: &str| std::fs::read_to_string(self.folder.join(file)).unwrap_or_default();
        read("server.err") + &read("output.log")
    }

    /// Shuts the server down in order and waits for its end.
    pub async fn stop(&self) -> Result<()> {
        self.end_with("TERM").await
    }

    /// Ends the server with SIGKILL. What was committed is still there after [`start_again`](Self::start_again).
    pub async fn kill(&self) -> Result<()> {
        self.end_with("KILL").await
    }

    /// Freezes the server: it holds its connections and answers nothing, like a host that has gone away.
    pub async fn pause(&self) {
        self.signal("STOP").await;
    }

    /// Lets a frozen server go on.
    pub async fn resume(&self) {
        self.signal("CONT").await;
    }

    /// Starts a stopped or killed server on the same port and data; a replica goes on replicating. Does nothing if the
    /// server runs.
    pub async fn start_again(&self) -> Result<()> {
        let mut process = self.process.lock().await;
        if process.as_mut().is_some_and(|process| process.ended().is_none()) {
            return Ok(());
        }
        let program = programs::server(self.flavour)?;
        let arguments = program.arguments.iter().chain(&self.arguments);
        let started = Supervised::spawn(&program.path, arguments, &[], &self.folder.join("output.log"))?;
        self.wait_until_ready(process.insert(started)).await
    }

    /// Stops this replica's replication threads.
    pub async fn stop_replication(&self) -> Result<()> {
        replication::stop(self).await
    }

    /// Starts this replica's replication threads.
    pub async fn start_replication(&self) -> Result<()> {
        replication::start(self).await
    }

    /// Connects as `root` through the socket.
    pub async fn connect(&self) -> Result<Conn> {
        self.connect_with(self.root_options()).await
    }

    /// Connects as the backend user over TCP, as Serval does.
    pub async fn connect_as_backend(&self, database: Option<&str>) -> Result<Conn> {
        let options = self.backend_options().db_name(database);
        self.connect_with(options).await
    }

    /// Connection options of the backend user over TCP.
    #[must_use]
    pub fn backend_options(&self) -> OptsBuilder {
        OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(self.port())
            .user(Some(BACKEND_USER))
            .pass(Some(BACKEND_PASSWORD))
            .prefer_socket(false)
    }

    /// Runs one statement as `root` and drops its rows.
    pub async fn execute(&self, sql: &str) -> Result<()> {
        self.execute_all(&[sql]).await
    }

    /// Runs statements as `root`, in order, on one connection.
    pub async fn execute_all(&self, statements: &[impl AsRef<str>]) -> Result<()> {
        let mut connection = self.connect().await?;
        for sql in statements {
            connection.query_drop(sql.as_ref()).await.map_err(|source| self.client_error(source))?;
        }
        connection.disconnect().await.map_err(|source| self.client_error(source))
    }

    /// The first column of the first row, asked as `root`; `None` for no row.
    pub async fn value<T: FromValue + Send + 'static>(&self, sql: &str) -> Result<Option<T>> {
        let mut connection = self.connect().await?;
        connection.query_first(sql).await.map_err(|source| self.client_error(source))
    }

    /// The first column of every row, asked as `root`.
    pub async fn column<T: FromValue + Send + 'static>(&self, sql: &str) -> Result<Vec<T>> {
        let mut connection = self.connect().await?;
        connection.query(sql).await.map_err(|source| self.client_error(source))
    }

    pub(crate) fn client_error(&self, source: mysql_async::Error) -> TestkitError {
        TestkitError::Client { server: self.name.clone(), source }
    }

    /// Begins this server's death without waiting for it.
    pub(crate) fn hang_up(&mut self) {
        if let Some(process) = self.process.get_mut() {
            process.hang_up();
        }
    }

    async fn connect_with(&self, options: OptsBuilder) -> Result<Conn> {
        Conn::new(options).await.map_err(|source| self.client_error(source))
    }

    fn root_options(&self) -> OptsBuilder {
        OptsBuilder::default().socket(Some(self.socket().display().to_string())).user(Some("root"))
    }

    async fn signal(&self, name: &str) {
        if let Some(process) = self.process.lock().await.as_mut() {
            process.signal(name);
        }
    }

    async fn end_with(&self, signal: &str) -> Result<()> {
        let mut slot = self.process.lock().await;
        let Some(process) = slot.as_mut() else { return Ok(()) };
        process.signal(signal);
        let ended = process.wait(STOP_LIMIT).await;
        *slot = None;
        let what = format!("the end of {}", self.name);
        ended.map(drop).ok_or(TestkitError::Timeout { what, seconds: STOP_LIMIT.as_secs() })
    }

    async fn wait_until_ready(&self, process: &mut Supervised) -> Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        while process.ended().is_none() && Instant::now() < deadline {
            if self.socket().exists() && self.connect().await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(TestkitError::NotStarted { what: self.name.clone(), log: tail(&self.log()) })
    }
}

/// The options of a small server that need not survive a power cut. `flush_log_at_trx_commit=2` hands each commit to
/// the operating system, so a killed server loses none.
fn arguments(spec: &ServerSpec<'_>, folder: &Path, port: u16) -> Vec<OsString> {
    let path = |option: &str, file: &str| programs::path_option(option, &folder.join(file));
    let mut arguments: Vec<OsString> = vec!["--no-defaults".into()];
    arguments.extend(programs::user_argument());
    arguments.extend(programs::places(spec.flavour));
    arguments.extend([
        path("--datadir=", "data"),
        path("--socket=", "sock"),
        path("--pid-file=", "pid"),
        path("--log-error=", "server.err"),
        // A server that starts removes the temporary tables of all others from a folder that they share.
        path("--tmpdir=", "data"),
        format!("--port={port}").into(),
        format!("--server-id={}", spec.id).into(),
    ]);
    arguments.extend(COMMON.map(OsString::from));
    match spec.flavour {
        Flavour::MariaDb => arguments.extend(MARIADB.map(OsString::from)),
        Flavour::MySql97 => arguments.extend(MYSQL.map(OsString::from)),
    }
    if spec.replica {
        arguments.push("--read-only=ON".into());
    }
    arguments.extend(spec.options.iter().map(OsString::from));
    arguments
}

const COMMON: [&str; 16] = [
    "--local-infile=ON",
    "--max-allowed-packet=64M",
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--log-bin=binlog",
    // Else only SUPER may create functions and triggers where there is a binlog.
    "--log-bin-trust-function-creators=1",
    "--binlog-format=ROW",
    "--sync-binlog=0",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-flush-method=nosync",
    "--innodb-buffer-pool-size=48M",
    "--innodb-buffer-pool-dump-at-shutdown=OFF",
    "--innodb-lock-wait-timeout=10",
    "--max-connections=500",
    "--secure-file-priv=",
    "--character-set-server=utf8mb4",
];

const MARIADB: [&str; 7] = [
    "--gtid-strict-mode=ON",
    "--log-slave-updates=ON",
    "--collation-server=utf8mb4_general_ci",
    "--performance-schema=OFF",
    "--aria-pagecache-buffer-size=8M",
    "--key-buffer-size=8M",
    programs::INNODB_LOG,
];

const MYSQL: [&str; 4] =
    ["--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--mysqlx=OFF", "--innodb-redo-log-capacity=100M"];

/// The end of a log, enough to see the error.
pub(crate) fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}
