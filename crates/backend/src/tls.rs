//! TLS towards servers: from a group's settings to what a connect needs ([`Encryption`]).

mod verify;

use std::sync::Arc;

use serval_catalog::{Address, Pem, ServerTls, TlsIdentity, TlsMode};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use verify::{AnyCertificate, AnyName};

/// What a group's TLS settings come to.
#[derive(Clone, Default)]
pub(crate) struct Encryption {
    mode: TlsMode,
    /// Present unless the mode is off. Shared by all connections to a server, so that sessions are resumed.
    connector: Option<TlsConnector>,
}

/// Why a group's TLS settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` {reason}")]
pub struct TlsError {
    /// The key of the config.
    key: &'static str,
    reason: String,
}

/// Whether a group's TLS settings can be used: the certificates are certificates, and the key is theirs.
///
/// # Errors
/// The first of them that cannot.
pub fn check_tls(settings: &ServerTls) -> Result<(), TlsError> {
    Encryption::new(settings).map(drop)
}

impl Encryption {
    pub(crate) fn new(settings: &ServerTls) -> Result<Self, TlsError> {
        if settings.mode == TlsMode::Off {
            return Ok(Self::default());
        }
        let connector = TlsConnector::from(Arc::new(client_config(settings)?));
        Ok(Self { mode: settings.mode, connector: Some(connector) })
    }

    /// The connector to use with a server that offers TLS or does not. `None` for a connection in the clear.
    ///
    /// # Errors
    /// What is wrong with a server that has no TLS where it is needed.
    pub(crate) fn with(&self, offered: bool) -> Result<Option<&TlsConnector>, String> {
        match (self.mode, offered) {
            (TlsMode::Off, _) | (TlsMode::Preferred, false) => Ok(None),
            (_, true) => Ok(self.connector.as_ref()),
            (mode, false) => {
                Err(format!("the server does not offer TLS, which `tls = \"{}\"` needs", mode.word()))
            }
        }
    }
}

impl std::fmt::Debug for Encryption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.mode.word())
    }
}

/// The name that a server's certificate has to bear.
pub(crate) fn server_name(address: &Address) -> ServerName<'static> {
    let host = match address {
        Address::Tcp { host, .. } => host.as_str(),
        Address::Unix(_) => "localhost",
    };
    // A host that is no name of DNS is in no certificate; it fails where names are looked at.
    ServerName::try_from(host.to_owned())
        .unwrap_or_else(|_| ServerName::from(std::net::Ipv4Addr::UNSPECIFIED))
}

fn client_config(settings: &ServerTls) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError { key: "tls", reason: error.to_string() })?;
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier(settings, provider)?);
    let Some(identity) = &settings.identity else { return Ok(builder.with_no_client_auth()) };
    let (certificates, key) = read_identity(identity)?;
    builder
        .with_client_auth_cert(certificates, key)
        .map_err(|error| TlsError { key: "tls_key", reason: format!("does not go with `tls_cert`: {error}") })
}

fn verifier(
    settings: &ServerTls,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    if !settings.mode.verifies() {
        return Ok(Arc::new(AnyCertificate::new(provider)));
    }
    let roots = roots(settings.authorities.as_ref())?;
    let verifier = AnyName::over(roots, provider)
        .map_err(|error| TlsError { key: "tls_ca", reason: error.to_string() })?;
    Ok(if settings.mode == TlsMode::VerifyCa { Arc::new(verifier) } else { verifier.into_strict() })
}

fn roots(authorities: Option<&Pem>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("tls_ca", authorities)? {
        roots.add(certificate).map_err(|error| TlsError {
            key: "tls_ca",
            reason: format!("holds a certificate that cannot be used: {error}"),
        })?;
    }
    Ok(roots)
}

fn read_identity(
    identity: &TlsIdentity,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let certificates = certificates("tls_cert", Some(&identity.certificate))?;
    let key = PrivateKeyDer::from_pem_slice(identity.key.text().as_bytes()).map_err(|error| TlsError {
        key: "tls_key",
        reason: format!("holds no private key in PEM form: {error}"),
    })?;
    Ok((certificates, key))
}

fn certificates(key: &'static str, pem: Option<&Pem>) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = pem.map_or("", Pem::text);
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(TlsError { key, reason: "holds no certificate in PEM form".to_owned() }),
        Err(error) => Err(TlsError { key, reason: format!("is not PEM: {error}") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(mode: TlsMode, ca: Option<&str>) -> ServerTls {
        ServerTls { mode, authorities: ca.map(Pem::new), identity: None }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let error = |ca| check_tls(&settings(TlsMode::VerifyCa, ca)).unwrap_err().to_string();
        assert_eq!(error(Some("hello")), "`tls_ca` holds no certificate in PEM form");
        assert!(
            error(Some("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"))
                .contains("`tls_ca` is not PEM")
        );
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(error(Some(broken)).contains("cannot be used"));
        let identity = TlsIdentity { certificate: Pem::new(broken), key: Pem::new("") };
        let with_identity = ServerTls { identity: Some(identity), ..settings(TlsMode::Required, None) };
        assert!(
            check_tls(&with_identity).unwrap_err().to_string().contains("`tls_key` holds no private key")
        );
    }

    #[test]
    fn modes_insist() {
        let with = |mode, offered| {
            let encryption = Encryption::new(&settings(mode, None)).unwrap();
            encryption.with(offered).map(|connector| connector.is_some())
        };
        assert_eq!(with(TlsMode::Off, true), Ok(false));
        assert_eq!(with(TlsMode::Preferred, true), Ok(true));
        assert_eq!(with(TlsMode::Preferred, false), Ok(false));
        assert_eq!(with(TlsMode::Required, true), Ok(true));
        assert!(with(TlsMode::Required, false).unwrap_err().contains("does not offer TLS"));
    }
}
