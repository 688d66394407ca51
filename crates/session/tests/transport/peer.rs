//! A client that does what client libraries do to log in, and says what it was told.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use bytes::BytesMut;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serval_session::stream::Duplex;
use serval_wire::Capabilities;
use serval_wire::auth::{Scramble, native_response, sha2_response, sha256_crypt};
use serval_wire::command::ChangeUser;
use serval_wire::frame::write_packet;
use serval_wire::packet::{AuthSwitchRequest, ErrPacket, Handshake, HandshakeResponse, SslRequest};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme, version};

/// How long to wait for a packet that may not come. Time is paused, so it passes at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// MySQL's crypted form of a password, as `SHOW CREATE USER` shows it.
pub fn verifier(password: &str) -> String {
    let salt = *b"a salt of 20 bytes!\x01";
    let bytes = [&b"$A$005$"[..], &salt, &sha256_crypt(password.as_bytes(), &salt, 5000)].concat();
    format!("0x{}", bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>())
}

/// An authority that issues certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate and its key.
    pub fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

pub struct Peer {
    stream: Box<dyn Duplex>,
    input: BytesMut,
    nonce: Scramble,
    sequence: u8,
    /// The connection's id.
    pub id: u32,
    /// Whether the password itself was asked for.
    pub sent_password: bool,
}

impl Peer {
    pub fn new(stream: impl Duplex + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            input: BytesMut::new(),
            nonce: Scramble::default(),
            sequence: 1,
            id: 0,
            sent_password: false,
        }
    }

    pub async fn raw(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
        let _ = self.stream.flush().await;
    }

    pub async fn packet(&mut self, sequence: u8, payload: &[u8]) {
        let (mut out, mut next) = (BytesMut::new(), sequence);
        write_packet(&mut out, &mut next, payload);
        self.raw(&out).await;
    }

    pub async fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some(header) = self.input.first_chunk::<4>() {
                let length = usize::from(header[0]) | usize::from(header[1]) << 8;
                let sequence = header[3];
                if self.input.len() >= 4 + length {
                    return Some((sequence, self.input.split_to(4 + length)[4..].to_vec()));
                }
            }
            let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.input)).await;
            if !matches!(read, Ok(Ok(1..))) {
                return None;
            }
        }
    }

    /// What else comes: an error, or the end.
    pub async fn rest(&mut self) -> String {
        match self.next().await {
            Some((_, payload)) => told(&payload),
            None => "closed".to_owned(),
        }
    }

    pub async fn greeting(&mut self) -> Scramble {
        let (_, payload) = self.next().await.unwrap();
        let greeting = Handshake::decode(&payload, Capabilities::empty()).unwrap();
        assert!(greeting.capabilities.contains(Capabilities::CLIENT_SSL));
        (self.nonce, self.id) = (greeting.nonce, greeting.thread_id);
        self.nonce
    }

    pub async fn wish_for_tls(&mut self) {
        let payload = tls_request();
        self.packet(self.sequence, &payload).await;
        self.sequence += 1;
    }

    /// Goes on over TLS. `eager` sends the wish for it and its first bytes at once.
    pub async fn encrypt(
        mut self,
        version: &str,
        identity: Option<&(String, String)>,
        eager: bool,
    ) -> std::io::Result<Self> {
        let connector = TlsConnector::from(Arc::new(client_config(version, identity)));
        let name = ServerName::try_from("localhost").unwrap();
        let stream: Box<dyn Duplex> = if eager {
            let (mut out, mut sequence) = (BytesMut::new(), self.sequence);
            write_packet(&mut out, &mut sequence, &tls_request());
            self.sequence += 1;
            let stream = Eager { before: out.to_vec(), stream: self.stream };
            Box::new(connector.connect(name, stream).await?)
        } else {
            self.wish_for_tls().await;
            Box::new(connector.connect(name, self.stream).await?)
        };
        Ok(Self { stream, ..self })
    }

    pub fn response(&self, user: &str, plugin: &str, proof: &[u8]) -> Vec<u8> {
        let response = HandshakeResponse {
            capabilities: capabilities(),
            collation: 45,
            user: user.to_owned(),
            auth_response: proof.to_vec(),
            auth_plugin: Some(plugin.to_owned()),
            ..HandshakeResponse::default()
        };
        let mut payload = Vec::new();
        response.encode(capabilities(), &mut payload);
        payload
    }

    /// Logs in, by whatever is asked for: `OK`, an error, or `closed`.
    pub async fn login(&mut self, user: &str, plugin: &str, password: &str) -> String {
        let proof = proof(plugin, password, &self.nonce);
        let response = self.response(user, plugin, &proof);
        self.packet(self.sequence, &response).await;
        self.finish(password).await
    }

    pub async fn change_user(&mut self, user: &str, plugin: &str, password: &str, schema: &str) -> String {
        let change = ChangeUser {
            user: user.to_owned(),
            auth_response: proof(plugin, password, &self.nonce),
            database: Some(schema.to_owned()),
            collation: Some(45),
            auth_plugin: Some(plugin.to_owned()),
            attributes: vec![("program_name".to_owned(), "changed".to_owned())],
        };
        let mut payload = vec![0x11];
        change.encode(&mut payload);
        self.packet(0, &payload).await;
        self.finish(password).await
    }

    pub async fn ping(&mut self) -> String {
        self.packet(0, &[0x0e]).await;
        self.rest().await
    }

    async fn finish(&mut self, password: &str) -> String {
        while let Some((sequence, payload)) = self.next().await {
            let answer = match payload.split_first() {
                Some((0xfe, _)) => {
                    let request = AuthSwitchRequest::decode(&payload, capabilities()).unwrap();
                    self.nonce = Scramble::try_from(&*request.nonce).unwrap();
                    let mut proof = proof(&request.plugin, password, &self.nonce);
                    if proof.is_empty() && request.plugin == "caching_sha2_password" {
                        proof.push(0);
                    }
                    proof
                }
                Some((1, [3])) => continue,
                Some((1, [4])) => vec![2],
                Some((1, pem)) => {
                    self.sent_password = true;
                    encrypted(pem, password, &self.nonce)
                }
                _ => return told(&payload),
            };
            self.packet(sequence + 1, &answer).await;
        }
        "closed".to_owned()
    }
}

