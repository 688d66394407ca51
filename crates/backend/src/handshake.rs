//! Logging in to a server, from the connect to the first idle moment
//! ([connection phase](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html)).

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serval_catalog::{Address, Secret, ServerTls};
use serval_wire::capability::Capabilities;
use serval_wire::frame::{self, PacketReader};
use serval_wire::packet::{
    AuthMoreData, AuthSwitchRequest, ErrPacket, FAST_AUTH_OK, FULL_AUTH, Handshake, HandshakeResponse,
    OkPacket, PUBLIC_KEY_REQUEST, SslRequest,
};
use serval_wire::{StatusFlags, WireError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;

use crate::auth::{self, Method};
use crate::error::LinkError;
use crate::link::Link;
use crate::stream::Stream;
use crate::tls::{Encryption, TlsError};
use crate::version::ServerVersion;

/// utf8mb4_general_ci, which every MySQL and MariaDB knows.
const COLLATION: u8 = 45;
/// No packet of the handshake comes near this.
const LONGEST_PACKET: usize = 64 << 10;

/// The largest packet that Serval says it takes.
const MAX_PACKET: u32 = 1 << 30;

/// Who logs in where, and how.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) address: Address,
    pub(crate) user: String,
    pub(crate) password: Secret,
    tls: ServerTls,
    /// What `tls` comes to.
    encryption: Result<Encryption, TlsError>,
    /// Present for engines of other kinds, which may lack what every MySQL has.
    tolerant: Option<Tolerance>,
}

/// What is different at an engine of another kind.
#[derive(Debug, Clone)]
pub(crate) struct Tolerance {
    /// The database to log in to.
    pub(crate) database: Option<String>,
}

impl Login {
    pub(crate) fn new(address: Address, user: String, password: Secret, tls: ServerTls) -> Self {
        let encryption = Encryption::new(&tls);
        Self { address, user, password, tls, encryption, tolerant: None }
    }

    /// The same for an engine.
    pub(crate) fn tolerant(self, database: Option<String>) -> Self {
        Self { tolerant: Some(Tolerance { database }), ..self }
    }

    /// Whether it is for this server of a group.
    pub(crate) fn is_of(&self, group: &serval_catalog::Group, server: &serval_catalog::Server) -> bool {
        self.address == server.address
            && self.user == group.user
            && self.password == group.password
            && self.tls == group.tls
    }

    fn encryption(&self) -> Result<&Encryption, LinkError> {
        self.encryption.as_ref().map_err(|error| LinkError::Unsupported(error.to_string()))
    }
}

/// A connection that is logged in, and what both sides speak on it.
pub(crate) struct LoggedIn {
    pub(crate) stream: Stream,
    pub(crate) capabilities: Capabilities,
    pub(crate) version: String,
    thread_id: u32,
    status: StatusFlags,
}

/// Connects to an engine and logs in within `limit`.
pub(crate) async fn connect_engine(login: &Login, limit: Duration) -> Result<LoggedIn, LinkError> {
    tokio::time::timeout(limit, exchange(login)).await.unwrap_or(Err(LinkError::TimedOut))
}

async fn exchange(login: &Login) -> Result<LoggedIn, LinkError> {
    let encryption = login.encryption()?;
    let stream = Stream::connect(&login.address).await?;
    let reader = PacketReader::new(LONGEST_PACKET);
    Exchange { stream, input: BytesMut::new(), reader }.log_in(login, encryption).await
}

