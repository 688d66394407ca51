//! The handshake over a connection. The admin console greets its clients with it too.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serval_catalog::{ClientTls, Secure, Verifier};
use serval_types::{ErrorCode, MysqlError};
use serval_wire::WireError;
use serval_wire::auth::{Scramble, nonce_from_random};
use serval_wire::capability::Capabilities;
use serval_wire::frame::Packet;
use serval_wire::packet::{AuthMoreData, FAST_AUTH_OK};
use tokio_rustls::rustls::ServerConfig;

use super::{Channel, Denial, Entrance, Handshake, Known, Login, Message, Policy, Step};
use crate::stream::{Encryption, ReadError, ReadHalf, Reader, Stream, WriteHalf, Writer, encrypt};

/// How long a client may take to say who it is.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// How many packets a client may send: its wish for TLS, the response, the proof after a switch, the request for our
/// public key, and the password.
const HANDSHAKE_PACKETS: usize = 5;

/// The largest packet of a client that has not shown who it is; connection attributes are the bulk of it.
pub const HANDSHAKE_BYTES: usize = 128 * 1024;

/// Who greets.
#[derive(Debug, Clone, Copy)]
pub struct Welcome<'a> {
    /// The version that clients see.
    pub server_version: &'a str,
    /// The connection's id.
    pub thread_id: u32,
    /// Where the client is; `None` for a Unix socket.
    pub host: Option<IpAddr>,
    /// What is offered, but for TLS.
    pub policy: Policy,
    /// What TLS is offered with.
    pub tls: Option<&'a ClientTls>,
    /// What all handshakes share.
    pub entrance: &'a Entrance,
}

/// What an account has to show.
#[derive(Debug, Clone, Copy)]
pub struct Account {
    /// What its password is checked against.
    pub verifier: Verifier,
    /// What its connections have to be.
    pub secure: Secure,
}

/// Why nobody came in.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The client went away, or took too long, or sent nonsense.
    #[error("{0}")]
    Broken(#[from] ReadError),
    /// The client has been told this.
    #[error("{0}")]
    Denied(MysqlError),
}

/// A handshake under way.
struct Exchange<'a, A> {
    reader: &'a mut Reader<ReadHalf>,
    writer: &'a mut Writer<WriteHalf>,
    welcome: Welcome<'a>,
    tls: Option<Arc<ServerConfig>>,
    encryption: Option<Encryption>,
    accounts: A,
}

/// Greets a client and finds out who it is. The OK packet is left to the caller, who may still refuse the schema.
/// Says also how the connection is encrypted.
///
/// # Errors
/// See [`HandshakeError`]; whatever can be told to the client has been told.
pub async fn greet(
    reader: &mut Reader<ReadHalf>,
    writer: &mut Writer<WriteHalf>,
    mut welcome: Welcome<'_>,
    accounts: impl Fn(&str) -> Option<Account>,
) -> Result<(Login, Option<Encryption>), HandshakeError> {
    let tls = welcome.tls.and_then(|files| welcome.entrance.tls(files));
    welcome.policy.capabilities.set(Capabilities::CLIENT_SSL, tls.is_some());
    let mut exchange = Exchange { reader, writer, welcome, tls, encryption: None, accounts };
    let login = exchange.within_time(None).await?;
    Ok((login, exchange.encryption))
}

/// Finds out who a client is that has sent COM_CHANGE_USER. Otherwise as [`greet`].
///
/// # Errors
/// As [`greet`]; then the connection is of no more use.
pub async fn change_user(
    reader: &mut Reader<ReadHalf>,
    writer: &mut Writer<WriteHalf>,
    welcome: Welcome<'_>,
    (nonce, encryption): (Scramble, Option<Encryption>),
    command: Packet,
    accounts: impl Fn(&str) -> Option<Account>,
) -> Result<Login, HandshakeError> {
    let state = Handshake::change_user(nonce, writer.capabilities(), welcome.policy);
    let mut exchange = Exchange { reader, writer, welcome, tls: None, encryption, accounts };
    exchange.within_time(Some((state, command))).await
}

