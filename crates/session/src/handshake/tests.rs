use serval_catalog::{Crypted, Secure, Verifier};
use serval_wire::Capabilities;
use serval_wire::auth::{Scramble, native_response, native_verifier, sha2_response, sha2_verifier};
use serval_wire::command::ChangeUser;
use serval_wire::compress::Algorithm;
use serval_wire::packet::{AuthMoreData, FULL_AUTH, HandshakeResponse, SslRequest};

use super::{Channel, Denial, Handshake, Known, Message, OFFERED, Plugin, Policy, Sent, Step};

const NONCE: Scramble = *b"01234567890123456789";
const FRESH: Scramble = *b"abcdefghijabcdefghij";
const POLICY: Policy = Policy {
    capabilities: OFFERED
        .with(Capabilities::CLIENT_SSL)
        .with(Capabilities::CLIENT_COMPRESS)
        .with(Capabilities::CLIENT_ZSTD_COMPRESSION_ALGORITHM),
    plugin: Plugin::Native,
};
const CRYPTED: Crypted = Crypted { thousand_rounds: 5, salt: [7; 20], digest: [b'.'; 43] };

fn accounts(user: &str) -> Option<Known> {
    let known = |verifier| Known { verifier, secure: Secure::No, proven: None };
    Some(match user {
        "app" => known(Verifier::of_password("secret")),
        "empty" => known(Verifier::of_password("")),
        "native" => known(Verifier::Native(native_verifier(b"secret"))),
        "moved" => known(Verifier::Crypted(CRYPTED)),
        "proven" => Known { proven: Some(sha2_verifier(b"secret")), ..known(Verifier::Crypted(CRYPTED)) },
        "tls" => Known { secure: Secure::Transport, ..known(Verifier::of_password("secret")) },
        "certified" => Known { secure: Secure::Certificate, ..known(Verifier::of_password("secret")) },
        _ => return None,
    })
}

fn response(user: &str, plugin: &str, proof: &[u8]) -> Vec<u8> {
    let response = HandshakeResponse {
        capabilities: OFFERED,
        user: user.to_owned(),
        auth_response: proof.to_vec(),
        auth_plugin: Some(plugin.to_owned()),
        ..HandshakeResponse::default()
    };
    let mut payload = Vec::new();
    response.encode(OFFERED, &mut payload);
    payload
}

fn greeted() -> Handshake {
    Handshake::begin("10.11.6-MariaDB", 1, NONCE, POLICY).1
}

fn over(channel: Channel, state: Handshake, payload: &[u8]) -> Step {
    state.handle(payload, channel, accounts, FRESH).expect("a packet")
}

fn respond(user: &str, plugin: &str, proof: &[u8]) -> Step {
    over(Channel::Clear, greeted(), &response(user, plugin, proof))
}

/// The state after a proof of a crypted account, which asks for the password.
fn asked() -> Handshake {
    let proof = sha2_response(b"secret", &NONCE);
    match respond("moved", "caching_sha2_password", &proof) {
        Step::Send(Message::More(AuthMoreData(data)), state) if data == [FULL_AUTH] => state,
        step => panic!("{step:?}"),
    }
}

fn is_denied(step: &Step, expected: Denial) -> bool {
    matches!(step, Step::Denied { denial, .. } if *denial == expected)
}

#[test]
fn a_native_proof_is_enough() {
    let step = respond("app", "mysql_native_password", &native_response(b"secret", &NONCE));
    assert!(matches!(step, Step::Welcome { fast_auth: false, .. }), "{step:?}");
}

#[test]
fn a_sha2_proof_for_the_greeting_is_taken() {
    let step = respond("app", "caching_sha2_password", &sha2_response(b"secret", &NONCE));
    assert!(matches!(step, Step::Welcome { fast_auth: true, .. }), "{step:?}");
}

#[test]
fn a_switch_has_a_nonce_of_its_own() {
    let Step::Send(Message::Switch(request), state) = respond("app", "caching_sha2_password", b"") else {
        panic!("no switch")
    };
    assert_eq!((request.plugin.as_str(), &*request.nonce), ("caching_sha2_password", &FRESH[..]));
    let stale = over(Channel::Clear, state, &sha2_response(b"secret", &NONCE));
    assert!(is_denied(&stale, Denial::WrongPassword), "{stale:?}");
}

