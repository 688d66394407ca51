//! Other literals of the same classes make the same key: otherwise a cached plan would be lost, or, where two texts
//! share a key that should not, be wrong.

use serval_sql::{HoleKind, LexOptions, Scan, Span, scan};

/// Fills every hole with another literal of its class and spelling, and expects the same key.
pub(crate) fn check(sql: &[u8], options: LexOptions, found: &Scan) {
    let (mut text, mut done) = (Vec::with_capacity(sql.len()), 0);
    for (number, hole) in found.holes.iter().enumerate() {
        text.extend_from_slice(&sql[done..hole.span.start as usize]);
        fill(sql, hole.span, hole.kind, found.list(number), &mut text);
        done = hole.span.end as usize;
    }
    text.extend_from_slice(&sql[done..found.end as usize]);
    let other = scan(&text, options);
    let other = other.unwrap_or_else(|error| panic!("{:?}: {error:?}", String::from_utf8_lossy(&text)));
    assert_eq!(
        String::from_utf8_lossy(&other.key),
        String::from_utf8_lossy(&found.key),
        "{:?} for {:?}",
        String::from_utf8_lossy(&text),
        String::from_utf8_lossy(sql)
    );
    assert_eq!(other.class, found.class);
}

fn fill(sql: &[u8], span: Span, kind: HoleKind, elements: &[Span], text: &mut Vec<u8>) {
    if let (HoleKind::List(class), Some(first)) = (kind, elements.first()) {
        // A list of one and a list of many are the same hole.
        fill(sql, *first, class.into(), &[], text);
        text.extend_from_slice(b" , ");
        return fill(sql, *first, class.into(), &[], text);
    }
    text.extend_from_slice(&literal(span.of(sql), kind));
}

/// Another literal that is spelled alike, so that what stands beside it reads as before.
fn literal(was: &[u8], kind: HoleKind) -> Vec<u8> {
    let first = was.first().copied().unwrap_or_default();
    match kind {
        HoleKind::Integer => b"42".to_vec(),
        HoleKind::Decimal => {
            let (before, behind) =
                (if first == b'.' { "" } else { "12" }, if was.ends_with(b".") { "" } else { "34" });
            format!("{before}.{behind}").into_bytes()
        }
        HoleKind::Float => {
            if first == b'.' {
                b".5e1".to_vec()
            } else {
                b"1.5e1".to_vec()
            }
        }
        HoleKind::Text => [&[first][..], b"other", &[first][..]].concat(),
        HoleKind::National => [&[first][..], b"'other'"].concat(),
        HoleKind::Hex | HoleKind::Bit => based(was),
        HoleKind::Parameter => b"?".to_vec(),
        HoleKind::Comment => b"/* other */".to_vec(),
        HoleKind::List(_) => was.to_vec(),
    }
}

/// `x'…'` stays quoted and `0x…` does not.
fn based(was: &[u8]) -> Vec<u8> {
    let mut out = was.get(..2).unwrap_or_default().to_vec();
    out.extend_from_slice(b"01");
    out.extend_from_slice(if was.ends_with(b"'") { b"'" } else { b"" });
    out
}
