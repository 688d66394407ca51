//! What must hold for any bytes, as functions that take them and panic where it does not hold.
//!
//! A [`Target`] is such a function with its seeds: inputs from which a fuzzer begins. `cargo xtask fuzz` runs libFuzzer
//! on them for as long as one likes; a test of this crate runs each on its seeds and on a fixed number of mutations of
//! them, so that nobody has to fuzz to see an old mistake come back. An input that once broke something is a line in
//! the seeds.
//!
//! The crate checks decoders, the lexer and the parser. It does no I/O and starts no server.
//!
//! ```
//! let target = serval_fuzz::target("statements").expect("a target of this name");
//! (target.check)(b"\0SELECT 1");
//! ```

mod answers;
mod config;
mod input;
mod packets;
mod parameters;
mod parser;
mod seeds;
mod statements;
mod substitute;

/// A property of bytes, and where to begin looking for what violates it.
#[derive(Debug)]
pub struct Target {
    /// As `cargo xtask fuzz NAME` calls it.
    pub name: &'static str,
    /// Panics where the input shows a mistake.
    pub check: fn(&[u8]),
    /// The committed inputs.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "packets", check: packets::check, seeds: seeds::packets },
    Target { name: "parameters", check: parameters::check, seeds: seeds::parameters },
    Target { name: "answers", check: answers::check, seeds: seeds::answers },
    Target { name: "statements", check: statements::check, seeds: seeds::statements },
    Target { name: "parser", check: parser::check, seeds: seeds::statements },
    Target { name: "config", check: config::check, seeds: seeds::config },
];

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
