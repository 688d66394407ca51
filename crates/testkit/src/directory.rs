//! A temporary directory that disappears with this process, however that ends.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::{Result, TestkitError};

/// Removal is tried for a while: servers that write into the directory may be dying at the same moment.
const SCRIPT: &str = r#"
read -r _
tries=0
while [ -e "$1" ] && [ $tries -lt 100 ]; do
  rm -rf -- "$1" && break
  tries=$((tries + 1)); sleep 0.1
done
"#;

/// A directory that is removed, with all it holds, when this value is dropped or this process ends.
#[derive(Debug)]
pub struct ScratchDirectory {
    path: PathBuf,
    guard: Child,
    pipe: Option<ChildStdin>,
}

impl ScratchDirectory {
    /// Makes a new directory in `parent`, or in the system's place for temporary files.
    pub fn new(parent: Option<&Path>) -> Result<ScratchDirectory> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        std::fs::create_dir_all(&parent)
            .map_err(TestkitError::io(format!("creating {}", parent.display())))?;
        let path = tempfile::Builder::new()
            .prefix("serval-")
            // Servers listen on sockets in here on which root has no password.
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir_in(&parent)
            .map_err(TestkitError::io(format!("a temporary directory in {}", parent.display())))?
            .keep();
        let mut guard = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "serval-directory-guard"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(TestkitError::io("starting a shell that guards a directory"))?;
        let pipe = guard.stdin.take();
        Ok(ScratchDirectory { path, guard, pipe })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ScratchDirectory {
    fn drop(&mut self) {
        self.pipe = None;
        let _ = self.guard.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disappears_on_drop() {
        let directory = ScratchDirectory::new(None).expect("directory");
        let path = directory.path().to_owned();
        std::fs::write(path.join("file"), "x").expect("write");
        drop(directory);
        assert!(!path.exists());
    }
}
