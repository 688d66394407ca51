//! A config's text for the console, without what must not be read there.

/// The text with plain passwords and verifiers replaced by `"…"`. Line by line, because a text that is not in effect
/// need not be TOML at all.
pub fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        shown.push_str(&mask_line(line));
    }
    shown
}

fn mask_line(line: &str) -> String {
    let mut rest = line;
    let mut shown = String::new();
    while let Some((before, value)) = next_secret(rest) {
        shown.push_str(before);
        let end = end_of_value(value);
        shown.push_str("\"…\"");
        rest = &value[end..];
    }
    shown + rest
}

/// Cuts a line where the next secret's value begins; a table, `{ env = … }`, only says where the secret is.
fn next_secret(line: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    while let Some(found) = line[from..].find('=') {
        let at = from + found;
        let key = line[..at].trim_end().trim_end_matches(['"', '\'']);
        let value_at = at + 1 + (line[at + 1..].len() - line[at + 1..].trim_start().len());
        let is_secret = key.ends_with("password") || key.ends_with("verifier");
        if is_secret && line[value_at..].starts_with(['"', '\'']) {
            return Some((&line[..value_at], &line[value_at..]));
        }
        from = at + 1;
    }
    None
}

/// Behind the string that `text` begins with; the whole text where it does not end here.
fn end_of_value(text: &str) -> usize {
    let quote = text.as_bytes()[0];
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quote == b'"' => escaped = true,
            _ if byte == quote => return at + 1,
            _ => {}
        }
    }
    text.trim_end_matches('\n').len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let text = "[users.app]\npassword = \"a\\\"b\" # mine\nuser = \"app\"\nverifier='*AB'\n\
                    [defaults]\ngroup = { user = \"s\", password = \"x\", tls = \"off\" }\npassword = { env = \"P\" }\n\
                    \"password\" = \"hush\"\npassword = \"cut";
        let shown = "[users.app]\npassword = \"…\" # mine\nuser = \"app\"\nverifier=\"…\"\n\
                     [defaults]\ngroup = { user = \"s\", password = \"…\", tls = \"off\" }\npassword = { env = \"P\" }\n\
                     \"password\" = \"…\"\npassword = \"…\"";
        assert_eq!(masked(text), shown);
    }
}
