//! The statements that one session has prepared.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use serval_catalog::Settings;
use serval_types::{ErrorCode, MysqlError};
use serval_wire::command::execute::{PARAMETER_COUNT_AVAILABLE, ParameterType, Parameters};
use serval_wire::command::{Attribute, Execute, LongData};

use super::long_data::Pieces;
use super::statement::{Statement, unknown};
use crate::cursor::{Cursor, Room};

/// How many statements a session may have prepared, as servers' max_prepared_stmt_count.
const MOST_STATEMENTS: usize = 16_382;

/// How many bytes they may take in all. A session that prepared texts of its own making only would otherwise take
/// the proxy's memory.
const MOST_BYTES: usize = 128 * 1024 * 1024;

/// The part of `memory_per_query` that all cursors of a session may take: they wait between statements, while other
/// sessions run theirs.
const MEMORY_SHARE: usize = 4;

/// The id that stands for the statement prepared last; MariaDB's connectors send it before they know the id.
const LATEST: u32 = u32::MAX;

/// The statements of one session.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    /// The ids are Serval's own and few, and every execution looks its own up several times.
    by_id: BTreeMap<u32, Handle>,
    by_name: HashMap<Box<str>, Arc<Statement>>,
    /// How many ids were given out; none is given twice.
    ids: u32,
    /// The last COM_STMT_PREPARE's statement; `None` where that failed.
    latest: Option<u32>,
    /// What the statements take.
    bytes: usize,
    /// What long data takes that waits for executions.
    waiting: usize,
}

/// A statement with what the client has sent for it.
#[derive(Debug)]
struct Handle {
    statement: Arc<Statement>,
    /// The types of its last execution.
    types: Option<Arc<[ParameterType]>>,
    pieces: Pieces,
    cursor: Option<Cursor>,
}

impl Registry {
    /// Forgets which statement was prepared last, because another one is being prepared.
    pub(super) fn prepare(&mut self) {
        self.latest = None;
    }

    /// Keeps a statement; its id.
    ///
    /// # Errors
    /// 1461 where the session has too many already.
    pub(super) fn add(&mut self, statement: Arc<Statement>) -> Result<u32, MysqlError> {
        self.check_room(&statement)?;
        let id = self.ids.checked_add(1).filter(|id| *id != LATEST).ok_or_else(too_many)?;
        self.ids = id;
        self.latest = Some(id);
        self.bytes += statement.weight();
        self.by_id.insert(id, Handle { statement, types: None, pieces: Pieces::default(), cursor: None });
        Ok(id)
    }

    /// Keeps a statement under a name, in the place of one that had it.
    ///
    /// # Errors
    /// As [`Registry::add`].
    pub(super) fn add_named(&mut self, name: &str, statement: Arc<Statement>) -> Result<(), MysqlError> {
        self.check_room(&statement)?;
        self.bytes += statement.weight();
        self.by_name.insert(name.to_lowercase().into(), statement);
        Ok(())
    }

    /// The statement of that name.
    pub(super) fn named(&self, name: &str) -> Option<&Arc<Statement>> {
        self.by_name.get(&*name.to_lowercase())
    }

    /// Forgets the statement of that name; whether there was one.
    pub(super) fn remove_named(&mut self, name: &str) -> bool {
        let removed = self.by_name.remove(&*name.to_lowercase());
        self.bytes -= removed.as_ref().map_or(0, |statement| statement.weight());
        removed.is_some()
    }

    /// The statement that a client means by this id.
    pub(crate) fn find(&self, id: u32) -> Option<&Arc<Statement>> {
        self.by_id.get(&self.meant(id)).map(|handle| &handle.statement)
    }

    /// The statement, the parameters and the attributes of an execution, for which long data is used up.
    ///
    /// # Errors
    /// 1243 for an unknown statement, what was wrong with its long data, and parameters that make no sense.
    pub(super) fn begin(
        &mut self,
        execute: &Execute<'_>,
        payload: &Bytes,
        attributed: bool,
    ) -> Result<(Arc<Statement>, Parameters, Vec<Attribute>), MysqlError> {
        let id = self.meant(execute.statement);
        let Some(handle) = self.by_id.get_mut(&id) else {
            return Err(unknown(&execute.statement.to_string(), "mysqld_stmt_execute"));
        };
        self.waiting -= handle.pieces.bytes();
        handle.cursor = None;
        let mut pieces = std::mem::take(&mut handle.pieces).finish()?;
        let body = execute.shared_parameters(payload);
        let count = handle.statement.parameter_count();
        let long_data = |position| pieces.remove(&position);
        let remembered = handle.types.as_ref();
        let decoded = if attributed {
            let counted = execute.flags & PARAMETER_COUNT_AVAILABLE != 0;
            Parameters::decode_attributed(&body, count, counted, remembered, long_data)
        } else {
            Parameters::decode(&body, count, remembered, long_data).map(|parameters| (parameters, Vec::new()))
        };
        let (parameters, attributes) = decoded.map_err(|error| error.to_mysql())?;
        if handle.types.as_ref() != Some(parameters.types()) {
            handle.types = Some(Arc::clone(parameters.types()));
        }
        Ok((Arc::clone(&handle.statement), parameters, attributes))
    }

    /// Keeps a piece of long data as far as all of them stay below `limit` bytes. As on servers, one for an unknown
    /// statement is ignored.
    pub(super) fn add_piece(&mut self, data: &LongData<'_>, limit: usize) {
        let id = self.meant(data.statement);
        let Some(handle) = self.by_id.get_mut(&id) else { return };
        self.waiting -= handle.pieces.bytes();
        let room = limit.saturating_sub(self.waiting);
        handle.pieces.add(data, handle.statement.parameter_count(), room);
        self.waiting += handle.pieces.bytes();
    }

