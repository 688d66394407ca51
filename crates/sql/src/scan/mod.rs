//! One pass over a statement: its cache key, its holes, its class.

use std::ops::Range;

use smallvec::SmallVec;

use crate::hint::{HintError, Hints};
use crate::lexer::LexError;
use crate::{LexOptions, Span, StatementClass, TokenKind};

mod marks;
mod scanner;

pub use marks::Marks;

/// What stands at a hole of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HoleKind {
    /// Digits.
    Integer,
    /// Digits with a point.
    Decimal,
    /// Digits with an exponent.
    Float,
    /// `'abc'`; strings next to each other are one hole.
    Text,
    /// `x'1f'`, `0x1f`.
    Hex,
    /// `b'01'`, `0b01`.
    Bit,
    /// `N'abc'`.
    National,
    /// `?`.
    Parameter,
    /// A comment that servers skip.
    Comment,
    /// What stands between the parentheses of `IN (…)` where all elements are of one class.
    List(ListClass),
}

/// What every element of a list hole is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListClass {
    /// [`HoleKind::Integer`].
    Integer,
    /// [`HoleKind::Decimal`].
    Decimal,
    /// [`HoleKind::Float`].
    Float,
    /// [`HoleKind::Text`].
    Text,
    /// [`HoleKind::Hex`].
    Hex,
    /// [`HoleKind::Bit`].
    Bit,
    /// [`HoleKind::National`].
    National,
    /// [`HoleKind::Parameter`].
    Parameter,
}

/// A place that the key leaves open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// Where it stands in the statement.
    pub span: Span,
    /// What stands there.
    pub kind: HoleKind,
    /// The elements of a list, as a range of [`Scan::elements`]; empty for all others.
    pub elements: Range<u32>,
    /// How many parameters stand before it.
    pub before: u32,
}

impl Hole {
    /// The numbers of the parameters that stand in it; empty where it holds something else.
    #[must_use]
    pub fn parameters(&self) -> Range<usize> {
        let before = self.before as usize;
        let count = match self.kind {
            HoleKind::Parameter => 1,
            HoleKind::List(ListClass::Parameter) => self.elements.len(),
            _ => 0,
        };
        before..before + count
    }
}

/// What one pass over a statement found.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// The statement with every hole replaced by a NUL byte and a letter; all other bytes verbatim.
    pub key: Vec<u8>,
    /// The holes in order.
    pub holes: SmallVec<[Hole; 8]>,
    /// The elements of all list holes, in order.
    pub elements: Vec<Span>,
    /// What the statement is.
    pub class: StatementClass,
    /// The first word, where there is one.
    pub first_word: Option<Span>,
    /// Whether the statement contains `/*! … */` or `/*M! … */`, whose literals are not holes.
    pub version_comments: bool,
    /// What few statements have.
    pub marks: Marks,
    /// Where the statement ends: before its `;`, and before white space and line comments at the end.
    pub end: u32,
    /// The hints for the proxy; `None` where there are none.
    pub hints: Option<Box<Result<Hints, HintError>>>,
    /// Where the next statement begins, if another one follows the `;`.
    pub next_statement: Option<u32>,
}

/// Scans the first statement of a text.
///
/// ```
/// use serval_sql::{HoleKind, LexOptions, ListClass, scan};
/// let found = scan(b"SELECT a FROM t WHERE b = 'x' AND c IN (1, 2)", LexOptions::default())?;
/// assert_eq!(found.key, b"SELECT a FROM t WHERE b = \0T AND c IN (\0i)");
/// assert_eq!(found.holes[1].kind, HoleKind::List(ListClass::Integer));
/// # Ok::<(), serval_sql::LexError>(())
/// ```
///
/// # Errors
/// Where MySQL's own lexer would give up, and for NUL bytes outside literals.
pub fn scan(sql: &[u8], options: LexOptions) -> Result<Scan, LexError> {
    scanner::Scanner::new(sql, options).run()
}

