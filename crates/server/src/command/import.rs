//! `serval import`: another proxy's config as ours, on standard output. What could not be kept exactly is listed on
//! standard error, and the exit code is 1 then.

use std::path::{Path, PathBuf};

use serval_import::Imported;

use crate::cli::ImportCommand;
use crate::failure::Failure;
use crate::output::say;

/// Prints the converted config.
pub fn run(from: &ImportCommand) -> Result<(), Failure> {
    let imported = match from {
        ImportCommand::Mycat { directory } => serval_import::mycat(&|file| read(&directory.join(file))),
        ImportCommand::Kingshard { file } => {
            let text = read(file).map_err(Failure::other)?;
            serval_import::kingshard(&name(file), &text)
        }
        ImportCommand::Gaea { directory } => serval_import::gaea(&namespaces(directory)?),
    };
    report(&imported)
}

fn report(imported: &Imported) -> Result<(), Failure> {
    say(imported.toml.trim_end());
    if imported.refused.is_empty() {
        return Ok(());
    }
    let refused: Vec<String> = imported.refused.iter().map(|refusal| format!("  {refusal}")).collect();
    Err(Failure::other(format!("not everything could be kept:\n{}", refused.join("\n"))))
}

/// A config that is larger is none.
const LARGEST: u64 = 64 << 20;

fn read(path: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    if std::fs::metadata(path).map_err(unreadable)?.len() > LARGEST {
        return Err(format!("{} is larger than 64 MB", path.display()));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

/// The JSON files of a directory by name, or one file.
fn namespaces(directory: &Path) -> Result<Vec<(String, String)>, Failure> {
    let mut paths: Vec<PathBuf> = vec![directory.to_path_buf()];
    if directory.is_dir() {
        let entries = std::fs::read_dir(directory)
            .map_err(|error| Failure::other(format!("cannot read {}: {error}", directory.display())))?;
        paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
    }
    paths.iter().map(|path| Ok((name(path), read(path).map_err(Failure::other)?))).collect()
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
