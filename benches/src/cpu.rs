//! The CPU time that a process has used.

use std::fs;
use std::time::Duration;

/// Linux counts a process's time in these, whatever its kernel's own tick is.
const TICKS_PER_SECOND: u64 = 100;

/// User and system time of all threads of a process so far; `None` if it is gone.
pub(crate) fn used(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field, the program's name in parentheses, may contain spaces; utime and stime are fields 14 and 15.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_a_time() {
        assert!(used(std::process::id()).is_some());
        assert!(used(u32::MAX).is_none());
    }
}
