//! `serval passwd`.

use crate::support::{Config, GOOD, serval};

#[test]
fn a_verifier_can_stand_in_a_config() {
    let made = serval(&["passwd"], "correct horse\n");
    assert_eq!(made.code, Some(0), "{}", made.err);
    let verifier = made.out.trim();
    assert!(!verifier.contains("horse"));
    let text = GOOD.replace("password = \"app\"", &format!("verifier = \"{verifier}\""));
    let config = Config::new(&text);
    let ran = serval(&["check", &config.path().display().to_string()], "");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

#[test]
fn the_line_break_is_no_part_of_it() {
    assert_eq!(serval(&["passwd"], "a\r\n").out, serval(&["passwd"], "a").out);
}

#[test]
fn nothing_is_no_password() {
    let ran = serval(&["passwd"], "\n");
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("empty"), "{}", ran.err);
}
