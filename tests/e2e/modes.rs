//! sql_mode: of the servers themselves, of a session, and of a statement that was prepared before.

use mysql_async::Value;
use serval_testkit::{Cluster, ClusterSpec, Flavour, ServalProcess};
use serval_tests::{APP, Client, Topology, World, make_databases};

/// What the servers are configured with decides how a session's texts are read that sets nothing.
#[tokio::test]
async fn the_servers_own_mode_is_that_of_sessions() {
    let mut spec = ClusterSpec::new(Flavour::from_env(), 2, 0);
    spec.options = vec!["--sql-mode=NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,NO_AUTO_VALUE_ON_ZERO".to_owned()];
    let cluster = Cluster::start(spec).await.expect("the servers start");
    let topology = Topology::new("modes");
    make_databases(&cluster, &topology.schema).await;
    let serval =
        ServalProcess::start(|ports| topology.toml(&cluster, ports)).await.expect("the proxy starts");
    let mut client =
        Client::connect("proxy", serval.client_options(APP.0, APP.1, Some(&topology.schema))).await;
    client.must("CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20))").await;
    for _ in 0..2 {
        client.must(r"INSERT INTO users VALUES (0, 'a\'), (7, 'b' || 'c\')").await;
        let rows =
            client.rows(r"SELECT name || '\' FROM users WHERE name = 'a\' OR id IN (7, 8) ORDER BY id").await;
        assert_eq!(rows, [[r"a\\"], [r"bc\\"]]);
        assert_eq!(client.value("SELECT MIN(id) FROM users").await, "0");
        client.must("DELETE FROM users").await;
        client.must("SET sql_mode = ''").await;
        assert_eq!(client.value(r"SELECT 'it\'s'").await, "it's");
        client.must("SET sql_mode = DEFAULT").await;
    }
}

/// A prepared statement is read as when it was prepared, and does what the session wants now.
#[tokio::test]
async fn what_was_prepared_is_read_as_then_and_does_as_now() {
    let world = World::new("modes_prepared").await;
    for mut client in [world.client().await, world.oracle().await] {
        client.must("CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, n TINYINT)").await;
        client.must("SET sql_mode = 'ANSI_QUOTES,STRICT_ALL_TABLES'").await;
        let quoted = r#"SELECT "n" FROM "users" WHERE "id" = ?"#;
        let insert = r#"INSERT INTO "users" VALUES (?, 1000)"#;
        client.execute(quoted, &[Value::Int(1)]).await;
        assert_eq!(client.execute(insert, &[Value::Int(1)]).await.error_number(), 1264);
        // Neither mode reads the other's texts, but 1000 is 127 now, and 0 is 0.
        client.must("SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'").await;
        assert_eq!(client.execute(insert, &[Value::Int(1)]).await.error_number(), 0);
        assert_eq!(client.execute(insert, &[Value::Int(0)]).await.error_number(), 0);
        assert_eq!(client.execute(quoted, &[Value::Int(0)]).await.rows(), [["Int(127)"]]);
        assert_eq!(client.execute(quoted, &[Value::Int(1)]).await.rows(), [["Int(127)"]]);
        // And the other way round.
        let plain = "INSERT INTO users VALUES (?, 1000)";
        client.execute(plain, &[Value::Int(2)]).await;
        client.must("SET sql_mode = 'ANSI_QUOTES,STRICT_ALL_TABLES'").await;
        assert_eq!(client.execute(plain, &[Value::Int(3)]).await.error_number(), 1264);
    }
}

/// What MySQL looks up once for a statement is not another session's.
#[tokio::test]
async fn what_a_server_looks_up_once_is_the_sessions_own() {
    let world = World::new("modes_once").await;
    let mut first = world.client().await;
    first.must("CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY)").await;
    first.must("INSERT INTO users VALUES (1)").await;
    let (mut second, mut oracle) = (world.client().await, world.oracle().await);
    oracle.must("CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY)").await;
    oracle.must("INSERT INTO users VALUES (1)").await;
    let sql = "SELECT id / 3, DATE_FORMAT('2026-03-01', '%W'), WEEK('2026-01-04') FROM users WHERE id = ?";
    let variable = "SELECT @a + 0, @a FROM users WHERE id = ?";
    first.must("SET @a = 1").await;
    first.execute(sql, &[Value::Int(1)]).await;
    first.execute(variable, &[Value::Int(1)]).await;
    for client in [&mut second, &mut oracle] {
        client
            .must("SET div_precision_increment = 9, lc_time_names = 'de_DE', default_week_format = 3")
            .await;
        client.must("SET @a = '1.5x'").await;
    }
    for sql in [sql, variable] {
        let answer = second.execute(sql, &[Value::Int(1)]).await;
        assert_eq!(answer.rows(), oracle.execute(sql, &[Value::Int(1)]).await.rows(), "{sql}");
    }
}
