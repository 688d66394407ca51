//! Warnings of a definition that several nodes were told: one server would say of the statement once what each of them says of it.

use serval_catalog::Placement;
use serval_planner::Bound;
use serval_remote::Backend;
use serval_wire::packet::OkPacket;

use crate::answer::{Answer, Row};
use crate::session::{Session, targets};

/// What a warning about a row has in it. Every node has its own rows.
const OF_ROW: &str = " at row ";

/// Fetches the warnings, leaves what is said again out of them, and gives the answer with their number.
pub(super) async fn told_once<B: Backend>(session: &mut Session<B>, bound: &Bound, ok: OkPacket) -> OkPacket {
    if ok.warnings == 0 {
        return ok;
    }
    session.fetch_warnings().await;
    let Some(messages) = &mut session.last.messages else { return ok };
    let copies = bound.tables.iter().all(|table| matches!(table.table.placement, Placement::Global(_)));
    let warnings = if copies {
        // They are those of one copy already.
        messages.rows.truncate(ok.warnings.into());
        ok.warnings
    } else if let Some(each) = said_alike(&messages.rows, ok.warnings, targets(&bound.root).len()) {
        messages.rows.truncate(each.into());
        each
    } else {
        ok.warnings.saturating_sub(leave_out_repeated(messages))
    };
    session.last.warnings = warnings;
    OkPacket { warnings, info: with_number(ok.info, warnings), ..ok }
}

/// How many warnings each target gave, where all have said the same of the statement and nothing of rows.
fn said_alike(rows: &[Row], warnings: u16, targets: usize) -> Option<u16> {
    let targets =
        u16::try_from(targets).ok().filter(|targets| *targets > 0 && warnings.is_multiple_of(*targets))?;
    let each = warnings / targets;
    if rows.is_empty() {
        // `max_error_count = 0`: they are counted and not kept.
        return Some(each);
    }
    let (first, of_rows) = (rows.get(..each.into())?, rows.iter().any(is_of_row));
    // Of targets on one connection only the last one's are kept.
    let alike = rows.len().is_multiple_of(first.len()) && rows.chunks(first.len()).all(|said| said == first);
    (!of_rows && alike).then_some(each)
}

fn is_of_row(row: &Row) -> bool {
    let message = row.get(2).and_then(Option::as_deref).unwrap_or_default();
    memchr::memmem::find(message, OF_ROW.as_bytes()).is_some()
}

/// ER_BAD_TABLE_ERROR, which MariaDB gives once for all tables of a DROP that are not there, and each node for its own.
fn lists_tables(row: &Row) -> bool {
    row.get(1).and_then(Option::as_deref) == Some(b"1051")
}

/// `Unknown table 'shop.a,shop.b'`.
fn lists_several(row: &Row) -> bool {
    row.get(2).and_then(Option::as_deref).is_some_and(|message| message.contains(&b','))
}

fn length(row: &Row) -> usize {
    row.get(2).and_then(Option::as_deref).map_or(0, <[u8]>::len)
}

/// How many were said before.
fn leave_out_repeated(messages: &mut Answer) -> u16 {
    let before = messages.rows.len();
    let mut said: Vec<Row> = Vec::new();
    let longest = messages
        .rows
        .iter()
        .filter(|row| lists_tables(row) && lists_several(row))
        .max_by_key(|row| length(row));
    let longest = longest.cloned();
    messages.rows.retain(|row| {
        if longest.as_ref().is_some_and(|longest| lists_tables(row) && row != longest) {
            return false;
        }
        let of_row = is_of_row(row);
        let is_new = of_row || !said.contains(row);
        if is_new && !of_row {
            said.push(row.clone());
        }
        is_new
    });
    u16::try_from(before - messages.rows.len()).unwrap_or(u16::MAX)
}

/// `Records: 3  Duplicates: 0  Warnings: 4` with another number at its end.
fn with_number(info: Vec<u8>, warnings: u16) -> Vec<u8> {
    const BEFORE: &[u8] = b"Warnings: ";
    match memchr::memmem::rfind(&info, BEFORE) {
        Some(at) => [&info[..at + BEFORE.len()], warnings.to_string().as_bytes()].concat(),
        None => info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_rows_is_said_of_others_each_time() {
        let mut messages = Answer::of_text(&["Level", "Code", "Message"]);
        for message in ["Out of range value for column 'v' at row 1", "Table 't' already exists"] {
            messages.push(["Warning", "1", message]);
            messages.push(["Warning", "1", message]);
        }
        assert_eq!(leave_out_repeated(&mut messages), 1);
        assert_eq!(messages.rows.len(), 3);
    }

    #[test]
    fn the_text_says_their_number() {
        let info = with_number(b"Records: 3  Duplicates: 0  Warnings: 14".to_vec(), 7);
        assert_eq!(info, b"Records: 3  Duplicates: 0  Warnings: 7");
        assert_eq!(with_number(Vec::new(), 7), b"");
    }
}
