//! The console's side of MySQL's protocol: who may come in, and the few commands that clients send.

mod client;

use std::sync::Arc;
use std::time::Duration;

use serval_remote::Backend;
use serval_session::stream::Stream;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::{Admin, Control};

pub(crate) use client::Reply;
pub use client::serve_client;

/// How many consoles may be open at once.
const MOST_CLIENTS: usize = 64;

/// How long to wait before accepting again when the process has no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts consoles on `listener` until the proxy shuts down. Those that are open then end with it.
pub async fn serve_console<B: Backend, C: Control>(listener: TcpListener, admin: Arc<Admin<B, C>>) {
    let places = Arc::new(Semaphore::new(MOST_CLIENTS));
    let shutdown = admin.proxy.shutdown.clone();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a console could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // One too many is closed without a word: the console is for few, and each of them has a place.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let admin = Arc::clone(&admin);
        tokio::spawn(async move {
            let _place = place;
            serve_client(admin, Stream::Tcp(stream), Some(peer.ip())).await;
        });
    }
}
