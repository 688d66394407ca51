//! `serval run` where it does not get as far as running.

use std::net::TcpListener;

use crate::support::{Config, GOOD, serval, with_config};

#[test]
fn a_bad_config_starts_nothing() {
    let ran = with_config("run", &Config::new(&GOOD.replace("\"hash\"", "\"hsah\"")), &[]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("hsah"), "{}", ran.err);
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let text = GOOD
        .replace("127.0.0.1:3307", &address)
        .replace("127.0.0.1:9066", "127.0.0.1:0")
        .replace("127.0.0.1:9067", "127.0.0.1:0");
    let ran = with_config("run", &Config::new(&text), &[]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains(&address) && ran.err.contains("in use"), "{}", ran.err);
}

#[test]
fn a_word_that_is_no_command_is_2() {
    let ran = serval(&["rnu"], "");
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("rnu"), "{}", ran.err);
}
