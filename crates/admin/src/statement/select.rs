//! The SELECTs that clients send at connect.

use serval_session::Answer;

/// One row with what is known of each item; NULL for the rest.
pub(super) fn run(sql: &str, server_version: &str, user: &str) -> Answer {
    let items = items(sql);
    let mut answer = Answer::of_text(&items.iter().map(|item| name(item)).collect::<Vec<_>>());
    answer
        .rows
        .push(items.iter().map(|item| value(item, server_version, user).map(String::into_bytes)).collect());
    answer
}

/// The select list, cut at its commas. No item of these statements has one inside.
fn items(sql: &str) -> Vec<&str> {
    let list = sql.trim().trim_end_matches(';').get("select ".len()..).unwrap_or_default();
    let lower = list.to_ascii_lowercase();
    let end = [" limit ", " from "].iter().filter_map(|word| lower.find(word)).min().unwrap_or(list.len());
    list[..end].split(',').map(str::trim).collect()
}

/// The column's name: the alias, or the item itself.
fn name(item: &str) -> &str {
    let alias = item.to_ascii_lowercase().find(" as ").map(|at| item[at + 4..].trim());
    alias.unwrap_or(item)
}

fn value(item: &str, server_version: &str, user: &str) -> Option<String> {
    let lower = item.to_ascii_lowercase();
    let expression = lower.split(" as ").next().unwrap_or_default().trim();
    let expression = expression.replace("@@session.", "@@");
    Some(match &*expression {
        "@@version_comment" => "Serval admin console".to_owned(),
        "@@version" | "version()" => server_version.to_owned(),
        "user()" | "current_user()" => format!("{user}@%"),
        "@@max_allowed_packet" => (64 * 1024).to_string(),
        "@@autocommit" => "1".to_owned(),
        "@@sql_mode" | "@@init_connect" => String::new(),
        number if number.parse::<i64>().is_ok() => number.to_owned(),
        _ => return None,
    })
}
