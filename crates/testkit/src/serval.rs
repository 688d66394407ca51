//! The proxy under test.

use std::ffi::OsStr;
use std::io::Read as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use mysql_async::OptsBuilder;

use crate::server::tail;
use crate::supervisor::Supervised;
use crate::{PortLease, Result, ScratchDirectory, TestkitError, template};

const START_LIMIT: Duration = Duration::from_secs(20);

/// Where the proxy listens, all on 127.0.0.1.
#[derive(Debug)]
pub struct ServalPorts {
    mysql: PortLease,
    admin: PortLease,
    http: PortLease,
}

impl ServalPorts {
    /// Reserves three free ports.
    pub fn take() -> Result<ServalPorts> {
        Ok(ServalPorts { mysql: PortLease::take()?, admin: PortLease::take()?, http: PortLease::take()? })
    }

    /// The port for clients.
    #[must_use]
    pub fn mysql(&self) -> u16 {
        self.mysql.number()
    }

    /// The admin console's port.
    #[must_use]
    pub fn admin(&self) -> u16 {
        self.admin.number()
    }

    /// The port of `/metrics`, `/healthz` and `/readyz`.
    #[must_use]
    pub fn http(&self) -> u16 {
        self.http.number()
    }

    /// The `[listen]` table of a configuration.
    #[must_use]
    pub fn listen_table(&self) -> String {
        format!(
            "[listen]\nmysql = \"127.0.0.1:{}\"\nadmin = \"127.0.0.1:{}\"\nhttp = \"127.0.0.1:{}\"\n",
            self.mysql(),
            self.admin(),
            self.http()
        )
    }
}

/// How a one-shot command ended and what it wrote.
#[derive(Debug)]
pub struct Finished {
    /// The exit code; none after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub output: String,
    /// Error output.
    pub errors: String,
}

/// A running `serval run`. Dropping it kills the process and removes its files.
#[derive(Debug)]
pub struct ServalProcess {
    process: Supervised,
    ports: ServalPorts,
    directory: ScratchDirectory,
}

impl ServalProcess {
    /// Writes what `configuration` makes of the ports to a file, starts the proxy with it and waits until it greets
    /// clients.
    pub async fn start(configuration: impl FnOnce(&ServalPorts) -> String) -> Result<ServalProcess> {
        Self::start_under(&[], configuration).await
    }

    /// [`ServalProcess::start`] by way of another program, such as `valgrind` and its arguments.
    pub async fn start_under(
        under: &[String],
        configuration: impl FnOnce(&ServalPorts) -> String,
    ) -> Result<ServalProcess> {
        let ports = ServalPorts::take()?;
        let directory = ScratchDirectory::new(None)?;
        let config = directory.path().join("serval.toml");
        write(&config, &configuration(&ports))?;
        let log = directory.path().join("serval.log");
        let binary = serval_binary()?;
        let serval = [binary.as_os_str(), OsStr::new("run"), OsStr::new("--config"), config.as_os_str()];
        let mut words = under.iter().map(OsStr::new).chain(serval);
        let program = PathBuf::from(words.next().expect("there is a binary"));
        let process = Supervised::spawn(&program, words, &[("RUST_BACKTRACE", "1")], &log)?;
        let mut serval = ServalProcess { process, ports, directory };
        serval.wait_until_ready().await?;
        Ok(serval)
    }

    /// Runs `serval run` with a configuration that should be refused and returns how it ended and what it wrote.
    pub async fn start_refused(configuration: &str) -> Result<(ExitStatus, String)> {
        let directory = ScratchDirectory::new(None)?;
        let config = directory.path().join("serval.toml");
        write(&config, configuration)?;
        let arguments = [OsStr::new("run"), OsStr::new("--config"), config.as_os_str()];
        let mut process =
            Supervised::spawn(&serval_binary()?, arguments, &[], &directory.path().join("serval.log"))?;
        let status = process.wait(START_LIMIT).await;
        let what = "the end of serval after a bad configuration".to_owned();
        let status = status.ok_or(TestkitError::Timeout { what, seconds: START_LIMIT.as_secs() })?;
        Ok((status, process.log()))
    }

    /// Where it listens.
    #[must_use]
    pub fn ports(&self) -> &ServalPorts {
        &self.ports
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The configuration file, for tests that change it and reload.
    #[must_use]
    pub fn config_path(&self) -> PathBuf {
        self.directory.path().join("serval.toml")
    }

    /// Sends a signal by name, such as `TERM`.
    pub fn signal(&mut self, name: &str) {
        self.process.signal(name);
    }

    /// Waits for its end.
    pub async fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        self.process.wait(limit).await
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.process.ended().is_none()
    }

    /// Connection options for a client of the proxy.
    #[must_use]
    pub fn client_options(&self, user: &str, password: &str, database: Option<&str>) -> OptsBuilder {
        options(self.ports.mysql(), user, password).db_name(database)
    }

    /// Connection options for the admin console.
    #[must_use]
    pub fn admin_options(&self, user: &str, password: &str) -> OptsBuilder {
        options(self.ports.admin(), user, password)
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let (deadline, port) = (Instant::now() + START_LIMIT, self.ports.mysql());
        while self.process.ended().is_none() && Instant::now() < deadline {
            // On a thread of its own: the proxy may need this one, where a link to its servers runs.
            if tokio::task::spawn_blocking(move || greets(port)).await.unwrap_or(false) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(TestkitError::NotStarted { what: "serval".to_owned(), log: tail(&self.log()) })
    }
}

/// The proxy's binary: `SERVAL_BIN`, or the one in the target folder that this program was built into. A test run
/// builds it first: `cargo build -p serval`.
pub fn serval_binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("SERVAL_BIN") {
        return Ok(path.into());
    }
    let missing = || TestkitError::NotInstalled {
        program: "serval".to_owned(),
        hint: "run `cargo build -p serval`, or set SERVAL_BIN",
    };
    let profile =
        std::env::current_exe().ok().and_then(|program| profile_folder(&program)).ok_or_else(missing)?;
    Some(profile.join("serval")).filter(|binary| binary.is_file()).ok_or_else(missing)
}

/// `target/debug` of `target/debug/deps/e2e-1234` and of `target/debug/serval`.
fn profile_folder(program: &Path) -> Option<PathBuf> {
    let target = template::build_folder()?;
    program.ancestors().find(|folder| folder.parent() == Some(target.as_path())).map(Path::to_owned)
}

fn options(port: u16, user: &str, password: &str) -> OptsBuilder {
    OptsBuilder::default()
        .ip_or_hostname("127.0.0.1")
        .tcp_port(port)
        .user(Some(user))
        .pass(Some(password))
        .prefer_socket(false)
}

/// Whether something on this port sends the first bytes of a handshake. A listener that accepts and says nothing, or
/// a kernel queue in front of a proxy that is still starting, is not ready.
fn greets(port: u16) -> bool {
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
    let mut start = [0; 5];
    stream.read_exact(&mut start).is_ok() && start[4] == 10
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(TestkitError::io(format!("writing {}", path.display())))
}

impl ServalProcess {
    /// Runs a one-shot command of the binary, such as `serval check`, to its end.
    pub fn run_to_end<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Result<Finished> {
        let output = Command::new(serval_binary()?)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(TestkitError::io("running serval"))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Finished {
            code: output.status.code(),
            output: text(&output.stdout),
            errors: text(&output.stderr),
        })
    }
}
