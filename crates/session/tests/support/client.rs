//! A client that writes packets by hand and describes what comes back, one packet a line.

use std::time::Duration;

use bytes::BytesMut;
use serval_wire::auth::{
    CACHING_SHA2_PASSWORD, MYSQL_NATIVE_PASSWORD, Scramble, native_response, sha2_response,
};
use serval_wire::binary_row::{self, Cell};
use serval_wire::frame::write_packet;
use serval_wire::lenenc::Reader;
use serval_wire::packet::{
    AuthSwitchRequest, ColumnDefinition, EofPacket, ErrPacket, Handshake, HandshakeResponse, OkPacket,
    PrepareOk, text_row,
};
use serval_wire::{Capabilities, StatusFlags};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

/// How long to wait for a packet that may not come. Time is paused, so it passes at once.
const PATIENCE: Duration = Duration::from_millis(100);

pub struct Client {
    stream: DuplexStream,
    pub capabilities: Capabilities,
    input: BytesMut,
    expect: Expect,
    /// The types of the columns, where rows are binary.
    binary: Option<Vec<u8>>,
    /// The types of the last execution's columns, for its cursor.
    executed: Vec<u8>,
}

/// What the next packet can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Greeting,
    Login,
    Answer,
    Columns(u64),
    EofAfterColumns,
    Rows,
    Fields,
    Prepared,
    /// So many definitions, an EOF where it is due, and then so many again.
    Definitions(u16, u16),
    EofAfterDefinitions(u16),
}

/// What a client says of itself.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub user: String,
    pub password: String,
    pub schema: Option<String>,
    /// What the response names.
    pub plugin: Option<String>,
    pub collation: u8,
}

impl Client {
    pub fn new(stream: DuplexStream, deprecate_eof: bool) -> Self {
        let mut capabilities = Capabilities::CLIENT_PROTOCOL_41
            | Capabilities::CLIENT_SECURE_CONNECTION
            | Capabilities::CLIENT_PLUGIN_AUTH
            | Capabilities::CLIENT_LONG_PASSWORD
            | Capabilities::CLIENT_CONNECT_WITH_DB;
        capabilities.set(Capabilities::CLIENT_DEPRECATE_EOF, deprecate_eof);
        Self {
            stream,
            capabilities,
            input: BytesMut::new(),
            expect: Expect::Greeting,
            binary: None,
            executed: Vec::new(),
        }
    }

    /// Writes a packet.
    pub async fn packet(&mut self, sequence: u8, payload: &[u8]) {
        let (mut out, mut sequence) = (BytesMut::new(), sequence);
        write_packet(&mut out, &mut sequence, payload);
        self.raw(&out).await;
    }

    /// Writes a command's first packet, and expects its answer.
    pub async fn command(&mut self, payload: &[u8]) {
        self.expect = match payload.first() {
            Some(0x1c) => Expect::Rows,
            Some(0x04) => Expect::Fields,
            Some(0x16) => Expect::Prepared,
            _ => Expect::Answer,
        };
        if let Some(types) = self.binary.take() {
            self.executed = types;
        }
        self.binary = match payload.first() {
            Some(0x17) => Some(Vec::new()),
            Some(0x1c) => Some(self.executed.clone()),
            _ => None,
        };
        self.packet(0, payload).await;
    }

