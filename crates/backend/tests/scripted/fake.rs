//! A server that answers by a script, over loopback TCP, and keeps a transcript.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use serval_wire::auth::{Scramble, check_native, check_sha2, native_verifier, sha2_verifier};
use serval_wire::frame::{MAX_PAYLOAD, PacketReader, write_packet};
use serval_wire::packet::{
    AuthMoreData, AuthSwitchRequest, ColumnDefinition, ErrPacket, FAST_AUTH_OK, Handshake, HandshakeResponse,
    OkPacket, PrepareOk, SslRequest, column_type, text_row,
};
use serval_wire::response::Prepared;
use serval_wire::{Capabilities, StatusFlags};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub const PASSWORD: &str = "s3cret";
const NONCE: Scramble = *b"abcdefghijklmnopqrst";
const MONITOR: &str = "QUERY SELECT @@global.read_only";

/// What the script says to a command.
#[derive(Debug, Clone)]
pub enum Reply {
    Ok,
    Err(u16),
    /// A result set of so many rows of the word "row".
    Rows(usize),
    /// One row of one value of so many bytes.
    Wide(usize),
    /// Rows that break off: so many, then the connection closes.
    Broken(usize),
    /// These bytes, as they are.
    Raw(Vec<u8>),
    Silence,
}

/// How it lets clients in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    Native,
    /// Greets with native and then asks for caching_sha2_password, whose fast path succeeds.
    Switch,
    /// As caching_sha2_password, but full authentication is wanted and then a broken key offered.
    BadKey,
    UnknownPlugin,
    /// A server from before DEPRECATE_EOF.
    Old,
    Refuse,
    Full,
    /// Offers TLS and says nothing more once it is asked for.
    TlsStall,
    /// Offers TLS and then speaks something else.
    TlsGarbage,
    /// Says more in the clear than its greeting, before TLS.
    TlsInjection,
}

type Script = dyn Fn(&str) -> Reply + Send + Sync;

pub struct Fake {
    pub address: SocketAddr,
    inner: Arc<Inner>,
    accepting: JoinHandle<()>,
}

struct Inner {
    door: Door,
    script: Box<Script>,
    transcript: Mutex<Vec<String>>,
    names: AtomicU32,
    sockets: Mutex<Vec<JoinHandle<()>>>,
}

impl Fake {
    pub async fn start(door: Door, script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::listen(listener, door, Box::new(script))
    }

    /// The same address again, after [`Fake::stop`].
    pub async fn start_again(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.accepting = tokio::spawn(accept(listener, Arc::clone(&self.inner)));
    }

    fn listen(listener: TcpListener, door: Door, script: Box<Script>) -> Self {
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            door,
            script,
            transcript: Mutex::default(),
            names: AtomicU32::new(1),
            sockets: Mutex::default(),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&inner)));
        Self { address, inner, accepting }
    }

    /// Closes the port and all connections.
    pub async fn stop(&mut self) {
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
        let sockets = std::mem::take(&mut *self.inner.sockets.lock().unwrap());
        for socket in sockets {
            socket.abort();
            let _ = socket.await;
        }
    }

    /// What came in so far, without the monitor's part: connections are a, b, c in the order of their first command;
    /// `+` says that the next command had already arrived.
    pub fn transcript(&self) -> Vec<String> {
        self.inner.transcript.lock().unwrap().clone()
    }

    /// Waits until the transcript has a line.
    pub async fn saw(&self, line: &str) {
        for _ in 0..500 {
            if self.transcript().iter().any(|seen| seen == line) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no {line:?} in {:#?}", self.transcript());
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.accepting.abort();
        self.inner.sockets.lock().unwrap().iter().for_each(JoinHandle::abort);
    }
}

async fn accept(listener: TcpListener, inner: Arc<Inner>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let client = Client {
            stream,
            input: BytesMut::new(),
            reader: PacketReader::new(64 << 20),
            sequence: 0,
            status: StatusFlags::SERVER_STATUS_AUTOCOMMIT,
            prepared: 0,
            name: None,
            inner: Arc::clone(&inner),
        };
        let task = tokio::spawn(client.serve());
        inner.sockets.lock().unwrap().push(task);
    }
}

struct Client {
    stream: TcpStream,
    input: BytesMut,
    reader: PacketReader,
    sequence: u8,
    status: StatusFlags,
    /// How many statements were prepared.
    prepared: u32,
    name: Option<char>,
    inner: Arc<Inner>,
}

impl Client {
    async fn serve(mut self) {
        if !self.let_in().await {
            return;
        }
        loop {
            self.sequence = 0;
            let Some(payload) = self.packet().await else { break };
            let command = describe(&payload);
            if command != MONITOR {
                self.log(&command);
            }
            if command == "QUIT" || !self.answer(&command).await {
                return;
            }
        }
        if self.name.is_some() {
            self.log("closed");
        }
    }

