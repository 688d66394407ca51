//! Values of which one is chosen: IF, CASE, COALESCE and their like.

use super::text::{Collated, Text};
use super::{Computed, OF_NUMBER};

/// What one of these values is; `None` where any is not certain, or they have no type in common that is.
pub(super) fn any(values: impl Iterator<Item = Option<Computed>>) -> Option<Computed> {
    let mut all = Computed::Null;
    for value in values {
        all = either(all, value?)?;
    }
    Some(all)
}

fn either(one: Computed, two: Computed) -> Option<Computed> {
    use Computed::{Binary, Bits, Date, DateTime, Double, Exact, Null, Quotient, Short, Timestamp};
    Some(match (one, two) {
        (Null, value) | (value, Null) => value,
        (Date | DateTime, DateTime) | (DateTime, Date) => DateTime,
        (Binary(one), Binary(two)) => Binary(one.max(two)),
        (Timestamp, Timestamp) => Timestamp,
        (Timestamp, Date | DateTime) | (Date | DateTime, Timestamp) => DateTime,
        (Bits, Bits) => Bits,
        (Binary(_) | Bits | Timestamp, _) | (_, Binary(_) | Bits | Timestamp) => return None,
        (Computed::Text(one), Computed::Text(two)) => Computed::Text(one.or(two)),
        (Computed::Text(text), other) | (other, Computed::Text(text)) => {
            Computed::Text(text.or(printed(&other)?))
        }
        (one, two) if one == two && one != Computed::Rounded => one,
        (Exact, Quotient) | (Quotient, Exact) => Quotient,
        (Double, Exact | Quotient) | (Exact | Quotient, Double) => Double,
        (one, two) if one.is_number() && two.is_number() => Short,
        (one, two) if one.is_number() || two.is_number() => {
            let text = printed(&one)?.or(printed(&two)?);
            Computed::Text(Text { collated: Collated::ByServers, ..text })
        }
        _ => return None,
    })
}

/// A value as characters; it gives way to a text's collation.
pub(super) fn printed(value: &Computed) -> Option<Text> {
    match value {
        Computed::Text(text) => Some(text.clone()),
        Computed::Binary(_) | Computed::Bits | Computed::Timestamp => None,
        // A date and a time have a space between them.
        Computed::DateTime => Some(Text { characters: OF_NUMBER, spaced: true, ..Text::SHORT }),
        _ => Some(Text { characters: OF_NUMBER, ..Text::SHORT }),
    }
}
