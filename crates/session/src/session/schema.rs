//! The current schema, and which schemas a session may use.

use serval_remote::Backend;
use serval_types::{ErrorCode, MysqlError};

use super::Session;
use crate::failure::{no_schema, unknown_schema};

/// The schemas of a server's own. Only information_schema is shown; their tables cannot be queried yet.
const SYSTEM_SCHEMAS: [&str; 4] = ["information_schema", "mysql", "performance_schema", "sys"];

/// Whether a schema is one of a server's own.
pub(crate) fn is_system_schema(name: &str) -> bool {
    SYSTEM_SCHEMAS.iter().any(|system| name.eq_ignore_ascii_case(system))
}

impl<B: Backend> Session<B> {
    /// Makes `name` the current schema.
    ///
    /// # Errors
    /// 1044 where the user may not use it, 1049 where there is none.
    pub(crate) fn use_schema(&mut self, name: &str) -> Result<(), MysqlError> {
        let name = self.check_schema(name)?;
        self.entry.set_schema(Some(&name));
        self.changes.schema(&name);
        self.schema = Some(name);
        Ok(())
    }

    /// Leaves the session without a current schema: it was dropped.
    pub(crate) fn leave_schema(&mut self) {
        self.entry.set_schema(None);
        self.schema = None;
    }

    /// The schema's name as it is configured, if the user may use it.
    ///
    /// # Errors
    /// As [`Session::use_schema`].
    pub(crate) fn check_schema(&self, name: &str) -> Result<String, MysqlError> {
        if name.eq_ignore_ascii_case("information_schema") {
            return Ok("information_schema".to_owned());
        }
        let catalog = self.catalog();
        let allowed = catalog.users.get(&self.user).is_some_and(|user| user.may_use(name));
        match catalog.schema(name) {
            // As a server does, a user who could not use it is not told whether it exists.
            _ if !allowed => Err(MysqlError::new(
                ErrorCode::SchemaAccessDenied,
                format!("Access denied for user '{}'@'{}' to database '{name}'", self.user, self.host),
            )),
            Some(schema) => Ok(schema.name.clone()),
            None => Err(unknown_schema(name)),
        }
    }

    /// The schema that a statement means by `named`, or the current one.
    ///
    /// # Errors
    /// 1046 where there is neither, otherwise as [`Session::use_schema`].
    pub(crate) fn schema_or_current(&self, named: Option<&str>) -> Result<String, MysqlError> {
        match named.or(self.schema.as_deref()) {
            Some(name) => self.check_schema(name),
            None => Err(no_schema()),
        }
    }
}
