//! Character sets of a session: which ones statements may be written in, and what SET NAMES stands for.

use std::sync::OnceLock;

use serval_planner::ClientText;
use serval_remote::{NAMES, SessionState};
use serval_types::Collation;

/// The collations that a handshake can name in its one byte and that mean the same on all servers that know them.
const BY_ID: &[(u16, &str)] = &[
    (1, "big5_chinese_ci"),
    (2, "latin2_czech_cs"),
    (3, "dec8_swedish_ci"),
    (4, "cp850_general_ci"),
    (5, "latin1_german1_ci"),
    (6, "hp8_english_ci"),
    (7, "koi8r_general_ci"),
    (8, "latin1_swedish_ci"),
    (9, "latin2_general_ci"),
    (10, "swe7_swedish_ci"),
    (11, "ascii_general_ci"),
    (12, "ujis_japanese_ci"),
    (13, "sjis_japanese_ci"),
    (14, "cp1251_bulgarian_ci"),
    (15, "latin1_danish_ci"),
    (16, "hebrew_general_ci"),
    (18, "tis620_thai_ci"),
    (19, "euckr_korean_ci"),
    (20, "latin7_estonian_cs"),
    (21, "latin2_hungarian_ci"),
    (22, "koi8u_general_ci"),
    (23, "cp1251_ukrainian_ci"),
    (24, "gb2312_chinese_ci"),
    (25, "greek_general_ci"),
    (26, "cp1250_general_ci"),
    (27, "latin2_croatian_ci"),
    (28, "gbk_chinese_ci"),
    (29, "cp1257_lithuanian_ci"),
    (30, "latin5_turkish_ci"),
    (31, "latin1_german2_ci"),
    (33, "utf8mb3_general_ci"),
    (36, "cp866_general_ci"),
    (40, "cp852_general_ci"),
    (41, "latin7_general_ci"),
    (45, "utf8mb4_general_ci"),
    (46, "utf8mb4_bin"),
    (47, "latin1_bin"),
    (48, "latin1_general_ci"),
    (49, "latin1_general_cs"),
    (50, "cp1251_bin"),
    (51, "cp1251_general_ci"),
    (52, "cp1251_general_cs"),
    (57, "cp1256_general_ci"),
    (59, "cp1257_general_ci"),
    (63, "binary"),
    (65, "ascii_bin"),
    (66, "cp1250_bin"),
    (77, "latin2_bin"),
    (78, "latin5_bin"),
    (79, "latin7_bin"),
    (80, "cp850_bin"),
    (81, "cp852_bin"),
    (83, "utf8mb3_bin"),
    (84, "big5_bin"),
    (87, "gbk_bin"),
    (88, "sjis_bin"),
    (94, "latin1_spanish_ci"),
    (95, "cp932_japanese_ci"),
    (96, "cp932_bin"),
    (192, "utf8mb3_unicode_ci"),
    (193, "utf8mb3_icelandic_ci"),
    (194, "utf8mb3_latvian_ci"),
    (195, "utf8mb3_romanian_ci"),
    (196, "utf8mb3_slovenian_ci"),
    (197, "utf8mb3_polish_ci"),
    (198, "utf8mb3_estonian_ci"),
    (199, "utf8mb3_spanish_ci"),
    (200, "utf8mb3_swedish_ci"),
    (201, "utf8mb3_turkish_ci"),
    (202, "utf8mb3_czech_ci"),
    (203, "utf8mb3_danish_ci"),
    (204, "utf8mb3_lithuanian_ci"),
    (205, "utf8mb3_slovak_ci"),
    (206, "utf8mb3_spanish2_ci"),
    (207, "utf8mb3_roman_ci"),
    (208, "utf8mb3_persian_ci"),
    (209, "utf8mb3_esperanto_ci"),
    (210, "utf8mb3_hungarian_ci"),
    (211, "utf8mb3_sinhala_ci"),
    (212, "utf8mb3_german2_ci"),
    (214, "utf8mb3_unicode_520_ci"),
    (215, "utf8mb3_vietnamese_ci"),
    (224, "utf8mb4_unicode_ci"),
    (225, "utf8mb4_icelandic_ci"),
    (226, "utf8mb4_latvian_ci"),
    (227, "utf8mb4_romanian_ci"),
    (228, "utf8mb4_slovenian_ci"),
    (229, "utf8mb4_polish_ci"),
    (230, "utf8mb4_estonian_ci"),
    (231, "utf8mb4_spanish_ci"),
    (232, "utf8mb4_swedish_ci"),
    (233, "utf8mb4_turkish_ci"),
    (234, "utf8mb4_czech_ci"),
    (235, "utf8mb4_danish_ci"),
    (236, "utf8mb4_lithuanian_ci"),
    (237, "utf8mb4_slovak_ci"),
    (238, "utf8mb4_spanish2_ci"),
    (239, "utf8mb4_roman_ci"),
    (240, "utf8mb4_persian_ci"),
    (241, "utf8mb4_esperanto_ci"),
    (242, "utf8mb4_hungarian_ci"),
    (243, "utf8mb4_sinhala_ci"),
    (244, "utf8mb4_german2_ci"),
    (246, "utf8mb4_unicode_520_ci"),
    (247, "utf8mb4_vietnamese_ci"),
    (248, "gb18030_chinese_ci"),
    (249, "gb18030_bin"),
    (250, "gb18030_unicode_520_ci"),
];

