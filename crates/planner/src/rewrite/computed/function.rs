//! Functions: what each of them computes.

use sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::choice::{self, printed};
use super::text::{self, Text};
use super::{Computed, OF_NUMBER, number};
use crate::analysis::Scope;
use crate::rewrite::expression::{is_named, whole_number};

/// Functions whose value is an exact number, whatever they are given.
const EXACT: [&str; 45] = [
    "ASCII",
    "BIT_COUNT",
    "BIT_LENGTH",
    "CHARACTER_LENGTH",
    "CHAR_LENGTH",
    "CRC32",
    "DATEDIFF",
    "DAY",
    "DAYOFMONTH",
    "DAYOFWEEK",
    "DAYOFYEAR",
    "FIELD",
    "FIND_IN_SET",
    "HOUR",
    "INET_ATON",
    "INSTR",
    "INTERVAL",
    "ISNULL",
    "JSON_CONTAINS",
    "JSON_CONTAINS_PATH",
    "JSON_DEPTH",
    "JSON_LENGTH",
    "JSON_VALID",
    "LENGTH",
    "LOCATE",
    "MICROSECOND",
    "MINUTE",
    "MONTH",
    "OCTET_LENGTH",
    "ORD",
    "PERIOD_ADD",
    "PERIOD_DIFF",
    "QUARTER",
    "SECOND",
    "SIGN",
    "STRCMP",
    "TIMESTAMPDIFF",
    "TIME_TO_SEC",
    "TO_DAYS",
    "TO_SECONDS",
    "UNIX_TIMESTAMP",
    "WEEK",
    "WEEKDAY",
    "WEEKOFYEAR",
    "YEARWEEK",
];

/// Functions whose value is a DOUBLE, printed in full.
const DOUBLE: [&str; 26] = [
    "ACOS",
    "ASIN",
    "ATAN",
    "ATAN2",
    "COS",
    "COT",
    "DEGREES",
    "EXP",
    "LN",
    "LOG",
    "LOG10",
    "LOG2",
    "POW",
    "POWER",
    "RADIANS",
    "RAND",
    "SIN",
    "SQRT",
    "ST_AREA",
    "ST_DISTANCE",
    "ST_DISTANCE_SPHERE",
    "ST_LENGTH",
    "ST_X",
    "ST_Y",
    "TAN",
    "PI",
];

/// Functions of rows whose value is an exact number.
const NUMBERS: [&str; 9] =
    ["BIT_AND", "BIT_OR", "BIT_XOR", "COUNT", "DENSE_RANK", "GROUPING", "NTILE", "RANK", "ROW_NUMBER"];

/// Functions of rows whose value is a DOUBLE.
const SPREADS: [&str; 9] = [
    "CUME_DIST",
    "PERCENT_RANK",
    "STD",
    "STDDEV",
    "STDDEV_POP",
    "STDDEV_SAMP",
    "VARIANCE",
    "VAR_POP",
    "VAR_SAMP",
];

/// Functions of rows whose value is one row's.
const CHOOSING: [&str; 8] =
    ["ANY_VALUE", "FIRST_VALUE", "LAG", "LAST_VALUE", "LEAD", "MAX", "MIN", "NTH_VALUE"];

/// An aggregate or a function over a window.
pub(super) fn of_rows(scope: Scope<'_>, function: &Function) -> Option<Computed> {
    if is_any(function, &NUMBERS) {
        return Some(Computed::Exact);
    }
    let arguments = arguments(function)?;
    let first = || Computed::of(scope, arguments.first()?);
    if is_any(function, &SPREADS) {
        // Of what prints fewer decimals they print fewer.
        let full = matches!(first(), Some(Computed::Exact | Computed::Double | Computed::Float));
        return Some(if full { Computed::Double } else { Computed::Short });
    }
    if is_any(function, &CHOOSING) {
        return first();
    }
    if is_named(function, "SUM") || is_named(function, "AVG") {
        return number::arithmetic(
            &first()?,
            &sqlparser::ast::BinaryOperator::Plus,
            &if is_named(function, "AVG") { Computed::Quotient } else { Computed::Exact },
        );
    }
    None
}

