//! Plans of statements that nobody has asked before.

use std::time::Instant;

use serval_benches::Shop;

use crate::verdict::{Finding, Limit, median};

use super::Effort;

/// Statements of one turn.
const TURN: u32 = 2000;

pub(super) fn run(effort: Effort) -> Vec<Finding> {
    let micros = median((0..effort.rounds).map(|_| per_statement()));
    vec![Finding::new(
        "microseconds of a plan on a cache miss",
        "SELECT … WHERE id = …, the names of its columns new",
        micros,
        Limit::AtMost(50.0),
    )]
}

/// Microseconds from a text that was never seen to its plan, with the look into the cache before.
fn per_statement() -> f64 {
    let shop = Shop::new();
    let texts: Vec<String> =
        (0..TURN).map(|turn| format!("SELECT c AS c{turn} FROM sbtest1 WHERE id = 7")).collect();
    let begun = Instant::now();
    for text in &texts {
        std::hint::black_box(shop.plan(text));
    }
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(TURN)
}
