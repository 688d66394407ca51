//! Prepared statements: the same executions through the proxy and on one plain server.

use std::slice::from_ref;

use mysql_async::Value;
use serval_testkit::{Cluster, Flavour, ServalProcess};
use serval_tests::{APP, Answer, Client, Topology, World, make_databases, own_cluster};

/// One client of each.
struct Both {
    proxy: Client,
    oracle: Client,
}

impl Both {
    async fn new(world: &World) -> Both {
        Both { proxy: world.client().await, oracle: world.oracle().await }
    }

    /// Runs a statement as text on both.
    async fn text(&mut self, sql: &str) {
        let (proxy, oracle) = (self.proxy.run(sql).await, self.oracle.run(sql).await);
        assert_eq!(proxy, oracle, "{sql}");
    }

    /// Executes a statement that MySQL does not prepare.
    async fn same_unless_mysql(&mut self, sql: &str) {
        if Flavour::from_env().is_mysql() {
            self.text(sql).await;
        } else {
            self.same(sql, &[]).await;
        }
    }

    /// Connects both anew, so that they have nothing prepared.
    async fn reconnect(&mut self) {
        self.proxy.reconnect().await;
        self.oracle.reconnect().await;
    }

    /// Executes a statement on both and compares all that they say.
    async fn same(&mut self, sql: &str, values: &[Value]) -> Answer {
        let (proxy, oracle) = (self.proxy.execute(sql, values).await, self.oracle.execute(sql, values).await);
        assert_eq!(proxy, oracle, "{sql} with {values:?}");
        proxy
    }

    /// Executes a query on both whose columns differ in lengths.
    async fn same_values(&mut self, sql: &str, values: &[Value]) {
        let (proxy, oracle) = (self.proxy.execute(sql, values).await, self.oracle.execute(sql, values).await);
        assert_eq!(proxy.rows(), oracle.rows(), "{sql} with {values:?}");
    }

    /// Executes a query on both whose rows come in any order.
    async fn same_rows(&mut self, sql: &str, values: &[Value]) {
        let sorted = |answer: Answer| match answer {
            Answer::Rows { columns, mut rows, warnings } => {
                rows.sort();
                Answer::Rows { columns, rows, warnings }
            }
            other => other,
        };
        let (proxy, oracle) = (self.proxy.execute(sql, values).await, self.oracle.execute(sql, values).await);
        assert_eq!(sorted(proxy), sorted(oracle), "{sql} with {values:?}");
    }
}

fn text(text: &str) -> Value {
    Value::from(text)
}

const TYPES: &str = "CREATE TABLE t1 (
    id BIGINT NOT NULL PRIMARY KEY,
    tiny TINYINT, tiny_u TINYINT UNSIGNED, small SMALLINT, small_u SMALLINT UNSIGNED, medium MEDIUMINT,
    medium_u MEDIUMINT UNSIGNED, plain INT, plain_u INT UNSIGNED ZEROFILL, big BIGINT, big_u BIGINT UNSIGNED,
    f FLOAT, d DOUBLE, n DECIMAL(65,30), y YEAR, day DATE, at DATETIME(6), stamp TIMESTAMP(3) NULL, t TIME(6),
    bits BIT(12), c CHAR(5), v VARCHAR(50), bin VARBINARY(50), words TEXT, bytes BLOB,
    kind ENUM('a','b'), flags SET('x','y'), doc JSON)";

const COLUMNS: usize = 28;

