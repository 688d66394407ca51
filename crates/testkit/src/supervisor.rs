//! A process that cannot outlive this one.
//!
//! The program runs as the child of a shell whose standard input is a pipe from here. Each line written to the pipe is
//! a signal's name for the program; the pipe's end means SIGKILL. The kernel closes the pipe when this process ends in
//! whatever way, so no exit hook, no unsafe call and no orderly drop is needed. The shell leads a process group of its
//! own: Ctrl-C in a terminal reaches this process only, and the shells then see their pipes close.
//!
//! The program ignores SIGXFSZ, so that a limit of the size of its files is to it what a full disk is.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::{Result, TestkitError};

const SCRIPT: &str = r#"
log=$1; shift
exec 3<&0 </dev/null
trap '' XFSZ
"$@" >>"$log" 2>&1 3<&- &
pid=$!
( while read -r signal; do kill -s "$signal" $pid; done; kill -s KILL $pid ) <&3 >/dev/null 2>&1 &
reader=$!
exec 3<&-
echo $pid
wait $pid
status=$?
kill $reader 2>/dev/null
exit $status
"#;

/// A running program under its supervisor. Dropping it kills the program and waits for its end.
#[derive(Debug)]
pub struct Supervised {
    shell: Child,
    pipe: Option<ChildStdin>,
    pid: u32,
    log: PathBuf,
}

impl Supervised {
    /// Starts `program` with `arguments`; its output is appended to `log`.
    pub fn spawn<A: AsRef<OsStr>>(
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        environment: &[(&str, &str)],
        log: &Path,
    ) -> Result<Supervised> {
        let mut shell = Command::new("/bin/sh")
            .arg("-c")
            .arg(SCRIPT)
            .arg("serval-supervisor")
            .arg(log)
            .arg(program)
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(TestkitError::io(format!("starting a shell for {}", program.display())))?;
        let pipe = shell.stdin.take();
        let pid = read_pid(&mut shell).ok_or_else(|| TestkitError::NotStarted {
            what: program.display().to_string(),
            log: "the supervising shell ended at once".to_owned(),
        })?;
        Ok(Supervised { shell, pipe, pid, log: log.to_owned() })
    }

    /// The program's process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Sends a signal by name, such as `TERM`, `KILL`, `STOP`, `CONT`, `HUP` or `INT`. A program that has ended is
    /// left alone.
    pub fn signal(&mut self, name: &str) {
        if let Some(pipe) = &mut self.pipe {
            // A closed pipe means that the program has ended and its shell with it.
            let _ = writeln!(pipe, "{name}");
        }
    }

    /// How the program ended, if it has. A death by signal n shows as exit code 128 + n.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.shell.try_wait().ok().flatten()
    }

    /// Waits for the program's end; `None` when it still runs after `limit`.
    pub async fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.ended() {
                return Some(status);
            }
            if Instant::now() >= deadline {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Begins the end without waiting for it, so that several programs can die at the same time.
    pub fn hang_up(&mut self) {
        self.pipe = None;
    }

    /// All that the program has written so far.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.hang_up();
        let _ = self.shell.wait();
    }
}

fn read_pid(shell: &mut Child) -> Option<u32> {
    let mut line = String::new();
    BufReader::new(shell.stdout.take()?).read_line(&mut line).ok()?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alive(pid: u32) -> bool {
        // A zombie's status file still exists for a moment after the kill; its state letter tells.
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    }

    #[tokio::test]
    async fn drop_kills_the_program() {
        let folder = tempfile::tempdir().expect("tempdir");
        let child =
            Supervised::spawn(Path::new("sleep"), ["1000"], &[], &folder.path().join("log")).expect("sleep");
        let pid = child.pid();
        assert!(alive(pid));
        drop(child);
        assert!(!alive(pid));
    }

    #[tokio::test]
    async fn signals_and_exit_codes_arrive() {
        let folder = tempfile::tempdir().expect("tempdir");
        let log = folder.path().join("log");
        let mut child = Supervised::spawn(Path::new("sleep"), ["1000"], &[], &log).expect("sleep");
        child.signal("TERM");
        let status = child.wait(Duration::from_secs(5)).await.expect("ends");
        assert_eq!(status.code(), Some(128 + 15));
        let mut child =
            Supervised::spawn(Path::new("sh"), ["-c", "echo hello; exit 2"], &[], &log).expect("sh");
        assert_eq!(child.wait(Duration::from_secs(5)).await.and_then(|status| status.code()), Some(2));
        assert_eq!(child.log(), "hello\n");
    }
}
