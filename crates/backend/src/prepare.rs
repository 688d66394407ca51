//! Prepared statements on a link: preparing what its server does not have, and executing by number.
//!
//! The caller knows only texts. A statement is prepared when it is first executed on a connection and stays so while
//! it is used; the server's numbers never leave this crate.

use bytes::Buf;
use serval_remote::{Burst, Execution, Request};
use serval_wire::WireError;
use serval_wire::command::execute::{CURSOR_TYPE_NO_CURSOR, encode_execute};
use serval_wire::frame;
use serval_wire::packet::{ERR_HEADER, ErrPacket};
use serval_wire::response::{PrepareScanner, Prepared};

use crate::accepted::Accepted;
use crate::command::{self, Command};
use crate::error::LinkError;
use crate::link::{Link, Phase};
use crate::preamble::Step;
use crate::statements::{Class, Statement};

/// ER_MAX_PREPARED_STMT_COUNT_REACHED.
const TOO_MANY: u16 = 1461;

/// Where in COM_STMT_EXECUTE the statement's id is.
const ID: std::ops::Range<usize> = 1..5;

impl Link {
    /// Makes the statement of `request` the one that is prepared and executed.
    pub(crate) fn select(&mut self, request: &Request<'_>) {
        let database = request.database.or(self.database.as_deref());
        // MariaDB looks at the types of each execution anew.
        let executed = request.execution.filter(|_| !self.version.mariadb);
        let classes = executed.iter().flat_map(|Execution { parameters, selection }| {
            let class = |position: &u16| match parameters.raw(usize::from(*position)) {
                None => Class::Text,
                Some(_) => {
                    parameters.types().get(usize::from(*position)).map_or(Class::Text, |t| Class::of(*t))
                }
            };
            selection.iter().map(class)
        });
        self.statements.select(database, request.state, request.sql, classes);
    }

    /// Prepares the [selected](crate::statements::Statements::select) statement, in place of the one that may be
    /// prepared already; the steps of `ahead` go before it in the same write. Statements that have to make room for
    /// it are closed.
    ///
    /// `None` where the server refuses it; [`Phase::Refused`] has the reason.
    pub(crate) async fn prepare(
        &mut self,
        ahead: Vec<Step>,
        accepted: &Accepted,
    ) -> Result<Option<Prepared>, LinkError> {
        let forgotten = self.statements.forget();
        let closed = self.statements.make_room();
        self.close_statements(forgotten.into_iter().chain(closed));
        self.phase = Phase::busy();
        let answer = self.prepare_or_make_room(ahead, accepted).await;
        self.phase = match &answer {
            Ok(Ok(_)) => Phase::Idle,
            Ok(Err(error)) => Phase::Refused(error.to_mysql()),
            Err(_) => Phase::Broken,
        };
        match answer? {
            Ok(prepared) => {
                self.statements.add(&prepared.ok);
                Ok(Some(prepared))
            }
            Err(error) => {
                self.note_error(&error);
                Ok(None)
            }
        }
    }

    /// All connections share the server's limit; half of what is this one's is what it can give.
    async fn prepare_or_make_room(
        &mut self,
        ahead: Vec<Step>,
        accepted: &Accepted,
    ) -> Result<Result<Prepared, ErrPacket>, LinkError> {
        match self.ask_to_prepare(ahead, accepted).await? {
            Err(error) if error.number == TOO_MANY => match self.statements.halve() {
                none if none.is_empty() => Ok(Err(error)),
                half => {
                    self.close_statements(half);
                    self.ask_to_prepare(Vec::new(), accepted).await
                }
            },
            answer => Ok(answer),
        }
    }

    /// Appends COM_STMT_CLOSE for each. It has no answer, so it goes with whatever is written next.
    fn close_statements(&mut self, ids: impl IntoIterator<Item = u32>) {
        for id in ids {
            let _one_frame = command::put(&mut self.output, Command::CloseStatement, &id.to_le_bytes());
        }
    }

    async fn ask_to_prepare(
        &mut self,
        ahead: Vec<Step>,
        accepted: &Accepted,
    ) -> Result<Result<Prepared, ErrPacket>, LinkError> {
        for step in &ahead {
            step.put(&mut self.output);
        }
        let first = command::put(&mut self.output, Command::Prepare, self.statements.text());
        self.flush().await?;
        for step in ahead {
            if let Some(error) = self.skip_answer().await?.error {
                accepted.clear();
                return Err(LinkError::Server(error.to_mysql()));
            }
            step.done(self, accepted);
        }
        self.read_prepared(first).await
    }

    /// Reads the answer to COM_STMT_PREPARE, which begins with the sequence id `first`.
    async fn read_prepared(&mut self, first: u8) -> Result<Result<Prepared, ErrPacket>, LinkError> {
        let mut scanner = PrepareScanner::new(true);
        loop {
            // The scanner takes all whole frames that there are, so none is renumbered twice.
            let whole = command::whole_frames(&self.input);
            command::renumber(&mut self.input[..whole], first.wrapping_sub(1));
            let scanned = scanner.scan(&self.input)?;
            self.input.advance(scanned.consumed);
            match scanned.complete {
                Some(answer) => return Ok(answer),
                None => {
                    self.fill().await?;
                }
            }
        }
    }

    /// Encodes COM_STMT_EXECUTE.
    ///
    /// # Errors
    /// [`WireError::WrongArguments`], also where the statement has another number of parameters than it is to be
    /// executed with: the server would take the bytes of one for those of another.
    pub(crate) fn encode_execution(
        &mut self,
        statement: Statement,
        execution: &Execution<'_>,
    ) -> Result<(), WireError> {
        let Execution { parameters, selection } = execution;
        if usize::from(statement.parameters) != selection.len() {
            return Err(WireError::WrongArguments { what: "number of parameters" });
        }
        self.execution.clear();
        encode_execute(statement.id, CURSOR_TYPE_NO_CURSOR, parameters, selection, &mut self.execution)
    }

    /// Appends the execution that was encoded last, and returns the sequence id that its answer begins with.
    pub(crate) fn put_execution(&mut self) -> u8 {
        let mut sequence = 0;
        frame::write_packet(&mut self.output, &mut sequence, &self.execution);
        sequence
    }

    /// Prepares the present statement anew and executes it again. False where the server refuses to prepare it.
    pub(crate) async fn execute_again(&mut self, accepted: &Accepted) -> Result<bool, LinkError> {
        let Some(prepared) = self.prepare(Vec::new(), accepted).await? else { return Ok(false) };
        if let Some(id) = self.execution.get_mut(ID) {
            id.copy_from_slice(&prepared.ok.statement.to_le_bytes());
        }
        let first = self.put_execution();
        self.phase = Phase::awaiting(Vec::new(), first);
        self.flush().await?;
        Ok(true)
    }
}

/// Whether an answer that begins with this burst says that the server does not have the statement any more:
/// ER_UNKNOWN_STMT_HANDLER, or ER_NEED_REPREPARE, which it says when it has itself tried in vain. It did not run.
pub(crate) fn is_forgotten(burst: &Burst) -> bool {
    let error = burst.completion.as_ref().and_then(|completion| completion.error.as_ref());
    error.is_some_and(|error| matches!(error.number, 1243 | 1615))
        && burst.bytes.get(frame::HEADER) == Some(&ERR_HEADER)
}
