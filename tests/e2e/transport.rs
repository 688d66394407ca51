//! How clients reach the proxy: TLS, a Unix socket, compression, and many at once.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable as _;
use mysql_async::{ChangeUserOpts, Compression, Conn, OptsBuilder, SslOpts};
use serval_tests::clients::Certificate;
use serval_tests::raw::{RAW_USER_TOML, RawClient, Reaction};
use serval_tests::{APP, Client, Limits, Topology, World, eventually};
use tokio::sync::Semaphore;

/// `SHOW CREATE USER` of an account with the password "secret" on MySQL 9.7.
const MOVED: &str = "0x244124303041245E6C5B5564037C113A2E7F7C476B560B3F553346774469525131382F744E39334D2F3143457747687A6F\
    2F596D7539394C433143776573526B73366F527838";

/// A folder with a certificate in it, and the part of a configuration that names it.
fn certificate(folder: &Path) -> (Certificate, String) {
    let made = Certificate::make(folder);
    let tls = format!(
        "[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n",
        made.certificate.display(),
        made.key.display()
    );
    (made, tls)
}

fn over_tls(options: OptsBuilder, authority: &Path) -> OptsBuilder {
    let authority = std::fs::read(authority).expect("the authority");
    options.ssl_opts(
        SslOpts::default().with_root_certs(vec![authority.into()]).with_disable_built_in_roots(true),
    )
}

fn mariadb(arguments: &[String]) -> Output {
    Command::new("mariadb")
        .args(["--no-defaults", "--batch", "--skip-column-names"])
        .args(["-u", APP.0, &format!("-p{}", APP.1)])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the command-line client")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test]
async fn certificates_are_renewed_without_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, tls) = certificate(folder.path());
    let user = "[users.careful]\npassword = \"careful\"\nrequire_tls = true\n";
    let mut world = World::with(Topology { more: format!("{user}{tls}"), ..Topology::new("tls") }).await;
    let old = folder.path().join("old.pem");
    std::fs::copy(folder.path().join("authority.pem"), &old).expect("a copy");

    let careful = world.serval.client_options("careful", "careful", Some("tls"));
    let refused = Client::try_connect("proxy", careful.clone()).await.map(drop).expect_err("no TLS");
    assert_eq!(refused.error_number(), 3159, "{refused:?}");
    let mut early = Client::connect("proxy", over_tls(careful.clone(), &old)).await;
    assert_eq!(early.value("SELECT DATABASE()").await, "tls");

    let authority = certificate(folder.path()).0.authority;
    world.serval.signal("HUP");
    eventually("the new certificate is shown", Duration::from_secs(10), || async {
        Client::try_connect("proxy", over_tls(careful.clone(), &authority)).await.is_ok()
    })
    .await;
    assert!(Client::try_connect("proxy", over_tls(careful.clone(), &old)).await.is_err());
    assert_eq!(early.value("SELECT 1").await, "1");

    // A key that is missing is named, and what there was stays.
    std::fs::remove_file(folder.path().join("key.pem")).expect("the key");
    let refused = world.admin().await.run("reload @@config").await;
    assert!(refused.message().contains("key.pem"), "{refused:?}");
    let (other, _) = certificate(&tempfile::tempdir().expect("a folder").keep());
    std::fs::copy(other.key, folder.path().join("key.pem")).expect("another key");
    let refused = world.admin().await.run("reload @@config").await;
    assert!(refused.message().contains("tls.key"), "{refused:?}");
    let mut late = Client::connect("proxy", over_tls(careful, &authority)).await;
    assert_eq!(late.value("SELECT 1").await, "1");
}

