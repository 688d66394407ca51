//! The Unix socket for clients on this machine.

use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use crate::failure::Failure;

/// Everybody may connect, as to a MySQL server's: passwords say who comes in. The folder's permissions say who gets
/// as far as that.
const MODE: u32 = 0o777;

/// A Unix socket that is removed from its folder when this is dropped.
#[derive(Debug)]
pub struct LocalListener {
    listener: UnixListener,
    file: SocketFile,
}

/// The name of a socket that we have made.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Whether the file is still ours is told by its number.
    inode: u64,
}

impl LocalListener {
    /// Binds the socket. One that a dead process has left behind is replaced; one that somebody answers is not.
    pub fn bind(path: &Path) -> Result<Self, Failure> {
        let failed = |reason: String| {
            Failure::other(format!("cannot listen on {} (listen.socket): {reason}", path.display()))
        };
        remove_stale(path).map_err(failed)?;
        Self::bind_new(path).map_err(|error| failed(error.to_string()))
    }

    fn bind_new(path: &Path) -> io::Result<Self> {
        let listener = UnixListener::bind(path)?;
        let file = SocketFile { path: path.to_owned(), inode: std::fs::metadata(path)?.ino() };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(MODE))?;
        Ok(Self { listener, file })
    }

    /// The listener, and what removes its file when it is dropped.
    pub fn split(self) -> (UnixListener, SocketFile) {
        (self.listener, self.file)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.file.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another process may have put its own there meanwhile.
        if std::fs::metadata(&self.path).is_ok_and(|file| file.ino() == self.inode) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn remove_stale(path: &Path) -> Result<(), String> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.to_string()),
        Ok(file) if !file.file_type().is_socket() => {
            return Err("there is a file that is no socket".to_owned());
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(|error| error.to_string())
        }
        Ok(_) => Err("the socket is in use; is another proxy running?".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_dead_process_left_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("serval.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let alive = LocalListener::bind(&path).unwrap();
        let refused = LocalListener::bind(&path).unwrap_err();
        assert!(refused.to_string().contains("in use"), "{refused}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        drop(alive);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn other_files_stay() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notes");
        std::fs::write(&path, "dear diary").unwrap();
        assert!(LocalListener::bind(&path).is_err());
        assert!(path.exists());
        let socket = directory.path().join("serval.sock");
        let ours = LocalListener::bind(&socket).unwrap();
        std::fs::remove_file(&socket).unwrap();
        std::fs::write(&socket, "somebody else's").unwrap();
        drop(ours);
        assert!(socket.exists());
    }
}
