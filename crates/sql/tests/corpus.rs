//! How many statements of a corpus parse.
//!
//! The corpus is not part of the tree: `SERVAL_CORPUS` names a file of statements, separated by NUL bytes, that a server
//! accepts; the test prints how many of each kind parse, and writes the others, each with its error, to
//! `SERVAL_CORPUS.failed`.

use std::collections::BTreeMap;
use std::path::Path;

use serval_sql::{LexOptions, Problem, parse, scan};

#[derive(Default)]
struct Count {
    all: usize,
    parsed: usize,
    refused: usize,
}

#[test]
#[ignore = "needs a file of statements in SERVAL_CORPUS"]
fn statements_of_a_corpus_parse() {
    let path = std::env::var("SERVAL_CORPUS").expect("SERVAL_CORPUS names a file");
    let text = std::fs::read_to_string(&path).expect("a file of UTF-8");
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    let mut failed = String::new();
    for sql in text.split('\0') {
        let class = scan(sql.as_bytes(), LexOptions::default());
        let class = class.map_or_else(|_| "unread".to_owned(), |scan| format!("{:?}", scan.class));
        let count = counts.entry(class.clone()).or_default();
        count.all += 1;
        match parse(sql, LexOptions::default()) {
            Ok(_) => count.parsed += 1,
            Err(error) => {
                count.refused += usize::from(matches!(error.problem, Problem::Refused(_)));
                failed.push_str(&format!("{class}\u{1}{error}\u{1}{sql}\0"));
            }
        }
    }
    for (class, Count { all, parsed, refused }) in &counts {
        println!(
            "{class:12} {all:7} parsed {parsed:7} refused {refused:5} unread {:5}",
            all - parsed - refused
        );
    }
    std::fs::write(Path::new(&path).with_extension("failed"), failed).expect("a folder to write to");
}
