//! The memory of a process.

use std::fs;
use std::time::Duration;

/// How often a peak is looked for.
const SAMPLE: Duration = Duration::from_millis(20);

/// What a process has in memory of its own, in bytes; 0 if it is gone.
pub(crate) fn held(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kilobytes: u64 =
        line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0);
    kilobytes * 1024
}

/// The most that a process had while `work` ran, beyond what it had before.
pub(crate) async fn growth<T>(pid: u32, work: impl Future<Output = T>) -> (T, u64) {
    let before = held(pid);
    let mut peak = before;
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return (done, peak.max(held(pid)).saturating_sub(before)),
            () = tokio::time::sleep(SAMPLE) => peak = peak.max(held(pid)),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_process_has_memory() {
        assert!(super::held(std::process::id()) > 4096);
        assert_eq!(super::held(u32::MAX), 0);
    }
}
