//! Texts: how long they can be, by which collation they compare, and whether they can end in what sorts like a space or
//! before it.

use serval_types::Collation;
use sqlparser::ast::{CharacterLength, DataType, ExactNumberInfo};

use super::choice::printed;
use super::{Computed, OF_NUMBER};

/// A text that is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rewrite) struct Text {
    /// How it compares.
    pub(in crate::rewrite) collated: Collated,
    /// How many characters it has at most.
    pub(in crate::rewrite) characters: u32,
    /// It can have a character that sorts before a space, or end in a space.
    pub(in crate::rewrite) low: bool,
    /// It can have a space inside, which is its end where it is cut.
    pub(super) spaced: bool,
}

/// By which collation a text compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rewrite) enum Collated {
    /// That of the session: there is no column in it.
    BySession,
    /// A column's.
    By(Collation),
    /// Columns' that differ.
    Mixed,
    /// Only the servers know.
    ByServers,
}

impl Text {
    /// A text that has nothing in particular.
    pub(super) const SHORT: Text =
        Text { collated: Collated::BySession, characters: 0, low: false, spaced: false };

    /// What is written between quotes.
    pub(super) fn literal(text: &str) -> Self {
        let low = text.ends_with(' ')
            || text.chars().any(|letter| letter < ' ' || letter.is_whitespace() && letter != ' ');
        Text { characters: characters(text), low, spaced: text.contains(' '), ..Text::SHORT }
    }

    /// One of two texts.
    pub(super) fn or(self, other: Self) -> Self {
        Text { characters: self.characters.max(other.characters), ..self.beside(other) }
    }

    /// One text behind another.
    fn with(self, other: Self) -> Self {
        let characters = self.characters.saturating_add(other.characters);
        // A space at an end may now be inside, which is no harm.
        Text { characters, ..self.beside(other) }
    }

    fn beside(self, other: Self) -> Self {
        let collated = match (self.collated, other.collated) {
            (Collated::ByServers, _) | (_, Collated::ByServers) => Collated::ByServers,
            (Collated::Mixed, _) | (_, Collated::Mixed) => Collated::Mixed,
            (Collated::BySession, other) | (other, Collated::BySession) => other,
            (Collated::By(one), Collated::By(two)) if one == two => Collated::By(one),
            (Collated::By(_), Collated::By(_)) => Collated::Mixed,
        };
        Text { collated, low: self.low || other.low, spaced: self.spaced || other.spaced, ..Text::SHORT }
    }
}

/// The characters of a text.
pub(super) fn characters(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

/// CONCAT.
pub(super) fn concatenated(values: &[Computed]) -> Option<Computed> {
    let texts = values.iter().map(printed).collect::<Option<Vec<_>>>()?;
    texts.into_iter().reduce(Text::with).map(Computed::Text)
}

/// A part of a text, of at most so many characters.
pub(super) fn cut(value: Computed, characters: Option<u32>) -> Option<Computed> {
    let text = printed(&value)?;
    let characters = characters.map_or(text.characters, |most| text.characters.min(most));
    Some(Computed::Text(Text { characters, low: text.low || text.spaced, ..text }))
}

/// A text that is repeated.
pub(super) fn repeated(value: &Computed, times: u32) -> Option<Computed> {
    let text = printed(value)?;
    Some(Computed::Text(Text { characters: text.characters.saturating_mul(times), ..text }))
}

/// What a text has that was filled up to so many characters with another.
pub(super) fn filled(value: &Computed, characters: u32, filling: &Computed) -> Option<Computed> {
    let text = printed(value)?.or(printed(filling)?);
    Some(Computed::Text(Text { characters, low: text.low || text.spaced, ..text }))
}

/// A moment and an interval. Of a moment that is a text servers make a text.
pub(super) fn later(value: Computed) -> Option<Computed> {
    Some(match value {
        // With hours it is a DATETIME.
        Computed::Date | Computed::DateTime | Computed::Timestamp => Computed::DateTime,
        Computed::Time => Computed::Time,
        Computed::Binary(_) | Computed::Bits => return None,
        _ => Computed::Text(Text {
            collated: Collated::ByServers,
            characters: OF_NUMBER,
            spaced: true,
            low: false,
        }),
    })
}

/// A text with a collation or a character set that is written.
pub(super) fn servers_own(value: Computed) -> Option<Computed> {
    let text = printed(&value)?;
    Some(Computed::Text(Text { collated: Collated::ByServers, ..text }))
}

/// CONVERT(… USING …).
pub(super) fn converted(value: &Computed) -> Option<Computed> {
    let text = match value {
        Computed::Binary(length) => Text { characters: *length, low: true, ..Text::SHORT },
        other => printed(other)?,
    };
    Some(Computed::Text(Text { collated: Collated::ByServers, ..text }))
}

/// CAST(… AS …). A text takes the session's collation.
pub(super) fn cast(value: Option<Computed>, to: &DataType) -> Option<Computed> {
    Some(match to {
        DataType::Signed
        | DataType::SignedInteger
        | DataType::Unsigned
        | DataType::UnsignedInteger
        | DataType::Decimal(_)
        | DataType::Dec(_)
        | DataType::Int(_)
        | DataType::Integer(_) => Computed::Exact,
        DataType::DoublePrecision | DataType::Double(ExactNumberInfo::None) => Computed::Double,
        DataType::Double(_) | DataType::Real | DataType::Float(_) => Computed::Short,
        DataType::Date => Computed::Date,
        DataType::Datetime(_) => Computed::DateTime,
        DataType::Time(..) => Computed::Time,
        DataType::Char(length) | DataType::Character(length) => {
            let most = match length {
                Some(CharacterLength::IntegerLength { length, .. }) => u32::try_from(*length).ok(),
                _ => None,
            };
            let of = match value {
                Some(Computed::Binary(length)) => Text { characters: length, low: true, ..Text::SHORT },
                Some(other) => printed(&other)?,
                None => Text { characters: most?, low: true, ..Text::SHORT },
            };
            let characters = most.map_or(of.characters, |most| most.min(of.characters));
            Computed::Text(Text { collated: Collated::ByServers, characters, ..of })
        }
        DataType::Binary(length) => {
            let most = length.and_then(|length| u32::try_from(length).ok());
            let bytes = |text: Text| text.characters.saturating_mul(4);
            let of = match value {
                Some(Computed::Binary(length)) => Some(length),
                Some(other) => printed(&other).map(bytes),
                None => None,
            };
            Computed::Binary(match (most, of) {
                // BINARY(n) is filled up.
                (Some(most), _) => most,
                (None, Some(of)) => of,
                (None, None) => return None,
            })
        }
        _ => return None,
    })
}
