//! What all handshakes of a proxy share.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use quick_cache::sync::Cache;
use serval_catalog::{ClientTls, Crypted};
use serval_wire::auth::{Scramble, sha2_verifier, sha256_crypt};
use subtle::ConstantTimeEq as _;
use tokio::sync::{OnceCell, Semaphore};
use tokio_rustls::rustls::ServerConfig;

use super::Sent;
use super::attempts::Attempts;
use super::rsa::KeyPair;
use crate::stream::server_config;

/// How many passwords of crypted verifiers are remembered, as SHA-256².
const PROVEN: usize = 10_000;

/// How many passwords may be crypted at once. The others wait: the statements of those who are in come first.
const CRYPTING: usize = 2;

/// The longest password; MySQL's own limit.
const MAX_PASSWORD_BYTES: usize = 256;

/// What all handshakes of a proxy share: TLS, failures of the last minutes, and what was costly to find out.
#[derive(Debug)]
pub struct Entrance {
    /// What the files of `[tls]` came to, until a reload brings others.
    tls: ArcSwapOption<Tls>,
    pub(super) attempts: Attempts,
    /// SHA-256² of passwords that have passed. An account whose verifier changes has to prove its password again.
    proven: Cache<Crypted, [u8; 32]>,
    keys: OnceCell<Arc<KeyPair>>,
    crypting: Semaphore,
}

#[derive(Debug)]
struct Tls {
    files: ClientTls,
    config: Option<Arc<ServerConfig>>,
}

impl Default for Entrance {
    fn default() -> Self {
        Self {
            tls: ArcSwapOption::empty(),
            attempts: Attempts::default(),
            proven: Cache::new(PROVEN),
            keys: OnceCell::new(),
            crypting: Semaphore::new(CRYPTING),
        }
    }
}

impl Entrance {
    /// What a new connection is encrypted with; those that are open go on with what they have. It is made when it is
    /// first asked for, and kept, so that clients can resume their TLS sessions.
    pub(super) fn tls(&self, files: &ClientTls) -> Option<Arc<ServerConfig>> {
        let kept = self.tls.load();
        if let Some(kept) = kept.as_ref().filter(|kept| kept.files == *files) {
            return kept.config.clone();
        }
        let config =
            server_config(files).inspect_err(|error| tracing::error!(%error, "TLS is not offered")).ok();
        self.tls.store(Some(Arc::new(Tls { files: files.clone(), config: config.clone() })));
        config
    }

    pub(super) fn proven(&self, crypted: &Crypted) -> Option<[u8; 32]> {
        self.proven.get(crypted)
    }

    /// Our public key, in PEM; `None` if the system gives no random numbers.
    pub(super) async fn public_pem(&self) -> Option<Vec<u8>> {
        Some(self.keys().await?.public_pem().to_vec())
    }

    /// Whether the password that a client sent is the one that was crypted.
    pub(super) async fn check(&self, sent: Sent, nonce: Scramble, crypted: Crypted) -> bool {
        let keys = match sent {
            Sent::Clear(_) => None,
            Sent::Encrypted(_) => self.keys().await,
        };
        let Ok(_turn) = self.crypting.acquire().await else { return false };
        let work =
            move || password_of(sent, &nonce, keys.as_deref()).filter(|password| passes(password, &crypted));
        match tokio::task::spawn_blocking(work).await {
            Ok(Some(password)) => {
                self.proven.insert(crypted, sha2_verifier(&password));
                true
            }
            _ => false,
        }
    }

    async fn keys(&self) -> Option<Arc<KeyPair>> {
        let generate = || async {
            let made = tokio::task::spawn_blocking(KeyPair::generate).await;
            made.ok().and_then(Result::ok).map(Arc::new).ok_or(())
        };
        self.keys.get_or_try_init(generate).await.ok().cloned()
    }
}

fn password_of(sent: Sent, nonce: &Scramble, keys: Option<&KeyPair>) -> Option<Vec<u8>> {
    match sent {
        Sent::Clear(password) => Some(password),
        Sent::Encrypted(sent) => keys?.password(&sent, nonce),
    }
}

fn passes(password: &[u8], crypted: &Crypted) -> bool {
    if password.is_empty() || password.len() > MAX_PASSWORD_BYTES {
        return false;
    }
    let digest = sha256_crypt(password, &crypted.salt, u32::from(crypted.thousand_rounds) * 1000);
    digest.ct_eq(&crypted.digest).into()
}
