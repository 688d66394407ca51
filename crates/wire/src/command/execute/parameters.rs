//! The parameters of one execution.

use std::sync::Arc;

use bytes::Bytes;
use serval_types::Value;

use super::ParameterType;
use super::value::{of_bytes, to_bytes};

/// Types and values, each value in the bytes of its type and without the length that may stand before it.
///
/// The bytes are slices of the packet that brought them, which lives as long as they do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    pub(super) types: Arc<[ParameterType]>,
    /// As many as types, each decodable by its type.
    pub(super) values: Vec<Option<Bytes>>,
}

impl Parameters {
    /// None at all.
    #[must_use]
    pub fn none() -> Self {
        Self { types: Arc::from([]), values: Vec::new() }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The types, to be remembered for an execution that does not send them again.
    #[must_use]
    pub const fn types(&self) -> &Arc<[ParameterType]> {
        &self.types
    }

    /// The bytes of a value; `None` for NULL, and for a parameter that there is not.
    #[must_use]
    pub fn raw(&self, position: usize) -> Option<&Bytes> {
        self.values.get(position)?.as_ref()
    }

    /// The value as servers understand it; NULL for a parameter that there is not.
    ///
    /// Dates and times are their text. A FLOAT is the DOUBLE of the same value, as it is for servers: 1.1 becomes
    /// 1.100000023841858. Strings are text, and binary only where the type is one of the BLOB types, BIT, GEOMETRY or
    /// VECTOR; drivers may well send binary data as a string.
    #[must_use]
    pub fn value(&self, position: usize) -> Value {
        match (self.types.get(position), self.raw(position)) {
            (Some(parameter_type), Some(bytes)) => of_bytes(*parameter_type, bytes),
            _ => Value::Null,
        }
    }

    /// All values, as [`Parameters::value`] gives them.
    #[must_use]
    pub fn values(&self) -> Vec<Value> {
        (0..self.len()).map(|position| self.value(position)).collect()
    }

    /// Adds a value that the client did not send, after all others.
    pub fn push(&mut self, value: &Value) {
        self.insert(self.values.len(), value);
    }

    /// Adds a value that the client did not send, before the one at `position`, or after all others where there is
    /// none.
    pub fn insert(&mut self, position: usize, value: &Value) {
        let position = position.min(self.values.len());
        let (parameter_type, bytes) = to_bytes(value);
        let (before, behind) = self.types.split_at(position.min(self.types.len()));
        self.types = before.iter().chain([&parameter_type]).chain(behind).copied().collect();
        self.values.insert(position, bytes);
    }
}

/// Adds values that the client did not send, after all others.
impl Extend<Value> for Parameters {
    fn extend<T: IntoIterator<Item = Value>>(&mut self, values: T) {
        let (types, values): (Vec<_>, Vec<_>) = values.into_iter().map(|value| to_bytes(&value)).unzip();
        self.types = self.types.iter().copied().chain(types).collect();
        self.values.extend(values);
    }
}
