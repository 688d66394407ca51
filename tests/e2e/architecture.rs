//! The crates depend on one another as `docs/architecture.md` draws it, and in no other way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{Metadata, MetadataCommand, Package};

/// From a crate to those that it uses.
type Edges = BTreeMap<String, BTreeSet<String>>;

#[test]
fn crates_depend_as_drawn() {
    let (drawn, real) = (drawn(), real());
    let mut wrong = Vec::new();
    for name in drawn.keys().chain(real.keys()).collect::<BTreeSet<_>>() {
        let none = BTreeSet::new();
        let (Some(allowed), Some(used)) = (drawn.get(name), real.get(name)) else {
            let what = if real.contains_key(name) { "is not drawn" } else { "is drawn but does not exist" };
            wrong.push(format!("{name} {what}"));
            continue;
        };
        let list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
        let undrawn: BTreeSet<String> = used.difference(allowed).cloned().collect();
        let vain: BTreeSet<String> = allowed.difference(used).cloned().collect();
        if undrawn != none {
            wrong.push(format!("{name} uses, but the page does not draw: {}", list(&undrawn)));
        }
        if vain != none {
            wrong.push(format!("{name} does not use, but the page draws: {}", list(&vain)));
        }
    }
    assert!(wrong.is_empty(), "docs/architecture.md and cargo metadata differ:\n{}", wrong.join("\n"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository's root")
}

/// The lines `planner → catalog, sql, types` of the block that is fenced as `arrows`.
fn drawn() -> Edges {
    let page = std::fs::read_to_string(root().join("docs/architecture.md")).expect("docs/architecture.md");
    let block = page.split("```arrows\n").nth(1).and_then(|rest| rest.split("```").next());
    let lines = block.expect("docs/architecture.md has a block fenced as `arrows`").lines();
    lines.filter(|line| !line.trim().is_empty()).map(edge).collect()
}

fn edge(line: &str) -> (String, BTreeSet<String>) {
    let (name, targets) = line.split_once('→').unwrap_or_else(|| panic!("no arrow in {line:?}"));
    let targets = targets.split([',', ' ']).filter(|target| !target.is_empty());
    (name.trim().to_owned(), targets.map(str::to_owned).collect())
}

/// What each crate of the workspace uses of the workspace, in its tests too.
fn real() -> Edges {
    let mut command = MetadataCommand::new();
    let metadata: Metadata =
        command.manifest_path(root().join("Cargo.toml")).no_deps().exec().expect("cargo metadata");
    let names: BTreeSet<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let used = |package: &Package| {
        let ours = package.dependencies.iter().filter(|dependency| names.contains(&dependency.name));
        ours.map(|dependency| short(&dependency.name)).collect()
    };
    metadata.packages.iter().map(|package| (short(&package.name), used(package))).collect()
}

/// The name of a package as the page calls it: that of its folder.
fn short(package: &str) -> String {
    match package {
        "serval" => "server".to_owned(),
        other => other.strip_prefix("serval-").unwrap_or(other).to_owned(),
    }
}
