//! One client from its first byte to its last.

mod admit;
mod change_user;
mod command;
mod supervise;

use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use serval_catalog::Catalog;
use serval_remote::Backend;
use serval_types::{ErrorCode, MysqlError};
use serval_wire::auth::Scramble;
use serval_wire::command::code;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::counters::SessionCount;
use crate::failure::Failure;
use crate::handshake::{
    Account, HANDSHAKE_BYTES, HandshakeError, Policy, Welcome, greet, offered, real_peer,
};
use crate::proxy::Proxy;
use crate::registry::{Entry, Registration};
use crate::session::Session;
use crate::stream::{
    Encryption, Progress, ReadError, ReadHalf, Reader, Stream, Transport, WriteHalf, Writer, compress,
};
use serval_wire::frame::Packet;

/// How long a client may take to read the last thing it is told.
const FAREWELL_TIME: Duration = Duration::from_secs(5);

/// What follows a command.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// Another command.
    Command,
    /// The client has nothing to say for now.
    Silence,
    /// The end.
    Close,
}

/// Commands and their answers. Without its type, which nests too deeply to be part of another.
type Conversation<'a> = Pin<Box<dyn Future<Output = Next> + Send + 'a>>;

/// What a connection's handshake leaves behind for COM_CHANGE_USER.
#[derive(Debug, Clone, Copy)]
struct Identity {
    /// The nonce that the client knows.
    nonce: Scramble,
    encryption: Option<Encryption>,
}

/// A client that was let in. In this order it leaves.
struct Guest<B: Backend> {
    /// In a place of its own: a future that is handed on is copied, and keeps room for what has been moved out of it.
    session: Box<Session<B>>,
    identity: Identity,
    _count: SessionCount,
    _registration: Registration,
}

/// Serves one client until either side ends the connection. `peer` is the other end of a network connection: the
/// client itself, or a balancer that says who it is.
///
/// The future of an idle client is as small as can be, since there are thousands of them.
pub fn run<B: Backend>(
    proxy: Arc<Proxy<B>>,
    stream: Stream,
    peer: Option<SocketAddr>,
) -> impl Future<Output = ()> + Send {
    let (read, write) = stream.split();
    let (mut reader, mut writer) = (Reader::new(read, HANDSHAKE_BYTES), Writer::new(write));
    async move {
        // What arriving needs is given back when it is over.
        let guest = Box::pin(arrive(&proxy, peer, &mut reader, &mut writer)).await;
        let Some(mut guest) = guest else { return writer.close().await };
        loop {
            // What answering takes is given back while the client is silent.
            let Guest { session, identity, .. } = &mut guest;
            let conversation: Conversation<'_> =
                Box::pin(converse(session, identity, &mut reader, &mut writer));
            if conversation.await == Next::Close
                || outwait(&mut guest.session, &mut reader, &mut writer).await == Next::Close
            {
                break;
            }
        }
        writer.close().await;
        tracing::debug!(session = guest.session.entry.id.0, user = guest.session.user, "disconnected");
    }
}

/// Finds out where a client is, whether there is room for it, and who it is.
async fn arrive<B: Backend>(
    proxy: &Arc<Proxy<B>>,
    peer: Option<SocketAddr>,
    reader: &mut Reader<ReadHalf>,
    writer: &mut Writer<WriteHalf>,
) -> Option<Guest<B>> {
    let settings = proxy.catalog.load();
    let (limit, balancer) = (
        settings.settings.max_connections,
        peer.filter(|peer| settings.settings.welcome.is_proxy(peer.ip())),
    );
    drop(settings);
    let peer = match balancer {
        None => peer,
        Some(balancer) => match Box::pin(real_peer(reader, balancer)).await {
            Ok(client) => Some(client),
            Err(error) => {
                tracing::warn!(%balancer, %error, "a connection from a balancer was closed");
                return None;
            }
        },
    };
    let Some(registration) = proxy.sessions.register(peer, limit) else {
        too_many(proxy, writer).await;
        return None;
    };
    let count = proxy.counters.session();
    let (session, identity) = welcome(proxy, registration.entry(), reader, writer).await?;
    Some(Guest { session, identity, _count: count, _registration: registration })
}

