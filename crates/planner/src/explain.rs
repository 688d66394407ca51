//! The text of a bound plan: what EXPLAIN FORMAT=SERVAL and `serval explain` print.

use std::fmt::Write as _;

use serval_catalog::Catalog;

use crate::bound::Bound;
use crate::primitive::{
    Aggregate, ColumnRef, Combine, Condition, Gather, Limit, MergeSort, Padding, Primitive, Route, Sort,
    SortKey, Spread, Tally, Target,
};

/// The plan tree, one line an element, then why it looks so.
///
/// ```text
/// Limit offset 0 count 10
/// └─ MergeSort by column 1
///    └─ Route to 2 targets, primary
///       ├─ dn0: SELECT id FROM users ORDER BY id LIMIT 10
///       └─ dn1: SELECT id FROM users ORDER BY id LIMIT 10
/// because push_sort: each node sorts its rows, …
/// ```
#[must_use]
pub fn explain(bound: &Bound, catalog: &Catalog) -> Vec<String> {
    explain_with(bound, catalog, &|_| None)
}

/// A part of a plan, of which something is known besides what the plan says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Part {
    /// In the tree that reads this source of a gathered statement; `None` for the statement's own tree.
    pub source: Option<usize>,
    /// What of it.
    pub what: What,
}

/// What of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    /// The primitive that stands so many above the route, which is 0.
    Primitive(usize),
    /// One of the route's targets.
    Target(usize),
    /// The whole source.
    Source,
    /// The statement on the scratch server.
    Statement,
}

/// [`explain`], with what is known of some parts in parentheses behind them.
#[must_use]
pub fn explain_with(bound: &Bound, catalog: &Catalog, known: &dyn Fn(Part) -> Option<String>) -> Vec<String> {
    let mut printer = Printer { catalog, known, source: None, lines: Vec::new() };
    printer.primitive(&bound.root, "", "");
    let because = bound.notes.iter().map(|note| format!("because {}: {}", note.rewrite, note.reason));
    printer.lines.into_iter().chain(because).collect()
}

struct Printer<'a> {
    catalog: &'a Catalog,
    known: &'a dyn Fn(Part) -> Option<String>,
    /// The source whose tree is being printed.
    source: Option<usize>,
    lines: Vec<String>,
}

/// How many primitives stand between this one and its route.
fn height(primitive: &Primitive) -> usize {
    // A merge has its route in it.
    let merges = matches!(primitive.bottom(), Primitive::MergeSort(_));
    primitive.chain().skip(1).count() + usize::from(merges)
}

