//! LOAD DATA LOCAL INFILE: the same files through the proxy and into one plain server.

use std::path::PathBuf;
use std::time::Duration;

use mysql_async::{Conn, WhiteListFsHandler, prelude::Queryable as _};
use serval_tests::{Answer, Client, Topology, World, eventually};

/// A file, and a client of each side that may send it.
struct Both {
    proxy: Client,
    oracle: Client,
    file: tempfile::NamedTempFile,
}

impl Both {
    async fn new(world: &World) -> Both {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let allow = || Some(WhiteListFsHandler::new([PathBuf::from(file.path())]));
        let oracle = world.shared.oracle.group(0).primary().backend_options();
        let oracle = oracle.db_name(Some(&world.schema)).local_infile_handler(allow());
        let proxy = world.client_options().local_infile_handler(allow());
        Both {
            proxy: Client::connect("proxy", proxy).await,
            oracle: Client::connect("oracle", oracle).await,
            file,
        }
    }

    async fn same(&mut self, sql: &str) -> Answer {
        let (proxy, oracle) = (self.proxy.run(sql).await, self.oracle.run(sql).await);
        assert_eq!(proxy, oracle, "{sql}");
        proxy
    }

    /// A query whose columns are described in different words.
    async fn same_rows(&mut self, sql: &str) {
        let (proxy, oracle) = (self.proxy.run(sql).await, self.oracle.run(sql).await);
        assert_eq!(proxy.rows(), oracle.rows(), "{sql}");
    }

    /// Loads `content`; `sql` is the statement, in which `$file` stands for the file's name.
    async fn load(&mut self, sql: &str, content: &[u8]) -> Answer {
        std::fs::write(self.file.path(), content).expect("a file");
        let sql = sql.replace("$file", &self.file.path().display().to_string());
        let answer = self.same(&sql).await;
        assert!(matches!(answer, Answer::Done { .. }), "{sql}: {answer:?}");
        answer
    }

    /// What the proxy alone says.
    async fn refused(&mut self, sql: &str, content: &[u8]) -> Answer {
        std::fs::write(self.file.path(), content).expect("a file");
        let sql = sql.replace("$file", &self.file.path().display().to_string());
        let answer = self.proxy.run(&sql).await;
        assert!(matches!(answer, Answer::Refused { .. }), "{sql}: {answer:?}");
        assert!(!answer.message().contains(&format!("{}_", "load_")), "{answer:?}");
        assert_eq!(self.proxy.run("SELECT 1").await.rows(), [["1"]], "the connection goes on");
        answer
    }
}

const T1: &str = "CREATE TABLE t1 (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(200), n INT, at DATE, b VARBINARY(50)) \
                  DEFAULT CHARSET utf8mb4";

#[tokio::test]
async fn files_of_every_form_into_shards() {
    let world = World::new("load_forms").await;
    let mut both = Both::new(&world).await;
    both.same(T1).await;
    both.load(
        "LOAD DATA LOCAL INFILE '$file' INTO TABLE t1",
        b"1\tone\t10\t2026-01-01\tx\n2\t\\N\t\\N\t\\N\t\\N\n3\ta\\tb\\\nc\\\\\t3\t2026-02-03\t\\0\\Z\n",
    )
    .await;
    let csv = "id,name,n\r\n4,\"a \"\"quoted\"\", comma\",1\r\n5,\"two\r\nlines\",2\r\n6,\"\",NULL\r\n7,ü\u{1f600},\\N";
    both.load(
        "LOAD DATA LOCAL INFILE '$file' INTO TABLE t1 CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' \
         LINES TERMINATED BY '\\r\\n' IGNORE 1 LINES (id, name, n)",
        csv.as_bytes(),
    )
    .await;
    both.load(
        "LOAD DATA LOCAL INFILE '$file' INTO TABLE t1 CHARACTER SET binary FIELDS TERMINATED BY '||' ENCLOSED BY '' ESCAPED BY '' \
         LINES STARTING BY '>>' TERMINATED BY ';\\n' (name, id, b)",
        b"junk >>eight||8||\xff\xfe\\n;\nno row;\n>>nine||9||;\n",
    )
    .await;
    both.load(
        "LOAD DATA LOCAL INFILE '$file' INTO TABLE t1 CHARACTER SET latin1 (id, name)",
        b"10\t\xe9t\xe9\n",
    )
    .await;
    // Too many fields, too few, wrong values: the servers' own warnings, added up.
    both.load("LOAD DATA LOCAL INFILE '$file' INTO TABLE t1", b"11\tx\tmany\tnever\t\tmore\n12\n13\ty\t1\n")
        .await;
    both.load("LOAD DATA LOCAL INFILE '$file' INTO TABLE t1", b"").await;
    both.same("SELECT id, name, n, at, HEX(b) FROM t1 ORDER BY id").await;
    both.same("SELECT COUNT(*) FROM t1").await;
    for node in 0..4 {
        assert_ne!(world.on_node(node, "SELECT COUNT(*) FROM $db.t1").await, ["13"], "the rows are divided");
    }
}

