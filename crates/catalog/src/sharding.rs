//! How one sharded table is cut: from values of its sharding columns to the shards that can hold it.

use std::ops::Bound;
use std::sync::Arc;

use serval_types::{ColumnType, NodeId, Value};

use crate::convert::{Candidates, Domain, Stored};
use crate::{ColumnDef, Key, Rule, ShardFunction, ShardIndex, ShardSet, TextMatch, Unroutable};

mod family;
mod instants;
mod joined;

pub use family::{Child, Guide, ParentKey};

/// One piece of a sharded table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// Where it lies.
    pub node: NodeId,
    /// Its name there: the table's own, or `events_202611` where a rule splits tables inside a node.
    pub table: String,
}

/// A column whose value decides where a row lies.
#[derive(Debug, Clone)]
pub struct ShardingColumn {
    /// The name, as the config or the definition writes it.
    pub name: String,
    /// Its type; [`ColumnType::Other`] of an empty name until the table's definition is known.
    pub column_type: ColumnType,
    /// How the application's text keys compare, where the collation alone does not say.
    pub text_match: TextMatch,
    /// Whether the rule's second function takes it.
    pub inside: bool,
    /// Whether it names a row of a parent, which says where the row lies, so that the value alone tells nothing.
    pub follows: bool,
    /// Whether it stores NULL; where it does not, a server without strict mode makes something else of it.
    pub nullable: bool,
    domain: Domain,
}

/// The rule of a sharded table, applied to its sharding columns.
#[derive(Debug, Clone)]
pub struct Sharding {
    /// The rule; co-located tables share one.
    pub rule: Arc<Rule>,
    /// The sharding columns: those of the rule's function, then that of its second one. Mostly one.
    pub columns: Vec<ShardingColumn>,
    /// The pieces. A [`ShardIndex`] counts these.
    pub shards: Vec<Shard>,
    /// The table beside whose rows these rows lie; then there is one column, which holds that table's key.
    pub parent: Option<ParentKey>,
    /// The tables whose rows lie beside these.
    pub children: Vec<Child>,
}

/// A range of at most this many whole numbers is routed number by number.
const ENUMERABLE: i128 = 256;

impl ShardingColumn {
    /// A column whose type is not known yet.
    #[must_use]
    pub fn new(name: &str, text_match: TextMatch, inside: bool) -> Self {
        let column_type = ColumnType::Other(String::new());
        Self {
            name: name.to_owned(),
            column_type,
            text_match,
            inside,
            follows: false,
            nullable: true,
            domain: Domain::Unknown,
        }
    }

    /// A column that names a row of a parent.
    #[must_use]
    pub fn following(name: &str) -> Self {
        Self { follows: true, ..Self::new(name, TextMatch::Raw, false) }
    }

    /// The same column before its type is known.
    #[must_use]
    pub fn untyped(&self) -> Self {
        Self { follows: self.follows, ..Self::new(&self.name, self.text_match, self.inside) }
    }

    /// The same column under another name, in another table.
    pub(crate) fn renamed(&self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self.untyped() }
    }

    /// The same column once its type is known.
    #[must_use]
    pub fn typed(&self, column_type: ColumnType) -> Self {
        let domain = match self.follows {
            true => Domain::following(&column_type),
            false => Domain::new(&column_type, self.text_match),
        };
        Self { column_type, domain, ..self.clone() }
    }

    /// The same column as the table's definition has it.
    #[must_use]
    pub fn defined(&self, column: &ColumnDef) -> Self {
        Self { nullable: column.nullable, ..self.typed(column.column_type.clone()) }
    }

    /// Whether the type is known. Until then inserts are refused and predicates reach all shards.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.domain != Domain::Unknown
    }

    /// Whether values of the column that MySQL calls equal always share a shard, in every session.
    #[must_use]
    pub fn equal_values_share_a_shard(&self) -> bool {
        !self.is_known() || self.domain.compares_with(&self.domain)
    }

    pub(crate) fn compares_with(&self, other: &Self) -> bool {
        self.domain.compares_with(&other.domain)
            && self.column_type.collation() == other.column_type.collation()
    }

    /// What storing the value makes of it; `None` for NULL.
    fn stored(&self, value: &Value) -> Result<Option<Stored>, Unroutable> {
        if value.is_null() && self.nullable {
            return Ok(None);
        }
        if value.is_null() {
            return Err(Unroutable::Null { column: self.name.clone() });
        }
        if !self.is_known() {
            return Err(Unroutable::DefinitionUnknown { column: self.name.clone() });
        }
        self.domain.stored(value).map(Some).map_err(|reason| self.unconvertible(value, reason))
    }

    fn unconvertible(&self, value: &Value, reason: String) -> Unroutable {
        Unroutable::Unconvertible { column: self.name.clone(), value: display(value), reason }
    }

    fn no_shard(&self, value: &Value, reason: String) -> Unroutable {
        Unroutable::NoShard { column: self.name.clone(), value: display(value), reason }
    }
}

