//! LIKE on names: `%` is any text, `_` any character, a backslash takes the meaning of the next one away.

/// Whether `name` matches; names compare without case, as in information_schema.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let name: Vec<char> = name.to_lowercase().chars().collect();
    matches_from(&pattern, &name)
}

fn matches_from(pattern: &[char], name: &[char]) -> bool {
    // Where the last `%` was, and how much of the name it has taken: the only place to go back to.
    let (mut p, mut n) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('%') => {
                back = Some((p, n));
                p += 1;
            }
            Some('_') => (p, n) = (p + 1, n + 1),
            Some('\\') if pattern.get(p + 1) == name.get(n) => (p, n) = (p + 2, n + 1),
            Some(c) if *c != '\\' && c == &name[n] => (p, n) = (p + 1, n + 1),
            _ => match back {
                Some((percent, taken)) => {
                    back = Some((percent, taken + 1));
                    (p, n) = (percent + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '%')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_in_mysql() {
        assert!(matches("%", "") && matches("%", "orders") && matches("o%s", "ORDERS"));
        assert!(matches("user_", "users") && !matches("user_", "user"));
        assert!(matches(r"a\_b", "a_b") && !matches(r"a\_b", "axb"));
        assert!(matches("%a%b%", "xxaxxb") && !matches("%a%b", "xxaxxbx"));
        assert!(!matches("", "a"));
    }

    #[test]
    fn many_percents_take_no_time() {
        assert!(!matches(&"%a".repeat(500), &"b".repeat(5000)));
    }
}
