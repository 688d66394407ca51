//! Strings: CHAR, VARCHAR and TEXT by their collation, BINARY, VARBINARY and BLOB by their bytes.

use serval_types::{Collation, Value};

use super::Candidates;
use crate::definitions::folds_ascii;
use crate::{Key, TextMatch};

/// A text column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextDomain {
    /// The largest length in characters.
    length: Option<u32>,
    equality: Equality,
    /// A binary string compares with the column's own bytes, which are ours only in UTF-8.
    stores_utf8: bool,
    repertoire: Repertoire,
}

/// The characters that a column is sure to hold. Of others a server without strict mode makes `?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repertoire {
    Unicode,
    /// utf8mb3 and ucs2: up to U+FFFF.
    Plane,
    /// latin1, which is Windows' code page 1252.
    Latin1,
    Ascii,
}

/// What makes two strings equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Equality {
    /// The same characters, trailing spaces apart.
    Exact,
    /// ASCII without regard to case, by the table's declaration.
    AsciiFold,
    /// A collation's own tables.
    Collation,
}

impl TextDomain {
    pub(super) fn new(length: Option<u32>, collation: Option<&Collation>, text_match: TextMatch) -> Self {
        let equality = match (text_match, collation) {
            (_, Some(collation)) if collation.is_binary() => Equality::Exact,
            (TextMatch::AsciiFold, Some(collation)) if folds_ascii(collation) => Equality::AsciiFold,
            _ => Equality::Collation,
        };
        let stores_utf8 = collation.is_some_and(|collation| collation.charset().starts_with("utf8"));
        let repertoire = match collation.map(Collation::charset) {
            None | Some("utf8mb4" | "utf16" | "utf16le" | "utf32") => Repertoire::Unicode,
            Some("utf8" | "utf8mb3" | "ucs2") => Repertoire::Plane,
            Some("latin1") => Repertoire::Latin1,
            Some(_) => Repertoire::Ascii,
        };
        Self { length, equality, stores_utf8, repertoire }
    }

    pub(super) fn stored(&self, value: &Value) -> Result<Key, String> {
        let text = match value {
            Value::Bytes(bytes) if !self.stores_utf8 && !bytes.is_ascii() => {
                return Err("a binary string is stored in the column's own character set; write it as text"
                    .to_owned());
            }
            Value::Text(text) | Value::Bytes(text) => self.checked(text)?.to_owned(),
            Value::Int(number) => number.to_string(),
            Value::UInt(number) => number.to_string(),
            Value::Decimal(number) => number.to_plain_string(),
            Value::Moment(text) | Value::Time(text) if !text.contains('.') => text.clone(),
            Value::Moment(_) | Value::Time(_) => {
                return Err(
                    "how many digits of a fraction are written depends on the server; send text".to_owned()
                );
            }
            Value::Double(_) | Value::Null => {
                return Err(
                    "how a DOUBLE is written as text depends on the server; quote the value".to_owned()
                );
            }
        };
        let text = text.trim_end_matches(' ');
        if !text.chars().all(|c| self.repertoire.has(c)) {
            return Err(format!(
                "it may have characters that the column's character set has not ({}), of which servers make '?'; give the \
                 column the character set utf8mb4",
                self.repertoire.taken()
            ));
        }
        if self.length.is_some_and(|length| text.chars().count() > length as usize) {
            return Err("it is longer than the column".to_owned());
        }
        match self.equality {
            Equality::AsciiFold => fold(text).ok_or_else(|| {
                "the table says `match = \"ascii_fold\"`, which takes printable ASCII only".to_owned()
            }),
            Equality::Exact | Equality::Collation => Ok(Key::Bytes(text.as_bytes().into())),
        }
    }