impl Sharding {
    /// The sharding of the table `table` by these columns.
    #[must_use]
    pub fn new(rule: Arc<Rule>, table: &str, columns: Vec<ShardingColumn>) -> Self {
        let shards = rule.shards_of_table(table);
        Self { rule, columns, shards, parent: None, children: Vec::new() }
    }

    /// The same sharding once its columns' types are known.
    #[must_use]
    pub fn with_columns(&self, columns: Vec<ShardingColumn>) -> Self {
        Self { columns, ..self.clone() }
    }

    /// Whether the sharding columns' types are known.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.columns.iter().all(ShardingColumn::is_known)
    }

    /// The place of a column among the sharding columns, where it is one.
    #[must_use]
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.name.eq_ignore_ascii_case(column))
    }

    /// The names of the sharding columns, for a message: `tenant_id, user_id`.
    #[must_use]
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        names.join(", ")
    }

    /// Every shard.
    #[must_use]
    pub fn all(&self) -> ShardSet {
        ShardSet::all(self.shards.len())
    }

    /// The shard that a row with these values of the sharding columns is stored in, after the conversions that storing
    /// them would make.
    ///
    /// # Errors
    /// [`Unroutable`] for what a strict server would refuse, and, unless the rule has a default, for NULL and for what
    /// it has no shard for.
    ///
    /// # Panics
    /// If there is not one value for each sharding column.
    pub fn shard_for_row(&self, values: &[Value]) -> Result<ShardIndex, Unroutable> {
        assert_eq!(values.len(), self.columns.len(), "one value for each sharding column");
        self.refuse_following()?;
        let (_, outer_values) = self.outer();
        let outer = self.shard_of_outer(&values[..outer_values])?;
        if self.rule.inside.is_none() {
            return Ok(outer);
        }
        Ok(self.rule.shard(outer, self.part(&values[outer_values..])?))
    }

    /// A shard that rows lie in which have these values in the columns of one of the rule's functions, whatever those of
    /// the other are; [`Rule::moved`] finds the shard from it.
    ///
    /// # Errors
    /// As [`shard_for_row`](Self::shard_for_row).
    pub fn shard_of_level(&self, inside: bool, values: &[Value]) -> Result<ShardIndex, Unroutable> {
        self.refuse_following()?;
        if inside {
            return Ok(self.rule.shard(0, self.part(values)?));
        }
        Ok(self.rule.shard(self.shard_of_outer(values)?, 0))
    }

    /// The shard of the rule's first function.
    fn shard_of_outer(&self, values: &[Value]) -> Result<ShardIndex, Unroutable> {
        match (self.outer().0, values) {
            ([only], [value]) => only.shard_for_stored(&*self.rule.function, value),
            (several, values) => self.joined_shard(several, values),
        }
    }

    /// The shard of the rule's second function.
    fn part(&self, values: &[Value]) -> Result<ShardIndex, Unroutable> {
        match (&self.rule.inside, self.columns.last(), values) {
            (Some(inside), Some(column), [value]) => column.shard_for_stored(&*inside.function, value),
            _ => Ok(0),
        }
    }

    /// [`shard_for_row`](Self::shard_for_row) of a table with one sharding column.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// If the table has several sharding columns.
    pub fn shard_for_stored(&self, value: &Value) -> Result<ShardIndex, Unroutable> {
        self.shard_for_row(std::slice::from_ref(value))
    }

    /// The shards that can hold rows where the sharding column of this number equals the value.
    ///
    /// All of them whenever MySQL would not compare in the column's own type and collation; none when nothing can
    /// match, as for NULL.
    #[must_use]
    pub fn shards_where_equal(&self, column: usize, value: &Value) -> ShardSet {
        if value.is_null() {
            return ShardSet::none();
        }
        self.shards_of(column, |column| column.domain.equal(value))
    }

    /// [`shards_where_equal`](Self::shards_where_equal) of the first sharding column.
    #[must_use]
    pub fn shards_for_equal(&self, value: &Value) -> ShardSet {
        self.shards_where_equal(0, value)
    }

    /// The shards that can hold rows where the sharding column of this number lies between the bounds.
    #[must_use]
    pub fn shards_where_between(&self, column: usize, low: Bound<&Value>, high: Bound<&Value>) -> ShardSet {
        if is_null(low) || is_null(high) {
            return ShardSet::none();
        }
        self.shards_of(column, |column| column.domain.range(low, high))
    }

    /// [`shards_where_between`](Self::shards_where_between) of the first sharding column.
    #[must_use]
    pub fn shards_for_range(&self, low: Bound<&Value>, high: Bound<&Value>) -> ShardSet {
        self.shards_where_between(0, low, high)
    }

    /// Whether rows that are equal in all sharding columns, one by one, always share a shard: the same rule, and
    /// comparisons that both columns make in one domain.
    #[must_use]
    pub fn co_located(&self, other: &Self) -> bool {
        self.rule.name == other.rule.name
            && self.parent == other.parent
            && self.shards.len() == other.shards.len()
            && self.columns.len() == other.columns.len()
            && self.columns.iter().zip(&other.columns).all(|(one, two)| one.compares_with(two))
    }

    /// Whether values of the columns that MySQL calls equal always share a shard, in every session.
    #[must_use]
    pub fn equal_values_share_a_shard(&self) -> bool {
        self.columns.iter().all(ShardingColumn::equal_values_share_a_shard)
    }

    /// The columns of the rule's first function, and how many they are.
    fn outer(&self) -> (&[ShardingColumn], usize) {
        let count = self.columns.iter().take_while(|column| !column.inside).count();
        (&self.columns[..count], count)
    }

    fn shards_of(&self, column: usize, candidates: impl Fn(&ShardingColumn) -> Candidates) -> ShardSet {
        let Some(column) = self.columns.get(column) else { return self.all() };
        let candidates = candidates(column);
        if candidates == Candidates::Nothing {
            return ShardSet::none();
        }
        match &self.rule.inside {
            Some(inside) if column.inside => {
                self.rule.with_all_outer(&shards_of(&*inside.function, candidates))
            }
            // One of several columns that are hashed together says nothing yet.
            _ if self.combines() => self.all(),
            _ => self.rule.with_all_parts(&shards_of(&*self.rule.function, candidates)),
        }
    }
}