impl<A: Fn(&str) -> Option<Account>> Exchange<'_, A> {
    async fn within_time(&mut self, begun: Option<(Handshake, Packet)>) -> Result<Login, HandshakeError> {
        let result = tokio::time::timeout(HANDSHAKE_TIME, self.run(begun)).await;
        let result = result.unwrap_or(Err(ReadError::Idle.into()));
        if let Err(error) = &result {
            self.apologise(error).await;
        }
        result
    }

    async fn run(&mut self, begun: Option<(Handshake, Packet)>) -> Result<Login, HandshakeError> {
        let (mut state, mut first) = match begun {
            Some((state, command)) => (state, Some(command)),
            None => (self.begin().await?, None),
        };
        for _ in 0..HANDSHAKE_PACKETS {
            let packet = match first.take() {
                Some(packet) => packet,
                None => self.packet().await?,
            };
            let step = self.handle(state, &packet.payload)?;
            state = match self.take(step).await? {
                Ok(state) => state,
                Err(login) => return Ok(login),
            };
        }
        Err(HandshakeError::Denied(bad_handshake()))
    }

    async fn begin(&mut self) -> Result<Handshake, HandshakeError> {
        let Welcome { server_version, thread_id, policy, .. } = self.welcome;
        let (greeting, state) = Handshake::begin(server_version, thread_id, nonce(), policy);
        self.writer.encode(|capabilities, out| greeting.encode(capabilities, out));
        self.flush().await?;
        Ok(state)
    }

    async fn packet(&mut self) -> Result<Packet, HandshakeError> {
        self.reader.expect(self.writer.sequence());
        let packet = self.reader.packet().await?;
        self.writer.follow(packet.sequence);
        Ok(packet)
    }

    async fn flush(&mut self) -> Result<(), HandshakeError> {
        self.writer.flush().await.map_err(|error| ReadError::from(error).into())
    }

    fn handle(&self, state: Handshake, payload: &[u8]) -> Result<Step, HandshakeError> {
        let entrance = self.welcome.entrance;
        let known = |user: &str| {
            let Account { verifier, secure } = (self.accounts)(user)?;
            let proven = match &verifier {
                Verifier::Crypted(crypted) => entrance.proven(crypted),
                Verifier::Both { .. } | Verifier::Native(_) => None,
            };
            Some(Known { verifier, secure, proven })
        };
        state.handle(payload, self.channel(), known, nonce()).map_err(|error| ReadError::from(error).into())
    }

    /// Does what a step asks for: the next state, or who has come in.
    async fn take(&mut self, step: Step) -> Result<Result<Handshake, Login>, HandshakeError> {
        match step {
            Step::Encrypt(next) => self.encrypt().await.map(|()| Ok(next)),
            Step::Send(message, next) => {
                self.writer.encode(|capabilities, out| match &message {
                    Message::Switch(request) => request.encode(capabilities, out),
                    Message::More(data) => data.encode(capabilities, out),
                });
                self.flush().await.map(|()| Ok(next))
            }
            Step::PublicKey(next) => {
                let key = self.welcome.entrance.public_pem().await.ok_or(ReadError::Closed)?;
                self.writer.encode(|capabilities, out| AuthMoreData(key).encode(capabilities, out));
                self.flush().await.map(|()| Ok(next))
            }
            proved @ (Step::Password { .. } | Step::Welcome { .. } | Step::Denied { .. }) => {
                self.judge(proved).await.map(Err)
            }
        }
    }

    /// The end of the handshake, after as long as it takes.
    async fn judge(&mut self, step: Step) -> Result<Login, HandshakeError> {
        let Welcome { entrance, host, .. } = self.welcome;
        let user = match &step {
            Step::Password { login, .. } | Step::Welcome { login, .. } | Step::Denied { login, .. } => {
                login.user.clone()
            }
            Step::Encrypt(_) | Step::Send(..) | Step::PublicKey(_) => String::new(),
        };
        let Some(attempt) = entrance.attempts.begin(&user, host) else {
            tracing::warn!(user, ?host, "too many attempts to log in at once");
            return Err(HandshakeError::Denied(denied(&user, host, Denial::WrongPassword)));
        };
        attempt.wait().await;
        let step = match step {
            Step::Password { sent, crypted, secure, login } => {
                let right = entrance.check(sent, login.nonce, crypted).await;
                Step::settle(right, false, secure, self.channel(), login)
            }
            step => step,
        };
        match step {
            Step::Welcome { fast_auth, login } => {
                attempt.succeeded();
                self.writer.set_capabilities(login.capabilities);
                if fast_auth {
                    let more = AuthMoreData(vec![FAST_AUTH_OK]);
                    self.writer.encode(|capabilities, out| more.encode(capabilities, out));
                }
                Ok(login)
            }
            Step::Denied { login, denial } => {
                if denial.is_wrong() {
                    let failures = attempt.failed();
                    tracing::warn!(user, ?host, failures, "wrong user or password");
                }
                self.writer.set_capabilities(login.capabilities);
                Err(HandshakeError::Denied(denied(&user, host, denial)))
            }
            _ => Err(HandshakeError::Denied(bad_handshake())),
        }
    }

    async fn encrypt(&mut self) -> Result<(), HandshakeError> {
        let (ahead, read) = self.reader.replace(ReadHalf::Gone);
        let write = self.writer.replace(WriteHalf::Gone);
        let stream = Stream::join(read, write).ok_or(ReadError::Closed)?;
        let config = self.tls.clone().ok_or(ReadError::Closed)?;
        let (stream, encryption) = encrypt(stream, ahead, config).await.map_err(|error| {
            tracing::info!(host = ?self.welcome.host, %error, "TLS handshake failed");
            ReadError::Closed
        })?;
        let (read, write) = stream.split();
        self.reader.replace(read);
        self.writer.replace(write);
        self.encryption = Some(encryption);
        Ok(())
    }

    fn channel(&self) -> Channel {
        match (&self.encryption, self.welcome.host) {
            (Some(encryption), _) => Channel::Tls { certificate: encryption.certificate },
            (None, None) => Channel::Socket,
            (None, Some(_)) => Channel::Clear,
        }
    }

    /// Tells the client what went wrong, if it may still be listening.
    async fn apologise(&mut self, error: &HandshakeError) {
        match error {
            HandshakeError::Denied(error) => self.writer.error(error),
            HandshakeError::Broken(ReadError::Wire(
                WireError::Truncated { .. } | WireError::Malformed { .. },
            )) => {
                self.writer.error(&bad_handshake());
            }
            HandshakeError::Broken(ReadError::Wire(error)) => {
                self.writer.follow(self.reader.expected());
                self.writer.error(&error.to_mysql());
            }
            HandshakeError::Broken(_) => return,
        }
        // A client that does not read its refusal is closed all the same.
        let _ = tokio::time::timeout(HANDSHAKE_TIME, self.writer.flush()).await;
    }
}

fn bad_handshake() -> MysqlError {
    MysqlError::new(ErrorCode::BadHandshake, "Bad handshake")
}

fn denied(user: &str, host: Option<IpAddr>, denial: Denial) -> MysqlError {
    let host = host.map_or_else(|| "localhost".to_owned(), |host| host.to_string());
    let access = |rest: &str| {
        MysqlError::new(ErrorCode::AccessDenied, format!("Access denied for user '{user}'@'{host}' {rest}"))
    };
    match denial {
        Denial::NoPassword => access("(using password: NO)"),
        Denial::WrongPassword => access("(using password: YES)"),
        Denial::NeedsCertificate => access("(the account requires a client certificate)"),
        Denial::NeedsTls => MysqlError::new(
            ErrorCode::SecureTransportRequired,
            format!("Connections using insecure transport are prohibited: '{user}'@'{host}' requires TLS"),
        ),
        Denial::OldClient => MysqlError::new(
            ErrorCode::AuthNotSupported,
            "Client does not support authentication protocol requested by server; consider upgrading MySQL client",
        ),
    }
}

fn nonce() -> Scramble {
    nonce_from_random(rand::random())
}
