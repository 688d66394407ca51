//! Parts of a statement's way, each by itself: `cargo bench -p serval-benches`.
//!
//! Their figures compare with themselves, before and after a change on one machine. What a query costs as a whole is
//! counted by `cargo xtask bench --instructions`.

mod digest;
mod framing;
mod merge;
mod plan;

use criterion::{criterion_group, criterion_main};

criterion_group!(micro, digest::run, plan::run, framing::run, merge::run);
criterion_main!(micro);
