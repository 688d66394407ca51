//! The key pair for passwords that clients send over connections without TLS.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::{KeySize, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serval_wire::auth::Scramble;

/// Base 64 characters in a line of a PEM file.
const PEM_LINE: usize = 64;

/// The key pair, made when it is first needed. It lives as long as the process.
pub(super) struct KeyPair {
    private: OaepPrivateDecryptingKey,
    public_pem: Vec<u8>,
}

impl KeyPair {
    /// A new one. It takes long enough to be kept away from where sessions run.
    pub fn generate() -> Result<Self, Unspecified> {
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048)?;
        let der: PublicKeyX509Der<'_> = private.public_key().as_der()?;
        let public_pem = pem(der.as_ref());
        Ok(Self { private: OaepPrivateDecryptingKey::new(private)?, public_pem })
    }

    /// The public key as clients expect it.
    pub fn public_pem(&self) -> &[u8] {
        &self.public_pem
    }

    /// The password in what a client sent, which masked it with the nonce and encrypted it with the public key.
    pub fn password(&self, sent: &[u8], nonce: &Scramble) -> Option<Vec<u8>> {
        let mut room = vec![0; self.private.min_output_size()];
        let masked = self.private.decrypt(&OAEP_SHA1_MGF1SHA1, sent, &mut room, None).ok()?;
        let mut password: Vec<u8> =
            masked.iter().zip(nonce.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        // The NUL behind it was masked with it.
        (password.pop() == Some(0)).then_some(password)
    }
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyPair(…)")
    }
}

fn pem(der: &[u8]) -> Vec<u8> {
    let text = STANDARD.encode(der);
    let mut out = b"-----BEGIN PUBLIC KEY-----\n".to_vec();
    for line in text.as_bytes().chunks(PEM_LINE) {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out.extend_from_slice(b"-----END PUBLIC KEY-----\n");
    out
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rsa::{OaepPublicEncryptingKey, PublicEncryptingKey};

    use super::*;

    #[test]
    fn a_password_comes_through() {
        let (pair, nonce) = (KeyPair::generate().unwrap(), *b"01234567890123456789");
        let text = String::from_utf8(pair.public_pem().to_vec()).unwrap();
        let body: String = text.lines().filter(|line| !line.starts_with("---")).collect();
        let der = STANDARD.decode(body).unwrap();
        let public = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(&der).unwrap()).unwrap();
        let encrypt = |plain: &[u8]| {
            let mut room = vec![0; public.ciphertext_size()];
            public.encrypt(&OAEP_SHA1_MGF1SHA1, plain, &mut room, None).unwrap().to_vec()
        };
        let masked: Vec<u8> = b"secret\0".iter().zip(nonce).map(|(byte, mask)| byte ^ mask).collect();
        assert_eq!(pair.password(&encrypt(&masked), &nonce).as_deref(), Some(&b"secret"[..]));
        assert_eq!(pair.password(&encrypt(b"not masked"), &nonce), None);
        assert_eq!(pair.password(b"", &nonce), None);
        assert_eq!(pair.password(&[0xff; 256], &nonce), None);
    }
}
