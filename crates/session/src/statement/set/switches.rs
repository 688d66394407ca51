//! Variables of many switches, of which a SET names some and leaves the others as they are.

/// Their names.
const VARIABLES: [&str; 3] = ["optimizer_switch", "optimizer_trace", "optimizer_trace_features"];

/// What a connection has to be told after `new` was SET behind `old`.
pub(super) fn merged(name: &str, old: Option<&str>, new: &str) -> String {
    let switches = |literal: &str| -> Option<Vec<String>> {
        let text = literal.strip_prefix('\'')?.strip_suffix('\'')?;
        Some(text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect())
    };
    let known = VARIABLES.contains(&name);
    let (Some(old), Some(new_ones)) = (old.filter(|_| known).and_then(switches), switches(new)) else {
        return new.to_owned();
    };
    if new_ones.iter().any(|part| part.eq_ignore_ascii_case("default")) {
        return new.to_owned();
    }
    let is_set_anew = |part: &String| new_ones.iter().any(|new| flag(new).eq_ignore_ascii_case(flag(part)));
    let kept = old.iter().filter(|part| !is_set_anew(part));
    let all: Vec<&str> = kept.chain(&new_ones).map(String::as_str).collect();
    format!("'{}'", all.join(","))
}

/// The name of a switch: what stands before `=`.
fn flag(part: &str) -> &str {
    part.split('=').next().unwrap_or(part).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn switch(old: Option<&str>, new: &str) -> String {
        merged("optimizer_switch", old, new)
    }

    #[test]
    fn parts_add_up() {
        assert_eq!(switch(None, "'a=off'"), "'a=off'");
        assert_eq!(switch(Some("'a=off,b=on'"), "'B=off'"), "'a=off,B=off'");
        assert_eq!(switch(Some("'default,a=off'"), "'c=default'"), "'default,a=off,c=default'");
        assert_eq!(switch(Some("'a=off'"), "'b=off, Default'"), "'b=off, Default'");
        assert_eq!(switch(Some("DEFAULT"), "'b=off'"), "'b=off'");
        assert_eq!(switch(Some("'a=off'"), "DEFAULT"), "DEFAULT");
        assert_eq!(merged("sql_mode", Some("'a'"), "'b'"), "'b'");
    }
}
