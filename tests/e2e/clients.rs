//! Stock clients, with sessions as scenario files. Those of other languages are run by `cargo xtask clients`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serval_testkit::Flavour;
use serval_tests::clients::{self, SCENARIOS};
use serval_tests::{APP, World};

const SCRIPT: &str = "command_line.sql";

fn scenario(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name)
}

/// Runs a command-line client with a scenario on its standard input and returns what it printed.
fn run_client(flavour: Flavour, port: u16, user: (&str, &str), database: &str, script: &str) -> String {
    let mut client = flavour.client().expect("the client");
    client.arg("--no-defaults");
    if flavour.is_mysql() {
        // Without it \G and DELIMITER are unknown to it.
        client.arg("--commands");
    }
    let mut child = client
        .args(["--protocol=TCP", "--host=127.0.0.1", "--table", "--default-character-set=utf8mb4"])
        .args([format!("--port={port}"), format!("--user={}", user.0), format!("--password={}", user.1)])
        .arg(database)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the client starts");
    let text = std::fs::read(scenario(script)).expect("the scenario");
    child.stdin.take().expect("its input").write_all(&text).expect("sending the scenario");
    let output = child.wait_with_output().expect("its output");
    let errors: String = String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter(|line| !line.contains("on the command line interface can be insecure"))
        .collect();
    assert!(
        output.status.success() && errors.is_empty(),
        "{errors}\n{}",
        String::from_utf8_lossy(&output.stdout)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A session with the proxy.
async fn on_proxy(world: &World, client: Flavour) -> String {
    let (port, schema) = (world.serval.ports().mysql(), world.schema.clone());
    let run = move || run_client(client, port, APP, &schema, SCRIPT);
    let printed = tokio::task::spawn_blocking(run).await.expect("the client ends");
    assert!(printed.contains("Zoë 😀"), "{printed}");
    printed
}

/// The same session with one plain server.
async fn on_oracle(world: &World, client: Flavour) -> String {
    let oracle = &world.shared.oracle;
    let user = (oracle.backend_user(), oracle.backend_password());
    let (port, schema) = (oracle.group(0).primary().port(), world.schema.clone());
    let run = move || run_client(client, port, user, &schema, SCRIPT);
    tokio::task::spawn_blocking(run).await.expect("the client ends")
}

#[tokio::test]
async fn mariadb_command_line() {
    let world = World::new("cli_mariadb").await;
    assert_eq!(on_proxy(&world, Flavour::MariaDb).await, on_oracle(&world, Flavour::MariaDb).await);
}

/// MySQL's client cannot log in to a MariaDB server, because it lacks that authentication, but it can to the proxy.
#[tokio::test]
async fn mysql_command_line_where_it_is_prepared() {
    if Flavour::MySql97.available().is_err() {
        return;
    }
    let world = World::new("cli_mysql").await;
    let printed = on_proxy(&world, Flavour::MySql97).await;
    if Flavour::from_env().is_mysql() {
        assert_eq!(printed, on_oracle(&world, Flavour::MySql97).await);
    }
}

#[tokio::test]
async fn pymysql() {
    let world = World::new("pymysql").await;
    let (port, schema) = (world.serval.ports().mysql().to_string(), world.schema.clone());
    let output = tokio::task::spawn_blocking(move || {
        let mut python = Command::new("/usr/bin/python3");
        python.arg(scenario("pymysql_session.py")).args([port.as_str(), APP.0, APP.1, &schema]).output()
    })
    .await
    .expect("the session ends")
    .expect("Debian's Python is installed");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.trim_end().ends_with("all well"), "{text}");
}

/// What the client can do with a plain server it can do through the proxy.
async fn passes(name: &str) {
    let scenario = clients::scenario(name).expect("a scenario of this name");
    if name == "mysql" && !scenario.is_installed() {
        // MySQL itself is not part of the usual set-up.
        return;
    }
    assert!(scenario.is_installed(), "{name} is not installed: `cargo xtask setup`");
    let report = clients::run(scenario).await;
    assert!(report.passes(), "\n{report}");
}

macro_rules! clients {
    ($($test:ident = $name:literal,)*) => {
        $(
            #[tokio::test]
            async fn $test() {
                passes($name).await;
            }
        )*

        #[test]
        fn all_quick_clients_are_run() {
            let named = [$($name),*];
            for scenario in SCENARIOS.iter().filter(|scenario| scenario.quick) {
                assert!(named.contains(&scenario.name), "{} has no test", scenario.name);
            }
        }
    };
}

clients! {
    scenario_mariadb = "mariadb",
    scenario_mysql = "mysql",
    scenario_mariadb_dump = "mariadb-dump",
    scenario_pymysql = "pymysql",
    scenario_mysqlclient = "mysqlclient",
    scenario_connector_pure = "connector-pure",
    scenario_connector_c = "connector-c",
    scenario_asyncmy = "asyncmy",
    scenario_sqlalchemy = "sqlalchemy",
    scenario_django = "django",
}
