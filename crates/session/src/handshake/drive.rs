//! The handshake over a connection. The admin console greets its clients with it too.

use std::net::IpAddr;
use std::time::Duration;

use serval_catalog::Verifiers;
use serval_types::{ErrorCode, MysqlError};
use serval_wire::WireError;
use serval_wire::auth::{Scramble, nonce_from_random};
use serval_wire::packet::{AuthMoreData, FAST_AUTH_OK};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Handshake, Login, Step};
use crate::stream::{ReadError, Reader, Writer};

/// How long a client may take to say who it is.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// How many exchanges a handshake may have: the response, and the proof after a switch.
const HANDSHAKE_PACKETS: usize = 2;

/// The largest packet of a client that has not shown who it is; connection attributes are the bulk of it.
pub const HANDSHAKE_BYTES: usize = 128 * 1024;

/// Who greets.
#[derive(Debug, Clone, Copy)]
pub struct Welcome<'a> {
    /// The version that clients see.
    pub server_version: &'a str,
    /// The connection's id.
    pub thread_id: u32,
    /// Where the client is; `None` for an unnamed socket.
    pub host: Option<IpAddr>,
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

/// Greets a client and finds out who it is. The OK packet is left to the caller, who may still refuse the schema.
///
/// # Errors
/// See [`HandshakeError`]; whatever can be told to the client has been told.
pub async fn greet<R, W>(
    reader: &mut Reader<R>,
    writer: &mut Writer<W>,
    welcome: Welcome<'_>,
    verifiers: impl Fn(&str) -> Option<Verifiers>,
) -> Result<Login, HandshakeError>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let exchange = exchange(reader, writer, welcome, verifiers);
    let result = tokio::time::timeout(HANDSHAKE_TIME, exchange).await.unwrap_or(Err(ReadError::Idle.into()));
    if let Err(error) = &result {
        apologise(writer, reader.expected(), error).await;
    }
    result
}

async fn exchange<R, W>(
    reader: &mut Reader<R>,
    writer: &mut Writer<W>,
    welcome: Welcome<'_>,
    verifiers: impl Fn(&str) -> Option<Verifiers>,
) -> Result<Login, HandshakeError>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let (greeting, mut state) = Handshake::begin(welcome.server_version, welcome.thread_id, nonce());
    writer.encode(|capabilities, out| greeting.encode(capabilities, out));
    writer.flush().await.map_err(ReadError::from)?;
    for _ in 0..HANDSHAKE_PACKETS {
        reader.expect(writer.sequence());
        let packet = reader.packet().await?;
        writer.follow(packet.sequence);
        match state.handle(&packet.payload, &verifiers, nonce()).map_err(ReadError::from)? {
            Step::Switch(request, next) => {
                state = next;
                writer.encode(|capabilities, out| request.encode(capabilities, out));
                writer.flush().await.map_err(ReadError::from)?;
            }
            Step::Welcome { fast_auth, login } => {
                writer.set_capabilities(login.capabilities);
                if fast_auth {
                    let more = AuthMoreData(vec![FAST_AUTH_OK]);
                    writer.encode(|capabilities, out| more.encode(capabilities, out));
                }
                return Ok(login);
            }
            Step::Denied { login, password } => {
                writer.set_capabilities(login.capabilities);
                return Err(HandshakeError::Denied(denied(&login.user, welcome.host, password)));
            }
        }
    }
    Err(HandshakeError::Denied(bad_handshake()))
}

/// Tells the client what went wrong, if it may still be listening.
async fn apologise<W: AsyncWrite + Unpin>(writer: &mut Writer<W>, expected: u8, error: &HandshakeError) {
    match error {
        HandshakeError::Denied(error) => writer.error(error),
        HandshakeError::Broken(ReadError::Wire(
            WireError::Truncated { .. } | WireError::Malformed { .. },
        )) => {
            writer.error(&bad_handshake());
        }
        HandshakeError::Broken(ReadError::Wire(error)) => {
            writer.follow(expected);
            writer.error(&error.to_mysql());
        }
        HandshakeError::Broken(_) => return,
    }
    // A client that does not read its refusal is closed all the same.
    let _ = tokio::time::timeout(HANDSHAKE_TIME, writer.flush()).await;
}

fn bad_handshake() -> MysqlError {
    MysqlError::new(ErrorCode::BadHandshake, "Bad handshake")
}

fn denied(user: &str, host: Option<IpAddr>, password: bool) -> MysqlError {
    let host = host.map_or_else(|| "localhost".to_owned(), |host| host.to_string());
    let using = if password { "YES" } else { "NO" };
    MysqlError::new(
        ErrorCode::AccessDenied,
        format!("Access denied for user '{user}'@'{host}' (using password: {using})"),
    )
}

fn nonce() -> Scramble {
    nonce_from_random(rand::random())
}
