//! Java's hash of strings: `h = 31 * h + unit` over UTF-16 units.

/// In 32 bits, as `String.hashCode`.
pub(super) fn hash32(text: &str) -> i32 {
    text.encode_utf16().fold(0, |hash: i32, unit| hash.wrapping_mul(31).wrapping_add(unit.into()))
}

/// In 64 bits, as Mycat's `StringUtil.hash`.
pub(super) fn hash64(units: &[u16]) -> i64 {
    units.iter().fold(0, |hash: i64, &unit| hash.wrapping_mul(31).wrapping_add(unit.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with an independent implementation in another language.
    #[test]
    fn golden() {
        assert_eq!((hash32(""), hash32("a"), hash32("hello"), hash32("😀")), (0, 97, 99_162_322, 1_772_899));
        let long = "polynomial rolling";
        let units: Vec<u16> = long.encode_utf16().collect();
        assert_eq!((hash32(long), hash64(&units)), (-684_496_647, 462_733_951_810_889_977));
    }
}
