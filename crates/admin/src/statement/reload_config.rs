//! `reload @@config`.

use serval_session::Answer;
use serval_types::{ErrorCode, MysqlError};

use crate::Control;

/// Reloads the config; what changed, or what is wrong.
pub(super) async fn run<C: Control>(control: &C, user: &str) -> Result<Answer, MysqlError> {
    match control.reload().await {
        Ok(changes) => {
            tracing::info!(by = user, changes = changes.len(), "config reloaded from the console");
            let mut answer = Answer::of_text(&["CHANGE"]);
            for change in changes {
                answer.push([change]);
            }
            Ok(answer)
        }
        Err(mistakes) => {
            let text = format!("The config was not reloaded, nothing has changed: {}", mistakes.join("; "));
            Err(MysqlError::new(ErrorCode::Unknown, text))
        }
    }
}
