//! Templates against the plainest way to do the same: edit each statement's own text.

use proptest::prelude::*;
use serval_sql::{Edit, LexOptions, Replacement, Scan, Span, Template, scan, splice};

/// A part of a statement: what stands between holes, or two literals that make the same hole.
#[derive(Debug, Clone)]
struct Part {
    first: String,
    second: String,
}

fn text() -> impl Strategy<Value = Part> {
    let words = prop_oneof![
        "[a-z]{1,4}",
        "`[a-z ]{1,3}`",
        Just("SELECT".to_owned()),
        Just("=".to_owned()),
        Just(",".to_owned()),
        Just("/*! x 1 */".to_owned()),
        Just("/*+ y */".to_owned()),
        Just("@v".to_owned()),
        Just("ü".to_owned()),
        Just("IN".to_owned()),
        Just("(".to_owned()),
        Just(")".to_owned()),
        Just(".".to_owned()),
        Just("-".to_owned()),
    ];
    words.prop_map(|word| Part { first: word.clone(), second: word })
}

fn of_pair(pattern: &'static str) -> impl Strategy<Value = Part> {
    (pattern, pattern).prop_map(|(first, second)| Part { first, second })
}

fn literal() -> impl Strategy<Value = Part> {
    prop_oneof![
        of_pair("[0-9]{1,5}"),
        of_pair("[0-9]{1,3}\\.[0-9]{1,3}"),
        of_pair("[0-9]e[0-9]"),
        of_pair("'([a-z ü?;(]|''|\\\\'){0,6}'"),
        of_pair("\"([a-z']|\"\"){0,3}\""),
        of_pair("x'([0-9a-f][0-9a-f]){0,3}'"),
        of_pair("N'[a-z]{0,2}'"),
        of_pair("IN \\( ?[0-9]{1,2}(, ?[0-9]{1,2}){0,4} ?\\)"),
        of_pair("IN\\('[a-z]'(,'[a-z]'){0,3}\\)"),
        of_pair("(/\\*[a-z';]{0,5}\\*/|# [a-z';]{0,5}\n|-- [a-z]{0,2}\n)"),
        of_pair("\\?"),
    ]
}

fn statements() -> impl Strategy<Value = (String, String)> {
    let part = prop_oneof![text(), literal()];
    let space = prop_oneof![Just(" "), Just("  "), Just("\n")];
    prop::collection::vec((part, space), 0..14).prop_map(|parts| {
        let join = |of: fn(&Part) -> &String| {
            parts.iter().map(|(part, space)| format!("{}{space}", of(part))).collect::<String>()
        };
        (join(|part| &part.first), join(|part| &part.second))
    })
}

/// The same place in the other statement: as far behind the same hole.
fn mapped(byte: u32, from: &Scan, to: &Scan) -> u32 {
    let holes = from.holes.partition_point(|hole| hole.span.end <= byte);
    if let Some(hole) = from.holes.get(holes).filter(|hole| hole.span.start == byte) {
        assert!(byte == hole.span.start);
    }
    match holes.checked_sub(1) {
        Some(last) => to.holes[last].span.end + (byte - from.holes[last].span.end),
        None => byte,
    }
}

/// The borders of a statement where an edit may begin or end: all but those inside holes.
fn borders(sql: &str, scan: &Scan) -> Vec<u32> {
    let inside = |byte: u32| scan.holes.iter().any(|hole| hole.span.start < byte && byte < hole.span.end);
    (0..=scan.end).filter(|byte| sql.is_char_boundary(*byte as usize) && !inside(*byte)).collect()
}

