//! Logging in to a server, from the connect to the first idle moment
//! ([connection phase](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html)).

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serval_catalog::{Address, Secret};
use serval_wire::WireError;
use serval_wire::auth::Scramble;
use serval_wire::capability::Capabilities;
use serval_wire::frame::{self, PacketReader};
use serval_wire::packet::{
    AuthMoreData, AuthSwitchRequest, ErrPacket, FAST_AUTH_OK, FULL_AUTH, Handshake, HandshakeResponse,
    OkPacket, PUBLIC_KEY_REQUEST,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::auth::{self, Method};
use crate::error::LinkError;
use crate::link::Link;
use crate::stream::Stream;
use crate::version::ServerVersion;

/// utf8mb4_general_ci, which every MySQL and MariaDB knows.
const COLLATION: u8 = 45;
/// No packet of the handshake comes near this.
const LONGEST_PACKET: usize = 64 << 10;

/// Who logs in where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) address: Address,
    pub(crate) user: String,
    pub(crate) password: Secret,
}

/// Connects and logs in within `limit`.
pub(crate) async fn connect(login: &Login, limit: Duration) -> Result<Link, LinkError> {
    tokio::time::timeout(limit, async {
        let stream = Stream::connect(&login.address).await?;
        let reader = PacketReader::new(LONGEST_PACKET);
        Exchange { stream, input: BytesMut::new(), reader }.log_in(login).await
    })
    .await
    .unwrap_or(Err(LinkError::TimedOut))
}

/// A socket on which one packet follows the other, with sequence ids counted through.
struct Exchange {
    stream: Stream,
    input: BytesMut,
    reader: PacketReader,
}

/// What the server says to a proof.
enum Verdict {
    Welcome(OkPacket),
    Switch(AuthSwitchRequest),
    More(Vec<u8>),
}

impl Exchange {
    async fn log_in(mut self, login: &Login) -> Result<Link, LinkError> {
        let greeting = self.greeting().await?;
        let capabilities = agreed(&greeting)?;
        let method = Method::of(&greeting.auth_plugin).unwrap_or(Method::Native);
        let mut out = Vec::new();
        HandshakeResponse {
            capabilities,
            max_packet: 1 << 30,
            collation: COLLATION,
            user: login.user.clone(),
            auth_response: method.response(login.password.reveal().as_bytes(), &greeting.nonce),
            database: None,
            auth_plugin: Some(method.name().to_owned()),
            attributes: vec![("program_name".to_owned(), "serval".to_owned())],
        }
        .encode(capabilities, &mut out);
        self.send(&out).await?;
        let welcome = self.prove(login, method, greeting.nonce, capabilities).await?;
        let version = ServerVersion::parse(&greeting.server_version);
        Ok(Link::new(self.stream, greeting.thread_id, version, welcome.status))
    }

    async fn greeting(&mut self) -> Result<Handshake, LinkError> {
        let payload = self.receive().await?;
        match payload.first() {
            // Sent before any capability is agreed on, for example by a full server.
            Some(0xff) => Err(refusal(&payload, Capabilities::default())),
            _ => Ok(Handshake::decode(&payload, Capabilities::default())?),
        }
    }

    /// Goes through whatever the server asks for until it says OK.
    async fn prove(
        &mut self,
        login: &Login,
        mut method: Method,
        mut nonce: Scramble,
        capabilities: Capabilities,
    ) -> Result<OkPacket, LinkError> {
        let password = login.password.reveal().as_bytes();
        loop {
            match self.verdict(capabilities).await? {
                Verdict::Welcome(ok) => return Ok(ok),
                Verdict::Switch(request) => {
                    method = Method::required(&request.plugin, &login.user)?;
                    nonce = first_20(&request.nonce)?;
                    self.send(&method.response(password, &nonce)).await?;
                }
                Verdict::More(data) if method == Method::CachingSha2 && data == [FAST_AUTH_OK] => {}
                Verdict::More(data) if method == Method::CachingSha2 && data == [FULL_AUTH] => {
                    self.prove_in_full(password, &nonce, capabilities).await?;
                }
                Verdict::More(_) => return Err(WireError::Malformed { what: "authentication data" }.into()),
            }
        }
    }

