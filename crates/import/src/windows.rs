//! Windows of kingshard's and Gaea's rules by date, and their numbers of ranges.

use crate::draft::{Rule, quoted, ranges};

/// Which period a rule's tables have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Period {
    Year,
    Month,
    Day,
}

impl Period {
    pub(crate) fn of_type(name: &str) -> Option<Self> {
        match name {
            "date_year" => Some(Self::Year),
            "date_month" => Some(Self::Month),
            "date_day" => Some(Self::Day),
            _ => None,
        }
    }

    fn function(self) -> (&'static str, &'static str) {
        match self {
            Self::Year => ("year", "{table}_{yyyy}"),
            Self::Month => ("month", "{table}_{yyyymm}"),
            Self::Day => ("day", "{table}_{yyyymmdd}"),
        }
    }

    /// `201603` as `2026-03`.
    fn written(self, digits: &str) -> Option<String> {
        let length = match self {
            Self::Year => 4,
            Self::Month => 6,
            Self::Day => 8,
        };
        if digits.len() != length || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let (year, rest) = digits.split_at(4);
        let month_and_day = match rest.len() {
            0 => String::new(),
            2 => format!("-{rest}"),
            _ => format!("-{}-{}", &rest[..2], &rest[2..]),
        };
        Some(format!("{year}{month_and_day}"))
    }
}

/// The rule of `date_range`, one entry for each node. Periods that lie between have no tables, so they are refused.
pub(crate) fn rule(period: Period, nodes: &[String], entries: &[String]) -> Result<Rule, String> {
    if nodes.len() != entries.len() {
        return Err(format!("date_range has {} entries for {} nodes", entries.len(), nodes.len()));
    }
    let mut all: Vec<(String, String, String)> = Vec::new();
    for (node, entry) in nodes.iter().zip(entries) {
        let (low, high) = entry.split_once('-').unwrap_or((entry, entry));
        let written = |text: &str| {
            period
                .written(text.trim())
                .ok_or_else(|| format!("`{entry}` in date_range is no range of periods"))
        };
        all.push((node.clone(), written(low)?, written(high)?));
    }
    let (Some((_, first, _)), Some((_, _, last))) = (all.first(), all.last()) else {
        return Err("date_range is empty".to_owned());
    };
    let (first, last) = (first.clone(), last.clone());
    let (function, tables) = period.function();
    let rule = Rule::new(function, nodes).with_text("from", &first).with_text("to", &last);
    let listed = all.into_iter().map(|(node, low, high)| match low == high {
        true => (node, low),
        false => (node, format!("{low} to {high}")),
    });
    let rule = rule.with("periods", ranges(listed)).with("tables", quoted(tables));
    check(&rule)?;
    Ok(rule.note("Keys are DATE, DATETIME or TIMESTAMP columns (the last need a `time_zone`); `serval check` refuses integers."))
}

/// Lets Serval itself look for gaps, overlaps and dates that are none.
pub(crate) fn check(rule: &Rule) -> Result<(), String> {
    let nodes = rule.lines.iter().find_map(|line| line.strip_prefix("nodes = ")).unwrap_or("[]");
    let names: Vec<String> = serde_json::from_str(nodes).unwrap_or_default();
    let mut config = String::from(
        "[groups.g]\nprimary = \"db:3306\"\nuser = \"u\"\npassword = { env = \"P\" }\n[nodes]\n",
    );
    for (index, name) in names.iter().enumerate() {
        config += &format!("{} = {{ group = \"g\", database = \"d{index}\" }}\n", quoted(name));
    }
    config += &format!("[rules.r]\n{}\n", rule.lines.join("\n"));
    match serval_catalog::load(&config, "rule", &|_| Ok(String::new()), &[]) {
        Ok(_) => Ok(()),
        Err(wrong) => {
            let texts: Vec<String> = wrong
                .into_iter()
                .filter(|diagnostic| diagnostic.severity == serval_catalog::Severity::Error)
                .map(|diagnostic| match diagnostic.fix {
                    Some(fix) => format!("{} ({fix})", diagnostic.message),
                    None => diagnostic.message,
                })
                .collect();
            Err(texts.join("; "))
        }
    }
}
