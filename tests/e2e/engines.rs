//! A table on a server of another kind: Debian's Sphinx, which speaks MySQL's protocol as far as it needs.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serval_testkit::PortLease;
use serval_tests::{Answer, Client, Topology, World, eventually};

/// A private `searchd` with one full-text index that is written to like a table.
struct Sphinx {
    process: Child,
    port: PortLease,
    place: tempfile::TempDir,
}

impl Sphinx {
    fn start() -> Self {
        let (place, port) = (tempfile::tempdir().expect("a directory"), PortLease::take().expect("a port"));
        let process = launch(place.path(), port.number());
        Self { process, port, place }
    }

    fn kill(&mut self) {
        self.process.kill().expect("searchd is killed");
        self.process.wait().expect("searchd is gone");
    }

    fn again(&mut self) {
        self.process = launch(self.place.path(), self.port.number());
    }
}

impl Drop for Sphinx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn launch(place: &Path, port: u16) -> Child {
    let at = place.display();
    let config = format!(
        "index hits_rt\n{{\n type = rt\n path = {at}/hits\n rt_field = title\n rt_attr_string = title\n \
         rt_attr_uint = price\n rt_attr_float = score\n}}\n\
         searchd\n{{\n listen = 127.0.0.1:{port}:mysql41\n log = {at}/log\n pid_file = {at}/pid\n workers = threads\n \
         binlog_path = {at}\n}}\n"
    );
    let file = place.join("sphinx.conf");
    std::fs::write(&file, config).expect("the config is written");
    let mut command = Command::new("searchd");
    command.args(["--nodetach", "--config"]).arg(file);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("searchd is installed")
}

const PRODUCTS: usize = 40;

/// A proxy over sharded `products` and the full-text table `product_search`; `more` is of the engine.
async fn world(schema: &str, sphinx: &Sphinx, more: &str) -> World {
    let port = sphinx.port.number();
    let engine = format!(
        "product_search = {{ engine = \"search\", table = \"hits_rt\" }}\n\
         [engines.search]\naddress = \"127.0.0.1:{port}\"\n{more}\n"
    );
    let topology = Topology { more: engine, ..World::gathering_topology(schema).await };
    let world = World::with(topology).await;
    let mut client = world.client().await;
    client
        .must("CREATE TABLE products (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(40) NOT NULL, stock INT NOT NULL)")
        .await;
    let rows: Vec<String> = (1..=PRODUCTS).map(|id| format!("({id}, 'product {id}', {})", id % 5)).collect();
    client.must(&format!("INSERT INTO products VALUES {}", rows.join(", "))).await;
    let up = || async { world.client().await.run("SELECT id FROM product_search").await.error_number() == 0 };
    eventually("searchd answers", Duration::from_secs(20), up).await;
    world
}

/// Writes the products' texts through the proxy, in Sphinx's own way.
async fn fill(client: &mut Client) {
    for id in 1..=PRODUCTS {
        let (colour, thing) = (["red", "blue", "green"][id % 3], ["shoes", "hat"][id % 2]);
        let sql = format!(
            "REPLACE INTO product_search (id, title, price, score) VALUES ({id}, '{colour} {thing}', {}, 0.5)",
            id * 10
        );
        client.must(&sql).await;
    }
}

fn cells(answer: Answer) -> Vec<Vec<String>> {
    match answer {
        Answer::Rows { rows, .. } => rows,
        other => panic!("no rows: {other:?}"),
    }
}

#[tokio::test]
async fn an_engine_answers_in_its_own_language() {
    let sphinx = Sphinx::start();
    let world = world("engine_own", &sphinx, "").await;
    let mut client = world.client().await;
    fill(&mut client).await;
    // MATCH with one argument, weight(), OPTION and FACET are nobody else's.
    let sql = "SELECT id, weight() AS w FROM product_search WHERE MATCH('red shoes') ORDER BY id ASC LIMIT 3 OPTION \
               ranker=bm25";
    let found: Vec<String> = cells(client.run(sql).await).into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(found, ["6", "12", "18"]);
    let qualified = "SELECT price FROM `engine_own`.product_search WHERE id = 7";
    assert_eq!(client.value(qualified).await, "70");
    let described = cells(client.run("DESC product_search").await);
    assert!(described.iter().any(|row| row[0] == "price" && row[1] == "uint"), "{described:?}");
    client.must("UPDATE product_search SET price = 71 WHERE id = 7").await;
    client.must("SET @seven = 7").await;
    assert_eq!(client.value("SELECT price FROM product_search WHERE id = @seven").await, "71");
    client.must("DELETE FROM product_search WHERE id = 7").await;
    assert!(cells(client.run("SELECT id FROM product_search WHERE id = 7").await).is_empty());
    // Its errors are its own, without the NUL behind them and in the client's names.
    let wrong = client.run("SELECT nosuch FROM product_search").await;
    assert!(wrong.error_number() == 1064 && !wrong.message().ends_with('\0'), "{wrong:?}");
    assert!(!wrong.message().contains("hits_rt"), "{wrong:?}");
    let metrics = serval_tests::get(world.serval.ports().http(), "/metrics").await.body;
    let value = |name: &str| {
        let line = metrics.lines().find(|line| line.starts_with(&format!("{name}{{engine=\"")));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).unwrap_or(-1.0)
    };
    assert!(value("serval_engine_queries_total") > 5.0, "{metrics}");
    assert!(value("serval_engine_up") == 1.0 && value("serval_engine_errors_total") >= 1.0, "{metrics}");
    assert_eq!(client.value("SELECT COUNT(*) FROM products").await, PRODUCTS.to_string());
}

