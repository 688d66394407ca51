//! libFuzzer around one target, whose name is in `SERVAL_FUZZ_TARGET`.
//!
//! Before the first run it writes the target's seeds to the folder in `SERVAL_FUZZ_SEEDS`, because libFuzzer reads
//! each input from a file of its own, and seeds that people read are lines.
#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use serval_fuzz::Target;

static TARGET: OnceLock<&'static Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(
    init: {
        let name = std::env::var("SERVAL_FUZZ_TARGET").unwrap_or_default();
        let target = TARGET.get_or_init(|| serval_fuzz::target(&name).expect("SERVAL_FUZZ_TARGET names a target"));
        if let Some(folder) = std::env::var_os("SERVAL_FUZZ_SEEDS") {
            write_seeds(target, Path::new(&folder));
        }
    },
    |input: &[u8]| {
        if let Some(target) = TARGET.get() {
            (target.check)(input);
        }
    }
);

fn write_seeds(target: &Target, folder: &Path) {
    for (number, seed) in (target.seeds)().iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{number:04}")), seed).expect("the folder of seeds can be written");
    }
}
