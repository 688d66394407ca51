//! The pages of `docs/` that describe this crate are true: every key is described, and every example works.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;
use serval_catalog::{Catalog, Diagnostic, Sharding, Unroutable};
use serval_types::Value;

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    fs::read_to_string(path).expect("a page")
}

/// The text of the fenced blocks, each with its language, in order.
fn blocks(page: &str) -> Vec<(&str, String)> {
    let mut blocks: Vec<(&str, String)> = Vec::new();
    let mut open = false;
    for line in page.lines() {
        match (line.strip_prefix("```"), open) {
            (Some(language), false) => {
                blocks.push((language, String::new()));
                open = true;
            }
            (Some(_), true) => open = false,
            (None, true) => {
                let (_, text) = blocks.last_mut().expect("an open block");
                text.push_str(line);
                text.push('\n');
            }
            (None, false) => {}
        }
    }
    blocks
}

fn load(config: &str, snapshot: &[(String, String)]) -> Catalog {
    let rendered = |diagnostics: Vec<Diagnostic>| {
        diagnostics.iter().map(|diagnostic| diagnostic.render(config)).collect::<Vec<_>>().join("\n")
    };
    match serval_catalog::load(config, "page.toml", &|_| Ok("secret".to_owned()), snapshot) {
        Ok((catalog, _)) => catalog,
        Err(diagnostics) => panic!("{}", rendered(diagnostics)),
    }
}

#[test]
fn the_examples_of_the_configuration_page_are_one_config() {
    let page = page("configuration.md");
    let config: String =
        blocks(&page).into_iter().filter(|(language, _)| *language == "toml").map(|(_, text)| text).collect();
    let catalog = load(&config, &[]);
    assert_eq!(catalog.settings.max_connections, 5000);
    assert_eq!(catalog.table("shop", "archive_3").map(|table| table.placement.nodes().len()), Some(1));
}

#[test]
fn every_key_is_described() {
    let page = page("configuration.md");
    let schema: Json = serde_json::from_str(&serval_catalog::json_schema()).expect("JSON");
    let sections = [
        ("Listen", "## `[listen]`"),
        ("Tls", "## `[tls]`"),
        ("Limits", "## `[limits]`"),
        ("Recovery", "## `[recovery]`"),
        ("Versions", "## `[versions]`"),
        ("User", "## `[users.NAME]`"),
        ("PasswordSource", "## Passwords"),
        ("Admin", "## `[admin.users.NAME]`"),
        ("AdminUser", "## `[admin.users.NAME]`"),
        ("Defaults", "## `[defaults.group]`"),
        ("GroupDefaults", "## `[defaults.group]`"),
        ("Group", "## `[groups.NAME]`"),
        ("WeightedReplica", "### Replicas"),
        ("Node", "## `[nodes]`"),
        ("Rule", "## `[rules.NAME]`"),
        ("Inside", "### Inside"),
        ("Scratch", "## `[scratch]`"),
        ("Engine", "## `[engines.NAME]`"),
        ("Schema", "## `[schemas.NAME]`"),
        ("Table", "## `[schemas.NAME.tables]`"),
    ];
    describes(&page, "# Configuration", &schema);
    for (name, part) in schema["$defs"].as_object().expect("definitions") {
        let (_, heading) = sections
            .iter()
            .find(|(known, _)| known == name)
            .unwrap_or_else(|| panic!("no section for {name}"));
        // These two hold nothing but a section of their own.
        if !matches!(name.as_str(), "Admin" | "Defaults") {
            describes(&page, heading, part);
        }
        for branch in part["oneOf"].as_array().into_iter().flatten() {
            let function = branch["properties"]["function"]["const"].as_str().expect("a function's name");
            describes(&page, &format!("### `function = \"{function}\"`"), branch);
        }
    }
}