#[tokio::test]
async fn hits_join_with_sharded_tables() {
    let sphinx = Sphinx::start();
    let world = world("engine_join", &sphinx, "").await;
    let mut client = world.client().await;
    fill(&mut client).await;
    let hits = "(SELECT id, weight() AS w, price, score, title FROM product_search WHERE MATCH('red shoes') LIMIT 100)";
    let joined = cells(
        client
            .run(&format!(
                "SELECT p.id, p.name, hits.price, hits.title, hits.score FROM {hits} AS hits JOIN products p ON p.id = hits.id \
                 WHERE p.stock > 0 ORDER BY p.id"
            ))
            .await,
    );
    let expect: Vec<Vec<String>> = (1..=PRODUCTS)
        .filter(|id| id % 6 == 0 && id % 5 > 0)
        .map(|id| {
            vec![
                id.to_string(),
                format!("product {id}"),
                (id * 10).to_string(),
                "red shoes".into(),
                "0.5".into(),
            ]
        })
        .collect();
    assert_eq!(joined, expect);
    // In the place of a value, of a common table expression, and twice.
    for (sql, expect) in [
        ("SELECT COUNT(*) FROM products WHERE id IN (SELECT id FROM product_search WHERE MATCH('hat') LIMIT 100)".to_owned(), "20"),
        (format!("WITH h AS {hits} SELECT SUM(h.price) FROM h JOIN products u USING (id)"), "1260"),
        (
            "SELECT COUNT(*) FROM products u LEFT JOIN (SELECT id FROM product_search WHERE MATCH('red') LIMIT 100) r ON r.id = \
             u.id LEFT JOIN (SELECT id FROM product_search WHERE MATCH('blue') LIMIT 100) b ON b.id = u.id WHERE r.id IS \
             NULL AND b.id IS NULL"
                .to_owned(),
            "13",
        ),
        (format!("SELECT COUNT(*) FROM products u, {hits} AS h WHERE u.id = h.id"), "6"),
    ] {
        assert_eq!(client.value(&sql).await, expect, "{sql}");
    }
    // Only the products that were hit are read.
    let explain =
        format!("EXPLAIN FORMAT=SERVAL SELECT p.name FROM {hits} AS hits JOIN products p ON p.id = hits.id");
    let plan: Vec<String> = cells(client.run(&explain).await).concat();
    assert!(plan.iter().any(|line| line.contains("Held 6 rows")), "{plan:?}");
    // In a transaction its own rows are seen beside them.
    client.must("BEGIN").await;
    client.must("UPDATE products SET name = 'new' WHERE id = 6").await;
    let sql = format!("SELECT p.name FROM {hits} AS hits JOIN products p ON p.id = hits.id WHERE p.id = 6");
    assert_eq!(client.value(&sql).await, "new");
    client.must("ROLLBACK").await;
    assert_eq!(client.value(&sql).await, "product 6");
}

// limits[reads anywhere]: a table of an [engine](operations.md#engines) beside others outside of a SELECT of its own in parentheses, or in a statement that writes; INTO, `:=`, prepared statements (1295), LOCK TABLES and clients that do not speak UTF-8 for such tables | `(SELECT … FROM engine_table WHERE …) AS hits JOIN …`; statements as text
#[tokio::test]
async fn what_an_engine_cannot_do_is_refused() {
    let sphinx = Sphinx::start();
    let world = world("engine_no", &sphinx, "rows = 10").await;
    let mut client = world.client().await;
    fill(&mut client).await;
    for (sql, number, text) in [
        (
            "SELECT * FROM products p JOIN product_search s ON s.id = p.id WHERE MATCH('red')",
            1235,
            "in a SELECT of its own in parentheses",
        ),
        (
            "INSERT INTO products SELECT id, title, 1 FROM (SELECT id, title FROM product_search) h",
            1235,
            "read the engine's rows first",
        ),
        ("SELECT id INTO @x FROM product_search LIMIT 1", 1235, "without INTO"),
        (
            "SELECT COUNT(*) FROM products u JOIN (SELECT id FROM product_search LIMIT 30) h ON h.id = u.id",
            3170,
            "`rows` and `limit` of [engines.search]",
        ),
    ] {
        let answer = client.run(sql).await;
        assert!(answer.error_number() == number && answer.message().contains(text), "{sql}: {answer:?}");
    }
    let prepared = client.execute("SELECT id FROM product_search WHERE id = ?", &[1.into()]).await;
    assert!(prepared.error_number() == 1295 && prepared.message().contains("engine"), "{prepared:?}");
    for begin in ["BEGIN", "SET autocommit = 0"] {
        client.must(begin).await;
        let written = client.run("DELETE FROM product_search WHERE id = 1").await;
        assert!(written.message().contains("takes part in no transaction"), "{written:?}");
        assert_eq!(client.value("SELECT id FROM product_search WHERE id = 1").await, "1");
        client.must("ROLLBACK").await;
    }
}