    /// Writes bytes. A proxy that has closed the connection may not take them.
    pub async fn raw(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// Describes all packets that have come, and the end of the connection.
    pub async fn read(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            while let Some((sequence, payload)) = self.take() {
                lines.push(format!("proxy→client #{sequence} {}", self.describe(&payload)));
            }
            match tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.input)).await {
                Ok(Ok(0) | Err(_)) => {
                    lines.push("proxy→client (closed)".to_owned());
                    return lines;
                }
                Ok(Ok(_)) => {}
                Err(_) => return lines,
            }
        }
    }

    /// Logs in, by whatever the proxy asks for; describes both sides.
    pub async fn login(&mut self, credentials: &Credentials) -> Vec<String> {
        let Some((_, payload)) = self.next().await else { return vec!["proxy→client (closed)".to_owned()] };
        let Ok(greeting) = Handshake::decode(&payload, Capabilities::default()) else {
            self.expect = Expect::Answer;
            return vec![format!("proxy→client #0 {}", self.describe(&payload))];
        };
        let mut lines =
            vec![format!("proxy→client #0 greeting {} {}", greeting.server_version, greeting.auth_plugin)];
        self.expect = Expect::Login;
        let plugin = credentials.plugin.clone().unwrap_or(greeting.auth_plugin.clone());
        let same = plugin == greeting.auth_plugin;
        let proof = if same { proof(&plugin, &credentials.password, &greeting.nonce) } else { Vec::new() };
        let response = HandshakeResponse {
            capabilities: self.capabilities,
            max_packet: 1 << 24,
            collation: credentials.collation,
            user: credentials.user.clone(),
            auth_response: proof,
            database: credentials.schema.clone(),
            auth_plugin: Some(plugin.clone()),
            attributes: Vec::new(),
            zstd_level: 0,
        };
        let mut payload = Vec::new();
        response.encode(greeting.capabilities, &mut payload);
        lines.push(format!("client→proxy #1 response user={} plugin={plugin}", credentials.user));
        self.packet(1, &payload).await;
        self.finish_login(credentials, &mut lines).await;
        lines
    }

    async fn finish_login(&mut self, credentials: &Credentials, lines: &mut Vec<String>) {
        while let Some((sequence, payload)) = self.next().await {
            lines.push(format!("proxy→client #{sequence} {}", self.describe(&payload)));
            match payload.first() {
                Some(0xfe) => {
                    let request = AuthSwitchRequest::decode(&payload, self.capabilities).unwrap();
                    let nonce = Scramble::try_from(&*request.nonce).unwrap();
                    let mut proof = proof(&request.plugin, &credentials.password, &nonce);
                    if proof.is_empty() && request.plugin == CACHING_SHA2_PASSWORD {
                        proof.push(0);
                    }
                    lines.push(format!("client→proxy #{} proof of {} bytes", sequence + 1, proof.len()));
                    self.packet(sequence + 1, &proof).await;
                }
                Some(1) => {}
                _ => break,
            }
        }
        self.expect = Expect::Answer;
    }

    async fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some(packet) = self.take() {
                return Some(packet);
            }
            let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.input)).await;
            if !matches!(read, Ok(Ok(1..))) {
                return None;
            }
        }
    }

    fn take(&mut self) -> Option<(u8, Vec<u8>)> {
        let header = self.input.first_chunk::<4>()?;
        let length = usize::from(header[0]) | usize::from(header[1]) << 8 | usize::from(header[2]) << 16;
        let sequence = header[3];
        if self.input.len() < 4 + length {
            return None;
        }
        let frame = self.input.split_to(4 + length);
        Some((sequence, frame[4..].to_vec()))
    }

    fn has_optional_metadata(&self) -> bool {
        self.capabilities.contains(Capabilities::CLIENT_OPTIONAL_RESULTSET_METADATA)
    }

    fn sends_eof(&self) -> bool {
        !self.capabilities.contains(Capabilities::CLIENT_DEPRECATE_EOF)
    }

    fn after_definitions(&self, left: u16, then: u16) -> Expect {
        match (left, then) {
            (0, 0) => Expect::Answer,
            (0, then) => Expect::Definitions(then, 0),
            (left, then) => Expect::Definitions(left, then),
        }
    }

    fn describe(&mut self, payload: &[u8]) -> String {
        let eof = payload.len() < 9;
        match (self.expect, payload.first()) {
            (Expect::Greeting, Some(10)) => {
                self.expect = Expect::Login;
                let greeting = Handshake::decode(payload, Capabilities::default()).unwrap();
                format!("greeting {} {}", greeting.server_version, greeting.auth_plugin)
            }
            (_, Some(0xff)) => {
                self.expect = Expect::Answer;
                error(payload)
            }
            (Expect::Login, Some(0xfe)) => {
                let request = AuthSwitchRequest::decode(payload, self.capabilities).unwrap();
                format!("auth switch {}", request.plugin)
            }
            (Expect::Login, Some(1)) => format!("auth more data {:?}", &payload[1..]),
            (Expect::Login | Expect::Answer, Some(0)) => ok("OK", payload),
            (Expect::Prepared, Some(0)) => {
                let ok = PrepareOk::decode(payload, self.capabilities).unwrap();
                let told = !self.has_optional_metadata() || payload.last() == Some(&1);
                self.expect =
                    if told { self.after_definitions(ok.parameters, ok.columns) } else { Expect::Answer };
                format!("prepared {}: {} parameters, {} columns", ok.statement, ok.parameters, ok.columns)
            }
            (Expect::Definitions(left, then), _) => {
                self.expect = match (left, self.sends_eof()) {
                    (1, true) => Expect::EofAfterDefinitions(then),
                    (left, _) => self.after_definitions(left - 1, then),
                };
                column(payload)
            }
            (Expect::EofAfterDefinitions(then), _) => {
                self.expect = self.after_definitions(then, 0);
                end(payload)
            }
            (Expect::Answer, Some(0xfe)) if eof => end(payload),
            (Expect::Answer, Some(count)) if payload.len() == 2 && self.has_optional_metadata() => {
                self.expect = match payload[1] {
                    0 if self.sends_eof() => Expect::EofAfterColumns,
                    0 => Expect::Rows,
                    _ => Expect::Columns(u64::from(*count)),
                };
                format!("columns {count}, {}", if payload[1] == 0 { "not told" } else { "told" })
            }
            (Expect::Answer, Some(count)) if payload.len() == 1 => {
                self.expect = Expect::Columns(u64::from(*count));
                if let Some(types) = &mut self.binary {
                    types.clear();
                }
                format!("columns {count}")
            }
            (Expect::Columns(left), _) => {
                if let Some(types) = &mut self.binary {
                    types.push(ColumnDefinition::decode(payload, self.capabilities).unwrap().column_type);
                }
                self.expect = match left {
                    1 if self.sends_eof() => Expect::EofAfterColumns,
                    1 => Expect::Rows,
                    left => Expect::Columns(left - 1),
                };
                column(payload)
            }
            (Expect::EofAfterColumns, _) => {
                let text = end(payload);
                self.expect = if text.contains("cursor_exists") { Expect::Answer } else { Expect::Rows };
                text
            }
            (Expect::Rows | Expect::Fields, Some(0xfe)) if eof => {
                self.expect = Expect::Answer;
                end(payload)
            }
            (Expect::Rows, _) => match &self.binary {
                Some(types) => binary_row(payload, types),
                None => row(payload),
            },
            (Expect::Fields, _) => column(&payload[..payload.len() - 1]),
            _ => format!("packet {:?}", String::from_utf8_lossy(payload)),
        }
    }
}

