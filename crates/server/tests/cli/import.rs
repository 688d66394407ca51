//! `serval import`: the result goes through `serval check`.

use std::path::PathBuf;

use crate::support::{Config, serval};

fn example(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../import/tests").join(name);
    path.display().to_string()
}

/// Passwords of servers come from the environment, which a test does not set.
fn without_environment(toml: &str) -> String {
    let secret = |line: &str| {
        if line.starts_with("password = { env") { "password = \"x\"".to_owned() } else { line.to_owned() }
    };
    toml.lines().map(secret).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_imported_passes_the_check() {
    for (kind, name) in [("mycat", "mycat"), ("kingshard", "ks.yaml"), ("gaea", "gaea")] {
        let ran = serval(&["import", kind, &example(name)], "");
        // Each example has things that cannot be kept.
        assert_eq!(ran.code, Some(1), "{}", ran.err);
        assert!(ran.err.contains("not everything could be kept"), "{}", ran.err);
        let config = Config::new(&without_environment(&ran.out));
        config.write("schema/shop.sql", "");
        let checked = serval(&["check", &config.path().display().to_string()], "");
        assert_eq!(checked.code, Some(0), "{kind}: {}", checked.err);
    }
}

#[test]
fn what_is_missing_is_named() {
    let ran = serval(&["import", "mycat", "no/such/place"], "");
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("rule.xml: the file: cannot read no/such/place/rule.xml"), "{}", ran.err);
    let ran = serval(&["import", "kingshard", "no/such/file.yaml"], "");
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("no/such/file.yaml"), "{}", ran.err);
}