#[tokio::test]
async fn warnings_can_be_shown() {
    let world = World::new("load_warnings").await;
    let mut both = Both::new(&world).await;
    both.same(T1).await;
    both.load("LOAD DATA LOCAL INFILE '$file' INTO TABLE t1 (id, n)", b"1\tx\n").await;
    both.same_rows("SHOW WARNINGS").await;
    both.same("CREATE TABLE plain (a INT)").await;
    both.load("LOAD DATA LOCAL INFILE '$file' INTO TABLE plain", b"x\n1\ty\n").await;
    both.same_rows("SHOW WARNINGS").await;
}

#[tokio::test]
async fn duplicates() {
    let world = World::new("load_duplicates").await;
    let mut both = Both::new(&world).await;
    both.same(T1).await;
    let rows: String = (1..=40).map(|id| format!("{id}\tfirst\n")).collect();
    both.load("LOAD DATA LOCAL INFILE '$file' INTO TABLE t1 (id, name)", rows.as_bytes()).await;
    let rows = rows.replace("first", "second") + "41\tsecond\n41\tthird\n";
    both.load("LOAD DATA LOCAL INFILE '$file' IGNORE INTO TABLE t1 (id, name)", rows.as_bytes()).await;
    both.same("SELECT id, name FROM t1 ORDER BY id").await;
    both.load("LOAD DATA LOCAL INFILE '$file' REPLACE INTO TABLE t1 (id, name)", rows.as_bytes()).await;
    both.same_rows("SELECT ROW_COUNT()").await;
    both.same("SELECT id, name FROM t1 ORDER BY id").await;
}

#[tokio::test]
async fn one_node_and_copies_and_months() {
    let world = World::new("load_places").await;
    let mut both = Both::new(&world).await;
    both.same("CREATE TABLE plain (id INT PRIMARY KEY, v TEXT)").await;
    both.load("LOAD DATA LOCAL INFILE '$file' INTO TABLE plain IGNORE 1 LINES", b"id\tv\n1\ta\n2\tb\n2\tc\n")
        .await;
    both.same("SELECT * FROM plain ORDER BY id").await;
    both.same("CREATE TABLE regions (id INT PRIMARY KEY, name VARCHAR(20))").await;
    both.load("LOAD DATA LOCAL INFILE '$file' INTO TABLE regions", b"1\tnorth\n2\tsouth\n").await;
    for node in 0..4 {
        assert_eq!(world.on_node(node, "SELECT name FROM $db.regions ORDER BY id").await, ["north", "south"]);
    }
    both.same("DROP TABLE regions").await;
    both.same("CREATE TABLE regions (id INT PRIMARY KEY, u CHAR(36) DEFAULT (UUID()))").await;
    both.load("LOAD DATA LOCAL INFILE '$file' INTO TABLE regions", b"1\tnorth\n2\tsouth\n").await;
    let refused = both.refused("LOAD DATA LOCAL INFILE '$file' INTO TABLE regions (id)", b"3\n").await;
    assert!(refused.message().contains("default of u"), "{refused:?}");
    both.same("CREATE TABLE events (id INT, created_at DATE NOT NULL, v INT)").await;
    both.load(
        "LOAD DATA LOCAL INFILE '$file' INTO TABLE events FIELDS TERMINATED BY ','",
        b"1,2026-01-15,1\n2,2026-02-15,2\n3,2026-01-31,3\n4,2026-12-01,\\N\n",
    )
    .await;
    both.same("SELECT * FROM events ORDER BY id").await;
}

