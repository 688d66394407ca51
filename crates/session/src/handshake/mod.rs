//! The server's side of the handshake, as a state machine without I/O.
//!
//! [`Handshake::begin`] makes the greeting; each packet of the client goes to [`Handshake::handle`], which says what
//! comes next: another packet to send, a login, or a refusal. Users' passwords are never known here, only their
//! verifiers, and every check costs the same whether the user exists or not. TLS and compression are not offered.
//!
//! Both `mysql_native_password` and `caching_sha2_password` are understood. The greeting names the first, which every
//! client but MySQL 9's speaks; a client that answers in the name of the other is met there. Since the verifiers are
//! SHA-1² and SHA-256² of the password, the fast path of caching_sha2_password always suffices.

mod capabilities;
mod drive;
mod verify;

use serval_catalog::Verifiers;
use serval_wire::WireError;
use serval_wire::auth::Scramble;
use serval_wire::capability::Capabilities;
use serval_wire::packet::{AuthSwitchRequest, Handshake as Greeting, HandshakeResponse};
use serval_wire::status::StatusFlags;

pub use capabilities::OFFERED;
pub use drive::{HANDSHAKE_BYTES, HandshakeError, Welcome, greet};
pub use verify::Plugin;

/// The collation that the greeting names: utf8mb4_general_ci, which all flavours know.
const GREETING_COLLATION: u8 = 45;

/// The handshake, in the state it has reached.
#[derive(Debug)]
pub enum Handshake {
    /// The greeting is out; the client's response comes next.
    Greeted(Greeted),
    /// The client was asked to use another plugin; its proof comes next.
    Switching(Switching),
}

/// See [`Handshake::Greeted`].
#[derive(Debug)]
pub struct Greeted {
    nonce: Scramble,
}

/// See [`Handshake::Switching`].
#[derive(Debug)]
pub struct Switching {
    nonce: Scramble,
    plugin: Plugin,
    login: Login,
}

/// What a client asks for, once it has proved who it is.
#[derive(Debug, Clone)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The schema to begin with.
    pub schema: Option<String>,
    /// What both sides can do.
    pub capabilities: Capabilities,
    /// The collation of the connection, by its id.
    pub collation: u8,
    /// What the client says of itself, `program_name` for one.
    pub attributes: Vec<(String, String)>,
}

/// What follows a packet.
#[derive(Debug)]
pub enum Step {
    /// Ask for a proof by another plugin, and wait.
    Switch(AuthSwitchRequest, Handshake),
    /// The client is who it says.
    Welcome {
        /// Whether caching_sha2_password's "fast authentication succeeded" must precede the OK.
        fast_auth: bool,
        /// What the client asks for.
        login: Login,
    },
    /// The client is not who it says, or nobody known.
    Denied {
        /// What it said of itself.
        login: Login,
        /// Whether it offered a password at all.
        password: bool,
    },
}

impl Handshake {
    /// The greeting for connection `thread_id`, and the state that waits for its answer.
    #[must_use]
    pub fn begin(server_version: &str, thread_id: u32, nonce: Scramble) -> (Greeting, Self) {
        let greeting = Greeting {
            server_version: server_version.to_owned(),
            thread_id,
            nonce,
            capabilities: OFFERED,
            collation: GREETING_COLLATION,
            status: StatusFlags::SERVER_STATUS_AUTOCOMMIT,
            auth_plugin: Plugin::Native.name().to_owned(),
        };
        (greeting, Self::Greeted(Greeted { nonce }))
    }

    /// Takes the client's next packet. `verifiers` knows the users; `fresh` is the nonce of a switch, if one is due.
    ///
    /// # Errors
    /// The packet is malformed.
    pub fn handle(
        self,
        payload: &[u8],
        verifiers: impl FnOnce(&str) -> Option<Verifiers>,
        fresh: Scramble,
    ) -> Result<Step, WireError> {
        match self {
            Self::Greeted(state) => state.response(payload, verifiers, fresh),
            Self::Switching(state) => Ok(state.proof(payload, verifiers)),
        }
    }
}

impl Greeted {
    fn response(
        self,
        payload: &[u8],
        verifiers: impl FnOnce(&str) -> Option<Verifiers>,
        fresh: Scramble,
    ) -> Result<Step, WireError> {
        let response = HandshakeResponse::decode(payload, OFFERED)?;
        let plugin = Plugin::named(response.auth_plugin.as_deref());
        let proof = response.auth_response;
        let login = Login {
            user: response.user,
            schema: response.database.filter(|name| !name.is_empty()),
            capabilities: response.capabilities,
            collation: response.collation,
            attributes: response.attributes,
        };
        match plugin {
            Some(plugin) if plugin.answers_greeting(&proof) => {
                Ok(conclude(plugin, &proof, &self.nonce, login, verifiers))
            }
            other => Ok(switch(other.unwrap_or(Plugin::Native), login, fresh)),
        }
    }
}

impl Switching {
    fn proof(self, payload: &[u8], verifiers: impl FnOnce(&str) -> Option<Verifiers>) -> Step {
        conclude(self.plugin, payload, &self.nonce, self.login, verifiers)
    }
}

fn switch(plugin: Plugin, login: Login, nonce: Scramble) -> Step {
    let request = AuthSwitchRequest { plugin: plugin.name().to_owned(), nonce: nonce.to_vec() };
    Step::Switch(request, Handshake::Switching(Switching { nonce, plugin, login }))
}

fn conclude(
    plugin: Plugin,
    proof: &[u8],
    nonce: &Scramble,
    login: Login,
    verifiers: impl FnOnce(&str) -> Option<Verifiers>,
) -> Step {
    let known = verifiers(&login.user);
    if plugin.check(proof, nonce, known.as_ref()) {
        let fast_auth = plugin == Plugin::CachingSha2 && !plugin.is_empty(proof);
        return Step::Welcome { fast_auth, login };
    }
    Step::Denied { login, password: !plugin.is_empty(proof) }
}

#[cfg(test)]
mod tests;