#[tokio::test]
async fn the_command_line_client_over_tls_and_compressed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (made, tls) = certificate(folder.path());
    let world = World::with(Topology { more: tls, ..Topology::new("tls_cli") }).await;
    let port = format!("-P{}", world.serval.ports().mysql());
    let run = |more: &[&str], sql: &str| {
        let more = more.iter().map(|argument| (*argument).to_owned());
        let arguments: Vec<_> = ["-h127.0.0.1".to_owned(), port.clone()]
            .into_iter()
            .chain(more)
            .chain(["tls_cli".to_owned(), "-e".to_owned(), sql.to_owned()])
            .collect();
        text(&mariadb(&arguments))
    };
    let authority = format!("--ssl-ca={}", made.authority.display());
    let large = format!("SELECT LENGTH('{}')", "x".repeat(100_000));
    for more in [
        &["--compress"][..],
        &[&authority, "--ssl-verify-server-cert"],
        &[&authority, "--compress"],
        &[&authority, "--tls-version=TLSv1.2"],
    ] {
        assert_eq!(run(more, "SELECT DATABASE()").trim(), "tls_cli", "{more:?}");
        assert_eq!(run(more, &large).trim(), "100000", "{more:?}");
    }
    let status = run(&[&authority], "\\s");
    assert!(status.contains("Cipher in use is TLS_"), "{status}");
    let status = run(&["--compress", "--skip-ssl"], "\\s");
    assert!(status.contains("Not in use"), "{status}");
}

#[tokio::test]
async fn compressed_rows_of_all_sizes() {
    let world = World::new("compressed").await;
    let options = world.client_options().compression(Compression::default());
    let mut client = Client::connect("proxy", options).await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v LONGTEXT)").await;
    for (id, length) in [(1, 0), (2, 10), (3, 60), (4, 100_000), (5, 3_000_000)] {
        client.must(&format!("INSERT INTO t1 VALUES ({id}, '{}')", "xyz".repeat(length / 3))).await;
    }
    let rows = client.rows("SELECT id, LENGTH(v), v FROM t1 ORDER BY id").await;
    let lengths: Vec<_> = rows.iter().map(|row| (row[1].clone(), row[2].len().to_string())).collect();
    assert!(lengths.iter().all(|(told, got)| told == got), "{lengths:?}");
    assert_eq!(lengths.len(), 5);
    assert_eq!(client.run("SELECT nosuch FROM t1").await.error_number(), 1054);
    assert_eq!(client.value("SELECT COUNT(*) FROM t1").await, "5");
}

#[tokio::test]
async fn a_unix_socket_comes_and_goes_with_the_proxy() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("serval.sock");
    // As a process that died would leave it.
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket"));
    let listen = format!("socket = \"{}\"\n", path.display());
    let more = format!("[users.moved]\nverifier = \"{MOVED}\"\nrequire_tls = true\n");
    let mut world = World::with(Topology { listen, more, ..Topology::new("socket") }).await;
    let socket = format!("-S{}", path.display());
    let output = mariadb(&[socket.clone(), "socket".to_owned(), "-e".to_owned(), "SELECT USER()".to_owned()]);
    assert_eq!(text(&output).trim(), "app@localhost");
    let wrong = mariadb(&[socket, "-pwrong".to_owned(), "-e".to_owned(), "SELECT 1".to_owned()]);
    assert!(text(&wrong).contains("Access denied for user 'app'@'localhost'"), "{}", text(&wrong));

    let options = OptsBuilder::default().socket(Some(path.display().to_string()));
    let options = options.user(Some("moved")).pass(Some("secret")).db_name(Some("socket"));
    let mut client = Client::connect("proxy", options).await;
    assert_eq!(client.value("SELECT 1").await, "1");
    drop(client);

    world.serval.signal("TERM");
    assert!(world.serval.wait(Duration::from_secs(15)).await.is_some_and(|status| status.success()));
    assert!(!path.exists());
}

/// An account as it stood on a MySQL server: the password goes encrypted once, and then a hash is enough.
#[tokio::test]
async fn accounts_move_from_mysql() {
    let more = format!("[users.moved]\nverifier = \"{MOVED}\"\n");
    let listen = "auth_plugin = \"caching_sha2_password\"\n".to_owned();
    let world = World::with(Topology { listen, more, ..Topology::new("moved") }).await;
    let options = |password| world.serval.client_options("moved", password, Some("moved"));
    let wrong = Client::try_connect("proxy", options("wrong")).await.map(drop).expect_err("a wrong password");
    assert_eq!(wrong.error_number(), 1045, "{wrong:?}");
    for _ in 0..2 {
        assert_eq!(Client::connect("proxy", options("secret")).await.value("SELECT 1").await, "1");
    }
    let wrong = Client::try_connect("proxy", options("wrong")).await.map(drop).expect_err("a wrong password");
    assert_eq!(wrong.error_number(), 1045, "{wrong:?}");
}