#[tokio::test]
async fn numbers_of_a_server() {
    let world = World::new("load_server_numbers").await;
    let mut both = Both::new(&world).await;
    both.same("CREATE TABLE plain (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, u INT, v INT)").await;
    both.same("INSERT INTO plain VALUES (70, 1, 1)").await;
    both.load("LOAD DATA LOCAL INFILE '$file' INTO TABLE plain (v, u)", b"1\t2\n3\t4\n").await;
    both.same_rows("SELECT LAST_INSERT_ID()").await;
    both.load("LOAD DATA LOCAL INFILE '$file' INTO TABLE plain (v, @u) SET u = @u + 1", b"1\t2\n").await;
    both.same_rows("SELECT LAST_INSERT_ID(), @u").await;
    both.load("LOAD DATA LOCAL INFILE '$file' INTO TABLE plain", b"100\t1\t2\n").await;
    both.same_rows("SELECT LAST_INSERT_ID()").await;
}

#[tokio::test]
async fn read_only_until_something_was_read() {
    let world = World::new("load_read_only").await;
    let mut both = Both::new(&world).await;
    both.same("CREATE TABLE plain (id INT NOT NULL PRIMARY KEY)").await;
    both.same(T1).await;
    both.same("SET TRANSACTION READ ONLY").await;
    for table in ["plain", "plain", "t1 (id)", "t1 (id)"] {
        let sql = format!("LOAD DATA LOCAL INFILE '$file' INTO TABLE {table}");
        let answer = both.refused(&sql, b"1\n").await;
        assert!(answer.message().contains("READ ONLY"), "{answer:?}");
    }
}

#[tokio::test]
async fn numbers_of_a_sequence() {
    let world = World::new("load_numbers").await;
    let mut both = Both::new(&world).await;
    both.same("CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50))").await;
    both.load("LOAD DATA LOCAL INFILE '$file' INTO TABLE users (name)", b"a\nb\nc\n").await;
    both.same_rows("SELECT LAST_INSERT_ID()").await;
    both.same("SELECT id, name FROM users ORDER BY id").await;
    let csv = b"\"0\",d\n\\N,\"e\"\n100,f\n,x\n";
    both.load(
        "LOAD DATA LOCAL INFILE '$file' INTO TABLE users FIELDS TERMINATED BY ',' ENCLOSED BY '\"'",
        &csv[..csv.len() - 3],
    )
    .await;
    both.load(
        "LOAD DATA LOCAL INFILE '$file' INTO TABLE users LINES STARTING BY '* ' (name)",
        b"* g\n-- * h\n",
    )
    .await;
    both.same("SELECT name FROM users ORDER BY id").await;
    let mut ids = both.proxy.run("SELECT id FROM users").await.rows().to_vec();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 8);
    let refused = both.refused("LOAD DATA LOCAL INFILE '$file' INTO TABLE users", b"many\tx\n").await;
    assert!(refused.message().contains("AUTO_INCREMENT"), "{refused:?}");
}