/// What a fresh session has set, from the collation that its handshake named. An id that only one flavour of server
/// knows stands for utf8mb4 in the server's default collation, as servers do with ids they do not know; so does one of
/// a character set that no client can write, such as ucs2.
///
/// All sessions that began alike have the very same state, so that comparing them compares two pointers.
#[must_use]
pub fn initial_state(collation: u8) -> SessionState {
    static STATES: [OnceLock<SessionState>; 256] = [const { OnceLock::new() }; 256];
    STATES[usize::from(collation)].get_or_init(|| state_of(collation.into())).clone()
}

fn state_of(collation: u16) -> SessionState {
    let found = BY_ID.binary_search_by_key(&collation, |(id, _)| *id).ok().and_then(|at| BY_ID.get(at));
    let collation = found.map(|(_, name)| *name);
    let charset = collation.map_or("utf8mb4".to_owned(), |name| Collation::new(name).charset().to_owned());
    with_charset(&SessionState::default(), &charset, collation)
}

/// `state` after `SET NAMES charset [COLLATE collation]`. Without a collation the server's default for the character
/// set holds, which is not the same on all servers.
#[must_use]
pub fn set_names(state: &SessionState, charset: &str, collation: Option<&str>) -> SessionState {
    let charset = if charset.eq_ignore_ascii_case("default") { "utf8mb4" } else { charset };
    with_charset(state, &word(charset), collation.map(word).as_deref())
}

/// The variables that SET NAMES sets.
const SET_BY_NAMES: [&str; 4] =
    ["character_set_client", "character_set_connection", "character_set_results", "collation_connection"];

fn with_charset(state: &SessionState, charset: &str, collation: Option<&str>) -> SessionState {
    let state = SET_BY_NAMES.iter().fold(state.clone(), |state, name| state.without(name));
    match collation {
        Some(collation) => state.with(NAMES, &format!("'{charset}' COLLATE '{collation}'")),
        None => state.with(NAMES, &format!("'{charset}'")),
    }
}

/// Whether a variable is one of those that SET NAMES sets. Their DEFAULT is not what a fresh session has.
pub(crate) fn is_set_by_names(variable: &str) -> bool {
    SET_BY_NAMES.contains(&variable)
}

/// The character set of the client's statements.
pub(crate) fn of_client(state: &SessionState) -> String {
    named(state, "character_set_client")
}

/// The character set of results; utf8mb4 where they are not converted.
pub(crate) fn of_results(state: &SessionState) -> String {
    named(state, "character_set_results")
}

