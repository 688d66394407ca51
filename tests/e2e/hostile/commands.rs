//! Commands that are none, or whose fields are not there.

use serval_tests::raw::{RAW_USER_TOML, RawClient, Reaction};
use serval_tests::{Topology, World};

use super::bystander::Bystander;
use super::resident_kilobytes;

const UNKNOWN_COMMAND: u16 = 1047;
const OUT_OF_ORDER: u16 = 1156;

async fn world(schema: &str) -> World {
    World::with(Topology { more: RAW_USER_TOML.to_owned(), ..Topology::new(schema) }).await
}

async fn login(world: &World) -> RawClient {
    RawClient::login(world.serval.ports().mysql(), &world.schema).await
}

/// COM_STMT_PREPARE; the statement's id.
async fn prepare(client: &mut RawClient, sql: &str) -> u32 {
    let reaction = client.command(&[b"\x16", sql.as_bytes()].concat()).await;
    let Reaction::Answer(packet) = reaction else { panic!("preparing: {reaction:?}") };
    client.skip().await;
    u32::from_le_bytes([packet[1], packet[2], packet[3], packet[4]])
}

#[tokio::test]
async fn unknown_commands_are_refused_and_the_connection_goes_on() {
    let world = world("hostile_commands").await;
    let mut client = login(&world).await;
    for code in (0x1f_u8..=0xff)
        .filter(|code| *code != 0x1f)
        .chain([0x00, 0x05, 0x06, 0x07, 0x0b, 0x0f, 0x10, 0x13, 0x14])
    {
        let reaction = client.command(&[code]).await;
        assert_eq!(reaction, Reaction::Refusal(UNKNOWN_COMMAND), "command {code:#04x}");
    }
    assert!(matches!(client.command(b"\x0e").await, Reaction::Answer(_)), "COM_PING");
}

/// Every command with every number of its bytes missing.
#[tokio::test]
async fn commands_without_their_fields_are_errors() {
    let world = world("hostile_fields").await;
    let whole: [&[u8]; 6] = [
        b"\x04users\0%",
        b"\x0c\x01\0\0\0",
        b"\x11raw\0\0hostile_fields\0\x2d\0mysql_native_password\0",
        b"\x1a\x01\0\0\0",
        b"\x1b\0\0",
        b"\x1c\x01\0\0\0\x01\0\0\0",
    ];
    for command in whole {
        for length in 1..command.len() {
            let mut client = login(&world).await;
            let reaction = client.command(&command[..length]).await;
            // Whether it is an error or an end, it is this client's, and it comes.
            assert!(
                !matches!(reaction, Reaction::Answer(_)) || command[0] == 0x04 || command[0] == 0x11,
                "{command:02x?}: {reaction:?}"
            );
        }
    }
    assert_eq!(world.client().await.value("SELECT 1").await, "1");
}

#[tokio::test]
async fn wrong_sequence_ids_end_the_connection() {
    let world = world("hostile_order").await;
    for sequence in [1, 2, 7, 255] {
        let mut client = login(&world).await;
        client.send(sequence, b"\x0e").await;
        let reaction = client.reaction().await;
        assert!(matches!(reaction, Reaction::Refusal(OUT_OF_ORDER) | Reaction::Closed), "{reaction:?}");
    }
    let port = world.serval.ports().mysql();
    let mut client = RawClient::connect(port).await;
    client.send(3, &serval_tests::raw::response(&world.schema)).await;
    assert!(!matches!(client.reaction().await, Reaction::Answer(_)), "a handshake out of order");
}

/// COM_STMT_EXECUTE whose parameters are not there, of other types, or longer than anything.
#[tokio::test]
async fn malformed_executions_are_errors() {
    let mut world = world("hostile_execute").await;
    let bystander = Bystander::start(&world).await;
    let mut owner = world.client().await;
    owner.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v VARCHAR(20))").await;
    owner.must("INSERT INTO t1 VALUES (7, 'seven')").await;
    let before = resident_kilobytes(world.serval.pid());

    // An integer 7 and a string "seven" behind the NULL bitmap and the types.
    let good = b"\0\x01\x08\0\xfd\0\x07\0\0\0\0\0\0\0\x05seven";
    let fixed = |statement: u32| [b"\x17", &statement.to_le_bytes()[..], b"\0\x01\0\0\0"].concat();
    let huge = [b"\0\x01\x08\0\xfd\0\x07\0\0\0\0\0\0\0\xfe", &u64::MAX.to_le_bytes()[..]].concat();
    let four_gigabytes =
        [b"\0\x01\x08\0\xfd\0\x07\0\0\0\0\0\0\0\xfe", &(4_u64 << 30).to_le_bytes()[..]].concat();
    let mut bad: Vec<Vec<u8>> = (0..good.len()).map(|length| good[..length].to_vec()).collect();
    bad.extend([huge, four_gigabytes]);
    // Types that no parameter has, a marker that is none, a date of too many bytes, long data of its own making.
    bad.extend([
        b"\0\x01\xaa\0\xfd\0".to_vec(),
        b"\0\x07\x08\0\xfd\0".to_vec(),
        b"\0\x01\x0c\0\x0b\0\xffabc".to_vec(),
    ]);
    for body in &bad {
        let mut client = login(&world).await;
        let statement = prepare(&mut client, "SELECT id FROM t1 WHERE id = ? AND v = ?").await;
        let reaction = client.command(&[fixed(statement), body.clone()].concat()).await;
        assert!(!matches!(reaction, Reaction::Answer(_)), "{body:02x?}: {reaction:?}");
    }
    let mut client = login(&world).await;
    let one = prepare(&mut client, "SELECT id FROM t1 WHERE id = ?").await;
    let two = prepare(&mut client, "SELECT id FROM t1 WHERE id = ? AND v = ?").await;
    // The parameters of the other statement, and those of none.
    assert!(!matches!(
        client.command(&[fixed(two), b"\0\x01\x08\0\x07\0\0\0\0\0\0\0".to_vec()].concat()).await,
        Reaction::Answer(_)
    ));
    assert_eq!(client.command(&[fixed(4711), good.to_vec()].concat()).await, Reaction::Refusal(1243));
    assert_ne!(one, two);
    let reaction = client.command(&[fixed(two), good.to_vec()].concat()).await;
    assert!(matches!(reaction, Reaction::Answer(_)), "the right ones still work: {reaction:?}");

    bystander.noticed_nothing().await;
    assert!(world.serval.is_running());
    let grown = resident_kilobytes(world.serval.pid()).saturating_sub(before);
    assert!(grown < 60_000, "the proxy grew by {grown} kB");
}

/// Statements that are not UTF-8, hold NUL bytes, or nothing at all.
#[tokio::test]
async fn statements_of_any_bytes_are_answered() {
    let world = world("hostile_bytes").await;
    let mut client = login(&world).await;
    let statements: [&[u8]; 9] = [
        b"",
        b"\0",
        b" ",
        b";;;",
        b"SELECT '\xff\xfe'",
        b"SELECT `\xff` FROM t1",
        b"SELECT 1 AS \xc3",
        b"SELECT 'a\0b'",
        b"\xef\xbb\xbfSELECT 1",
    ];
    for sql in statements {
        for code in [b"\x03", b"\x16", b"\x02"] {
            let reaction = client.command(&[code, sql].concat()).await;
            assert_ne!(reaction, Reaction::Closed, "{code:02x?} {sql:02x?}");
            client.skip().await;
        }
    }
    assert!(matches!(client.command(b"\x0e").await, Reaction::Answer(_)), "COM_PING");
}
