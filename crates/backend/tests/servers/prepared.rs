//! Prepared statements on real servers.

use serval_backend::ServerConnection;
use serval_remote::{Access, Connection, Execution, RemoteError, Request, SessionState};
use serval_types::Value;
use serval_wire::binary_row::{self, BinaryRowBuilder, Cell};
use serval_wire::command::execute::Parameters;
use serval_wire::packet::ColumnDefinition;
use serval_wire::response::{Part, PartDecoder};
use serval_wire::text_row;

use crate::{acquire, ask, cluster, group, plain, start};

const PREPARED: &str = "SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'";

/// The rows of an execution, their cells between `|`; an error as its number.
async fn execute(
    connection: &mut ServerConnection,
    request: &Request<'_>,
    values: &[Value],
    selection: &[u16],
) -> Result<Vec<String>, RemoteError> {
    let mut parameters = Parameters::none();
    values.iter().for_each(|value| parameters.push(value));
    let execution = Some(Execution { parameters: &parameters, selection });
    connection.send(&Request { execution, ..*request }).await?;
    let mut decoder = PartDecoder::new(true);
    loop {
        let burst = connection.read_burst().await?;
        decoder.push(burst.bytes.freeze());
        if burst.completion.is_some() {
            return Ok(rows(&mut decoder));
        }
    }
}

fn rows(decoder: &mut PartDecoder) -> Vec<String> {
    let (mut columns, mut rows) = (Vec::new(), Vec::new());
    while let Some(part) = decoder.next().unwrap() {
        match part {
            Part::Columns(sent) => columns = sent,
            Part::Row(payload) => rows.push(text(&payload, &columns)),
            Part::Err(error) => rows.push(format!("error {}", error.number)),
            _ => {}
        }
    }
    rows
}

fn text(payload: &[u8], columns: &[ColumnDefinition]) -> String {
    let types: Vec<u8> = columns.iter().map(|column| column.column_type).collect();
    let cells =
        binary_row::cells(payload, types).unwrap().zip(columns).map(
            |(bytes, column)| match binary_row::value(column.column_type, column.flags, bytes.unwrap())
                .unwrap()
            {
                Cell::Null => "NULL".to_owned(),
                Cell::Int(value) => value.to_string(),
                Cell::UInt(value) => value.to_string(),
                Cell::Float(value) => value.to_string(),
                Cell::Double(value) => value.to_string(),
                Cell::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                Cell::Date(date) => date.to_string(),
                Cell::Time(time) => time.to_string(),
            },
        );
    cells.collect::<Vec<_>>().join("|")
}

#[tokio::test]
async fn values_go_in_and_come_out() {
    let cluster = cluster(0, &[]).await;
    let server = cluster.group(0).primary();
    let create =
        "CREATE TABLE d.t (a BIGINT UNSIGNED, b VARCHAR(9), c DECIMAL(9,2), d DATETIME(6), e TIME, f DOUBLE)";
    server.execute_all(&["CREATE DATABASE d", create]).await.unwrap();
    let servers = start(group(&cluster, 1));
    let fresh = SessionState::default();
    let in_d = |sql| Request { database: Some("d"), ..plain(sql, &fresh) };
    let mut connection = acquire(&servers, Access::Primary).await.unwrap();
    let insert = in_d("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)");
    let values = [
        Value::UInt(u64::MAX),
        Value::Text(b"ab".to_vec()),
        Value::decimal("1.50"),
        Value::Text(b"2024-02-29 12:34:56.000007".to_vec()),
        Value::Text(b"-34:00:01".to_vec()),
        Value::Double(1.5),
        Value::Null,
    ];
    assert!(execute(&mut connection, &insert, &values, &[0, 1, 2, 3, 4, 5]).await.unwrap().is_empty());
    assert!(execute(&mut connection, &insert, &values, &[6, 1, 6, 6, 6, 6]).await.unwrap().is_empty());
    let select = in_d("SELECT * FROM t WHERE b = ? ORDER BY a DESC");
    let expected = [
        "18446744073709551615|ab|1.50|2024-02-29 12:34:56.000007|-34:00:01|1.5",
        "NULL|ab|NULL|NULL|NULL|NULL",
    ];
    for _ in 0..3 {
        assert_eq!(execute(&mut connection, &select, &values, &[1]).await.unwrap(), expected);
    }
    assert_eq!(ask(&mut connection, &plain(PREPARED, &fresh)).await.unwrap(), ["Prepared_stmt_count|2"]);
    // A connection that goes through the pool keeps them.
    drop(connection);
    let mut connection = acquire(&servers, Access::Primary).await.unwrap();
    assert_eq!(execute(&mut connection, &select, &values, &[1]).await.unwrap(), expected);
    assert_eq!(ask(&mut connection, &plain(PREPARED, &fresh)).await.unwrap(), ["Prepared_stmt_count|2"]);
}

