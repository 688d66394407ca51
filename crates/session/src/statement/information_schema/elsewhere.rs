//! Rows about tables that the server which runs the query does not hold.

use serval_remote::Backend;
use serval_types::GroupId;

use super::sizes::Sizes;
use super::{Source, View, literals};
use crate::failure::Failure;
use crate::session::Session;

/// The rows of another group's parts, as text to go behind the main group's.
pub(super) async fn rows<B: Backend>(
    session: &mut Session<B>,
    view: &View<'_>,
    source: &Source<'_>,
    group: GroupId,
    sizes: &Sizes,
) -> Result<String, Failure> {
    let Some(node) = view.layout.parts_of(group).next().map(|part| part.node) else {
        return Ok(String::new());
    };
    let sql = source.of_group(view, group, session, sizes);
    let answer = session.ask_in_utf8(view.catalog, node, &sql).await?;
    Ok(literals::rows(&source.columns, &answer.rows))
}
