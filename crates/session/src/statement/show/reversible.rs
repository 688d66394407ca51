//! Texts in any character set on their way through code that works on UTF-8.

/// Where the bytes that are no UTF-8 are put meanwhile: characters that nobody uses.
const PRIVATE: u32 = 0x10_FF00;

/// What `change` makes of a text. Bytes that are no UTF-8 stay as they are.
pub(super) fn changed(text: &[u8], change: impl FnOnce(&str) -> String) -> Vec<u8> {
    if let Ok(text) = std::str::from_utf8(text) {
        return change(text).into_bytes();
    }
    let mut readable = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        readable.push_str(chunk.valid());
        readable.extend(chunk.invalid().iter().filter_map(|byte| char::from_u32(PRIVATE + u32::from(*byte))));
    }
    let mut bytes = Vec::with_capacity(text.len());
    for character in change(&readable).chars() {
        match u32::from(character).checked_sub(PRIVATE).and_then(|byte| u8::try_from(byte).ok()) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_utf8_stays() {
        let renamed = changed(b"`t_1` enum('\xe4\xff')", |text| text.replace("t_1", "t\u{e9}"));
        assert_eq!(renamed, b"`t\xc3\xa9` enum('\xe4\xff')");
        assert_eq!(changed("ä".as_bytes(), |text| text.replace('ä', "b")), b"b");
    }
}
