//! A server's word on what was set, outside the session's transaction.

use std::time::Instant;

use serval_executor::{Context, ExecuteError};
use serval_planner::primitive::Target;
use serval_remote::{Backend, RemoteError, SessionState};
use serval_sql::LexOptions;
use serval_transaction::Transaction;
use serval_types::MysqlError;

use crate::answer::{Answer, Collect};
use crate::charset;
use crate::failure::Failure;
use crate::literal::quote;
use crate::session::{Session, on_node};

/// Brings a connection into the session's new state; the server's error where it will not be brought.
pub(super) async fn prove<B: Backend>(session: &mut Session<B>) -> Result<(), Failure> {
    let state = session.effective_state();
    ask_anyone(session, &state, "DO 0").await?;
    // DEFAULT has been accepted; it is the state of a fresh connection.
    let defaults: Vec<String> = session
        .state
        .iter()
        .filter(|(name, value)| *value == "DEFAULT" && !charset::is_set_by_names(name))
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in defaults {
        session.state = session.state.without(&name);
    }
    Ok(())
}

/// Sets sql_mode to what a server makes of it: combinations such as `ANSI` come back in full.
pub(super) async fn sql_mode<B: Backend>(session: &mut Session<B>, literal: &str) -> Result<(), Failure> {
    let state = session.state.with("sql_mode", literal);
    let answer = ask_anyone(session, &state, "SELECT @@sql_mode").await?;
    let mode = answer.text(0, 0).unwrap_or_default();
    session.options = LexOptions::from_sql_mode(&mode);
    session.state = session.state.with("sql_mode", &quote(mode.as_bytes(), "utf8mb4"));
    Ok(())
}

/// Asks the session's home, or any other group where that cannot be reached.
async fn ask_anyone<B: Backend>(
    session: &mut Session<B>,
    state: &SessionState,
    sql: &str,
) -> Result<Answer, MysqlError> {
    let catalog = session.catalog();
    let home = session.home(&catalog)?;
    let others = catalog.nodes.iter().map(|node| node.id).filter(|node| *node != home);
    let mut groups = Vec::new();
    let mut failed = None;
    for node in std::iter::once(home).chain(others) {
        let group = catalog.node(node).group;
        if groups.contains(&group) {
            continue;
        }
        groups.push(group);
        let mut context = Context {
            backend: &session.backend,
            catalog: &catalog,
            transaction: &mut Transaction::new(),
            state,
            deadline: Instant::now() + catalog.settings.acquire_timeout,
            memory_limit: catalog.settings.memory_per_query,
            replicas: false,
            parameters: None,
        };
        let bound = on_node(Target::new(node, None, sql.as_bytes().to_vec()));
        let mut sink = Collect::new(catalog.settings.memory_per_query);
        match serval_executor::execute(&bound, &mut context, &mut sink).await {
            Ok(_) => return Ok(sink.into_answer()),
            Err(ExecuteError::Remote(error @ RemoteError::Unavailable { .. })) => {
                failed.get_or_insert(error.to_mysql());
            }
            Err(error) => return Err(error.to_mysql()),
        }
    }
    Err(failed.unwrap_or_else(|| MysqlError::refused("There is no server to ask")))
}
