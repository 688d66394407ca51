//! TLS towards clients.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf as _, BytesMut};
use serval_catalog::{ClientTls, Pem, TlsIdentity};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    CipherSuite, ProtocolVersion, RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion,
};

use super::half::{Duplex, Stream};

/// The versions that are spoken; older ones are broken.
const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

/// Why `[tls]` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tls.{key}: {reason}")]
pub struct TlsError {
    /// The key of the config.
    key: &'static str,
    reason: String,
}

/// What was agreed on with a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encryption {
    /// The version, as MySQL's `Ssl_version` names it.
    pub version: &'static str,
    /// The cipher, as MySQL's `Ssl_cipher` names it.
    pub cipher: &'static str,
    /// Whether the client has shown a certificate of the config's authorities.
    pub certificate: bool,
}

/// What connections are encrypted with, by the files of `[tls]`.
///
/// # Errors
/// The first file that holds something else than it should.
pub fn server_config(tls: &ClientTls) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&VERSIONS)
        .map_err(|error| wrong("certificate", &error))?;
    let builder = match &tls.client_authorities {
        None => builder.with_no_client_auth(),
        Some(authorities) => {
            let roots = Arc::new(authorities_of(authorities)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
            // Which accounts need one is known only when a client has said who it is.
            let verifier = verifier.allow_unauthenticated().build();
            builder.with_client_cert_verifier(verifier.map_err(|error| wrong("client_ca", &error))?)
        }
    };
    let TlsIdentity { certificate, key } = &tls.identity;
    let chain = certificates("certificate", certificate)?;
    let key = PrivateKeyDer::from_pem_slice(key.text().as_bytes()).map_err(|error| wrong("key", &error))?;
    builder.with_single_cert(chain, key).map(Arc::new).map_err(|error| wrong("key", &error))
}

fn authorities_of(pem: &Pem) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("client_ca", pem)? {
        roots.add(certificate).map_err(|error| wrong("client_ca", &error))?;
    }
    Ok(roots)
}

fn certificates(key: &'static str, pem: &Pem) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.text().as_bytes()).collect();
    match found {
        Ok(found) if found.is_empty() => Err(wrong(key, "there is no certificate in the file")),
        Ok(found) => Ok(found),
        Err(error) => Err(wrong(key, &error)),
    }
}

fn wrong(key: &'static str, reason: impl ToString) -> TlsError {
    TlsError { key, reason: reason.to_string() }
}

/// Answers a client's TLS handshake. `ahead` is what it has already sent of it.
///
/// # Errors
/// The client is gone, or says something else.
pub(crate) async fn encrypt(
    stream: Stream,
    ahead: BytesMut,
    config: Arc<ServerConfig>,
) -> io::Result<(Stream, Encryption)> {
    match stream {
        Stream::Tcp(stream) => accept(stream, ahead, config).await,
        Stream::Unix(stream) => accept(stream, ahead, config).await,
        Stream::Other(stream) => accept(stream, ahead, config).await,
    }
}

async fn accept<S>(stream: S, ahead: BytesMut, config: Arc<ServerConfig>) -> io::Result<(Stream, Encryption)>
where
    S: Duplex + 'static,
{
    let stream = TlsAcceptor::from(config).accept(Ahead { ahead, stream }).await?;
    let encryption = describe(stream.get_ref().1);
    Ok((Stream::other(stream), encryption))
}

fn describe(connection: &ServerConnection) -> Encryption {
    let suite = connection.negotiated_cipher_suite().map(|suite| suite.suite());
    Encryption {
        version: match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
            _ => "TLSv1.2",
        },
        cipher: suite.map_or("", cipher),
        certificate: connection.peer_certificates().is_some(),
    }
}

/// OpenSSL's names, which MySQL shows.
fn cipher(suite: CipherSuite) -> &'static str {
    match suite {
        CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
        CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => "ECDHE-ECDSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => "ECDHE-ECDSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-ECDSA-CHACHA20-POLY1305",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => "ECDHE-RSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => "ECDHE-RSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-RSA-CHACHA20-POLY1305",
        other => other.as_str().unwrap_or(""),
    }
}

/// A stream of which some bytes have been read already.
struct Ahead<S> {
    ahead: BytesMut,
    stream: S,
}

impl<S: AsyncRead + Unpin> AsyncRead for Ahead<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ahead.is_empty() {
            return Pin::new(&mut this.stream).poll_read(cx, buf);
        }
        let count = this.ahead.len().min(buf.remaining());
        buf.put_slice(&this.ahead[..count]);
        this.ahead.advance(count);
        if this.ahead.is_empty() {
            this.ahead = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Ahead<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
