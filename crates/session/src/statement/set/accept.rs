//! A server's word on what was set, before it is remembered.

use std::sync::Arc;

use serval_catalog::Catalog;
use serval_executor::ExecuteError;
use serval_remote::{Backend, NAMES, RemoteError, SessionState};
use serval_sql::LexOptions;
use serval_types::{MysqlError, NodeId};

use crate::charset;
use crate::failure::Failure;
use crate::literal::quote;
use crate::pins::PinReason;
use crate::session::Session;

/// What a server has to accept.
pub(super) struct Proof {
    /// The state before.
    old: SessionState,
    /// `name=value` and `NAMES …`, in the order of the statement.
    assignments: Vec<String>,
    /// sql_mode is among them: combinations such as `ANSI` come back in full.
    mode: bool,
}

impl Proof {
    /// Nothing yet, from the state before the statement.
    pub(super) fn new(old: SessionState) -> Self {
        Self { old, assignments: Vec::new(), mode: false }
    }

    /// A variable has to be accepted.
    pub(super) fn needs(&mut self, name: &str, literal: &str) {
        self.mode |= name == "sql_mode";
        self.assignments.push(format!("{name}={literal}"));
    }

    /// What SET NAMES stands for has to be.
    pub(super) fn needs_names(&mut self, state: &SessionState) {
        if let Some(names) = state.value(NAMES) {
            self.assignments.push(format!("NAMES {names}"));
        }
        let set = state.iter().filter(|(name, _)| charset::is_set_by_names(name));
        self.assignments.extend(set.map(|(name, value)| format!("{name}={value}")));
    }

    /// Says it all to a server: the session's home, or another group where that cannot be reached.
    ///
    /// # Errors
    /// The server's, where it does not accept it.
    pub(super) async fn run<B: Backend>(self, session: &mut Session<B>) -> Result<(), Failure> {
        if self.assignments.is_empty() {
            return Ok(());
        }
        let catalog = session.catalog();
        let home = session.home(&catalog)?;
        let others = catalog.nodes.iter().map(|node| node.id).filter(|node| *node != home);
        let (mut groups, mut failed) = (Vec::new(), None);
        for node in std::iter::once(home).chain(others) {
            let group = catalog.node(node).group;
            if groups.contains(&group) {
                continue;
            }
            groups.push(group);
            session.pin_for_reading(group);
            match self.say(session, &catalog, node).await {
                Ok(()) => {
                    session.backend.unpin(group, PinReason::ReadBack);
                    return Ok(());
                }
                Err(Said::Unavailable(error)) => {
                    session.backend.unpin(group, PinReason::ReadBack);
                    failed.get_or_insert(error);
                }
                // The connection is as it was.
                Err(Said::Refused(error)) => {
                    session.backend.unpin(group, PinReason::ReadBack);
                    return Err(error.into());
                }
                Err(Said::Unknown(error)) => {
                    session.abandon(group);
                    return Err(error.into());
                }
            }
        }
        Err(failed.unwrap_or_else(|| MysqlError::refused("There is no server to ask")).into())
    }

    async fn say<B: Backend>(
        &self,
        session: &mut Session<B>,
        catalog: &Arc<Catalog>,
        node: NodeId,
    ) -> Result<(), Said> {
        let sql = format!("SET {}", self.assignments.join(", "));
        let new = std::mem::replace(&mut session.state, self.old.clone());
        let state = session.effective_state();
        session.state = new;
        let completed = match session.try_on(catalog, node, sql.as_bytes(), &state).await {
            Ok((_, completed)) => completed,
            Err(ExecuteError::Remote(error @ RemoteError::Unavailable { .. })) => {
                return Err(Said::Unavailable(error.to_mysql()));
            }
            Err(error) => return Err(Said::Refused(error.to_mysql())),
        };
        session.last.warnings = session.last.warnings.saturating_add(completed.warnings);
        if completed.warnings > 0 {
            session.note_warnings_of(node, catalog);
            session.fetch_warnings().await;
        }
        // The pool has to know what the connection's session has now.
        let state = charset::readable(session.effective_state());
        let ask: &[u8] = if self.mode { b"SELECT @@sql_mode" } else { b"DO 0" };
        let (answer, _) = session.run_on(catalog, node, ask, &state).await.map_err(Said::Unknown)?;
        if self.mode {
            let mode = answer.text(0, 0).unwrap_or_default();
            session.options = LexOptions::from_sql_mode(&mode);
            if session.state.value("sql_mode") != Some("DEFAULT") {
                session.state = session.state.with("sql_mode", &quote(mode.as_bytes(), "utf8mb4"));
            }
            session.refresh_options();
        }
        forget_defaults(session);
        Ok(())
    }
}

/// What came of it.
enum Said {
    /// The server cannot be reached.
    Unavailable(MysqlError),
    /// It does not accept the values, and has set none.
    Refused(MysqlError),
    /// It may have set them.
    Unknown(MysqlError),
}

/// DEFAULT has been accepted; it is the state of a fresh connection.
fn forget_defaults<B: Backend>(session: &mut Session<B>) {
    let defaults = session
        .state
        .iter()
        .filter(|(name, value)| *value == "DEFAULT" && !charset::is_set_by_names(name))
        .map(|(name, _)| name.to_owned());
    for name in defaults.collect::<Vec<_>>() {
        session.state = session.state.without(&name);
    }
}