    async fn prove_in_full(
        &mut self,
        password: &[u8],
        nonce: &Scramble,
        capabilities: Capabilities,
    ) -> Result<(), LinkError> {
        if self.stream.is_local() {
            return self.send(&auth::clear(password)).await;
        }
        self.send(&[PUBLIC_KEY_REQUEST]).await?;
        let Verdict::More(pem) = self.verdict(capabilities).await? else {
            return Err(WireError::Malformed { what: "RSA public key" }.into());
        };
        let proof = auth::encrypted(password, nonce, pem).await?;
        self.send(&proof).await
    }

    async fn verdict(&mut self, capabilities: Capabilities) -> Result<Verdict, LinkError> {
        let payload = self.receive().await?;
        match payload.first() {
            Some(0x00) => Ok(Verdict::Welcome(OkPacket::decode(&payload, capabilities)?)),
            Some(0x01) => Ok(Verdict::More(AuthMoreData::decode(&payload, capabilities)?.0)),
            Some(0xfe) => Ok(Verdict::Switch(AuthSwitchRequest::decode(&payload, capabilities)?)),
            Some(0xff) => Err(refusal(&payload, capabilities)),
            _ => Err(WireError::Malformed { what: "authentication reply" }.into()),
        }
    }

    async fn receive(&mut self) -> Result<Bytes, LinkError> {
        loop {
            if let Some(packet) = self.reader.next(&mut self.input)? {
                return Ok(packet.payload);
            }
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(LinkError::closed());
            }
        }
    }

    async fn send(&mut self, payload: &[u8]) -> Result<(), LinkError> {
        let (mut out, mut sequence) =
            (BytesMut::with_capacity(payload.len() + frame::HEADER), self.reader.sequence());
        frame::write_packet(&mut out, &mut sequence, payload);
        self.reader.set_sequence(sequence);
        Ok(self.stream.write_all(&out).await?)
    }
}

/// What both sides speak. DEPRECATE_EOF is not negotiable, because answers are relayed to clients as they come.
/// FOUND_ROWS is not asked for: affected rows are rows changed. What a client that wants matched rows needs stands in the
/// text of the OK packet.
fn agreed(greeting: &Handshake) -> Result<Capabilities, LinkError> {
    let required = Capabilities::CLIENT_PROTOCOL_41
        | Capabilities::CLIENT_PLUGIN_AUTH
        | Capabilities::CLIENT_SECURE_CONNECTION
        | Capabilities::CLIENT_DEPRECATE_EOF;
    if !greeting.capabilities.contains(required) {
        return Err(LinkError::Unsupported(format!(
            "the server's version {} is too old: Serval needs MySQL 5.7 or MariaDB 10.2 at least",
            greeting.server_version
        )));
    }
    let wished = Capabilities::CLIENT_LONG_PASSWORD
        | Capabilities::CLIENT_LONG_FLAG
        | Capabilities::CLIENT_TRANSACTIONS
        | Capabilities::CLIENT_MULTI_RESULTS
        | Capabilities::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA
        | Capabilities::CLIENT_CONNECT_ATTRS;
    // The first bit is the one that MariaDB clears to tell itself from MySQL; clients set it all the same.
    Ok(required | (wished & greeting.capabilities) | Capabilities::CLIENT_LONG_PASSWORD)
}

fn refusal(payload: &[u8], capabilities: Capabilities) -> LinkError {
    match ErrPacket::decode(payload, capabilities) {
        Ok(error) => LinkError::Server(error.to_mysql()),
        Err(error) => error.into(),
    }
}

/// A nonce on the wire may carry a NUL behind its 20 bytes.
fn first_20(nonce: &[u8]) -> Result<Scramble, LinkError> {
    nonce.first_chunk().copied().ok_or_else(|| WireError::Malformed { what: "nonce" }.into())
}
