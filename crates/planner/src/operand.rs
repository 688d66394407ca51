//! Operands: the values that decide where a statement goes, known only when it is bound.

use serval_catalog::{ShardIndex, Zone};
use serval_sql::{Hole, HoleKind, LexOptions, ListClass, Locator, Scan, Span, literal_value};
use serval_types::{ColumnType, NodeId, Value};
use sqlparser::ast::{DataType, Expr, TimezoneInfo, UnaryOperator, Value as SqlValue};

use crate::fold::Fold;
use crate::variables::UserVariables;

/// A value by its place in the statement, so that one plan serves every statement with the same key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    /// The literal or parameter in a hole; `negated` where a unary minus stands before it.
    Hole {
        /// Index into [`Scan::holes`].
        hole: usize,
        /// A minus sign precedes the literal.
        negated: bool,
    },
    /// Every element of a list hole.
    List(usize),
    /// A value that is part of the key: NULL, TRUE, FALSE.
    Constant(Value),
    /// The statement's instant in the session's time zone: NOW(), CURRENT_TIMESTAMP, CURDATE().
    Now,
    /// An expression of constants, which predicates may have.
    Computed(Box<Fold>),
    /// A user variable, which predicates may have; its name is in lower case, with the @.
    Variable(Box<str>),
}

/// The character set that a client's strings reach the servers' columns through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientText {
    /// The bytes of a string are its characters in UTF-8.
    #[default]
    Utf8mb4,
    /// So are they, up to the first one of four bytes.
    Utf8mb3,
    /// Only ASCII can be told.
    Other,
}

/// What a statement and its execution provide to fill operands from.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// The statement being run (not the one that was planned).
    pub sql: &'a [u8],
    /// Its scan.
    pub scan: &'a Scan,
    /// The values of `?` in order; empty for plain queries.
    pub parameters: &'a [Value],
    /// How its literals are written.
    pub options: LexOptions,
    /// What NOW(6) is for this statement.
    pub now: Option<&'a Value>,
    /// What the bytes of its strings are.
    pub text: ClientText,
    /// The shard of each row of an INSERT, where a parent's rows say that.
    pub shards: Option<&'a [ShardIndex]>,
    /// The session's time zone, where it is known.
    pub zone: Option<&'a Zone>,
    /// The session's user variables, where they are what they are for all of the statement.
    pub variables: Option<&'a dyn UserVariables>,
    /// The first number of a sequence, where such numbers are parameters behind the client's; literals without it.
    pub numbers_from: Option<u64>,
    /// Which of a global table's copies is read; the first without it.
    pub copy: Option<NodeId>,
}

impl Operand {
    /// The operand that an expression is, or `None` where it is more than a literal.
    pub(crate) fn of(expr: &Expr, locator: &Locator, scan: &Scan) -> Option<Self> {
        match expr {
            Expr::Nested(inner) => Self::of(inner, locator, scan),
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match Self::of(expr, locator, scan)? {
                Self::Hole { hole, negated } if is_number(scan.holes[hole].kind) => {
                    Some(Self::Hole { hole, negated: !negated })
                }
                // What a minus makes of a string, or of a parameter that may be one, depends on the server.
                Self::Hole { .. }
                | Self::List(_)
                | Self::Constant(_)
                | Self::Now
                | Self::Computed(_)
                | Self::Variable(_) => None,
            },
            Expr::UnaryOp { op: UnaryOperator::Plus, expr } => Self::of(expr, locator, scan),
            Expr::Value(value) => match &value.value {
                SqlValue::Null => Some(Self::Constant(Value::Null)),
                SqlValue::Boolean(truth) => Some(Self::Constant(Value::Int(i64::from(*truth)))),
                _ => Self::hole_at(locator.span(value.span).start, scan),
            },
            // As text it names the same moment. A TIME is one of the current day.
            Expr::TypedString(typed) if typed.data_type != DataType::Time(None, TimezoneInfo::None) => {
                Self::hole_at(locator.span(typed.value.span).start, scan)
            }
            _ => None,
        }
    }

    fn hole_at(byte: u32, scan: &Scan) -> Option<Self> {
        let (hole, element) = scan.hole_at(byte)?;
        let known = !matches!(scan.holes[hole].kind, HoleKind::Comment | HoleKind::National);
        (known && element.is_none()).then_some(Self::Hole { hole, negated: false })
    }

    /// Calls `each` with every value of the operand: one, or a list's elements.
    pub(crate) fn for_each(&self, values: &Values<'_>, mut each: impl FnMut(Value)) {
        match self {
            Self::Constant(value) => each(value.clone()),
            Self::Now => each(values.now.cloned().unwrap_or(Value::Null)),
            Self::Hole { hole, negated } => {
                let value = values.of_hole(*hole);
                each(if *negated { value.negated().unwrap_or(Value::Null) } else { value });
            }
            Self::List(hole) => values.for_each_element(*hole, each),
            Self::Computed(fold) => each(fold.value(values).unwrap_or(Value::Null)),
            Self::Variable(name) => each(values.variable(name).unwrap_or(Value::Null)),
        }
    }