#[tokio::test]
async fn an_engine_that_is_down_disturbs_nobody_else() {
    let mut sphinx = Sphinx::start();
    let world = world("engine_down", &sphinx, "timeout = \"2s\"").await;
    let mut client = world.client().await;
    fill(&mut client).await;
    sphinx.kill();
    let join = "SELECT COUNT(*) FROM (SELECT id FROM product_search WHERE MATCH('red') LIMIT 99) h JOIN products u USING (id)";
    for sql in ["SELECT id FROM product_search", join] {
        let answer = client.run(sql).await;
        assert!(answer.error_number() == 1429 && answer.message().contains("search"), "{answer:?}");
    }
    assert_eq!(client.value("SELECT COUNT(*) FROM products").await, PRODUCTS.to_string());
    let shown = cells(world.admin().await.run("show @@datasource").await);
    let line = shown.iter().find(|row| row[1] == "engine search").expect("the console shows it");
    assert_eq!(line[6], "down");
    sphinx.again();
    let back = || async { world.client().await.run(join).await.error_number() == 0 };
    eventually("the engine is back", Duration::from_secs(20), back).await;

    // One that takes connections and says nothing: the time limit of the engine, and KILL before it.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
    let port = silent.local_addr().expect("an address").port();
    let config = std::fs::read_to_string(world.serval.config_path()).expect("the config");
    let old = format!("127.0.0.1:{}", sphinx.port.number());
    let config = config.replace(&old, &format!("127.0.0.1:{port}"));
    std::fs::write(world.serval.config_path(), config).expect("the config is written");
    world.admin().await.must("reload @@config").await;
    let answer = client.run("SELECT id FROM product_search").await;
    assert!(answer.error_number() == 1429 && answer.message().contains("search"), "{answer:?}");
    assert_eq!(client.value("SELECT COUNT(*) FROM products").await, PRODUCTS.to_string());
}

/// An engine that lets everybody in and answers each statement with these bytes.
fn scripted(answer: &'static [u8]) -> u16 {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            std::thread::spawn(move || {
                let mut greeting =
                    b"\x0a1.0-scripted\0\x01\0\0\x00abcdefgh\0\x08\x82\x21\x02\0\0\0\x15".to_vec();
                greeting.extend_from_slice(b"\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0");
                let mut packet = vec![greeting.len() as u8, 0, 0, 0];
                packet.extend_from_slice(&greeting);
                let _ = stream.write_all(&packet);
                let mut input = [0; 4096];
                let _ = stream.read(&mut input);
                let _ = stream.write_all(b"\x07\0\0\x02\0\0\0\x02\0\0\0");
                while stream.read(&mut input).is_ok_and(|read| read > 0) {
                    if stream.write_all(answer).is_err() || !answer.is_empty() {
                        return;
                    }
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn silence_and_broken_answers_end() {
    let tables = |silent: u16, torn: u16| {
        format!(
            "quiet = {{ engine = \"silent\" }}\nbroken = {{ engine = \"torn\" }}\n[engines.silent]\naddress = \
             \"127.0.0.1:{silent}\"\ntimeout = \"2s\"\n[engines.torn]\naddress = \"127.0.0.1:{torn}\"\n"
        )
    };
    // One column is announced, and the connection ends.
    let more = tables(scripted(b""), scripted(b"\x01\0\0\x01\x01\x20\0\0\x02abc"));
    let world = World::with(Topology { more, ..Topology::new("engine_silent") }).await;
    let mut client = world.client().await;
    let late = client.run("SELECT * FROM quiet").await;
    assert!(late.error_number() == 3024 && late.message().contains("silent"), "{late:?}");
    let torn = client.run("SELECT * FROM broken").await;
    assert!(torn.error_number() == 1429 && torn.message().contains("torn"), "{torn:?}");
    let (id, mut other) = (client.id(), world.client().await);
    let kill = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        other.must(&format!("KILL QUERY {id}")).await;
    };
    let (killed, ()) = tokio::join!(client.run("SELECT * FROM quiet"), kill);
    assert_eq!(killed.error_number(), 1317, "{killed:?}");
    assert_eq!(client.value("SELECT 1").await, "1");
}