#[test]
fn accounts_with_one_hash_are_asked_for_it() {
    for (user, plugin, wanted) in [
        ("native", "caching_sha2_password", "mysql_native_password"),
        ("moved", "mysql_native_password", "caching_sha2_password"),
        ("app", "mysql_clear_password", "mysql_native_password"),
        ("nobody", "client_ed25519", "mysql_native_password"),
    ] {
        let step = respond(user, plugin, b"12345678901234567890");
        let Step::Send(Message::Switch(request), _) = step else { panic!("{user}: {step:?}") };
        assert_eq!(request.plugin, wanted, "{user}");
    }
}

#[test]
fn a_client_that_cannot_switch_is_told() {
    let mut capabilities = OFFERED;
    capabilities.set(Capabilities::CLIENT_PLUGIN_AUTH, false);
    let response = HandshakeResponse {
        capabilities,
        user: "moved".to_owned(),
        auth_response: vec![1; 20],
        ..HandshakeResponse::default()
    };
    let mut payload = Vec::new();
    response.encode(OFFERED, &mut payload);
    let step = over(Channel::Clear, greeted(), &payload);
    assert!(is_denied(&step, Denial::OldClient), "{step:?}");
}

#[test]
fn a_proof_of_the_wrong_length_is_no_proof() {
    let step = respond("app", "mysql_native_password", b"short");
    assert!(is_denied(&step, Denial::WrongPassword), "{step:?}");
}

#[test]
fn empty_passwords_are_for_accounts_without_one() {
    assert!(matches!(respond("empty", "mysql_native_password", b""), Step::Welcome { .. }));
    assert!(is_denied(&respond("app", "mysql_native_password", b""), Denial::NoPassword));
    assert!(is_denied(&respond("native", "mysql_native_password", b""), Denial::NoPassword));
    assert!(is_denied(&respond("moved", "caching_sha2_password", &[0]), Denial::NoPassword));
    let step = respond("empty", "caching_sha2_password", &[0]);
    assert!(matches!(step, Step::Welcome { fast_auth: false, .. }), "{step:?}");
}

#[test]
fn nobody_is_let_in_by_the_hashes_of_nobody() {
    for plugin in ["mysql_native_password", "caching_sha2_password"] {
        let step = respond("x", plugin, &[0x5a; 32]);
        assert!(is_denied(&step, Denial::WrongPassword), "{step:?}");
    }
    assert!(is_denied(&respond("x", "mysql_native_password", b""), Denial::NoPassword));
}

#[test]
fn a_password_proven_before_needs_no_second_look() {
    let step = respond("proven", "caching_sha2_password", &sha2_response(b"secret", &NONCE));
    assert!(matches!(step, Step::Welcome { fast_auth: true, .. }), "{step:?}");
    // With another proof, the password itself decides.
    let step = respond("proven", "caching_sha2_password", &sha2_response(b"wrong", &NONCE));
    assert!(matches!(step, Step::Send(Message::More(_), Handshake::Proving(_))), "{step:?}");
}

#[test]
fn the_password_itself_comes_over_safe_channels() {
    for channel in [Channel::Socket, Channel::Tls { certificate: false }] {
        let step = over(channel, asked(), b"secret\0");
        let Step::Password { sent, crypted, .. } = step else { panic!("{step:?}") };
        assert_eq!((sent, crypted), (Sent::Clear(b"secret".to_vec()), CRYPTED));
        assert!(is_denied(&over(channel, asked(), b"\0"), Denial::NoPassword));
        assert!(is_denied(&over(channel, asked(), b""), Denial::NoPassword));
    }
}

#[test]
fn or_encrypted_with_our_key() {
    let Step::PublicKey(state) = over(Channel::Clear, asked(), &[2]) else { panic!("no key") };
    let step = over(Channel::Clear, state, &[9; 256]);
    assert!(matches!(&step, Step::Password { sent: Sent::Encrypted(bytes), .. } if *bytes == [9; 256]));
    // Whatever is in the clear is not looked at as such.
    let step = over(Channel::Clear, asked(), b"secret\0");
    assert!(matches!(step, Step::Password { sent: Sent::Encrypted(_), .. }), "{step:?}");
    // The key is sent once.
    let Step::PublicKey(state) = over(Channel::Clear, asked(), &[2]) else { panic!("no key") };
    assert!(matches!(over(Channel::Clear, state, &[2]), Step::Password { sent: Sent::Encrypted(_), .. }));
}

