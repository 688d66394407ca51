//! Wire transcripts: each file of `transcripts/` is a conversation between a client, the proxy and scripted servers,
//! one packet a line, under paused time.
//!
//! After a change that is meant, regenerate them with `UPDATE_GOLDENFILES=1 cargo test`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use goldenscript::{Command, Context};
use serval_session::Proxy;
use serval_session::stream::Stream;
use serval_types::{MysqlError, Value};
use serval_wire::Capabilities;
use serval_wire::command::encode;
use serval_wire::command::execute::{Parameters, encode_execute};
use serval_wire::frame::write_packet;
use support::client::{Client, Credentials};
use support::{Reply, Servers};
use tokio::runtime::Runtime;

struct Runner {
    runtime: Runtime,
    servers: Servers,
    proxy: Arc<Proxy<Servers>>,
    clients: std::collections::BTreeMap<String, Client>,
}

impl Runner {
    fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let servers = Servers::default();
        let proxy = support::proxy("", servers.clone());
        Self { runtime, servers, proxy, clients: std::collections::BTreeMap::new() }
    }

    /// Runs one command of a script; what it says, line by line.
    fn step(&mut self, command: &Command, who: &str) -> Result<Vec<String>, Box<dyn Error>> {
        let mut args = command.consume_args();
        let lines = match command.name.as_str() {
            "proxy" => {
                let version = args.take_key("version").unwrap_or("10.11.6-MariaDB").to_owned();
                let limits: Vec<_> = std::iter::from_fn(|| args.next_key()).map(limit).collect();
                self.proxy = support::proxy_as(&version, &limits.join("\n"), self.servers.clone());
                Vec::new()
            }
            "server" => {
                let start = args.next_pos().ok_or("which statement?")?;
                self.servers.on(start, reply(&mut args)?);
                Vec::new()
            }
            "connect" => {
                let buffer = args.take_key("buffer").unwrap_or("1000000").parse()?;
                let eof = args.take_key("eof") == Some("old");
                let capabilities =
                    args.take_key("can").unwrap_or("").split(',').fold(Capabilities::empty(), capability);
                let credentials = credentials(&mut args)?;
                let raw = args.next_pos() == Some("raw");
                self.connect(who, buffer, !eof, capabilities, (!raw).then_some(&credentials))
            }
            "query" => {
                let sql = args.next_pos().ok_or("which statement?")?;
                self.command(who, &encode::query(sql.as_bytes()), args.next_pos() == Some("unread"))
            }
            "pipeline" => {
                let mut out = BytesMut::new();
                while let Some(sql) = args.next_pos() {
                    write_packet(&mut out, &mut 0, &encode::query(sql.as_bytes()));
                }
                let client = self.clients.get_mut(who).ok_or("no client")?;
                self.runtime.block_on(async {
                    client.raw(&out).await;
                    client.read().await
                })
            }
            "fetch" | "prepare" | "execute" | "long_data" => {
                let payload = statement(command.name.as_str(), &mut args)?;
                self.command(who, &payload, false)
            }
            "command" => {
                let payload = bytes(args.next_pos().ok_or("which bytes?")?)?;
                self.command(who, &payload, false)
            }
            "raw" => {
                let bytes = bytes(args.next_pos().ok_or("which bytes?")?)?;
                let client = self.clients.get_mut(who).ok_or("no client")?;
                self.runtime.block_on(async {
                    client.raw(&bytes).await;
                    client.read().await
                })
            }
            "read" => {
                let client = self.clients.get_mut(who).ok_or("no client")?;
                self.runtime.block_on(client.read())
            }
            "wait" => {
                let time = Duration::from_secs(args.next_pos().ok_or("how long?")?.parse()?);
                self.runtime.block_on(async { tokio::time::sleep(time).await });
                match self.clients.get_mut(who) {
                    Some(client) => self.runtime.block_on(client.read()),
                    None => Vec::new(),
                }
            }
            "shutdown" => {
                self.proxy.sessions.drain();
                Vec::new()
            }
            "leave" => {
                self.clients.remove(who);
                self.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(100)).await });
                Vec::new()
            }
            "sessions" => vec![format!("{} sessions", self.proxy.sessions.len())],
            other => return Err(format!("unknown command {other}").into()),
        };
        args.reject_next()?;
        Ok(lines)
    }

    fn connect(
        &mut self,
        who: &str,
        buffer: usize,
        eof: bool,
        capabilities: Capabilities,
        login: Option<&Credentials>,
    ) -> Vec<String> {
        let (near, far) = tokio::io::duplex(buffer);
        let peer = SocketAddr::from(([127, 0, 0, 1], 50_000));
        let proxy = Arc::clone(&self.proxy);
        self.runtime.spawn(serval_session::serve_client(proxy, Stream::other(far), Some(peer)));
        let mut client = Client::new(near, eof);
        client.capabilities |= capabilities;
        let lines = match login {
            Some(login) => self.runtime.block_on(client.login(login)),
            None => Vec::new(),
        };
        self.clients.insert(who.to_owned(), client);
        lines
    }

    fn command(&mut self, who: &str, payload: &[u8], unread: bool) -> Vec<String> {
        let client = self.clients.get_mut(who).expect("a client");
        self.runtime.block_on(async {
            client.command(payload).await;
            if unread {
                tokio::time::sleep(Duration::from_millis(100)).await;
                return Vec::new();
            }
            client.read().await
        })
    }
}

