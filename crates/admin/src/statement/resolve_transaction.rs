//! `resolve transaction '…' commit|rollback`.

use serval_remote::Backend;
use serval_session::{Proxy, Verdict};
use serval_types::{ErrorCode, MysqlError};

/// Decides a transaction by hand; how many branches there were. `words` follows `resolve transaction`.
pub(super) async fn run<B: Backend>(proxy: &Proxy<B>, words: &str, user: &str) -> Result<u64, MysqlError> {
    let (name, verdict) = words.rsplit_once(' ').ok_or_else(|| wrong(words))?;
    let verdict = match verdict {
        "commit" => Verdict::Commit,
        "rollback" => Verdict::Abort,
        _ => return Err(wrong(words)),
    };
    let name = name.trim().trim_matches(['\'', '"', '`']);
    tracing::info!(transaction = name, verdict = verdict.word(), by = user, "resolve from the console");
    proxy.coordinator.resolve(name, verdict).await
}

fn wrong(words: &str) -> MysqlError {
    MysqlError::new(
        ErrorCode::Syntax,
        format!(
            "'{words}' is no transaction and no verdict; write resolve transaction 'name' commit or rollback"
        ),
    )
}
