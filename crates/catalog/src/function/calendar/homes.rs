//! Which node holds which period of a window.

use indexmap::IndexMap;

use super::{OptionError, Unit};

/// The node of each period.
#[derive(Debug)]
pub(super) enum Homes {
    /// Period i lies on node `i mod n`.
    Round(usize),
    /// As the config lists them.
    Listed {
        nodes: Box<[u16]>,
        /// In one line.
        described: String,
    },
}

impl Homes {
    pub(super) fn of(&self, period: usize) -> usize {
        match self {
            Self::Round(nodes) => period % nodes,
            Self::Listed { nodes, .. } => nodes[period].into(),
        }
    }

    pub(super) fn describe(&self) -> &str {
        match self {
            Self::Round(_) => "",
            Self::Listed { described, .. } => described,
        }
    }

    /// Reads `{ dn0 = "2026-01 to 2026-06", dn1 = "2026-07, 2026-08" }`. Each period belongs to exactly one node.
    pub(super) fn read(
        map: &IndexMap<String, String>,
        unit: Unit,
        first: i64,
        count: usize,
        names: &[String],
    ) -> Result<Self, Vec<OptionError>> {
        let mut errors = Vec::new();
        let mut homes: Vec<Option<u16>> = vec![None; count];
        for (name, ranges) in map {
            let Some(node) = names.iter().position(|known| known == name) else {
                let message =
                    format!("`periods` names the node `{name}`, which is not among the rule's nodes");
                errors.push(error(message, format!("use the rule's nodes: {}", names.join(", "))));
                continue;
            };
            let node = u16::try_from(node).expect("a rule has fewer than 2^16 nodes");
            for range in ranges.split(',') {
                match run(range, unit, first, count) {
                    Ok((low, high)) => {
                        if let Some(twice) = (low..=high).find(|&period| homes[period].is_some()) {
                            let shown = unit.show(first + i64::try_from(twice).unwrap_or(0));
                            let message = format!("{shown} belongs to two nodes");
                            errors.push(error(message, "give each period to one node"));
                        }
                        homes[low..=high].fill(Some(node));
                    }
                    Err(message) => errors.push(error(message, unit.advice())),
                }
            }
        }
        if errors.is_empty()
            && let Some(gap) = homes.iter().position(Option::is_none)
        {
            let message =
                format!("{} belongs to no node", unit.show(first + i64::try_from(gap).unwrap_or(0)));
            errors.push(error(message, "give each period of the window to a node"));
        }
        let listed: Vec<String> = map.iter().map(|(name, ranges)| format!("{name} has {ranges}")).collect();
        let described = format!(", {}", listed.join("; "));
        let nodes = homes.into_iter().flatten().collect();
        if errors.is_empty() { Ok(Self::Listed { nodes, described }) } else { Err(errors) }
    }
}

/// One period, or the first and the last of several, counted from the window's first.
fn run(text: &str, unit: Unit, first: i64, count: usize) -> Result<(usize, usize), String> {
    let text = text.trim();
    let (low, high) = text.split_once(" to ").unwrap_or((text, text));
    let find = |text: &str| {
        let number = unit.parse(text).ok_or_else(|| format!("`{text}` is not {}", unit.noun()))?;
        let period = usize::try_from(number - first).ok().filter(|&period| period < count);
        period.ok_or_else(|| format!("`{text}` is outside the window"))
    };
    let (low, high) = (find(low)?, find(high)?);
    if low > high { Err(format!("`{text}` ends before it begins")) } else { Ok((low, high)) }
}

fn error(message: impl Into<String>, fix: impl Into<String>) -> OptionError {
    OptionError { about_nodes: true, ..OptionError::new("periods", message, fix) }
}
