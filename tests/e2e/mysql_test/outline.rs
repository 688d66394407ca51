//! What a statement is, as far as comparing answers has to know.

/// Which section of the report a statement belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Select,
    Write,
    Define,
    Set,
    Show,
    Other,
}

/// The text in lower case, without comments and without what is quoted, and only what no parentheses enclose.
pub(super) fn outside(sql: &str) -> String {
    let mut depth = 0_i32;
    blanked(sql)
        .chars()
        .filter(|&c| {
            depth -= i32::from(c == ')');
            let outside = depth == 0;
            depth += i32::from(c == '(');
            outside
        })
        .collect()
}

/// The text in lower case, without comments and without what is quoted; white space is one blank.
pub(super) fn blanked(sql: &str) -> String {
    let mut text = String::new();
    let mut rest = sql;
    while let Some(next) = rest.chars().next() {
        let line = rest.starts_with("-- ") || rest.starts_with("--\n") || next == '#';
        let skipped = match next {
            _ if line => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") && !rest.starts_with("/*!") && !rest.starts_with("/*M!") => {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            }
            '\'' | '"' | '`' => quoted(rest, next),
            _ => 0,
        };
        if skipped > 0 {
            text.push_str(if matches!(next, '\'' | '"' | '`') { "''" } else { " " });
            rest = &rest[skipped..];
        } else {
            text.push(next.to_ascii_lowercase());
            rest = &rest[next.len_utf8()..];
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How long the quoted text is that stands here.
fn quoted(text: &str, quote: char) -> usize {
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' if quote != '`' => drop(characters.next()),
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Whether the rows come in an order that the statement itself asks for.
pub(super) fn ordered(sql: &str) -> bool {
    let text = outside(sql);
    text.rfind("order by ").is_some_and(|at| !text[at..].starts_with("order by null"))
}

pub(super) fn class(sql: &str) -> Class {
    let text = blanked(sql);
    let text = text.trim_start_matches(['(', ' ']);
    let word = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
    match word {
        "select" | "with" | "values" | "table" => Class::Select,
        "insert" | "replace" | "update" | "delete" | "load" | "truncate" => Class::Write,
        "create" | "drop" | "alter" | "rename" | "analyze" | "optimize" | "check" | "repair" => Class::Define,
        "set" | "use" => Class::Set,
        "show" | "describe" | "desc" => Class::Show,
        _ => Class::Other,
    }
}

/// Why a statement is not replayed: what it shows or changes is one server's own.
pub(super) fn one_servers_own(sql: &str) -> Option<&'static str> {
    let text = blanked(sql);
    let starts = |words: &[&str]| words.iter().any(|word| text.starts_with(word));
    let names = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let explains = starts(&["set statement"]) && names(&[" for explain ", " for analyze "]);
    if explains || starts(&["explain", "analyze ", "describe select", "desc select"]) {
        return Some("plans and statistics of one server");
    }
    let own = [
        "show status",
        "show session status",
        "show global status",
        "show profile",
        "show engine",
        "show explain",
    ];
    if starts(&own)
        || names(&["last_query_cost", "session_status", "global_status", "optimizer_trace", "innodb_"])
    {
        return Some("counters of one server");
    }
    if starts(&["flush", "reset", "kill", "shutdown", "install", "uninstall", "purge", "grant", "revoke"]) {
        return Some("administration of one server");
    }
    if starts(&[
        "create user",
        "drop user",
        "set password",
        "create role",
        "drop role",
        "alter user",
        "set role",
    ]) {
        return Some("accounts of one server");
    }
    if names(&[
        "set global",
        "set @@global",
        "set @@debug",
        "set debug",
        "set session debug",
        "debug_sync",
        "debug_dbug",
    ]) {
        return Some("global variables and debugging of one server");
    }
    if names(&["mysql."]) || text.starts_with("use mysql") {
        return Some("system tables of one server");
    }
    names(&["load_file", "into outfile", "into dumpfile", "load data infile"])
        .then_some("files of one server")
}

/// Why answers may differ: the statement asks which server or session answers, or when, or by what chance.
pub(super) fn asks_for_the_server(sql: &str) -> bool {
    const FUNCTIONS: [&str; 36] = [
        "rand(",
        "rand (",
        "uuid",
        "connection_id",
        "version()",
        "@@version",
        "@@hostname",
        "@@port",
        "@@socket",
        "@@server",
        "pseudo_thread_id",
        "user()",
        "current_user",
        "session_user",
        "now(",
        "sysdate",
        "curdate",
        "curtime",
        "current_time",
        "current_date",
        "localtime",
        "utc_",
        "unix_timestamp()",
        "@@timestamp",
        "@@datadir",
        "@@tmpdir",
        "processlist",
        "random_bytes",
        "@@basedir",
        "@@log",
        "@@pid",
        "encrypt(",
        "show variables",
        "show table status",
        "show keys",
        "show index",
    ];
    let text = blanked(sql);
    FUNCTIONS.iter().any(|function| text.contains(function))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_counts_outside_of_parentheses() {
        assert!(ordered("SELECT a FROM t -- (\nORDER BY a"));
        assert!(!ordered("SELECT a FROM (SELECT * FROM t ORDER BY a) AS u"));
        assert!(!ordered("SELECT a FROM t WHERE b = 'order by c' ORDER BY NULL"));
    }

    #[test]
    fn classes() {
        assert_eq!(class("/* x */ (SELECT 1)"), Class::Select);
        assert_eq!(class("insert into t values (1)"), Class::Write);
        assert_eq!(class("SET @a=1"), Class::Set);
    }
}
