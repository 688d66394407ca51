//! COM_CHANGE_USER: another user, another session, the same connection.

use std::time::Duration;

use serval_remote::Backend;
use serval_wire::frame::Packet;

use super::{Identity, Next, account, admit, greeting, tell_last};
use crate::handshake::{self, HandshakeError};
use crate::session::Session;
use crate::stream::{ReadHalf, Reader, WriteHalf, Writer};

/// How long servers may take to end what the old session has left open.
const RESET_TIME: Duration = Duration::from_secs(15);

/// Finds out who the client wants to be, and puts a new session in the place of the old one. Where it is not let in
/// the connection ends, as on a server.
pub(super) async fn run<B: Backend>(
    session: &mut Session<B>,
    identity: &mut Identity,
    reader: &mut Reader<ReadHalf>,
    writer: &mut Writer<WriteHalf>,
    packet: Packet,
) -> Next {
    let (proxy, entry) = (session.proxy.clone(), session.entry.clone());
    entry.begin("Change user", None);
    // Whatever comes of it, the old session is over: what it holds on a server that does not answer is closed with it.
    let _ = tokio::time::timeout(RESET_TIME, session.reset()).await;
    let catalog = proxy.catalog.load_full();
    let welcome = greeting(&proxy, &entry, &catalog);
    let before = (identity.nonce, identity.encryption);
    let accounts = |user: &str| account(&catalog, user);
    let login = match handshake::change_user(reader, writer, welcome, before, packet, accounts).await {
        Ok(login) => login,
        Err(error) => {
            if let HandshakeError::Denied(denied) = &error {
                proxy.counters.error(denied.number);
            }
            tracing::info!(session = entry.id.0, peer = ?entry.peer, %error, "change of user refused");
            return Next::Close;
        }
    };
    entry.set_schema(None);
    match admit::admit(&proxy, &entry, &login) {
        Ok(next) => {
            *session = *next;
            identity.nonce = login.nonce;
            writer.ok(&session.plain_ok());
            if writer.flush().await.is_ok() { Next::Command } else { Next::Close }
        }
        Err(error) => {
            tell_last(&proxy, writer, &error).await;
            Next::Close
        }
    }
}
