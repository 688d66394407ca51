use super::super::{SslRequest, truncation};
use super::*;

const ALL: Capabilities = Capabilities::from_bits(u64::MAX);

const BASE: Capabilities = Capabilities::CLIENT_LONG_PASSWORD
    .with(Capabilities::CLIENT_PROTOCOL_41)
    .with(Capabilities::CLIENT_SECURE_CONNECTION);

/// The fixed part with these capabilities: 16 MiB packets, utf8mb4.
fn fixed(capabilities: Capabilities) -> Vec<u8> {
    let mut out = Vec::new();
    Fixed { capabilities, max_packet: 1 << 24, collation: 45 }.encode(&mut out);
    out
}

fn decode(payload: &[u8]) -> Result<HandshakeResponse, WireError> {
    HandshakeResponse::decode(payload, ALL)
}

#[test]
fn the_fixed_part_is_32_bytes() {
    let bytes = fixed(BASE);
    assert_eq!(bytes[..9], [1, 0x82, 0, 0, 0, 0, 0, 1, 45]);
    assert_eq!(bytes.len(), 32);
}

#[test]
fn a_response_may_be_as_short_as_user_and_proof() {
    let payload = [&fixed(BASE)[..], b"app\0\x03abc"].concat();
    let response = decode(&payload).unwrap();
    assert_eq!((response.user.as_str(), &response.auth_response[..]), ("app", &b"abc"[..]));
    assert_eq!((response.max_packet, response.collation), (1 << 24, 45));
    assert_eq!((response.database, response.auth_plugin, response.attributes), (None, None, vec![]));
    truncation::check(&payload, payload.len(), decode);
}

#[test]
fn all_fields_at_once() {
    let capabilities = BASE
        | Capabilities::CLIENT_CONNECT_WITH_DB
        | Capabilities::CLIENT_PLUGIN_AUTH
        | Capabilities::CLIENT_CONNECT_ATTRS
        | Capabilities::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA;
    let mut payload = [&fixed(capabilities)[..], b"app\0\xfc\x2c\x01", &[7; 300]].concat();
    payload.extend_from_slice(b"shop\0caching_sha2_password\0\x08\x03_os\x03bsd");
    let response = decode(&payload).unwrap();
    assert_eq!(response.auth_response, [7; 300]);
    assert_eq!(response.database.as_deref(), Some("shop"));
    assert_eq!(response.auth_plugin.as_deref(), Some("caching_sha2_password"));
    assert_eq!(response.attributes, [("_os".into(), "bsd".into())]);

    let mut again = Vec::new();
    response.encode(ALL, &mut again);
    assert_eq!(again, payload);
    for length in 0..payload.len() {
        // Whole optional fields may be missing at the end; a piece of one may not.
        let _ = decode(&payload[..length]);
    }
    assert!(decode(&payload[..payload.len() - 1]).is_err());
}

#[test]
fn fields_of_capabilities_that_the_server_lacks_are_absent() {
    let capabilities = BASE | Capabilities::CLIENT_CONNECT_WITH_DB | Capabilities::CLIENT_PLUGIN_AUTH;
    let payload = [&fixed(capabilities)[..], b"app\0\0mysql_native_password\0"].concat();
    let announced = BASE | Capabilities::CLIENT_PLUGIN_AUTH;
    let response = HandshakeResponse::decode(&payload, announced).unwrap();
    assert_eq!(response.auth_plugin.as_deref(), Some("mysql_native_password"));
    assert_eq!((response.database, response.capabilities), (None, announced));
}

#[test]
fn without_secure_connection_the_proof_ends_with_nul() {
    let capabilities = BASE.without(Capabilities::CLIENT_SECURE_CONNECTION);
    let payload = [&fixed(capabilities)[..], b"app\0abc\0"].concat();
    assert_eq!(decode(&payload).unwrap().auth_response, b"abc");
}

#[test]
fn an_empty_database_is_none() {
    let payload = [&fixed(BASE | Capabilities::CLIENT_CONNECT_WITH_DB)[..], b"app\0\0\0"].concat();
    assert_eq!(decode(&payload).unwrap().database, None);
}

#[test]
fn clients_before_4_1_are_told_so() {
    let old = b"\x05\x00\x00\x00\x00app\0";
    assert!(matches!(decode(old), Err(WireError::Unsupported { .. })));
    assert_eq!(decode(old).unwrap_err().to_mysql().number, 1043);
}

#[test]
fn mariadb_clients_have_capabilities_of_their_own() {
    let capabilities =
        BASE.without(Capabilities::CLIENT_LONG_PASSWORD) | Capabilities::MARIADB_CLIENT_CACHE_METADATA;
    let payload = [&fixed(capabilities)[..], b"app\0\0"].concat();
    assert_eq!(decode(&payload).unwrap().capabilities, capabilities);
    assert_eq!(payload[28..32], [0x10, 0, 0, 0]);
}

#[test]
fn flags_follow_the_fields_when_encoding() {
    let response = HandshakeResponse {
        capabilities: BASE | Capabilities::CLIENT_CONNECT_WITH_DB | Capabilities::CLIENT_DEPRECATE_EOF,
        user: "serval".into(),
        auth_response: vec![1; 20],
        ..HandshakeResponse::default()
    };
    let announced = BASE | Capabilities::CLIENT_CONNECT_WITH_DB;
    let mut payload = Vec::new();
    response.encode(announced, &mut payload);
    assert_eq!(decode(&payload).unwrap().capabilities, BASE);
    assert_eq!(payload[32..], [&b"serval\0\x14"[..], &[1; 20]].concat());
}

#[test]
fn a_tls_request_is_the_fixed_part_alone() {
    let payload = fixed(BASE | Capabilities::CLIENT_SSL);
    assert!(SslRequest::matches(&payload));
    assert!(!SslRequest::matches(&fixed(BASE)));
    assert!(!SslRequest::matches(&[&payload[..], b"app\0\0"].concat()));
    let request = SslRequest::decode(&payload, ALL).unwrap();
    let mut again = Vec::new();
    request.encode(ALL, &mut again);
    assert_eq!(again, payload);
    truncation::check(&payload, payload.len(), |payload| SslRequest::decode(payload, ALL));
}