    fn log(&mut self, text: &str) {
        let inner = &self.inner;
        let name = *self.name.get_or_insert_with(|| {
            char::from_u32(u32::from('a') + inner.names.fetch_add(1, Ordering::Relaxed) - 1).unwrap()
        });
        let more = if self.input.is_empty() { "" } else { " +" };
        inner.transcript.lock().unwrap().push(format!("{name} {text}{more}"));
    }

    async fn packet(&mut self) -> Option<Vec<u8>> {
        self.reader.set_sequence(self.sequence);
        loop {
            if let Some(packet) = self.reader.next(&mut self.input).unwrap() {
                self.sequence = self.reader.sequence();
                return Some(packet.payload.to_vec());
            }
            if self.stream.read_buf(&mut self.input).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    async fn let_in(&mut self) -> bool {
        let caps = self.capabilities();
        if self.inner.door == Door::Full {
            self.send(&error(1040, "Too many connections")).await;
            return false;
        }
        let greeting = Handshake {
            server_version: "8.0.36".to_owned(),
            thread_id: 7,
            nonce: NONCE,
            capabilities: caps,
            collation: 45,
            status: self.status,
            auth_plugin: "mysql_native_password".to_owned(),
        };
        let mut out = Vec::new();
        greeting.encode(caps, &mut out);
        if self.inner.door == Door::TlsInjection {
            let mut both = BytesMut::new();
            write_packet(&mut both, &mut self.sequence, &out);
            write_packet(&mut both, &mut self.sequence, b"\0\0\0\x02\0\0\0");
            let _ = self.stream.write_all(&both).await;
            return false;
        }
        self.send(&out).await;
        let Some(payload) = self.packet().await else { return false };
        match self.inner.door {
            Door::TlsStall => {
                assert!(SslRequest::matches(&payload));
                return std::future::pending().await;
            }
            Door::TlsGarbage => {
                self.send(b"I speak no TLS").await;
                return false;
            }
            _ => {}
        }
        let response = HandshakeResponse::decode(&payload, caps).unwrap();
        assert!(response.capabilities.contains(Capabilities::CLIENT_DEPRECATE_EOF));
        assert!(!response.capabilities.contains(Capabilities::CLIENT_MULTI_STATEMENTS));
        assert_eq!((response.user.as_str(), response.collation), ("serval", 45));
        self.examine(&response.auth_response).await
    }

    async fn examine(&mut self, native: &[u8]) -> bool {
        let caps = self.capabilities();
        let good = match self.inner.door {
            Door::Refuse => false,
            Door::Switch | Door::BadKey | Door::UnknownPlugin => {
                let plugin = match self.inner.door {
                    Door::UnknownPlugin => "parsec",
                    _ => "caching_sha2_password",
                };
                let nonce: Scramble = *b"ABCDEFGHIJKLMNOPQRST";
                let mut out = Vec::new();
                AuthSwitchRequest { plugin: plugin.to_owned(), nonce: nonce.to_vec() }.encode(caps, &mut out);
                self.send(&out).await;
                let Some(proof) = self.packet().await else { return false };
                if self.inner.door == Door::BadKey {
                    self.send(&[1, 4]).await;
                    assert_eq!(self.packet().await, Some(vec![2]));
                    self.send(b"\x01-----BEGIN PUBLIC KEY-----\nno\n-----END PUBLIC KEY-----").await;
                    self.packet().await;
                    return false;
                }
                let mut out = Vec::new();
                AuthMoreData(vec![FAST_AUTH_OK]).encode(caps, &mut out);
                self.send(&out).await;
                check_sha2(&proof, &nonce, &sha2_verifier(PASSWORD.as_bytes()))
            }
            _ => check_native(native, &NONCE, &native_verifier(PASSWORD.as_bytes())),
        };
        if good {
            self.ok().await;
        } else {
            self.send(&error(1045, "Access denied for user 'serval'")).await;
        }
        good
    }

    fn capabilities(&self) -> Capabilities {
        let all = Capabilities::from_bits(0x0fff_f7df).without(Capabilities::CLIENT_SSL);
        match self.inner.door {
            Door::TlsStall | Door::TlsGarbage | Door::TlsInjection => all | Capabilities::CLIENT_SSL,
            Door::Old => all.without(Capabilities::CLIENT_DEPRECATE_EOF),
            _ => all,
        }
    }

    async fn answer(&mut self, command: &str) -> bool {
        if command.starts_with("CLOSE") {
            return true;
        }
        let reply = if command == MONITOR { Reply::Rows(1) } else { (self.inner.script)(command) };
        match reply {
            Reply::Ok if command.starts_with("PREPARE") => self.prepare(command).await,
            Reply::Ok => {
                self.follow(command);
                self.ok().await;
            }
            Reply::Err(number) => self.send(&error(number, "refused by the script")).await,
            Reply::Rows(count) => {
                self.columns().await;
                for _ in 0..count {
                    self.row(b"row").await;
                }
                self.end().await;
            }
            Reply::Wide(length) => {
                self.columns().await;
                self.row(&vec![b'w'; length]).await;
                self.end().await;
            }
            Reply::Broken(count) => {
                self.columns().await;
                for _ in 0..count {
                    self.row(b"row").await;
                }
                return false;
            }
            Reply::Raw(bytes) => {
                let _ = self.stream.write_all(&bytes).await;
            }
            Reply::Silence => {}
        }
        true
    }

    /// Keeps the transaction flag as a server would.
    fn follow(&mut self, command: &str) {
        match command {
            "QUERY BEGIN" => self.status.insert(StatusFlags::SERVER_STATUS_IN_TRANS),
            sql if sql.starts_with("QUERY XA START") => {
                self.status.insert(StatusFlags::SERVER_STATUS_IN_TRANS);
            }
            sql if sql.starts_with("QUERY XA COMMIT") => {
                self.status.remove(StatusFlags::SERVER_STATUS_IN_TRANS);
            }
            "QUERY ROLLBACK" | "QUERY COMMIT" => self.status.remove(StatusFlags::SERVER_STATUS_IN_TRANS),
            _ => {}
        }
    }

    /// Numbers the statements of a connection from 1. Each `?` is a parameter.
    async fn prepare(&mut self, sql: &str) {
        self.prepared += 1;
        let parameters = sql.matches('?').map(|_| ColumnDefinition::new("?", column_type::MYSQL_TYPE_LONG));
        let ok = PrepareOk { statement: self.prepared, ..PrepareOk::default() };
        let prepared = Prepared { ok, parameters: parameters.collect(), columns: Vec::new() };
        let mut out = BytesMut::new();
        prepared.write(Capabilities::CLIENT_DEPRECATE_EOF, None, self.status, &mut self.sequence, &mut out);
        let _ = self.stream.write_all(&out).await;
    }

    async fn columns(&mut self) {
        self.send(&[1]).await;
        let mut out = Vec::new();
        ColumnDefinition::new("c", column_type::MYSQL_TYPE_VAR_STRING)
            .encode(Capabilities::empty(), &mut out);
        self.send(&out).await;
    }

    async fn row(&mut self, value: &[u8]) {
        let mut out = Vec::new();
        text_row::encode([Some(value)], &mut out);
        self.send(&out).await;
    }

    async fn ok(&mut self) {
        let mut out = Vec::new();
        OkPacket { status: self.status, ..OkPacket::default() }
            .encode(Capabilities::CLIENT_PROTOCOL_41, &mut out);
        self.send(&out).await;
    }

    async fn end(&mut self) {
        let mut out = Vec::new();
        OkPacket { status: self.status, ..OkPacket::default() }
            .encode_end(Capabilities::CLIENT_PROTOCOL_41 | Capabilities::CLIENT_DEPRECATE_EOF, &mut out);
        self.send(&out).await;
    }

    async fn send(&mut self, payload: &[u8]) {
        let mut out = BytesMut::new();
        write_packet(&mut out, &mut self.sequence, payload);
        let _ = self.stream.write_all(&out).await;
    }
}

fn error(number: u16, message: &str) -> Vec<u8> {
    let mut out = Vec::new();
    ErrPacket { number, sqlstate: *b"HY000", message: message.as_bytes().to_vec() }
        .encode(Capabilities::CLIENT_PROTOCOL_41, &mut out);
    out
}

fn describe(payload: &[u8]) -> String {
    let body = &payload[1..];
    if body.len() > MAX_PAYLOAD / 2 {
        return format!("{:#x} of {} bytes", payload[0], body.len());
    }
    let text = String::from_utf8_lossy(body);
    let id = || body.first_chunk().map_or(0, |id| u32::from_le_bytes(*id));
    match payload[0] {
        1 => "QUIT".to_owned(),
        2 => format!("INIT_DB {text}"),
        3 => format!("QUERY {text}"),
        14 => "PING".to_owned(),
        0x16 => format!("PREPARE {text}"),
        0x17 => format!("EXECUTE {} {:02x?}", id(), &body[9..]),
        0x19 => format!("CLOSE {}", id()),
        code => format!("{code:#x} {text}"),
    }
}
