//! The lexer's two readers: what the cache of plans takes for granted.
//!
//! The input's first byte is the sql_mode, the rest a statement.

use serval_sql::{
    Edit, HoleKind, LexOptions, Pairs, Replacement, Scan, Span, Template, TokenKind, digest_text,
    identifier_value, literal_value, scan, splice, tokens, unwrap_version_comment,
};
use serval_types::Value;

use crate::substitute;

pub(crate) fn check(input: &[u8]) {
    let Some((mode, sql)) = input.split_first() else { return };
    let options = options(*mode);
    let _ = digest_text(sql, options);
    let _ = unwrap_version_comment(sql, options);
    all_tokens(sql, options);
    let Ok(found) = scan(sql, options) else { return };
    rendered(sql, &found);
    values(sql, options, &found);
    // Two minus signs before a comment are none of it, and begin one at the end of a text. No statement ends so.
    if !sql[..found.end as usize].ends_with(b"--") {
        again(sql, options, &found);
        substitute::check(sql, options, &found);
    }
}

/// Every combination of the modes and character sets that change how a text is read.
pub(crate) fn options(mode: u8) -> LexOptions {
    LexOptions {
        ansi_quotes: mode & 1 != 0,
        no_backslash_escapes: mode & 2 != 0,
        pipes_as_concat: mode & 4 != 0,
        no_auto_value_on_zero: mode & 8 != 0,
        pairs: match mode >> 6 {
            0 => Pairs::None,
            1 => Pairs::Gbk,
            2 => Pairs::Big5,
            _ => Pairs::Sjis,
        },
    }
}

/// Tokens come in order, and between them is only white space.
fn all_tokens(sql: &[u8], options: LexOptions) {
    let Ok(tokens) = tokens(sql, options) else { return };
    let mut done = 0;
    for token in &tokens {
        assert!(token.span.start as usize >= done && token.span.start < token.span.end, "{tokens:?}");
        let gap = &sql[done..token.span.start as usize];
        assert!(gap.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0x0b), "{gap:02x?} is no token");
        done = token.span.end as usize;
        if token.kind == TokenKind::QuotedIdent {
            let _ = identifier_value(token.span.of(sql));
        }
    }
}

/// The key with its holes filled is the statement, and so is a template without edits.
fn rendered(sql: &[u8], found: &Scan) {
    let statement = &sql[..found.end as usize];
    let (mut text, mut key) = (Vec::new(), found.key.iter());
    let mut holes = found.holes.iter();
    while let Some(byte) = key.next() {
        if *byte == 0 {
            let hole = holes.next().expect("a hole for each NUL byte of the key");
            assert_eq!(key.next(), Some(&hole.kind.letter()));
            text.extend_from_slice(hole.span.of(sql));
        } else {
            text.push(*byte);
        }
    }
    assert!(holes.next().is_none(), "a NUL byte of the key for each hole");
    assert_eq!(text, statement);
    let template = Template::build(sql, found, &[]);
    let mut out = Vec::new();
    template.render(sql, found, &|_, _| {}, &mut out);
    assert_eq!(out, statement);
    inserted(sql, found);
}

/// An insertion behind each hole, by template and by splicing.
fn inserted(sql: &[u8], found: &Scan) {
    let places = found.holes.iter().map(|hole| Span::at(hole.span.end)).filter(|at| at.end <= found.end);
    let places: Vec<Span> = places.collect();
    let edits: Vec<_> = places.iter().map(|at| (*at, Replacement::Text(" /*x*/ ".to_owned()))).collect();
    let mut out = Vec::new();
    Template::build(sql, found, &edits).render(sql, found, &|_, _| {}, &mut out);
    let edits: Vec<_> = places.iter().map(|at| Edit { at: *at, text: " /*x*/ ".to_owned() }).collect();
    assert_eq!(out, splice(&sql[..found.end as usize], &edits));
}

/// What was cut off at the end was no part of the statement.
fn again(sql: &[u8], options: LexOptions, found: &Scan) {
    let alone = scan(&sql[..found.end as usize], options).expect("a statement scans without what follows it");
    assert_eq!((&alone.key, alone.class, alone.end), (&found.key, found.class, found.end));
    assert_eq!(alone.holes, found.holes);
    assert!(alone.next_statement.is_none() && found.next_statement.is_none_or(|next| next >= found.end));
}

/// Every hole has a value, and a text that is quoted again has the same one.
fn values(sql: &[u8], options: LexOptions, found: &Scan) {
    for (number, hole) in found.holes.iter().enumerate() {
        if let HoleKind::List(class) = hole.kind {
            let values =
                found.list(number).iter().map(|span| literal_value(sql, *span, class.into(), options));
            assert!(values.count() > 0, "an empty list is no hole");
            continue;
        }
        let value = literal_value(sql, hole.span, hole.kind, options);
        let (HoleKind::Text, Value::Text(text)) = (hole.kind, &value) else { continue };
        let quoted = quoted(text, options);
        let again = scan(&quoted, options).expect("a quoted text scans");
        let span = again.holes.first().expect("a text is a hole").span;
        assert_eq!(literal_value(&quoted, span, HoleKind::Text, options), value);
    }
}

/// Quoted as any driver does it that knows the character set.
fn quoted(text: &[u8], options: LexOptions) -> Vec<u8> {
    let mut out = vec![b'\''];
    let mut rest = text;
    while let Some((byte, behind)) = rest.split_first() {
        if options.pairs.leads(rest) {
            out.extend_from_slice(&rest[..2]);
            rest = &rest[2..];
            continue;
        }
        match byte {
            b'\'' => out.extend_from_slice(b"\'\'"),
            b'\\' if !options.no_backslash_escapes => out.extend_from_slice(b"\\\\"),
            byte => out.push(*byte),
        }
        rest = behind;
    }
    out.push(b'\'');
    out
}
