//! GET_LOCK and its kin: all proxies have to agree on one server for them, which is the first group's primary.
//!
//! A statement that takes a lock pins its connection, and is followed by a question to the server which of the locks
//! are held; when none is, the connection goes back to its pool. IS_USED_LOCK answers with a connection's id, which has
//! to be that of a session of Serval's.

mod calls;

use std::sync::Arc;

use serval_catalog::{Catalog, Group};
use serval_planner::ClientText;
use serval_planner::primitive::{Primitive, Target};
use serval_remote::Backend;
use serval_sql::{Edit, HoleKind, LexOptions, literal_value, splice};
use serval_types::{GroupId, NodeId, SessionId, Value};

use crate::charset;
use crate::failure::{Failure, refused};
use crate::identity::items;
use crate::literal::literal;
use crate::pins::PinReason;
use crate::session::{Query, Ready, Session};
use crate::watched::Attempt;
pub(crate) use calls::are_mentioned;
use calls::{Argument, Calls};

/// A statement with such functions, placed.
pub(crate) struct Placed<B: Backend> {
    home: NodeId,
    group: GroupId,
    /// Present where the session held no lock before.
    first: Option<Attempt<B::Connection>>,
    /// It does nothing but release all.
    releases_all: bool,
}

/// Sends the statement to the server of named locks and pins it there; `None` where it has none of these functions.
pub(crate) async fn place<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    query: &Query<'_>,
    ready: &mut Ready,
) -> Result<Option<Placed<B>>, Failure> {
    if !query.scan.marks.parenthesis || !are_mentioned(&query.scan.key) {
        return Ok(None);
    }
    // A column may be called budget_locked.
    let options = query.options(session);
    if Calls::find(query.sql, options).is_none() {
        return Ok(None);
    }
    let (home, group) = self::home(catalog)?;
    let without_tables = ready.bound.tables.is_empty();
    let Primitive::Route(route) = &mut ready.bound.root else { return Err(elsewhere(catalog, group)) };
    let [target] = &mut *route.targets else { return Err(elsewhere(catalog, group)) };
    if without_tables {
        target.node = home;
    } else if catalog.node(target.node).group != group {
        return Err(elsewhere(catalog, group));
    }
    route.replica_safe = false;
    Box::pin(begin(session, catalog, target, options, query.values())).await
}

/// A statement of Serval's own without tables, for [`run_on`](Session::run_on): it gets the server of named locks for
/// its node. `None` where it calls none of these functions.
pub(crate) async fn place_own<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    target: &mut Target,
) -> Result<Option<Placed<B>>, Failure> {
    if !are_mentioned(&target.sql) {
        return Ok(None);
    }
    let node = std::mem::replace(&mut target.node, home(catalog)?.0);
    let placed = begin(session, catalog, target, session.options, &[]).await?;
    if placed.is_none() {
        target.node = node;
    }
    Ok(placed)
}

/// Pins the connection for a statement that takes a lock.
async fn begin<B: Backend>(
    session: &mut Session<B>,
    catalog: &Catalog,
    target: &mut Target,
    options: LexOptions,
    values: &[Value],
) -> Result<Option<Placed<B>>, Failure> {
    let (home, group) = home(catalog)?;
    let Some(calls) = Calls::find(&target.sql, options) else { return Ok(None) };
    let takes: Vec<Option<String>> = calls
        .arguments("GET_LOCK")
        .map(|argument| name_of(session, options, values, target, argument))
        .collect();
    show_sessions(session, home, target, &calls).await?;
    let mut first = None;
    if !takes.is_empty() {
        if !session.backend.is_pinned_for(group, PinReason::NamedLock) {
            first = Some(session.backend.attempt(PinReason::NamedLock));
            session.named.clear();
        }
        session.backend.pin(group, PinReason::NamedLock);
    }
    takes.into_iter().for_each(|name| session.named.add(name));
    let releases_all = calls.releases_all();
    Ok(Some(Placed { home, group, first, releases_all }))
}