fn render(template: &Template, sql: &str, scan: &Scan) -> String {
    let mut out = Vec::new();
    template.render(
        sql.as_bytes(),
        scan,
        &|slot, out| out.extend_from_slice(format!("<{slot}>").as_bytes()),
        &mut out,
    );
    String::from_utf8(out).expect("edits fall between characters")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_template_does_what_splicing_does(
        (first, second) in statements(),
        picks in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<bool>()), 0..4),
    ) {
        let options = LexOptions::default();
        let (Ok(a), Ok(b)) = (scan(first.as_bytes(), options), scan(second.as_bytes(), options)) else {
            return Ok(());
        };
        // Literals side by side may join in one statement and not in the other.
        prop_assume!(a.key == b.key);

        let verbatim = Template::build(first.as_bytes(), &a, &[]);
        prop_assert_eq!(render(&verbatim, &first, &a), &first[..a.end as usize]);
        prop_assert_eq!(render(&verbatim, &second, &b), &second[..b.end as usize]);

        let places = borders(&first, &a);
        let mut edits: Vec<(Span, Replacement)> = Vec::new();
        for (number, (from, to, slot)) in picks.into_iter().enumerate() {
            let (from, to) = (*from.get(&places), *to.get(&places));
            let span = Span::new(from.min(to), from.max(to));
            let overlaps = |other: &Span| span.start < other.end && other.start < span.end
                || (span.is_empty() && other.start < span.start && span.start < other.end)
                || span.start == other.start || span.end == other.end;
            if edits.iter().any(|(other, _)| overlaps(other)) {
                continue;
            }
            let number = number as u16;
            let replacement = if slot { Replacement::Slot(number) } else { Replacement::Text(format!("<{number}>")) };
            edits.push((span, replacement));
        }
        let template = Template::build(first.as_bytes(), &a, &edits);
        let plain = |sql: &str, to: &Scan| {
            let edits: Vec<Edit> = edits.iter().map(|(span, replacement)| {
                let at = Span::new(mapped(span.start, &a, to), mapped(span.end, &a, to));
                let text = match replacement {
                    Replacement::Slot(slot) => format!("<{slot}>"),
                    Replacement::Text(text) => text.clone(),
                };
                Edit { at, text }
            }).collect();
            String::from_utf8(splice(&sql.as_bytes()[..to.end as usize], &edits)).unwrap()
        };
        prop_assert_eq!(render(&template, &first, &a), plain(&first, &a));
        prop_assert_eq!(render(&template, &second, &b), plain(&second, &b));
    }

    #[test]
    fn scanning_never_panics(sql in "\\PC{0,40}", ansi in any::<bool>(), raw in any::<bool>()) {
        let options = LexOptions { ansi_quotes: ansi, no_backslash_escapes: raw, ..LexOptions::default() };
        let _ = serval_sql::parse(&sql, options);
        let _ = serval_sql::digest_text(sql.as_bytes(), options);
        if let Ok(scan) = scan(sql.as_bytes(), options) {
            for hole in &scan.holes {
                let _ = serval_sql::literal_value(sql.as_bytes(), hole.span, hole.kind, options);
            }
        }
    }

    #[test]
    fn bytes_never_panic(sql in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = scan(&sql, LexOptions::default());
        let _ = serval_sql::tokens(&sql, LexOptions::default());
    }

    #[test]
    fn statements_of_any_words_never_panic(words in prop::collection::vec(prop_oneof![
        Just("SELECT"), Just("FROM"), Just("t"), Just("("), Just(")"), Just(","), Just("1"), Just("'x'"), Just("SET"),
        Just("="), Just("CREATE TABLE t ("), Just("PRIMARY KEY"), Just("INT"), Just("SHOW"), Just("LIKE"), Just("IN"),
        Just("INSERT INTO t"), Just("VALUES"), Just("UPDATE"), Just("DELETE"), Just("WITH"), Just("AS"), Just("CASE"),
        Just("END"), Just("INTERVAL"), Just("DAY"), Just("JOIN"), Just("ON"), Just("WHERE"), Just("/*!"), Just("*/"),
        Just("@v"), Just(":="), Just("."), Just("ALTER TABLE t"), Just("REFERENCES"), Just("KEY"), Just("DEFAULT"),
        Just("EXPLAIN"), Just("INTO"), Just("CAST("), Just("TRIM("), Just("LEADING"), Just("CHARACTER SET"), Just("-"),
        Just("COLLATE"), Just("LOCK IN SHARE MODE"), Just("UNION"), Just("ORDER BY"), Just("LIMIT"), Just("?"),
    ], 0..14)) {
        let sql = words.join(" ");
        let _ = serval_sql::parse(&sql, LexOptions::default());
        let _ = serval_sql::create_table::parse(&sql, LexOptions::default());
        let _ = serval_sql::parse(&format!("SELECT {sql}"), LexOptions::default());
        let _ = serval_sql::create_table::parse(&format!("CREATE TABLE t (a {sql}"), LexOptions::default());
    }
}

#[test]
#[should_panic(expected = "cuts the hole")]
fn an_edit_may_not_cut_a_hole() {
    let sql = b"SELECT 'abc'";
    let scan = scan(sql, LexOptions::default()).unwrap();
    let _ = Template::build(sql, &scan, &[(Span::new(7, 9), Replacement::Slot(0))]);
}