impl ShardingColumn {
    fn shard_for_stored(
        &self,
        function: &dyn ShardFunction,
        value: &Value,
    ) -> Result<ShardIndex, Unroutable> {
        let shard_of = |key: &Key| function.shard_of(key).map_err(|reason| self.no_shard(value, reason));
        let shard = match self.stored(value)? {
            None => function.default_shard().ok_or_else(|| Unroutable::Null { column: self.name.clone() }),
            Some(Stored::Exactly(key)) => shard_of(&key),
            Some(Stored::Rounded(down, up)) => {
                let shard = shard_of(&down)?;
                if shard_of(&up)? != shard {
                    return Err(self.unconvertible(value, ROUNDING.to_owned()));
                }
                Ok(shard)
            }
        }?;
        match function.closed(shard) {
            Some(reason) => Err(self.no_shard(value, reason)),
            None => Ok(shard),
        }
    }
}

/// The shards of a function that these keys can lie in.
fn shards_of(function: &dyn ShardFunction, candidates: Candidates) -> ShardSet {
    let all = || ShardSet::all(function.shards());
    match candidates {
        Candidates::Anything => all(),
        Candidates::Nothing => ShardSet::none(),
        // A value that the rule has no shard for is stored nowhere.
        Candidates::One(key) => function.shard_of(&key).map_or(ShardSet::none(), ShardSet::one),
        Candidates::Range(Bound::Included(Key::Integer(low)), Bound::Included(Key::Integer(high)))
            if high - low < ENUMERABLE =>
        {
            (low..=high).filter_map(|n| function.shard_of(&Key::Integer(n)).ok()).collect()
        }
        Candidates::Range(low, high) => {
            function.shards_of_range(low.as_ref(), high.as_ref()).intersection(&all())
        }
    }
}

const ROUNDING: &str = "it has more fractional digits than the column, and servers differ in whether they round or \
                        cut them, which would change the shard; write it with the column's own digits";

fn is_null(bound: Bound<&Value>) -> bool {
    matches!(bound, Bound::Included(Value::Null) | Bound::Excluded(Value::Null))
}

/// The value as an error message shows it, cut where it is long.
fn display(value: &Value) -> String {
    const SHOWN: usize = 64;
    let quoted = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let mut shown: String = text.chars().take(SHOWN).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        format!("'{shown}'")
    };
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::UInt(number) => number.to_string(),
        Value::Decimal(number) => number.to_plain_string().chars().take(SHOWN).collect(),
        Value::Double(number) => format!("{number:e}"),
        Value::Text(bytes) => quoted(bytes),
        Value::Bytes(bytes) => format!("binary {}", quoted(bytes)),
        Value::Moment(text) | Value::Time(text) => quoted(text.as_bytes()),
    }
}

#[cfg(test)]
mod tests;
