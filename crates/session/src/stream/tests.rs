use std::time::Duration;

use serval_catalog::{ClientTls, Pem, TlsIdentity};
use serval_wire::frame::write_packet;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use super::*;

const LIMIT: usize = 64 << 20;
const IDLE: Duration = Duration::from_secs(60);

/// A client that compresses, and our side of it.
fn compressed(algorithm: Algorithm) -> (Peer, Peer) {
    let (near, far) = tokio::io::duplex(1 << 20);
    (Peer::new(near, algorithm), Peer::new(far, algorithm))
}

struct Peer {
    reader: Reader<ReadHalf>,
    writer: Writer<WriteHalf>,
}

impl Peer {
    fn new(stream: DuplexStream, algorithm: Algorithm) -> Self {
        let (read, write) = Stream::other(stream).split();
        let (mut reader, mut writer) = (Reader::new(read, LIMIT), Writer::new(write));
        compress(&mut reader, &mut writer, algorithm);
        Self { reader, writer }
    }
}

#[tokio::test(start_paused = true)]
async fn commands_and_answers_go_both_ways() {
    for algorithm in [Algorithm::Zlib, Algorithm::Zstd(3)] {
        let (mut client, mut server) = compressed(algorithm);
        let long = vec![b'x'; 20 << 20];
        for payload in [&b"\x0e"[..], &[b'y'; 1000], &long] {
            let ask = async {
                client.writer.unasked();
                client.writer.packet(payload);
                client.writer.flush().await.unwrap();
                let mut answers = 0;
                while answers < 3 {
                    client.reader.packet().await.unwrap();
                    answers += 1;
                }
            };
            let answer = async {
                let command = server.reader.command(IDLE).await.unwrap().unwrap();
                assert_eq!(command.payload.len(), payload.len());
                server.writer.follow(command.sequence);
                for _ in 0..3 {
                    server.writer.packet(payload);
                    server.writer.relieve().await.unwrap();
                }
                server.writer.flush().await.unwrap();
            };
            tokio::join!(ask, answer);
        }
    }
}

/// The golden conversation: ping and OK, as MySQL's client and server have it.
#[tokio::test(start_paused = true)]
async fn outer_ids_follow_the_clients() {
    let (mut wire, far) = tokio::io::duplex(1 << 16);
    let mut server = Peer::new(far, Algorithm::Zlib);
    for _ in 0..2 {
        wire.write_all(b"\x05\0\0\0\0\0\0\x01\0\0\0\x0e").await.unwrap();
        let ping = server.reader.command(IDLE).await.unwrap().unwrap();
        server.writer.follow(ping.sequence);
        server.writer.packet(b"\0\0\0\x02\0\0\0");
        server.writer.flush().await.unwrap();
        let mut answer = [0; 18];
        wire.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"\x0b\0\0\x01\0\0\0\x07\0\0\x01\0\0\0\x02\0\0\0");
    }
}

/// Some clients let the inner ids follow the outer ones.
#[tokio::test(start_paused = true)]
async fn inner_ids_may_be_anything() {
    let (mut wire, far) = tokio::io::duplex(1 << 16);
    let mut server = Peer::new(far, Algorithm::Zlib);
    wire.write_all(b"\x05\0\0\0\0\0\0\x01\0\0\x4d\x0e").await.unwrap();
    assert_eq!(&server.reader.command(IDLE).await.unwrap().unwrap().payload[..], b"\x0e");
    wire.write_all(b"\x05\0\0\x07\0\0\0\x01\0\0\0\x0e").await.unwrap();
    let late = server.reader.command(IDLE).await.unwrap();
    assert!(matches!(late, Err(ReadError::Wire(_))), "{late:?}");
}

/// A client that goes on talking while its statement runs is read within bounds.
#[tokio::test(start_paused = true)]
async fn reading_ahead_opens_nothing() {
    let (mut client, mut server) = compressed(Algorithm::Zlib);
    client.writer.packet(&vec![0; 10 << 20]);
    client.writer.flush().await.unwrap();
    let gone = tokio::time::timeout(Duration::from_secs(1), server.reader.gone()).await;
    assert!(gone.is_err());
    assert!(server.reader.ahead().is_empty());
    assert_eq!(server.reader.command(IDLE).await.unwrap().unwrap().payload.len(), 10 << 20);
}

/// A large packet is copied a few times, not once for each of its pieces.
#[tokio::test]
async fn a_large_packet_takes_linear_time() {
    let (near, far) = tokio::io::duplex(1 << 20);
    let payload = vec![b'x'; 96 << 20];
    let begun = std::time::Instant::now();
    let sender = tokio::spawn(async move {
        let (mut near, mut out, mut sequence) = (near, bytes::BytesMut::new(), 0);
        write_packet(&mut out, &mut sequence, &payload);
        near.write_all(&out).await.unwrap();
    });
    let mut reader = Reader::new(far, 128 << 20);
    let packet = reader.command(IDLE).await.unwrap().unwrap();
    sender.await.unwrap();
    assert_eq!(packet.payload.len(), 96 << 20);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

fn pem_files() -> (ClientTls, ClientTls) {
    let files = || {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (certificate, key) = (Pem::new(&made.cert.pem()), Pem::new(&made.signing_key.serialize_pem()));
        ClientTls { identity: TlsIdentity { certificate, key }, client_authorities: None }
    };
    (files(), files())
}

#[test]
fn what_is_wrong_with_a_file_is_named() {
    let (good, other) = pem_files();
    assert!(server_config(&good).is_ok());
    let error = |tls: ClientTls| server_config(&tls).unwrap_err().to_string();
    let TlsIdentity { certificate, key } = good.identity.clone();
    let with = |certificate: &Pem, key: &Pem| ClientTls {
        identity: TlsIdentity { certificate: certificate.clone(), key: key.clone() },
        client_authorities: None,
    };
    assert!(error(with(&key, &key)).starts_with("tls.certificate: "));
    assert!(error(with(&certificate, &certificate)).starts_with("tls.key: "));
    assert!(error(with(&certificate, &other.identity.key)).starts_with("tls.key: "));
    assert!(error(with(&Pem::new(""), &key)).starts_with("tls.certificate: there is no certificate"));
    let authorities = ClientTls { client_authorities: Some(Pem::new("nonsense")), ..good };
    assert!(error(authorities).starts_with("tls.client_ca: "));
}