#[tokio::test]
async fn variables_and_set() {
    let world = World::new("load_variables").await;
    let mut both = Both::new(&world).await;
    both.same(T1).await;
    both.load(
        "LOAD DATA LOCAL INFILE '$file' INTO TABLE t1 (id, @skipped, @n) SET n = @n * 2, name = CONCAT('<', UPPER(@skipped), '>')",
        b"1\ta\t1\n2\tb\t2\n3\tc\t3\n",
    )
    .await;
    both.same("SELECT id, n, name FROM t1 ORDER BY id").await;
    both.same("SELECT @skipped, @n").await;
    both.same("CREATE TABLE plain (a INT, b INT)").await;
    both.load("LOAD DATA LOCAL INFILE '$file' INTO TABLE plain (@v, b) SET a = @v + 1", b"1\t2\n5\t6\n")
        .await;
    both.same("SELECT @v, a, b FROM plain ORDER BY a").await;
}

#[tokio::test]
async fn transactions_hold_files_too() {
    let world = World::new("load_transactions").await;
    let mut both = Both::new(&world).await;
    both.same(T1).await;
    let rows: String = (1..=20).map(|id| format!("{id}\tx\n")).collect();
    for end in ["ROLLBACK", "COMMIT"] {
        both.same("BEGIN").await;
        both.load("LOAD DATA LOCAL INFILE '$file' INTO TABLE t1 (id, name)", rows.as_bytes()).await;
        both.same("SELECT COUNT(*) FROM t1").await;
        both.same(end).await;
        both.same("SELECT COUNT(*) FROM t1").await;
    }
    both.same("SET autocommit = 0").await;
    both.load("LOAD DATA LOCAL INFILE '$file' INTO TABLE t1 (id, name)", b"21\ty\n").await;
    both.same("ROLLBACK").await;
    both.same("SELECT COUNT(*) FROM t1").await;
}

// limits[writes]: LOAD DATA INFILE of a server's own file; LOAD XML | LOAD DATA LOCAL INFILE
// limits[writes]: LOAD DATA LOCAL into several shards or copies: of a row without a value for the sharding column, or with one that would be stored as another (1526); that column through an `@variable` or in SET; SET in global tables, or with a subquery | a field of its own, in the list of columns
// limits[writes]: … with fields of fixed width, lines without an end, delimiters that are not ASCII, a file in gbk, big5, sjis or UTF-16 | utf8mb4, separated by ASCII
// limits[writes]: … with text that is not ASCII for the sharding column, in other character sets than utf8mb4 and utf8mb3 | CHARACTER SET utf8mb4
#[tokio::test]
async fn what_cannot_be_done_is_said_and_does_nothing() {
    let world = World::new("load_refused").await;
    let mut both = Both::new(&world).await;
    both.same(T1).await;
    let mut says = async |sql: &str, content: &[u8], text: &str| {
        let answer = both.refused(sql, content).await;
        assert!(answer.message().contains(text), "{sql}: {answer:?}");
    };
    says("LOAD DATA INFILE '$file' INTO TABLE t1", b"", "LOCAL").await;
    says("LOAD DATA LOCAL INFILE '$file' INTO TABLE t1 (@id, name) SET id = @id", b"1\n", "SET").await;
    says("LOAD DATA LOCAL INFILE '$file' INTO TABLE t1 (@id, name)", b"1\n", "sharding column").await;
    says("LOAD DATA LOCAL INFILE '$file' INTO TABLE t1 (id, name) SET n = (SELECT 1)", b"1\n", "subquery")
        .await;
    says("LOAD DATA LOCAL INFILE '$file' INTO TABLE t1 CHARACTER SET gbk", b"1\n", "utf8mb4").await;
    says("LOAD DATA LOCAL INFILE '$file' INTO TABLE t1 FIELDS TERMINATED BY ''", b"1\n", "fixed width").await;
    says("LOAD DATA LOCAL INFILE '$file' INTO TABLE t1 LINES TERMINATED BY ''", b"1\n", "lines").await;
    // After rows that could be placed, and before megabytes that nobody wants.
    let mut long: Vec<u8> = (1..1000).flat_map(|id| format!("{id}\tx\n").into_bytes()).collect();
    long.extend_from_slice(b"\\N\tx\n");
    long.extend(std::iter::repeat_n(&b"7\tpadding\n"[..], 500_000).flatten());
    says("LOAD DATA LOCAL INFILE '$file' INTO TABLE t1", &long, "(row 1000 of the file)").await;
    says("LOAD DATA LOCAL INFILE '$file' INTO TABLE t1", b"1\nabc\tx\n", "(row 2 of the file)").await;
    says("LOAD DATA LOCAL INFILE '$file' INTO TABLE nothing", b"1\n", "doesn't exist").await;
    both.same("SELECT COUNT(*) FROM t1").await;
}

