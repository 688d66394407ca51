//! A plan found, a plan made, and a plan bound to its literals.

use std::hint::black_box;

use criterion::{BatchSize, Criterion};
use serval_benches::Shop;
use serval_planner::{BindRequest, PlanRequest};
use serval_sql::{LexOptions, scan};

const POINT: &str = "SELECT c FROM sbtest1 WHERE id = 4711";
const GROUPS: &str = "SELECT k, COUNT(*) FROM sbtest1 GROUP BY k ORDER BY COUNT(*) DESC LIMIT 10";

pub(crate) fn run(criterion: &mut Criterion) {
    let shop = Shop::new();
    let options = LexOptions::default();
    let mut group = criterion.benchmark_group("plan");
    for (name, sql) in [("a point query", POINT), ("groups over four nodes", GROUPS)] {
        let Ok(scan) = scan(sql.as_bytes(), options) else { continue };
        let request = PlanRequest { sql: sql.as_bytes(), scan: &scan, schema: Some("sharded"), options };
        let plan = shop.plan(sql);
        group.bench_function(format!("{name}, from the cache"), |bencher| {
            bencher.iter(|| shop.planner.plan(&shop.catalog, black_box(&request)));
        });
        group.bench_function(format!("{name}, made"), |bencher| {
            let empty = || serval_planner::Planner::new(1 << 16);
            let make = |planner: serval_planner::Planner| planner.plan(&shop.catalog, black_box(&request));
            bencher.iter_batched(empty, make, BatchSize::SmallInput);
        });
        group.bench_function(format!("{name}, bound"), |bencher| {
            bencher.iter(|| plan.bind(black_box(&BindRequest::of(sql.as_bytes(), &scan))));
        });
    }
    group.finish();
}
