//! What a statement left in the session of a server, fetched so that every other connection can have it too.
//!
//! `SELECT @a := 1`, `SELECT … INTO @a`, `LAST_INSERT_ID(expr)` and SQL_CALC_FOUND_ROWS leave values in the session of
//! the one server that ran them. The connection is pinned for the statement, asked for the values behind it, and brought
//! into a state that says so, before anybody else may have it.

use serval_catalog::Catalog;
use serval_executor::{Completed, ExecuteError};
use serval_planner::primitive::Target;
use serval_remote::{Backend, SessionState};
use serval_types::{GroupId, MysqlError, NodeId};

use super::{Session, on_node};
use crate::answer::Answer;
use crate::charset;
use crate::failure::{Failure, refused};
use crate::literal::variable_literal;
use crate::pins::PinReason;
use crate::statement::user_variable;

/// What to ask a server's session for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// User variables, without their sign and in lower case.
    pub(crate) names: Vec<String>,
    /// FOUND_ROWS().
    pub(crate) found_rows: bool,
    /// LAST_INSERT_ID().
    pub(crate) insert_id: bool,
}

impl Wanted {
    /// Whether there is nothing to ask for.
    pub(crate) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl<B: Backend> Session<B> {
    /// Keeps the connection of `group` for what follows, to be [read back](Session::read_back) from.
    pub(crate) fn pin_for_reading(&self, group: GroupId) {
        self.backend.pin(group, PinReason::ReadBack);
    }

    /// [`Session::pin_for_reading`] before a statement that leaves what is `wanted`. Where LAST_INSERT_ID() is, it
    /// becomes the session's own there: the statement may leave it as it finds it, and that was another session's.
    ///
    /// # Errors
    /// Those of the server. The connection is then no longer kept.
    pub(crate) async fn pin_for(&mut self, group: GroupId, wanted: &Wanted) -> Result<(), Failure> {
        if !wanted.insert_id {
            self.pin_for_reading(group);
            return Ok(());
        }
        // Those of the statement before may be on the same connection.
        self.fetch_warnings().await;
        self.pin_for_reading(group);
        let catalog = self.catalog();
        let Some(node) = catalog.nodes.iter().find(|node| node.group == group).map(|node| node.id) else {
            return Ok(());
        };
        let sql = format!("DO LAST_INSERT_ID({})", self.last.insert_id);
        let state = self.effective_state();
        let told = self.run_on(&catalog, node, sql.as_bytes(), &state).await;
        if told.is_err() {
            self.abandon(group);
        }
        told.map(drop).map_err(Failure::from)
    }

    /// Reads user variables off the kept connection of `group` into the session's state.
    ///
    /// # Errors
    /// Those of the server. The connection is then closed: nobody knows what its session holds.
    pub(crate) async fn read_back(&mut self, group: GroupId, names: &[String]) -> Result<(), Failure> {
        let wanted = Wanted { names: names.to_vec(), ..Wanted::default() };
        self.pin_for_reading(group);
        self.read_wanted(group, &wanted).await
    }

    /// [`Session::read_back`] of more than variables; the connection is no longer kept for it.
    pub(crate) async fn read_wanted(&mut self, group: GroupId, wanted: &Wanted) -> Result<(), Failure> {
        let result = self.read(group, wanted).await;
        match &result {
            Ok(()) => self.backend.unpin(group, PinReason::ReadBack),
            Err(_) => self.abandon(group),
        }
        result
    }

    /// [`Session::read_wanted`] after a statement that came to this, also after an error: a row before the one that failed may
    /// have set a variable.
    pub(crate) async fn read_after(
        &mut self,
        group: GroupId,
        wanted: &Wanted,
        result: Result<(), Failure>,
    ) -> Result<(), Failure> {
        if let Err(Failure::Gone | Failure::Fatal(_)) = &result {
            self.abandon(group);
            return result;
        }
        // Whatever is asked next makes the server forget its warnings.
        self.fetch_warnings().await;
        let read = self.read_wanted(group, wanted).await;
        result.and(read)
    }

    /// Closes the connection that was kept for reading from.
    pub(crate) fn abandon(&self, group: GroupId) {
        // A lasting reason has it closed.
        self.backend.pin(group, PinReason::Routine);
        self.backend.unpin(group, PinReason::ReadBack);
        self.backend.unpin(group, PinReason::Routine);
    }

    async fn read(&mut self, group: GroupId, wanted: &Wanted) -> Result<(), Failure> {
        if wanted.is_nothing() {
            return Ok(());
        }
        let catalog = self.catalog();
        let Some(node) = catalog.nodes.iter().find(|node| node.group == group).map(|node| node.id) else {
            return Err(refused("The group of this session's variables is gone; set them again"));
        };
        let state = charset::readable(self.effective_state());
        let (answer, _) = self.run_on(&catalog, node, question(wanted).as_bytes(), &state).await?;
        self.note_read(&answer, wanted)?;
        if wanted.names.is_empty() {
            return Ok(());
        }
        // The pool has to know that the connection has these values now, or another session would find them there.
        let state = self.effective_state();
        self.run_on(&catalog, node, b"DO 0", &state).await?;
        Ok(())
    }

    /// Notes what a server's session has answered to [`question`].
    pub(crate) fn note_read(&mut self, answer: &Answer, wanted: &Wanted) -> Result<(), Failure> {
        let mut cells = Cells::of(answer);
        if wanted.found_rows {
            self.last.found_rows = cells.number();
        }
        if wanted.insert_id
            && let Some(insert_id) = cells.number()
        {
            self.last.insert_id = insert_id;
        }
        let mut state = self.state.clone();
        for name in &wanted.names {
            state = state.with(&user_variable(name), &cells.variable(name)?);
        }
        crate::statement::check_size(&state)?;
        self.state = state;
        Ok(())
    }

    /// Runs one statement on one node under `state`, as it is, into memory; in the transaction where the node's group
    /// is part of it.
    pub(crate) async fn run_on(
        &mut self,
        catalog: &Catalog,
        node: NodeId,
        sql: &[u8],
        state: &SessionState,
    ) -> Result<(Answer, Completed), MysqlError> {
        self.try_on(catalog, node, sql, state).await.map_err(|error| error.to_mysql())
    }

    /// [`Session::run_on`] for who has to know why it failed.
    pub(crate) async fn try_on(
        &mut self,
        catalog: &Catalog,
        node: NodeId,
        sql: &[u8],
        state: &SessionState,
    ) -> Result<(Answer, Completed), ExecuteError> {
        let bound = on_node(Target::new(node, None, sql.to_vec()));
        let nodes = self.last.nodes;
        let result = self.collect_completed(&bound, catalog, state).await;
        self.last.nodes = nodes;
        result
    }
}

/// One SELECT for everything. FOUND_ROWS() comes first, while it still speaks of the statement before.
pub(crate) fn question(wanted: &Wanted) -> String {
    let mut items = Vec::new();
    if wanted.found_rows {
        items.push("FOUND_ROWS()".to_owned());
    }
    if wanted.insert_id {
        items.push("LAST_INSERT_ID()".to_owned());
    }
    for name in &wanted.names {
        let variable = user_variable(name);
        // The text may be in any character set; its digits are in all of them.
        items.push(format!("{variable}, HEX({variable}), COLLATION({variable})"));
    }
    format!("SELECT {}", items.join(", "))
}

/// The cells of the one row of an answer, in order.
struct Cells<'a> {
    answer: &'a Answer,
    at: usize,
}

impl<'a> Cells<'a> {
    fn of(answer: &'a Answer) -> Self {
        Self { answer, at: 0 }
    }

    fn text(&mut self) -> Option<String> {
        self.at += 1;
        self.answer.text(0, self.at - 1)
    }

    fn number(&mut self) -> Option<u64> {
        self.text()?.parse().ok()
    }

    fn variable(&mut self, name: &str) -> Result<String, Failure> {
        let column = self.answer.columns.get(self.at);
        let value = self.text();
        let (hex, collation) = (self.text(), self.text());
        let column =
            column.ok_or_else(|| refused(format!("The server does not tell the value of @{name}")))?;
        let Some(value) = value else { return Ok("NULL".to_owned()) };
        variable_literal(column, &value, &hex.unwrap_or_default(), &collation.unwrap_or_default())
            .ok_or_else(|| refused(format!("The server's value of @{name} is not understood")))
    }
}
