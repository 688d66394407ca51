//! Runs clients' scenarios directly and through the proxy, and prints what each can do. `cargo xtask clients` installs
//! the clients and then starts this. With `--direct` the plain server is asked in the proxy's place as well, which shows
//! whether a scenario is right.
#![allow(clippy::print_stdout, reason = "its output is a table for people")]

use std::process::ExitCode;

use serval_tests::clients::{self, Report, SCENARIOS, Scenario};

#[tokio::main]
async fn main() -> ExitCode {
    let (options, names): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let direct_only = options.iter().any(|option| option == "--direct");
    let wanted = |scenario: &&Scenario| names.is_empty() || names.iter().any(|name| name == scenario.name);
    let chosen: Vec<&'static Scenario> = SCENARIOS.iter().filter(wanted).collect();
    if chosen.len() < names.len() {
        let known: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        println!("no such client; there are: {}", known.join(", "));
        return ExitCode::FAILURE;
    }
    println!("{:<18} {:<32} {:<8} serval", "client", "step", "direct");
    let mut reports = Vec::new();
    for scenario in chosen {
        let report =
            if direct_only { clients::run_directly(scenario).await } else { clients::run(scenario).await };
        println!("{report}");
        reports.push(report);
    }
    sum_up(&reports)
}

fn sum_up(reports: &[Report]) -> ExitCode {
    for report in reports {
        let verdict = if report.passes() { "passes" } else { "FAILS" };
        println!(
            "{:<18} {verdict}: {} of {} steps through Serval",
            report.client,
            report.passed(),
            report.rows.len()
        );
    }
    if reports.iter().all(Report::passes) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
