//! A certificate for 127.0.0.1 and the authority that signed it.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// PEM files.
#[derive(Debug)]
pub struct Certificate {
    /// Of the authority.
    pub authority: PathBuf,
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Certificate {
    /// Makes one in this folder.
    pub fn make(folder: &Path) -> Certificate {
        let authority_key = KeyPair::generate().expect("a key");
        let mut authority = CertificateParams::new(Vec::new()).expect("no names");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name = |params: &mut CertificateParams, name: &str| {
            params.distinguished_name.push(rcgen::DnType::CommonName, name);
        };
        name(&mut authority, "tests' authority");
        let authority_pem = authority.self_signed(&authority_key).expect("a certificate").pem();
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate().expect("a key");
        let mut params =
            CertificateParams::new(["localhost", "127.0.0.1"].map(str::to_owned)).expect("names");
        name(&mut params, "localhost");
        let certificate = params.signed_by(&key, &issuer).expect("a certificate").pem();
        let write = |file: &str, text: &str| {
            let path = folder.join(file);
            std::fs::write(&path, text).expect("the folder can be written");
            path
        };
        Certificate {
            authority: write("authority.pem", &authority_pem),
            certificate: write("certificate.pem", &certificate),
            key: write("key.pem", &key.serialize_pem()),
        }
    }
}
