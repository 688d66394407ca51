//! The temporary tables that a session has made, and the catalog as it looks with them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serval_catalog::{Catalog, TemporaryTable};
use serval_types::GroupId;

/// A session's temporary tables. Most sessions have none.
#[derive(Debug, Default)]
pub(crate) struct Temporary {
    tables: Vec<Made>,
    overlay: Mutex<Option<Overlay>>,
}

/// One table. A reload may number nodes anew, so the node goes by its name.
#[derive(Debug)]
struct Made {
    schema: String,
    name: String,
    node: String,
    group: GroupId,
}

#[derive(Debug, Clone)]
struct Overlay {
    base: Arc<Catalog>,
    catalog: Arc<Catalog>,
}

impl Temporary {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// Notes a table that was made on a node of `catalog`.
    pub(crate) fn add(&mut self, catalog: &Catalog, table: TemporaryTable) {
        self.remove(&table.schema, &table.name);
        let node = catalog.node(table.node);
        let TemporaryTable { schema, name, .. } = table;
        self.tables.push(Made { schema, name, node: node.name.to_string(), group: node.group });
        *self.overlay.get_mut() = None;
    }

    /// Forgets a table.
    pub(crate) fn remove(&mut self, schema: &str, name: &str) {
        self.tables.retain(|table| !table.is(schema, name));
        *self.overlay.get_mut() = None;
    }

    /// Forgets what was on a group.
    pub(crate) fn lose(&mut self, group: GroupId) {
        self.tables.retain(|table| table.group != group);
        *self.overlay.get_mut() = None;
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.tables.clear();
        *self.overlay.get_mut() = None;
    }

    /// Whether a table of this name is a temporary one.
    pub(crate) fn has(&self, schema: &str, name: &str) -> bool {
        self.tables.iter().any(|table| table.is(schema, name))
    }

    /// Whether there are any on a group.
    pub(crate) fn is_on(&self, group: GroupId) -> bool {
        self.tables.iter().any(|table| table.group == group)
    }

    /// The catalog with the temporary tables in it, as long as there are any. `numbers` gives each such catalog a
    /// version of its own.
    pub(crate) fn over(&self, base: Arc<Catalog>, numbers: &AtomicU64) -> Arc<Catalog> {
        if self.tables.is_empty() {
            return base;
        }
        let mut overlay = self.overlay.lock();
        if let Some(known) = &*overlay
            && known.base.version == base.version
        {
            return Arc::clone(&known.catalog);
        }
        // Where the config no longer has the node, the session goes on with the catalog that had it.
        let Some(tables) = self.placed(&base) else {
            return overlay.as_ref().map_or(base, |known| Arc::clone(&known.catalog));
        };
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        let catalog = Arc::new(base.with_temporary(number, &tables));
        *overlay = Some(Overlay { base, catalog: Arc::clone(&catalog) });
        catalog
    }

    /// What to plan a statement against: the shared catalog, whose plans are remembered, where the statement cannot
    /// mean a temporary table.
    pub(crate) fn planning<'a>(
        &self,
        catalog: &'a Arc<Catalog>,
        key: &[u8],
    ) -> std::borrow::Cow<'a, Arc<Catalog>> {
        use std::borrow::Cow;
        if !catalog.is_overlay() || self.tables.iter().any(|table| table.may_stand_in(key)) {
            return Cow::Borrowed(catalog);
        }
        match &*self.overlay.lock() {
            Some(known) if Arc::ptr_eq(&known.catalog, catalog) => Cow::Owned(Arc::clone(&known.base)),
            _ => Cow::Borrowed(catalog),
        }
    }

    fn placed(&self, catalog: &Catalog) -> Option<Vec<TemporaryTable>> {
        let place = |table: &Made| {
            let node = catalog.node_named(&table.node).filter(|node| node.group == table.group)?;
            Some(TemporaryTable { schema: table.schema.clone(), name: table.name.clone(), node: node.id })
        };
        self.tables.iter().map(place).collect()
    }
}

impl Made {
    fn is(&self, schema: &str, name: &str) -> bool {
        self.schema.eq_ignore_ascii_case(schema) && self.name.to_lowercase() == name.to_lowercase()
    }

    /// Whether the name may stand in a statement. Never wrongly `false`: names that can be written in several ways are
    /// taken to be everywhere.
    fn may_stand_in(&self, key: &[u8]) -> bool {
        let name = self.name.as_bytes();
        let is_plain = name.iter().all(|byte| byte.is_ascii() && *byte != b'`' && *byte != b'"');
        !is_plain || key.windows(name.len().max(1)).any(|window| window.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(name: &str) -> Made {
        Made { schema: "shop".into(), name: name.into(), node: "dn0".into(), group: GroupId(0) }
    }

    #[test]
    fn a_name_that_may_stand_there_is_never_overlooked() {
        assert!(made("tmp").may_stand_in(b"SELECT * FROM `TMP`"));
        assert!(made("t``x").may_stand_in(b"SELECT 1"));
        assert!(made("é").may_stand_in(b"SELECT 1"));
        assert!(!made("tmp").may_stand_in(b"SELECT * FROM users"));
    }

    #[test]
    fn names_compare_without_case() {
        let tables = Temporary { tables: vec![made("Tmp")], ..Temporary::default() };
        assert!(tables.has("SHOP", "tMP") && !tables.has("other", "tmp"));
    }
}
