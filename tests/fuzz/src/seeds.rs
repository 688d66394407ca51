//! The committed inputs, as lines that people can read.
//!
//! In a `.hex` file a line is one input: bytes as pairs of hexadecimal digits, and text in double quotes. In a `.sql`
//! file a line is one statement. Lines that begin with `#` or `--` say what follows.

const PACKETS: &str = include_str!("../seeds/packets.hex");
const PARAMETERS: &str = include_str!("../seeds/parameters.hex");
const ANSWERS: &str = include_str!("../seeds/answers.hex");
const STATEMENTS: &str = include_str!("../seeds/statements.sql");
/// What the parser's own tests accept; these may have several lines.
const ACCEPTED: &str = include_str!("../../../crates/sql/src/parse/dml/accepted.sql");
const FOUND: &str = include_str!("../seeds/statements.hex");
const CONFIGS: [&str; 4] = [
    include_str!("../../../conf/shop.toml"),
    include_str!("../../../conf/minimal.toml"),
    include_str!("../../../conf/read-write-splitting.toml"),
    include_str!("../seeds/everything.toml"),
];

pub(crate) fn packets() -> Vec<Vec<u8>> {
    bytes(PACKETS)
}

pub(crate) fn parameters() -> Vec<Vec<u8>> {
    bytes(PARAMETERS)
}

pub(crate) fn answers() -> Vec<Vec<u8>> {
    bytes(ANSWERS)
}

/// Each statement in the default sql_mode, and in ANSI with backslashes as they are.
pub(crate) fn statements() -> Vec<Vec<u8>> {
    let lines = STATEMENTS.lines().filter(|line| !line.is_empty() && !line.starts_with("-- "));
    let lines = lines.chain(ACCEPTED.split(";\n").map(str::trim).filter(|statement| !statement.is_empty()));
    let in_modes = lines.flat_map(|line| [0, 7].map(|mode| [&[mode][..], line.as_bytes()].concat()));
    in_modes.chain(bytes(FOUND)).collect()
}

pub(crate) fn config() -> Vec<Vec<u8>> {
    CONFIGS.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn bytes(file: &str) -> Vec<Vec<u8>> {
    file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(line).collect()
}

fn line(line: &str) -> Vec<u8> {
    let mut out = Vec::new();
    // What stands between quotes is at the odd places.
    for (place, part) in line.split('"').enumerate() {
        if place % 2 == 1 {
            out.extend_from_slice(part.as_bytes());
        } else {
            let pair =
                |word: &str| u8::from_str_radix(word, 16).unwrap_or_else(|_| panic!("{word} in {line:?}"));
            out.extend(part.split_whitespace().map(pair));
        }
    }
    out
}
