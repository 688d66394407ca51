//! What was measured beside what it has to be.

use std::fmt;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};

/// What a figure may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// One figure of Serval's.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    /// What was measured.
    pub what: String,
    /// The figures that it comes from.
    pub measured: String,
    /// The figure.
    pub value: f64,
    pub limit: Limit,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    findings: Vec<Finding>,
}

impl Finding {
    pub(crate) fn new(
        what: impl Into<String>,
        measured: impl Into<String>,
        value: f64,
        limit: Limit,
    ) -> Self {
        Self { what: what.into(), measured: measured.into(), value, limit }
    }

    fn is_met(&self) -> bool {
        // What could not be measured is not met.
        match self.limit {
            Limit::AtMost(most) => self.value <= most,
            Limit::AtLeast(least) => self.value >= least,
        }
    }
}

impl Verdict {
    pub(crate) fn add(&mut self, findings: Vec<Finding>) {
        self.findings.extend(findings);
    }

    /// What falls short, in words.
    pub(crate) fn missed(&self) -> Option<String> {
        let missed = self.findings.iter().filter(|finding| !finding.is_met());
        let missed: Vec<_> =
            missed.map(|finding| format!("{} is {:.2}", finding.what, finding.value)).collect();
        (!missed.is_empty()).then(|| format!("{} fall short: {}", missed.len(), missed.join("; ")))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_preset(UTF8_HORIZONTAL_ONLY);
        table.set_header(["what", "measured", "figure", "must be", ""]);
        for finding in &self.findings {
            let must = match finding.limit {
                Limit::AtMost(most) => format!("<= {most}"),
                Limit::AtLeast(least) => format!(">= {least}"),
            };
            let met = if finding.is_met() { "" } else { "MISSED" };
            let value = format!("{:.2}", finding.value);
            table.add_row([&*finding.what, &*finding.measured, &*value, &*must, met]);
        }
        for column in table.column_iter_mut().skip(2).take(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        write!(f, "{table}")
    }
}

/// The value in the middle; NaN of none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[middle],
        _ => values[middle - 1].midpoint(values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert!((median([3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median([4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
    }

    #[test]
    fn what_is_missed_is_named() {
        let mut verdict = Verdict::default();
        verdict.add(vec![Finding::new("a", "", 1.0, Limit::AtMost(1.0))]);
        assert_eq!(verdict.missed(), None);
        verdict.add(vec![
            Finding::new("b", "", 0.9, Limit::AtLeast(1.0)),
            Finding::new("c", "", f64::NAN, Limit::AtMost(1.0)),
        ]);
        assert_eq!(verdict.missed().as_deref(), Some("2 fall short: b is 0.90; c is NaN"));
    }
}
