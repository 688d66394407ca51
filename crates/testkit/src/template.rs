//! An initialised data directory that is made once and copied for each server: a copy takes a tenth of the time.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Flavour, Result, TestkitError, programs};

/// Raised when the way a data directory is made changes, so that an old template is not used.
const FORMAT: u32 = 1;

/// Copies an initialised data directory to `target`. The template lies in the build's target folder where this process
/// was started from one, so that it serves many runs; elsewhere in `fallback`, which disappears with the servers.
pub(crate) fn copy_to(flavour: Flavour, fallback: &Path, target: &Path) -> Result<()> {
    let folder = build_folder().map_or_else(|| fallback.join("template"), |folder| folder.join("testkit"));
    let template = ensure(flavour, &folder)?;
    let output = Command::new("cp")
        .args(["-r", "--reflink=auto", "--sparse=always"])
        .args([&template, target])
        .output()
        .map_err(TestkitError::io("copying a data directory"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(TestkitError::Program {
        program: "cp".to_owned(),
        output: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Makes the template unless it is there. A lock lets one process make it while others wait; a rename publishes it
/// whole, so a killed maker leaves nothing that looks finished.
fn ensure(flavour: Flavour, folder: &Path) -> Result<PathBuf> {
    let version = programs::server(flavour)?.run(&["--no-defaults".into(), "--version".into()])?;
    let template = folder.join(format!("{}-{}-{FORMAT}", flavour.name(), version_word(&version)));
    if template.exists() {
        return Ok(template);
    }
    fs::create_dir_all(folder).map_err(TestkitError::io(format!("creating {}", folder.display())))?;
    let lock_path = folder.join("lock");
    let lock = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&lock_path)
        .map_err(TestkitError::io(format!("opening {}", lock_path.display())))?;
    lock.lock().map_err(TestkitError::io("waiting for another process to make a data directory"))?;
    if !template.exists() {
        make(flavour, folder, &template)?;
    }
    Ok(template)
}

fn make(flavour: Flavour, folder: &Path, template: &Path) -> Result<()> {
    let unfinished = tempfile::Builder::new()
        .prefix("unfinished-")
        .tempdir_in(folder)
        .map_err(TestkitError::io(format!("a directory in {}", folder.display())))?;
    let data = unfinished.path().join("data");
    programs::initialise(flavour, &data)?;
    // Each MySQL server invents its UUID at its first start; copies must not share one.
    let _ = fs::remove_file(data.join("auto.cnf"));
    fs::rename(&data, template).map_err(TestkitError::io("publishing a data directory"))
}

/// The version out of `mariadbd  Ver 10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu`.
fn version_word(text: &str) -> String {
    let word = text.split_whitespace().skip_while(|word| *word != "Ver").nth(1).unwrap_or("unknown");
    word.chars().filter(|c| c.is_ascii_alphanumeric() || ".-+".contains(*c)).collect()
}

/// Cargo's target folder, when this program was built into one.
pub(crate) fn build_folder() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version() {
        let text = "mariadbd  Ver 10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)";
        assert_eq!(version_word(text), "10.11.6-MariaDB-0+deb12u1");
        assert_eq!(version_word("nonsense"), "unknown");
    }
}
