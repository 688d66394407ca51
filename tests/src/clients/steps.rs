//! Runs a scenario and reads what it reports.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use super::scenario::Scenario;
use super::target::Target;
use crate::topology::APP;
use serval_testkit::Flavour;

/// The longest that a scenario may take; `timeout` ends it.
const LIMIT: Duration = Duration::from_secs(180);

/// How one step went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The step's name.
    pub step: String,
    /// Why it failed; `None` where it did not.
    pub failure: Option<String>,
}

/// All steps that were reported, and one more where the program itself failed.
pub(super) async fn run(scenario: &'static Scenario, target: Target) -> Vec<Outcome> {
    let ended = tokio::task::spawn_blocking(move || command(scenario, &target).output()).await;
    match ended.expect("the scenario is waited for") {
        Ok(output) => outcomes(&output),
        Err(error) => vec![failed("start", &error.to_string())],
    }
}

fn command(scenario: &Scenario, target: &Target) -> Command {
    let mut program = Command::new("timeout");
    program.args(["--kill-after=5", &LIMIT.as_secs().to_string()]).args(scenario.command_line());
    program
        .current_dir(Scenario::folder())
        .envs(scenario.environment())
        .env("CLIENT_FLAVOUR", Flavour::from_env().name())
        .env("CLIENT_HOST", "127.0.0.1")
        .env("CLIENT_PORT", target.port.to_string())
        .env("CLIENT_USER", APP.0)
        .env("CLIENT_PASSWORD", APP.1)
        .env("CLIENT_SCHEMA", &target.schema)
        .env("CLIENT_CA", &target.authority)
        .env("CLIENT_LOGINS", target.logins.join(" "))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null());
    program
}

fn outcomes(output: &Output) -> Vec<Outcome> {
    let text = String::from_utf8_lossy(&output.stdout);
    let mut outcomes: Vec<Outcome> = text.lines().filter_map(line).collect();
    if !output.status.success() || outcomes.is_empty() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let tail: Vec<&str> = errors.lines().rev().take(6).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        outcomes.push(failed("end", &format!("{}: {}", output.status, tail.join(" | "))));
    }
    outcomes
}

/// Reads `ok STEP` and `not ok STEP: why`; other lines are the client's own talk.
fn line(line: &str) -> Option<Outcome> {
    if let Some(step) = line.strip_prefix("ok ") {
        return Some(Outcome { step: step.trim().to_owned(), failure: None });
    }
    let (step, why) = line.strip_prefix("not ok ")?.split_once(": ").unwrap_or((line, ""));
    Some(failed(step, why))
}

fn failed(step: &str, why: &str) -> Outcome {
    Outcome { step: step.to_owned(), failure: Some(why.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines() {
        assert_eq!(line("ok 8 MB blob"), Some(Outcome { step: "8 MB blob".to_owned(), failure: None }));
        assert_eq!(line("not ok TLS: no: none"), Some(failed("TLS", "no: none")));
        assert_eq!(line("okay"), None);
    }
}
