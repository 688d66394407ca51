//! What the benchmark and the micro-benchmarks share.
//!
//! ```
//! use serval_benches::Shop;
//! let shop = Shop::new();
//! assert_eq!(shop.plan("SELECT c FROM sbtest1 WHERE id = 7").tables().len(), 1);
//! ```

mod shop;

pub use shop::Shop;
