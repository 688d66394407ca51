//! Mycat's functions as Serval's.

mod dates;
mod ranges;

use super::mapping;
use super::rules::Function;
use crate::ReadFile;
use crate::draft::{Rule, ranges as ranges_of};
use crate::windows;

/// What a function is converted for.
pub(super) struct Use<'a> {
    pub function: &'a Function,
    /// The data nodes of the table.
    pub nodes: &'a [String],
    /// `RULE_SCHEMA_TABLE`, which names the slots' file.
    pub slots_file: String,
    pub read: ReadFile<'a>,
}

impl Use<'_> {
    /// The first nodes, as many as the function counts.
    fn nodes_of(&self, count: usize) -> Result<&[String], String> {
        if count == 0 {
            return Err("it counts no nodes".to_owned());
        }
        self.nodes
            .get(..count)
            .ok_or_else(|| format!("it counts {count} nodes, but the table has {}", self.nodes.len()))
    }

    fn node(&self, index: u32) -> Result<&String, String> {
        self.nodes
            .get(index as usize)
            .ok_or_else(|| format!("node {index} is beyond the table's {} nodes", self.nodes.len()))
    }

    /// The text of the file that a property names.
    fn file(&self, name: &str) -> Result<String, String> {
        if name.starts_with('/') || name.split(['/', '\\']).any(|part| part == "..") {
            return Err(format!("the file `{name}` is outside of the directory"));
        }
        (self.read)(name)
    }

    /// The default node's line, if the property names one.
    fn with_default(&self, rule: Rule, property: &str, absent: i64) -> Result<Rule, String> {
        match u32::try_from(self.function.number(property, Some(absent))?) {
            Ok(index) => Ok(rule.with_text("default", self.node(index)?)),
            Err(_) => Ok(rule),
        }
    }
}

/// The rule, or why there is none.
pub(super) fn convert(of: &Use<'_>) -> Result<Rule, String> {
    let rule = match of.function.class.as_str() {
        "PartitionByMod" => modulo(of),
        "PartitionByLong" => Ok(segments("segments", of)?.with("fold", true).note(
            "fold: as the newest Mycat 1.6 computes. Older ones do not fold, which differs for keys that are negative or from \
             4294967296: if yours is older and has such keys, say `fold = false`.",
        )),
        "PartitionByString" => string(of),
        "PartitionByMurmurHash" => murmur(of),
        "PartitionByHashMod" => Ok(Rule::new("wang_mod", of.nodes_of(of.function.number("count", None)?)?)),
        "PartitionByJumpConsistentHash" => {
            Ok(Rule::new("jump", of.nodes_of(of.function.number("totalBuckets", None)?)?))
        }
        "PartitionByCRC32PreSlot" => slots(of),
        "PartitionDirectBySubString" => substring(of),
        "PartitionByFileMap" => ranges::list(of),
        "AutoPartitionByLong" => ranges::range(of),
        "PartitionByRangeMod" => ranges::range_mod(of),
        "PartitionByPattern" => ranges::pattern(of),
        "PartitionByPrefixPattern" => ranges::prefix_pattern(of),
        "PartitionByDate" => dates::date(of),
        "PartitionByMonth" => dates::month(of),
        other => Err(no_counterpart(other)),
    }?;
    // What Serval itself would refuse of it is refused here, with its reasons.
    windows::check(&rule)?;
    Ok(rule)
}

fn no_counterpart(class: &str) -> String {
    let why = match class {
        "PartitionByHotDate" => "rows move as time passes, so where one lies cannot be computed from it",
        "PartitionByMonthAndHistory" => "it computes with the present day",
        "LatestMonthPartion" => "it reads day and hour from the end of a text, in whatever month",
        "PartitionByRangeDateHash" => "it hashes the milliseconds of the server's time zone",
        _ => "Serval does not know this class",
    };
    format!("the class {class}: {why}; load the table through Serval under a rule of its own")
}

fn modulo(of: &Use<'_>) -> Result<Rule, String> {
    let nodes = of.nodes_of(of.function.number("count", None)?)?;
    Ok(Rule::new("mod", nodes).note(
        "For text columns add `text = \"java_hash\"`, which is what the newest Mycat 1.6 does with text that is no number.",
    ))
}

