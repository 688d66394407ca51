//! DEFINER: clients' accounts are the configuration's and do not exist on the servers, where Serval's own makes and
//! runs everything. What a client makes under its own name is shown to it under that name again.

use serval_remote::Backend;
use serval_sql::{Definer, Edit, Stored};
use serval_types::MysqlError;

use crate::session::Session;

/// Leaves the clause out where it names the client itself.
///
/// # Errors
/// 1227 where it names somebody else, as a server answers who may not do that.
pub(super) fn edit<B: Backend>(session: &Session<B>, stored: &Stored) -> Result<Option<Edit>, MysqlError> {
    let Some(Definer { span, user, host }) = &stored.definer else { return Ok(None) };
    let itself = user.as_ref().is_none_or(|user| *user == session.user && host == "%");
    if itself {
        return Ok(Some(Edit { at: *span, text: String::new() }));
    }
    Err(MysqlError {
        // ER_SPECIFIC_ACCESS_DENIED_ERROR.
        number: 1227,
        sqlstate: *b"42000",
        message: format!(
            "Access denied; you need (at least one of) the SET USER privilege(s) for this operation. Accounts are \
             Serval's, so DEFINER can only be `{}`@`%`, or be left out",
            session.user
        ),
    })
}
