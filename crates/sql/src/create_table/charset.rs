//! Character sets and collations, of a table and of a column.

use serval_types::Collation;

use crate::TokenKind;
use crate::parse::Cursor;

/// What a definition says of character set and collation.
#[derive(Debug, Clone, Default)]
pub(super) struct Charset {
    charset: Option<String>,
    collate: Option<String>,
    /// The attribute BINARY: the `_bin` collation of the character set.
    pub(super) binary: bool,
}

impl Charset {
    /// A column's NCHAR.
    pub(super) fn national() -> Self {
        Self { charset: Some("utf8mb3".to_owned()), ..Self::default() }
    }

    /// What a definition that was read before says.
    pub(super) fn of(charset: Option<String>, collation: Option<&Collation>) -> Self {
        let collate = collation.map(|collation| collation.name().to_owned());
        Self { charset, collate, ..Self::default() }
    }

    /// Whether it says anything.
    pub(super) fn is_given(&self) -> bool {
        self.charset.is_some() || self.collate.is_some()
    }

    /// Reads `[DEFAULT] CHARACTER SET [=] x`, `CHARSET [=] x` or `COLLATE [=] x` if it is next.
    pub(super) fn accept(&mut self, cursor: &mut Cursor<'_>) -> bool {
        let mut ahead = cursor.clone();
        let _ = ahead.accept(&["DEFAULT"]);
        let of_charset = ahead.accept(&["CHARACTER", "SET"]) || ahead.accept(&["CHARSET"]);
        if !of_charset && !ahead.accept(&["COLLATE"]) {
            return false;
        }
        let _ = ahead.accept_symbol(b'=');
        let Some(token) = ahead.next() else { return false };
        let name = match token.kind {
            TokenKind::Text => ahead.text_of(token),
            _ => ahead.name_of(token.span),
        };
        let name = name.to_ascii_lowercase();
        if of_charset {
            self.charset = Some(name);
        } else {
            self.collate = Some(name);
        }
        *cursor = ahead;
        true
    }

    /// The character set in lower case.
    pub(super) fn name(&self) -> Option<String> {
        self.charset.clone().or_else(|| self.collation().map(|collation| collation.charset().to_owned()))
    }

    /// The collation, where it is named or every server has the same default for the character set.
    pub(super) fn collation(&self) -> Option<Collation> {
        if let Some(collate) = &self.collate {
            return Some(Collation::new(&self.with_prefix(collate)));
        }
        let charset = self.charset.as_deref()?;
        if self.binary {
            return Some(Collation::new(&format!("{charset}_bin")));
        }
        default_collation(charset).map(Collation::new)
    }

    /// A column's collation: its own, or its table's.
    pub(super) fn collation_in(&self, table: &Self) -> Option<Collation> {
        if self.collate.is_some() || self.charset.is_some() {
            return self.collation();
        }
        if self.binary {
            let charset = table.name()?;
            return Some(Collation::new(&format!("{charset}_bin")));
        }
        table.collation()
    }

    /// MariaDB's `CHARACTER SET latin1 COLLATE uca1400_ai_ci` leaves the prefix to the character set.
    fn with_prefix(&self, collate: &str) -> String {
        match &self.charset {
            Some(charset) if collate.starts_with("uca") => format!("{charset}_{collate}"),
            _ => collate.to_owned(),
        }
    }
}

/// The collation that a character set has where none is named.
///
/// utf8mb4 is not among them: it is `utf8mb4_0900_ai_ci`, `utf8mb4_general_ci` or `utf8mb4_uca1400_ai_ci`, by server
/// and configuration. A server that could leave a doubt prints the collation.
fn default_collation(charset: &str) -> Option<&'static str> {
    const DEFAULTS: [(&str, &str); 14] = [
        ("ascii", "ascii_general_ci"),
        ("big5", "big5_chinese_ci"),
        ("binary", "binary"),
        ("cp1250", "cp1250_general_ci"),
        ("cp1251", "cp1251_general_ci"),
        ("cp932", "cp932_japanese_ci"),
        ("gb2312", "gb2312_chinese_ci"),
        ("gbk", "gbk_chinese_ci"),
        ("koi8r", "koi8r_general_ci"),
        ("latin1", "latin1_swedish_ci"),
        ("latin2", "latin2_general_ci"),
        ("sjis", "sjis_japanese_ci"),
        ("utf8", "utf8_general_ci"),
        ("utf8mb3", "utf8mb3_general_ci"),
    ];
    DEFAULTS.iter().find(|(name, _)| *name == charset).map(|(_, collation)| *collation)
}