/// Connects and logs in within `limit`.
pub(crate) async fn connect(login: &Login, limit: Duration) -> Result<Link, LinkError> {
    let LoggedIn { stream, version, thread_id, status, .. } =
        tokio::time::timeout(limit, exchange(login)).await.unwrap_or(Err(LinkError::TimedOut))?;
    Ok(Link::new(stream, thread_id, ServerVersion::parse(&version), status))
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
    async fn log_in(mut self, login: &Login, encryption: &Encryption) -> Result<LoggedIn, LinkError> {
        let greeting = self.greeting().await?;
        let database = login.tolerant.as_ref().and_then(|engine| engine.database.clone());
        let mut capabilities = match &login.tolerant {
            Some(_) => agreed_with_engine(&greeting, database.is_some())?,
            None => agreed(&greeting)?,
        };
        let offered = greeting.capabilities.contains(Capabilities::CLIENT_SSL);
        if let Some(connector) = encryption.with(offered).map_err(LinkError::Unsupported)? {
            capabilities.insert(Capabilities::CLIENT_SSL);
            self = self.encrypt(connector, login, capabilities).await?;
        }
        // A greeting has no room for the nonce of ed25519, which servers switch to.
        let method = Method::of(&greeting.auth_plugin).filter(|method| *method != Method::Ed25519);
        let method = method.unwrap_or(Method::Native);
        let mut out = Vec::new();
        HandshakeResponse {
            capabilities,
            max_packet: MAX_PACKET,
            collation: COLLATION,
            user: login.user.clone(),
            auth_response: method.response(login.password.reveal().as_bytes(), &greeting.nonce)?,
            database,
            auth_plugin: Some(method.name().to_owned()),
            attributes: vec![("program_name".to_owned(), "serval".to_owned())],
            zstd_level: 0,
        }
        .encode(capabilities, &mut out);
        self.send(&out).await?;
        let welcome = self.prove(login, method, greeting.nonce.to_vec(), capabilities).await?;
        Ok(LoggedIn {
            stream: self.stream,
            capabilities,
            version: greeting.server_version,
            thread_id: greeting.thread_id,
            status: welcome.status,
        })
    }

    /// Asks for TLS and goes over to it. Who the server is has been verified when this returns.
    async fn encrypt(
        mut self,
        connector: &TlsConnector,
        login: &Login,
        capabilities: Capabilities,
    ) -> Result<Self, LinkError> {
        let mut out = Vec::new();
        SslRequest { capabilities, max_packet: MAX_PACKET, collation: COLLATION }
            .encode(capabilities, &mut out);
        self.send(&out).await?;
        if !self.input.is_empty() {
            // Whatever was said in the clear must not pass for something said under TLS.
            return Err(WireError::Malformed { what: "greeting: bytes behind it" }.into());
        }
        let stream = self.stream.encrypt(connector, &login.address).await.map_err(LinkError::Tls)?;
        Ok(Self { stream, ..self })
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
        mut nonce: Vec<u8>,
        capabilities: Capabilities,
    ) -> Result<OkPacket, LinkError> {
        let password = login.password.reveal().as_bytes();
        loop {
            match self.verdict(capabilities).await? {
                Verdict::Welcome(ok) => return Ok(ok),
                Verdict::Switch(request) => {
                    method = Method::required(&request.plugin, &login.user)?;
                    nonce = request.nonce;
                    self.send(&method.response(password, &nonce)?).await?;
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
        nonce: &[u8],
        capabilities: Capabilities,
    ) -> Result<(), LinkError> {
        if self.stream.is_private() {
            return self.send(&auth::clear(password)).await;
        }
        self.send(&[PUBLIC_KEY_REQUEST]).await?;
        let Verdict::More(pem) = self.verdict(capabilities).await? else {
            return Err(WireError::Malformed { what: "RSA public key" }.into());
        };
        let proof = auth::encrypted(password, auth::first(nonce)?, pem).await?;
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
        self.stream.write_all(&out).await?;
        Ok(self.stream.flush().await?)
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
        | Capabilities::CLIENT_LOCAL_FILES
        | Capabilities::CLIENT_MULTI_RESULTS
        | Capabilities::CLIENT_PS_MULTI_RESULTS
        | Capabilities::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA
        | Capabilities::CLIENT_CONNECT_ATTRS;
    // The first bit is the one that MariaDB clears to tell itself from MySQL; clients set it all the same.
    Ok(required | (wished & greeting.capabilities) | Capabilities::CLIENT_LONG_PASSWORD)
}

/// What is spoken with an engine: whatever of it there is. Old passwords and the protocol before 4.1 are not.
fn agreed_with_engine(greeting: &Handshake, database: bool) -> Result<Capabilities, LinkError> {
    let required = Capabilities::CLIENT_PROTOCOL_41 | Capabilities::CLIENT_SECURE_CONNECTION;
    if !greeting.capabilities.contains(Capabilities::CLIENT_PROTOCOL_41) {
        let version = &greeting.server_version;
        return Err(LinkError::Unsupported(format!(
            "the engine {version} does not speak the protocol of MySQL 4.1"
        )));
    }
    let mut wished = Capabilities::CLIENT_LONG_FLAG
        | Capabilities::CLIENT_TRANSACTIONS
        | Capabilities::CLIENT_PLUGIN_AUTH
        | Capabilities::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA
        | Capabilities::CLIENT_CONNECT_ATTRS
        | Capabilities::CLIENT_DEPRECATE_EOF;
    wished.set(Capabilities::CLIENT_CONNECT_WITH_DB, database);
    Ok(required | (wished & greeting.capabilities) | Capabilities::CLIENT_LONG_PASSWORD)
}

fn refusal(payload: &[u8], capabilities: Capabilities) -> LinkError {
    match ErrPacket::decode(payload, capabilities) {
        Ok(error) => LinkError::Server(error.to_mysql()),
        Err(error) => error.into(),
    }
}
