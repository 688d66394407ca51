//! sysbench's loads through HAProxy and through Serval.

use crate::client::Failure;
use crate::load::{self, Load, Setting};
use crate::report::{Report, cpu, of, speed, waiting};
use crate::target::Bench;
use crate::verdict::{Finding, Limit};

use super::Effort;

pub(super) async fn run(bench: &Bench, effort: Effort, load: Load) -> Result<Vec<Finding>, Failure> {
    let threads: &[u32] = if load == Load::PointSelect { &[64, 1, 16, 256] } else { &[64] };
    let settings =
        threads.iter().flat_map(|&threads| [false, true].map(|prepared| Setting { load, threads, prepared }));
    let mut report = Report::default();
    let settings: Vec<Setting> = settings.collect();
    for round in 0..effort.rounds {
        for setting in &settings {
            for target in bench.turn(round, 3) {
                let measured = load::run(bench, target, setting, effort.seconds).await?;
                report.add(setting, target.name, measured);
            }
        }
    }
    println!("{report}\n");
    Ok(settings.iter().flat_map(|setting| judge(&report, setting)).collect())
}

fn judge(report: &Report, setting: &Setting) -> Vec<Finding> {
    let runs = report.runs(setting);
    let (Some(haproxy), Some(serval)) = (of(runs, "HAProxy"), of(runs, "Serval")) else { return Vec::new() };
    let pair = |part: f64, whole: f64, unit: &str| format!("{part:.1} to {whole:.1} {unit}");
    let (mine, theirs) = (cpu(serval).unwrap_or(f64::NAN), cpu(haproxy).unwrap_or(f64::NAN));
    // With one client or 256 most of the time goes into waking and waiting.
    let most = match (setting.load, setting.threads) {
        (Load::PointSelect, 64) => 1.10,
        (Load::PointSelect, _) => 1.15,
        _ => 1.00,
    };
    let mut findings = vec![Finding::new(
        format!("CPU of HAProxy's, {setting}"),
        pair(mine, theirs, "us/query"),
        mine / theirs,
        Limit::AtMost(most),
    )];
    if setting.threads == 64 {
        let (fast, other) = (speed(serval), speed(haproxy));
        let name = format!("queries/s of HAProxy's, {setting}");
        findings.push(Finding::new(name, pair(fast, other, "/s"), fast / other, Limit::AtLeast(1.0)));
        let (late, other) = (waiting(serval), waiting(haproxy));
        let name = format!("p95 of HAProxy's, {setting}");
        findings.push(Finding::new(name, pair(late, other, "ms"), late / other, Limit::AtMost(1.0)));
    }
    findings
}
