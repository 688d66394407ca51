//! Comparing what WEIGHT_STRING gave.

use std::cmp::Ordering;

/// Compares two weights as if the shorter were continued with `space`, the weight of a space, again and again. An
/// empty `space` stands for no padding: then the shorter one is less.
pub(super) fn compare_padded(one: &[u8], other: &[u8], space: &[u8]) -> Ordering {
    let common = one.len().min(other.len());
    one[..common].cmp(&other[..common]).then_with(|| {
        if space.is_empty() {
            one.len().cmp(&other.len())
        } else {
            let padding = || space.iter().cycle();
            match one.len().cmp(&other.len()) {
                Ordering::Greater => one[common..].iter().cmp(padding().take(one.len() - common)),
                _ => padding().take(other.len() - common).cmp(other[common..].iter()),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_at_the_end_do_not_count() {
        assert_eq!(compare_padded(b"\0A", b"\0A\0 \0 ", b"\0 "), Ordering::Equal);
        assert_eq!(compare_padded(b"\0A\0\x09", b"\0A", b"\0 "), Ordering::Less);
        assert_eq!(compare_padded(b"\0A", b"\0A\0\x09", b"\0 "), Ordering::Greater);
        assert_eq!(compare_padded(b"\0A", b"\0A\0B", b"\0 "), Ordering::Less);
        assert_eq!(compare_padded(b"", b" ", b" "), Ordering::Equal);
    }

    #[test]
    fn without_padding_they_do() {
        assert_eq!(compare_padded(b"A", b"A ", b""), Ordering::Less);
        assert_eq!(compare_padded(b"B", b"A ", b""), Ordering::Greater);
        assert_eq!(compare_padded(b"A", b"A", b""), Ordering::Equal);
    }
}
