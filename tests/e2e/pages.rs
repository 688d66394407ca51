//! The tests that `docs/testing.md` names exist.

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository's root")
}

/// The texts of all files below a folder that end so.
fn texts(folder: &Path, ending: &str, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            texts(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push((path.clone(), std::fs::read_to_string(&path).unwrap_or_default()));
        }
    }
}

/// `module::test` is a function `test` in a file or folder `module`.
#[test]
fn named_tests_exist() {
    let page = std::fs::read_to_string(root().join("docs/testing.md")).expect("docs/testing.md");
    let mut sources = Vec::new();
    for folder in ["tests/e2e", "crates"] {
        texts(&root().join(folder), ".rs", &mut sources);
    }
    let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:".contains(&byte));
    let mut missing = Vec::new();
    for name in page.split('`').filter(|name| plain(name)) {
        let Some((module, test)) = name.rsplit_once("::") else { continue };
        let module = module.rsplit("::").next().unwrap_or(module);
        let exists = match module {
            "oracle" => root().join(format!("tests/slt/{test}.slt")).exists(),
            _ => sources.iter().any(|(path, text)| {
                let here = path.iter().any(|part| part == module)
                    || path.file_stem().is_some_and(|stem| stem == module);
                here && text.contains(&format!("fn {test}("))
            }),
        };
        if !exists {
            missing.push(name);
        }
    }
    for file in page.split('`').filter(|name| name.ends_with(".toml") && !name.contains('/')) {
        if !root().join("crates/catalog/tests/diagnostics").join(file).exists()
            && !root().join("conf").join(file).exists()
        {
            missing.push(file);
        }
    }
    assert!(missing.is_empty(), "docs/testing.md names what does not exist: {missing:?}");
}
