//! Servers that answer as a script says, and note what they were asked.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use serval_remote::{
    Access, Backend, Burst, Connection, Execution, NAMES, RemoteError, Request, SessionState,
};
use serval_types::{ErrorCode, GroupId, MysqlError, Value};
use serval_wire::binary_row::BinaryRowBuilder;
use serval_wire::frame::write_packet;
use serval_wire::lenenc::write_int;
use serval_wire::packet::column_type::MYSQL_TYPE_VAR_STRING;
use serval_wire::packet::{ColumnDefinition, ErrPacket, OkPacket, text_row};
use serval_wire::response::{Prepared, ResponseScanner};
use serval_wire::{Capabilities, StatusFlags};

/// What servers speak.
const CAPABILITIES: Capabilities = Capabilities::CLIENT_DEPRECATE_EOF.with(Capabilities::CLIENT_PROTOCOL_41);

/// What a server does with a statement.
#[derive(Debug, Clone)]
pub enum Reply {
    /// An OK packet.
    Ok { affected: u64, insert_id: u64, warnings: u16 },
    /// Rows of text; `None` is NULL.
    Rows { columns: Vec<String>, rows: Vec<Vec<Option<String>>>, warnings: u16 },
    /// Several results, the last one an OK packet of a server in a transaction or not, with autocommit or without.
    Several { results: Vec<Reply>, in_transaction: bool, autocommit: bool },
    /// The same row again and again, in bursts of about 16 KiB, so many times.
    Flood { bursts: usize },
    /// An error.
    Error(MysqlError),
    /// One burst of rows, and then the connection breaks.
    BreaksAfterRows,
    /// An answer that takes its time.
    Slow(Duration),
    /// The state that comes with the statement is refused.
    RefusesState(MysqlError),
}

impl Reply {
    pub fn ok() -> Self {
        Self::Ok { affected: 0, insert_id: 0, warnings: 0 }
    }
}

#[derive(Debug, Default)]
struct Script {
    rules: Vec<(String, Reply)>,
    log: Vec<String>,
    connections: u32,
}

/// All groups; clones share one script.
#[derive(Debug, Clone, Default)]
pub struct Servers(Arc<Mutex<Script>>);

impl Servers {
    /// From now on a statement that begins with `start` is answered so.
    pub fn on(&self, start: &str, reply: Reply) {
        self.0.lock().unwrap().rules.insert(0, (start.to_owned(), reply));
    }

    /// What happened since the last call.
    pub fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().log)
    }

    fn note(&self, text: String) {
        self.0.lock().unwrap().log.push(text);
    }

    fn reply_to(&self, sql: &str) -> Reply {
        let script = self.0.lock().unwrap();
        if let Some((_, reply)) = script.rules.iter().find(|(start, _)| sql.starts_with(start.as_str())) {
            return reply.clone();
        }
        if ["START TRANSACTION", "COMMIT", "ROLLBACK", "DO 0", "SAVEPOINT", "SET "]
            .iter()
            .any(|word| sql.starts_with(word))
        {
            return Reply::ok();
        }
        Reply::Error(MysqlError::new(ErrorCode::Unknown, format!("not in the script: {sql}")))
    }
}

impl Backend for Servers {
    type Connection = Server;

    async fn acquire(
        &self,
        group: GroupId,
        _access: Access,
        _state: &SessionState,
        _deadline: Instant,
    ) -> Result<Server, RemoteError> {
        let mut script = self.0.lock().unwrap();
        script.connections += 1;
        let id = script.connections;
        drop(script);
        Ok(Server {
            servers: self.clone(),
            group: group.0,
            id,
            state: SessionState::default(),
            in_transaction: false,
            spoiled: false,
            left: Vec::new(),
            scanner: ResponseScanner::new(true),
        })
    }

