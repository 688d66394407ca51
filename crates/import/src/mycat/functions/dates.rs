//! PartitionByDate and PartitionByMonth.

use serval_catalog::Moment;

use super::Use;
use crate::draft::Rule;

pub(super) fn date(of: &Use<'_>) -> Result<Rule, String> {
    let from = day(of, "sBeginDate")?.ok_or("the property `sBeginDate` is missing")?;
    let days: u32 = of.function.number("sPartionDay", None)?;
    if days == 0 {
        return Err("sPartionDay is 0".to_owned());
    }
    let every = i64::from(days);
    let to = day(of, "sEndDate")?;
    if of.function.get("sNaturalDay") == Some("1") {
        return Err("sNaturalDay=1 places rows by the day of the month; load the table under the rule `day`"
            .to_owned());
    }
    let spans = match to {
        Some(to) if to < from => return Err("sEndDate is before sBeginDate".to_owned()),
        Some(to) => (to.day_number() - from.day_number()) / every + 1,
        None => i64::try_from(of.nodes.len()).unwrap_or(i64::MAX),
    };
    let nodes = of.nodes_of(usize::try_from(spans).unwrap_or(usize::MAX))?;
    let last = last_day(from, every, spans)?;
    let rule = Rule::new("date", nodes)
        .with_text("from", &shown(from))
        .with_text("to", &last)
        .with("days", days)
        .with_text("before", "first");
    let rule = if to.is_some() { rule.with_text("after", "cycle") } else { rule };
    Ok(rule.note(NO_DST).note(COLUMN))
}

const NO_DST: &str = "Exact if Mycat's JVM ran in a time zone without daylight saving time since sBeginDate, such as Asia/Shanghai: \
                      it divided milliseconds, so where the clock changes its days begin an hour off.";

const COLUMN: &str = "Keys are DATE or DATETIME columns; a TIMESTAMP needs `time_zone`, the zone of the applications' sessions.";

fn last_day(from: Moment, every: i64, spans: i64) -> Result<String, String> {
    let last = spans.checked_mul(every).and_then(|days| Moment::of_day_number(from.day_number() + days - 1));
    last.map(shown).ok_or_else(|| "the window ends after the year 9999".to_owned())
}

pub(super) fn month(of: &Use<'_>) -> Result<Rule, String> {
    let (from, to) = (day(of, "sBeginDate")?, day(of, "sEndDate")?);
    let number = |moment: Moment| i64::from(moment.year) * 12 + i64::from(moment.month) - 1;
    let (first, count, cycle) = match (from, to) {
        // January to December of any year.
        (None, None) => (2000 * 12, 12, true),
        (None, Some(_)) => return Err("the property `sBeginDate` is missing".to_owned()),
        (Some(from), None) => (number(from), i64::try_from(of.nodes.len()).unwrap_or(i64::MAX), false),
        (Some(from), Some(to)) if number(to) < number(from) => {
            return Err("sEndDate is before sBeginDate".to_owned());
        }
        (Some(from), Some(to)) => (number(from), number(to) - number(from) + 1, true),
    };
    let nodes = of.nodes_of(usize::try_from(count).unwrap_or(usize::MAX))?;
    let last = first + count - 1;
    let written = |number: i64| format!("{:04}-{:02}", number / 12, number % 12 + 1);
    let rule = Rule::new("month", nodes).with_text("from", &written(first)).with_text("to", &written(last));
    let rule = if cycle {
        rule.with_text("before", "cycle").with_text("after", "cycle")
    } else {
        rule.with_text("before", "first").note(
            "Without sEndDate the window ends with the last node: later rows need more nodes, as in Mycat.",
        )
    };
    Ok(rule.note(COLUMN))
}

/// The day of a property, read by `dateFormat`.
fn day(of: &Use<'_>, key: &str) -> Result<Option<Moment>, String> {
    let Some(text) = of.function.get(key) else { return Ok(None) };
    let format = of.function.get("dateFormat").unwrap_or("yyyy-MM-dd");
    let date_only = match format {
        "yyyy-MM-dd" | "yyyyMMdd" | "yyyy/MM/dd" => true,
        "yyyy-MM-dd HH:mm:ss" | "yyyyMMddHHmmss" | "yyyy/MM/dd HH:mm:ss" => false,
        other => return Err(format!("dateFormat `{other}` is not known")),
    };
    // SimpleDateFormat does not look at what follows the pattern.
    let text = if date_only { text.get(..format.len()).unwrap_or(text) } else { text };
    let (moment, _) =
        Moment::parse_text(text).ok_or_else(|| format!("{key} `{text}` is not a date as `{format}`"))?;
    if moment != moment.midnight() {
        return Err(format!("{key} `{text}` is not midnight: Serval's days begin at midnight"));
    }
    Ok(Some(moment))
}

fn shown(moment: Moment) -> String {
    format!("{:04}-{:02}-{:02}", moment.year, moment.month, moment.day)
}
