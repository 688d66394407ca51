//! Who a client says it is, with its proof.

use serval_catalog::Verifier;
use serval_wire::WireError;
use serval_wire::auth::Scramble;
use serval_wire::capability::Capabilities;
use serval_wire::command::ChangeUser;
use serval_wire::compress::Algorithm;
use serval_wire::packet::{AuthSwitchRequest, HandshakeResponse};

use super::{
    Channel, Denial, GREETING_COLLATION, Handshake, Known, Login, Message, Plugin, Policy, Proving, Step,
    Switching,
};

/// Who a client says it is, with its proof.
pub(super) struct Claim {
    /// The plugin that the proof is by; `None` for one that is not known here.
    pub plugin: Option<Plugin>,
    pub proof: Vec<u8>,
    pub login: Login,
}

impl Claim {
    /// From the answer to a greeting.
    pub fn of_response(payload: &[u8], nonce: Scramble, policy: Policy) -> Result<Self, WireError> {
        let response = HandshakeResponse::decode(payload, policy.capabilities)?;
        let compression = compression(&response);
        let login = Login {
            user: response.user,
            schema: response.database,
            capabilities: response.capabilities,
            collation: response.collation,
            attributes: response.attributes,
            compression,
            nonce,
        };
        let plugin = Plugin::named(response.auth_plugin.as_deref());
        Ok(Self { plugin, proof: response.auth_response, login })
    }

    /// From COM_CHANGE_USER, with the command's byte, by a client with which `agreed` was settled before.
    pub fn of_change(payload: &[u8], nonce: Scramble, agreed: Capabilities) -> Result<Self, WireError> {
        let change = ChangeUser::decode(payload.get(1..).unwrap_or_default())?;
        let plugin = Plugin::named(change.auth_plugin.as_deref());
        let login = Login {
            user: change.user,
            schema: change.database,
            capabilities: agreed,
            collation: change.collation.map_or(GREETING_COLLATION, in_a_byte),
            attributes: change.attributes,
            compression: None,
            nonce,
        };
        Ok(Self { plugin, proof: change.auth_response, login })
    }

    /// Checks the proof, or asks for one that can be checked.
    pub fn meet(
        self,
        policy: Policy,
        channel: Channel,
        accounts: impl FnOnce(&str) -> Option<Known>,
        fresh: Scramble,
    ) -> Step {
        let known = accounts(&self.login.user);
        let wanted = match known.map(|known| known.verifier) {
            Some(Verifier::Native(_)) => Plugin::Native,
            Some(Verifier::Crypted(_)) => Plugin::CachingSha2,
            Some(Verifier::Both { .. }) | None => self.plugin.unwrap_or(policy.plugin),
        };
        if self.plugin == Some(wanted) && wanted.answers_greeting(&self.proof) {
            return self.conclude(wanted, channel, |_| known);
        }
        let mut login = self.login;
        if !login.capabilities.contains(Capabilities::CLIENT_PLUGIN_AUTH) {
            return Step::Denied { login, denial: Denial::OldClient };
        }
        login.nonce = fresh;
        let request = AuthSwitchRequest { plugin: wanted.name().to_owned(), nonce: fresh.to_vec() };
        let state = Switching { plugin: wanted, login };
        Step::Send(Message::Switch(request), Handshake::Switching(state))
    }

    /// Checks the proof.
    pub fn conclude(
        self,
        plugin: Plugin,
        channel: Channel,
        accounts: impl FnOnce(&str) -> Option<Known>,
    ) -> Step {
        let known = accounts(&self.login.user);
        let empty = plugin.is_empty(&self.proof);
        let right = plugin.check(&self.proof, &self.login.nonce, known.as_ref());
        if let (Some(Known { verifier: Verifier::Crypted(crypted), secure, .. }), false, false) =
            (known, empty, right)
        {
            // As on a server also where a hash is known: some clients get the proof wrong and the password right.
            return Proving::ask(self.login, crypted, secure);
        }
        if !right && empty {
            return Step::Denied { login: self.login, denial: Denial::NoPassword };
        }
        let fast_auth = plugin == Plugin::CachingSha2 && !empty;
        Step::settle(
            right,
            fast_auth,
            known.map(|known| known.secure).unwrap_or_default(),
            channel,
            self.login,
        )
    }
}

/// What both sides can compress with; where that is both, then as on a MySQL server.
fn compression(response: &HandshakeResponse) -> Option<Algorithm> {
    if response.capabilities.contains(Capabilities::CLIENT_COMPRESS) {
        return Some(Algorithm::Zlib);
    }
    let zstd = response.capabilities.contains(Capabilities::CLIENT_ZSTD_COMPRESSION_ALGORITHM);
    zstd.then_some(Algorithm::Zstd(response.zstd_level))
}

/// A collation of the same character set whose id fits in the byte that a handshake response has.
fn in_a_byte(id: u16) -> u8 {
    match id {
        // MariaDB's collations without padding have the ids of those with it, and a bit more.
        1024..=1279 => id.to_le_bytes()[0],
        // Its uca1400 collations of utf8mb3.
        2048..=2303 => 33,
        // MySQL's of Unicode 9, and all that MariaDB has else, are of utf8mb4 or of what no client writes.
        256.. => GREETING_COLLATION,
        0..=255 => id.to_le_bytes()[0],
    }
}