    async fn acquire_many(
        &self,
        group: GroupId,
        access: Access,
        count: usize,
        state: &SessionState,
        deadline: Instant,
    ) -> Result<Vec<Server>, RemoteError> {
        let mut connections = Vec::new();
        for _ in 0..count {
            connections.push(self.acquire(group, access, state, deadline).await?);
        }
        Ok(connections)
    }

    fn fan_out(&self, _group: GroupId) -> usize {
        4
    }
}

/// One connection.
#[derive(Debug)]
pub struct Server {
    servers: Servers,
    group: u16,
    id: u32,
    state: SessionState,
    in_transaction: bool,
    spoiled: bool,
    /// What is still to be read of the answer, the next one last.
    left: Vec<Piece>,
    scanner: ResponseScanner,
}

#[derive(Debug)]
enum Piece {
    Bytes(BytesMut),
    Wait(Duration),
    Break,
    Refuse(MysqlError),
}

impl Server {
    fn status(&self) -> StatusFlags {
        let mut status = StatusFlags::SERVER_STATUS_AUTOCOMMIT;
        status.set(StatusFlags::SERVER_STATUS_IN_TRANS, self.in_transaction);
        status
    }

    fn answer(&self, reply: Reply, binary: bool) -> Vec<Piece> {
        let mut out = BytesMut::new();
        let mut sequence = 1;
        match reply {
            Reply::Ok { affected, insert_id, warnings } => {
                let ok = OkPacket {
                    affected_rows: affected,
                    last_insert_id: insert_id,
                    status: self.status(),
                    warnings,
                    ..OkPacket::default()
                };
                packet(&mut out, &mut sequence, |payload| ok.encode(CAPABILITIES, payload));
            }
            Reply::Rows { columns, rows, warnings } => {
                let rows = (columns, rows, warnings);
                self.rows(&mut out, &mut sequence, rows, StatusFlags::empty(), binary);
            }
            Reply::Several { results, in_transaction, autocommit } => {
                let more = StatusFlags::SERVER_MORE_RESULTS_EXISTS;
                for result in results {
                    let Reply::Rows { columns, rows, warnings } = result else { continue };
                    self.rows(&mut out, &mut sequence, (columns, rows, warnings), more, binary);
                }
                let mut status = self.status();
                status.set(StatusFlags::SERVER_STATUS_IN_TRANS, in_transaction);
                status.set(StatusFlags::SERVER_STATUS_AUTOCOMMIT, autocommit);
                let ok = OkPacket { status, ..OkPacket::default() };
                packet(&mut out, &mut sequence, |payload| ok.encode(CAPABILITIES, payload));
            }
            Reply::Flood { bursts } => return self.flood(bursts, true, binary),
            Reply::BreaksAfterRows => return self.flood(1, false, binary),
            Reply::Error(error) => {
                let error = ErrPacket::from(&error);
                packet(&mut out, &mut sequence, |payload| error.encode(CAPABILITIES, payload));
            }
            Reply::Slow(time) => {
                let mut pieces = self.answer(Reply::ok(), binary);
                pieces.push(Piece::Wait(time));
                return pieces;
            }
            Reply::RefusesState(error) => return vec![Piece::Refuse(error)],
        }
        vec![Piece::Bytes(out)]
    }

    fn rows(
        &self,
        out: &mut BytesMut,
        sequence: &mut u8,
        (columns, rows, warnings): (Vec<String>, Vec<Vec<Option<String>>>, u16),
        more: StatusFlags,
        binary: bool,
    ) {
        header(out, sequence, &columns);
        for row in rows {
            let cells = row.iter().map(|cell| cell.as_ref().map(String::as_bytes));
            packet(out, sequence, |payload| encode_row(cells, binary, payload));
        }
        let end = OkPacket { status: self.status() | more, warnings, ..OkPacket::default() };
        packet(out, sequence, |payload| end.encode_end(CAPABILITIES, payload));
    }

