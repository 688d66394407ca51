use super::*;

fn decode(payload: &[u8]) -> Result<Command<'_>, WireError> {
    Command::decode(payload)
}

#[test]
fn commands_without_fields() {
    assert_eq!(decode(&encode::ping()), Ok(Command::Ping));
    assert_eq!(decode(&encode::quit()), Ok(Command::Quit));
    assert_eq!(decode(&encode::statistics()), Ok(Command::Statistics));
    assert_eq!(decode(&encode::reset_connection()), Ok(Command::ResetConnection));
}

#[test]
fn commands_with_text() {
    assert_eq!(encode::query(b"SELECT 1"), b"\x03SELECT 1");
    assert_eq!(decode(b"\x03SELECT 1"), Ok(Command::Query(b"SELECT 1")));
    assert_eq!(decode(b"\x03"), Ok(Command::Query(b"")));
    assert_eq!(decode(&encode::init_db(b"shop")), Ok(Command::InitDb(b"shop")));
    assert_eq!(decode(&encode::prepare(b"SELECT ?")), Ok(Command::Prepare(b"SELECT ?")));
    assert_eq!(
        decode(&encode::field_list(b"users", b"a%")),
        Ok(Command::FieldList { table: b"users", wildcard: b"a%" })
    );
}

#[test]
fn commands_with_numbers() {
    assert_eq!(decode(&encode::set_option(1)), Ok(Command::SetOption(1)));
    assert_eq!(decode(&encode::process_kill(7)), Ok(Command::ProcessKill(7)));
    assert_eq!(decode(&encode::close_statement(7)), Ok(Command::CloseStatement(7)));
    assert_eq!(decode(&encode::reset_statement(7)), Ok(Command::ResetStatement(7)));
    assert_eq!(encode::fetch(7, 100), b"\x1c\x07\0\0\0\x64\0\0\0");
    assert_eq!(decode(b"\x1c\x07\0\0\0\x64\0\0\0"), Ok(Command::Fetch { statement: 7, rows: 100 }));
}

#[test]
fn prepared_statements_keep_their_parameters_as_they_came() {
    let execute = Execute { statement: 7, flags: 1, iterations: 1, parameters: b"\0\x01\x03\0" };
    assert_eq!(decode(b"\x17\x07\0\0\0\x01\x01\0\0\0\0\x01\x03\0"), Ok(Command::Execute(execute)));
    let data = LongData { statement: 7, parameter: 2, data: b"abc" };
    assert_eq!(encode::send_long_data(7, 2, b"abc"), b"\x18\x07\0\0\0\x02\0abc");
    assert_eq!(decode(b"\x18\x07\0\0\0\x02\0abc"), Ok(Command::SendLongData(data)));
}

#[test]
fn flags_without_meaning_are_ignored() {
    for flags in 0..=255 {
        let body = [7, 0, 0, 0, flags, 1, 0, 0, 0];
        assert_eq!(Execute::decode(&body).map(|execute| execute.flags), Ok(flags));
    }
}

#[test]
fn fields_cut_short_are_errors() {
    let whole: [&[u8]; 8] = [
        b"\x04users\0",
        b"\x0c\x07\0\0\0",
        b"\x17\x07\0\0\0\x01\x01\0\0\0",
        b"\x18\x07\0\0\0\x02\0",
        b"\x19\x07\0\0\0",
        b"\x1a\x07\0\0\0",
        b"\x1b\x01\0",
        b"\x1c\x07\0\0\0\x64\0\0\0",
    ];
    for payload in whole {
        // Nothing at all is a command that nobody knows, as it is to servers.
        let behind_code = payload.len() - 1;
        for length in 1..=behind_code {
            assert!(decode(&payload[..length]).is_err(), "{payload:?} {length}");
        }
        assert!(decode(payload).is_ok());
    }
    assert_eq!(decode(b""), Ok(Command::Unknown(0)));
}

#[test]
fn what_is_unknown_is_named() {
    for code in [0x00, 0x05, 0x0d, 0x12, 0x1d, 0x20, 0xfa, 0xff] {
        assert_eq!(decode(&[code, 1, 2]), Ok(Command::Unknown(code)));
    }
}

#[test]
fn a_change_of_user_may_end_after_the_database() {
    let body = b"app\0\x02xyshop\0";
    let change = ChangeUser::decode(body).unwrap();
    assert_eq!((change.user.as_str(), &change.auth_response[..]), ("app", &b"xy"[..]));
    assert_eq!((change.database.as_deref(), change.collation), (Some("shop"), None));
    crate::packet::truncation::check(body, body.len(), ChangeUser::decode);
}

#[test]
fn a_change_of_user_with_all_fields() {
    let body = b"app\0\0\0\x2d\0mysql_native_password\0\x08\x03_os\x03bsd";
    let change = ChangeUser::decode(body).unwrap();
    assert_eq!((&change.database, change.collation), (&None, Some(45)));
    assert_eq!(change.auth_plugin.as_deref(), Some("mysql_native_password"));
    assert_eq!(change.attributes, [("_os".into(), "bsd".into())]);
    let payload = encode::change_user(&change);
    assert_eq!(payload[1..], body[..]);
    assert_eq!(decode(&payload), Ok(Command::ChangeUser(change)));
    assert!(ChangeUser::decode(&body[..body.len() - 1]).is_err());
}