/// Whether characters of the set are wider than a byte, so that not even digits are what they are in others.
pub(crate) fn is_wide(charset: &str) -> bool {
    ["ucs2", "utf16", "utf16le", "utf32"].iter().any(|wide| charset.eq_ignore_ascii_case(wide))
}

/// The state, in which what Serval asks for itself is answered in characters that it can read.
pub(crate) fn readable(state: SessionState) -> SessionState {
    let is_readable =
        !is_wide(charset_word(&state, "character_set_results")) && !is_wide(&of_connection(&state));
    if is_readable { state } else { set_names(&state, "utf8mb4", None) }
}

/// The character set of the connection: of what functions compute of numbers, and of literals.
pub(crate) fn of_connection(state: &SessionState) -> String {
    match state.value("collation_connection") {
        Some(collation) => Collation::new(&word(collation.trim_start_matches('\''))).charset().to_owned(),
        None => named(state, "character_set_connection"),
    }
}

/// What the bytes of a string literal are by the time that they meet a column: the servers convert it from the
/// client's character set to the connection's first.
pub(crate) fn client_text(state: &SessionState) -> ClientText {
    let client = text_of(charset_word(state, "character_set_client"));
    let connection = text_of(&of_connection(state));
    match (client, connection) {
        (ClientText::Other, _) | (_, ClientText::Other) => ClientText::Other,
        (ClientText::Utf8mb4, ClientText::Utf8mb4) => ClientText::Utf8mb4,
        _ => ClientText::Utf8mb3,
    }
}

fn text_of(charset: &str) -> ClientText {
    let is = |name: &str| charset.eq_ignore_ascii_case(name);
    if is("utf8mb4") {
        ClientText::Utf8mb4
    } else if is("utf8") || is("utf8mb3") {
        ClientText::Utf8mb3
    } else {
        ClientText::Other
    }
}

fn named(state: &SessionState, variable: &str) -> String {
    charset_word(state, variable).to_ascii_lowercase()
}

/// The character set that a variable names, as it was written.
fn charset_word<'a>(state: &'a SessionState, variable: &str) -> &'a str {
    let value = state.value(variable).or_else(|| state.value(NAMES)).unwrap_or_default();
    let word = first_word(value.trim_start_matches('\''));
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    if word.is_empty() || is("null") || is("default") { "utf8mb4" } else { word }
}

/// The word at the start of a name, in lower case: what goes into SQL is never more than a word.
fn word(name: &str) -> String {
    first_word(name).to_ascii_lowercase()
}

fn first_word(name: &str) -> &str {
    let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(name.len());
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(BY_ID.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_handshake_sets_them_all() {
        let state = initial_state(8);
        assert_eq!(state.value(NAMES), Some("'latin1' COLLATE 'latin1_swedish_ci'"));
        assert_eq!(of_client(&state), "latin1");
    }

    #[test]
    fn ids_of_one_flavour_are_utf8mb4() {
        let state = initial_state(255);
        assert_eq!(state.value(NAMES), Some("'utf8mb4'"));
    }

    #[test]
    fn gbk_is_a_character_set_like_others() {
        assert_eq!(of_client(&initial_state(28)), "gbk");
        assert_eq!(of_client(&set_names(&SessionState::default(), "GBK", None)), "gbk");
    }

    #[test]
    fn names_without_a_collation_leave_it_to_the_server() {
        let state = initial_state(8).with("character_set_results", "NULL");
        let state = set_names(&state, "utf8", None);
        assert_eq!(state.value(NAMES), Some("'utf8'"));
        assert_eq!(state.value("character_set_results"), None);
        assert_eq!(client_text(&state), ClientText::Utf8mb3);
    }

    #[test]
    fn a_variable_counts_more_than_names() {
        let state = initial_state(45).with("character_set_client", "'latin1'");
        assert_eq!((of_client(&state), of_results(&state)), ("latin1".to_owned(), "utf8mb4".to_owned()));
        assert_eq!(client_text(&state), ClientText::Other);
        let state = initial_state(45).with("collation_connection", "'latin1_bin'");
        assert_eq!(client_text(&state), ClientText::Other);
    }
}