/// `counts` and `lengths`.
fn segments(function: &str, of: &Use<'_>) -> Result<Rule, String> {
    let numbers = |key: &str| -> Result<Vec<u32>, String> {
        let number = |text: &str| {
            text.trim()
                .parse()
                .map_err(|_| format!("the property `{key}` is not a list of numbers: `{text}`"))
        };
        of.function.needed(key)?.split(',').map(number).collect()
    };
    let (counts, lengths) = (numbers("partitionCount")?, numbers("partitionLength")?);
    let total = counts.iter().map(|&count| u64::from(count)).sum::<u64>();
    let nodes = of.nodes_of(usize::try_from(total).unwrap_or(usize::MAX))?;
    Ok(Rule::new(function, nodes)
        .with("counts", format!("{counts:?}"))
        .with("lengths", format!("{lengths:?}")))
}

fn string(of: &Use<'_>) -> Result<Rule, String> {
    let slice = of.function.get("hashSlice").or(of.function.get("hashLength")).unwrap_or("0:8");
    let rule = segments("string_hash", of)?.with_text("slice", slice);
    Ok(rule.note("Mycat also hashed trailing spaces, which MySQL does not tell apart: keys that end in some would lie elsewhere."))
}

fn murmur(of: &Use<'_>) -> Result<Rule, String> {
    let count: usize = of.function.number("count", None)?;
    let rule = Rule::new("murmur", of.nodes_of(count)?)
        .with("cumulative", true)
        .with("virtual_nodes", of.function.number::<u32>("virtualBucketTimes", Some(160))?)
        .with("seed", of.function.number::<i32>("seed", Some(0))?);
    let Some(file) = of.function.get("weightMapFile") else { return Ok(rule) };
    let mut weights = vec![1_u32; count];
    for (bucket, weight) in mapping::pairs(&of.file(file)?) {
        let wrong = || format!("the line `{bucket}={weight}` of {file} is not a weight");
        let bucket: usize = bucket.parse().map_err(|_| wrong())?;
        let weight: i64 = weight.parse().map_err(|_| wrong())?;
        if let Some(slot) = weights.get_mut(bucket) {
            *slot = u32::try_from(weight.max(1)).map_err(|_| wrong())?;
        }
    }
    Ok(rule.with("weights", format!("{weights:?}")))
}

/// The slots lie where the file says that Mycat wrote when it first ran.
fn slots(of: &Use<'_>) -> Result<Rule, String> {
    let name = format!("ruledata/{}.properties", of.slots_file);
    let text = of.file(&name).map_err(|error| {
        format!("{error}: copy Mycat's conf/ruledata here, which says which slots each node holds")
    })?;
    let mut listed = Vec::new();
    let mut lines: Vec<(&str, &str)> = mapping::pairs(&text).collect();
    lines.sort_by_key(|(node, _)| node.parse::<u32>().unwrap_or(u32::MAX));
    for (node, ranges) in lines {
        let index = node.parse().map_err(|_| format!("`{node}` in {name} is not a node's number"))?;
        listed.push((of.node(index)?.clone(), ranges.to_owned()));
    }
    if listed.len() != of.nodes.len() {
        return Err(format!("{name} has {} nodes, but the table has {}", listed.len(), of.nodes.len()));
    }
    let rule = Rule::new("crc32_slots", of.nodes).with("slots", ranges_of(listed));
    Ok(rule
        .note("Mycat's hidden column `_slot` is not needed and not filled: give it a default, or drop it."))
}

fn substring(of: &Use<'_>) -> Result<Rule, String> {
    let count: usize = of.function.number("partitionCount", Some(0))?;
    let nodes = if count == 0 { of.nodes } else { of.nodes_of(count)? };
    let rule = Rule::new("substring", nodes)
        .with("start", of.function.number::<u32>("startIndex", Some(0))?)
        .with("size", of.function.number::<u32>("size", None)?);
    if count == 0 { Ok(rule) } else { of.with_default(rule, "defaultPartition", 0) }
}