/// A function of values.
pub(super) fn of_values(scope: Scope<'_>, function: &Function) -> Option<Computed> {
    if is_any(function, &EXACT) {
        return Some(Computed::Exact);
    }
    if is_any(function, &DOUBLE) {
        return Some(Computed::Double);
    }
    let arguments = arguments(function)?;
    let name = function.name.0.last()?.as_ident()?.value.to_ascii_uppercase();
    let of = |index: usize| Computed::of(scope, arguments.get(index)?);
    let literal = |index: usize| whole_number(arguments.get(index)?);
    let all = || arguments.iter().map(|argument| Computed::of(scope, argument));
    if let Some(characters) = most_letters(&name, arguments.len()) {
        return letters(characters);
    }
    match (&*name, arguments.len()) {
        ("COALESCE" | "GREATEST" | "IFNULL" | "LEAST" | "NVL", _) => choice::any(all()),
        ("IF" | "NVL2", 3) | ("ELT", _) => choice::any(all().skip(1)),
        ("NULLIF", 2) => of(0),
        ("ABS", 1) => match of(0)? {
            Computed::Float => Some(Computed::Short),
            value => number::arithmetic(&value, &sqlparser::ast::BinaryOperator::Plus, &Computed::Exact),
        },
        ("CEIL" | "CEILING" | "FLOOR" | "ROUND", 1) => number::whole(&of(0)?),
        ("ROUND" | "TRUNCATE", 2) => literal(1).and_then(|_| number::whole(&of(0)?)),
        ("MOD", 2) => number::arithmetic(&of(0)?, &sqlparser::ast::BinaryOperator::Modulo, &of(1)?),
        ("YEAR", 1) => Some(Computed::Exact),
        ("CURDATE" | "CURRENT_DATE" | "UTC_DATE" | "DATE" | "LAST_DAY" | "FROM_DAYS" | "MAKEDATE", _) => {
            Some(Computed::Date)
        }
        ("NOW" | "CURRENT_TIMESTAMP" | "LOCALTIMESTAMP" | "LOCALTIME" | "UTC_TIMESTAMP", _) => {
            Some(Computed::DateTime)
        }
        ("FROM_UNIXTIME", 1) | ("TIMESTAMP", 1 | 2) | ("CONVERT_TZ", 3) => Some(Computed::DateTime),
        ("TIMESTAMPADD", 3) => text::later(of(2)?),
        ("SEC_TO_TIME" | "MAKETIME" | "TIMEDIFF" | "TIME", _) => Some(Computed::Time),
        ("DATE_ADD" | "DATE_SUB" | "ADDDATE" | "SUBDATE" | "ADDTIME" | "SUBTIME", 2) => text::later(of(0)?),
        ("CONCAT", _) => text::concatenated(&all().collect::<Option<Vec<_>>>()?),
        ("CONCAT_WS", 2..) => {
            let mut values = all().collect::<Option<Vec<_>>>()?;
            let between = text::repeated(&values[0], u32::try_from(values.len()).ok()?)?;
            values[0] = between;
            text::concatenated(&values)
        }
        ("LOWER" | "UPPER" | "LCASE" | "UCASE" | "QUOTE", 1) => {
            let value = of(0)?;
            // Quotes double, and there are two more.
            if name == "QUOTE" { text::repeated(&value, 3) } else { printed(&value).map(Computed::Text) }
        }
        ("LEFT" | "RIGHT", 2) => text::cut(of(0)?, literal(1)),
        ("SUBSTRING" | "SUBSTR" | "MID", 3) => text::cut(of(0)?, literal(2)),
        ("SUBSTRING" | "SUBSTR", 2) | ("SUBSTRING_INDEX", 3) | ("REVERSE" | "TRIM", 1) => {
            text::cut(of(0)?, None)
        }
        ("LTRIM" | "RTRIM", 1) => text::cut(of(0)?, None),
        ("LPAD" | "RPAD", 3) => text::filled(&of(0)?, literal(1)?, &of(2)?),
        ("REPEAT", 2) => text::repeated(&of(0)?, literal(1)?),
        ("SPACE", 1) => text::repeated(&Computed::Text(Text::literal(" ")), literal(0)?),
        ("REPLACE", 3) => {
            let (by, text) = (printed(&of(2)?)?, of(0)?);
            let text = text::repeated(&text, by.characters.max(1))?;
            text::cut(choice::any([Some(text), Some(Computed::Text(by))].into_iter())?, None)
        }
        ("HEX", 1) => {
            let bytes = match of(0)? {
                Computed::Binary(length) => length,
                Computed::Text(text) => text.characters.saturating_mul(4),
                _ => 32,
            };
            letters(bytes.saturating_mul(2))
        }
        // It has a line feed inside.
        ("TO_BASE64", 1) => match text::repeated(&of(0)?, 6)? {
            Computed::Text(text) => Some(Computed::Text(Text { low: true, ..text })),
            _ => None,
        },
        // The longest is a name of a day or month, for two characters.
        ("DATE_FORMAT" | "TIME_FORMAT" | "FROM_UNIXTIME", 2 | 3) => match of(1)? {
            Computed::Text(format) => text::repeated(&Computed::Text(format), 16),
            _ => None,
        },
        _ => None,
    }
}

/// How long a text of letters and digits is that these functions make of whatever they are given.
fn most_letters(name: &str, arguments: usize) -> Option<u32> {
    Some(match (name, arguments) {
        ("INET_NTOA", 1) => 15,
        ("MD5", 1) => 32,
        ("SHA" | "SHA1", 1) => 40,
        ("BIN" | "OCT" | "DAYNAME" | "MONTHNAME", 1) | ("CONV", 3) => 64,
        ("FORMAT", 2 | 3) => OF_NUMBER,
        ("SHA2", 2) => 128,
        _ => return None,
    })
}

/// A text of letters and digits, whose collation is the session's.
fn letters(characters: u32) -> Option<Computed> {
    Some(Computed::Text(Text { characters, ..Text::SHORT }))
}

fn is_any(function: &Function, names: &[&str]) -> bool {
    names.iter().any(|name| is_named(function, name))
}

/// The arguments of a plain call.
fn arguments(function: &Function) -> Option<Vec<&Expr>> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let expression = |argument| match argument {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expr)) => Some(expr),
        _ => None,
    };
    list.args.iter().map(expression).collect()
}
