//! The name of a transaction over several groups.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rand::Rng as _;

/// What Serval's names begin with: other branches on the servers are none of its business.
const PREFIX: &str = "serval.";
/// Hexadecimal digits of a group's UUID.
const UUID: usize = 32;
/// Hexadecimal digits that tell this process from others.
const PROCESS: usize = 12;
/// The most that servers take.
const LONGEST: usize = 64;

/// The gtrid of an XA transaction: `serval.<UUID of the first group>.<process>-<number>`.
///
/// The group is the one whose database holds the record of the decision, so whoever finds a branch knows where to
/// look. ASCII, at most 64 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gtrid(Box<str>);

impl Gtrid {
    /// Reads a name; `None` where it is none of Serval's.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?;
        let (uuid, rest) = rest.split_at_checked(UUID)?;
        let (process, number) = rest.strip_prefix('.')?.split_once('-')?;
        let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let whole = text.len() <= LONGEST && process.len() == PROCESS && !number.is_empty();
        (whole && hex(uuid) && hex(process) && hex(number)).then(|| Self(text.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The UUID of the group that holds the record of the decision.
    #[must_use]
    pub fn uuid(&self) -> &str {
        &self.0[PREFIX.len()..PREFIX.len() + UUID]
    }

    fn process(&self) -> &str {
        let start = PREFIX.len() + UUID + 1;
        &self.0[start..start + PROCESS]
    }
}

impl fmt::Display for Gtrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Makes names that nobody else makes.
#[derive(Debug)]
pub(crate) struct Names {
    process: Box<str>,
    next: AtomicU64,
}

impl Names {
    /// A source of names. The count starts at the clock, so that even a process that draws the random part of an
    /// earlier one does not repeat its names.
    pub(crate) fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let process = format!("{:012x}", rand::rng().random::<u64>() >> 16).into();
        Self { process, next: AtomicU64::new(u64::try_from(now.as_millis()).unwrap_or(0)) }
    }

    pub(crate) fn make(&self, uuid: &str) -> Gtrid {
        // Eleven digits last for five hundred years of milliseconds.
        let number = self.next.fetch_add(1, Ordering::Relaxed) & 0xfff_ffff_ffff;
        Gtrid(format!("{PREFIX}{uuid}.{}-{number:x}", self.process).into())
    }

    /// Whether the name was made here.
    pub(crate) fn made(&self, gtrid: &Gtrid) -> bool {
        gtrid.process() == &*self.process
    }
}

/// A group's UUID, drawn at random.
pub(crate) fn new_uuid() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}

/// Whether a stored UUID is one.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == UUID && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_ascii_and_their_own() {
        let (names, others) = (Names::new(), Names::new());
        let uuid = new_uuid();
        assert!(is_uuid(&uuid));
        let (one, two) = (names.make(&uuid), names.make(&uuid));
        assert_ne!(one, two);
        assert!(one.as_str().len() <= LONGEST && one.as_str().is_ascii(), "{one}");
        assert_eq!(Gtrid::parse(one.as_str()), Some(one.clone()));
        assert_eq!(one.uuid(), uuid);
        assert!(names.made(&one) && !others.made(&one));
    }

    #[test]
    fn other_names_are_left_alone() {
        let uuid = "0".repeat(32);
        for other in [
            String::new(),
            "serval.".to_owned(),
            "a".to_owned(),
            format!("serval.{uuid}"),
            format!("serval.{uuid}.0123456789ab"),
            format!("serval.{uuid}.0123456789ab-"),
            format!("serval.{uuid}.0123456789ab-x'"),
            format!("serval.{uuid}.0123456789-1"),
            format!("serval.{}.0123456789ab-1", "é".repeat(16)),
            format!("serval.{uuid}.0123456789ab-{}", "1".repeat(13)),
        ] {
            assert_eq!(Gtrid::parse(&other), None, "{other}");
        }
    }
}