#[tokio::test]
async fn tables_change_under_prepared_statements() {
    let cluster = cluster(0, &[]).await;
    let server = cluster.group(0).primary();
    server
        .execute_all(&["CREATE DATABASE d", "CREATE TABLE d.t (a INT)", "INSERT INTO d.t VALUES (1)"])
        .await
        .unwrap();
    let servers = start(group(&cluster, 1));
    let fresh = SessionState::default();
    let select = Request { database: Some("d"), ..plain("SELECT * FROM t WHERE a = ?", &fresh) };
    let mut connection = acquire(&servers, Access::Primary).await.unwrap();
    let values = [Value::Int(1)];
    let described = connection.prepare(&select).await.unwrap();
    assert_eq!((described.parameters.len(), described.columns.len()), (1, 1));
    assert_eq!(execute(&mut connection, &select, &values, &[0]).await.unwrap(), ["1"]);
    server.execute_all(&["ALTER TABLE d.t ADD b VARCHAR(5) DEFAULT 'new'"]).await.unwrap();
    assert_eq!(execute(&mut connection, &select, &values, &[0]).await.unwrap(), ["1|new"]);
    assert_eq!(connection.prepare(&select).await.unwrap().columns.len(), 2);
    server.execute_all(&["DROP TABLE d.t"]).await.unwrap();
    assert_eq!(execute(&mut connection, &select, &values, &[0]).await.unwrap(), ["error 1146"]);
    let refused = connection.prepare(&select).await;
    assert!(matches!(&refused, Err(RemoteError::Refused(error)) if error.number == 1146), "{refused:?}");
    assert_eq!(ask(&mut connection, &plain("SELECT 1", &fresh)).await.unwrap(), ["1"]);
}