fn describes(page: &str, heading: &str, part: &Json) {
    let lines: Vec<&str> = page.lines().collect();
    let start =
        lines.iter().position(|line| *line == heading).unwrap_or_else(|| panic!("no section {heading}"));
    let section: Vec<&&str> = lines[start + 1..].iter().take_while(|line| !line.starts_with('#')).collect();
    for key in part["properties"].as_object().expect("properties").keys().filter(|key| *key != "function") {
        let row = format!("| `{key}` |");
        assert!(section.iter().any(|line| line.starts_with(&row)), "{heading} does not describe `{key}`");
    }
}

#[test]
fn the_golden_rows_of_the_functions_hold() {
    let rows = check_page(&page("shard-functions.md"));
    assert!(rows > 150, "{rows}");
}

#[test]
fn other_proxies_functions_are_theirs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/peers.md");
    let rows = check_page(&fs::read_to_string(path).expect("the golden vectors"));
    assert!(rows > 300, "{rows}");
}

#[test]
fn periods_are_those_of_the_calendar() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/periods.md");
    let rows = check_page(&fs::read_to_string(path).expect("the golden vectors"));
    assert!(rows > 400, "{rows}");
}

/// Checks every golden row of a page under the rule in front of it, and says how many there were.
fn check_page(page: &str) -> usize {
    let (mut rule, mut rows) = (String::new(), 0);
    for (language, text) in blocks(page) {
        match language {
            "toml" => rule = text,
            "golden" => rows += text.lines().map(|line| check_row(&rule, line)).count(),
            other => panic!("a block of {other:?}"),
        }
    }
    rows
}

fn check_row(rule: &str, line: &str) {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let [column_type, value, expected] = cells[..] else { panic!("not three cells: {line}") };
    let catalog = catalog_with(rule, column_type);
    let table = catalog.table("s", "t").expect("the table");
    let sharding = table.sharding().expect("a sharded table");
    let values: Vec<Value> = value.split("; ").map(|value| literal(value.trim())).collect();
    let stored = sharding.shard_for_row(&values);
    assert_eq!(shown(&catalog, sharding, &stored), expected, "{line}");
    // Whoever looks for the values looks where the row was stored.
    let exact = !values.iter().any(|value| matches!(value, Value::Decimal(_) | Value::Null));
    if let (Ok(shard), true) = (stored, exact) {
        let together = sharding.shards_where_all_equal(&values[..sharding.combined()]);
        let each =
            values.iter().enumerate().map(|(column, value)| sharding.shards_where_equal(column, value));
        let found = each.fold(together, |all, one| all.intersection(&one));
        assert!(found.contains(shard), "{line}");
        // A TIMESTAMP reads differently in other sessions' time zones.
        let is_wide = values.len() == 1 || column_type.contains("TIMESTAMP");
        assert!(is_wide || found.len() == 1, "{line}");
    }
}

fn shown(catalog: &Catalog, sharding: &Sharding, stored: &Result<usize, Unroutable>) -> String {
    let Ok(shard) = stored else { return "refused".to_owned() };
    let shard = &sharding.shards[*shard];
    let node = &catalog.node(shard.node).name;
    if shard.table == "t" { node.clone() } else { format!("{node} {}", shard.table) }
}

fn literal(text: &str) -> Value {
    match text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(inner) => Value::Text(inner.as_bytes().to_vec()),
        None if text == "NULL" => Value::Null,
        None => Value::integer(text),
    }
}

fn catalog_with(rule: &str, column_type: &str) -> Catalog {
    let config = format!(
        r#"
        [groups.g]
        primary = "db:3306"
        user = "serval"
        password = {{ env = "PASSWORD" }}
        [nodes]
        "dn[0-3]" = {{ group = "g", database = "d[0-3]" }}
        [schemas.s.tables]
        t = {{ rule = "r" }}
        [rules.r]
        {column}
        time_zone = "+00:00"
        {rule}
        "#,
        column = if rule.contains("columns = ") { "" } else { "column = \"k\"" },
    );
    let column_type = column_type.replace(" _bin", " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    let columns = format!("k {}", column_type.replace("; ", ", l "));
    load(&config, &[("s.sql".to_owned(), format!("CREATE TABLE t ({columns});"))])
}
