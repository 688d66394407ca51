//! A draft as TOML.

use std::fmt::Write as _;

use serval_catalog::Verifier;

use super::{Draft, Group, User, list};

/// A TOML text.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// A TOML key, quoted where it must be.
pub(super) fn key(text: &str) -> String {
    let bare = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if bare { text.to_owned() } else { quoted(text) }
}

pub(super) fn of(draft: &Draft) -> String {
    let mut out = String::new();
    notes(&mut out, &draft.notes);
    if !draft.refused.is_empty() {
        out += "#\n# Refused, and missing below:\n";
        for refusal in &draft.refused {
            notes(&mut out, &[refusal.to_string()]);
        }
    }
    if let Some(listen) = &draft.listen {
        out += &format!("\n[listen]\nmysql = {}\n", quoted(listen));
    }
    for (name, user) in &draft.users {
        out += &user_text(name, user);
    }
    for (name, group) in &draft.groups {
        out += &group_text(name, group);
    }
    out += "\n[nodes]\n";
    for (name, node) in &draft.nodes {
        let (group, database) = (quoted(&node.group), quoted(&node.database));
        out += &format!("{} = {{ group = {group}, database = {database} }}\n", key(name));
    }
    for (name, rule) in &draft.rules {
        out.push('\n');
        notes(&mut out, &rule.notes);
        out += &format!("[rules.{}]\n{}\n", key(name), rule.lines.join("\n"));
    }
    for (name, schema) in &draft.schemas {
        out.push('\n');
        notes(&mut out, &schema.notes);
        out += &format!("[schemas.{}]\n", key(name));
        match &schema.default_node {
            Some(node) if schema.incomplete => notes(
                &mut out,
                &[format!(
                    "default_node = {} is left out: the refused tables would be looked for there. Put it back when they are \
                     named below, or gone.",
                    quoted(node)
                )],
            ),
            Some(node) => out += &format!("default_node = {}\n", quoted(node)),
            None => {}
        }
        if schema.any_server_reads {
            out += "consistency = \"any\"\n";
        }
        out += &format!("\n[schemas.{}.tables]\n", key(name));
        for (name, table) in &schema.tables {
            notes(&mut out, &table.notes);
            out += &format!("{} = {}\n", key(name), table.value);
        }
    }
    out
}

/// Comments, each in lines of at most 118 characters.
fn notes(out: &mut String, notes: &[String]) {
    for note in notes {
        let mut line = String::from("#");
        // A line break in a name must not end the comment.
        for word in note.split_whitespace() {
            if line.len() + word.len() > 117 {
                *out += &line;
                out.push('\n');
                line = String::from("#  ");
            }
            line.push(' ');
            line += word;
        }
        *out += &line;
        out.push('\n');
    }
}

fn user_text(name: &str, user: &User) -> String {
    let mut out = format!("\n[users.{}]\n", key(name));
    match &user.password {
        Some(password) => {
            out += &format!("verifier = {}\n", quoted(&Verifier::of_password(password).to_text()));
        }
        None => out += &format!("password = {{ env = {} }}\n", quoted(&variable("SERVAL_USER", name))),
    }
    out += &format!("schemas = {}\n", list(&user.schemas));
    if let Some(schema) = &user.default_schema {
        out += &format!("default_schema = {}\n", quoted(schema));
    }
    out
}

fn group_text(name: &str, group: &Group) -> String {
    let mut out = String::from("\n");
    notes(&mut out, &group.notes);
    out += &format!("[groups.{}]\nprimary = {}\n", key(name), quoted(&group.primary));
    if !group.replicas.is_empty() {
        let replica = |(address, weight): &(String, u32)| match weight {
            1 => quoted(address),
            weight => format!("{{ address = {}, weight = {weight} }}", quoted(address)),
        };
        let replicas: Vec<String> = group.replicas.iter().map(replica).collect();
        out += &format!("replicas = [{}]\n", replicas.join(", "));
    }
    let variable = variable("SERVAL_GROUP", name);
    out += &format!("user = {}\npassword = {{ env = {} }}\n", quoted(&group.user), quoted(&variable));
    if let Some(connections) = group.max_connections {
        out += &format!("max_connections = {connections}\n");
    }
    out
}

/// The environment variable for a password.
fn variable(prefix: &str, name: &str) -> String {
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("{prefix}_{name}_PASSWORD")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        assert_eq!(quoted("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000A\"");
        assert_eq!(
            (key("dn1").as_str(), key("dn.1").as_str(), key("").as_str()),
            ("dn1", "\"dn.1\"", "\"\"")
        );
        assert_eq!(variable("SERVAL_GROUP", "local-1"), "SERVAL_GROUP_LOCAL_1_PASSWORD");
    }
}
