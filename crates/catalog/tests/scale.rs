//! Large configs load quickly.

use std::fmt::Write;
use std::time::{Duration, Instant};

#[test]
fn ten_thousand_tables_load_within_seconds() {
    let mut config = String::from(
        r#"
        [groups.g]
        primary = "db:3306"
        user = "serval"
        password = { env = "PASSWORD" }
        [nodes]
        "dn[0-63]" = { group = "g", database = "d[0-63]" }
        [rules.r]
        function = "hash"
        column = "id"
        nodes = "dn[0-63]"
        [schemas.s.tables]
        "many[1-1000]" = { rule = "r" }
        "#,
    );
    let mut snapshot = String::new();
    for table in 0..10_000 {
        writeln!(config, "t{table} = {{ rule = \"r\" }}").expect("a line");
        writeln!(snapshot, "CREATE TABLE `t{table}` (`id` bigint NOT NULL, PRIMARY KEY (`id`));")
            .expect("a line");
    }
    let start = Instant::now();
    let loaded = serval_catalog::load(
        &config,
        "large.toml",
        &|_| Ok("secret".to_owned()),
        &[("s.sql".to_owned(), snapshot)],
    );
    let (catalog, _) = loaded.expect("a right config");
    assert_eq!(catalog.schema("s").map(|schema| schema.tables.len()), Some(11_000));
    // A debug build on a busy machine.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}