fn proof(plugin: &str, password: &str, nonce: &Scramble) -> Vec<u8> {
    match plugin {
        _ if password.is_empty() => Vec::new(),
        MYSQL_NATIVE_PASSWORD => native_response(password.as_bytes(), nonce).to_vec(),
        _ => sha2_response(password.as_bytes(), nonce).to_vec(),
    }
}

fn error(payload: &[u8]) -> String {
    // Before the handshake an error has no SQLSTATE.
    let error = ErrPacket::decode(payload, Capabilities::CLIENT_PROTOCOL_41).unwrap().to_mysql();
    format!("ERR {} {} {}", error.number, error.sqlstate(), error.message)
}

fn ok(name: &str, payload: &[u8]) -> String {
    let ok = OkPacket::decode(payload, Capabilities::CLIENT_PROTOCOL_41).unwrap();
    let mut text = format!("{name}{}", status(ok.status));
    if let Some(state) = &ok.session_state {
        text += &format!(" state[{}]", session_state(state));
    }
    for (what, value) in
        [("affected", ok.affected_rows), ("insert_id", ok.last_insert_id), ("warnings", ok.warnings.into())]
    {
        if value != 0 {
            text += &format!(" {what}={value}");
        }
    }
    text
}

fn end(payload: &[u8]) -> String {
    if payload.len() > 5 {
        return ok("end", payload);
    }
    let eof = EofPacket::decode(payload, Capabilities::CLIENT_PROTOCOL_41).unwrap();
    let warnings = if eof.warnings == 0 { String::new() } else { format!(" warnings={}", eof.warnings) };
    format!("EOF{}{warnings}", status(eof.status))
}