#[tokio::test]
async fn limits_of_rows_and_of_the_spool() {
    let mut topology = Topology::new("load_limits");
    topology.more = "\n".to_owned();
    let world = World::with(topology).await;
    let mut both = Both::new(&world).await;
    both.same(T1).await;
    let mut endless = b"1,\"".to_vec();
    endless.resize(80 << 20, b'x');
    let sql = "LOAD DATA LOCAL INFILE '$file' INTO TABLE t1 FIELDS TERMINATED BY ',' ENCLOSED BY '\"'";
    let answer = both.refused(sql, &endless).await;
    assert!(answer.message().contains("Row 1 of the file is longer"), "{answer:?}");
}

/// A named pipe, in a directory that lasts as long as the test holds it.
fn pipe() -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo");
    assert!(made.success());
    (directory, path)
}

/// A client that goes away in the middle of its file leaves nothing behind.
#[tokio::test]
async fn a_client_that_disappears() {
    let world = World::new("load_gone").await;
    let mut both = Both::new(&world).await;
    both.same(T1).await;
    both.same("CREATE TABLE plain (id BIGINT PRIMARY KEY, name VARCHAR(200))").await;
    for table in ["plain", "t1"] {
        let (_directory, path) = pipe();
        let handler = WhiteListFsHandler::new([path.clone()]);
        let options = world.client_options().local_infile_handler(Some(handler));
        let mut conn = Conn::new(options).await.expect("a connection");
        let sql = format!("LOAD DATA LOCAL INFILE '{}' INTO TABLE {table} (id, name)", path.display());
        let loading = tokio::spawn(async move { conn.query_drop(sql).await });
        // Opening waits for the client, which waits for the proxy to ask.
        let mut pipe = tokio::task::spawn_blocking(move || std::fs::File::create(path).expect("the pipe"))
            .await
            .unwrap();
        std::io::Write::write_all(&mut pipe, b"1\tx\n2\ty\n").expect("some rows");
        tokio::time::sleep(Duration::from_millis(300)).await;
        loading.abort();
        drop(pipe);
        let _ = loading.await;
        eventually("no row is there and none is locked", Duration::from_secs(20), || async {
            let mut client = world.client().await;
            client.run("SET innodb_lock_wait_timeout = 1").await;
            let inserted = client.run(&format!("INSERT INTO {table} (id) VALUES (1), (2)")).await;
            let gone = client.run(&format!("DELETE FROM {table}")).await;
            matches!(inserted, Answer::Done { .. }) && matches!(gone, Answer::Done { affected: 2, .. })
        })
        .await;
    }
}

