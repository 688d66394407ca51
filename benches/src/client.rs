//! A client that reads no more of an answer than where it ends, so that it costs less than what it measures.

use std::error::Error;

use bytes::{Buf as _, BytesMut};
use serval_wire::Capabilities;
use serval_wire::auth::native_response;
use serval_wire::command::code;
use serval_wire::frame::{PacketReader, write_command, write_packet};
use serval_wire::packet::{Handshake, HandshakeResponse};
use serval_wire::response::ResponseScanner;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::target::USER;

/// What went wrong, in whatever task.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

const PLUGIN: &str = "mysql_native_password";
const MAX_PACKET: usize = 64 << 20;
const READ_BYTES: usize = 64 << 10;

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    input: BytesMut,
}

/// The size of an answer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Answer {
    pub bytes: u64,
    pub rows: u64,
}

impl Client {
    /// Connects and logs in.
    pub(crate) async fn connect(port: u16, schema: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let mut client = Self { stream, input: BytesMut::new() };
        let mut packets = PacketReader::new(MAX_PACKET);
        let greeting = client.packet(&mut packets).await?;
        let greeting = Handshake::decode(&greeting, Capabilities::default())?;
        let response = HandshakeResponse {
            capabilities: Capabilities::CLIENT_PROTOCOL_41
                | Capabilities::CLIENT_SECURE_CONNECTION
                | Capabilities::CLIENT_DEPRECATE_EOF,
            max_packet: MAX_PACKET as u32,
            collation: 45,
            user: USER.0.to_owned(),
            auth_response: native_response(USER.1.as_bytes(), &greeting.nonce).to_vec(),
            database: Some(schema.to_owned()),
            auth_plugin: Some(PLUGIN.to_owned()),
            ..HandshakeResponse::default()
        };
        let (mut payload, mut out) = (Vec::new(), BytesMut::new());
        response.encode(greeting.capabilities, &mut payload);
        write_packet(&mut out, &mut 1, &payload);
        client.stream.write_all(&out).await?;
        packets.set_sequence(2);
        match client.packet(&mut packets).await?.first() {
            Some(0) => Ok(client),
            _ => Err("the login was refused".into()),
        }
    }

    /// Sends a query and reads its answer to the end.
    pub(crate) async fn query(&mut self, sql: &str) -> Result<Answer, Failure> {
        self.ask(sql).await?;
        let (mut scanner, mut bytes) = (ResponseScanner::new(true), 0);
        loop {
            let scanned = scanner.scan(&self.input)?;
            bytes += scanned.consumed as u64;
            self.input.advance(scanned.consumed);
            match scanned.complete {
                None => self.fill().await?,
                Some(end) => {
                    let error = end.error.map(|error| error.to_mysql().message.into());
                    return error.map_or(Ok(Answer { bytes, rows: end.rows }), Err);
                }
            }
        }
    }

    /// Sends a query and reads nothing.
    pub(crate) async fn ask(&mut self, sql: &str) -> Result<(), Failure> {
        let mut out = BytesMut::new();
        write_command(&mut out, &mut 0, code::COM_QUERY, sql.as_bytes());
        Ok(self.stream.write_all(&out).await?)
    }

    /// Says good-bye.
    pub(crate) async fn quit(mut self) -> Result<(), Failure> {
        let mut out = BytesMut::new();
        write_command(&mut out, &mut 0, code::COM_QUIT, b"");
        Ok(self.stream.write_all(&out).await?)
    }

    async fn packet(&mut self, packets: &mut PacketReader) -> Result<bytes::Bytes, Failure> {
        loop {
            if let Some(packet) = packets.next(&mut self.input)? {
                return Ok(packet.payload);
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<(), Failure> {
        if self.input.is_empty() && self.input.capacity() > READ_BYTES {
            self.input = BytesMut::new();
        }
        self.input.reserve(READ_BYTES / 8);
        match self.stream.read_buf(&mut self.input).await? {
            0 => Err("the connection was closed".into()),
            _ => Ok(()),
        }
    }
}
