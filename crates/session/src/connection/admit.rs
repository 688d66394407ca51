//! From a proven login to a session.

use std::sync::Arc;

use serval_remote::Backend;
use serval_types::MysqlError;

use crate::charset;
use crate::handshake::Login;
use crate::proxy::Proxy;
use crate::registry::Entry;
use crate::session::Session;

/// Opens the session that a login asks for.
///
/// # Errors
/// 1044 or 1049 for its schema.
pub(super) fn admit<B: Backend>(
    proxy: &Arc<Proxy<B>>,
    entry: &Arc<Entry>,
    login: &Login,
) -> Result<Box<Session<B>>, MysqlError> {
    entry.set_user(&login.user);
    entry.set_attributes(&login.attributes);
    let state = charset::initial_state(login.collation);
    let mut session = Box::new(Session::new(Arc::clone(proxy), Arc::clone(entry), login.user.clone(), state));
    let default = proxy.catalog.load().users.get(&login.user).and_then(|user| user.default_schema.clone());
    if let Some(schema) = login.schema.as_ref().or(default.as_ref()) {
        session.use_schema(schema)?;
    }
    Ok(session)
}
