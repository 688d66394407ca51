//! A client of each that writes packets by hand and reads whatever comes.

use std::time::Duration;

use serval_testkit::Flavour;
use serval_tests::World;
use serval_tests::raw::RAW_USER;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// CURSOR_TYPE_READ_ONLY.
pub const CURSOR: u8 = 1;
/// CLIENT_MULTI_STATEMENTS.
pub const MULTI: u32 = 1 << 16;
/// CLIENT_SESSION_TRACK.
pub const SESSION_TRACK: u32 = 1 << 23;
/// CLIENT_DEPRECATE_EOF.
pub const DEPRECATE_EOF: u32 = 1 << 24;
/// CLIENT_OPTIONAL_RESULTSET_METADATA.
pub const OPTIONAL_METADATA: u32 = 1 << 25;
/// CLIENT_QUERY_ATTRIBUTES.
pub const QUERY_ATTRIBUTES: u32 = 1 << 27;

/// CLIENT_LONG_PASSWORD, LONG_FLAG, CONNECT_WITH_DB, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, MULTI_RESULTS,
/// PS_MULTI_RESULTS and PLUGIN_AUTH.
const USUAL: u32 = 1 | 4 | 8 | 1 << 9 | 1 << 13 | 1 << 15 | 1 << 17 | 1 << 18 | 1 << 19;

/// How long an answer may take to begin.
const PATIENCE: Duration = Duration::from_secs(20);
/// After which silence an answer is over.
const SILENCE: Duration = Duration::from_millis(150);

/// A packet: its sequence id and its payload.
type Packet = (u8, Vec<u8>);

/// A connection.
pub struct Raw {
    stream: TcpStream,
    input: Vec<u8>,
}

/// One of each.
pub struct Both {
    pub proxy: Raw,
    pub oracle: Raw,
}

/// A prepared statement's ids.
#[derive(Clone, Copy)]
pub struct Ids {
    proxy: u32,
    oracle: u32,
}

impl Both {
    /// Logs in to both with these capabilities beside the usual ones; what both answer is the same.
    pub async fn new(world: &World, capabilities: u32) -> Both {
        let oracle = world.shared.oracle.group(0).primary();
        for sql in [
            format!("CREATE USER IF NOT EXISTS {RAW_USER}@'%' IDENTIFIED BY ''"),
            format!("GRANT ALL ON *.* TO {RAW_USER}@'%'"),
        ] {
            oracle.execute(&sql).await.expect("a user");
        }
        let proxy = format!("127.0.0.1:{}", world.serval.ports().mysql());
        let (proxy, welcome) = Raw::login(&proxy, &world.schema, capabilities).await;
        let (oracle, expected) = Raw::login(&oracle.address(), &world.schema, capabilities).await;
        assert_eq!(welcome.1, expected.1, "the login's answer");
        Both { proxy, oracle }
    }

    /// Sends a command to both, whose answers are the same but for the texts of errors.
    pub async fn same(&mut self, payload: &[u8], what: &str) {
        self.compare(payload, payload, what, |_| {}).await;
    }

    /// A command that is no statement; MySQL tells the warnings of the last one.
    pub async fn without_warnings(&mut self, payload: &[u8], what: &str) {
        let mask = |packet: &mut Packet| {
            let at = if packet.1.len() == 5 { 1 } else { 5 };
            if let (Some(0 | 0xfe), Some(warnings)) = (packet.1.first().copied(), packet.1.get_mut(at)) {
                *warnings = 0;
            }
        };
        self.compare(payload, payload, what, mask).await;
    }

    /// COM_QUERY.
    pub async fn query(&mut self, sql: &str) {
        self.same(&[b"\x03", sql.as_bytes()].concat(), sql).await;
    }

    /// COM_QUERY whose OK packet may tell of variables in any order.
    pub async fn any_order(&mut self, sql: &str) {
        let payload = [b"\x03", sql.as_bytes()].concat();
        self.compare(&payload, &payload, sql, |packet| packet.1.sort_unstable()).await;
    }

    /// COM_STMT_PREPARE.
    pub async fn prepare(&mut self, sql: &str) -> Ids {
        let payload = [b"\x16", sql.as_bytes()].concat();
        let (mut proxy, mut oracle) = (self.proxy.ask(&payload).await, self.oracle.ask(&payload).await);
        let id = |packets: &mut Vec<Packet>| {
            let bytes = packets[0].1.get_mut(1..5).expect("an id");
            let id = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            bytes.fill(0);
            id
        };
        let ids = Ids { proxy: id(&mut proxy), oracle: id(&mut oracle) };
        assert_eq!(proxy, oracle, "PREPARE {sql}");
        ids
    }

    /// COM_STMT_EXECUTE with what follows its fixed fields.
    pub async fn execute(&mut self, ids: Ids, flags: u8, rest: &[u8]) {
        let [proxy, oracle] = both(ids, |id| execution(id, flags, rest));
        self.compare(&proxy, &oracle, &format!("EXECUTE with flags {flags} {rest:?}"), |_| {}).await;
    }

