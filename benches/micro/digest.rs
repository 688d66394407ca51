//! The scan of a text: its key, the places of its literals, its class.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use serval_sql::{LexOptions, scan};

const POINT: &str = "SELECT c FROM sbtest1 WHERE id = 4711";

pub(crate) fn run(criterion: &mut Criterion) {
    let list: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    let long = format!("SELECT c FROM sbtest1 WHERE id IN ({})", list.join(", "));
    let mut group = criterion.benchmark_group("digest");
    for (name, sql) in [("a point query", POINT), ("a list of a thousand", &long)] {
        group.throughput(Throughput::Bytes(sql.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| scan(black_box(sql.as_bytes()), LexOptions::default()));
        });
    }
    group.finish();
}
