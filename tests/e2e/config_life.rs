//! The life of a config: versions, rollback, dry run, and what a reload refuses.

use std::path::PathBuf;
use std::time::Duration;

use serval_testkit::ServalProcess;
use serval_tests::{ADMIN, Answer, Topology, World, eventually};

/// The usual topology with versions of the config.
fn kept(schema: &str) -> Topology {
    Topology { more: "[versions]\ndirectory = \"versions\"\nkeep = 5\n".to_owned(), ..Topology::new(schema) }
}

fn text(world: &World) -> String {
    std::fs::read_to_string(world.serval.config_path()).expect("the config")
}

fn write(world: &World, text: &str) {
    std::fs::write(world.serval.config_path(), text).expect("write the config");
}

fn directory(world: &World) -> PathBuf {
    world.serval.config_path().parent().expect("a directory").join("versions")
}

fn shell(world: &World, arguments: &[&str]) -> serval_testkit::Finished {
    let address = format!("127.0.0.1:{}", world.serval.ports().admin());
    let secret = world.serval.config_path().with_file_name("admin.secret");
    std::fs::write(&secret, format!("{}\n", ADMIN.1)).expect("a file");
    let secret = secret.display().to_string();
    let mut all = vec!["admin", "--address", &address, "--user", ADMIN.0, "--password-file", &secret];
    all.extend(arguments);
    ServalProcess::run_to_end(all).expect("serval admin")
}

fn says(answer: &Answer, words: &[&str]) {
    let message = answer.message();
    for word in words {
        assert!(message.contains(word), "{word} in: {message}");
    }
}

#[tokio::test]
async fn versions_are_kept_shown_compared_and_rolled_back_to() {
    let world = World::with(kept("versions")).await;
    let mut admin = world.admin().await;
    let first = text(&world);
    let versions = admin.rows("show @@config.versions").await;
    assert_eq!(versions.len(), 1, "{versions:?}");
    assert_eq!((&*versions[0][0], &*versions[0][2], &*versions[0][5]), ("1", "start", "running"));

    write(&world, &first.replace("query_timeout = \"30s\"", "query_timeout = \"31s\""));
    let said = admin.rows("reload @@config").await.concat().join("\n");
    assert!(said.contains("limits.query_timeout: 30s → 31s") && said.contains("version 2"), "{said}");
    let said = admin.rows("reload @@config").await.concat().join("\n");
    assert!(!said.contains("version 3"), "nothing is different, and that is no version: {said}");
    let versions = admin.rows("show @@config.versions").await;
    assert_eq!(versions.len(), 2, "{versions:?}");
    assert_eq!((&*versions[1][2], &*versions[1][3], &*versions[1][5]), ("admin", "reload", "running"));
    let difference = admin.rows("show @@config.diff 1 2").await;
    assert_eq!(difference, [["~ limits.query_timeout: 30s → 31s"]]);
    let shown = admin.rows("show @@config.version 1").await.concat().join("\n");
    assert!(shown.contains("query_timeout = \"30s\""), "{shown}");
    assert!(!shown.contains("app-secret") && !shown.contains("admin-secret"), "no secrets: {shown}");

    let said = admin.rows("rollback @@config to 1").await.concat().join("\n");
    assert!(said.contains("limits.query_timeout: 31s → 30s"), "{said}");
    assert_eq!(text(&world), first, "the file, too, or the next start would undo it");
    let versions = admin.rows("show @@config.versions").await;
    assert_eq!(versions.last().map(|row| row[3].as_str()), Some("rollback to 1"), "{versions:?}");
    // Without a number: the one before the running one.
    admin.must("rollback @@config").await;
    assert!(text(&world).contains("31s"));
    says(&admin.run("rollback @@config to 77").await, &["no version 77", "nothing has changed"]);

    for round in 0..6 {
        write(&world, &first.replace("\"30s\"", &format!("\"{}s\"", 40 + round)));
        admin.must("reload @@config").await;
    }
    let numbers: Vec<String> =
        admin.rows("show @@config.versions").await.into_iter().map(|mut row| row.remove(0)).collect();
    assert_eq!(numbers, ["6", "7", "8", "9", "10"], "five are kept");
    let files = std::fs::read_dir(directory(&world)).expect("the versions").count();
    assert_eq!(files, 5, "and nothing else lies there");
}

#[tokio::test]
async fn sighup_makes_versions_too() {
    let mut world = World::with(kept("versions_hup")).await;
    let changed = text(&world).replace("\"30s\"", "\"33s\"");
    write(&world, &changed);
    world.serval.signal("HUP");
    let newest = directory(&world).join("00000002.toml");
    eventually("a version", Duration::from_secs(10), async || newest.exists()).await;
    let written = std::fs::read_to_string(&newest).expect("the version");
    assert!(written.contains("# by SIGHUP\n") && written.ends_with(&changed), "{written}");
    let mut admin = world.admin().await;
    assert_eq!(admin.rows("show @@config.diff 1").await, [["~ limits.query_timeout: 30s → 33s"]]);
}

