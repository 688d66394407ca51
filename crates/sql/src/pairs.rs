//! Character sets whose second byte may look like ASCII.
//!
//! In gbk, big5 and sjis a character of two bytes may end in a backslash, a backtick or a letter. A lexer that looked at
//! single bytes would take half of a character for an escape and read past the end of a string.

/// Which two bytes are one character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Pairs {
    /// None whose second byte is ASCII: UTF-8, latin1, ujis, euckr, gb2312 and most others.
    #[default]
    None,
    /// gbk and gb18030, whose characters of four bytes hold nothing but digits beside bytes above ASCII.
    Gbk,
    /// big5.
    Big5,
    /// sjis and cp932.
    Sjis,
}

impl Pairs {
    /// The pairs of a character set by its name in lower case.
    #[must_use]
    pub fn of_charset(charset: &str) -> Self {
        match charset {
            "gbk" | "gb18030" => Self::Gbk,
            "big5" => Self::Big5,
            "sjis" | "cp932" => Self::Sjis,
            _ => Self::None,
        }
    }

    /// Whether the text begins with a character of two bytes.
    #[must_use]
    pub fn leads(self, text: &[u8]) -> bool {
        let [lead, trail, ..] = text else { return false };
        match self {
            Self::None => false,
            Self::Gbk => matches!(lead, 0x81..=0xfe) && matches!(trail, 0x40..=0x7e | 0x80..=0xfe),
            Self::Big5 => matches!(lead, 0xa1..=0xf9) && matches!(trail, 0x40..=0x7e | 0xa1..=0xfe),
            Self::Sjis => {
                matches!(lead, 0x81..=0x9f | 0xe0..=0xfc) && matches!(trail, 0x40..=0x7e | 0x80..=0xfc)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LexOptions, TokenKind, tokens};

    fn kinds(text: &[u8], pairs: Pairs) -> Vec<TokenKind> {
        let options = LexOptions::default().with_pairs(pairs);
        tokens(text, options).expect("tokens").iter().map(|token| token.kind).collect()
    }

    #[test]
    fn half_a_character_escapes_nothing() {
        // 0xd5 0x5c is one character of gbk; in latin1 its second byte escapes the quote.
        let real = [b"'", &[0xd5, 0x5c][..], b"', 'a'"].concat();
        let three = [TokenKind::Text, TokenKind::Symbol(b','), TokenKind::Text];
        assert_eq!(kinds(&real, Pairs::Gbk), three);
        assert_eq!(kinds(&real, Pairs::Big5), three);
        assert!(tokens(&real, LexOptions::default()).is_err());
        let sjis = [b"'", &[0x95, 0x5c][..], b"'"].concat();
        assert_eq!(kinds(&sjis, Pairs::Sjis), [TokenKind::Text]);
    }

    #[test]
    fn half_a_character_ends_no_name() {
        let name = [b"`", &[0x81, 0x60][..], b"`"].concat();
        assert_eq!(kinds(&name, Pairs::Gbk), [TokenKind::QuotedIdent]);
        let word = [&[0x81, 0x7c][..], b"a"].concat();
        assert_eq!(kinds(&word, Pairs::Gbk), [TokenKind::Word]);
    }

    #[test]
    fn a_lead_without_its_pair_stands_alone() {
        let text = [b"'", &[0xd5][..], b"'"].concat();
        assert_eq!(kinds(&text, Pairs::Gbk), [TokenKind::Text]);
    }
}