impl Printer<'_> {
    /// Prints a primitive: `head` before its own line, `rest` before those under it.
    fn primitive(&mut self, primitive: &Primitive, head: &str, rest: &str) {
        let known = self.known(What::Primitive(height(primitive)));
        match primitive {
            Primitive::Route(route) => self.route(route, head, rest),
            Primitive::Spread(spread) => self.spread(spread, head, rest),
            Primitive::Returning(returning) => {
                let order = if returning.spread.rows.is_empty() { "" } else { ", in the order of VALUES" };
                self.line(head, &format!("Returning{order}"));
                self.spread(&returning.spread, &format!("{rest}└─ "), &format!("{rest}   "));
            }
            Primitive::Gather(gather) => self.gather(gather, head, rest),
            Primitive::Held(held) => {
                self.line(head, &format!("Held {} rows of an engine{known}", held.rows.len()))
            }
            Primitive::MergeSort(MergeSort { input, keys }) => {
                self.lines.push(format!("{head}MergeSort by {}{known}", keys_text(keys)));
                self.route(input, &format!("{rest}└─ "), &format!("{rest}   "));
            }
            Primitive::Aggregate(aggregate) => {
                self.line(head, &(aggregate_text(aggregate) + &known));
                self.under(&aggregate.input, rest);
            }
            Primitive::Rollup(rollup) => {
                let always = if rollup.totals_nothing { ", with a total of nothing too" } else { "" };
                self.line(head, &format!("Rollup by {}{always}{known}", keys_text(&rollup.keys)));
                self.under(&rollup.input, rest);
            }
            Primitive::Filter(filter) => {
                self.line(head, &format!("Filter: {}{known}", condition_text(&filter.condition)));
                self.under(&filter.input, rest);
            }
            Primitive::Sort(Sort { input, keys, keep }) => {
                let keep = keep.map_or_else(String::new, |keep| format!(", keeping {keep} rows"));
                self.line(head, &format!("Sort in memory by {}{keep}{known}", keys_text(keys)));
                self.under(input, rest);
            }
            Primitive::Limit(Limit { input, offset, count, counts_all }) => {
                let all = if *counts_all { " counting all" } else { "" };
                self.line(head, &format!("Limit offset {offset} count {count}{all}{known}"));
                self.under(input, rest);
            }
            Primitive::Cut(cut) => {
                self.line(
                    head,
                    &format!("Cut {} hidden {}{known}", cut.hidden, plural(cut.hidden, "column")),
                );
                self.under(&cut.input, rest);
            }
        }
    }

    fn under(&mut self, input: &Primitive, rest: &str) {
        self.primitive(input, &format!("{rest}└─ "), &format!("{rest}   "));
    }

    fn route(&mut self, route: &Route, head: &str, rest: &str) {
        let count = route.targets.len();
        let access = if route.replica_safe { "a read" } else { "on the primary" };
        let known = self.known(What::Primitive(0));
        self.line(head, &format!("Route to {count} {}, {access}{known}", plural(count, "target")));
        self.targets(&route.targets, rest);
    }

    fn spread(&mut self, spread: &Spread, head: &str, rest: &str) {
        let how = match spread.tally {
            Tally::Sum => "each has rows of its own",
            Tally::First => "each has a copy",
            Tally::Definition => "each gets the definition",
        };
        let count = spread.targets.len();
        self.line(head, &format!("Spread over {count} {}: {how}", plural(count, "target")));
        self.targets(&spread.targets, rest);
    }

    fn gather(&mut self, gather: &Gather, head: &str, rest: &str) {
        let count = gather.sources.len();
        self.line(head, &format!("Gather {count} {} on the scratch server", plural(count, "table")));
        for (index, source) in gather.sources.iter().enumerate() {
            self.source = Some(index);
            let known = self.known(What::Source);
            if let Some(other) = source.copy_of.and_then(|at| gather.sources.get(at)) {
                self.line(rest, &format!("├─ {}: a copy of {}{known}", source.name, other.name));
                continue;
            }
            let mut filters = match (source.filters, source.first) {
                (0, None) => "all rows".to_owned(),
                (0, Some(_)) => String::new(),
                (filters, _) => format!("{filters} {} applied by the nodes", plural(filters, "predicate")),
            };
            if let Some(first) = source.first {
                let comma = if filters.is_empty() { "" } else { ", " };
                let _ = write!(filters, "{comma}the first {first} rows");
            }
            let of = match &source.result {
                Some(result) => format!(" of the result of {}", result.shown),
                None => String::new(),
            };
            let mut from: Vec<&str> = source
                .reductions
                .iter()
                .filter_map(|reduction| Some(&*gather.sources.get(reduction.from)?.name))
                .collect();
            from.dedup();
            let by_keys = match &*from {
                [] => String::new(),
                names => format!(", by the keys of {} where these are few", names.join(" and ")),
            };
            let name = &source.name;
            let columns = source.columns.len();
            self.line(
                rest,
                &format!("├─ {name}: {columns} {}{of}, {filters}{by_keys}{known}", plural(columns, "column")),
            );
            let (head, rest) = (format!("{rest}│  └─ "), format!("{rest}│     "));
            self.primitive(&source.rows, &head, &rest);
        }
        self.source = None;
        let known = self.known(What::Statement);
        self.target(&gather.statement, "└─", rest, &known);
    }

    fn targets(&mut self, targets: &[Target], rest: &str) {
        for (index, target) in targets.iter().enumerate() {
            let branch = if index + 1 == targets.len() { "└─" } else { "├─" };
            let known = self.known(What::Target(index));
            self.target(target, branch, rest, &known);
        }
    }

    fn target(&mut self, target: &Target, branch: &str, rest: &str, known: &str) {
        let node = &self.catalog.node(target.node).name;
        let sql = String::from_utf8_lossy(&target.sql);
        let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        self.lines.push(format!("{rest}{branch} {node}{known}: {sql}"));
    }

    /// What is known of a part besides the plan.
    fn known(&self, what: What) -> String {
        let text = (self.known)(Part { source: self.source, what });
        text.map_or_else(String::new, |text| format!(" ({text})"))
    }

    fn line(&mut self, head: &str, text: &str) {
        self.lines.push(format!("{head}{text}"));
    }
}

fn aggregate_text(aggregate: &Aggregate) -> String {
    let mut text = "Aggregate".to_owned();
    if !aggregate.keys.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(text, " by {}", keys_text(&aggregate.keys));
    }
    let columns: Vec<String> = aggregate.columns.iter().map(combine_text).collect();
    let _ = write!(text, ": {}", columns.join(", "));
    text
}

fn combine_text(combine: &Combine) -> String {
    match combine {
        Combine::First => "first".to_owned(),
        Combine::Sum => "sum".to_owned(),
        Combine::Min { weight } => format!("min{}", weight_text(*weight)),
        Combine::Max { weight } => format!("max{}", weight_text(*weight)),
        Combine::Average { sum, count } => format!("{} / {}", column_text(*sum), column_text(*count)),
    }
}

fn condition_text(condition: &Condition) -> String {
    let joined = |all: &[Condition], by: &str| {
        format!("({})", all.iter().map(condition_text).collect::<Vec<_>>().join(by))
    };
    match condition {
        Condition::All(all) => joined(all, " and "),
        Condition::Any(all) => joined(all, " or "),
        Condition::Not(inner) => format!("not {}", condition_text(inner)),
        Condition::Compare { column, comparison, number } => {
            format!("{} {} {number}", column_text(*column), comparison.symbol())
        }
        Condition::IsNull(column) => format!("{} is NULL", column_text(*column)),
    }
}

fn weight_text(weight: Option<ColumnRef>) -> String {
    weight.map_or_else(String::new, |weight| format!(" by {}", column_text(weight)))
}

fn keys_text(keys: &[SortKey]) -> String {
    keys.iter().map(key_text).collect::<Vec<_>>().join(", ")
}

fn key_text(key: &SortKey) -> String {
    let mut text = column_text(key.value);
    if let Some(weight) = key.weight {
        let _ = write!(text, " (weight in {}", column_text(weight));
        text.push_str(if key.padding == Padding::None { ")" } else { ", padded)" });
    }
    if key.descending {
        text.push_str(" DESC");
    }
    text
}

fn column_text(column: ColumnRef) -> String {
    match column {
        ColumnRef::Visible(index) => format!("column {}", index + 1),
        ColumnRef::Hidden(index) => format!("hidden {}", index + 1),
    }
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { noun.to_owned() } else { format!("{noun}s") }
}
