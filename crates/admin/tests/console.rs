//! The console over the wire: each file of `transcripts/` is a conversation.
//!
//! After a change that is meant, regenerate them with `UPDATE_GOLDENFILES=1 cargo test`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../session/tests/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the session's tests use more of it")]
mod support;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use goldenscript::{Command, Context};
use serval_admin::{Admin, Control, Outcome, Wish};
use serval_backend::{Health, ServerStatus};
use serval_catalog::Role;
use serval_session::Proxy;
use serval_session::stream::Stream;
use serval_wire::command::encode;
use support::Servers;
use support::client::{Client, Credentials};
use tokio::runtime::Runtime;

/// A reload that works unless it is told otherwise.
struct Reloads;

impl Control for Reloads {
    async fn carry_out(&self, wish: Wish, by: &str) -> Result<Outcome, Vec<String>> {
        match wish {
            Wish::Reload { force: false } => {
                Ok(Outcome::lines("CHANGE", vec!["table shop.users: added".to_owned()]))
            }
            other => Ok(Outcome::lines("WISH", vec![format!("{other:?} by {by}")])),
        }
    }
}

/// A reload of a config with mistakes.
struct Fails;

impl Control for Fails {
    async fn carry_out(&self, _wish: Wish, _by: &str) -> Result<Outcome, Vec<String>> {
        Err(vec![
            "serval.toml:3: there is no group `g9`".to_owned(),
            "serval.toml:9: no such rule".to_owned(),
        ])
    }
}

struct Runner {
    runtime: Runtime,
    proxy: Arc<Proxy<Servers>>,
    client: Option<Client>,
}

impl Runner {
    fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        Self { runtime, proxy: support::proxy("", Servers::default()), client: None }
    }

    fn connect<C: Control>(&mut self, password: &str, control: C) -> Vec<String> {
        let (near, far) = tokio::io::duplex(1 << 20);
        let admin = Arc::new(Admin::new(Arc::clone(&self.proxy), Arc::new(statistics), control));
        self.runtime.spawn(serval_admin::serve_client(admin, Stream::other(far), None));
        let mut client = Client::new(near, true);
        let credentials = Credentials {
            user: "admin".to_owned(),
            password: password.to_owned(),
            schema: None,
            plugin: None,
            collation: 45,
        };
        let lines = self.runtime.block_on(client.login(&credentials));
        self.client = Some(client);
        lines
    }

    /// A client of the proxy, for the console to see.
    fn session(&self, user: &str) {
        let (near, far) = tokio::io::duplex(1 << 20);
        self.runtime.spawn(serval_session::serve_client(Arc::clone(&self.proxy), Stream::other(far), None));
        let credentials = Credentials {
            user: user.to_owned(),
            password: "secret".to_owned(),
            schema: Some("shop".to_owned()),
            plugin: None,
            collation: 45,
        };
        let mut client = Client::new(near, true);
        self.runtime.block_on(client.login(&credentials));
        // It stays connected for as long as the runtime lives.
        self.runtime.spawn(async move {
            let _client = client;
            std::future::pending::<()>().await;
        });
    }
}

fn statistics() -> Vec<ServerStatus> {
    let server = |group: &str, role, health| ServerStatus {
        group: group.to_owned(),
        server: format!("{group}/{}", if role == Role::Primary { "primary" } else { "replica1" }),
        address: "127.0.0.1:3310".parse().unwrap(),
        role,
        weight: 1,
        health,
        since: SystemTime::UNIX_EPOCH,
        last_error: None,
        lag: (role == Role::Replica).then_some(Duration::from_secs(2)),
        read_only: Some(role == Role::Replica),
        version: Some("10.11.6-MariaDB".to_owned()),
        max_connections: 64,
        used: 1,
        free: 3,
        opened: 4,
        queries: 100,
        errors: 2,
        lost: 1,
        killed: 0,
        bytes_in: 1000,
        bytes_out: 500,
    };
    vec![
        server("g0", Role::Primary, Health::Up),
        server("g0", Role::Replica, Health::Up),
        server("g1", Role::Primary, Health::Down { error: "connection refused".to_owned() }),
    ]
}

impl goldenscript::Runner for Runner {
    type Command = Command;

    fn run(&mut self, command: &Command, _context: &Context) -> Result<String, Box<dyn Error>> {
        let mut args = command.consume_args();
        let lines = match command.name.as_str() {
            "connect" => {
                let password = args.take_key("password").unwrap_or("secret");
                if args.next_pos() == Some("fails") {
                    self.connect(password, Fails)
                } else {
                    self.connect(password, Reloads)
                }
            }
            "session" => {
                self.session(args.next_pos().ok_or("whose?")?);
                Vec::new()
            }
            "query" => {
                let sql = args.next_pos().ok_or("which statement?")?.to_owned();
                let client = self.client.as_mut().ok_or("no client")?;
                self.runtime.block_on(async {
                    client.command(&encode::query(sql.as_bytes())).await;
                    client.read().await
                })
            }
            other => return Err(format!("unknown command {other}").into()),
        };
        args.reject_next()?;
        Ok(lines.into_iter().map(|line| line + "\n").collect())
    }
}

#[test]
fn transcripts() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files: Vec<_> = std::fs::read_dir(here).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    for file in files {
        goldenscript::run(&mut Runner::new(), &file)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}