#[test]
fn accounts_may_insist_on_tls() {
    let proof = native_response(b"secret", &NONCE);
    let step = |user, channel| over(channel, greeted(), &response(user, "mysql_native_password", &proof));
    let (with, without) = (Channel::Tls { certificate: true }, Channel::Tls { certificate: false });
    assert!(is_denied(&step("tls", Channel::Clear), Denial::NeedsTls));
    assert!(is_denied(&step("certified", Channel::Socket), Denial::NeedsTls));
    assert!(is_denied(&step("certified", without), Denial::NeedsCertificate));
    for (user, channel) in [("tls", Channel::Socket), ("tls", without), ("certified", with)] {
        assert!(matches!(step(user, channel), Step::Welcome { .. }), "{user}");
    }
    // Whoever does not know the password does not learn what the account needs.
    let wrong = over(Channel::Clear, greeted(), &response("tls", "mysql_native_password", &[1; 20]));
    assert!(is_denied(&wrong, Denial::WrongPassword));
}

#[test]
fn tls_comes_first_and_once() {
    let request = SslRequest { capabilities: POLICY.capabilities, max_packet: 1 << 24, collation: 45 };
    let mut payload = Vec::new();
    request.encode(Capabilities::empty(), &mut payload);
    assert_eq!(payload.len(), 32);
    let Step::Encrypt(state) = over(Channel::Clear, greeted(), &payload) else { panic!("no TLS") };
    assert!(state.handle(&payload, Channel::Tls { certificate: false }, accounts, FRESH).is_err());
    for length in 0..payload.len() {
        let cut = greeted().handle(&payload[..length], Channel::Clear, accounts, FRESH);
        assert!(cut.is_err(), "{length}");
    }
    let plain = Policy { capabilities: OFFERED, ..POLICY };
    let (_, unoffered) = Handshake::begin("x", 1, NONCE, plain);
    assert!(unoffered.handle(&payload, Channel::Clear, accounts, FRESH).is_err());
}

#[test]
fn zlib_goes_before_zstd() {
    let login = |more: Capabilities| {
        let response = HandshakeResponse {
            capabilities: OFFERED | more,
            user: "app".to_owned(),
            auth_response: native_response(b"secret", &NONCE).to_vec(),
            auth_plugin: Some("mysql_native_password".to_owned()),
            zstd_level: 7,
            ..HandshakeResponse::default()
        };
        let mut payload = Vec::new();
        response.encode(POLICY.capabilities, &mut payload);
        match over(Channel::Clear, greeted(), &payload) {
            Step::Welcome { login, .. } => login.compression,
            step => panic!("{step:?}"),
        }
    };
    let (zlib, zstd) = (Capabilities::CLIENT_COMPRESS, Capabilities::CLIENT_ZSTD_COMPRESSION_ALGORITHM);
    assert_eq!(login(Capabilities::empty()), None);
    assert_eq!(login(zlib | zstd), Some(Algorithm::Zlib));
    assert_eq!(login(zstd), Some(Algorithm::Zstd(7)));
}

#[test]
fn another_user_is_met_as_the_first() {
    let change = |user: &str, plugin: &str, proof: &[u8]| {
        let change = ChangeUser {
            user: user.to_owned(),
            auth_response: proof.to_vec(),
            database: Some("shop".to_owned()),
            collation: Some(255),
            auth_plugin: Some(plugin.to_owned()),
            attributes: Vec::new(),
        };
        let mut payload = vec![0x11];
        change.encode(&mut payload);
        let state = Handshake::change_user(NONCE, OFFERED, POLICY);
        over(Channel::Clear, state, &payload)
    };
    let Step::Welcome { login, .. } =
        change("app", "mysql_native_password", &native_response(b"secret", &NONCE))
    else {
        panic!("not welcome")
    };
    assert_eq!((login.user.as_str(), login.schema.as_deref(), login.collation), ("app", Some("shop"), 255));
    let wrong = change("app", "mysql_native_password", &native_response(b"wrong", &NONCE));
    assert!(is_denied(&wrong, Denial::WrongPassword));
    let step = change("native", "caching_sha2_password", &sha2_response(b"secret", &NONCE));
    let Step::Send(Message::Switch(_), state) = step else { panic!("{step:?}") };
    let Step::Welcome { login, .. } = over(Channel::Clear, state, &native_response(b"secret", &FRESH)) else {
        panic!("not welcome")
    };
    assert_eq!(login.nonce, FRESH);
}
