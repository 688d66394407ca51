//! Weights: what texts are compared by in the place of their collation, and how long they may be.

use serval_sql::ServerKind;
use serval_types::{Collation, Pad};

/// Servers sort only the first max_sort_length (1024) bytes; longer text would arrive in an order that is not full. A character
/// weighs three bytes at most where weights are continued, or are refused when they are longer.
pub(super) const SORTED_CHARACTERS: u32 = 340;
/// The longest text without a column's collation, which is HEX of texts above all, where four bytes are reckoned for a character.
pub(super) const SESSION_CHARACTERS: u32 = 1024;
/// Where the nodes fill weights up, of what may weigh four.
pub(super) const FILLED_CHARACTERS: u32 = 256;
/// Bytes that are sorted.
pub(super) const SORTED_BYTES: u32 = 1024;

/// Whether weights of a collation are compared without being filled up.
pub(super) fn is_continued(collation: &Collation) -> bool {
    matches!(collation.pad(), Pad::None) || space_weight(collation.name()).is_some()
}

/// What `WEIGHT_STRING(' ')` is in the PAD SPACE collations that weigh by one level.
pub(super) fn space_weight(collation: &str) -> Option<&'static [u8]> {
    match collation {
        "utf8mb4_general_ci" | "utf8mb3_general_ci" | "utf8_general_ci" => Some(&[0x00, 0x20]),
        "utf8mb4_unicode_ci"
        | "utf8mb3_unicode_ci"
        | "utf8_unicode_ci"
        | "utf8mb4_uca1400_ai_ci"
        | "uca1400_ai_ci" => Some(&[0x02, 0x09]),
        "utf8mb4_unicode_520_ci" => Some(&[0x02, 0x0a]),
        "utf8mb4_bin" => Some(&[0x00, 0x00, 0x20]),
        "utf8mb3_bin" | "utf8_bin" => Some(&[0x00, 0x20]),
        "latin1_swedish_ci" | "latin1_bin" | "latin1_general_ci" | "ascii_general_ci" | "ascii_bin" => {
            Some(&[0x20])
        }
        _ => None,
    }
}

/// The weight of a value whose collation only the servers know: where it is one that ignores trailing spaces, they pad.
/// MySQL takes what `IF` chooses among for text, unless it is cast.
pub(super) fn padded_by_servers(text: &str, servers: ServerKind) -> String {
    let padded = filled(text, FILLED_CHARACTERS, servers);
    format!(
        "IF(COLLATION({text}) = 'binary' OR COLLATION({text}) LIKE '%nopad%' OR COLLATION({text}) LIKE '%0900%', \
         CAST(WEIGHT_STRING({text}) AS BINARY), CAST({padded} AS BINARY))"
    )
}

/// The weight of a value of so many characters at most, filled up with those of spaces. MySQL fills up the characters, of
/// which some weigh as two do (`ß` as `ss`), and the weights would then differ in length.
pub(super) fn filled(text: &str, characters: u32, servers: ServerKind) -> String {
    if servers.mariadb {
        return format!("WEIGHT_STRING({text} AS CHAR({characters}))");
    }
    // No character weighs more.
    let bytes = characters.saturating_mul(8).min(SORTED_BYTES);
    format!(
        "RPAD(CAST(WEIGHT_STRING({text}) AS BINARY), {bytes}, CAST(WEIGHT_STRING(RIGHT(CONCAT({text}, ' '), 1)) AS BINARY))"
    )
}