    /// COM_STMT_EXECUTE of a statement over several nodes, which says nothing of indexes.
    pub async fn execute_masked(&mut self, ids: Ids, flags: u8) {
        let [proxy, oracle] = both(ids, |id| execution(id, flags, b""));
        let mask = |packet: &mut Packet| {
            if let (Some(0xfe), Some(status)) = (packet.1.first().copied(), packet.1.get_mut(3)) {
                *status &= !0x30;
            }
        };
        self.compare(&proxy, &oracle, "EXECUTE over several nodes", mask).await;
    }

    /// An execution that the proxy refuses and goes on. MySQL does too; MariaDB reads what there is.
    pub async fn refused(&mut self, ids: Ids, rest: &[u8]) {
        let [proxy, oracle] = both(ids, |id| execution(id, 0, rest));
        let (proxy, oracle) = (self.proxy.ask(&proxy).await, self.oracle.ask(&oracle).await);
        assert_eq!((proxy.len(), proxy[0].1[0]), (1, 0xff), "{rest:?} {proxy:?}");
        assert!(
            !Flavour::from_env().is_mysql() || oracle == proxy || oracle[0].1[0] == 0xff,
            "{rest:?} {oracle:?}"
        );
    }

    /// A command that both refuse with the same error, and go on.
    pub async fn same_error(&mut self, payload: &[u8]) {
        self.same(payload, &format!("{payload:?}")).await;
        self.without_warnings(b"\x0e", "COM_PING").await;
    }

    /// COM_STMT_FETCH.
    pub async fn fetch(&mut self, ids: Ids, rows: u32) {
        let [proxy, oracle] = both(ids, |id| [&[0x1c], &id.to_le_bytes()[..], &rows.to_le_bytes()].concat());
        self.compare(&proxy, &oracle, &format!("FETCH {rows}"), |_| {}).await;
    }

    /// COM_STMT_RESET.
    pub async fn reset(&mut self, ids: Ids) {
        let [proxy, oracle] = both(ids, |id| [&[0x1a], &id.to_le_bytes()[..]].concat());
        self.compare(&proxy, &oracle, "RESET", |_| {}).await;
    }

    /// Sends both a command of its own; `mask` takes out what may differ.
    pub async fn compare(&mut self, proxy: &[u8], oracle: &[u8], what: &str, mask: impl Fn(&mut Packet)) {
        let (mut proxy, mut oracle) = (self.proxy.ask(proxy).await, self.oracle.ask(oracle).await);
        for packet in proxy.iter_mut().chain(&mut oracle) {
            // Number and SQLSTATE of an error; its text may name a version, or an id.
            if packet.1.first() == Some(&0xff) {
                packet.1.truncate(9);
            }
            mask(packet);
        }
        assert_eq!(proxy, oracle, "proxy on the left: {what}");
    }
}

fn both(ids: Ids, payload: impl Fn(u32) -> Vec<u8>) -> [Vec<u8>; 2] {
    [payload(ids.proxy), payload(ids.oracle)]
}

fn execution(id: u32, flags: u8, rest: &[u8]) -> Vec<u8> {
    [&[0x17], &id.to_le_bytes()[..], &[flags, 1, 0, 0, 0], rest].concat()
}

impl Raw {
    async fn login(address: &str, schema: &str, capabilities: u32) -> (Raw, Packet) {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let mut raw = Raw { stream, input: Vec::new() };
        raw.packet(PATIENCE).await.expect("a greeting");
        let mut response = (USUAL | capabilities).to_le_bytes().to_vec();
        response.extend_from_slice(&[0, 0, 0, 1, 45]);
        response.extend_from_slice(&[0; 23]);
        for text in [RAW_USER, "", schema, "mysql_native_password"] {
            response.extend_from_slice(text.as_bytes());
            response.push(0);
        }
        raw.send(1, &response).await;
        loop {
            let (sequence, payload) = raw.packet(PATIENCE).await.expect("an answer to the login");
            match payload.first() {
                // Another plugin; the password is empty by any.
                Some(0xfe) => raw.send(sequence + 1, b"").await,
                Some(0) => return (raw, (sequence, payload)),
                _ => panic!("login: {:?}", String::from_utf8_lossy(&payload)),
            }
        }
    }

    /// Sends a command; all packets that come back.
    pub async fn ask(&mut self, payload: &[u8]) -> Vec<Packet> {
        self.send(0, payload).await;
        let mut packets = Vec::new();
        packets.extend(self.packet(PATIENCE).await);
        while let Some(packet) = self.packet(SILENCE).await {
            packets.push(packet);
        }
        packets
    }

    async fn send(&mut self, sequence: u8, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("a short packet").to_le_bytes();
        let header = [length[0], length[1], length[2], sequence];
        self.stream.write_all(&[&header[..], payload].concat()).await.expect("a connection");
    }

    async fn packet(&mut self, patience: Duration) -> Option<Packet> {
        loop {
            if let Some(header) = self.input.first_chunk::<4>().copied() {
                let end = 4 + u32::from_le_bytes([header[0], header[1], header[2], 0]) as usize;
                if self.input.len() >= end {
                    let payload = self.input[4..end].to_vec();
                    self.input.drain(..end);
                    return Some((header[3], payload));
                }
            }
            match timeout(patience, self.stream.read_buf(&mut self.input)).await {
                Ok(Ok(1..)) => {}
                _ => return None,
            }
        }
    }
}
