//! `semi_join_within`: rows that another table of the same shard is joined with, and none of whose partners can count.
//!
//! `FROM orders o JOIN lineitem l ON l.orderkey = o.orderkey JOIN … WHERE o.placed > '…'` is gathered because of the third
//! table. But shard n of lineitem meets only shard n of orders, so each node can leave out the lines of old orders
//! itself, however many keys that takes.

use super::Gathering;
use super::temporary::quoted;
use crate::analysis::Equal;
use crate::bound::Note;

impl Gathering<'_> {
    /// Predicates by which the nodes can leave out rows of a reference, each to be proven by planning it.
    pub(super) fn semi_joins(&self, table: usize) -> Vec<(String, Note)> {
        if self.has_locks() {
            return Vec::new();
        }
        let own = self.analysis.equal.iter().filter(|equal| equal.to.table == table);
        own.filter_map(|equal| self.semi_join(equal)).collect()
    }

    fn semi_join(&self, equal: &Equal) -> Option<(String, Note)> {
        let (from, to) = (&self.analysis.refs[equal.from.table], &self.analysis.refs[equal.to.table]);
        let (one, two) = (from.table.table.sharding()?, to.table.table.sharding()?);
        let filters = self.certain_filters(equal.from.table);
        if filters.is_empty() || !one.co_located(two) {
            return None;
        }
        let (name, schema) = (quoted(&from.table.table.name), quoted(&from.table.schema));
        let (from, to) = (quoted(&from.exposed), quoted(&to.exposed));
        let text = format!(
            "EXISTS (SELECT 1 FROM {schema}.{name} AS {from} WHERE {from}.{} = {to}.{} AND {})",
            quoted(&equal.from.name),
            quoted(&equal.to.name),
            filters.join(" AND "),
        );
        let reason = format!(
            "rows of {to} count only beside rows of {from} of the same shard, which predicates restrict"
        );
        Some((text, Note { rewrite: "semi_join_within", reason }))
    }
}
