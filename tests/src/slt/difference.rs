//! What is compared.

use crate::answer::Answer;
use crate::slt::script::{Expect, Options, Record};

/// `ER_NOT_SUPPORTED_YET`, with which the proxy refuses.
const NOT_SUPPORTED: u16 = 1235;

/// What is wrong with the proxy's answer, or with the file's expectation of the oracle's; `None` when all is well.
pub(crate) fn find(record: &Record, proxy: &Answer, oracle: &Answer) -> Option<String> {
    if let Some(complaint) = unexpected(record.expect, oracle) {
        return Some(format!("the oracle does not do what the file says: {complaint}"));
    }
    match record.expect {
        Expect::Refused if proxy.error_number() == NOT_SUPPORTED => None,
        Expect::Refused => Some(format!("the proxy does not refuse it: {}", shown(proxy))),
        expect => compare(expect, record.options, proxy, oracle),
    }
}

/// Whether one side alone does what the file says.
pub(crate) fn unexpected(expect: Expect, answer: &Answer) -> Option<String> {
    let fits = match (expect, answer) {
        (Expect::Ok, Answer::Done { .. }) | (Expect::Rows { .. }, Answer::Rows { .. }) => true,
        (Expect::Error(expected), Answer::Refused { number, .. }) => expected == *number,
        (Expect::Refused, Answer::Done { .. } | Answer::Rows { .. }) => true,
        _ => false,
    };
    (!fits).then(|| format!("expected {expect:?}, got {}", shown(answer)))
}

fn compare(expect: Expect, options: Options, proxy: &Answer, oracle: &Answer) -> Option<String> {
    let sort = expect == Expect::Rows { sort: true };
    let (left, right) = (masked(proxy, options, sort), masked(oracle, options, sort));
    if left == right {
        return None;
    }
    if let (Answer::Rows { columns: ours, rows, .. }, Answer::Rows { columns: theirs, rows: their_rows, .. }) =
        (&left, &right)
        && rows == their_rows
        && let Some((ours, theirs)) = ours.iter().zip(theirs).find(|(ours, theirs)| ours != theirs)
    {
        return Some(format!("column definitions differ:\n  proxy:  {ours}\n  oracle: {theirs}"));
    }
    Some(format!("  proxy:  {}\n  oracle: {}", shown(&left), shown(&right)))
}

/// The answer without what the file declares to be incomparable.
fn masked(answer: &Answer, options: Options, sort: bool) -> Answer {
    let mut answer = answer.clone();
    match &mut answer {
        Answer::Done { insert_id, warnings, info, .. } => {
            *insert_id = if options.any_id { 0 } else { *insert_id };
            *warnings = if options.any_warnings { 0 } else { *warnings };
            if options.any_info {
                info.clear();
            }
        }
        Answer::Rows { columns, rows, warnings } => {
            *warnings = if options.any_warnings { 0 } else { *warnings };
            if options.any_meta {
                columns.clear();
            }
            if sort {
                rows.sort();
            }
        }
        Answer::Refused { message, .. } if options.any_text => message.clear(),
        Answer::Refused { .. } | Answer::Broken(_) => {}
    }
    answer
}

/// An answer in a few lines.
fn shown(answer: &Answer) -> String {
    const MANY: usize = 12;
    match answer {
        Answer::Rows { columns, rows, warnings } => {
            let mut text = format!("{} columns, {} rows, {warnings} warnings", columns.len(), rows.len());
            for row in rows.iter().take(MANY) {
                text.push_str("\n    ");
                text.push_str(&row.join(" | "));
            }
            text
        }
        other => format!("{other:?}"),
    }
}
