//! The `tls…` keys of `[groups]` and `[defaults.group]`.

use super::users::Resolve;
use super::{Sink, raw};
use crate::{Address, Pem, SecretSource, ServerTls, TlsIdentity, TlsMode};

/// The keys where they stand: a group's own, or the defaults.
#[derive(Clone, Copy)]
pub(super) struct Keys<'c> {
    pub path: &'c [&'c str],
    pub mode: Option<raw::TlsMode>,
    pub ca: Option<&'c str>,
    pub cert: Option<&'c str>,
    pub key: Option<&'c str>,
}

/// What a group takes, key by key, from itself or else from the defaults.
pub(super) fn server_tls(
    own: Keys<'_>,
    defaults: Keys<'_>,
    addresses: &[&Address],
    resolve: Resolve<'_>,
    sink: &mut Sink<'_>,
) -> ServerTls {
    let mode = own.mode.or(defaults.mode).map_or(TlsMode::Off, mode);
    if mode == TlsMode::Off {
        return ServerTls::default();
    }
    let mut file = |name: &str, of: fn(&Keys<'_>) -> Option<String>| {
        let (keys, file) = [&own, &defaults].into_iter().find_map(|keys| Some((keys, of(keys)?)))?;
        Some(read(&[keys.path, &[name]].concat(), file, resolve, sink))
    };
    let authorities = file("tls_ca", |keys| keys.ca.map(str::to_owned));
    let certificate = file("tls_cert", |keys| keys.cert.map(str::to_owned));
    let key = file("tls_key", |keys| keys.key.map(str::to_owned));
    let at = if own.mode.is_some() { own.path } else { defaults.path };
    let at = [at, &["tls"]].concat();
    match (mode.verifies(), &authorities) {
        (true, None) => {
            let message = format!(
                "`tls = \"{}\"` needs to know the authority that signs the servers' certificates",
                mode.word()
            );
            sink.error(
                &at,
                message,
                "add `tls_ca = \"ca.pem\"`; the system's are in /etc/ssl/certs/ca-certificates.crt",
            );
        }
        (false, Some(_)) => {
            let message = format!("`tls_ca` is not looked at with `tls = \"{}\"`", mode.word());
            sink.error(&at, message, "write `tls = \"verify_ca\"` or `tls = \"verify_identity\"`");
        }
        _ => {}
    }
    if mode == TlsMode::VerifyIdentity && addresses.iter().any(|address| matches!(address, Address::Unix(_)))
    {
        sink.error(
            &at,
            "a server behind a Unix socket has no host name to verify",
            "write `tls = \"verify_ca\"`",
        );
    }
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => {
            certificate.zip(key).map(|(certificate, key)| TlsIdentity { certificate, key })
        }
        (None, None) => None,
        _ => {
            sink.error(own.path, "of `tls_cert` and `tls_key` only one is given", "give both, or neither");
            None
        }
    };
    ServerTls { mode, authorities: authorities.flatten(), identity }
}

/// A file's text; `None` if it cannot be read, which is reported.
pub(super) fn read(path: &[&str], file: String, resolve: Resolve<'_>, sink: &mut Sink<'_>) -> Option<Pem> {
    match resolve(&SecretSource::Pem(file)) {
        Ok(text) => Some(Pem::new(&text)),
        Err(reason) => {
            let fix = "write the path of a PEM file that Serval may read; a relative one counts from the config's folder";
            sink.error(path, format!("the file cannot be used: {reason}"), fix);
            None
        }
    }
}

fn mode(raw: raw::TlsMode) -> TlsMode {
    match raw {
        raw::TlsMode::Off => TlsMode::Off,
        raw::TlsMode::Preferred => TlsMode::Preferred,
        raw::TlsMode::Required => TlsMode::Required,
        raw::TlsMode::VerifyCa => TlsMode::VerifyCa,
        raw::TlsMode::VerifyIdentity => TlsMode::VerifyIdentity,
    }
}
