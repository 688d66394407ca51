//! What changes the meaning of a statement's text: parts of sql_mode, and the character set that it is written in.

use crate::Pairs;

/// How a statement's text is read, as the session's `sql_mode` and character set say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct LexOptions {
    /// ANSI_QUOTES: `"x"` is an identifier, not a string.
    pub ansi_quotes: bool,
    /// NO_BACKSLASH_ESCAPES: a backslash in a string is a backslash.
    pub no_backslash_escapes: bool,
    /// PIPES_AS_CONCAT: `||` concatenates; otherwise it is OR.
    pub pipes_as_concat: bool,
    /// NO_AUTO_VALUE_ON_ZERO: 0 for an AUTO_INCREMENT column is 0; otherwise it asks for the next number, as NULL does.
    pub no_auto_value_on_zero: bool,
    /// The client's character set, as far as it decides where a string ends.
    pub pairs: Pairs,
}

impl LexOptions {
    /// The same text in a character set whose characters are these.
    #[must_use]
    pub fn with_pairs(self, pairs: Pairs) -> Self {
        Self { pairs, ..self }
    }

    /// The options that a value of `sql_mode` sets, combination modes such as `ANSI` included.
    ///
    /// ```
    /// let options = serval_sql::LexOptions::from_sql_mode("ANSI,STRICT_ALL_TABLES");
    /// assert!(options.ansi_quotes && options.pipes_as_concat && !options.no_backslash_escapes);
    /// ```
    #[must_use]
    pub fn from_sql_mode(sql_mode: &str) -> Self {
        let mut options = Self::default();
        for mode in sql_mode.split(',') {
            match mode.trim().to_ascii_uppercase().as_str() {
                "ANSI_QUOTES" => options.ansi_quotes = true,
                "NO_BACKSLASH_ESCAPES" => options.no_backslash_escapes = true,
                "NO_AUTO_VALUE_ON_ZERO" => options.no_auto_value_on_zero = true,
                "PIPES_AS_CONCAT" => options.pipes_as_concat = true,
                "ANSI" | "DB2" | "MAXDB" | "MSSQL" | "ORACLE" | "POSTGRESQL" => {
                    options.ansi_quotes = true;
                    options.pipes_as_concat = true;
                }
                _ => {}
            }
        }
        options
    }
}
