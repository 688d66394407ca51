//! `sql_mode` for a statement that was prepared under another one: a server keeps how it has read the text, and all else is as the
//! session says when it executes.

/// The words that decide how a text is read.
const READING: [&str; 7] = [
    "ANSI_QUOTES",
    "HIGH_NOT_PRECEDENCE",
    "IGNORE_SPACE",
    "NO_BACKSLASH_ESCAPES",
    "ORACLE",
    "PIPES_AS_CONCAT",
    "REAL_AS_FLOAT",
];

/// Words that stand for others, of those too. A server that is asked for its mode lists what they stand for beside them.
const COMBINED: [&str; 5] = ["ANSI", "DB2", "MAXDB", "MSSQL", "POSTGRESQL"];

/// The words of a literal, or of the servers' own mode where there is none; `None` where that is not known.
pub(super) fn words<'a>(literal: Option<&'a str>, default: Option<&'a str>) -> Option<&'a str> {
    literal.map(|literal| literal.trim_matches('\'')).or(default)
}

/// The mode that reads as `prepared` and does as `present`; `None` where that is `present` itself.
pub(super) fn mixed(prepared: &str, present: &str) -> Option<String> {
    let is = |list: &[&str], word: &str| list.iter().any(|known| known.eq_ignore_ascii_case(word));
    let split = |mode| str::split(mode, ',').map(str::trim).filter(|word| !word.is_empty());
    let reading = |mode| -> Vec<&str> { split(mode).filter(|word| is(&READING, word)).collect() };
    if reading(prepared) == reading(present) {
        return None;
    }
    let kept = split(present).filter(|word| !is(&READING, word) && !is(&COMBINED, word));
    Some(reading(prepared).into_iter().chain(kept).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_reads_the_text_is_kept() {
        assert_eq!(mixed("STRICT_TRANS_TABLES", "NO_ZERO_DATE"), None);
        let mode = mixed("ANSI_QUOTES,STRICT_TRANS_TABLES", "NO_AUTO_VALUE_ON_ZERO,PIPES_AS_CONCAT");
        assert_eq!(mode.as_deref(), Some("ANSI_QUOTES,NO_AUTO_VALUE_ON_ZERO"));
        let mode = mixed("", "REAL_AS_FLOAT,PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE,ANSI,STRICT_ALL_TABLES");
        assert_eq!(mode.as_deref(), Some("STRICT_ALL_TABLES"));
    }

    #[test]
    fn a_mode_that_was_not_set_is_the_servers() {
        assert_eq!(words(Some("'ANSI_QUOTES'"), Some("x")), Some("ANSI_QUOTES"));
        assert_eq!(words(None, Some("x")), Some("x"));
        assert_eq!(words(None, None), None);
    }
}
