use serval_catalog::Verifiers;
use serval_wire::auth::{Scramble, native_response, sha2_response};
use serval_wire::packet::HandshakeResponse;

use super::{Handshake, OFFERED, Step};

const NONCE: Scramble = *b"01234567890123456789";
const FRESH: Scramble = *b"abcdefghijabcdefghij";

fn verifiers(user: &str) -> Option<Verifiers> {
    (user == "app").then(|| Verifiers::of_password("secret"))
}

fn respond(plugin: &str, proof: &[u8]) -> Step {
    let response = HandshakeResponse {
        capabilities: OFFERED,
        user: "app".to_owned(),
        auth_response: proof.to_vec(),
        auth_plugin: Some(plugin.to_owned()),
        ..HandshakeResponse::default()
    };
    let mut payload = Vec::new();
    response.encode(OFFERED, &mut payload);
    let (_, state) = Handshake::begin("10.11.6-MariaDB", 1, NONCE);
    state.handle(&payload, verifiers, FRESH).expect("a packet")
}

#[test]
fn a_native_proof_is_enough() {
    let step = respond("mysql_native_password", &native_response(b"secret", &NONCE));
    assert!(matches!(step, Step::Welcome { fast_auth: false, .. }), "{step:?}");
}

#[test]
fn a_sha2_proof_for_the_greeting_is_taken() {
    let step = respond("caching_sha2_password", &sha2_response(b"secret", &NONCE));
    assert!(matches!(step, Step::Welcome { fast_auth: true, .. }), "{step:?}");
}

#[test]
fn a_switch_has_a_nonce_of_its_own() {
    let Step::Switch(request, state) = respond("caching_sha2_password", b"") else { panic!("no switch") };
    assert_eq!((request.plugin.as_str(), &*request.nonce), ("caching_sha2_password", &FRESH[..]));
    let stale = state.handle(&sha2_response(b"secret", &NONCE), verifiers, FRESH).expect("a packet");
    assert!(matches!(stale, Step::Denied { password: true, .. }), "{stale:?}");
}

#[test]
fn a_proof_of_the_wrong_length_is_no_proof() {
    let step = respond("mysql_native_password", b"short");
    assert!(matches!(step, Step::Denied { password: true, .. }), "{step:?}");
}

#[test]
fn nobody_is_let_in_by_the_verifiers_of_nobody() {
    let response =
        HandshakeResponse { capabilities: OFFERED, user: "x".to_owned(), ..HandshakeResponse::default() };
    let mut payload = Vec::new();
    response.encode(OFFERED, &mut payload);
    let (_, state) = Handshake::begin("10.11.6-MariaDB", 1, NONCE);
    let step = state.handle(&payload, verifiers, FRESH).expect("a packet");
    assert!(matches!(step, Step::Denied { password: false, .. }), "{step:?}");
}
