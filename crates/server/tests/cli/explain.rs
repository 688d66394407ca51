//! `serval explain`.

use crate::support::{Config, GOOD, with_config};

fn explain(sql: &str) -> crate::support::Ran {
    with_config("explain", &Config::new(GOOD), &[sql])
}

#[test]
fn one_key_is_one_node() {
    let ran = explain("SELECT name FROM users WHERE id = 7");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let nodes = ["dn0", "dn1", "dn2", "dn3"].iter().filter(|node| ran.out.contains(**node)).count();
    assert_eq!(nodes, 1, "{}", ran.out);
    assert!(ran.out.contains("SELECT name FROM users WHERE id = 7"), "{}", ran.out);
}

#[test]
fn no_key_is_all_nodes() {
    let ran = explain("SELECT name FROM users ORDER BY name LIMIT 3");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for node in ["dn0", "dn1", "dn2", "dn3"] {
        assert!(ran.out.contains(node), "no {node} in {}", ran.out);
    }
}

#[test]
fn explain_of_an_explain_is_the_same() {
    let plain = explain("SELECT 1 FROM users WHERE id = 7");
    let wrapped = explain("EXPLAIN FORMAT=SERVAL SELECT 1 FROM users WHERE id = 7");
    assert_eq!((plain.code, plain.out), (wrapped.code, wrapped.out));
}

#[test]
fn an_insert_is_split_and_its_ids_are_announced() {
    let ran = explain("INSERT INTO users (name) VALUES ('a'), ('b'), ('c'), ('d'), ('e'), ('f')");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("sequence"), "{}", ran.err);
}

#[test]
fn a_syntax_error_is_1064() {
    let ran = explain("SELEC 1");
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("1064"), "{}", ran.err);
}

#[test]
fn a_refusal_says_why() {
    let ran = explain("SELECT * FROM users u JOIN orders o ON o.id = u.id");
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(ran.err.contains("1235"), "{}", ran.err);
}

#[test]
fn an_unknown_schema_is_answered_with_the_known_ones() {
    let config = Config::new(GOOD);
    let ran = with_config("explain", &config, &["--schema", "shup", "SELECT 1"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("shup") && ran.err.contains("it has: shop"), "{}", ran.err);
}

#[test]
fn a_bad_config_is_2_here_too() {
    let ran = with_config("explain", &Config::new("[listen"), &["SELECT 1"]);
    assert_eq!(ran.code, Some(2));
}