/// The handshake, and the session that it opens.
async fn welcome<B: Backend>(
    proxy: &Arc<Proxy<B>>,
    entry: &Arc<Entry>,
    reader: &mut Reader<ReadHalf>,
    writer: &mut Writer<WriteHalf>,
) -> Option<(Box<Session<B>>, Identity)> {
    let catalog = proxy.catalog.load_full();
    let welcome = greeting(proxy, entry, &catalog);
    let (login, encryption) = match greet(reader, writer, welcome, |user| account(&catalog, user)).await {
        Ok(admitted) => admitted,
        Err(error) => {
            if let HandshakeError::Denied(denied) = &error {
                proxy.counters.error(denied.number);
                tracing::info!(session = entry.id.0, peer = ?entry.peer, %error, "login refused");
            }
            return None;
        }
    };
    match admit::admit(proxy, entry, &login) {
        Ok(session) => {
            reader.set_limit(catalog.settings.max_allowed_packet);
            writer.ok(&session.plain_ok());
            writer.flush().await.ok()?;
            let (user, capabilities, compression) = (&session.user, login.capabilities, login.compression);
            tracing::debug!(
                session = entry.id.0,
                user,
                ?capabilities,
                ?encryption,
                ?compression,
                "connected"
            );
            if let Some(algorithm) = compression {
                compress(reader, writer, algorithm);
            }
            entry.set_transport(Transport { encryption, socket: entry.peer.is_none(), compression });
            Some((session, Identity { nonce: login.nonce, encryption }))
        }
        Err(error) => {
            tell_last(proxy, writer, &error).await;
            None
        }
    }
}

/// What is offered to a client now.
fn greeting<'a, B: Backend>(proxy: &'a Proxy<B>, entry: &Entry, catalog: &'a Catalog) -> Welcome<'a> {
    let settings = &catalog.settings;
    Welcome {
        server_version: proxy.greeting_version(),
        thread_id: entry.id.0,
        host: entry.peer.map(|peer| peer.ip()),
        policy: Policy {
            capabilities: offered(settings, proxy.flavour()),
            plugin: settings.welcome.auth_plugin.into(),
        },
        tls: settings.tls.as_ref(),
        entrance: &proxy.entrance,
    }
}

fn account(catalog: &Catalog, user: &str) -> Option<Account> {
    catalog.users.get(user).map(|user| Account { verifier: user.verifier, secure: user.secure })
}

/// Answers commands until the client is silent or gone.
async fn converse<B: Backend>(
    session: &mut Session<B>,
    identity: &mut Identity,
    reader: &mut Reader<ReadHalf>,
    writer: &mut Writer<WriteHalf>,
) -> Next {
    loop {
        match answer_next(session, identity, reader, writer).await {
            Next::Command => {}
            next => return next,
        }
    }
}

/// Waits for a client that is silent.
async fn outwait<B: Backend>(
    session: &mut Session<B>,
    reader: &mut Reader<ReadHalf>,
    writer: &mut Writer<WriteHalf>,
) -> Next {
    writer.shrink(true);
    let idle = session.idle_timeout();
    let in_transaction = session.transaction.is_open();
    let heard = tokio::select! {
        biased;
        heard = reader.silence(idle) => heard.map_err(Farewell::of),
        error = session.entry.told_to_leave(in_transaction) => Err(Farewell::Unasked(error)),
    };
    match heard {
        Ok(()) => Next::Command,
        Err(farewell) => Box::pin(take_leave(&session.proxy, reader, writer, farewell)).await,
    }
}

/// Waits for a command and answers it.
async fn answer_next<B: Backend>(
    session: &mut Session<B>,
    identity: &mut Identity,
    reader: &mut Reader<ReadHalf>,
    writer: &mut Writer<WriteHalf>,
) -> Next {
    session.entry.rest(session.transaction.is_open());
    let packet = match next_command(session, reader).await {
        Ok(Some(packet)) => packet,
        Ok(None) => return Next::Silence,
        Err(farewell) => return take_leave(&session.proxy, reader, writer, farewell).await,
    };
    writer.follow(packet.sequence);
    if packet.payload.first() == Some(&code::COM_CHANGE_USER) {
        return Box::pin(change_user::run(session, identity, reader, writer, packet)).await;
    }
    // Pinned where it is made: to await it by value would copy its ten kilobytes for every statement.
    let result = pin!(supervise::run(session, reader, writer, packet)).await;
    let next = match result {
        Ok(next) => next,
        Err(failure) => tell(session, writer, &failure).await,
    };
    writer.shrink(false);
    session.forget_lost();
    session.fetch_warnings().await;
    next
}

