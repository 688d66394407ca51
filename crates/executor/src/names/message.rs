//! Names inside the text of a server's error.
//!
//! Servers write a table as `'shop_0.users'`, `` `shop_0`.`users` `` or alone, a database as `database 'shop_0'`, a
//! function as `shop_0.nosuch`, a table's file as `./shop_0/users`. The text is walked once; a name is replaced only as a whole word and where it can be
//! nothing else, because the same text quotes the client's own values.

use super::{Home, TableNames};

/// The text of error `number` with logical names.
pub(super) fn map(tables: &[TableNames<'_>], home: Option<Home<'_>>, number: u16, text: &str) -> String {
    let start = first_mappable(number, text);
    let mut out = text[..start].to_owned();
    let mut at = start;
    while let Some(next) = text[at..].chars().next() {
        let found = if begins_word(text, at) { replacement(tables, home, text, at) } else { None };
        match found {
            Some((length, logical)) => {
                out.push_str(&logical);
                at += length;
            }
            None => {
                out.push(next);
                at += next.len_utf8();
            }
        }
    }
    out
}

/// Where names can begin: behind the client's own value, where the error quotes one.
fn first_mappable(number: u16, text: &str) -> usize {
    let marker = match number {
        // Duplicate entry '…' for key '…'.
        1062 | 1586 => " for key ",
        // Out of range, truncated, incorrect and too long values.
        1264 | 1265 | 1292 | 1366 | 1406 | 1411 => " for column ",
        _ => return 0,
    };
    text.rfind(marker).map_or(text.len(), |at| at + marker.len())
}

/// The name at `at` and how many bytes it takes, if it is one to be replaced.
fn replacement(
    tables: &[TableNames<'_>],
    home: Option<Home<'_>>,
    text: &str,
    at: usize,
) -> Option<(usize, String)> {
    let homes = tables.iter().map(TableNames::home).chain(home);
    tables
        .iter()
        .find_map(|names| qualified(names, text, at))
        .or_else(|| homes.into_iter().find_map(|home| database(home, text, at)))
        .or_else(|| tables.iter().find_map(|names| table(names, text, at)))
}

/// `database.table`, ``database`.`table`` or `database/table`.
fn qualified(names: &TableNames<'_>, text: &str, at: usize) -> Option<(usize, String)> {
    let rest = text[at..].strip_prefix(names.database)?;
    ["`.`", ".", "/"].into_iter().find_map(|separator| {
        let rest = rest.strip_prefix(separator)?.strip_prefix(names.physical)?;
        let length = text.len() - at - rest.len();
        ends_word(rest).then(|| (length, format!("{}{separator}{}", names.schema, names.logical)))
    })
}

/// The database alone, before a name that the plan does not know, or where the text says that it is one.
fn database(home: Home<'_>, text: &str, at: usize) -> Option<(usize, String)> {
    let rest = text[at..].strip_prefix(home.database)?;
    let before = text[..at].to_ascii_lowercase();
    let says = |words: [&str; 2]| words.into_iter().any(|word| before.ends_with(word));
    let is_database = qualifies(rest)
        || (rest.starts_with('/') && before.ends_with("./"))
        || (rest.starts_with('\'') && says(["database '", "schema '"]))
        || (rest.starts_with('`') && says(["database `", "schema `"]));
    is_database.then(|| (home.database.len(), home.schema.to_owned()))
}

/// Whether what stands before `rest`, perhaps in quotes that `rest` begins with, qualifies a name.
fn qualifies(rest: &str) -> bool {
    let behind = rest.strip_prefix(['`', '"', '\'']).unwrap_or(rest);
    let begins_name = |c: char| is_word(c) || matches!(c, '`' | '"' | '\'' | '*');
    behind.strip_prefix('.').is_some_and(|name| name.starts_with(begins_name))
}

/// The table alone, where a rule gave it a name of its own.
fn table(names: &TableNames<'_>, text: &str, at: usize) -> Option<(usize, String)> {
    let rest = text[at..].strip_prefix(names.physical)?;
    let found = names.physical != names.logical && (ends_word(rest) || begins_constraint(rest));
    found.then(|| (names.physical.len(), names.logical.to_owned()))
}

/// Whether a table's name goes on as servers name its constraints: `events_202611_ibfk_1`.
fn begins_constraint(rest: &str) -> bool {
    ["_ibfk_", "_chk_", "_fk_"].iter().any(|infix| {
        rest.strip_prefix(infix).is_some_and(|rest| {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            digits > 0 && ends_word(&rest[digits..])
        })
    })
}

fn begins_word(text: &str, at: usize) -> bool {
    text[..at].chars().next_back().is_none_or(|before| !is_word(before))
}

fn ends_word(rest: &str) -> bool {
    rest.chars().next().is_none_or(|after| !is_word(after))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}
