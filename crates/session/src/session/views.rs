//! Views that Serval keeps, in the statements that name them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serval_planner::{ClientText, Expanded, PlanRequest, expand_views};
use serval_remote::Backend;
use serval_sql::{LexOptions, Scan};
use serval_types::MysqlError;

use super::{Session, is_system_schema, rescan};
use crate::charset;

impl<B: Backend> Session<B> {
    /// A statement with its views expanded, read in `schema` and as `options` say; `None` where it names none.
    ///
    /// # Errors
    /// What servers say of writes through views, and refusals.
    pub(crate) fn expand(
        &self,
        sql: &[u8],
        scan: &Scan,
        schema: Option<&str>,
        options: LexOptions,
    ) -> Result<Option<Expanded>, MysqlError> {
        let catalog = self.catalog();
        if catalog.views.is_empty() {
            return Ok(None);
        }
        let schema = schema.filter(|name| !is_system_schema(name));
        let request = PlanRequest { sql, scan, schema, options };
        let expanded = expand_views(&catalog, &request).map_err(|error| error.to_mysql())?;
        if let Some(expanded) = &expanded {
            for (schema, _) in &expanded.views {
                self.check_schema(schema)?;
            }
            let ours = !expanded.sql.is_ascii() && sql.is_ascii();
            if ours && charset::client_text(&self.state) == ClientText::Other {
                return Err(MysqlError::refused(
                    "The query of a view cannot be written in the session's character set; SET NAMES utf8mb4",
                ));
            }
        }
        Ok(expanded)
    }

    /// Takes views into the open transaction's catalog that were made since it began, by this proxy or another: a server
    /// shows them to everybody at once. Whether there are any.
    pub(crate) fn adopt_views(&mut self) -> bool {
        let newest = self.proxy.catalog.load();
        let Some(pinned) = self.pinned.as_ref().filter(|_| !newest.views.is_empty()) else { return false };
        let number = self.proxy.overlays.fetch_add(1, Ordering::Relaxed);
        let Some(adopted) = pinned.with_views_of(number, &newest) else { return false };
        self.pinned = Some(Arc::new(adopted));
        true
    }

    /// [`Session::expand`] for a text that has not been scanned.
    ///
    /// # Errors
    /// Likewise.
    pub(crate) fn expand_text(&self, sql: &[u8]) -> Result<Option<Expanded>, MysqlError> {
        if self.catalog().views.is_empty() {
            return Ok(None);
        }
        let scan = rescan(sql, self.options)?;
        self.expand(sql, &scan, self.schema.as_deref(), self.options)
    }
}
