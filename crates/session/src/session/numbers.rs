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
    /// How many it gave.
    count: u64,
    /// A row brings one itself.
    brings: bool,
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
        let SequenceDemand { last, count, rows, conditional, .. } = *demand;
        Self {
            first,
            last,
            count,
            brings: count < rows as u64,
            conditional,
            split: false,
            by_function: false,
        }
    }

    /// Where it ran, and whether LAST_INSERT_ID(expression) stands in it.
    #[must_use]
    pub(crate) fn with(self, split: bool, by_function: bool) -> Self {
        Self { split, by_function, ..self }
    }

    /// The insert id of the OK packet, from the servers' own.
    pub(crate) fn reported(&self, insert_id: u64) -> u64 {
        match self.stored(insert_id) {
            Some(number) => number,
            // Each server names the last of its own rows.
            None if self.first.is_none() && self.split && insert_id != 0 => self.last.unwrap_or(insert_id),
            None => insert_id,
        }
    }

    /// Whether a row brought a number itself.
    pub(crate) fn brings(&self) -> bool {
        self.brings
    }

    /// Whether a row was stored under a number that the sequence gave.
    pub(crate) fn gave(&self, insert_id: u64) -> bool {
        self.stored(insert_id).is_some()
    }

    /// What LAST_INSERT_ID() becomes; 0 where it stays as it is.
    pub(crate) fn remembered(&self, insert_id: u64) -> u64 {
        match self.stored(insert_id) {
            Some(number) => number,
            None if self.by_function => insert_id,
            None => 0,
        }
    }

    /// The first number of the sequence that a row was stored under. Where rows may be left out or change others the
    /// answer has it, which is that of the single row, or has been asked for
    /// ([`GivenNumbers`](serval_planner::primitive::GivenNumbers)).
    fn stored(&self, insert_id: u64) -> Option<u64> {
        let first = self.first?;
        let is_given = insert_id >= first && insert_id - first < self.count;
        if self.conditional { is_given.then_some(insert_id) } else { Some(first) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Numbers = Numbers {
        first: Some(7),
        last: None,
        count: 3,
        brings: false,
        conditional: false,
        split: true,
        by_function: false,
    };

    fn check(numbers: Numbers, insert_id: u64, expect: (u64, u64)) {
        let found = (numbers.reported(insert_id), numbers.remembered(insert_id));
        assert_eq!(found, expect, "{numbers:?}");
    }

    #[test]
    fn the_first_number_given_is_the_insert_id() {
        check(PLAIN, 9, (7, 7));
        check(Numbers { last: Some(50), ..PLAIN }, 50, (7, 7));
    }

    #[test]
    fn a_value_of_the_statement_is_told_but_not_remembered() {
        let given = Numbers { first: None, last: Some(5), ..PLAIN };
        check(given, 4, (5, 0));
        check(Numbers { split: false, ..given }, 5, (5, 0));
        check(given, 0, (0, 0));
    }

    #[test]
    fn a_row_that_changed_another_has_that_rows_number() {
        let upsert = Numbers { count: 1, conditional: true, split: false, ..PLAIN };
        check(upsert, 7, (7, 7));
        check(upsert, 1, (1, 0));
        check(upsert, 0, (0, 0));
        check(Numbers { by_function: true, ..upsert }, 1, (1, 1));
        check(Numbers { count: 3, ..upsert }, 3, (3, 0));
        check(Numbers { count: 3, ..upsert }, 8, (8, 8));
        check(Numbers { count: 3, ..upsert }, 10, (10, 0));
    }
}
