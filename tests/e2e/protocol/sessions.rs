//! Session tracking, beside a plain server's.

use super::conversation::{Both, DEPRECATE_EOF, MULTI, SESSION_TRACK};
use super::world;

#[tokio::test]
async fn what_changed_is_told() {
    let world = world("proto_track").await;
    let schema = &world.schema;
    for capabilities in [SESSION_TRACK, SESSION_TRACK | DEPRECATE_EOF | MULTI] {
        let mut both = Both::new(&world, capabilities).await;
        for sql in [
            &*format!("USE {schema}"),
            "SET time_zone = '+01:00'",
            "SET time_zone = DEFAULT",
            "SET NAMES latin1",
            "SET NAMES utf8mb4",
            "SET autocommit = 0",
            "SET autocommit = 1",
            "SET @x = 1",
            "SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
            "SET sql_mode = DEFAULT",
            "SET session_track_system_variables = 'sql_safe_updates,autocommit'",
            "SET sql_safe_updates = 1",
            "SET time_zone = '+02:00'",
            "SET autocommit = 1",
            "SET session_track_schema = OFF",
            &*format!("USE {schema}"),
            "SELECT name FROM single WHERE id = 1",
            "SELECT @@session_track_schema, @@session_track_system_variables",
        ] {
            both.any_order(sql).await;
        }
        both.same(b"\x1f", "COM_RESET_CONNECTION").await;
        both.query(&format!("USE {schema}")).await;
        both.same(&[b"\x02", schema.as_bytes()].concat(), "COM_INIT_DB").await;
        // Whether this tells of itself differs from server to server.
        for raw in [&mut both.proxy, &mut both.oracle] {
            raw.ask(b"\x03SET session_track_state_change = 1").await;
        }
        for sql in ["SET @x = 1", "SET sql_safe_updates = 0", &*format!("USE {schema}")] {
            both.query(sql).await;
        }
    }
}
