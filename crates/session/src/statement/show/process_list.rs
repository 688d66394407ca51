//! SHOW PROCESSLIST: the user's sessions on this proxy. The console shows everybody's.

use serval_catalog::Catalog;
use serval_remote::Backend;

use crate::answer::{Answer, integer_column, text_column};
use crate::registry::Snapshot;
use crate::session::Session;

/// The sessions of the user.
pub(super) fn rows<B: Backend>(session: &Session<B>, full: bool) -> Answer {
    let mut answer = Answer::new(vec![
        integer_column("Id"),
        text_column("User"),
        text_column("Host"),
        text_column("db"),
        text_column("Command"),
        integer_column("Time"),
        text_column("State"),
        text_column("Info"),
    ]);
    let sessions = session.proxy.sessions.snapshots(full);
    let catalog = session.base_catalog();
    let own = sessions.into_iter().filter(|other| other.user == session.user);
    answer.rows.extend(own.map(|other| row(other, &catalog)));
    answer
}

fn row(session: Snapshot, catalog: &Catalog) -> Vec<Option<Vec<u8>>> {
    let state = session.state(catalog);
    let host = session.peer.map_or_else(|| "localhost".to_owned(), |peer| peer.to_string());
    vec![
        Some(session.id.to_string().into_bytes()),
        Some(session.user.into_bytes()),
        Some(host.into_bytes()),
        session.schema.map(String::into_bytes),
        Some(session.command.as_bytes().to_vec()),
        Some(session.time.as_secs().to_string().into_bytes()),
        Some(state.into_bytes()),
        session.info.map(String::into_bytes),
    ]
}
