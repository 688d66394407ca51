//! Whatever bytes a client sends, before or after it has logged in, the proxy answers or closes, and goes on.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, unused_imports, reason = "the transcripts use more of it")]
mod support;

use proptest::prelude::*;
use serval_session::stream::Stream;
use support::client::{Client, Credentials};
use support::{Reply, Servers};
use tokio::runtime::Builder;

/// Sends the bytes, logged in or not, and waits for the session to end.
fn survives(logged_in: bool, pieces: &[Vec<u8>]) {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let servers = Servers::default();
        servers.on("SELECT", Reply::Rows { columns: vec!["x".to_owned()], rows: Vec::new(), warnings: 0 });
        let proxy = support::proxy("max_packet = \"100KB\"\nidle_timeout = \"10s\"", servers);
        let (near, far) = tokio::io::duplex(1 << 20);
        let session = tokio::spawn(serval_session::serve_client(proxy.clone(), Stream::other(far), None));
        let mut client = Client::new(near, true);
        if logged_in {
            let credentials = Credentials {
                user: "app".to_owned(),
                password: "secret".to_owned(),
                schema: Some("shop".to_owned()),
                plugin: None,
                collation: 45,
            };
            client.login(&credentials).await;
        }
        for piece in pieces {
            client.raw(piece).await;
            tokio::task::yield_now().await;
        }
        drop(client);
        session.await.expect("no panic");
        assert!(proxy.sessions.is_empty());
    });
}

/// A frame whose header fits its payload.
fn frame(sequence: u8, payload: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
    [&length[..3], &[sequence], &payload].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn random_bytes(logged_in: bool, pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..4)) {
        survives(logged_in, &pieces);
    }

    #[test]
    fn random_frames(
        logged_in: bool,
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..4),
    ) {
        let first = u8::from(!logged_in);
        let frames: Vec<_> = payloads.into_iter().map(|payload| frame(first, payload)).collect();
        survives(logged_in, &frames);
    }

    #[test]
    fn random_statements(words in prop::collection::vec(
        prop::sample::select(vec![
            "SELECT", "INSERT", "SET", "SHOW", "users", "(", ")", "'", "`", "@a", "@@version", "=", ":=", ",", "1",
            "DATABASE()", "WHERE", "FROM", "TABLES", "LIKE", "EXPLAIN", "FORMAT=SERVAL", "KILL", "BEGIN", "/*", "*/",
            "NAMES", "é", "\0", ";", "VALUES", "UPDATE", "DROP", "CREATE", "TABLE", "LAST_INSERT_ID()", "AS", "x",
        ]),
        0..12,
    )) {
        let mut payload = vec![3];
        payload.extend_from_slice(words.join(" ").as_bytes());
        survives(true, &[frame(0, payload)]);
    }

    #[test]
    fn random_statement_commands(
        sql in prop::sample::select(vec![
            "SELECT ?", "SELECT * FROM users WHERE id = ? AND name IN (?, ?)", "INSERT INTO users VALUES (?, ?)",
            "SHOW DATABASES LIKE ?", "SET @a = ?, @b = ?", "BEGIN", "SELECT LAST_INSERT_ID(), ?", "KILL ?",
        ]),
        commands in prop::collection::vec((0x17_u8..=0x1c, 0_u32..3, prop::collection::vec(any::<u8>(), 0..60)), 1..8),
        well_formed: bool,
    ) {
        let mut frames = vec![frame(0, [b"\x16", sql.as_bytes()].concat())];
        for (command, id, rest) in commands {
            // No cursor, one iteration, so that parameters are read.
            let fixed: &[u8] = if well_formed && command == 0x17 { b"\0\x01\0\0\0" } else { b"" };
            frames.push(frame(0, [&[command][..], &id.to_le_bytes(), fixed, &rest].concat()));
        }
        survives(true, &frames);
    }
}