#[tokio::test]
async fn a_version_that_cannot_be_kept_is_not_put_into_effect() {
    let topology = kept("versions_full");
    let world = World::with(topology).await;
    let mut admin = world.admin().await;
    // Whatever the reason is, a disk that is full or a place that is taken.
    std::fs::remove_dir_all(directory(&world)).expect("remove the versions");
    std::fs::write(directory(&world), "no directory").expect("write");
    let before = text(&world);
    write(&world, &before.replace("\"30s\"", "\"35s\""));
    says(&admin.run("reload @@config").await, &["cannot make the versions", "nothing has changed"]);
    assert_eq!(world.client().await.value("SELECT 1").await, "1");
    std::fs::remove_file(directory(&world)).expect("remove");
    let said = admin.rows("reload @@config").await.concat().join("\n");
    assert!(said.contains("30s → 35s"), "it was not in effect before: {said}");
}

#[tokio::test]
async fn two_proxies_share_their_versions() {
    let place = serval_testkit::ScratchDirectory::new(None).expect("a directory");
    let more = format!("[versions]\ndirectory = \"{}\"\nkeep = 100\n", place.path().display());
    let world = World::with(Topology { more: more.clone(), ..Topology::new("versions_two") }).await;
    let topology = Topology { more, ..Topology::new("versions_two") };
    let other =
        ServalProcess::start(|ports| topology.toml(&world.shared.cluster, ports)).await.expect("another");
    let (mut one, mut two) = (world.admin().await, {
        serval_tests::Client::connect("console", other.admin_options(ADMIN.0, ADMIN.1)).await
    });
    let (first, second) = (text(&world), std::fs::read_to_string(other.config_path()).expect("the config"));
    for round in 40..50 {
        write(&world, &first.replace("\"30s\"", &format!("\"{round}s\"")));
        std::fs::write(other.config_path(), second.replace("\"30s\"", &format!("\"{round}s\"")))
            .expect("write");
        let (a, b) = tokio::join!(one.run("reload @@config"), two.run("reload @@config"));
        assert_eq!((a.error_number(), b.error_number()), (0, 0), "{a:?} {b:?}");
    }
    let versions = one.rows("show @@config.versions").await;
    assert_eq!(versions.len(), 22, "two starts and ten reloads of each: {versions:?}");
    assert!(versions.iter().all(|row| row[1].starts_with("20")), "all of them whole: {versions:?}");
    assert_eq!(versions.iter().filter(|row| row[5] == "running").count(), 1);
}

