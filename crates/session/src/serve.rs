//! Accepting clients, and letting them go.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serval_remote::Backend;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use crate::connection;
use crate::proxy::Proxy;

/// How long to wait before accepting again when the process has no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long sessions get to say good-bye once their grace is over.
const FAREWELL_TIME: Duration = Duration::from_secs(6);

/// Accepts clients on `listener` until the proxy shuts down, and returns when the last one has left.
///
/// A shutdown first ends idle sessions. Those in a transaction or a statement may finish it within the proxy's grace
/// time; then they are told 1053 and closed.
pub async fn serve<B: Backend>(listener: TcpListener, proxy: Arc<Proxy<B>>) {
    let sessions = TaskTracker::new();
    loop {
        tokio::select! {
            () = proxy.shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    sessions.spawn(client(Arc::clone(&proxy), stream, peer));
                }
                Err(error) => {
                    tracing::warn!(%error, "a client could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
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

async fn client<B: Backend>(proxy: Arc<Proxy<B>>, stream: TcpStream, peer: SocketAddr) {
    // Answers are written whole; waiting to fill a segment only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "TCP_NODELAY not set");
    }
    let (read, write) = stream.into_split();
    connection::run(proxy, read, write, Some(peer)).await;
}
