//! `serval check` and `serval schema`.

use crate::support::{Config, GOOD, serval};

fn check(config: &Config) -> crate::support::Ran {
    serval(&["check", &config.path().display().to_string()], "")
}

#[test]
fn a_good_config_is_summed_up() {
    let ran = check(&Config::new(GOOD));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.starts_with("ok: "), "{}", ran.out);
    assert!(ran.out.contains("group g0: a primary and 1 replica; shop_0, shop_1"), "{}", ran.out);
    assert!(ran.out.contains("shop: 3 tables (2 sharded, 1 global, 0 on one node"), "{}", ran.out);
}

#[test]
fn every_mistake_is_shown_with_its_line() {
    let text = GOOD.replace("group = \"g1\"", "group = \"g7\"").replace("\"hash\"", "\"hsah\"");
    let ran = check(&Config::new(&text));
    assert_eq!(ran.code, Some(2), "{}{}", ran.out, ran.err);
    assert!(ran.out.is_empty(), "{}", ran.out);
    for expected in ["serval.toml", "g7", "hsah"] {
        assert!(ran.err.contains(expected), "no {expected} in {}", ran.err);
    }
}

#[test]
fn broken_toml_is_a_config_mistake() {
    let ran = check(&Config::new("[listen\nmysql = 1"));
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("serval.toml"), "{}", ran.err);
}

#[test]
fn a_secret_that_is_missing_is_named() {
    let text = GOOD.replace("password = \"secret\"", "password = { env = \"SERVAL_TEST_NOT_SET\" }");
    let ran = check(&Config::new(&text));
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("SERVAL_TEST_NOT_SET"), "{}", ran.err);
}

#[test]
fn a_missing_file_is_a_config_mistake() {
    let ran = serval(&["check", "no/such/config.toml"], "");
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("no/such/config.toml"), "{}", ran.err);
}

#[test]
fn servers_that_are_down_are_problems_online() {
    let config = Config::new(GOOD);
    let ran = serval(&["check", &config.path().display().to_string(), "--online"], "");
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert_eq!(ran.out.matches("down").count(), 3, "{}", ran.out);
}

#[test]
fn the_schema_is_json() {
    let ran = serval(&["schema"], "");
    assert_eq!(ran.code, Some(0));
    assert!(ran.out.starts_with('{') && ran.out.contains("\"$schema\""), "{}", ran.out);
}