#[tokio::test]
async fn a_rule_that_would_strand_rows_is_refused_unless_forced() {
    let world = World::with(kept("stranded")).await;
    let mut client = world.client().await;
    client.must("CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20))").await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    let rows: Vec<String> = (1..=200).map(|id| format!("({id}, 'u{id}')")).collect();
    client.must(&format!("INSERT INTO users (id, name) VALUES {}", rows.join(", "))).await;
    let before = text(&world);
    let users = r#"users       = { rule = "by_user", column = "id", auto_increment = "segment" }"#;
    let moved = before.replace(users, r#"users = { rule = "by_number", column = "id" }"#);
    assert_ne!(before, moved);

    let mut admin = world.admin().await;
    // The table without rows may get any rule.
    write(
        &world,
        &before.replace("\"t[1-9]\"    = { rule = \"by_id\" }", "\"t[1-9]\" = { rule = \"by_number\" }"),
    );
    admin.must("reload @@config").await;
    client.must("INSERT INTO t1 VALUES (1, 1), (2, 2), (3, 3), (4, 4)").await;
    let with_t1 = text(&world);

    write(&world, &with_t1.replace(users, r#"users = { rule = "by_number", column = "id" }"#));
    let refused = admin.run("reload @@config").await;
    says(
        &refused,
        &["stranded.users", "by_user", "by_number", "of 200 rows", "force", "nothing has changed"],
    );
    assert_eq!(client.value("SELECT name FROM users WHERE id = 7").await, "u7");
    let tried = admin.rows("dry run @@config").await;
    assert!(tried.iter().any(|row| row[0] == "obstacle" && row[1].contains("stranded.users")), "{tried:?}");
    assert_eq!(client.value("SELECT name FROM users WHERE id = 8").await, "u8", "it was only tried");

    admin.must("reload @@config force").await;
    let checked = admin.rows("check @@rows where schema = stranded and table = users").await;
    let misplaced: u64 = checked[0][3].parse().expect("a number");
    assert!(checked[0][2] == "200" && misplaced > 50, "{checked:?}");
    assert_eq!(checked.len(), 20, "the first of them: {checked:?}");
    let config = world.serval.config_path();
    let arguments = ["check".as_ref(), config.as_os_str(), "--rows".as_ref()];
    let ended = ServalProcess::run_to_end(arguments).expect("serval check --rows");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.output.contains("stranded.users") && ended.errors.contains("rows lie where"), "{ended:?}");

    // Back again, nothing is stranded: all rows are where the old rule puts them.
    admin.must("rollback @@config").await;
    let ended = ServalProcess::run_to_end(arguments).expect("serval check --rows");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(client.value("SELECT name FROM users WHERE id = 7").await, "u7");
}

#[tokio::test]
async fn rows_in_the_wrong_place_are_found_one_by_one() {
    let world = World::new("misplaced").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE n1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    let rows: Vec<String> = (0..40).map(|id| format!("({id}, 0)")).collect();
    client.must(&format!("INSERT INTO n1 VALUES {}", rows.join(", "))).await;
    // mod 4: 41 belongs on dn1.
    world
        .shared
        .cluster
        .group(1)
        .primary()
        .execute("INSERT INTO misplaced_2.n1 VALUES (41, 0)")
        .await
        .expect("a row");
    let mut admin = world.admin().await;
    let found = admin.rows("check @@rows where schema = 'misplaced' and table = 'n1'").await;
    let expected = ["misplaced", "n1", "41", "1", "0", "41", "dn2 (misplaced_2.n1)", "dn1 (misplaced_1.n1)"];
    assert_eq!(found, [expected]);
    let found = admin.rows("check @@rows where schema = 'misplaced' and table = 'n1' limit 3").await;
    assert_eq!((found[0][2].as_str(), found[0][3].as_str()), ("12+", "0"), "a sample: {found:?}");
    says(&admin.run("check @@rows where table = nosuch").await, &["no such table"]);
}

#[tokio::test]
async fn a_dry_run_names_the_statements_that_would_go_elsewhere() {
    let world = World::new("dry_run").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    client.must("CREATE TABLE t2 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    for id in 1..=30 {
        client.must(&format!("SELECT v FROM t1 WHERE id = {id}")).await;
        client.must(&format!("SELECT v FROM t2 WHERE id = {id}")).await;
    }
    let tables = "\"t[1-9]\"    = { rule = \"by_id\" }";
    write(
        &world,
        &text(&world).replace(tables, "t1 = { node = \"dn3\" }\n\"t[2-9]\" = { rule = \"by_id\" }"),
    );
    let mut admin = world.admin().await;
    let tried = admin.rows("dry run @@config").await;
    let routes: Vec<_> = tried.iter().filter(|row| row[0] == "route").collect();
    assert_eq!(routes.len(), 1, "{tried:?}");
    assert!(routes[0][1].contains("FROM t1") && routes[0][4].ends_with("dn3"), "{routes:?}");
    assert!(routes[0][2].parse::<u64>().expect("a number") >= 30, "{routes:?}");
    assert!(tried.iter().any(|row| row[0] == "change" && row[1].contains("dry_run.t1")), "{tried:?}");
}

#[tokio::test]
async fn groups_are_reordered_and_removed_while_transactions_run() {
    let world = World::new("leaving").await;
    let mut client = world.client().await;
    client.must("CREATE TABLE n1 (id INT NOT NULL PRIMARY KEY, v INT)").await;
    client.must("CREATE TABLE audit (id INT NOT NULL PRIMARY KEY)").await;
    client.must("INSERT INTO n1 VALUES (0, 0), (1, 1), (2, 2), (3, 3)").await;
    let before = text(&world);
    let (head, rest) = before.split_once("\n[groups.g0]").expect("g0");
    let (g0, rest) = rest.split_once("\n[groups.g1]").expect("g1");
    let (g1, tail) = rest.split_once("\n[nodes]").expect("nodes");

    let mut admin = world.admin().await;
    let mut open = world.client().await;
    open.must("BEGIN").await;
    open.must("UPDATE n1 SET v = v + 1 WHERE id = 0").await;
    write(&world, &format!("{head}\n[groups.g1]{g1}\n[groups.g0]{g0}\n[nodes]{tail}"));
    admin.must("reload @@config").await;
    open.must("UPDATE n1 SET v = v + 1 WHERE id IN (2, 3)").await;
    open.must("COMMIT").await;
    assert_eq!(client.value("SELECT SUM(v) FROM n1").await, "9");

    // Without its rows, g1 may go. Who began before goes on with it.
    let without = format!("{head}\n[groups.g0]{g0}\n[nodes]{tail}")
        .replace("dn[0-3]", "dn[0-1]")
        .replace("\"dn3\"", "\"dn1\"");
    let without: Vec<&str> = without.lines().filter(|line| !line.starts_with("\"dn[2-3]\"")).collect();
    write(&world, &without.join("\n"));
    says(&admin.run("reload @@config").await, &["leaving.n1", "by_number", "force"]);
    client.must("DELETE FROM n1").await;
    open.must("BEGIN").await;
    open.must("SELECT * FROM n1").await;
    admin.must("reload @@config").await;
    assert_eq!(open.value("SELECT COUNT(*) FROM n1").await, "0", "on all four nodes");
    let sources = admin.rows("show @@datasource").await;
    assert!(sources.iter().all(|row| row[0] == "g0"), "{sources:?}");
    let primary = world.shared.cluster.group(1).primary();
    let mine = "SELECT COUNT(*) FROM information_schema.processlist WHERE db LIKE 'leaving%'";
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_ne!(primary.column::<String>(mine).await.expect("a query"), ["0"], "a transaction still needs it");
    open.must("COMMIT").await;
    eventually("the connections to g1 are closed", Duration::from_secs(15), async || {
        primary.column::<String>(mine).await.expect("a query") == ["0"]
    })
    .await;
    client.must("INSERT INTO n1 VALUES (1, 1), (2, 2)").await;
    assert_eq!(client.value("SELECT SUM(v) FROM n1").await, "3");

    // And back again, under another id.
    client.must("DELETE FROM n1").await;
    write(&world, &before);
    admin.must("reload @@config").await;
    client.must("INSERT INTO n1 VALUES (0, 0), (1, 1), (2, 2), (3, 3)").await;
    assert_eq!(world.on_node(3, "SELECT id FROM $db.n1").await, ["3"]);
}

#[tokio::test]
async fn a_group_with_a_branch_in_doubt_stays() {
    let world = World::new("leaving_doubt").await;
    let before = text(&world);
    let (head, rest) = before.split_once("\n[groups.g1]").expect("g1");
    let (_, tail) = rest.split_once("\n[nodes]").expect("nodes");
    let without =
        format!("{head}\n[nodes]{tail}").replace("dn[0-3]", "dn[0-1]").replace("\"dn3\"", "\"dn1\"");
    let without: Vec<&str> = without.lines().filter(|line| !line.starts_with("\"dn[2-3]\"")).collect();
    write(&world, &without.join("\n"));
    // A name as of a proxy of another cluster, whose first group nobody here knows: recovery leaves it alone.
    let name = "'serval.00000000000000000000000000000001.x.1','1.1',1";
    let primary = world.shared.cluster.group(1).primary();
    primary.execute("CREATE TABLE leaving_doubt_2.x (id INT)").await.expect("a table");
    let insert = "INSERT INTO leaving_doubt_2.x VALUES (1)".to_owned();
    let (start, end, prepare) =
        (format!("XA START {name}"), format!("XA END {name}"), format!("XA PREPARE {name}"));
    primary.execute_all(&[start, insert, end, prepare]).await.expect("a branch");
    let mut admin = world.admin().await;
    let refused = admin.run("reload @@config force").await;
    primary.execute(&format!("XA ROLLBACK {name}")).await.expect("roll back");
    says(&refused, &["group g1 cannot go", "serval.0000000000", "show @@transaction"]);
    admin.must("reload @@config").await;
}

#[tokio::test]
async fn the_shell_runs_statements() {
    let world = World::with(kept("shell")).await;
    let ended = shell(&world, &["-e", "show @@config.versions; show @@database"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let lines: Vec<&str> = ended.output.lines().collect();
    assert_eq!(lines[0], "VERSION\tAT\tBY\tHOW\tLINES\tSTATE", "{ended:?}");
    assert!(ended.output.contains("\nshell"), "{ended:?}");
    let ended = shell(&world, &["-e", "show @@nonsense"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.errors.contains("show @@help"), "{ended:?}");
    write(&world, "[listen");
    let ended = shell(&world, &["-e", "reload @@config"]);
    assert!(ended.code == Some(1) && ended.errors.contains("nothing has changed"), "{ended:?}");
}

#[tokio::test]
async fn ten_thousand_tables_are_reloaded_in_seconds() {
    let mut topology = kept("many_tables");
    topology.more = format!("\"many[1-10000]\" = {{ rule = \"by_id\" }}\n{}", topology.more);
    let world = World::with(topology).await;
    write(&world, &text(&world).replace("\"30s\"", "\"36s\""));
    let mut admin = world.admin().await;
    let began = std::time::Instant::now();
    let said = admin.rows("reload @@config").await;
    assert!(said.concat().join("\n").contains("30s → 36s"), "{said:?}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}