/// Files of random bytes in random formats: what the proxy takes it divides as a server reads it.
#[tokio::test]
async fn random_files() {
    const FORMATS: [&str; 7] = [
        "",
        "FIELDS TERMINATED BY ',' ENCLOSED BY '\"'",
        "FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' LINES TERMINATED BY '\\r\\n'",
        "FIELDS TERMINATED BY ',' ENCLOSED BY '\"' ESCAPED BY '\"'",
        "FIELDS TERMINATED BY ',,' ESCAPED BY '' LINES STARTING BY 'ab' TERMINATED BY ';;'",
        "FIELDS TERMINATED BY '\"' ENCLOSED BY ',' LINES TERMINATED BY 'N\\n'",
        "FIELDS TERMINATED BY '' ENCLOSED BY '\"' IGNORE 2 LINES",
    ];
    const PIECES: [&str; 16] =
        [",", ",", "\"", "\"", "\\", "\n", "\r\n", "\t", "N", "NULL", "ab", "a", "é", ";;", "\\N", "7"];
    let world = World::new("load_random").await;
    let mut both = Both::new(&world).await;
    both.same("CREATE TABLE c1 (code VARBINARY(250) NOT NULL, v VARCHAR(250), w VARBINARY(250)) DEFAULT CHARSET utf8mb4").await;
    let (mut seed, mut taken) = (20_261_120_u64, 0);
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).expect("31 bits") % below
    };
    for round in 0..150 {
        let content: String = (0..random(60)).map(|_| PIECES[random(PIECES.len())]).collect();
        std::fs::write(both.file.path(), &content).expect("a file");
        let columns = ["", "(code)", "(v, code)", "(@x, code, w)"][random(4)];
        let format = FORMATS[round % FORMATS.len()];
        let sql = format!(
            "LOAD DATA LOCAL INFILE '{}' INTO TABLE c1 CHARACTER SET utf8mb4 {format} {columns}",
            both.file.path().display()
        );
        let proxy = both.proxy.run(&sql).await;
        if matches!(proxy.error_number(), 1048 | 1235) {
            // A row without a key, which one server stores under an empty one.
            continue;
        }
        let oracle = both.oracle.run(&sql).await;
        assert_eq!(proxy, oracle, "{sql}\n{content:?}");
        taken += 1;
        let rows = "SELECT HEX(code), HEX(v), HEX(w) FROM c1 ORDER BY HEX(code), HEX(v), HEX(w)";
        let rows = [both.proxy.run(rows).await, both.oracle.run(rows).await];
        assert_eq!(rows[0].rows(), rows[1].rows(), "{sql}\n{content:?}");
        both.same("TRUNCATE c1").await;
    }
    assert!(taken > 50, "only {taken} were taken");
}

/// KILL QUERY in the middle of a file: the client hears of it behind its file, and its connection goes on.
#[tokio::test]
async fn a_killed_file() {
    let world = World::new("load_killed").await;
    let mut both = Both::new(&world).await;
    both.same(T1).await;
    both.same("CREATE TABLE plain (id BIGINT PRIMARY KEY, name VARCHAR(200))").await;
    for table in ["plain", "t1"] {
        let (_directory, path) = pipe();
        let handler = WhiteListFsHandler::new([path.clone()]);
        let options = world.client_options().local_infile_handler(Some(handler));
        let mut client = Client::connect("proxy", options).await;
        let id = client.run("SELECT CONNECTION_ID()").await.rows()[0][0].clone();
        let sql = format!("LOAD DATA LOCAL INFILE '{}' INTO TABLE {table} (id, name)", path.display());
        let loading = tokio::spawn(async move {
            let answer = client.run(&sql).await;
            (answer, client.run("SELECT 1").await)
        });
        let pipe = tokio::task::spawn_blocking(move || std::fs::File::create(path).expect("the pipe"));
        let mut pipe = pipe.await.expect("opened");
        std::io::Write::write_all(&mut pipe, b"1\tx\n2\ty\n").expect("some rows");
        tokio::time::sleep(Duration::from_millis(300)).await;
        both.proxy.run(&format!("KILL QUERY {id}")).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        std::io::Write::write_all(&mut pipe, b"3\tx\n4\ty\n").expect("more rows");
        drop(pipe);
        let (answer, next) = loading.await.expect("two answers");
        assert_eq!(answer.error_number(), 1317, "{answer:?}");
        assert_eq!(next.rows(), [["1"]]);
        eventually("nothing is left", Duration::from_secs(20), || async {
            let mut client = world.client().await;
            client.run("SET innodb_lock_wait_timeout = 1").await;
            let inserted = client.run(&format!("INSERT INTO {table} (id) VALUES (1), (2)")).await;
            let gone = client.run(&format!("DELETE FROM {table}")).await;
            matches!(inserted, Answer::Done { .. }) && matches!(gone, Answer::Done { affected: 2, .. })
        })
        .await;
    }
}
