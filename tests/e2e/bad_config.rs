//! Configurations that must be refused: nothing is started, exit code 2, and each mistake with its place.

use serval_testkit::ServalProcess;

const TWO_MISTAKES: &str = r#"
[listen]
mysql = "127.0.0.1:0"
admin = "127.0.0.1:0"
http = "127.0.0.1:0"

[users.app]
password = "x"
schemas = ["shop"]

[groups.g0]
primary = "127.0.0.1:1"
user = "serval"
password = "x"

[nodes]
"dn[0-1]" = { group = "g9", database = "shop_[0-1]" }

[rules.by_user]
function = "hesh"
column = "id"
nodes = "dn[0-1]"

[schemas.shop]
default_node = "dn0"
[schemas.shop.tables]
users = { rule = "by_user" }
"#;

#[tokio::test]
async fn mistakes_are_listed_and_nothing_starts() {
    let (status, output) = ServalProcess::start_refused(TWO_MISTAKES).await.expect("it ends");
    assert_eq!(status.code(), Some(2), "{output}");
    assert!(output.contains("g9"), "the unknown group:\n{output}");
    assert!(output.contains("hesh"), "and the unknown function, at once:\n{output}");
    assert!(output.contains("serval.toml:"), "with file and line:\n{output}");
}

#[tokio::test]
async fn text_that_is_no_toml() {
    let (status, output) = ServalProcess::start_refused("[listen\nmysql = ").await.expect("it ends");
    assert_eq!(status.code(), Some(2), "{output}");
    assert!(output.contains("serval.toml:"), "{output}");
}

#[test]
fn check_says_the_same() {
    let folder = serval_testkit::ScratchDirectory::new(None).expect("a directory");
    let config = folder.path().join("serval.toml");
    std::fs::write(&config, TWO_MISTAKES).expect("write");
    let arguments = ["check".as_ref(), config.as_os_str()];
    let ended = ServalProcess::run_to_end(arguments).expect("serval check");
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let text = ended.output + &ended.errors;
    assert!(text.contains("g9") && text.contains("hesh"), "{text}");
}

#[test]
fn a_missing_file_is_named() {
    let arguments = ["run", "--config", "/nonexistent/serval.toml"];
    let ended = ServalProcess::run_to_end(arguments).expect("serval run");
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.errors.contains("/nonexistent/serval.toml"), "{ended:?}");
}
