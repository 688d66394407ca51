//! A column, its type, and values that it can hold.

use super::super::dice::Dice;

pub(crate) const WORDS: [&str; 14] = [
    "apple", "Apple", "apple ", "äpfel", "Äpfel", "pear", "PEAR", "zoo", "", "fig", "straße", "strasse",
    "a_b%", "10",
];

/// What expressions a column can stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Exact numbers, of which any rows can be added up.
    Exact,
    /// DECIMAL of 65 digits: servers cut their sums, or do not, as their plan is.
    Huge,
    /// FLOAT and DOUBLE.
    Real,
    Text,
    Moment,
    /// ENUM and SET.
    Member,
    /// BINARY and BLOB.
    Bytes,
    Bit,
    Json,
}

#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) class: Class,
    /// As CREATE TABLE has it.
    pub(crate) declared: &'static str,
    pub(crate) nullable: bool,
    /// No two rows have the same.
    pub(crate) unique: bool,
}

const EXACT: [&str; 12] = [
    "TINYINT",
    "SMALLINT UNSIGNED",
    "MEDIUMINT",
    "INT",
    "INT UNSIGNED",
    "BIGINT",
    "BIGINT UNSIGNED",
    "DECIMAL(65,30)",
    "DECIMAL(20,0)",
    "DECIMAL(10,4) UNSIGNED",
    "YEAR",
    "TINYINT(1)",
];
const HUGE: [&str; 3] = ["DECIMAL(65,30)", "DECIMAL(65,0)", "DECIMAL(65,20)"];
const REAL: [&str; 5] = ["DOUBLE", "FLOAT", "DOUBLE UNSIGNED", "DOUBLE(8,2)", "FLOAT(8,2)"];
const TEXT: [&str; 9] = [
    "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
    "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_german1_ci",
    "CHAR(12) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
    "CHAR(12) CHARACTER SET latin1 COLLATE latin1_bin",
    "TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
    "TINYTEXT CHARACTER SET latin1 COLLATE latin1_german1_ci",
    "VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
    "MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
];
const MOMENT: [&str; 8] =
    ["DATE", "DATETIME", "DATETIME(3)", "DATETIME(6)", "TIMESTAMP", "TIMESTAMP(6)", "TIME", "TIME(2)"];
const MEMBER: [&str; 3] =
    ["ENUM('z','y','x')", "SET('a','b','c')", "ENUM('','10','Ä') CHARACTER SET utf8mb4"];
const BYTES: [&str; 4] = ["BINARY(5)", "VARBINARY(10)", "BLOB", "TINYBLOB"];
const BIT: [&str; 3] = ["BIT(1)", "BIT(9)", "BIT(64)"];

impl Column {
    /// A column of a class, of some type.
    pub(crate) fn of(class: Class, name: &str, dice: &mut Dice) -> Self {
        let declared = match class {
            Class::Exact => dice.one_of(&EXACT),
            Class::Huge => dice.one_of(&HUGE),
            Class::Real => dice.one_of(&REAL),
            Class::Text => dice.one_of(&TEXT),
            Class::Moment => dice.one_of(&MOMENT),
            Class::Member => dice.one_of(&MEMBER),
            Class::Bytes => dice.one_of(&BYTES),
            Class::Bit => dice.one_of(&BIT),
            Class::Json => "JSON",
        };
        Self { name: name.to_owned(), class, declared, nullable: !dice.once_in(4), unique: false }
    }

    pub(crate) fn unique(name: &str, declared: &'static str) -> Self {
        let class = if declared.starts_with("VARCHAR") { Class::Text } else { Class::Exact };
        Self { name: name.to_owned(), class, declared, nullable: false, unique: true }
    }

    /// Its line of CREATE TABLE.
    pub(crate) fn line(&self) -> String {
        format!("{} {} {}", self.name, self.declared, if self.nullable { "NULL" } else { "NOT NULL" })
    }

    /// A value for a new row; `at` is a number that no other row has.
    pub(crate) fn stored(&self, dice: &mut Dice, at: u64) -> String {
        match (self.unique, self.class) {
            (true, Class::Text) => format!("'{}{at}'", dice.one_of(&["k", "K", "ä", "k "])),
            (true, _) => at.to_string(),
            (false, _) => self.value(dice),
        }
    }

