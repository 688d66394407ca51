//! The server's side of the handshake, as a state machine without I/O.
//!
//! [`Handshake::begin`] makes the greeting; each packet of the client goes to [`Handshake::handle`], which says what
//! comes next: another packet to send, a login, or a refusal. Users' passwords are never known here, only what they
//! are checked against, and every check costs the same whether the user exists or not. [`Handshake::change_user`]
//! enters in the middle: COM_CHANGE_USER is the second half of a handshake.
//!
//! Both `mysql_native_password` and `caching_sha2_password` are understood. The greeting names the one that the config
//! says; a client that answers in the name of the other is met there, and so is an account that has only one of them.
//! For accounts with SHA-256² of their password the fast path of caching_sha2_password always suffices. For those that
//! came from a MySQL server the client has to send the password itself once, over TLS or a Unix socket as it is, else
//! encrypted with our public key ([`Proving`]). `mysql_clear_password` is not offered.

mod attempts;
mod capabilities;
mod claim;
mod drive;
mod entrance;
mod proxied;
mod rsa;
mod verify;

use serval_catalog::{AuthPlugin, Crypted, Secure, Verifier};
use serval_wire::WireError;
use serval_wire::auth::Scramble;
use serval_wire::capability::Capabilities;
use serval_wire::compress::Algorithm;
use serval_wire::packet::{
    AuthMoreData, AuthSwitchRequest, FULL_AUTH, Handshake as Greeting, PUBLIC_KEY_REQUEST, SslRequest,
};
use serval_wire::status::StatusFlags;

use claim::Claim;

pub use capabilities::{OFFERED, offered};
pub use drive::{Account, HANDSHAKE_BYTES, HandshakeError, Welcome, change_user, greet};
pub use entrance::Entrance;
pub(crate) use proxied::real_peer;
pub use verify::Plugin;

/// The collation that the greeting names: utf8mb4_general_ci, which all flavours know.
const GREETING_COLLATION: u8 = 45;

/// The handshake, in the state it has reached.
#[derive(Debug)]
pub enum Handshake {
    /// The greeting is out; the client's response comes next, or its wish for TLS.
    Greeted(Greeted),
    /// COM_CHANGE_USER comes next.
    Changing(Changing),
    /// The client was asked to use another plugin; its proof comes next.
    Switching(Switching),
    /// The client was asked for the password itself.
    Proving(Proving),
}

/// What holds for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// What is offered.
    pub capabilities: Capabilities,
    /// The plugin that is asked for where the client has no preference that could be met.
    pub plugin: Plugin,
}

/// See [`Handshake::Greeted`].
#[derive(Debug)]
pub struct Greeted {
    nonce: Scramble,
    policy: Policy,
}

/// See [`Handshake::Changing`].
#[derive(Debug)]
pub struct Changing {
    nonce: Scramble,
    policy: Policy,
    agreed: Capabilities,
}

/// See [`Handshake::Switching`].
#[derive(Debug)]
pub struct Switching {
    plugin: Plugin,
    login: Login,
}

/// See [`Handshake::Proving`].
#[derive(Debug)]
pub struct Proving {
    login: Login,
    crypted: Crypted,
    secure: Secure,
    /// The client has asked for our public key.
    has_key: bool,
}

/// How safe what the client sends is from other eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Not at all.
    Clear,
    /// A Unix socket.
    Socket,
    /// TLS; whether the client has shown a certificate.
    Tls {
        /// Whether it has.
        certificate: bool,
    },
}

/// What is known of an account.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// What its password is checked against.
    pub verifier: Verifier,
    /// What its connections have to be.
    pub secure: Secure,
    /// SHA-256² of a password that has passed a crypted verifier before.
    pub proven: Option<[u8; 32]>,
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
    /// What is compressed with after the OK.
    pub compression: Option<Algorithm>,
    /// The nonce that the client knows: its proof is for it, and COM_CHANGE_USER goes by it.
    pub nonce: Scramble,
}

/// A packet to send.
#[derive(Debug)]
pub enum Message {
    /// Asks for a proof by another plugin.
    Switch(AuthSwitchRequest),
    /// Data of the plugin.
    More(AuthMoreData),
}

/// What follows a packet.
#[derive(Debug)]
pub enum Step {
    /// Go on over TLS, and wait.
    Encrypt(Handshake),
    /// Send this, and wait.
    Send(Message, Handshake),
    /// Send the public key, and wait.
    PublicKey(Handshake),
    /// Check the password itself, and go on with [`Step::settle`].
    Password {
        /// What the client sent.
        sent: Sent,
        /// What it is checked against.
        crypted: Crypted,
        /// What the account's connections have to be.
        secure: Secure,
        /// What the client asks for.
        login: Login,
    },
    /// The client is who it says.
    Welcome {
        /// Whether caching_sha2_password's "fast authentication succeeded" must precede the OK.
        fast_auth: bool,
        /// What the client asks for.
        login: Login,
    },
    /// The client does not come in.
    Denied {
        /// What it said of itself.
        login: Login,
        /// Why.
        denial: Denial,
    },
}

/// A password on its way.
#[derive(Debug, PartialEq, Eq)]
pub enum Sent {
    /// As it is.
    Clear(Vec<u8>),
    /// Masked with the nonce, and encrypted with our public key.
    Encrypted(Vec<u8>),
}