fn capabilities() -> Capabilities {
    Capabilities::CLIENT_PROTOCOL_41
        | Capabilities::CLIENT_SECURE_CONNECTION
        | Capabilities::CLIENT_PLUGIN_AUTH
        | Capabilities::CLIENT_LONG_PASSWORD
        | Capabilities::CLIENT_CONNECT_ATTRS
}

fn tls_request() -> Vec<u8> {
    let request = SslRequest { capabilities: capabilities(), max_packet: 1 << 24, collation: 45 };
    let mut payload = Vec::new();
    request.encode(capabilities(), &mut payload);
    payload
}

fn proof(plugin: &str, password: &str, nonce: &Scramble) -> Vec<u8> {
    match plugin {
        _ if password.is_empty() => Vec::new(),
        "mysql_native_password" => native_response(password.as_bytes(), nonce).to_vec(),
        "caching_sha2_password" => sha2_response(password.as_bytes(), nonce).to_vec(),
        _ => b"of some other plugin".to_vec(),
    }
}

fn encrypted(pem: &[u8], password: &str, nonce: &Scramble) -> Vec<u8> {
    let pem = std::str::from_utf8(pem).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with("---")).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
    let key = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(&der).unwrap()).unwrap();
    let plain: Vec<u8> =
        password.bytes().chain([0]).zip(nonce.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    let mut room = vec![0; key.ciphertext_size()];
    key.encrypt(&OAEP_SHA1_MGF1SHA1, &plain, &mut room, None).unwrap().to_vec()
}

fn told(payload: &[u8]) -> String {
    match payload.first() {
        Some(0) => "OK".to_owned(),
        Some(0xff) => {
            let error = ErrPacket::decode(payload, Capabilities::CLIENT_PROTOCOL_41).unwrap().to_mysql();
            format!("{} {} {}", error.number, error.sqlstate(), error.message)
        }
        _ => format!("{:?}", String::from_utf8_lossy(payload)),
    }
}

fn client_config(version: &str, identity: Option<&(String, String)>) -> ClientConfig {
    let versions = if version == "TLSv1.2" { [&version::TLS12] } else { [&version::TLS13] };
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)));
    match identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![certificate], key).unwrap()
        }
    }
}

/// Takes every certificate: what is tested is the other side.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Sends some bytes with the first that are written.
struct Eager {
    before: Vec<u8>,
    stream: Box<dyn Duplex>,
}

impl tokio::io::AsyncRead for Eager {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl tokio::io::AsyncWrite for Eager {
    fn poll_write(
        self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        let this = self.get_mut();
        let before = std::mem::take(&mut this.before);
        let all = [&before, buf].concat();
        // The pipe has room for a hello.
        match std::pin::Pin::new(&mut this.stream).poll_write(cx, &all) {
            std::task::Poll::Ready(Ok(count)) => std::task::Poll::Ready(Ok(count - before.len())),
            other => other,
        }
    }

    fn poll_flush(
        self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(
        self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::pin::Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
