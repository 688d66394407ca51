//! Taking a connection back after a statement, and what the statement's end means for the whole.

use serval_remote::{Backend, Connection};

use crate::commit::CommitError;
use crate::lent::{Ending, Lent};
use crate::participant::Place;
use crate::transaction::{State, Transaction};

impl<B: Backend> Transaction<B> {
    /// Takes a lent connection back. One that was never used, so that its BEGIN is still owed, has not joined.
    ///
    /// As on one MySQL server, most errors undo only their statement. A deadlock (1213) undoes the server's whole
    /// transaction, so it is undone on every group and the transaction is closed. A lock wait timeout (1205) undoes
    /// what the server's settings say, so the server is asked. A lost connection dooms the transaction.
    ///
    /// Whatever it has to wait for is rare, and has a future of its own, so that this one is small.
    ///
    /// # Errors
    /// Only where the statement committed its group's transaction by itself (DDL does), and the other groups, which
    /// are then committed too, did not all follow.
    pub async fn settle(&mut self, lent: Lent<B>, ending: Ending<'_>) -> Result<(), CommitError> {
        if !self.owns(&lent) {
            // The transaction ended while the connection was away; dropping it rolls its part back.
            return Ok(());
        }
        let group = lent.group;
        self.note_use(&lent);
        match ending {
            Ending::Success if lent.begin.is_some() => self.leave(lent),
            Ending::Lost => self.mark_lost(group),
            Ending::Success if lent.connection.in_transaction() => self.put_back(lent),
            Ending::Success => {
                self.leave(lent);
                return Box::pin(self.commit()).await;
            }
            Ending::Failed(error) => match self.aftermath(error.number) {
                Aftermath::RolledBack => {
                    self.put_back(lent);
                    Box::pin(self.rollback()).await;
                }
                Aftermath::Unsure => {
                    self.put_back(lent);
                    Box::pin(self.ask_whether_open(group)).await;
                }
                Aftermath::StatementOnly if lent.connection.in_transaction() => self.put_back(lent),
                // Its BEGIN was refused, or it joined with the statement that failed: it never took part.
                Aftermath::StatementOnly => self.leave(lent),
            },
        }
        Ok(())
    }

    fn owns(&self, lent: &Lent<B>) -> bool {
        match &self.state {
            State::Open(open) => open.participants.iter().any(|participant| participant.lent_as(&lent.loan)),
            State::Closed | State::Doomed(_) => false,
        }
    }

    fn aftermath(&mut self, number: u16) -> Aftermath {
        if let (INTERRUPTED, State::Open(open)) = (number, &self.state) {
            let global = open.global.as_ref();
            self.victim = global.is_some_and(|global| global.decisions.is_victim(&global.gtrid));
        }
        if self.victim { Aftermath::RolledBack } else { Aftermath::of(number) }
    }

    fn note_use(&mut self, lent: &Lent<B>) {
        let State::Open(open) = &mut self.state else { return };
        let participant = open.participants.iter_mut().find(|participant| participant.group == lent.group);
        if let (Some(participant), false) = (participant, lent.only_reads) {
            participant.wrote = true;
        }
    }

    fn put_back(&mut self, lent: Lent<B>) {
        let State::Open(open) = &mut self.state else { return };
        if let Ok(at) = open.participants.binary_search_by_key(&lent.group, |participant| participant.group) {
            open.participants[at].place = Place::Here(lent.connection);
        }
    }

    /// The connection is idle and outside a transaction: dropping it gives it back to its pool.
    fn leave(&mut self, lent: Lent<B>) {
        if let State::Open(open) = &mut self.state {
            open.participants.retain(|participant| participant.group != lent.group);
        }
    }

    /// An ERR packet carries no status flags; the answer to a statement that does nothing does.
    async fn ask_whether_open(&mut self, group: serval_types::GroupId) {
        let State::Open(open) = &mut self.state else { return };
        let Ok(at) = open.participants.binary_search_by_key(&group, |participant| participant.group) else {
            return;
        };
        let participant = &mut open.participants[at];
        let answer = participant.run("DO 0").await;
        // Looked at before anything is awaited again: a connection need not be `Sync`.
        let is_open = match &participant.place {
            Place::Here(connection) => Some(connection.in_transaction()),
            Place::Lent => None,
        };
        match (answer, is_open) {
            (Ok(Ok(())), Some(true)) => {}
            (Ok(_), Some(_)) => self.rollback().await,
            _ => self.mark_lost(group),
        }
    }
}

/// ER_QUERY_INTERRUPTED.
const INTERRUPTED: u16 = 1317;

/// What an error left of the transaction of the server that gave it.
enum Aftermath {
    StatementOnly,
    RolledBack,
    Unsure,
}

impl Aftermath {
    fn of(number: u16) -> Self {
        match number {
            // ER_LOCK_DEADLOCK and its form inside XA.
            1213 | 1614 => Self::RolledBack,
            // ER_LOCK_WAIT_TIMEOUT with innodb_rollback_on_timeout, ER_CHECKREAD with innodb_snapshot_isolation.
            1205 | 1020 => Self::Unsure,
            _ => Self::StatementOnly,
        }
    }
}