/// Why a client does not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// It is not who it says, or nobody known, and offered no password.
    NoPassword,
    /// The same with a password.
    WrongPassword,
    /// It cannot be asked for a proof that the account can check.
    OldClient,
    /// The account wants TLS or a Unix socket.
    NeedsTls,
    /// The account wants a client certificate.
    NeedsCertificate,
}

impl Denial {
    /// Whether somebody may be guessing.
    #[must_use]
    pub fn is_wrong(self) -> bool {
        matches!(self, Self::NoPassword | Self::WrongPassword)
    }
}

impl Handshake {
    /// The greeting for connection `thread_id`, and the state that waits for its answer.
    #[must_use]
    pub fn begin(server_version: &str, thread_id: u32, nonce: Scramble, policy: Policy) -> (Greeting, Self) {
        let greeting = Greeting {
            server_version: server_version.to_owned(),
            thread_id,
            nonce,
            capabilities: policy.capabilities,
            collation: GREETING_COLLATION,
            status: StatusFlags::SERVER_STATUS_AUTOCOMMIT,
            auth_plugin: policy.plugin.name().to_owned(),
        };
        (greeting, Self::Greeted(Greeted { nonce, policy }))
    }

    /// The state that waits for COM_CHANGE_USER from a client that knows `nonce`.
    #[must_use]
    pub fn change_user(nonce: Scramble, agreed: Capabilities, policy: Policy) -> Self {
        Self::Changing(Changing { nonce, policy, agreed })
    }

    /// Takes the client's next packet, which came over `channel`. `accounts` knows the users; `fresh` is the nonce of
    /// a switch, if one is due.
    ///
    /// # Errors
    /// The packet is malformed.
    pub fn handle(
        self,
        payload: &[u8],
        channel: Channel,
        accounts: impl FnOnce(&str) -> Option<Known>,
        fresh: Scramble,
    ) -> Result<Step, WireError> {
        match self {
            Self::Greeted(state) if state.wants_tls(payload, channel) => {
                Ok(Step::Encrypt(Self::Greeted(state)))
            }
            Self::Greeted(Greeted { nonce, policy }) => {
                Ok(Claim::of_response(payload, nonce, policy)?.meet(policy, channel, accounts, fresh))
            }
            Self::Changing(Changing { nonce, policy, agreed }) => {
                Ok(Claim::of_change(payload, nonce, agreed)?.meet(policy, channel, accounts, fresh))
            }
            Self::Switching(Switching { plugin, login }) => {
                let claim = Claim { plugin: Some(plugin), proof: payload.to_vec(), login };
                Ok(claim.conclude(plugin, channel, accounts))
            }
            Self::Proving(state) => Ok(state.password(payload, channel)),
        }
    }
}

impl Greeted {
    fn wants_tls(&self, payload: &[u8], channel: Channel) -> bool {
        let offered = self.policy.capabilities.contains(Capabilities::CLIENT_SSL);
        offered && !matches!(channel, Channel::Tls { .. }) && SslRequest::matches(payload)
    }
}

impl Proving {
    /// A login whose password has to come first.
    fn ask(login: Login, crypted: Crypted, secure: Secure) -> Step {
        let state = Self { login, crypted, secure, has_key: false };
        Step::Send(Message::More(AuthMoreData(vec![FULL_AUTH])), Handshake::Proving(state))
    }

    fn password(self, payload: &[u8], channel: Channel) -> Step {
        if payload == [PUBLIC_KEY_REQUEST] && !self.has_key {
            return Step::PublicKey(Handshake::Proving(Self { has_key: true, ..self }));
        }
        let Self { login, crypted, secure, .. } = self;
        let sent = match (payload.split_last(), channel) {
            (None | Some((0, [])), _) => return Step::Denied { login, denial: Denial::NoPassword },
            (Some((0, password)), Channel::Socket | Channel::Tls { .. }) if !self.has_key => {
                Sent::Clear(password.to_vec())
            }
            // A client may have our public key in a file.
            _ => Sent::Encrypted(payload.to_vec()),
        };
        Step::Password { sent, crypted, secure, login }
    }
}

impl Step {
    /// What follows a proof that was right or wrong.
    #[must_use]
    pub fn settle(right: bool, fast_auth: bool, secure: Secure, channel: Channel, login: Login) -> Self {
        let denial = match (right, secure, channel) {
            (false, ..) => Denial::WrongPassword,
            (true, Secure::Transport, Channel::Clear) => Denial::NeedsTls,
            (true, Secure::Certificate, Channel::Clear | Channel::Socket) => Denial::NeedsTls,
            (true, Secure::Certificate, Channel::Tls { certificate: false }) => Denial::NeedsCertificate,
            (true, ..) => return Self::Welcome { fast_auth, login },
        };
        Self::Denied { login, denial }
    }
}

impl From<AuthPlugin> for Plugin {
    fn from(plugin: AuthPlugin) -> Self {
        match plugin {
            AuthPlugin::Native => Self::Native,
            AuthPlugin::CachingSha2 => Self::CachingSha2,
        }
    }
}

#[cfg(test)]
mod tests;
