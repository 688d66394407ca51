//! The `slots` option: which slots each node holds.

use indexmap::IndexMap;

use super::{OptionError, SLOTS};

/// Reads `{ dn0 = "0-8191", … }`. Each slot belongs to exactly one node of the rule.
pub(super) fn read(map: &IndexMap<String, String>, nodes: &[String]) -> Result<Vec<u16>, Vec<OptionError>> {
    let mut errors = Vec::new();
    let mut owners: Vec<Option<u16>> = vec![None; SLOTS];
    for (name, ranges) in map {
        let Some(node) = nodes.iter().position(|node| node == name) else {
            errors.push(error(
                format!("`slots` names the node `{name}`, which is not among the rule's nodes"),
                format!("use the rule's nodes: {}", nodes.join(", ")),
            ));
            continue;
        };
        let node = u16::try_from(node).expect("a rule has fewer than 2^16 nodes");
        for range in ranges.split(',') {
            match parse_range(range) {
                Some((first, last)) => claim(&mut owners, (first, last), node, nodes, &mut errors),
                None => errors.push(error(
                    format!("`{}` is not a range of slots", range.trim()),
                    "write `0-8191`, or several with commas; slots are 0 to 16383",
                )),
            }
        }
    }
    if errors.is_empty() {
        report_gaps(&owners, &mut errors);
    }
    if errors.is_empty() { Ok(owners.into_iter().flatten().collect()) } else { Err(errors) }
}

fn parse_range(text: &str) -> Option<(usize, usize)> {
    let text = text.trim();
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last && last < SLOTS).then_some((first, last))
}

fn claim(
    owners: &mut [Option<u16>],
    (first, last): (usize, usize),
    node: u16,
    nodes: &[String],
    errors: &mut Vec<OptionError>,
) {
    let taken = (first..=last).find_map(|slot| owners[slot].map(|owner| (slot, owner)));
    if let Some((slot, owner)) = taken {
        errors.push(error(
            format!(
                "slot {slot} belongs to both `{}` and `{}`",
                nodes[usize::from(owner)],
                nodes[usize::from(node)]
            ),
            "give each slot to one node",
        ));
    }
    owners[first..=last].fill(Some(node));
}

fn report_gaps(owners: &[Option<u16>], errors: &mut Vec<OptionError>) {
    let mut slot = 0;
    while slot < owners.len() {
        let gap = owners[slot..].iter().take_while(|owner| owner.is_none()).count();
        if gap > 0 {
            errors.push(error(
                format!("slots {slot} to {} belong to no node", slot + gap - 1),
                "all 16,384 slots, 0 to 16383, need a node",
            ));
        }
        slot += gap.max(1);
    }
}

fn error(message: impl Into<String>, fix: impl Into<String>) -> OptionError {
    OptionError { about_nodes: true, ..OptionError::new("slots", message, fix) }
}
