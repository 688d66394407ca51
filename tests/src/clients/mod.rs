//! Real clients: each runs its scenario on one plain server and then through the proxy.
//!
//! A scenario is a program in the client's own language (`tests/clients/`). It is told by environment variables where
//! to connect, and reports each step as a line: `ok STEP` or `not ok STEP: why`. What a client can do directly it must
//! be able to do through the proxy; what it cannot do directly proves nothing.
//!
//! The clients themselves are installed by `cargo xtask clients`, into `target/clients` and by apt; nothing here
//! installs anything.

mod certificate;
mod report;
mod scenario;
mod steps;
mod target;

pub use certificate::Certificate;
pub use report::{Report, Row};
pub use scenario::{SCENARIOS, Scenario};
pub use steps::Outcome;
pub use target::Targets;

/// Runs a scenario directly and through the proxy, each in a database of its own.
pub async fn run(scenario: &'static Scenario) -> Report {
    let mut targets = Targets::start(scenario.name).await;
    let direct =
        if scenario.can_run_directly() { steps::run(scenario, targets.direct()).await } else { Vec::new() };
    let target = targets.proxied().await;
    let proxied = steps::run(scenario, target).await;
    Report::new(scenario.name, &direct, &proxied)
}

/// Runs a scenario on the plain server only: whether the scenario itself is right.
pub async fn run_directly(scenario: &'static Scenario) -> Report {
    let targets = Targets::start(scenario.name).await;
    let direct = steps::run(scenario, targets.direct()).await;
    Report::new(scenario.name, &direct, &direct)
}

/// The scenario of this name.
#[must_use]
pub fn scenario(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}