    /// Forgets the long data and the cursor of a statement; whether there is such a statement.
    pub(super) fn reset(&mut self, id: u32) -> bool {
        let id = self.meant(id);
        let Some(handle) = self.by_id.get_mut(&id) else { return false };
        self.waiting -= handle.pieces.bytes();
        handle.pieces = Pieces::default();
        handle.cursor = None;
        true
    }

    /// Keeps the cursor of a statement's execution.
    pub(super) fn open(&mut self, id: u32, cursor: Cursor) {
        let id = self.meant(id);
        if let Some(handle) = self.by_id.get_mut(&id) {
            handle.cursor = Some(cursor);
        }
    }

    /// Takes a statement's cursor; whoever has not come to its end opens it again.
    ///
    /// # Errors
    /// 1243 for an unknown statement, 1421 for one without a cursor.
    pub(super) fn take_cursor(&mut self, id: u32) -> Result<Cursor, MysqlError> {
        let Some(handle) = self.by_id.get_mut(&self.meant(id)) else {
            return Err(unknown(&id.to_string(), "mysqld_stmt_fetch"));
        };
        // ER_STMT_HAS_NO_OPEN_CURSOR.
        let message = format!("The statement ({id}) has no open cursor");
        handle.cursor.take().ok_or(MysqlError { number: 1421, sqlstate: *b"HY000", message })
    }

    /// What another cursor may take beside those that are open.
    pub(crate) fn room(&self, settings: &Settings) -> Room {
        let cursors = || self.by_id.values().filter_map(|handle| handle.cursor.as_ref());
        let memory = settings.memory_per_query / MEMORY_SHARE;
        Room {
            memory: memory.saturating_sub(cursors().map(Cursor::memory).sum()),
            file: settings.cursor_spool.saturating_sub(cursors().map(Cursor::spilled).sum()),
            limit: settings.cursor_spool,
        }
    }

    /// Forgets the statement, if there is one.
    pub(super) fn remove(&mut self, id: u32) {
        if let Some(removed) = self.by_id.remove(&self.meant(id)) {
            self.bytes -= removed.statement.weight();
            self.waiting -= removed.pieces.bytes();
        }
    }

    /// Forgets all statements. Their ids stay used.
    pub(crate) fn clear(&mut self) {
        *self = Self { ids: self.ids, ..Self::default() };
    }

    fn meant(&self, id: u32) -> u32 {
        if id == LATEST { self.latest.unwrap_or(id) } else { id }
    }

    fn check_room(&self, statement: &Statement) -> Result<(), MysqlError> {
        if self.by_id.len() + self.by_name.len() >= MOST_STATEMENTS {
            return Err(too_many());
        }
        if self.bytes + statement.weight() > MOST_BYTES {
            return Err(MysqlError::new(
                ErrorCode::CapacityExceeded,
                format!("The session's prepared statements exceed {MOST_BYTES} bytes; close some of them"),
            ));
        }
        Ok(())
    }
}

/// ER_MAX_PREPARED_STMT_COUNT_REACHED.
fn too_many() -> MysqlError {
    let message = format!(
        "Can't create more than max_prepared_stmt_count statements (current value: {MOST_STATEMENTS})"
    );
    MysqlError { number: 1461, sqlstate: *b"42000", message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(bytes: usize) -> Arc<Statement> {
        Arc::new(Statement::for_tests(&"SELECT 1 ".repeat(bytes / 9)))
    }

    #[test]
    fn ids_are_given_once() {
        let mut registry = Registry::default();
        assert_eq!(registry.add(statement(9)), Ok(1));
        assert_eq!(registry.add(statement(9)), Ok(2));
        registry.remove(2);
        registry.remove(7);
        registry.clear();
        assert_eq!(registry.add(statement(9)), Ok(3));
        assert!(registry.find(1).is_none() && registry.find(3).is_some());
    }

    #[test]
    fn the_latest_is_known_until_the_next_is_prepared() {
        let mut registry = Registry::default();
        assert!(registry.find(LATEST).is_none());
        registry.add(statement(9)).unwrap();
        assert!(registry.find(LATEST).is_some());
        registry.prepare();
        assert!(registry.find(LATEST).is_none());
    }

    #[test]
    fn a_session_has_only_so_many() {
        let (mut registry, one) = (Registry::default(), statement(9));
        for _ in 0..MOST_STATEMENTS {
            registry.add(Arc::clone(&one)).unwrap();
        }
        assert_eq!(registry.add(Arc::clone(&one)).unwrap_err().number, 1461);
        assert_eq!(registry.add_named("s", Arc::clone(&one)).unwrap_err().number, 1461);
        registry.remove(1);
        assert_eq!(registry.add_named("S", Arc::clone(&one)), Ok(()));
        assert!(registry.named("s").is_some() && registry.remove_named("s") && !registry.remove_named("s"));
        assert_eq!(registry.add(one).map(|_| ()), Ok(()));
    }

    #[test]
    fn large_ones_are_fewer() {
        let (mut registry, large) = (Registry::default(), statement(MOST_BYTES / 5));
        let kept = std::iter::from_fn(|| registry.add(Arc::clone(&large)).ok()).count();
        assert!((1..5).contains(&kept), "{kept}");
        registry.clear();
        assert!(registry.add(large).is_ok());
    }
}