/// Values of every column, but for the id.
fn extremes() -> Vec<Vec<Value>> {
    let all = |values: [Value; COLUMNS - 1]| values.to_vec();
    let decimal = format!("-{}.{}", "9".repeat(35), "9".repeat(30));
    vec![
        vec![Value::NULL; COLUMNS - 1],
        all([
            Value::Int(-128),
            Value::UInt(255),
            Value::Int(-32_768),
            Value::UInt(65_535),
            Value::Int(-8_388_608),
            Value::UInt(16_777_215),
            Value::Int(i32::MIN.into()),
            Value::UInt(7),
            Value::Int(i64::MIN),
            Value::UInt(u64::MAX),
            Value::Float(1.5),
            Value::Double(-1.797e308),
            text(&decimal),
            Value::Int(2155),
            Value::Date(9999, 12, 31, 0, 0, 0, 0),
            Value::Date(2024, 2, 29, 23, 59, 59, 999_999),
            Value::Date(2024, 2, 29, 12, 0, 1, 123_000),
            Value::Time(true, 34, 22, 59, 59, 1),
            Value::Bytes(vec![0x0f, 0xff]),
            text("é😀"),
            text("it's \\ \"q\""),
            Value::Bytes(vec![0, 255, 39, 92]),
            text(&"words ".repeat(10_000)),
            Value::Bytes((0..=255).collect()),
            text("b"),
            text("x,y"),
            text(r#"{"a": [1, 2.5, null]}"#),
        ]),
        all([
            Value::Int(0),
            Value::UInt(0),
            Value::Int(0),
            Value::UInt(0),
            Value::Int(0),
            Value::UInt(0),
            Value::Int(0),
            Value::UInt(0),
            Value::Int(0),
            Value::UInt(0),
            Value::Float(0.0),
            Value::Double(0.0),
            text("0"),
            Value::Int(1901),
            Value::Date(0, 0, 0, 0, 0, 0, 0),
            Value::Date(0, 0, 0, 0, 0, 0, 0),
            text("1970-01-02 00:00:00.001"),
            Value::Time(false, 0, 0, 0, 0, 0),
            Value::Bytes(vec![0, 0]),
            text(""),
            text(""),
            Value::Bytes(vec![]),
            text(""),
            Value::Bytes(vec![]),
            text("a"),
            text(""),
            text("[]"),
        ]),
    ]
}

#[tokio::test]
async fn all_types_there_and_back() {
    let world = World::new("ps_types").await;
    let mut both = Both::new(&world).await;
    both.text("SET sql_mode = '', time_zone = '+00:00'").await;
    both.text(TYPES).await;
    let places = vec!["?"; COLUMNS].join(", ");
    let insert = format!("INSERT INTO t1 VALUES ({places})");
    for (row, values) in extremes().into_iter().enumerate() {
        for copy in 0..3 {
            let id = i64::try_from(row * 10 + copy).expect("a small number");
            let values: Vec<Value> = std::iter::once(Value::Int(id)).chain(values.clone()).collect();
            both.same(&insert, &values).await;
        }
    }
    both.same("SELECT * FROM t1 ORDER BY id", &[]).await;
    both.same("SELECT * FROM t1 WHERE id = ?", &[Value::Int(11)]).await;
    both.same("SELECT * FROM t1 WHERE id IN (?, ?, ?) ORDER BY id DESC", &[1, 10, 21].map(Value::Int)).await;
    for column in ["n", "at", "t", "v", "big_u", "d", "bits", "kind", "f", "y"] {
        both.same(&format!("SELECT id, {column} FROM t1 ORDER BY {column}, id"), &[]).await;
        both.same(&format!("SELECT {column}, COUNT(*) FROM t1 GROUP BY {column} ORDER BY {column}"), &[])
            .await;
        // Over several nodes the least member of an ENUM is not told.
        if column != "kind" {
            both.same(
                &format!("SELECT MIN({column}), MAX({column}) FROM t1 WHERE id > ?"),
                &[Value::Int(-1)],
            )
            .await;
        }
    }
    let one_of_each =
        "SELECT SUM(n), SUM(big), AVG(plain), SUM(d), COUNT(doc) FROM t1 WHERE id IN (0, ?, 20)";
    both.same(one_of_each, &[Value::Int(10)]).await;
    for (column, value) in [
        ("n", text("0")),
        ("big_u", Value::UInt(u64::MAX)),
        ("at", Value::Date(2024, 2, 29, 23, 59, 59, 999_999)),
        ("t", Value::Time(true, 34, 22, 59, 59, 1)),
        ("v", text("it's \\ \"q\"")),
        ("bytes", Value::Bytes((0..=255).collect())),
    ] {
        both.same(&format!("SELECT id FROM t1 WHERE {column} = ? ORDER BY id"), &[value]).await;
    }
}

#[tokio::test]
async fn a_row_is_found_by_every_type_of_value() {
    let world = World::new("ps_route").await;
    let mut both = Both::new(&world).await;
    both.text("CREATE TABLE t1 (id BIGINT NOT NULL PRIMARY KEY, v INT)").await;
    both.text("CREATE TABLE c1 (code VARCHAR(20) COLLATE utf8mb4_bin NOT NULL PRIMARY KEY, v INT)").await;
    both.text("CREATE TABLE n1 (id INT UNSIGNED NOT NULL PRIMARY KEY, v INT)").await;
    for id in 0..20 {
        let by = [Value::Int(id), Value::UInt(id.unsigned_abs()), text(&id.to_string())];
        let value = by[usize::try_from(id % 3).expect("small")].clone();
        for table in ["t1", "n1"] {
            both.same(&format!("INSERT INTO {table} VALUES (?, ?)"), &[value.clone(), Value::Int(id)]).await;
        }
        both.same("INSERT INTO c1 VALUES (?, ?)", &[text(&format!("k{id}")), value]).await;
    }
    for id in [0_i64, 7, 19, 20] {
        for value in [
            Value::Int(id),
            Value::UInt(id.unsigned_abs()),
            text(&id.to_string()),
            text(&format!(" {id}")),
            text(&format!("{id}.0")),
            Value::Double(id as f64),
            Value::Float(id as f32),
            text(&format!("{id}.5")),
            Value::NULL,
            Value::Bytes(id.to_string().into_bytes()),
            Value::Double(id as f64 + 0.5),
        ] {
            // MySQL fits a statement to the first types that it is executed with.
            both.reconnect().await;
            for table in ["t1", "n1"] {
                both.same_rows(&format!("SELECT * FROM {table} WHERE id = ?"), from_ref(&value)).await;
                // MySQL takes the result for a number of the column's type, and what is out of range as the case arises.
                if !Flavour::from_env().is_mysql() {
                    both.same_rows(&format!("SELECT * FROM {table} WHERE id = -?"), from_ref(&value)).await;
                }
                both.same_rows(&format!("SELECT * FROM {table} WHERE id IN (?, 3)"), from_ref(&value)).await;
                both.same_rows(&format!("SELECT * FROM {table} WHERE id <=> ?"), from_ref(&value)).await;
                both.same_rows(&format!("SELECT * FROM {table} WHERE id BETWEEN ? AND 9"), from_ref(&value))
                    .await;
            }
        }
        for value in
            [text(&format!("k{id}")), text(&format!("K{id} ")), Value::Bytes(format!("k{id}").into())]
        {
            both.same_rows("SELECT * FROM c1 WHERE code = ?", &[value]).await;
        }
        both.same_rows("SELECT * FROM c1 WHERE code = ?", &[Value::Int(id)]).await;
    }
    both.same("UPDATE t1 SET v = v + ? WHERE id = ?", &[Value::Int(5), text("7")]).await;
    both.same("UPDATE t1 SET v = v + ?", &[text("1")]).await;
    both.same("DELETE FROM t1 WHERE id = ?", &[Value::UInt(7)]).await;
    both.same_rows("SELECT * FROM t1", &[]).await;
}

/// A time is one of the current day, and beside a moment texts are moments; as texts both would mean something else.
#[tokio::test]
async fn a_row_is_found_by_moments() {
    let world = World::new("ps_moments").await;
    let mut both = Both::new(&world).await;
    both.text("CREATE TABLE c1 (code VARCHAR(20) COLLATE utf8mb4_bin NOT NULL PRIMARY KEY, v INT)").await;
    both.text("CREATE TABLE events (id BIGINT NOT NULL, created_at DATETIME NOT NULL, PRIMARY KEY (id, created_at))")
        .await;
    both.text("INSERT INTO c1 VALUES ('2026-1-5', 1), ('2026-01-05', 2), ('10:11:12', 3), ('x', 4)").await;
    both.text(
        "INSERT INTO events VALUES (1, '2026-01-05 10:00:00'), (2, '2026-03-05 10:00:00'), (3, '2026-05-05')",
    )
    .await;
    let day = Value::Date(2026, 1, 5, 0, 0, 0, 0);
    let time = Value::Time(false, 0, 10, 11, 12, 0);
    for sql in [
        "SELECT COUNT(*) FROM events WHERE created_at < ?",
        "SELECT COUNT(*) FROM events WHERE created_at >= ?",
    ] {
        both.same(sql, from_ref(&time)).await;
        both.same(sql, from_ref(&day)).await;
    }
    both.same("SELECT id FROM events WHERE created_at = ?", &[Value::Date(2026, 3, 5, 10, 0, 0, 0)]).await;
    both.same_rows("SELECT v FROM c1 WHERE code = ?", from_ref(&day)).await;
    // How often servers warn of texts that are no times depends on how they look for them.
    both.same_values("SELECT v FROM c1 WHERE code = ? ORDER BY v", from_ref(&time)).await;
    both.same("INSERT INTO c1 VALUES (?, 9)", &[Value::Date(2026, 7, 8, 0, 0, 0, 0)]).await;
    both.text("SELECT HEX(code), v FROM c1 WHERE v = 9").await;
    both.text("SELECT v FROM c1 WHERE code = '2026-07-08'").await;
    both.same("SELECT v FROM c1 WHERE code = ? AND v > 0", &[text("2026-07-08")]).await;
}

#[tokio::test]
async fn the_types_of_one_client_change_nothing_for_another() {
    let world = World::new("ps_others").await;
    let mut one = world.client().await;
    one.must("CREATE TABLE audit (code VARCHAR(20) COLLATE utf8mb4_bin NOT NULL PRIMARY KEY)").await;
    one.must("INSERT INTO audit VALUES ('k1'), ('k7'), ('7')").await;
    let sql = "SELECT code FROM audit WHERE code = ? ORDER BY code";
    // A number is compared as a number: with 0, which is what k1 and k7 are then.
    for _ in 0..3 {
        assert_eq!(one.execute(sql, &[text("k7")]).await.rows(), [["k7"]]);
        assert_eq!(one.execute(sql, &[Value::Int(0)]).await.rows(), [["k1"], ["k7"]]);
        assert_eq!(one.execute(sql, &[Value::NULL]).await.rows(), [[""; 0]; 0]);
        assert_eq!(one.execute(sql, &[Value::Double(7.0)]).await.rows(), [["7"]]);
        assert_eq!(world.client().await.execute(sql, &[text("k7")]).await.rows(), [["k7"]]);
    }
}

#[tokio::test]
async fn over_all_nodes() {
    let world = World::new("ps_scatter").await;
    let mut both = Both::new(&world).await;
    both.text("CREATE TABLE t1 (id BIGINT NOT NULL PRIMARY KEY, g INT, s VARCHAR(20), n DECIMAL(10,2))")
        .await;
    let rows: Vec<Value> = (0..60)
        .flat_map(|id| {
            let g = if id % 7 == 0 { Value::NULL } else { Value::Int(id % 5) };
            [
                Value::Int(id),
                g,
                text(&format!("{}é", (b'a' + (id * 11 % 26) as u8) as char)),
                Value::Int(id * 3),
            ]
        })
        .collect();
    let places = vec!["(?, ?, ?, ?)"; 60].join(", ");
    both.same(&format!("INSERT INTO t1 VALUES {places}"), &rows).await;
    for node in 0..4 {
        assert_ne!(world.on_node(node, "SELECT COUNT(*) FROM $db.t1").await, ["0"], "rows on every node");
    }
    for (limit, offset) in [(5, 0), (5, 7), (0, 0), (100, 58)] {
        let window = [Value::Int(limit), Value::Int(offset)];
        both.same("SELECT id, s FROM t1 ORDER BY s, id LIMIT ? OFFSET ?", &window).await;
        both.same("SELECT g, s, id FROM t1 ORDER BY g DESC, id LIMIT ? OFFSET ?", &window).await;
    }
    let some = [Value::Int(10), Value::Int(50)];
    both.same("SELECT COUNT(*), SUM(n), AVG(n), MIN(s), MAX(g) FROM t1 WHERE id BETWEEN ? AND ?", &some)
        .await;
    both.same("SELECT g, COUNT(*), AVG(n), MAX(s) FROM t1 WHERE id > ? GROUP BY g ORDER BY g", &some[..1])
        .await;
    both.same("SELECT DISTINCT g FROM t1 WHERE id < ? ORDER BY g", &some[1..]).await;
    both.same(
        "SELECT g + ? AS x, n / ? FROM t1 WHERE s <> ? ORDER BY id",
        &[some[0].clone(), some[1].clone(), text("é")],
    )
    .await;
    both.same("SELECT COUNT(*) FROM t1 WHERE s LIKE ?", &[text("%é")]).await;
    both.same("SELECT COUNT(*) FROM t1 WHERE id = ? AND id = ?", &some).await;
    both.same("DELETE FROM t1 WHERE id < ?", &some[..1]).await;
    both.same("UPDATE t1 SET n = ? WHERE g = ?", &[text("1.25"), Value::Int(3)]).await;
    both.same_rows("SELECT * FROM t1", &[]).await;
}

/// HAVING is decided in the proxy where its parameters are exact numbers; with others a scratch server decides.
#[tokio::test]
async fn having_of_parameters() {
    for gathers in [false, true] {
        let world =
            if gathers { World::gathering("ps_having_g").await } else { World::new("ps_having").await };
        let mut both = Both::new(&world).await;
        both.text("CREATE TABLE t1 (id BIGINT NOT NULL PRIMARY KEY, g INT, n DECIMAL(10,2))").await;
        let rows: Vec<String> =
            (0..40).map(|id| format!("({id}, {}, {}.25)", id * id % 7, id % 11 - 5)).collect();
        both.text(&format!("INSERT INTO t1 VALUES {}", rows.join(", "))).await;
        let counted = "SELECT g, COUNT(*) AS c FROM t1 GROUP BY g HAVING c > ? ORDER BY g";
        let summed = "SELECT g, SUM(n) FROM t1 WHERE id < ? GROUP BY g HAVING SUM(n) BETWEEN ? AND ? ORDER BY g LIMIT ?";
        for least in [Value::Int(-1), Value::Int(5), Value::Int(11), Value::UInt(u64::MAX)] {
            both.same(counted, &[least]).await;
        }
        both.same(summed, &[Value::Int(30), Value::Int(-9), Value::Int(4), Value::Int(3)]).await;
        for least in [text("5"), text("5.5x"), Value::Double(5.5), Value::NULL] {
            if gathers {
                both.same_values(counted, &[least]).await;
            } else {
                let answer = both.proxy.execute(counted, &[least]).await;
                assert_eq!(answer.error_number(), 1235, "{answer:?}");
            }
        }
        // Two parameters are not the same because they are written alike.
        if gathers {
            let two = [Value::Int(1), Value::Int(3)];
            both.same_values("SELECT id, g > ? AS x FROM t1 ORDER BY g > ?, id", &two).await;
            let summed = "SELECT g, SUM(n > ?) FROM t1 GROUP BY g HAVING SUM(n > ?) > 2 ORDER BY g";
            both.same_values(summed, &two).await;
        }
        let plan = both.proxy.run(&format!("EXPLAIN FORMAT=SERVAL {}", counted.replace('?', "5"))).await;
        assert!(format!("{plan:?}").contains("Filter: column 2 > 5"), "{plan:?}");
    }
}

#[tokio::test]
async fn generated_ids_and_session_functions() {
    let world = World::new("ps_ids").await;
    let mut both = Both::new(&world).await;
    both.text(
        "CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL)",
    )
    .await;
    both.text(
        "CREATE TABLE plain (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL)",
    )
    .await;
    for table in ["users", "plain"] {
        let insert = format!("INSERT INTO {table} (name) VALUES (?)");
        for name in ["ada", "bob", "cy"] {
            both.same(&insert, &[text(name)]).await;
            both.same_values("SELECT LAST_INSERT_ID(), ROW_COUNT()", &[]).await;
        }
        both.same(&format!("INSERT INTO {table} (id, name) VALUES (?, ?)"), &[Value::NULL, text("dee")])
            .await;
        both.same_values("SELECT LAST_INSERT_ID()", &[]).await;
        both.same(&format!("INSERT INTO {table} (id, name) VALUES (?, ?)"), &[Value::Int(100), text("eve")])
            .await;
        both.same_values("SELECT LAST_INSERT_ID()", &[]).await;
        both.same(&format!("SELECT * FROM {table} WHERE id = LAST_INSERT_ID()"), &[]).await;
        both.same(&format!("SELECT * FROM {table} ORDER BY id"), &[]).await;
        both.same(&insert, &[Value::NULL]).await;
    }
    both.same_values("SELECT DATABASE(), ? + ROW_COUNT()", &[Value::Int(1)]).await;
    let id = both.proxy.execute("SELECT CONNECTION_ID()", &[]).await;
    assert_eq!(id.rows()[0][0], format!("Int({})", both.proxy.id()));
}

#[tokio::test]
async fn transactions_and_errors() {
    let world = World::new("ps_transactions").await;
    let mut both = Both::new(&world).await;
    both.text("CREATE TABLE t1 (id BIGINT NOT NULL PRIMARY KEY, v INT NOT NULL)").await;
    let insert = "INSERT INTO t1 VALUES (?, ?)";
    let row = |id, v| [Value::Int(id), Value::Int(v)];
    for end in ["COMMIT", "ROLLBACK"] {
        both.same_unless_mysql("BEGIN").await;
        both.same(insert, &row(1, 1)).await;
        both.same(insert, &row(2, 1)).await;
        both.same(insert, &row(2, 1)).await;
        both.same("SELECT * FROM t1 ORDER BY id", &[]).await;
        both.same_unless_mysql(end).await;
        both.same("SELECT * FROM t1 ORDER BY id", &[]).await;
    }
    both.same("SET autocommit = ?", &[Value::Int(0)]).await;
    both.same(insert, &row(3, 3)).await;
    both.same_unless_mysql("ROLLBACK").await;
    both.same("SET autocommit = 1", &[]).await;
    both.same("SELECT * FROM t1 WHERE id = ? FOR UPDATE", &[Value::Int(3)]).await;
    both.same("SELECT nosuch FROM t1 WHERE id = ?", &[Value::Int(3)]).await;
    both.same("SELECT * FROM nosuch WHERE id = ?", &[Value::Int(3)]).await;
    both.same("INSERT INTO t1 (id) VALUES (?)", &[Value::Int(9)]).await;
    both.same("SELECT ? / 0, CAST(? AS SIGNED)", &[Value::Int(1), text("1x")]).await;
    if !Flavour::from_env().is_mysql() {
        both.same_values("SHOW WARNINGS", &[]).await;
    }
    both.same("CREATE TABLE t2 (id BIGINT NOT NULL PRIMARY KEY)", &[]).await;
    both.same_values("DESCRIBE t2", &[]).await;
    both.same("DROP TABLE t2", &[]).await;
}

#[tokio::test]
async fn a_table_that_changes_under_its_statements() {
    let world = World::new("ps_alter").await;
    let mut both = Both::new(&world).await;
    both.text("CREATE TABLE t1 (id BIGINT NOT NULL PRIMARY KEY, v INT)").await;
    both.text("INSERT INTO t1 VALUES (1, 1), (2, 2), (3, 3), (4, 4)").await;
    for change in ["ADD COLUMN w VARCHAR(10) DEFAULT 'x'", "MODIFY v VARCHAR(20)", "DROP COLUMN w"] {
        both.same("SELECT * FROM t1 WHERE id = ?", &[Value::Int(1)]).await;
        both.same("SELECT * FROM t1 ORDER BY id", &[]).await;
        both.text(&format!("ALTER TABLE t1 {change}")).await;
        both.same("SELECT * FROM t1 WHERE id = ?", &[Value::Int(1)]).await;
        both.same("SELECT * FROM t1 ORDER BY id", &[]).await;
    }
    both.text("DROP TABLE t1").await;
    both.same("SELECT * FROM t1 WHERE id = ?", &[Value::Int(1)]).await;
    both.text("CREATE TABLE t1 (id VARCHAR(5) COLLATE utf8mb4_bin NOT NULL PRIMARY KEY)").await;
    both.same("SELECT * FROM t1 WHERE id = ?", &[Value::Int(1)]).await;
}

/// The servers' connections go, and with them what was prepared on them; the clients' statements stay.
#[tokio::test]
async fn statements_outlive_the_servers_connections() {
    let cluster = own_cluster().await;
    make_databases(&cluster, "ps_lost").await;
    let topology = Topology::new("ps_lost");
    let serval =
        ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("the proxy starts");
    let options = serval.client_options(APP.0, APP.1, Some("ps_lost"));
    let mut client = Client::connect("proxy", options).await;
    client.run("CREATE TABLE t1 (id BIGINT NOT NULL PRIMARY KEY, v INT)").await;
    client.run("INSERT INTO t1 VALUES (1, 10), (2, 20), (3, 30), (4, 40)").await;
    for round in 0..3 {
        for (sql, values, rows) in [
            ("SELECT v FROM t1 WHERE id = ?", vec![Value::Int(2)], 1),
            ("SELECT id, v FROM t1 WHERE v > ? ORDER BY id", vec![Value::Int(5)], 4),
        ] {
            let answer = client.execute(sql, &values).await;
            assert_eq!(answer.rows().len(), rows, "round {round}: {sql}");
        }
        for group in cluster.groups() {
            let ids = format!(
                "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '{}' AND ID <> CONNECTION_ID()",
                cluster.backend_user()
            );
            for id in group.primary().column::<u64>(&ids).await.expect("connections") {
                // One that has just gone is as good as one that is killed.
                let _ = group.primary().execute(&format!("KILL {id}")).await;
            }
        }
    }
}

#[tokio::test]
async fn by_name() {
    let world = World::new("ps_by_name").await;
    let mut both = Both::new(&world).await;
    both.text("CREATE TABLE t1 (id BIGINT NOT NULL PRIMARY KEY, v VARCHAR(20))").await;
    for sql in [
        "PREPARE ins FROM 'INSERT INTO t1 VALUES (?, ?), (?, ?)'",
        "SET @a = 1, @b = 'it''s', @c = 2, @d = NULL",
        "EXECUTE ins USING @a, @b, @c, @d",
        "EXECUTE ins USING @a, @b, @c, @d",
        "EXECUTE ins USING @a",
        "PREPARE sel FROM 'SELECT * FROM t1 WHERE id = ?'",
        "EXECUTE sel USING @a",
        "EXECUTE sel USING @c",
        "DEALLOCATE PREPARE sel",
        "EXECUTE sel USING @a",
        "DEALLOCATE PREPARE sel",
        "PREPARE sel FROM 'SELECT nosuch FROM t1'",
    ] {
        both.text(sql).await;
    }
}

#[tokio::test]
async fn many_clients_prepare_one_text() {
    if Flavour::from_env().is_mysql() {
        // Its counters are in a schema that the test servers go without.
        return;
    }
    // Servers of its own, whose counters nobody else moves.
    let (cluster, topology) = (own_cluster().await, Topology::new("ps_many"));
    make_databases(&cluster, &topology.schema).await;
    let serval =
        ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("the proxy starts");
    let options = || serval.client_options(APP.0, APP.1, Some(&topology.schema));
    let mut first = Client::connect("proxy", options()).await;
    first.must("CREATE TABLE t1 (id BIGINT NOT NULL PRIMARY KEY, v INT)").await;
    first.must("INSERT INTO t1 VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7), (8, 8)").await;
    let before = prepares(&cluster).await;
    for _ in 0..50 {
        let mut client = Client::connect("proxy", options()).await;
        for id in 1..=8 {
            let answer = client.execute("SELECT v FROM t1 WHERE id = ?", &[Value::Int(id)]).await;
            assert_eq!(answer.rows(), [[format!("Int({id})")]]);
        }
    }
    let made = prepares(&cluster).await - before;
    assert!(made <= 16, "{made} prepared on the servers for one text on four nodes");
    // Numbers that Serval gives are not part of the text either.
    first.must("CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20))").await;
    let before = prepares(&cluster).await;
    for name in 0..100 {
        first.execute("INSERT INTO users (name) VALUES (?)", &[text(&name.to_string())]).await;
        let answer = first.execute("SELECT name FROM users WHERE id = LAST_INSERT_ID()", &[]).await;
        assert_eq!(answer.rows(), [[name.to_string()]]);
    }
    let made = prepares(&cluster).await - before;
    assert!(made <= 32, "{made} prepared on the servers for two texts on four nodes");
}

/// How many statements were prepared on the primaries so far.
async fn prepares(cluster: &Cluster) -> u64 {
    let sql = "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'COM_STMT_PREPARE'";
    let mut sum = 0;
    for group in 0..2 {
        let values: Vec<String> = cluster.group(group).primary().column(sql).await.expect("a counter");
        sum += values[0].parse::<u64>().expect("a number");
    }
    sum
}