/// What to say where there is no next command.
enum Farewell {
    /// Nothing: nobody is there.
    Silent,
    /// An error that the client did nothing for.
    Unasked(MysqlError),
    /// An error about what it sent.
    Answer(MysqlError),
}

/// The next command, or what to say in place of an answer; `None` where the client is silent.
async fn next_command<B, R>(
    session: &mut Session<B>,
    reader: &mut Reader<R>,
) -> Result<Option<Packet>, Farewell>
where
    B: Backend,
    R: AsyncRead + Unpin,
{
    let idle = session.idle_timeout();
    let in_transaction = session.transaction.is_open();
    tokio::select! {
        biased;
        packet = reader.command(idle) => packet.transpose().map_err(Farewell::of),
        error = session.entry.told_to_leave(in_transaction) => Err(Farewell::Unasked(error)),
    }
}

/// Says good-bye, where there is anybody to say it to.
async fn take_leave<B, R, W>(
    proxy: &Proxy<B>,
    reader: &mut Reader<R>,
    writer: &mut Writer<W>,
    farewell: Farewell,
) -> Next
where
    B: Backend,
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    match farewell {
        Farewell::Silent => {}
        Farewell::Unasked(error) => {
            writer.unasked();
            tell_last(proxy, writer, &error).await;
        }
        Farewell::Answer(error) => {
            writer.follow(reader.expected());
            tell_last(proxy, writer, &error).await;
        }
    }
    Next::Close
}

impl Farewell {
    fn of(error: ReadError) -> Self {
        match error {
            ReadError::Closed => Self::Silent,
            ReadError::Idle => Self::Unasked(MysqlError::new(
                ErrorCode::IdleTimeout,
                "The client was disconnected by the server because of inactivity. See wait_timeout and \
                 interactive_timeout for configuring this behavior.",
            )),
            ReadError::Wire(error) => Self::Answer(error.to_mysql()),
        }
    }
}

/// Tells the client of a failure where that is still possible.
async fn tell<B, W>(session: &mut Session<B>, writer: &mut Writer<W>, failure: &Failure) -> Next
where
    B: Backend,
    W: AsyncWrite + Unpin,
{
    let (error, next) = match failure {
        Failure::Told(error) => (error, Next::Command),
        Failure::Fatal(error) => (error, Next::Close),
        Failure::Gone => return Next::Close,
    };
    let error = &crate::accounts::of_client(
        session.proxy.flavour().worded(session.logical(error.clone())),
        &session.user,
        &session.host,
    );
    session.last.failed(error);
    session.proxy.counters.error(error.number);
    match writer.progress() {
        Progress::NotStarted | Progress::Open => writer.error(error),
        // What is on its way is whole but not read, or cannot be made whole any more.
        Progress::Torn | Progress::Complete => return Next::Close,
    }
    match tokio::time::timeout(FAREWELL_TIME, writer.flush()).await {
        Ok(Ok(())) => next,
        _ => Next::Close,
    }
}

/// The last words to a client.
async fn tell_last<B, W>(proxy: &Proxy<B>, writer: &mut Writer<W>, error: &MysqlError)
where
    B: Backend,
    W: AsyncWrite + Unpin,
{
    proxy.counters.error(error.number);
    writer.error(error);
    // A client that does not read them is closed all the same.
    let _ = tokio::time::timeout(FAREWELL_TIME, writer.flush()).await;
}

/// One client too many. Nothing is known of it yet, so the error has the form without SQLSTATE.
async fn too_many<B, W>(proxy: &Proxy<B>, writer: &mut Writer<W>)
where
    B: Backend,
    W: AsyncWrite + Unpin,
{
    proxy.counters.refused();
    proxy.counters.error(ErrorCode::TooManyConnections.number());
    let [low, high] = ErrorCode::TooManyConnections.number().to_le_bytes();
    writer.packet(&[&[0xff, low, high], &b"Too many connections"[..]].concat());
    let _ = tokio::time::timeout(FAREWELL_TIME, writer.flush()).await;
}