impl goldenscript::Runner for Runner {
    type Command = Command;

    fn run(&mut self, command: &Command, context: &Context) -> Result<String, Box<dyn Error>> {
        let who = context.prefix.clone().unwrap_or_default();
        let lines = self.step(command, &who)?;
        let lines = folded(self.servers.log().into_iter().chain(lines).collect());
        Ok(lines.into_iter().map(|line| line + "\n").collect())
    }
}

/// Many rows in a line.
fn folded(lines: Vec<String>) -> Vec<String> {
    let mut folded: Vec<String> = Vec::new();
    let mut same = 0;
    for line in lines {
        let tail = |line: &str| line.split_once(" row (").map(|(_, tail)| tail.to_owned());
        match (folded.last().and_then(|last| tail(last)), tail(&line)) {
            (Some(last), Some(tail)) if last == tail => same += 1,
            _ => {
                if same > 0 {
                    folded.push(format!("(and {same} more rows like it)"));
                    same = 0;
                }
                folded.push(line);
            }
        }
    }
    if same > 0 {
        folded.push(format!("(and {same} more rows like it)"));
    }
    folded
}

fn limit((key, value): (&str, &str)) -> String {
    match value.parse::<u64>() {
        Ok(number) => format!("{key} = {number}"),
        Err(_) => format!("{key} = \"{value}\""),
    }
}

fn credentials(args: &mut goldenscript::ArgumentConsumer<'_>) -> Result<Credentials, Box<dyn Error>> {
    Ok(Credentials {
        user: args.take_key("user").unwrap_or("app").to_owned(),
        password: args.take_key("password").unwrap_or("secret").to_owned(),
        schema: args.take_key("schema").map(str::to_owned),
        plugin: args.take_key("plugin").map(str::to_owned),
        collation: args.take_key("collation").unwrap_or("45").parse()?,
    })
}

/// What a server answers, as a script says it.
fn reply(args: &mut goldenscript::ArgumentConsumer<'_>) -> Result<Reply, Box<dyn Error>> {
    let mut number = |key| args.take_key(key).map_or(Ok(0), str::parse::<u64>);
    let (affected, insert_id, warnings) = (number("affected")?, number("insert_id")?, number("warnings")?);
    let warnings = u16::try_from(warnings)?;
    if let Some(error) = args.take_key("error") {
        return Ok(Reply::Error(parse_error(error)?));
    }
    if let Some(error) = args.take_key("refuses") {
        return Ok(Reply::RefusesState(parse_error(error)?));
    }
    if let Some(bursts) = args.take_key("flood") {
        return Ok(Reply::Flood { bursts: bursts.parse()? });
    }
    if let Some(seconds) = args.take_key("slow") {
        return Ok(Reply::Slow(Duration::from_secs(seconds.parse()?)));
    }
    if let Some(results) = args.take_key("results") {
        let in_transaction = args.take_key("in_transaction").is_some();
        let autocommit = args.take_key("autocommit") != Some("off");
        let results = results.split(';').filter_map(|result| result.split_once('=')).map(|(column, rows)| {
            let rows = rows.split(',').map(|cell| vec![Some(cell.to_owned())]).collect();
            Reply::Rows { columns: vec![column.to_owned()], rows, warnings: 0 }
        });
        return Ok(Reply::Several { results: results.collect(), in_transaction, autocommit });
    }
    if let Some(columns) = args.take_key("columns") {
        let columns = columns.split(',').map(str::to_owned).collect();
        let cell = |cell: &str| (cell != "NULL").then(|| cell.to_owned());
        let rows = std::iter::from_fn(|| args.next_pos());
        let rows = rows.map(|row| row.split(',').map(cell).collect()).collect();
        return Ok(Reply::Rows { columns, rows, warnings });
    }
    if args.next_pos() == Some("breaks") {
        return Ok(Reply::BreaksAfterRows);
    }
    Ok(Reply::Ok { affected, insert_id, warnings })
}

