use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use serval_catalog::{ServerTls, TlsMode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::server::TlsStream as ServerStream;

use super::*;
use crate::tls::Encryption;

/// Both ends of an encrypted connection.
async fn pair() -> (Stream, ServerStream<tokio::net::TcpStream>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["db".to_owned()]).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], signing_key.serialize_der().try_into().unwrap())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepting = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        TlsAcceptor::from(Arc::new(config)).accept(socket).await.unwrap()
    });
    let address = Address::Tcp { host: address.ip().to_string(), port: address.port() };
    let settings = ServerTls { mode: TlsMode::Required, ..ServerTls::default() };
    let encryption = Encryption::new(&settings).unwrap();
    let connector = encryption.with(true).unwrap().unwrap();
    let stream = Stream::connect(&address).await.unwrap().encrypt(connector, &address).await.unwrap();
    (stream, accepting.await.unwrap())
}

/// What a look says once the bytes that are on their way have arrived.
async fn peek_later(stream: &mut Stream) -> Peek {
    tokio::time::sleep(Duration::from_millis(50)).await;
    stream.peek()
}

#[tokio::test]
async fn what_only_tls_has_to_say_spoils_nothing() {
    let (mut stream, mut server) = pair().await;
    // The session tickets that came behind the handshake.
    assert_eq!(peek_later(&mut stream).await, Peek::Quiet);
    server.get_mut().1.refresh_traffic_keys().unwrap();
    server.flush().await.unwrap();
    assert_eq!(peek_later(&mut stream).await, Peek::Quiet);
    stream.write_all(b"question").await.unwrap();
    stream.flush().await.unwrap();
    let mut question = [0; 8];
    server.read_exact(&mut question).await.unwrap();
    server.write_all(b"answer").await.unwrap();
    server.flush().await.unwrap();
    let mut answer = [0; 6];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!((&question, &answer), (b"question", b"answer"));
    assert_eq!(stream.peek(), Peek::Quiet);
}

#[tokio::test]
async fn what_is_said_unasked_and_the_end_spoil() {
    let (mut stream, mut server) = pair().await;
    server.write_all(b"closing").await.unwrap();
    server.flush().await.unwrap();
    assert_eq!(peek_later(&mut stream).await, Peek::Spoilt);
    let (mut stream, mut server) = pair().await;
    server.shutdown().await.unwrap();
    assert_eq!(peek_later(&mut stream).await, Peek::Spoilt);
}

#[tokio::test]
async fn a_farewell_goes_at_once() {
    let (mut stream, mut server) = pair().await;
    stream.write_now(b"bye");
    drop(stream);
    let mut said = Vec::new();
    server.read_to_end(&mut said).await.unwrap();
    assert_eq!(said, b"bye");
}
