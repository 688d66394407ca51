//! Files for LOAD DATA LOCAL that are none.

use serval_tests::raw::{RAW_USER_TOML, RawClient, Reaction};
use serval_tests::{Topology, World};

use super::bystander::Bystander;
use super::resident_kilobytes;

const OUT_OF_ORDER: u16 = 1156;

async fn world(schema: &str) -> World {
    let world = World::with(Topology { more: RAW_USER_TOML.to_owned(), ..Topology::new(schema) }).await;
    let mut client = world.client().await;
    for table in ["t1", "plain"] {
        let made = client.run(&format!("CREATE TABLE {table} (id BIGINT PRIMARY KEY, v TEXT)")).await;
        assert_eq!(made.error_number(), 0, "{made:?}");
    }
    world
}

/// A client that has been asked for its file.
async fn asked(world: &World, table: &str) -> RawClient {
    let mut client = RawClient::login(world.serval.ports().mysql(), &world.schema).await;
    let load = format!("\x03LOAD DATA LOCAL INFILE 'f' INTO TABLE {table}");
    let reaction = client.command(load.as_bytes()).await;
    assert_eq!(reaction, Reaction::Answer(b"\xfbf".to_vec()), "the request for the file");
    client
}

#[tokio::test]
async fn broken_files_end_their_own_connection_and_leave_nothing() {
    let world = world("hostile_files").await;
    for table in ["t1", "plain"] {
        let mut client = asked(&world, table).await;
        client.send(2, b"1\tx\n").await;
        client.send(9, b"2\tx\n").await;
        assert_eq!(client.reaction().await, Reaction::Refusal(OUT_OF_ORDER));
        assert_eq!(client.reaction().await, Reaction::Closed);
        // Gone in the middle of a frame, of a header, and before the first byte.
        for bytes in [&b"\x10\0\0\x021\tx\n"[..], b"\x04\0\0\x021\tx\n\x04\0", b""] {
            let mut client = asked(&world, table).await;
            client.send_bytes(bytes).await;
        }
        let mut client = asked(&world, table).await;
        client.send(2, b"").await;
        assert!(matches!(client.reaction().await, Reaction::Answer(_)), "an empty file");
        assert!(matches!(client.command(b"\x0e").await, Reaction::Answer(_)), "and the connection goes on");
        let mut other = world.client().await;
        other.run("SET innodb_lock_wait_timeout = 5").await;
        let inserted = other.run(&format!("INSERT INTO {table} VALUES (1, 'y')")).await;
        assert_eq!(inserted.error_number(), 0, "{inserted:?}");
    }
}

/// Longer than any buffer, sent faster than servers take it: memory stays what it was, and nobody else notices.
#[tokio::test]
async fn long_files_need_little_memory() {
    let world = world("hostile_long_files").await;
    let bystander = Bystander::start(&world).await;
    let pid = world.serval.pid();
    let before = resident_kilobytes(pid);
    for table in ["plain", "t1"] {
        let mut client = asked(&world, table).await;
        let (mut sequence, mut most) = (2_u8, 0);
        for chunk in 0..48_u64 {
            let rows: String =
                (0..1000).map(|row| format!("{}\t{}\n", chunk * 1000 + row, "v".repeat(1000))).collect();
            client.send(sequence, rows.as_bytes()).await;
            sequence = sequence.wrapping_add(1);
            most = most.max(resident_kilobytes(pid));
        }
        client.send(sequence, b"").await;
        let Reaction::Answer(ok) = client.reaction().await else { panic!("no answer") };
        assert_eq!(&ok[..4], b"\0\xfc\x80\xbb", "48000 rows");
        assert!(most < before + 40_000, "{table}: {before} kB before, {most} kB then");
    }
    bystander.noticed_nothing().await;
}