#[tokio::test]
async fn a_connection_changes_its_user() {
    let more = "[users.other]\npassword = \"other\"\nschemas = [\"changes\"]\n".to_owned();
    let world = World::with(Topology { more, ..Topology::new("changes") }).await;
    let mut connection = Conn::new(world.client_options()).await.expect("a connection");
    connection.query_drop("SET @v = 5").await.expect("a variable");
    connection.query_drop("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY)").await.expect("a table");
    connection.query_drop("BEGIN").await.expect("a transaction");
    connection.query_drop("INSERT INTO t1 VALUES (1)").await.expect("a row");
    let change = |password: &str| {
        ChangeUserOpts::new()
            .with_user(Some("other".to_owned()))
            .with_pass(Some(password.to_owned()))
            .with_db_name(Some("changes".to_owned()))
    };
    connection.change_user(change("other")).await.expect("another user");
    let row: Option<(String, String, Option<u32>, u32)> =
        connection.query_first("SELECT USER(), DATABASE(), @v, CONNECTION_ID()").await.expect("a row");
    let (user, schema, variable, id) = row.expect("a row");
    assert_eq!(
        (user.as_str(), schema.as_str(), variable, id),
        ("other@127.0.0.1", "changes", None, connection.id())
    );
    let count: Option<u32> = connection.query_first("SELECT COUNT(*) FROM t1").await.expect("a count");
    assert_eq!(count, Some(0));
    let refused = connection.change_user(change("wrong")).await.expect_err("a wrong password");
    assert!(refused.to_string().contains("1045"), "{refused}");
    assert!(connection.query_drop("SELECT 1").await.is_err());
}

/// A packet of many frames is copied a few times, not once for each.
#[tokio::test]
async fn a_statement_of_64_megabytes() {
    let limits = Limits { max_packet: "128MB", ..Limits::default() };
    let world = World::with(Topology { limits, ..Topology::new("large") }).await;
    let mut connection =
        Conn::new(world.client_options().max_allowed_packet(Some(128 << 20))).await.expect("a connection");
    let sql = format!("SHOW DATABASES /* {} */", "x".repeat(70 << 20));
    let begun = Instant::now();
    let schemas: Vec<String> = connection.query(sql).await.expect("an answer");
    assert!(schemas.contains(&"large".to_owned()), "{schemas:?}");
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

/// Five thousand clients come at once, and stay; somebody who was there first does not notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_clients() {
    const CLIENTS: usize = 5000;
    let limits = Limits { max_connections: CLIENTS + 100, ..Limits::default() };
    let world =
        World::with(Topology { limits, more: RAW_USER_TOML.to_owned(), ..Topology::new("many") }).await;
    let mut bystander = world.client().await;
    let before = resident_kilobytes(world.serval.pid());
    let (port, schema) = (world.serval.ports().mysql(), world.schema.clone());
    // The kernel's queue of a listener is shorter than five thousand; a client that finds it full tries again.
    let places = Arc::new(Semaphore::new(500));
    let connecting: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (places, schema) = (Arc::clone(&places), schema.clone());
            tokio::spawn(async move {
                let _place = places.acquire_owned().await;
                RawClient::login(port, &schema).await
            })
        })
        .collect();
    let mut clients = Vec::with_capacity(CLIENTS);
    for client in connecting {
        clients.push(client.await.expect("a connection"));
    }
    let begun = Instant::now();
    assert_eq!(bystander.value("SELECT 1").await, "1");
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    // Buffers are given back after a second of silence.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let each = resident_kilobytes(world.serval.pid()).saturating_sub(before) / CLIENTS as u64;
    assert!(each < 32, "an idle client takes {each} kB");
    let last = clients.last_mut().expect("a client");
    assert!(matches!(last.command(b"\x0e").await, Reaction::Answer(_)));
}

fn resident_kilobytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the proxy runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}
