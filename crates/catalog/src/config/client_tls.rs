//! `[tls]`.

use super::server_tls::read;
use super::users::Resolve;
use super::{Sink, raw};
use crate::{ClientTls, TlsIdentity};

pub(crate) fn client_tls(
    config: &raw::Config,
    resolve: Resolve<'_>,
    sink: &mut Sink<'_>,
) -> Option<ClientTls> {
    let tls = config.tls.as_ref()?;
    let mut file = |key: &str, file: &Option<String>| {
        let path = ["tls", key];
        match file {
            Some(file) => read(&path, file.clone(), resolve, sink),
            None => {
                if !sink.reported_in(&path) {
                    let fix = format!("add `{key} = \"….pem\"`, or remove `[tls]`");
                    sink.error(&["tls"], format!("`{key}` is missing"), fix);
                }
                None
            }
        }
    };
    let (certificate, key) = (file("certificate", &tls.certificate), file("key", &tls.key));
    let client_authorities = match &tls.client_ca {
        Some(_) => Some(file("client_ca", &tls.client_ca)?),
        None => None,
    };
    let identity = TlsIdentity { certificate: certificate?, key: key? };
    Some(ClientTls { identity, client_authorities })
}