fn status(status: StatusFlags) -> String {
    let names = [
        (StatusFlags::SERVER_STATUS_AUTOCOMMIT, " autocommit"),
        (StatusFlags::SERVER_STATUS_IN_TRANS, " in_trans"),
        (StatusFlags::SERVER_MORE_RESULTS_EXISTS, " more_results"),
        (StatusFlags::SERVER_STATUS_NO_BACKSLASH_ESCAPES, " no_backslash_escapes"),
        (StatusFlags::SERVER_STATUS_ANSI_QUOTES, " ansi_quotes"),
        (StatusFlags::SERVER_STATUS_CURSOR_EXISTS, " cursor_exists"),
        (StatusFlags::SERVER_STATUS_LAST_ROW_SENT, " last_row_sent"),
        (StatusFlags::SERVER_STATUS_IN_TRANS_READONLY, " read_only"),
        (StatusFlags::SERVER_PS_OUT_PARAMS, " out_params"),
        (StatusFlags::SERVER_STATUS_METADATA_CHANGED, " metadata_changed"),
    ];
    names.iter().filter(|(flag, _)| status.contains(*flag)).map(|(_, name)| *name).collect()
}

/// What changed, as session tracking tells it.
fn session_state(entries: &[u8]) -> String {
    let mut reader = Reader::new(entries, "session state");
    let mut texts = Vec::new();
    while !reader.is_empty() {
        let (kind, data) = (reader.u8().unwrap(), reader.string().unwrap());
        let mut data = Reader::new(data, "entry");
        let mut text = || String::from_utf8_lossy(data.string().unwrap()).into_owned();
        texts.push(match kind {
            0 => format!("{}={}", text(), text()),
            1 => format!("schema {}", text()),
            2 => "something".to_owned(),
            other => format!("kind {other}"),
        });
    }
    texts.join(", ")
}

fn column(payload: &[u8]) -> String {
    let column = ColumnDefinition::decode(payload, Capabilities::CLIENT_PROTOCOL_41).unwrap();
    format!("column {}", String::from_utf8_lossy(&column.name))
}

fn binary_row(payload: &[u8], types: &[u8]) -> String {
    let cells = binary_row::cells(payload, types.iter().copied()).unwrap().zip(types);
    let cells = cells.map(|(cell, column_type)| match binary_row::value(*column_type, 0, cell.unwrap()) {
        Ok(Cell::Bytes(bytes)) if bytes.len() > 80 => format!("({} bytes)", bytes.len()),
        Ok(Cell::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        Ok(cell) => format!("{cell:?}"),
        Err(error) => error.to_string(),
    });
    format!("binary row {}", cells.collect::<Vec<_>>().join(" | "))
}

fn row(payload: &[u8]) -> String {
    let cells = text_row::cells(payload).map(|cell| match cell.unwrap() {
        Some(cell) if cell.len() > 80 => format!("({} bytes)", cell.len()),
        Some(cell) => String::from_utf8_lossy(cell).into_owned(),
        None => "NULL".to_owned(),
    });
    format!("row {}", cells.collect::<Vec<_>>().join(" | "))
}
