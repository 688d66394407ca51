//! Accepting clients, and letting them go.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serval_remote::Backend;
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio_util::task::TaskTracker;

use crate::connection;
use crate::proxy::Proxy;
use crate::stream::Stream;

/// How long to wait before accepting again when the process has no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long sessions get to say good-bye once their grace is over.
const FAREWELL_TIME: Duration = Duration::from_secs(6);

/// Where clients come in.
#[derive(Debug)]
pub struct Doors {
    /// Over the network.
    pub network: TcpListener,
    /// Over a Unix socket, where there is one.
    pub socket: Option<UnixListener>,
}

impl From<TcpListener> for Doors {
    fn from(network: TcpListener) -> Self {
        Self { network, socket: None }
    }
}

/// Accepts clients at the `doors` until the proxy shuts down, and returns when the last one has left.
///
/// A shutdown first ends idle sessions. Those in a transaction or a statement may finish it within the proxy's grace
/// time; then they are told 1053 and closed.
pub async fn serve<B: Backend>(doors: impl Into<Doors>, proxy: Arc<Proxy<B>>) {
    let doors = doors.into();
    let sessions = TaskTracker::new();
    loop {
        tokio::select! {
            () = proxy.shutdown.cancelled() => break,
            accepted = doors.accept() => match accepted {
                Ok((stream, peer)) => {
                    sessions.spawn(connection::run(Arc::clone(&proxy), stream, peer));
                }
                Err(error) => {
                    tracing::warn!(%error, "a client could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(doors);
    sessions.close();
    proxy.sessions.drain();
    tracing::info!(sessions = sessions.len(), "no more clients are accepted");
    if tokio::time::timeout(proxy.grace(), sessions.wait()).await.is_err() {
        tracing::warn!(sessions = sessions.len(), "grace is over: ending the sessions that are left");
        proxy.sessions.end();
        // Whoever does not even read its error goes down with the process.
        let _ = tokio::time::timeout(FAREWELL_TIME, sessions.wait()).await;
    }
}

impl Doors {
    async fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        tokio::select! {
            accepted = self.network.accept() => accepted.map(|(stream, peer)| (network(stream, peer), Some(peer))),
            accepted = accept_local(self.socket.as_ref()) => accepted.map(|stream| (stream, None)),
        }
    }
}

fn network(stream: TcpStream, peer: SocketAddr) -> Stream {
    // Answers are written whole; waiting to fill a segment only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "TCP_NODELAY not set");
    }
    Stream::Tcp(stream)
}

async fn accept_local(socket: Option<&UnixListener>) -> io::Result<Stream> {
    match socket {
        Some(socket) => socket.accept().await.map(|(stream, _)| Stream::Unix(stream)),
        None => std::future::pending().await,
    }
}
