//! What the last statement left for functions and SHOWs that ask about it.

use crate::answer::Answer;
use crate::flavour::Flavour;

/// The last statement's numbers.
#[derive(Debug, Clone)]
pub(crate) struct Last {
    /// LAST_INSERT_ID(): the last generated value, of whichever statement.
    pub(crate) insert_id: u64,
    /// ROW_COUNT(): rows changed; -1 after a result set.
    pub(crate) row_count: i64,
    /// FOUND_ROWS(), where Serval knows it.
    pub(crate) found_rows: Option<u64>,
    /// How many warnings there were.
    pub(crate) warnings: u16,
    /// How many data nodes it ran on.
    pub(crate) nodes: usize,
    /// How many of them are the last statement's own: MariaDB keeps those of an earlier one while no table is used.
    pub(crate) answered: u16,
    /// The warnings themselves, once asked for while they could still be had.
    pub(crate) messages: Option<Answer>,
}

/// Warnings of a statement before the last.
#[derive(Debug)]
pub(crate) struct Kept {
    warnings: u16,
    messages: Option<Answer>,
}

impl Default for Last {
    fn default() -> Self {
        Self {
            insert_id: 0,
            row_count: 0,
            found_rows: Some(0),
            warnings: 0,
            nodes: 0,
            answered: 0,
            messages: None,
        }
    }
}

impl Last {
    /// A statement changed rows, or none.
    pub(crate) fn changed(&mut self, affected_rows: u64, insert_id: u64, warnings: u16) {
        if insert_id != 0 {
            self.insert_id = insert_id;
        }
        self.row_count = i64::try_from(affected_rows).unwrap_or(i64::MAX);
        self.warnings = warnings;
        self.messages = None;
    }

    /// A statement returned rows; what FOUND_ROWS() makes of them, where that is known.
    pub(crate) fn selected(&mut self, found_rows: Option<u64>, warnings: u16) {
        self.row_count = -1;
        self.found_rows = found_rows;
        self.warnings = warnings;
        self.messages = None;
    }

    /// The client was told of so many rows in place of those that the servers count.
    pub(crate) fn recount(&mut self, rows: u64) {
        self.row_count = i64::try_from(rows).unwrap_or(i64::MAX);
    }

    /// The warnings that there are, to be kept where the next statement has none of its own.
    pub(crate) fn warnings(&self) -> Kept {
        Kept { warnings: self.warnings, messages: self.messages.clone() }
    }

    /// What a statement without tables has left: on MariaDB, old warnings stay where it has none itself.
    pub(crate) fn keep(&mut self, kept: Kept, flavour: Flavour) {
        self.answered = self.warnings;
        if self.warnings == 0 && flavour.is_mariadb() {
            (self.warnings, self.messages) = (kept.warnings, kept.messages);
        }
    }

    /// How many of its warnings are errors.
    pub(crate) fn errors(&self) -> u64 {
        let rows = self.messages.iter().flat_map(|messages| &messages.rows);
        rows.filter(|row| row.first().and_then(Option::as_deref) == Some(b"Error")).count() as u64
    }

    /// A statement failed with this error, which SHOW WARNINGS then shows.
    pub(crate) fn failed(&mut self, error: &serval_types::MysqlError) {
        self.row_count = -1;
        self.warnings = 1;
        let mut answer = Answer::of_text(&["Level", "Code", "Message"]);
        answer.push(["Error".to_owned(), error.number.to_string(), error.message.clone()]);
        self.messages = Some(answer);
    }
}
