//! `serval run` from its start to a signal, with no server behind it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use crate::support::{Config, GOOD};

/// How long a line of the log may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running proxy whose log is read as it comes.
struct Running {
    child: Child,
    lines: Receiver<String>,
    /// The lines that have come and that nobody has waited for yet: what different tasks say comes in any order.
    seen: Vec<String>,
}

impl Running {
    fn start(config: &Config) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_serval"))
            .args(["run", "--config", &config.path().display().to_string()])
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let log = BufReader::new(child.stderr.take().expect("piped"));
        let (line, lines) = std::sync::mpsc::channel();
        // Ends with the log, or with the test that nobody listens to any more.
        std::thread::spawn(move || log.lines().map_while(Result::ok).try_for_each(|text| line.send(text)));
        Self { child, lines, seen: Vec::new() }
    }

    /// A line of the log that holds `text`, each line once.
    fn wait_for(&mut self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.seen.iter().position(|line| line.contains(text)) {
                return self.seen.remove(at);
            }
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => self.seen.push(line),
                Err(why) => panic!("{why}: it did not say {text:?}:\n{}", self.seen.join("\n")),
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().expect("kill runs");
        assert!(sent.success());
    }

    fn code(mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
    }
}

/// [`GOOD`] on ports that the system chooses.
fn config() -> Config {
    let text = ["3307", "9066", "9067"]
        .iter()
        .fold(GOOD.to_owned(), |text, port| text.replace(&format!("127.0.0.1:{port}"), "127.0.0.1:0"));
    Config::new(&text)
}

/// The address behind `name=` in the line that says that the proxy is ready.
fn address(ready: &str, name: &str) -> String {
    let rest = ready.split(&format!("{name}=")).nth(1).expect("the address is logged");
    rest.split_whitespace().next().expect("an address").to_owned()
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the HTTP port is open");
    let request = format!("GET {path} HTTP/1.1\r\nHost: serval\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}

#[test]
fn it_starts_without_its_servers_says_so_and_drains() {
    let config = config();
    let mut running = Running::start(&config);
    running.wait_for("definitions could not be read");
    let ready = running.wait_for("ready");
    let http = address(&ready, "http");
    assert!(get(&http, "/healthz").starts_with("HTTP/1.1 200"));
    assert!(get(&http, "/readyz").starts_with("HTTP/1.1 503"));
    assert!(get(&http, "/metrics").contains("serval_sessions"));
    running.signal("TERM");
    running.wait_for("stopped");
    assert_eq!(running.code(), Some(0));
}

#[test]
fn sighup_takes_a_good_config_and_refuses_a_bad_one() {
    let config = config();
    let mut running = Running::start(&config);
    running.wait_for("ready");
    let text = std::fs::read_to_string(config.path().join("serval.toml")).expect("the config");
    config.write("serval.toml", &format!("{text}settings = {{ node = \"dn3\" }}\n"));
    running.signal("HUP");
    running.wait_for("reloaded: + table shop.settings");
    config.write("serval.toml", &format!("{text}settings = {{ node = \"dn9\" }}\n"));
    running.signal("HUP");
    let line = running.wait_for("not reloaded");
    assert!(line.contains("dn9") && line.contains("serval.toml:"), "{line}");
    running.signal("INT");
    running.wait_for("stopped");
}