    /// A value that it can hold.
    pub(crate) fn value(&self, dice: &mut Dice) -> String {
        if self.nullable && dice.once_in(6) {
            return "NULL".to_owned();
        }
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        match self.class {
            Class::Exact | Class::Huge => self.exact(dice),
            Class::Real if self.declared.ends_with("UNSIGNED") => {
                dice.one_of(&["0", "1.25", "3.5", "1024", "2e3"]).to_owned()
            }
            Class::Real if self.declared == "FLOAT" && dice.once_in(3) => {
                dice.one_of(&["16777216", "16777218", "1.0000001", "1.0000002"]).to_owned()
            }
            Class::Real => dice.one_of(&["0", "-0e0", "1.25", "-3.5", "1024", "-0.5", "7"]).to_owned(),
            Class::Text if self.declared.contains("utf8mb4") && dice.once_in(4) => {
                dice.one_of(&["'😀'", "'😀a'", "'日本'", "'ÅŁ'"]).to_owned()
            }
            Class::Text => quoted(dice.one_of(&WORDS)),
            Class::Moment => self.moment(dice),
            Class::Member if self.declared.starts_with("SET") => {
                quoted(dice.one_of(&["", "a", "b", "a,c", "a,b,c"]))
            }
            Class::Member if self.declared.starts_with("ENUM('z'") => quoted(dice.one_of(&["x", "y", "z"])),
            Class::Member => quoted(dice.one_of(&["", "10", "Ä"])),
            Class::Bytes => dice.one_of(&["x'00'", "x'ff00'", "'abc'", "''", "x'41'", "x'4100'"]).to_owned(),
            Class::Bit => dice.one_of(&["b'0'", "b'1'"]).to_owned(),
            Class::Json => quoted(dice.one_of(&[
                "{\"a\": 1}",
                "[1, 2, \"ä\"]",
                "null",
                "\"x\"",
                "1.5",
                "{\"b\": {\"c\": [true]}}",
            ])),
        }
    }

    fn exact(&self, dice: &mut Dice) -> String {
        let small = dice.below(9);
        let choices: &[&str] = match self.declared {
            "TINYINT" => &["-128", "127", "-1"],
            "TINYINT(1)" => &["0", "1", "1"],
            "SMALLINT UNSIGNED" => &["65535", "300", "5"],
            "MEDIUMINT" => &["-8388608", "8388607", "77"],
            "INT" => &["-2147483648", "2147483647", "-5"],
            "INT UNSIGNED" => &["4294967295", "99", "7"],
            "BIGINT" => &["-9223372036854775808", "9223372036854775807", "-4"],
            "BIGINT UNSIGNED" => &["18446744073709551615", "9223372036854775808", "3"],
            "DECIMAL(65,30)" if self.class == Class::Exact => &[
                "999999999999999999999999999999999.999999999999999999999999999999",
                "-999999999999999999999999999999999.999999999999999999999999999999",
                "0.000000000000000000000000000001",
                "-1.5",
                "12345678901234567890.5",
            ],
            "DECIMAL(65,30)" => &[
                "99999999999999999999999999999999999.999999999999999999999999999999",
                "-99999999999999999999999999999999999.999999999999999999999999999999",
                "99999999999999999999999999999999999.999999999999999999999999999998",
                "0.000000000000000000000000000001",
            ],
            "DECIMAL(65,0)" => &[
                "99999999999999999999999999999999999999999999999999999999999999999",
                "-99999999999999999999999999999999999999999999999999999999999999999",
                "99999999999999999999999999999999999999999999999999999999999999998",
            ],
            "DECIMAL(65,20)" => &[
                "999999999999999999999999999999999999999999999.99999999999999999999",
                "-0.00000000000000000001",
                "0.00000000000000000001",
            ],
            "DECIMAL(20,0)" => &["99999999999999999999", "-12345678901234567890", "4"],
            "DECIMAL(10,4) UNSIGNED" => &["999999.9999", "0.0001", "2.5"],
            "YEAR" => return format!("{}", 2000 + small),
            _ => &["0"],
        };
        if dice.once_in(3) { dice.one_of(choices).to_owned() } else { small.to_string() }
    }

    fn moment(&self, dice: &mut Dice) -> String {
        let (month, day, hour) = (dice.below(12) + 1, dice.below(28) + 1, dice.below(24));
        let fraction = dice.one_of(&["", "", ".5", ".123456", ".999"]);
        let text = match self.declared {
            "DATE" => dice.one_of(&["1000-01-01", "9999-12-31", "2024-02-29"]).to_owned(),
            "TIME" | "TIME(2)" => {
                dice.one_of(&["838:59:59", "-838:59:59", "00:00:00", "-00:00:01"]).to_owned()
            }
            _ if self.declared.starts_with("TIMESTAMP") => {
                dice.one_of(&["1971-01-01 00:00:01", "2037-12-31 23:59:59"]).to_owned()
            }
            _ => dice.one_of(&["1000-01-01 00:00:00", "9999-12-31 23:59:58"]).to_owned(),
        };
        if dice.once_in(4) {
            return format!("'{text}'");
        }
        match self.declared {
            "DATE" => format!("'2026-{month:02}-{day:02}'"),
            "TIME" | "TIME(2)" => format!("'{hour:02}:{day:02}:{month:02}{fraction}'"),
            _ => format!("'2026-{month:02}-{day:02} {hour:02}:00:00{fraction}'"),
        }
    }

    /// A value that it cannot hold.
    pub(crate) fn wrong(&self) -> Option<&'static str> {
        match self.class {
            Class::Exact if self.declared == "YEAR" => Some("1800"),
            Class::Exact if !self.declared.starts_with("DECIMAL(65") => Some("-99999999999999999999999"),
            Class::Text if self.declared.contains("(20)") || self.declared.contains("(12)") => {
                Some("'a text that is too long for it'")
            }
            Class::Moment if !self.declared.starts_with("TIME(") && self.declared != "TIME" => {
                Some("'2026-13-45'")
            }
            Class::Member => Some("'nothing'"),
            Class::Json => Some("'{'"),
            _ => None,
        }
    }
}
