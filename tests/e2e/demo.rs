//! `serval demo`, as a new user starts it.

use std::path::Path;
use std::time::{Duration, Instant};

use serval_testkit::{PortLease, ScratchDirectory, Supervised, serval_binary};
use serval_tests::Client;

/// Processes whose command line names this directory.
fn processes_in(directory: &Path) -> Vec<String> {
    let name = directory.display().to_string();
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    let commands = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let texts = commands.map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "));
    // The shells that supervise the servers name the same arguments.
    let servers = texts.filter(|text| text.contains(&name) && text.contains("--datadir"));
    servers.filter(|text| !text.starts_with("/bin/sh")).collect()
}

fn options(port: u16, user: &str, database: Option<&str>) -> mysql_async::OptsBuilder {
    mysql_async::OptsBuilder::default()
        .ip_or_hostname("127.0.0.1")
        .tcp_port(port)
        .user(Some(user))
        .pass(Some(user))
        .db_name(database)
        .prefer_socket(false)
}

#[tokio::test]
async fn starts_answers_and_leaves_nothing_behind() {
    let ports = [(); 3].map(|()| PortLease::take().expect("a port"));
    let [mysql, admin, http] = ports.each_ref().map(|port| port.number().to_string());
    let folder = ScratchDirectory::new(None).expect("a directory");
    // Whatever the demo makes elsewhere goes to its temporary directory, which is ours and must be empty at the end.
    let temporary = folder.path().join("tmp");
    std::fs::create_dir(&temporary).expect("a directory");
    let arguments = ["demo", "--port", &mysql, "--admin-port", &admin, "--http-port", &http];
    let log = folder.path().join("demo.log");
    let environment = [("TMPDIR", temporary.to_str().expect("a plain path"))];
    let binary = serval_binary().expect("the binary");
    let mut demo = Supervised::spawn(&binary, arguments, &environment, &log).expect("the demo");

    let deadline = Instant::now() + Duration::from_secs(90);
    while !demo.log().contains("Serval is running") {
        assert!(demo.ended().is_none() && Instant::now() < deadline, "{}", demo.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // The scratch server starts beside everything else.
    while processes_in(&temporary).len() < 5 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(processes_in(&temporary).len(), 5, "two groups of two servers, and the scratch server");

    let mut client = Client::connect("demo", options(ports[0].number(), "shop", Some("shop"))).await;
    assert_eq!(client.value("SELECT COUNT(*) FROM users").await, "200");
    let one = client.rows("SELECT id, name FROM users WHERE id = 7").await;
    assert_eq!(one.len(), 1);
    let sorted = client.rows("SELECT id FROM users ORDER BY id LIMIT 3").await;
    assert_eq!(sorted, [["1"], ["2"], ["3"]]);
    assert!(!client.rows("SELECT status, COUNT(*) FROM orders GROUP BY status").await.is_empty());
    assert!(!client.rows("EXPLAIN FORMAT=SERVAL SELECT * FROM users WHERE id = 7").await.is_empty());
    while client.run("SELECT COUNT(DISTINCT user_id) FROM orders").await.error_number() != 0 {
        assert!(Instant::now() < deadline, "{}", demo.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(client.value("SELECT COUNT(DISTINCT user_id) FROM orders").await, "200");
    client
        .must("INSERT INTO users (name, email, region_id, created_at) VALUES ('You', 'y@x', 1, NOW())")
        .await;
    let mut console = Client::connect("console", options(ports[1].number(), "admin", None)).await;
    assert_eq!(console.rows("show @@datanode").await.len(), 4);

    demo.signal("INT");
    let status = demo.wait(Duration::from_secs(30)).await.expect("a signal ends the demo");
    assert_eq!(status.code(), Some(0), "{}", demo.log());
    assert_eq!(processes_in(&temporary), Vec::<String>::new());
    let left: Vec<_> = std::fs::read_dir(&temporary).expect("the directory").flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}
