//! What a replay has counted and found.

use std::collections::BTreeMap;
use std::fmt;

use super::outline::Class;

/// A statement's fate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Both sides answered the same.
    Equal,
    /// Both sides answered the same error.
    SameError,
    /// The proxy said that it cannot; its error, and whether the one server can.
    Refused(String),
    /// The proxy could not read what the one server can; its error.
    Unread(String),
    /// The answers differ in what one server itself leaves open.
    Undetermined(&'static str),
    /// Not replayed.
    Left(&'static str),
    /// The answers differ in a way that `known.txt` explains.
    Known,
    /// The answers differ.
    Different(String),
}

/// Counts and findings of one file, or of all.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: BTreeMap<(Class, &'static str), usize>,
    refusals: BTreeMap<(Class, String), (usize, String)>,
    left: BTreeMap<String, usize>,
    pub(super) warnings: usize,
    pub(super) texts: usize,
    /// Differences that nothing explains: place, statement, answers.
    pub(super) different: Vec<String>,
    pub(super) unread: Vec<String>,
}

impl Tally {
    pub(super) fn count(&mut self, class: Class, place: &str, sql: &str, fate: Fate) {
        let name = match fate {
            Fate::Equal => "equal",
            Fate::SameError => "same error",
            Fate::Refused(ref reason) => {
                let example = format!("{place}: {}", short(sql));
                self.refusals.entry((class, general(reason))).or_insert((0, example)).0 += 1;
                "refused"
            }
            Fate::Unread(error) => {
                self.unread.push(format!("{place}: {sql}\n  {error}"));
                "unread"
            }
            Fate::Undetermined(_) => "undetermined",
            Fate::Left(why) => {
                self.leave(why);
                return;
            }
            Fate::Known => "known",
            Fate::Different(answers) => {
                self.different.push(format!("{place}: {sql}\n{answers}"));
                "different"
            }
        };
        *self.counts.entry((class, name)).or_default() += 1;
    }

    /// Counts what was not replayed.
    pub(super) fn leave(&mut self, why: &str) {
        *self.left.entry(why.to_owned()).or_default() += 1;
    }

    /// Adds another one's counts and findings.
    pub(super) fn add(&mut self, other: Tally) {
        for (key, count) in other.counts {
            *self.counts.entry(key).or_default() += count;
        }
        for (key, (count, example)) in other.refusals {
            self.refusals.entry(key).or_insert((0, example)).0 += count;
        }
        for (why, count) in other.left {
            *self.left.entry(why).or_default() += count;
        }
        self.warnings += other.warnings;
        self.texts += other.texts;
        self.different.extend(other.different);
        self.unread.extend(other.unread);
    }

    /// How many statements had this fate.
    pub(super) fn with(&self, fate: &str) -> usize {
        self.counts.iter().filter(|((_, name), _)| *name == fate).map(|(_, count)| count).sum()
    }

    /// One line for one file.
    pub(super) fn line(&self) -> String {
        let names = ["equal", "same error", "refused", "unread", "undetermined", "known", "different"];
        let counts: Vec<String> = names.iter().map(|name| format!("{name} {}", self.with(name))).collect();
        let left: usize = self.left.values().sum();
        format!(
            "{}, left {left}, warnings differ {}, texts differ {}",
            counts.join(", "),
            self.warnings,
            self.texts
        )
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((class, name), count) in &self.counts {
            writeln!(f, "{class:?} {name}: {count}")?;
        }
        let mut refusals: Vec<_> = self.refusals.iter().collect();
        refusals.sort_by_key(|((class, _), (count, _))| (*class, std::cmp::Reverse(*count)));
        for ((class, reason), (count, example)) in refusals {
            writeln!(f, "{class:?} refused {count}: {reason}\n    {example}")?;
        }
        for (why, count) in &self.left {
            writeln!(f, "left {count}: {why}")?;
        }
        writeln!(f, "warnings differ {}, texts of errors differ {}", self.warnings, self.texts)
    }
}

/// A reason without the names in it, so that equal reasons are counted together.
fn general(reason: &str) -> String {
    let mut text = String::new();
    for (at, part) in reason.split('`').enumerate() {
        text.push_str(if at % 2 == 0 { part } else { "`…`" });
    }
    text.chars().take(220).collect()
}

fn short(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect()
}