/// The capabilities that scripts know, one more at a time.
fn capability(all: Capabilities, name: &str) -> Capabilities {
    all | match name {
        "multi" => Capabilities::CLIENT_MULTI_STATEMENTS | Capabilities::CLIENT_MULTI_RESULTS,
        "track" => Capabilities::CLIENT_SESSION_TRACK,
        "metadata" => Capabilities::CLIENT_OPTIONAL_RESULTSET_METADATA,
        "attributes" => Capabilities::CLIENT_QUERY_ATTRIBUTES,
        _ => Capabilities::empty(),
    }
}

/// A parameter as a script says it: NULL, a number, or text.
fn value(text: &str) -> Value {
    match text.parse() {
        _ if text == "NULL" => Value::Null,
        Ok(number) => Value::Int(number),
        Err(_) => Value::Text(text.into()),
    }
}

/// A command on prepared statements.
fn statement(name: &str, args: &mut goldenscript::ArgumentConsumer<'_>) -> Result<Vec<u8>, Box<dyn Error>> {
    let first = args.next_pos().ok_or("which statement?")?;
    Ok(match name {
        "prepare" => encode::prepare(first.as_bytes()),
        "fetch" => encode::fetch(first.parse()?, args.next_pos().ok_or("how many rows?")?.parse()?),
        "execute" => {
            let cursor = args.take_key("cursor").unwrap_or("0").parse()?;
            let typed = args.take_key("types") != Some("no");
            let values: Vec<_> = std::iter::from_fn(|| args.next_pos()).map(value).collect();
            execution(first.parse()?, cursor, typed, &values)
        }
        _ => {
            let parameter = args.next_pos().ok_or("which parameter?")?.parse()?;
            let data = args.next_pos().ok_or("which data?")?;
            encode::send_long_data(first.parse()?, parameter, data.as_bytes())
        }
    })
}

/// COM_STMT_EXECUTE, with or without the types of the parameters.
fn execution(id: u32, cursor: u8, typed: bool, values: &[Value]) -> Vec<u8> {
    let mut parameters = Parameters::none();
    values.iter().for_each(|value| parameters.push(value));
    let selection: Vec<u16> = (0..).take(values.len()).collect();
    let mut payload = Vec::new();
    encode_execute(id, cursor, &parameters, &selection, &mut payload).unwrap();
    if !typed {
        let types = 10 + values.len().div_ceil(8);
        payload.drain(types + 1..=types + 2 * values.len());
        payload[types] = 0;
    }
    payload
}

fn parse_error(text: &str) -> Result<MysqlError, Box<dyn Error>> {
    let (number, message) = text.split_once(' ').ok_or("number and message")?;
    Ok(MysqlError { number: number.parse()?, sqlstate: *b"HY000", message: message.to_owned() })
}

/// Bytes as hexadecimal digits, spaces allowed.
fn bytes(text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let pairs = (0..digits.len()).step_by(2);
    Ok(pairs.map(|at| u8::from_str_radix(&digits[at..at + 2], 16)).collect::<Result<_, _>>()?)
}

#[test]
fn transcripts() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files: Vec<_> = std::fs::read_dir(here).unwrap().map(|file| file.unwrap().path()).collect();
    // TRANSCRIPT=cursors runs that one alone.
    let only = std::env::var("TRANSCRIPT").ok();
    files.retain(|file| only.as_ref().is_none_or(|only| file.ends_with(only)));
    files.sort();
    for file in files {
        goldenscript::run(&mut Runner::new(), &file)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}
