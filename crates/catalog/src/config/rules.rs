//! `[rules]`.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{NodeNames, Sink, raw};
use crate::function::Context;
use crate::{Rule, TextMatch};

/// The rules by name.
pub(crate) fn rules(
    config: &raw::Config,
    nodes: &NodeNames,
    sink: &mut Sink<'_>,
) -> IndexMap<String, Arc<Rule>> {
    let mut rules = IndexMap::new();
    for (name, raw) in &config.rules {
        if let Some(rule) = rule(name, raw, nodes, sink) {
            rules.insert(name.clone(), Arc::new(rule));
        }
    }
    rules
}

fn rule(name: &str, raw: &raw::Rule, nodes: &NodeNames, sink: &mut Sink<'_>) -> Option<Rule> {
    let path = ["rules", name];
    let found = nodes.list(&["rules", name, "nodes"], &raw.nodes, &format!("the rule `{name}`"), sink);
    let time_zone_is_right = check_time_zone(name, raw, sink);
    let names: Option<Vec<String>> =
        found.as_ref().map(|found| found.iter().map(|(name, _)| name.clone()).collect());
    // Where nodes are lost to another mistake the options are checked all the same.
    let stand_in = ["?".to_owned()];
    let built = raw.function.build(&Context { nodes: names.as_deref().unwrap_or(&stand_in) });
    let function = built.map_err(|errors| {
        for error in errors.into_iter().filter(|error| found.is_some() || !error.about_nodes) {
            sink.error(&[&path[..], &[error.key]].concat(), error.message, error.fix);
        }
    });
    let (found, function) = (found?, function.ok()?);
    time_zone_is_right.then(|| Rule {
        name: name.to_owned(),
        function,
        column: raw.column.clone(),
        nodes: found.into_iter().map(|(_, id)| id).collect(),
        text_match: text_match(raw.text_match),
        time_zone: raw.time_zone.clone(),
        tables: raw.function.tables().map(str::to_owned),
    })
}

pub(super) fn text_match(raw: Option<raw::TextMatch>) -> TextMatch {
    match raw {
        None | Some(raw::TextMatch::Raw) => TextMatch::Raw,
        Some(raw::TextMatch::AsciiFold) => TextMatch::AsciiFold,
    }
}

/// An offset or a name with a slash, as MySQL's own `time_zone` takes them. Whether a name exists only a server
/// knows.
fn check_time_zone(name: &str, raw: &raw::Rule, sink: &mut Sink<'_>) -> bool {
    let Some(zone) = &raw.time_zone else { return true };
    let offset = || {
        let (hours, minutes) = zone.strip_prefix(['+', '-'])?.split_once(':')?;
        let number = |text: &str| (1..=2).contains(&text.len()).then(|| text.parse::<u8>().ok()).flatten();
        (number(hours)? <= 14 && number(minutes)? < 60).then_some(())
    };
    let named = zone == "UTC"
        || (zone.contains('/') && zone.chars().all(|c| c.is_ascii_alphanumeric() || "/_+-".contains(c)));
    if offset().is_some() || named {
        return true;
    }
    let fix = "write an offset or a name, for example \"+00:00\" or \"Europe/Berlin\"";
    sink.error(&["rules", name, "time_zone"], format!("`{zone}` is not a time zone"), fix);
    false
}
