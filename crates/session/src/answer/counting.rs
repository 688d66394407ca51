//! CLIENT_FOUND_ROWS: clients that want rows counted which an UPDATE found, whether it changed them or not.
//!
//! The servers' connections serve all clients and count changed rows. What was found stands in the text for people that
//! comes with the count.

use serval_sql::{Scan, StatementClass};
use serval_wire::Capabilities;
use serval_wire::packet::OkPacket;

use crate::words::updates_duplicates;

/// What an OK packet counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Counting {
    /// What the servers count.
    #[default]
    Changed,
    /// The rows that an UPDATE found.
    Matched,
    /// An INSERT … ON DUPLICATE KEY UPDATE that leaves a row as it is counts it once.
    Touched,
}

impl Counting {
    /// What a client with these capabilities wants of the statement.
    pub(crate) fn of(capabilities: Capabilities, scan: &Scan) -> Self {
        match scan.class {
            _ if !capabilities.contains(Capabilities::CLIENT_FOUND_ROWS) => Self::Changed,
            StatementClass::Update | StatementClass::With => Self::Matched,
            StatementClass::Insert if updates_duplicates(&scan.key) => Self::Touched,
            _ => Self::Changed,
        }
    }

    /// The packet as the client wants it.
    pub(crate) fn apply(self, ok: OkPacket) -> OkPacket {
        let affected = ok.affected_rows;
        match (self, numbers(&ok.info)) {
            (Self::Matched, Some([found, ..])) => OkPacket { affected_rows: found, ..ok },
            (Self::Touched, Some([records, changed, warnings])) => {
                // A new row counts once and a changed one twice, so this many are neither.
                let same = (records + changed).saturating_sub(affected);
                let info =
                    format!("Records: {records}  Duplicates: {}  Warnings: {warnings}", changed + same);
                OkPacket { affected_rows: affected + same, info: info.into_bytes(), ..ok }
            }
            // A single row comes without a text.
            (Self::Touched, None) if ok.info.is_empty() => OkPacket { affected_rows: affected.max(1), ..ok },
            _ => ok,
        }
    }
}

/// The three numbers of a text such as `Rows matched: 3  Changed: 2  Warnings: 0`, in whatever language.
fn numbers(info: &[u8]) -> Option<[u64; 3]> {
    let text = std::str::from_utf8(info).ok()?;
    let mut fields = text.trim().split("  ").map(|field| field.rsplit(": ").next()?.trim().parse().ok());
    Some([fields.next()??, fields.next()??, fields.next()??])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(counting: Counting, affected_rows: u64, info: &str, expect: (u64, &str)) {
        let ok = OkPacket { affected_rows, info: info.into(), ..OkPacket::default() };
        let ok = counting.apply(ok);
        assert_eq!((ok.affected_rows, std::str::from_utf8(&ok.info).unwrap()), expect);
    }

    #[test]
    fn an_update_counts_what_it_found() {
        let info = "Rows matched: 3  Changed: 1  Warnings: 0";
        check(Counting::Matched, 1, info, (3, info));
        check(Counting::Changed, 1, info, (1, info));
        check(Counting::Matched, 1, "", (1, ""));
    }

    #[test]
    fn a_row_left_as_it_was_counts_once() {
        check(Counting::Touched, 0, "", (1, ""));
        check(Counting::Touched, 2, "", (2, ""));
        let (before, after) =
            ("Records: 3  Duplicates: 1  Warnings: 0", "Records: 3  Duplicates: 2  Warnings: 0");
        // One new, one changed, one the same.
        check(Counting::Touched, 3, before, (4, after));
    }
}
