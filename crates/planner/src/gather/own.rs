//! What of a statement only a table itself can do, and not a copy of its rows: `PARTITION (…)` and MATCH … AGAINST.
//!
//! Both restrict the rows, so they are asked of where these are read, and the rows that came satisfy them.

use serval_sql::{Edit, Span, Token, TokenKind, closing};

use super::{Gathering, Outcome, Result};
use crate::analysis::{Early, TableRef};
use crate::error::PlanError;
use crate::operand::ClientText;
use crate::statement::searches::is_search;

impl Gathering<'_> {
    /// Where `PARTITION (p0, p1)` stands behind the name of a table.
    pub(super) fn partitions(&self, found: &TableRef) -> Option<Span> {
        if !self.is_read(found) {
            return None;
        }
        let start = found.name.end;
        let word = self.tokens.partition_point(|token| token.span.start < start);
        let partitions = self.tokens.get(word)?.is_word(self.planning.sql, "PARTITION");
        let open = self.tokens.get(word + 1).filter(|open| partitions && open.is_symbol(b'('));
        let close = open.and_then(|_| closing(&self.tokens, word + 1))?;
        Some(Span { start, end: self.tokens[close].span.end })
    }

    /// The numbers of the parameters that stand outside of `done`.
    ///
    /// # Errors
    /// [`PlanError::Refused`] where there are more than a statement can have.
    pub(super) fn parameters_beside(&self, done: &[Edit]) -> Result<Vec<u16>> {
        let parameters = self.tokens.iter().filter(|token| token.kind == TokenKind::Parameter);
        let stay =
            parameters.enumerate().filter(|(_, token)| !done.iter().any(|edit| edit.at.covers(token.span)));
        let numbers = stay.map(|(number, _)| u16::try_from(number));
        let numbers = numbers.collect::<std::result::Result<_, _>>();
        numbers.map_err(|_| PlanError::refused("The statement has too many parameters"))
    }

    /// Whether a term is a search that the source does, in the words of the statement.
    pub(super) fn is_searched(&self, early: &Early) -> bool {
        let written = early.of.is_none() && self.values.text != ClientText::Other;
        written && self.is_read(&self.analysis.refs[early.table]) && is_search(&early.expr)
    }

    /// Whether its rows are read from a table of its own, and neither made by a query nor here already.
    fn is_read(&self, found: &TableRef) -> bool {
        let table = &found.table.table;
        let made = table.derived.is_some() || Outcome::named(self.outcomes, &table.name).is_some();
        table.held.is_none() && !made
    }

    /// The statement without what its sources have done.
    pub(super) fn done_at_source(&self) -> Vec<Edit> {
        let partitions = self.analysis.refs.iter().filter_map(|found| self.partitions(found));
        let partitions = partitions.map(|at| Edit { at, text: String::new() });
        let searches = self.analysis.early.iter().filter(|early| self.is_searched(early));
        let searches = searches.filter_map(|early| {
            let at = self.term(&early.expr, &early.places)?;
            (self.is_unbound(at) || self.filter(early).is_some()).then_some(at)
        });
        partitions.chain(searches.map(|at| Edit { at, text: "TRUE".to_owned() })).collect()
    }

    /// Whether a text has parameters whose values are not known yet: only the columns of the statement are asked.
    fn is_unbound(&self, at: Span) -> bool {
        let parameter = |token: &Token| token.kind == TokenKind::Parameter && at.covers(token.span);
        self.values.parameters.is_empty() && self.tokens.iter().any(parameter)
    }

    /// Refuses what would have to be done on copies.
    ///
    /// # Errors
    /// [`PlanError::Refused`] where it stands outside of `edits`.
    pub(super) fn refuse_left(&self, edits: &[Edit]) -> Result<()> {
        let sql = self.planning.sql;
        let opens = |at: usize| self.tokens.get(at).is_some_and(|token: &Token| token.is_symbol(b'('));
        let left = |at: usize, word: &str| {
            let token = &self.tokens[at];
            token.is_word(sql, word) && opens(at + 1) && !edits.iter().any(|edit| edit.at.covers(token.span))
        };
        let stands = |word: &str| (0..self.tokens.len()).any(|at| left(at, word));
        if stands("AGAINST") {
            return Err(PlanError::refused(
                "MATCH … AGAINST beside tables of other nodes has to be a condition of WHERE or ON by itself, beside \
                 others with AND, whose columns are those of one table",
            ));
        }
        if stands("PARTITION") {
            return Err(PlanError::refused("PARTITION (…) has to stand right behind the name of a table"));
        }
        Ok(())
    }
}