    /// Calls `each` with every value of the operand, or with `None` in the place of one that is not known.
    pub(crate) fn each_known(&self, values: &Values<'_>, mut each: impl FnMut(Option<Value>)) {
        match self {
            Self::Now => each(values.now.cloned()),
            Self::Computed(fold) => each(fold.value(values)),
            Self::Variable(name) => each(values.variable(name)),
            plain => plain.for_each(values, |value| each(Some(value).filter(|value| values.is_known(value)))),
        }
    }

    /// The single value where it is known.
    pub(crate) fn known(&self, values: &Values<'_>) -> Option<Value> {
        let mut only = None;
        self.each_known(values, |value| only = value);
        only
    }

    /// Whether the statement's instant decides.
    pub(crate) fn looks_at_clock(&self) -> bool {
        match self {
            Self::Now => true,
            Self::Computed(fold) => fold.looks_at_clock(),
            Self::Hole { .. } | Self::List(_) | Self::Constant(_) | Self::Variable(_) => false,
        }
    }

    /// The single value; a list has none and gives NULL.
    pub(crate) fn value(&self, values: &Values<'_>) -> Value {
        let mut only = Value::Null;
        self.for_each(values, |value| only = value);
        only
    }
}

impl Values<'_> {
    fn variable(&self, name: &str) -> Option<Value> {
        self.variables?.value(name)
    }

    /// Whether the value's bytes are what a column will store and compare. A string in a character set that the
    /// servers convert from may become another.
    pub(crate) fn is_known(&self, value: &Value) -> bool {
        match (value, self.text) {
            (Value::Text(text), ClientText::Other) => text.is_ascii(),
            (Value::Text(text), ClientText::Utf8mb3) => text.iter().all(|byte| *byte < 0xf0),
            _ => true,
        }
    }

    fn of_hole(&self, hole: usize) -> Value {
        let Some(found) = self.scan.holes.get(hole) else { return Value::Null };
        if found.kind == HoleKind::Parameter {
            return self.parameters.get(found.before as usize).cloned().unwrap_or(Value::Null);
        }
        self.literal(found.span, found.kind)
    }

    fn for_each_element(&self, hole: usize, mut each: impl FnMut(Value)) {
        let Some(found) = self.scan.holes.get(hole) else { return };
        let HoleKind::List(class) = found.kind else { return };
        let elements = &self.scan.elements[found.elements.start as usize..found.elements.end as usize];
        if class == ListClass::Parameter {
            for number in found.parameters() {
                each(self.parameters.get(number).cloned().unwrap_or(Value::Null));
            }
            return;
        }
        for element in elements {
            each(self.literal(*element, element_kind(class)));
        }
    }

    fn literal(&self, span: Span, kind: HoleKind) -> Value {
        literal_value(self.sql, span, kind, self.options)
    }
}

/// The numbers of the parameters that stand in holes, in order. A statement has at most 65,535 of them: COM_STMT_PREPARE
/// counts them in two bytes.
pub(crate) fn parameters_in<'h>(holes: impl IntoIterator<Item = &'h Hole>) -> impl Iterator<Item = u16> {
    let numbers = holes.into_iter().flat_map(Hole::parameters);
    numbers.filter_map(|number| u16::try_from(number).ok())
}

/// Whether a column holds dates.
pub(crate) fn is_date(declared: &ColumnType) -> bool {
    matches!(declared, ColumnType::Date | ColumnType::DateTime { .. } | ColumnType::Timestamp { .. })
}

/// Whether an expression means a date, which only a column of dates takes as it is written.
pub(crate) fn is_moment(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_moment(inner),
        Expr::TypedString(_) => true,
        other => is_now(other),
    }
}

fn is_number(kind: HoleKind) -> bool {
    matches!(kind, HoleKind::Integer | HoleKind::Decimal | HoleKind::Float)
}

/// Whether an expression is the statement's instant (or its day).
pub(crate) fn is_now(expr: &Expr) -> bool {
    const NAMES: [&str; 6] =
        ["NOW", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "CURDATE", "CURRENT_DATE"];
    let Expr::Function(function) = expr else { return false };
    matches!(&*function.name.0, [part] if part.as_ident().is_some_and(|ident| {
        NAMES.iter().any(|name| ident.value.eq_ignore_ascii_case(name))
    }))
}

/// What a single literal of a list's class is.
fn element_kind(class: ListClass) -> HoleKind {
    match class {
        ListClass::Integer => HoleKind::Integer,
        ListClass::Decimal => HoleKind::Decimal,
        ListClass::Float => HoleKind::Float,
        ListClass::Text => HoleKind::Text,
        ListClass::Hex => HoleKind::Hex,
        ListClass::Bit => HoleKind::Bit,
        ListClass::National => HoleKind::National,
        ListClass::Parameter => HoleKind::Parameter,
    }
}
