//! A client that sends whatever it is told to.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The user of [`RawClient::login`], without a password; a configuration has to have it: [`RAW_USER_TOML`].
pub const RAW_USER: &str = "raw";
/// That user in a configuration.
pub const RAW_USER_TOML: &str = "[users.raw]\npassword = \"\"\n";

const PATIENCE: Duration = Duration::from_secs(30);

/// What the proxy did next.
#[derive(Debug, PartialEq, Eq)]
pub enum Reaction {
    /// An OK packet, or any other that is no error.
    Answer(Vec<u8>),
    /// An error with this number.
    Refusal(u16),
    /// The connection was closed.
    Closed,
}

/// A connection whose bytes are the test's own.
#[derive(Debug)]
pub struct RawClient {
    stream: TcpStream,
}

impl RawClient {
    /// Connects and reads the greeting.
    ///
    /// # Panics
    /// If nothing greets there.
    pub async fn connect(port: u16) -> RawClient {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("a connection");
        let mut client = RawClient { stream };
        assert!(matches!(client.reaction().await, Reaction::Answer(_)), "a greeting");
        client
    }

    /// Logs in as [`RAW_USER`].
    ///
    /// # Panics
    /// If that fails.
    pub async fn login(port: u16, schema: &str) -> RawClient {
        let mut client = RawClient::connect(port).await;
        client.send(1, &response(schema)).await;
        match client.reaction().await {
            Reaction::Answer(_) => client,
            other => panic!("logging in: {other:?}"),
        }
    }

    /// Sends a packet; it may be lost where the proxy has closed the connection.
    pub async fn send(&mut self, sequence: u8, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("a short packet").to_le_bytes();
        let mut packet = vec![length[0], length[1], length[2], sequence];
        packet.extend_from_slice(payload);
        self.send_bytes(&packet).await;
    }

    /// Sends bytes.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        let _ = timeout(PATIENCE, self.stream.write_all(bytes)).await;
    }

    /// Sends a command and reads the first packet of its answer.
    pub async fn command(&mut self, payload: &[u8]) -> Reaction {
        self.send(0, payload).await;
        self.reaction().await
    }

    /// Reads a packet.
    ///
    /// # Panics
    /// If nothing happens for half a minute: the proxy has forgotten the client.
    pub async fn reaction(&mut self) -> Reaction {
        let packet = timeout(PATIENCE, self.packet()).await.expect("the proxy answers or closes");
        match packet {
            None => Reaction::Closed,
            Some(payload) if payload.first() == Some(&0xff) => {
                Reaction::Refusal(u16::from_le_bytes([payload[1], payload[2]]))
            }
            Some(payload) => Reaction::Answer(payload),
        }
    }

    /// Reads and forgets what has come, without waiting for more.
    pub async fn skip(&mut self) {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(Ok(1..)) = timeout(Duration::from_millis(50), self.stream.read(&mut buffer)).await {}
    }

    async fn packet(&mut self) -> Option<Vec<u8>> {
        let mut header = [0; 4];
        self.stream.read_exact(&mut header).await.ok()?;
        let length = u32::from_le_bytes([header[0], header[1], header[2], 0]);
        let mut payload = vec![0; length as usize];
        self.stream.read_exact(&mut payload).await.ok()?;
        Some(payload)
    }
}

/// A handshake response with an empty proof.
#[must_use]
pub fn response(schema: &str) -> Vec<u8> {
    // CONNECT_WITH_DB, LOCAL_FILES, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION and PLUGIN_AUTH.
    let mut payload = 0x0008_a288_u32.to_le_bytes().to_vec();
    payload.extend_from_slice(&(1_u32 << 30).to_le_bytes());
    payload.push(45);
    payload.extend_from_slice(&[0; 23]);
    payload.extend_from_slice(RAW_USER.as_bytes());
    payload.extend_from_slice(&[0, 0]);
    payload.extend_from_slice(schema.as_bytes());
    payload.extend_from_slice(b"\0mysql_native_password\0");
    payload
}
