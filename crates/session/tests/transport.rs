//! TLS, the ways to log in, and COM_CHANGE_USER, packet by packet over in-memory pipes under paused time.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "transport/peer.rs"]
mod peer;
#[allow(dead_code, unused_imports, reason = "the transcripts use more of it")]
mod support;

use std::sync::Arc;
use std::time::Duration;

use peer::{Authority, Peer, verifier};
use serval_session::Proxy;
use serval_session::stream::Stream;
use serval_wire::auth::{native_response, sha2_response};
use support::Servers;

const TCP: Option<&str> = Some("10.1.2.3:50000");
const SOCKET: Option<&str> = None;

struct World {
    proxy: Arc<Proxy<Servers>>,
    authority: Authority,
}

impl World {
    /// Accounts that insist on this and that, and a certificate.
    fn new() -> Self {
        let (ours, authority) = (Authority::new(), Authority::new());
        let (certificate, key) = ours.issue("localhost");
        let settings = format!(
            "[listen]\nproxy_protocol_from = [\"10.9.0.0/16\"]\n\
             [tls]\ncertificate = '''{certificate}'''\nkey = '''{key}'''\nclient_ca = '''{}'''\n\
             [users.tls]\npassword = \"secret\"\nrequire_tls = true\n\
             [users.certified]\npassword = \"secret\"\nrequire_certificate = true\n\
             [users.native]\nverifier = \"*14E65567ABDB5135D0CFD9A70B3032C179A49EE7\"\n\
             [users.moved]\nverifier = \"{}\"\n",
            authority.pem(),
            verifier("secret"),
        );
        Self { proxy: support::proxy(&settings, Servers::default()), authority }
    }

    fn connect(&self, from: Option<&str>) -> Peer {
        let (near, far) = tokio::io::duplex(1 << 16);
        let from = from.map(|from| from.parse().unwrap());
        tokio::spawn(serval_session::serve_client(Arc::clone(&self.proxy), Stream::other(far), from));
        Peer::new(near)
    }

    async fn login(&self, from: Option<&str>, user: &str, plugin: &str, password: &str) -> (Peer, String) {
        let mut peer = self.connect(from);
        peer.greeting().await;
        let told = peer.login(user, plugin, password).await;
        (peer, told)
    }
}

#[tokio::test(start_paused = true)]
async fn tls_is_agreed_on_and_used() {
    let world = World::new();
    for version in ["TLSv1.3", "TLSv1.2"] {
        let mut peer = world.connect(TCP);
        peer.greeting().await;
        let mut peer = peer.encrypt(version, None, false).await.unwrap();
        assert_eq!(peer.login("tls", "mysql_native_password", "secret").await, "OK");
        assert_eq!(peer.ping().await, "OK");
        let entry = world.proxy.sessions.find(serval_types::SessionId(peer.id)).unwrap();
        let encryption = entry.transport().unwrap().encryption.unwrap();
        assert_eq!(encryption.version, version);
        assert!(encryption.cipher.contains("AES"), "{}", encryption.cipher);
        assert!(!encryption.certificate);
    }
}

/// Clients need not wait between their wish for TLS and its first bytes.
#[tokio::test(start_paused = true)]
async fn the_hello_may_come_with_the_request() {
    let world = World::new();
    let mut peer = world.connect(TCP);
    peer.greeting().await;
    let mut peer = peer.encrypt("TLSv1.3", None, true).await.unwrap();
    assert_eq!(peer.login("tls", "caching_sha2_password", "secret").await, "OK");
}

#[tokio::test(start_paused = true)]
async fn accounts_insist_on_what_they_need() {
    let world = World::new();
    let (_, told) = world.login(TCP, "tls", "mysql_native_password", "secret").await;
    assert!(told.starts_with("3159 ") && told.contains("requires TLS"), "{told}");
    let (_, told) = world.login(TCP, "tls", "mysql_native_password", "wrong").await;
    assert!(told.starts_with("1045 "), "{told}");
    let (_, told) = world.login(SOCKET, "tls", "mysql_native_password", "secret").await;
    assert_eq!(told, "OK");

    let mut peer = world.connect(TCP);
    peer.greeting().await;
    let mut peer = peer.encrypt("TLSv1.3", None, false).await.unwrap();
    let told = peer.login("certified", "mysql_native_password", "secret").await;
    assert!(told.starts_with("1045 ") && told.contains("certificate"), "{told}");

    let mut peer = world.connect(TCP);
    peer.greeting().await;
    let identity = world.authority.issue("somebody");
    let mut peer = peer.encrypt("TLSv1.3", Some(&identity), false).await.unwrap();
    assert_eq!(peer.login("certified", "mysql_native_password", "secret").await, "OK");
}