#[tokio::test]
async fn a_text_is_read_as_the_session_reads_it() {
    let cluster = cluster(0, &[]).await;
    let server = cluster.group(0).primary();
    server.execute_all(&["CREATE DATABASE d0", "CREATE DATABASE d1"]).await.unwrap();
    let servers = start(group(&cluster, 1));
    let fresh = SessionState::default();
    let quotes = fresh.with("sql_mode", "'ANSI_QUOTES'");
    let mut connection = acquire(&servers, Access::Primary).await.unwrap();
    for _ in 0..3 {
        for (database, state) in [("d0", &fresh), ("d1", &fresh), ("d1", &quotes)] {
            let request = Request {
                database: Some(database),
                begin: Some("BEGIN"),
                ..plain("SELECT \"a\", ?, DATABASE() FROM (SELECT 'column' AS a) AS t", state)
            };
            let first = if state == &quotes { "column" } else { "a" };
            let rows = execute(&mut connection, &request, &[Value::Int(7)], &[0]).await.unwrap();
            assert_eq!(rows, [format!("{first}|7|{database}")]);
            assert!(connection.in_transaction());
            ask(&mut connection, &plain("COMMIT", state)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_server_full_of_statements_still_serves() {
    let cluster = cluster(0, &["--max-prepared-stmt-count=10"]).await;
    let servers = start(group(&cluster, 1));
    let fresh = SessionState::default();
    let mut connection = acquire(&servers, Access::Primary).await.unwrap();
    for number in 0..50 {
        let sql = format!("SELECT ? + {number}");
        let rows = execute(&mut connection, &plain(&sql, &fresh), &[Value::Int(1)], &[0]).await.unwrap();
        assert_eq!(rows, [(number + 1).to_string()]);
    }
    assert!(connection.prepare(&plain("SELECT ?", &fresh)).await.is_ok());
}

#[tokio::test]
async fn statements_and_values_above_16_mib() {
    let cluster = cluster(0, &["--max-allowed-packet=64M"]).await;
    let servers = start(group(&cluster, 1));
    let fresh = SessionState::default();
    let mut connection = acquire(&servers, Access::Primary).await.unwrap();
    let value = Value::Bytes(vec![b'x'; 20 << 20]);
    let length = plain("SELECT LENGTH(?)", &fresh);
    assert_eq!(execute(&mut connection, &length, &[value], &[0]).await.unwrap(), [(20 << 20).to_string()]);
    let sql = format!("SELECT LENGTH('{}'), ?", "x".repeat(17 << 20));
    let rows = execute(&mut connection, &plain(&sql, &fresh), &[Value::Int(1)], &[0]).await.unwrap();
    assert_eq!(rows, [format!("{}|1", 17 << 20)]);
    // The long text is not kept for long.
    for number in [2, 3] {
        let sql = format!("SELECT ?, {number}");
        execute(&mut connection, &plain(&sql, &fresh), &[Value::Int(1)], &[0]).await.unwrap();
    }
    assert_eq!(ask(&mut connection, &plain(PREPARED, &fresh)).await.unwrap(), ["Prepared_stmt_count|3"]);
}

/// The columns and the payloads of the rows.
async fn answer(
    connection: &mut ServerConnection,
    request: &Request<'_>,
) -> (Vec<ColumnDefinition>, Vec<Vec<u8>>) {
    connection.send(request).await.unwrap();
    let mut decoder = PartDecoder::new(true);
    loop {
        let burst = connection.read_burst().await.unwrap();
        decoder.push(burst.bytes.freeze());
        if burst.completion.is_some() {
            break;
        }
    }
    let (mut columns, mut rows) = (Vec::new(), Vec::new());
    while let Some(part) = decoder.next().unwrap() {
        match part {
            Part::Columns(sent) => columns = sent,
            Part::Row(payload) => rows.push(payload.to_vec()),
            Part::Err(error) => panic!("{error:?}"),
            _ => {}
        }
    }
    (columns, rows)
}

/// What merges count on: columns and values are the same whichever way they come, also those of aggregates.
#[tokio::test]
async fn binary_rows_are_the_text_rows_of_the_same_columns() {
    let cluster = cluster(0, &[]).await;
    let create = "CREATE TABLE d.t (g INT, i INT UNSIGNED, l BIGINT, f FLOAT, d DOUBLE, n DECIMAL(30,4), b BIT(9), y YEAR, \
                  da DATE, dt DATETIME(3), ti TIME(6), s VARCHAR(9), t TEXT, v VARBINARY(9), e ENUM('x','y'))";
    let insert = "INSERT INTO d.t VALUES \
                  (1, 7, -8, 1.1, 0.1, 12345678901234567890.1234, b'100000001', 2024, '2024-02-29', \
                   '2024-02-29 12:34:56.789', '-34:00:01.5', 'ab', 'text', '\\0b', 'x'), \
                  (1, 4294967295, 9223372036854775807, -2.5, -2.5e-300, -0.0001, b'1', 1901, '1000-01-01', \
                   '9999-12-31 00:00:00', '838:59:59', 'B ', '', '', 'y'), \
                  (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)";
    cluster.group(0).primary().execute_all(&["CREATE DATABASE d", create, insert]).await.unwrap();
    let servers = start(group(&cluster, 1));
    let fresh = SessionState::default();
    let mut connection = acquire(&servers, Access::Primary).await.unwrap();
    let parameters = Parameters::none();
    let names = ["i", "l", "f", "d", "n", "b", "y", "da", "dt", "ti", "s", "t", "v", "e"];
    let over = |function: &str| names.map(|name| format!("{function}({name})")).join(", ");
    let sums = ["i", "l", "f", "d", "n", "y"].map(|name| format!("SUM({name}), AVG({name})")).join(", ");
    for list in [names.join(", "), over("MAX"), over("MIN"), over("COUNT"), over("WEIGHT_STRING"), sums] {
        let rows = if list.contains("MAX(")
            || list.contains("MIN(")
            || list.contains("COUNT(")
            || list.contains("SUM(")
        {
            "GROUP BY g ORDER BY g"
        } else {
            "ORDER BY g, i"
        };
        let sql = format!("SELECT {list} FROM d.t {rows}");
        let text = answer(&mut connection, &plain(&sql, &fresh)).await;
        let execution = Some(Execution { parameters: &parameters, selection: &[] });
        let binary = answer(&mut connection, &Request { execution, ..plain(&sql, &fresh) }).await;
        for (one, other) in text.0.iter().zip(&binary.0) {
            assert_eq!((one.column_type, one.charset), (other.column_type, other.charset), "{one:?}");
            assert_eq!((one.flags, one.decimals), (other.flags, other.decimals), "{one:?}");
        }
        assert_eq!(text.1.len(), binary.1.len());
        for (row, expected) in text.1.iter().zip(&binary.1) {
            let mut encoded = BinaryRowBuilder::new(text.0.len());
            for (cell, column) in text_row::cells(row).zip(&text.0) {
                encoded.encode_text_cell(column.column_type, column.flags, cell.unwrap()).unwrap();
            }
            assert_eq!(encoded.finish().as_ref(), Ok(expected), "{sql}");
        }
    }
}
