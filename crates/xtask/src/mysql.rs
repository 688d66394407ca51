//! `cargo xtask mysql`: a real MySQL 9.7 on Debian 12.
//!
//! Debian has MySQL in its unstable suite only, built against a newer C library. So a minimal unstable system goes into
//! a folder of its own and MySQL into that. Nothing is mounted into the folder, so removing it cannot reach the host.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::setup;
use crate::step::{self, Outcome};

const PACKAGES: [&str; 3] = ["mysql-server-core", "mysql-client-core", "mysql-router"];

const ROOT: &str = "/var/cache/serval/mysql97";

/// Where the folder is.
#[derive(Args)]
pub(crate) struct Options {
    /// The folder; testkit looks for it under the same name
    #[arg(long, env = "SERVAL_MYSQL_ROOT", default_value = ROOT)]
    root: PathBuf,
}

impl Default for Options {
    fn default() -> Options {
        let root = std::env::var_os("SERVAL_MYSQL_ROOT").map_or_else(|| ROOT.into(), PathBuf::from);
        Options { root }
    }
}

pub(crate) fn run(options: &Options) -> Outcome {
    let root = &options.root;
    if ["usr/sbin/mysqld", "usr/bin/mysql"].iter().all(|program| root.join(program).exists()) {
        println!("MySQL is already in {}.", root.display());
        return Ok(());
    }
    if !step::is_root() {
        return Err("preparing MySQL needs root: it makes a small Debian system in a folder".to_owned());
    }
    println!(
        "Making a minimal Debian unstable with MySQL 9.7 in {} (about 600 MB, some minutes).",
        root.display()
    );
    if !step::installed("debootstrap") {
        setup::install_packages(&["debootstrap"])?;
    }
    bootstrap(root)?;
    give_network(root)?;
    install(root)?;
    println!(
        "MySQL is ready. `SERVAL_FLAVOUR=mysql97 cargo xtask test --e2e` runs the end-to-end tests on it."
    );
    Ok(())
}

/// A folder in which debootstrap was interrupted is finished by running it again.
fn bootstrap(root: &Path) -> Outcome {
    if root.join("usr/bin/apt-get").exists() && !root.join("debootstrap").exists() {
        return Ok(());
    }
    let folder = root.display().to_string();
    step::run(step::program("debootstrap", ["--variant=minbase", "sid", &folder]))
}

/// Name resolution as on the host, unless the folder has its own, and no service started by a package.
fn give_network(root: &Path) -> Outcome {
    let resolver = root.join("etc/resolv.conf");
    if fs::read(&resolver).unwrap_or_default().is_empty()
        && let Ok(text) = fs::read("/etc/resolv.conf")
    {
        fs::write(&resolver, text).map_err(|error| format!("writing {}: {error}", resolver.display()))?;
    }
    let policy = root.join("usr/sbin/policy-rc.d");
    fs::write(&policy, "#!/bin/sh\nexit 101\n")
        .and_then(|()| fs::set_permissions(&policy, fs::Permissions::from_mode(0o755)))
        .map_err(|error| format!("writing {}: {error}", policy.display()))
}

fn install(root: &Path) -> Outcome {
    let folder = root.display().to_string();
    // A mirror that is a snapshot is signed, but its date has passed.
    let dated = "Acquire::Check-Valid-Until=false";
    step::run(step::program("chroot", [&folder, "apt-get", "-o", dated, "update", "-qq"]))?;
    let mut command = step::program("chroot", [folder.as_str(), "env", "DEBIAN_FRONTEND=noninteractive"]);
    command.args(["apt-get", "install", "-y", "-qq", "--no-install-recommends"]).args(PACKAGES);
    step::run(command)
}
