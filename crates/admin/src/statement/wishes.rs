//! Statements that the process as a whole carries out: which wish a text is, and how its outcome is shown.

use serval_session::Answer;
use serval_types::{ErrorCode, MysqlError};

use super::{check_rows, dry_run, reload_config, rollback_config, show_config};
use crate::{Control, Outcome, Wish};

/// The wish that a statement is, in lower case with single spaces; `None` for what is none.
pub(super) fn parse(text: &str) -> Option<Wish> {
    let after =
        |prefix: &str| text.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with(' '));
    if let Some(words) = after("reload @@config").or_else(|| after("reload @@config_all")) {
        return reload_config::parse(words);
    }
    if let Some(words) = after("rollback @@config") {
        return rollback_config::parse(words);
    }
    if let Some(words) = text.strip_prefix("show @@config.") {
        return show_config::parse(words);
    }
    if let Some(words) = after("dry run @@config").or_else(|| after("dryrun")) {
        return dry_run::parse(words);
    }
    after("check @@rows").and_then(check_rows::parse)
}

/// Carries a wish out.
///
/// # Errors
/// 1105 with all that is wrong.
pub(super) async fn run<C: Control>(control: &C, wish: Wish, by: &str) -> Result<Answer, MysqlError> {
    let what = failure(&wish);
    match control.carry_out(wish, by).await {
        Ok(outcome) => Ok(answer(outcome)),
        Err(mistakes) => Err(MysqlError::new(ErrorCode::Unknown, format!("{what}{}", mistakes.join("; ")))),
    }
}

/// What an error begins with, so that nobody wonders which config runs.
fn failure(wish: &Wish) -> &'static str {
    match wish {
        Wish::Reload { .. } => "The config was not reloaded, nothing has changed: ",
        Wish::Rollback { .. } => "The config was not rolled back, nothing has changed: ",
        _ => "",
    }
}

fn answer(outcome: Outcome) -> Answer {
    let mut answer = Answer::of_text(&outcome.header);
    for row in outcome.rows {
        answer.push(row);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_wishes() {
        for (text, wish) in [
            ("reload @@config", Wish::Reload { force: false }),
            ("reload @@config_all", Wish::Reload { force: false }),
            ("reload @@config force", Wish::Reload { force: true }),
            ("rollback @@config", Wish::Rollback { to: None, force: false }),
            ("rollback @@config to 7", Wish::Rollback { to: Some(7), force: false }),
            ("rollback @@config 7 force", Wish::Rollback { to: Some(7), force: true }),
            ("show @@config.versions", Wish::Versions),
            ("show @@config.version 3", Wish::Version(Some(3))),
            ("show @@config.version", Wish::Version(None)),
            ("show @@config.diff 3 4", Wish::Compare(3, Some(4))),
            ("show @@config.diff 3", Wish::Compare(3, None)),
            ("dryrun", Wish::DryRun { version: None }),
            ("dry run @@config 2", Wish::DryRun { version: Some(2) }),
        ] {
            assert_eq!(parse(text), Some(wish), "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_no_wish() {
        for text in [
            "reload @@configuration",
            "reload @@config perhaps",
            "rollback @@config to",
            "rollback @@config seven",
            "show @@config.version x",
            "show @@config.diff",
            "dry run @@config now",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
