//! Every mistake a config can have, one broken config each in `tests/diagnostics/`: `name.toml`, the snapshot of its
//! schema `shop` in `name.sql` where it needs one, and what `serval check` prints in `name.txt`.
//!
//! `UPDATE_GOLDEN=1 cargo test -p serval-catalog --test diagnostics` writes the `.txt` files anew.

use std::fs;
use std::path::Path;

use serval_catalog::{Diagnostic, SecretSource};

#[test]
fn every_mistake_is_reported() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .expect("the folder")
        .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() > 40, "{names:?}");
    let wrong: Vec<String> = names.iter().filter_map(|name| difference(&folder, name)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What differs from the golden text, if anything does.
fn difference(folder: &Path, name: &str) -> Option<String> {
    let config = fs::read_to_string(folder.join(format!("{name}.toml"))).expect("a config");
    let sql = fs::read_to_string(folder.join(format!("{name}.sql"))).ok();
    let actual = check(&format!("{name}.toml"), &config, sql.as_deref());
    let golden = folder.join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&golden, &actual).expect("a writable golden file");
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    (actual != expected).then(|| format!("=== {name}: expected\n{expected}=== but was\n{actual}"))
}

/// What `serval check` prints.
fn check(file: &str, config: &str, sql: Option<&str>) -> String {
    let snapshot: Vec<(String, String)> =
        sql.iter().map(|sql| ("shop.sql".to_owned(), (*sql).to_owned())).collect();
    let (heading, diagnostics) = match serval_catalog::load(config, file, &secret, &snapshot) {
        Ok((_, warnings)) => ("accepted", warnings),
        Err(diagnostics) => ("refused", diagnostics),
    };
    let source =
        |diagnostic: &Diagnostic| if diagnostic.file == file { config } else { sql.unwrap_or_default() };
    let rendered: String = diagnostics.iter().map(|d| format!("\n{}", d.render(source(d)))).collect();
    // Trailing spaces would be lost in an editor.
    let lines: Vec<&str> = rendered.lines().map(str::trim_end).collect();
    format!("{heading}\n{}\n", lines.join("\n"))
}

fn secret(source: &SecretSource) -> Result<String, String> {
    match source {
        SecretSource::Env(name) if name == "PASSWORD" => Ok("secret".to_owned()),
        SecretSource::Env(_) => Err("it is not set".to_owned()),
        SecretSource::File(_) | SecretSource::Pem(_) => {
            Err("No such file or directory (os error 2)".to_owned())
        }
    }
}
