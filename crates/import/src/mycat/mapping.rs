//! Mapping files: `0-500M=0`, `10010=1`, `0=0-51199`.

/// Lines `key=value`; comments and lines without `=` are left out, as Mycat leaves them out.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#') && !line.starts_with("//"));
    lines.filter_map(|line| line.split_once('=')).map(|(key, value)| (key.trim(), value.trim()))
}

/// A range of numbers, both ends included, with what stands behind `=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    pub low: i64,
    pub high: i64,
    pub value: u32,
}

/// The ranges of a file. With `suffixes`, K is 1,000 and M is 10,000.
pub(super) fn ranges(text: &str, suffixes: bool) -> Result<Vec<Line>, String> {
    let number = |text: &str| if suffixes { suffixed(text) } else { text.parse().ok() };
    pairs(text)
        .map(|(range, value)| {
            let wrong = || format!("the line `{range}={value}` is not a range of numbers");
            let mut ends = range.split('-').map(str::trim);
            let (low, high) = (ends.next().ok_or_else(wrong)?, ends.next().ok_or_else(wrong)?);
            let (low, high) = (number(low).ok_or_else(wrong)?, number(high).ok_or_else(wrong)?);
            Ok(Line { low, high, value: value.parse().map_err(|_| wrong())? })
        })
        .collect()
}

/// `200M` is 2,000,000 and `200M1` one more; `3K` is 3,000.
fn suffixed(text: &str) -> Option<i64> {
    let text = text.to_uppercase();
    let (at, unit) = match (text.find('M'), text.find('K')) {
        (Some(at), _) => (at, 10_000),
        (None, Some(at)) => (at, 1_000),
        (None, None) => return text.parse().ok(),
    };
    let rest = &text[at + 1..];
    let more: i32 = if rest.is_empty() { 0 } else { rest.parse().ok()? };
    text[..at].parse::<i64>().ok()?.checked_mul(unit)?.checked_add(more.into())
}

/// The same ranges without overlaps: where several lines hold a number, the first has it.
pub(super) fn disjoint(lines: &[Line]) -> Vec<Line> {
    let mut kept: Vec<Line> = Vec::new();
    for &line in lines {
        let mut rest = vec![line];
        for other in &kept {
            rest = rest.into_iter().flat_map(|part| without(part, *other)).collect();
        }
        kept.extend(rest.into_iter().filter(|part| part.low <= part.high));
    }
    kept.sort_by_key(|line| line.low);
    kept
}

/// What of a range is not in the other.
fn without(part: Line, other: Line) -> Vec<Line> {
    if other.high < part.low || part.high < other.low {
        return vec![part];
    }
    let below = other.low.checked_sub(1).map(|high| Line { high, ..part });
    let above = other.high.checked_add(1).map(|low| Line { low, ..part });
    [below, above].into_iter().flatten().filter(|line| line.low <= line.high).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_mycats() {
        let golden =
            [("200M1", Some(2_000_001)), ("3k", Some(3000)), ("500M", Some(5_000_000)), ("12", Some(12))];
        for (text, expected) in
            golden.into_iter().chain([("M", None), ("1X", None), ("999999999999999999M", None)])
        {
            assert_eq!(suffixed(text), expected, "{text}");
        }
    }

    #[test]
    fn the_first_line_has_what_two_hold() {
        let lines = ranges("# c\n0-500M=0\n\n500M-1000M=1\nbad line\n100-200=2", true).expect("ranges");
        let parts: Vec<(i64, i64, u32)> =
            disjoint(&lines).into_iter().map(|line| (line.low, line.high, line.value)).collect();
        assert_eq!(parts, [(0, 5_000_000, 0), (5_000_001, 10_000_000, 1)]);
        assert!(ranges("0=0", true).is_err());
        assert!(ranges("0-9=x", true).is_err());
        assert!(ranges("-5-9=0", true).is_err());
    }
}
