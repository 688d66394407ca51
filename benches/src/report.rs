//! The table at the end.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};

use crate::load::{Measured, Setting};
use crate::verdict::median;

/// The runs of each setting, in the order of the targets.
#[derive(Default)]
pub(crate) struct Report {
    runs: BTreeMap<Setting, Vec<(&'static str, Vec<Measured>)>>,
}

impl Report {
    /// The targets of a setting, with their runs.
    pub(crate) fn runs(&self, setting: &Setting) -> &[(&'static str, Vec<Measured>)] {
        self.runs.get(setting).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn add(&mut self, setting: &Setting, target: &'static str, measured: Measured) {
        let targets = self.runs.entry(*setting).or_default();
        match targets.iter_mut().find(|(name, _)| *name == target) {
            Some((_, runs)) => runs.push(measured),
            None => targets.push((target, vec![measured])),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_preset(UTF8_HORIZONTAL_ONLY);
        table.set_header([
            "load × clients",
            "target",
            "queries/s",
            "of direct",
            "p95 ms",
            "CPU µs/query",
            "of HAProxy",
        ]);
        for (setting, targets) in &self.runs {
            let direct = of(targets, "direct").map(|runs| speed(runs));
            let haproxy = of(targets, "HAProxy").and_then(|runs| cpu(runs));
            for (name, runs) in targets {
                let ratio = |part: Option<f64>, whole: Option<f64>| {
                    part.zip(whole).map_or_else(String::new, |(part, whole)| format!("{:.2}", part / whole))
                };
                table.add_row([
                    setting.to_string(),
                    (*name).to_owned(),
                    format!("{:.0}", speed(runs)),
                    ratio(Some(speed(runs)), direct),
                    format!("{:.2}", waiting(runs)),
                    cpu(runs).map_or_else(String::new, |micros| format!("{micros:.1}")),
                    ratio(cpu(runs), haproxy),
                ]);
            }
        }
        for column in table.column_iter_mut().skip(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        write!(f, "Medians of the rounds.\n{table}")
    }
}

/// The runs of one target.
pub(crate) fn of<'a>(targets: &'a [(&'static str, Vec<Measured>)], name: &str) -> Option<&'a Vec<Measured>> {
    targets.iter().find(|(target, _)| *target == name).map(|(_, runs)| runs)
}

/// Queries per second.
pub(crate) fn speed(runs: &[Measured]) -> f64 {
    median(runs.iter().map(|run| run.queries_per_second))
}

/// Microseconds per query.
pub(crate) fn cpu(runs: &[Measured]) -> Option<f64> {
    let times: Vec<Duration> = runs.iter().filter_map(|run| run.cpu).collect();
    (!times.is_empty()).then(|| median(times.iter().map(|time| time.as_secs_f64() * 1e6)))
}

/// Milliseconds, the 95th percentile.
pub(crate) fn waiting(runs: &[Measured]) -> f64 {
    median(runs.iter().map(|run| run.p95.as_secs_f64() * 1e3))
}