    /// Bursts of rows, last one first.
    fn flood(&self, bursts: usize, ends: bool, binary: bool) -> Vec<Piece> {
        let (mut pieces, mut sequence) = (Vec::new(), 1);
        let mut out = BytesMut::new();
        header(&mut out, &mut sequence, &["x".to_owned()]);
        for _ in 0..bursts {
            for _ in 0..16 {
                packet(&mut out, &mut sequence, |payload| {
                    encode_row([Some(&[b'x'; 1000][..])].into_iter(), binary, payload);
                });
            }
            pieces.push(Piece::Bytes(std::mem::take(&mut out)));
        }
        if ends {
            let end = OkPacket { status: self.status(), ..OkPacket::default() };
            packet(&mut out, &mut sequence, |payload| end.encode_end(CAPABILITIES, payload));
            pieces.push(Piece::Bytes(out));
        } else {
            pieces.push(Piece::Break);
        }
        pieces.reverse();
        pieces
    }
}

/// A text without what is another one in each run: the own part of a global transaction's name, and the time.
fn without_chance(text: &str) -> String {
    let mut parts = text.split("'serval.");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let behind = part.split_once('\'').map_or("", |(_, behind)| behind);
        let behind = if behind.starts_with(", 'commit'") { ", 'commit', …)" } else { behind };
        shown.push_str("'serval.…'");
        shown.push_str(behind);
    }
    shown
}

impl Connection for Server {
    async fn send(&mut self, request: &Request<'_>) -> Result<(), RemoteError> {
        let sql = String::from_utf8_lossy(request.sql).into_owned();
        let set = difference(&plain(&self.state), &plain(request.state));
        let begin = request.begin.map(|begin| format!("{begin}; ")).unwrap_or_default();
        let database = request.database.map(|name| format!("{name}: ")).unwrap_or_default();
        let values = request.execution.map(|execution| executed(&execution)).unwrap_or_default();
        let line = format!("proxy→g{} #{} {database}{set}{begin}{sql}{values}", self.group, self.id);
        self.servers.note(without_chance(&line));
        self.state = request.state.clone();
        self.in_transaction |= request.begin.is_some() || sql.starts_with("XA START");
        if sql == "COMMIT" || sql == "ROLLBACK" || sql.starts_with("XA PREPARE") {
            self.in_transaction = false;
        }
        let reply = self.servers.reply_to(&sql);
        if let Reply::Several { in_transaction, .. } = &reply {
            self.in_transaction = *in_transaction;
        }
        self.left = self.answer(reply, request.execution.is_some());
        self.scanner = ResponseScanner::new(true);
        Ok(())
    }

    async fn read_burst(&mut self) -> Result<Burst, RemoteError> {
        loop {
            match self.left.last() {
                None => pending().await,
                Some(Piece::Wait(time)) => {
                    tokio::time::sleep(*time).await;
                    self.left.pop();
                }
                Some(_) => break,
            }
        }
        let (group, server) = (format!("g{}", self.group), "server".to_owned());
        match self.left.pop() {
            Some(Piece::Bytes(bytes)) => {
                let completion = self.scanner.scan(&bytes).ok().and_then(|scanned| scanned.complete);
                Ok(Burst { bytes, completion })
            }
            Some(Piece::Refuse(error)) => Err(RemoteError::Refused(error)),
            _ => Err(RemoteError::Lost { group, server, sent: true, reason: "script".to_owned() }),
        }
    }

    async fn prepare(&mut self, request: &Request<'_>) -> Result<Prepared, RemoteError> {
        let sql = String::from_utf8_lossy(request.sql).into_owned();
        let database = request.database.map(|name| format!("{name}: ")).unwrap_or_default();
        self.servers.note(format!("proxy→g{} #{} {database}prepare {sql}", self.group, self.id));
        let definition = |name: &str| ColumnDefinition::new(name.as_bytes().to_vec(), MYSQL_TYPE_VAR_STRING);
        let parameters = sql.matches('?').map(definition).collect();
        match self.servers.reply_to(&sql) {
            Reply::Error(error) => Err(RemoteError::Refused(error)),
            Reply::Rows { columns, .. } => {
                let columns = columns.iter().map(|name| definition(name)).collect();
                Ok(Prepared { parameters, columns, ..Prepared::default() })
            }
            _ => Ok(Prepared { parameters, ..Prepared::default() }),
        }
    }