impl HoleKind {
    /// The letter that stands for the kind in a key, behind a NUL byte. Lists have their class's letter in lower case.
    #[must_use]
    pub fn letter(self) -> u8 {
        match self {
            Self::Integer => b'I',
            Self::Decimal => b'D',
            Self::Float => b'F',
            Self::Text => b'T',
            Self::Hex => b'H',
            Self::Bit => b'B',
            Self::National => b'N',
            Self::Parameter => b'P',
            Self::Comment => b'C',
            Self::List(class) => Self::from(class).letter().to_ascii_lowercase(),
        }
    }

    /// The kind of hole that a token is, if it is one.
    pub(crate) fn of_token(kind: TokenKind) -> Option<Self> {
        Some(match kind {
            TokenKind::Integer => Self::Integer,
            TokenKind::Decimal => Self::Decimal,
            TokenKind::Float => Self::Float,
            TokenKind::Text => Self::Text,
            TokenKind::Hex => Self::Hex,
            TokenKind::Bit => Self::Bit,
            TokenKind::National => Self::National,
            TokenKind::Parameter => Self::Parameter,
            TokenKind::Comment => Self::Comment,
            _ => return None,
        })
    }
}

impl ListClass {
    /// The class of lists whose elements are of this kind.
    pub(crate) fn of_element(kind: HoleKind) -> Option<Self> {
        Some(match kind {
            HoleKind::Integer => Self::Integer,
            HoleKind::Decimal => Self::Decimal,
            HoleKind::Float => Self::Float,
            HoleKind::Text => Self::Text,
            HoleKind::Hex => Self::Hex,
            HoleKind::Bit => Self::Bit,
            HoleKind::National => Self::National,
            HoleKind::Parameter => Self::Parameter,
            HoleKind::Comment | HoleKind::List(_) => return None,
        })
    }
}

impl From<ListClass> for HoleKind {
    fn from(class: ListClass) -> Self {
        match class {
            ListClass::Integer => Self::Integer,
            ListClass::Decimal => Self::Decimal,
            ListClass::Float => Self::Float,
            ListClass::Text => Self::Text,
            ListClass::Hex => Self::Hex,
            ListClass::Bit => Self::Bit,
            ListClass::National => Self::National,
            ListClass::Parameter => Self::Parameter,
        }
    }
}

impl Scan {
    /// The hole that covers `byte`, and, in a list, the index into [`Scan::elements`] of the element that does.
    #[must_use]
    pub fn hole_at(&self, byte: u32) -> Option<(usize, Option<usize>)> {
        let hole = self.holes.partition_point(|hole| hole.span.end <= byte);
        let found = self.holes.get(hole).filter(|found| found.span.contains(byte))?;
        let range = found.elements.start as usize..found.elements.end as usize;
        let elements = self.elements.get(range).unwrap_or_default();
        let element = elements.partition_point(|element| element.end <= byte);
        let inside = elements.get(element).is_some_and(|element| element.contains(byte));
        Some((hole, inside.then_some(found.elements.start as usize + element)))
    }

    /// The elements of a list hole; empty for any other.
    #[must_use]
    pub fn list(&self, hole: usize) -> &[Span] {
        let Some(hole) = self.holes.get(hole) else { return &[] };
        self.elements.get(hole.elements.start as usize..hole.elements.end as usize).unwrap_or_default()
    }

    /// The holes that stand inside of a span.
    #[must_use]
    pub fn holes_in(&self, span: Span) -> &[Hole] {
        let first = self.holes.partition_point(|hole| hole.span.start < span.start);
        let end = self.holes.partition_point(|hole| hole.span.end <= span.end);
        self.holes.get(first..end).unwrap_or_default()
    }

    /// The number of `?`.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        self.holes.last().map_or(0, |hole| hole.parameters().end)
    }
}
