//! How the numbers of several targets become one answer.

use serval_planner::primitive::{Tally, Target};
use serval_wire::StatusFlags;
use serval_wire::packet::OkPacket;
use serval_wire::response::Completion;

use super::head::Verb;
use super::info::Info;

/// What the targets have said so far.
#[derive(Debug)]
pub(crate) struct Count {
    tally: Tally,
    targets: usize,
    affected_rows: u64,
    last_insert_id: u64,
    /// The smallest number of a sequence that was stored.
    stored: Option<u64>,
    warnings: u16,
    info: Infos,
}

/// The texts for people.
#[derive(Debug)]
enum Infos {
    /// No target has answered.
    None,
    /// They agree in form; the sum of their numbers.
    Sum(Info),
    /// They do not, or have none.
    Mixed,
}

impl Count {
    pub(crate) fn new(tally: Tally) -> Self {
        Self {
            tally,
            targets: 0,
            affected_rows: 0,
            last_insert_id: 0,
            stored: None,
            warnings: 0,
            info: Infos::None,
        }
    }

    /// Counts a target's answer.
    pub(crate) fn add(&mut self, target: &Target, completion: &Completion) {
        self.targets += 1;
        if self.tally == Tally::First && self.targets > 1 {
            // Another copy of the same rows.
            return;
        }
        self.affected_rows = self.affected_rows.saturating_add(completion.affected_rows);
        self.warnings = self.warnings.saturating_add(completion.warnings);
        if self.last_insert_id == 0 {
            self.last_insert_id = completion.last_insert_id;
        }
        let info = match self.tally {
            Tally::First => Info::parse(&completion.info),
            _ => Info::parse(&completion.info).or_else(|| of_one_row(&target.sql, completion)),
        };
        self.info = match (std::mem::replace(&mut self.info, Infos::Mixed), info) {
            (Infos::None, Some(info)) => Infos::Sum(info),
            (Infos::Sum(sum), Some(info)) => sum.plus(&info).map_or(Infos::Mixed, Infos::Sum),
            _ => Infos::Mixed,
        };
    }

    /// Takes note of the smallest number of a sequence that a target stored.
    pub(crate) fn stored(&mut self, number: Option<u64>) {
        self.stored = self.stored.into_iter().chain(number).min();
    }

    /// The answer for the client.
    pub(crate) fn ok(&self) -> OkPacket {
        let info = match &self.info {
            Infos::Sum(info) => info.to_string().into_bytes(),
            Infos::None | Infos::Mixed => Vec::new(),
        };
        OkPacket {
            affected_rows: self.affected_rows,
            last_insert_id: self.stored.unwrap_or(self.last_insert_id),
            status: StatusFlags::empty(),
            warnings: self.warnings,
            info,
            session_state: None,
        }
    }
}

/// Servers have no text for an INSERT of one row; here it is one of several, which would have had one.
fn of_one_row(sql: &[u8], completion: &Completion) -> Option<Info> {
    let affected = completion.affected_rows;
    let duplicates = match Verb::of(sql) {
        Verb::InsertIgnore => 1u64.saturating_sub(affected),
        // A row that replaced or updated another counts twice.
        Verb::Insert => affected.saturating_sub(1),
        Verb::Other => return None,
    };
    Some(Info::of_insert(1, duplicates, u64::from(completion.warnings)))
}

#[cfg(test)]
mod tests {
    use serval_types::NodeId;

    use super::*;

    fn target(sql: &str) -> Target {
        Target::new(NodeId(0), None, sql.into())
    }

    fn count(tally: Tally, answers: &[(&str, u64, &str)]) -> (u64, String) {
        let mut count = Count::new(tally);
        for (sql, affected_rows, info) in answers {
            let completion = Completion {
                affected_rows: *affected_rows,
                info: info.as_bytes().to_vec(),
                ..Completion::default()
            };
            count.add(&target(sql), &completion);
        }
        let ok = count.ok();
        (ok.affected_rows, String::from_utf8(ok.info).unwrap())
    }

    #[test]
    fn updates_add_up() {
        let one = ("UPDATE t SET a=1", 2, "Rows matched: 3  Changed: 2  Warnings: 0");
        let two = ("UPDATE t SET a=1", 1, "Rows matched: 1  Changed: 1  Warnings: 1");
        let sum = "Rows matched: 4  Changed: 3  Warnings: 1".to_owned();
        assert_eq!(count(Tally::Sum, &[one, two]), (3, sum));
    }

    #[test]
    fn one_copy_of_a_global_table_counts() {
        let answer = ("UPDATE t SET a=1", 2, "Rows matched: 3  Changed: 2  Warnings: 0");
        assert_eq!(count(Tally::First, &[answer, answer, answer]), (2, answer.2.to_owned()));
    }

    #[test]
    fn an_insert_of_one_row_each_says_records() {
        let sum = "Records: 3  Duplicates: 0  Warnings: 0".to_owned();
        let one = ("INSERT INTO t VALUES (1)", 1, "");
        let two = ("INSERT INTO t VALUES (2),(3)", 2, "Records: 2  Duplicates: 0  Warnings: 0");
        assert_eq!(count(Tally::Sum, &[one, two]), (3, sum));
        let replaced = ("REPLACE INTO t VALUES (1)", 2, "");
        let sum = "Records: 2  Duplicates: 1  Warnings: 0".to_owned();
        assert_eq!(count(Tally::Sum, &[replaced, one]), (3, sum));
        let ignored = ("INSERT IGNORE INTO t VALUES (1)", 0, "");
        let sum = "Records: 2  Duplicates: 2  Warnings: 0".to_owned();
        assert_eq!(count(Tally::Sum, &[ignored, ignored]), (0, sum));
    }

    #[test]
    fn a_delete_has_no_text() {
        assert_eq!(
            count(Tally::Sum, &[("DELETE FROM t", 2, ""), ("DELETE FROM t", 3, "")]),
            (5, String::new())
        );
    }
}