#[tokio::test(start_paused = true)]
async fn a_strangers_certificate_ends_the_connection() {
    let world = World::new();
    let mut peer = world.connect(TCP);
    peer.greeting().await;
    let identity = Authority::new().issue("somebody");
    // In TLS 1.3 a client learns of it only with its next read.
    if let Ok(mut peer) = peer.encrypt("TLSv1.3", Some(&identity), false).await {
        assert_eq!(peer.login("app", "mysql_native_password", "secret").await, "closed");
    }
    assert!(world.proxy.sessions.is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_else_is_taken_for_tls() {
    let world = World::new();
    // A login in the clear behind the wish for TLS, as somebody in between would put it there.
    let mut peer = world.connect(TCP);
    let nonce = peer.greeting().await;
    peer.wish_for_tls().await;
    let login = peer.response("app", "mysql_native_password", &native_response(b"secret", &nonce));
    peer.packet(2, &login).await;
    assert_eq!(peer.rest().await, "closed");
    // A client that wishes for it and then is silent.
    let mut peer = world.connect(TCP);
    peer.greeting().await;
    peer.wish_for_tls().await;
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(peer.rest().await, "closed");
    assert!(world.proxy.sessions.is_empty());
}

#[tokio::test(start_paused = true)]
async fn each_account_is_met_by_its_plugin() {
    let world = World::new();
    for (user, plugin) in [
        ("app", "mysql_native_password"),
        ("app", "caching_sha2_password"),
        ("app", "client_ed25519"),
        ("native", "mysql_native_password"),
        ("native", "caching_sha2_password"),
        ("moved", "caching_sha2_password"),
        ("moved", "mysql_native_password"),
    ] {
        for from in [TCP, SOCKET] {
            let (mut peer, told) = world.login(from, user, plugin, "secret").await;
            assert_eq!(told, "OK", "{user} {plugin}");
            assert_eq!(peer.ping().await, "OK");
        }
        let (_, told) = world.login(TCP, user, plugin, "wrong").await;
        assert!(told.starts_with("1045 28000 Access denied"), "{user} {plugin}: {told}");
        let (_, told) = world.login(TCP, user, plugin, "").await;
        assert!(
            told.starts_with("1045 28000 Access denied") && told.contains("NO"),
            "{user} {plugin}: {told}"
        );
    }
}

/// The password itself crosses the wire once, encrypted; after that a hash is enough.
#[tokio::test(start_paused = true)]
async fn a_moved_account_is_asked_once() {
    let world = World::new();
    let (peer, told) = world.login(TCP, "moved", "caching_sha2_password", "wrong").await;
    assert!(told.starts_with("1045 ") && peer.sent_password, "{told}");
    let (peer, told) = world.login(TCP, "moved", "caching_sha2_password", "secret").await;
    assert!(told == "OK" && peer.sent_password);
    let (peer, told) = world.login(TCP, "moved", "caching_sha2_password", "secret").await;
    assert!(told == "OK" && !peer.sent_password);
}

#[tokio::test(start_paused = true)]
async fn a_client_may_leave_in_the_middle() {
    let world = World::new();
    let proof = |nonce| sha2_response(b"secret", &nonce);
    for stage in 0..4 {
        let mut peer = world.connect(TCP);
        let nonce = peer.greeting().await;
        if stage > 0 {
            let response = peer.response("moved", "caching_sha2_password", &proof(nonce));
            peer.packet(1, &response).await;
            assert_eq!(peer.next().await.unwrap(), (2, vec![1, 4]));
        }
        if stage > 1 {
            peer.packet(3, &[2]).await;
            assert!(peer.next().await.unwrap().1.starts_with(b"\x01-----BEGIN PUBLIC KEY-----"));
        }
        if stage > 2 {
            peer.packet(5, &[0xee; 100]).await;
        }
        drop(peer);
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert!(world.proxy.sessions.is_empty(), "{stage}");
    }
}

#[tokio::test(start_paused = true)]
async fn guessing_takes_time_for_the_guesser_alone() {
    let world = World::new();
    let timed = async |user: &str, password: &str| {
        let begun = tokio::time::Instant::now();
        let (_, told) = world.login(TCP, user, "mysql_native_password", password).await;
        (told == "OK", begun.elapsed().as_millis())
    };
    for _ in 0..4 {
        assert_eq!(timed("app", "wrong").await, (false, 0));
    }
    assert_eq!(timed("app", "wrong").await, (false, 250));
    assert_eq!(timed("app", "wrong").await, (false, 500));
    assert_eq!(timed("tls", "wrong").await, (false, 0));
    // A right password waits too, else the wait would say that the others were wrong; then all is forgotten.
    assert_eq!(timed("app", "secret").await, (true, 1000));
    assert_eq!(timed("app", "wrong").await, (false, 0));
}

#[tokio::test(start_paused = true)]
async fn another_user_on_the_same_connection() {
    let world = World::new();
    let (mut peer, told) = world.login(TCP, "app", "mysql_native_password", "secret").await;
    assert_eq!(told, "OK");
    for (user, plugin) in [
        ("native", "caching_sha2_password"),
        ("app", "mysql_native_password"),
        ("moved", "caching_sha2_password"),
    ] {
        assert_eq!(peer.change_user(user, plugin, "secret", "shop").await, "OK", "{user}");
        assert_eq!(peer.ping().await, "OK");
        let entry = world.proxy.sessions.find(serval_types::SessionId(peer.id)).unwrap();
        assert_eq!(entry.user(), user);
        assert_eq!(entry.attributes(), [("program_name".to_owned(), "changed".to_owned())]);
    }
    let told = peer.change_user("tls", "mysql_native_password", "secret", "").await;
    assert!(told.starts_with("3159 "), "{told}");
    assert_eq!(peer.rest().await, "closed");
    for (user, password, schema, error) in [
        ("app", "wrong", "shop", "1045 "),
        ("nobody", "x", "shop", "1045 "),
        ("app", "secret", "forbidden", "1044 "),
    ] {
        let (mut peer, _) = world.login(TCP, "app", "mysql_native_password", "secret").await;
        let told = peer.change_user(user, "mysql_native_password", password, schema).await;
        assert!(told.starts_with(error), "{told}");
        assert_eq!(peer.rest().await, "closed");
    }
    assert!(world.proxy.sessions.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_balancer_says_who_the_client_is() {
    let world = World::new();
    let mut peer = world.connect(Some("10.9.1.1:7000"));
    peer.raw(b"PROXY TCP4 192.0.2.9 10.9.1.1 4444 3307\r\n").await;
    peer.greeting().await;
    let told = peer.login("app", "mysql_native_password", "wrong").await;
    assert!(told.contains("'app'@'192.0.2.9'"), "{told}");

    let mut peer = world.connect(Some("10.9.1.1:7000"));
    peer.raw(b"GET / HTTP/1.1\r\n").await;
    assert_eq!(peer.rest().await, "closed");
    let mut peer = world.connect(Some("10.9.1.1:7000"));
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(peer.rest().await, "closed");

    // From others a header is nonsense.
    let mut peer = world.connect(TCP);
    peer.greeting().await;
    peer.raw(b"PROXY TCP4 192.0.2.9 10.9.1.1 4444 3307\r\n").await;
    let told = peer.rest().await;
    assert!(told.starts_with("1156 ") || told.starts_with("1153 "), "{told}");
}

/// A client that is connected and does nothing costs little more than its buffers, which are given back.
#[tokio::test(start_paused = true)]
async fn a_client_is_small() {
    let world = World::new();
    let (_near, far) = tokio::io::duplex(1);
    let client = serval_session::serve_client(Arc::clone(&world.proxy), Stream::other(far), None);
    let size = std::mem::size_of_val(&client);
    assert!(size < 16 * 1024, "{size} bytes");
}

/// Thousands of clients have nothing to say at any moment: what answering takes is not theirs.
#[tokio::test]
async fn a_silent_client_takes_little() {
    let (_near, far) = tokio::io::duplex(64);
    let client = serval_session::serve_client(World::new().proxy, Stream::other(far), None);
    let bytes = size_of_val(&client);
    assert!(bytes < 4 << 10, "{bytes} bytes");
}