    fn in_transaction(&self) -> bool {
        self.in_transaction
    }

    fn spoil(&mut self) {
        self.spoiled = true;
    }

    fn thread_id(&self) -> u32 {
        self.id
    }

    fn server_name(&self) -> &'static str {
        "server"
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let state = match (self.left.len(), self.in_transaction) {
            (0, false) if self.spoiled => "spoiled".to_owned(),
            (0, false) => return,
            (0, true) => "in a transaction".to_owned(),
            (1, _) => "in mid-answer".to_owned(),
            (left, _) => format!("in mid-answer, {left} bursts unread"),
        };
        self.servers.note(format!("proxy→g{} #{} (closed {state})", self.group, self.id));
    }
}

/// An execution's values, as far as they are the statement's.
fn executed(execution: &Execution<'_>) -> String {
    let value = |position: &u16| match execution.parameters.value(usize::from(*position)) {
        Value::Text(text) => format!("{:?}", String::from_utf8_lossy(&text)),
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
        Value::Decimal(number) => number.to_plain_string(),
        value => format!("{value:?}"),
    };
    let values: Vec<_> = execution.selection.iter().map(value).collect();
    format!(" execute({})", values.join(", "))
}

fn encode_row<'a>(
    cells: impl ExactSizeIterator<Item = Option<&'a [u8]>>,
    binary: bool,
    payload: &mut Vec<u8>,
) {
    if !binary {
        return text_row::encode(cells, payload);
    }
    let mut row = BinaryRowBuilder::new(cells.len());
    cells.for_each(|cell| row.encode_raw_cell(MYSQL_TYPE_VAR_STRING, cell).unwrap());
    payload.extend(row.finish().unwrap());
}

/// The SET that takes a connection from one state to another; empty where they are equal.
fn difference(from: &SessionState, to: &SessionState) -> String {
    let set = |(name, value): (&str, &str)| match name {
        NAMES => format!("NAMES {value}"),
        _ => format!("{name}={value}"),
    };
    let unset = |name: &str| format!("{name}={}", if name.starts_with('@') { "NULL" } else { "DEFAULT" });
    let changed = to.iter().filter(|(name, value)| from.value(name) != Some(value)).map(set);
    let gone = from.iter().filter(|(name, _)| to.value(name).is_none()).map(|(name, _)| unset(name));
    let all: Vec<String> = changed.chain(gone).collect();
    if all.is_empty() { String::new() } else { format!("SET {}; ", all.join(", ")) }
}

/// The state without what every session has.
fn plain(state: &SessionState) -> SessionState {
    let usual = |value: &str| value == "'utf8mb4'" || value == "'utf8mb4' COLLATE 'utf8mb4_general_ci'";
    let unusual = state.iter().filter(|(_, value)| !usual(value));
    unusual.fold(SessionState::default(), |state, (name, value)| state.with(name, value))
}

fn header(out: &mut BytesMut, sequence: &mut u8, columns: &[String]) {
    packet(out, sequence, |payload| write_int(payload, columns.len() as u64));
    for name in columns {
        let column = ColumnDefinition::new(name.clone().into_bytes(), MYSQL_TYPE_VAR_STRING);
        packet(out, sequence, |payload| column.encode(CAPABILITIES, payload));
    }
}

fn packet(out: &mut BytesMut, sequence: &mut u8, encode: impl FnOnce(&mut Vec<u8>)) {
    let mut payload = Vec::new();
    encode(&mut payload);
    write_packet(out, sequence, &payload);
}
