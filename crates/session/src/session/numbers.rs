//! What a client is told of AUTO_INCREMENT where Serval gives the numbers.
//!
//! To the servers every number is then one that the statement brought itself, so their own answers say another thing
//! than one server would that makes its numbers.

use serval_planner::SequenceDemand;

/// The numbers of one INSERT into a table with a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// The first that the sequence gave.
    pub(crate) first: Option<u64>,
    /// What the last row brought itself.
    last: Option<u64>,
    rows: usize,
    /// Rows may be left out, or change others in their place.
    conditional: bool,
    /// Several servers answered.
    split: bool,
    /// LAST_INSERT_ID(expression) stands in the statement.
    by_function: bool,
}

impl Numbers {
    /// Of a statement whose demand was met with numbers from `first` on.
    pub(crate) fn new(demand: &SequenceDemand, first: Option<u64>) -> Self {
        let SequenceDemand { last, rows, conditional, .. } = *demand;
        Self { first, last, rows, conditional, split: false, by_function: false }
    }

    /// Where it ran, and whether LAST_INSERT_ID(expression) stands in it.
    #[must_use]
    pub(crate) fn with(self, split: bool, by_function: bool) -> Self {
        Self { split, by_function, ..self }
    }

    /// The insert id of the OK packet, from the servers' own.
    pub(crate) fn reported(&self, affected_rows: u64, insert_id: u64) -> u64 {
        match self.first {
            Some(first) if self.used(first, affected_rows, insert_id) => first,
            // Each server names the last of its own rows.
            None if self.split && insert_id != 0 => self.last.unwrap_or(insert_id),
            _ => insert_id,
        }
    }

    /// What LAST_INSERT_ID() becomes; 0 where it stays as it is.
    pub(crate) fn remembered(&self, affected_rows: u64, insert_id: u64) -> u64 {
        match self.first {
            Some(first) if self.used(first, affected_rows, insert_id) => first,
            _ if self.by_function => insert_id,
            _ => 0,
        }
    }

    /// Whether any row was stored under a number of the sequence. Of several rows that may be left out or change
    /// others it is not known which were; if all changed another, each counts twice.
    fn used(&self, first: u64, affected_rows: u64, insert_id: u64) -> bool {
        match (self.conditional, u64::try_from(self.rows).unwrap_or(u64::MAX)) {
            (false, _) => true,
            (true, 1) => insert_id == first,
            (true, rows) => 0 < affected_rows && affected_rows < rows.saturating_mul(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Numbers =
        Numbers { first: Some(7), last: None, rows: 3, conditional: false, split: true, by_function: false };

    fn check(numbers: Numbers, affected_rows: u64, insert_id: u64, expect: (u64, u64)) {
        let found =
            (numbers.reported(affected_rows, insert_id), numbers.remembered(affected_rows, insert_id));
        assert_eq!(found, expect, "{numbers:?}");
    }

    #[test]
    fn the_first_number_given_is_the_insert_id() {
        check(PLAIN, 3, 9, (7, 7));
        check(Numbers { last: Some(50), ..PLAIN }, 3, 50, (7, 7));
    }

    #[test]
    fn a_value_of_the_statement_is_told_but_not_remembered() {
        let given = Numbers { first: None, last: Some(5), ..PLAIN };
        check(given, 3, 4, (5, 0));
        check(Numbers { split: false, ..given }, 3, 5, (5, 0));
        check(given, 0, 0, (0, 0));
    }

    #[test]
    fn a_row_that_changed_another_has_that_rows_number() {
        let upsert = Numbers { rows: 1, conditional: true, split: false, ..PLAIN };
        check(upsert, 1, 7, (7, 7));
        check(upsert, 2, 1, (1, 0));
        check(upsert, 0, 0, (0, 0));
        check(Numbers { by_function: true, ..upsert }, 0, 1, (1, 1));
        check(Numbers { rows: 3, ..upsert }, 6, 3, (3, 0));
    }
}