    fn checked<'a>(&self, text: &'a [u8]) -> Result<&'a str, String> {
        std::str::from_utf8(text).map_err(|_| "it is not valid UTF-8".to_owned())
    }

    pub(super) fn equal(&self, value: &Value) -> Candidates {
        let text = match value {
            Value::Text(text) => text,
            Value::Bytes(text) if self.stores_utf8 => text,
            // A number compares as DOUBLE: '07' and '7abc' are equal to 7. A moment compares as one: '2026-1-5' is equal to it.
            _ => return Candidates::Anything,
        };
        let Ok(text) = std::str::from_utf8(text) else { return Candidates::Anything };
        // Trailing spaces never tell shards apart, so this is right for NO PAD collations too, and for CHAR
        // columns, which drop them.
        let text = text.trim_end_matches(' ');
        match self.equality {
            Equality::Exact => Candidates::One(Key::Bytes(text.as_bytes().into())),
            Equality::AsciiFold => fold(text).map_or(Candidates::Anything, Candidates::One),
            Equality::Collation => Candidates::Anything,
        }
    }

    /// Whether a column of this domain holds each value of the other's as the same key.
    pub(super) fn widens(&self, other: &Self) -> bool {
        super::is_longer(self.length, other.length) && Self { length: other.length, ..self.clone() } == *other
    }

    pub(super) fn compares_with(&self, other: &Self) -> bool {
        self.equality == other.equality && self.equality != Equality::Collation
    }
}

impl Repertoire {
    fn has(self, c: char) -> bool {
        /// What code page 1252 has between U+0080 and U+009F in Unicode's place.
        const OF_1252: &str = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ";
        match self {
            _ if c.is_ascii() => true,
            Self::Unicode => true,
            Self::Plane => c <= '\u{ffff}',
            Self::Latin1 => ('\u{a0}'..='\u{ff}').contains(&c) || OF_1252.contains(c),
            Self::Ascii => false,
        }
    }

    /// Which characters it takes, for a message.
    fn taken(self) -> &'static str {
        match self {
            Self::Unicode => "all are taken",
            Self::Plane => "those up to U+FFFF are taken",
            Self::Latin1 => "those of latin1 are taken",
            Self::Ascii => "ASCII is taken",
        }
    }
}

/// Lower case, where the text is printable ASCII. Other characters can be equal to these under a `_ci` collation
/// (`é` to `e`), and control characters to nothing at all.
fn fold(text: &str) -> Option<Key> {
    let printable = text.bytes().all(|b| (b' '..=b'~').contains(&b));
    printable.then(|| Key::Bytes(text.to_ascii_lowercase().as_bytes().into()))
}

pub(super) fn store_binary(value: &Value, length: Option<u32>, fixed: bool) -> Result<Key, String> {
    let mut bytes = match value {
        Value::Text(bytes) | Value::Bytes(bytes) => bytes.clone(),
        Value::Int(number) => number.to_string().into_bytes(),
        Value::UInt(number) => number.to_string().into_bytes(),
        Value::Decimal(number) => number.to_plain_string().into_bytes(),
        Value::Moment(text) | Value::Time(text) if !text.contains('.') => text.clone().into_bytes(),
        Value::Moment(_) | Value::Time(_) => {
            return Err(
                "how many digits of a fraction are written depends on the server; send text".to_owned()
            );
        }
        Value::Double(_) | Value::Null => {
            return Err("how a DOUBLE is written as bytes depends on the server; quote the value".to_owned());
        }
    };
    if let Some(length) = length {
        if bytes.len() > length as usize {
            return Err("it is longer than the column".to_owned());
        }
        if fixed {
            bytes.resize(length as usize, 0);
        }
    }
    Ok(Key::Bytes(bytes.into()))
}

pub(super) fn equal_binary(value: &Value, length: Option<u32>, fixed: bool) -> Candidates {
    match value {
        Value::Text(bytes) | Value::Bytes(bytes) => match length {
            Some(length) if bytes.len() > length as usize => Candidates::Nothing,
            // A shorter string is equal to no padded one; looking on the shard of the padded string finds nothing.
            Some(length) if fixed => {
                let mut bytes = bytes.clone();
                bytes.resize(length as usize, 0);
                Candidates::One(Key::Bytes(bytes.into()))
            }
            _ => Candidates::One(Key::Bytes(bytes.as_slice().into())),
        },
        _ => Candidates::Anything,
    }
}