/// Asks which locks are held after the statement, which is `done` or has failed, and gives the connection back where none is.
pub(crate) async fn settle<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    placed: Placed<B>,
    done: bool,
) {
    let Placed { home, group, first, releases_all } = placed;
    if !session.backend.is_pinned_for(group, PinReason::NamedLock) {
        return;
    }
    if releases_all && done {
        session.named.forget_unknown();
    }
    let state = charset::readable(session.effective_state());
    let question = session.named.question();
    // In doubt the connection stays.
    if let Ok((answer, _)) = session.run_on(catalog, home, question.as_bytes(), &state).await {
        session.named.keep(|column| answer.text(0, column).as_deref() == Some("1"));
        session.entry.set_lock_thread(answer.text(0, 0).and_then(|id| id.parse().ok()).unwrap_or(0));
    }
    if let Some(first) = first {
        first.succeed();
    }
    if session.named.is_empty() {
        session.entry.set_lock_thread(0);
        session.backend.unpin(group, PinReason::NamedLock);
    }
}

/// The first group that has a data node, and that node.
fn home(catalog: &Catalog) -> Result<(NodeId, GroupId), Failure> {
    let first = |group: &Group| catalog.nodes.iter().find(|node| node.group == group.id);
    let home = catalog.groups.iter().find_map(first);
    let home = home.ok_or_else(|| refused("There is no data node that could keep a lock"))?;
    Ok((home.id, home.group))
}

fn elsewhere(catalog: &Catalog, group: GroupId) -> Failure {
    refused(format!(
        "Named locks live on group {}, and this statement's tables do not; call GET_LOCK and its kin in a statement of \
         their own",
        catalog.group(group).name
    ))
}

/// The lock's name as a literal, where it stands in the statement or in its parameters. It is asked for later, when the session
/// may read literals otherwise, so a name is known only where its bytes are surely those that the server has locked.
fn name_of<B: Backend>(
    session: &Session<B>,
    options: LexOptions,
    values: &[Value],
    target: &Target,
    argument: Argument,
) -> Option<String> {
    let value = match argument {
        Argument::Literal(text) => literal_value(&target.sql, text, HoleKind::Text, options),
        Argument::Parameter(position) => {
            let parameter = usize::from(*target.parameters.get(position)?);
            values.get(parameter)?.clone()
        }
        Argument::Other => return None,
    };
    let state = &session.state;
    let plain = |text: &[u8]| text.is_ascii() && !charset::is_wide(&charset::of_connection(state));
    match &value {
        Value::Text(text) if !plain(text) && charset::client_text(state) != ClientText::Utf8mb4 => None,
        value => Some(literal(value, "utf8mb4")),
    }
}

/// IS_USED_LOCK gives the id that the holder's connection has on the server, which means nothing to a client; in its
/// place stands the id of the session.
async fn show_sessions<B: Backend>(
    session: &mut Session<B>,
    home: NodeId,
    target: &mut Target,
    calls: &Calls,
) -> Result<(), Failure> {
    let mut edits = Vec::new();
    for call in calls.of("IS_USED_LOCK") {
        let Some(text) = calls.constant(&call) else {
            return Err(refused(
                "IS_USED_LOCK is answered for a literal or a user variable only; write the name, or use IS_FREE_LOCK",
            ));
        };
        let holder = session.ask_readably(home, &format!("SELECT IS_USED_LOCK({text})")).await?.text(0, 0);
        let Some(thread) = holder.and_then(|holder| holder.parse().ok()) else { continue };
        let Some(SessionId(id)) = session.proxy.sessions.holder_of(thread) else {
            return Err(refused(
                "The lock is held by a connection that is not this proxy's, and has no id here; IS_FREE_LOCK says whether \
                 it is held",
            ));
        };
        // NULL if it is given up meanwhile.
        edits.push(Edit { at: call.whole, text: format!("(IS_USED_LOCK({text})*0+{id})") });
        let item = items::find(&target.sql, &calls.tokens)
            .into_iter()
            .find(|item| item.first <= call.first && call.last <= item.last);
        if let Some(item) = item.filter(|item| item.alias.is_none()) {
            let name = item.with_own_name(&target.sql, &calls.tokens);
            match edits.last_mut() {
                Some(last) if last.at.end == name.at.start => last.text += &name.text,
                _ => edits.push(name),
            }
        }
    }
    if !edits.is_empty() {
        target.sql = splice(&target.sql, &edits);
    }
    Ok(())
}
