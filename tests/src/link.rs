//! The network between a proxy and a server, to be cut by a test.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What a link does with what it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// It passes.
    Whole,
    /// Nothing passes and nothing is closed, as where packets are dropped. Who connects waits.
    Silent,
    /// Connections are closed, and new ones at once.
    Cut,
}

/// Where a link is cut when a message comes by that was waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The server never sees it.
    Before,
    /// The server sees it, and its answer is lost.
    After,
    /// As [`Moment::After`], but nobody is told that the connection is gone.
    Unnoticed,
}

/// Counts the messages of all links that carry something of interest, and cuts the link at one of them.
#[derive(Debug, Default)]
pub struct Trigger {
    seen: AtomicU64,
    armed: Mutex<Option<(u64, Moment)>>,
}

impl Trigger {
    /// From now on, counting from 0, this message meets that.
    ///
    /// # Panics
    /// Never: nobody panics while it holds the lock.
    pub fn arm(&self, number: u64, moment: Moment) {
        self.seen.store(0, Ordering::SeqCst);
        *self.armed.lock().expect("no panic under this lock") = Some((number, moment));
    }

    /// Takes it back. Whether it was still waiting.
    ///
    /// # Panics
    /// Never: nobody panics while it holds the lock.
    pub fn disarm(&self) -> bool {
        self.armed.lock().expect("no panic under this lock").take().is_some()
    }

    fn meets(&self, message: &[u8]) -> Option<Moment> {
        let has = |words: &[u8]| message.windows(words.len()).any(|window| window == words);
        // What recovery and health checks ask is not counted.
        let counts = INTERESTING.iter().any(|words| has(words)) && !has(b"XA RECOVER");
        let number = self.seen.fetch_add(u64::from(counts), Ordering::SeqCst);
        let mut armed = self.armed.lock().expect("no panic under this lock");
        let (_, moment) = armed.filter(|(at, _)| counts && *at == number)?;
        *armed = None;
        Some(moment)
    }
}

/// What a transaction over several groups sends.
const INTERESTING: [&[u8]; 6] =
    [b"START TRANSACTION", b"XA ", b"UPDATE t1", b"UPDATE `", b"INSERT INTO", b"COMMIT"];

/// A forwarder in front of a server. It ends when it is dropped.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    wire: watch::Sender<Wire>,
    accepting: JoinHandle<()>,
}

impl Link {
    /// Forwards to the server that listens at `port`.
    ///
    /// # Panics
    /// If there is no port to listen on.
    pub async fn to(port: u16, trigger: &Arc<Trigger>) -> Link {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let wire = watch::Sender::new(Wire::Whole);
        let accepting = tokio::spawn(accept(listener, port, wire.clone(), Arc::clone(trigger)));
        Link { address, wire, accepting }
    }

    /// Where proxies find it.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Changes what becomes of all its connections.
    pub fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }

    /// As a cable that is pulled out for a while: what was connected never hears of it again.
    pub async fn interrupt(&self, pause: Duration) {
        self.set(Wire::Silent);
        tokio::time::sleep(pause).await;
        self.set(Wire::Cut);
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.set(Wire::Whole);
    }

    /// Whether something has cut it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        *self.wire.borrow() == Wire::Whole
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.set(Wire::Cut);
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, port: u16, wire: watch::Sender<Wire>, trigger: Arc<Trigger>) {
    while let Ok((client, _)) = listener.accept().await {
        let (wire, trigger) = (wire.clone(), Arc::clone(&trigger));
        tokio::spawn(async move {
            // Its end is the end of both connections.
            let mut changes = wire.subscribe();
            if *changes.borrow() == Wire::Cut || changes.wait_for(|wire| *wire != Wire::Silent).await.is_err()
            {
                return;
            }
            let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
            let (_, _) = (client.set_nodelay(true), server.set_nodelay(true));
            let ((from_client, to_client), (from_server, to_server)) =
                (client.into_split(), server.into_split());
            tokio::select! {
                () = carry(from_client, to_server, &wire, Some(&trigger)) => {}
                () = carry(from_server, to_client, &wire, None) => {}
                _ = changes.wait_for(|wire| *wire == Wire::Cut) => {}
            }
        });
    }
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    wire: &watch::Sender<Wire>,
    trigger: Option<&Trigger>,
) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
        let message = &buffer[..length];
        let moment = trigger.and_then(|trigger| trigger.meets(message));
        if moment == Some(Moment::Before) {
            wire.send_replace(Wire::Cut);
            return;
        }
        if *wire.borrow() == Wire::Silent {
            continue;
        }
        if to.write_all(message).await.is_err() {
            return;
        }
        match moment {
            Some(Moment::After) => {
                // The server has read it when the answer is on its way; a moment is long enough for what is tried here.
                wire.send_replace(Wire::Silent);
                tokio::time::sleep(Duration::from_millis(50)).await;
                wire.send_replace(Wire::Cut);
                return;
            }
            Some(Moment::Unnoticed) => {
                wire.send_replace(Wire::Silent);
            }
            Some(Moment::Before) | None => {}
        }
    }
}
