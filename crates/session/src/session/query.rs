//! A statement that reads or changes rows, plain or prepared.

use serval_catalog::Catalog;
use serval_planner::Expanded;
use serval_remote::Backend;
use serval_sql::{LexOptions, Scan};
use serval_types::{MysqlError, Value};
use serval_wire::command::execute::Parameters;

use super::Session;
use crate::identity::Style;
use crate::statement::prepared::Statement;

/// A statement that reads or changes rows.
#[derive(Clone, Copy)]
pub(crate) struct Query<'a> {
    /// The text.
    pub(crate) sql: &'a [u8],
    /// The text's scan.
    pub(crate) scan: &'a Scan,
    /// Present where it was prepared.
    pub(crate) execution: Option<Execution<'a>>,
    /// The views that it was expanded from, by schema and name.
    pub(crate) views: &'a [(String, String)],
}

/// One execution of a prepared statement.
#[derive(Clone, Copy)]
pub(crate) struct Execution<'a> {
    pub(crate) statement: &'a Statement,
    /// As the client sent them.
    pub(crate) parameters: &'a Parameters,
    /// As they are understood.
    pub(crate) values: &'a [Value],
    /// Its rows are put aside, to be fetched.
    pub(crate) cursor: bool,
}

/// A statement in which views were expanded and what belongs to the session was replaced.
pub(crate) struct Filled {
    sql: Vec<u8>,
    scan: Scan,
    /// Those of an execution, with the session's own among them.
    parameters: Option<(Parameters, Vec<Value>)>,
    views: Vec<(String, String)>,
}

impl<'a> Query<'a> {
    /// A statement that is no execution.
    pub(crate) fn text(sql: &'a [u8], scan: &'a Scan) -> Self {
        Self { sql, scan, execution: None, views: &[] }
    }

    /// How the text is read: as the session says now, or as it said when the statement was prepared. What 0 means to an
    /// AUTO_INCREMENT column it says now.
    pub(crate) fn options<B: Backend>(&self, session: &Session<B>) -> LexOptions {
        let LexOptions { no_auto_value_on_zero, .. } = session.options;
        self.execution.map_or(session.options, |execution| LexOptions {
            no_auto_value_on_zero,
            ..execution.statement.manner.options
        })
    }

    /// The values of `?`.
    pub(crate) fn values(&self) -> &'a [Value] {
        self.execution.map_or(&[], |execution| execution.values)
    }

    /// The schema of names that say none.
    pub(crate) fn schema<'s, B: Backend>(&'s self, session: &'s Session<B>) -> Option<&'s str> {
        match &self.execution {
            Some(execution) => execution.statement.manner.schema.as_deref(),
            None => session.schema.as_deref(),
        }
    }

    /// The statement with its views expanded and what belongs to the session replaced; `None` where there is nothing to
    /// replace.
    ///
    /// # Errors
    /// 1235 where the session does not know the answer, and what servers say of writes through views.
    pub(crate) fn filled<B: Backend>(
        &self,
        session: &Session<B>,
        catalog: &Catalog,
    ) -> Result<Option<Filled>, MysqlError> {
        if !catalog.views.is_empty()
            && let Some(expanded) =
                session.expand(self.sql, self.scan, self.schema(session), self.options(session))?
        {
            let parameters =
                self.execution.map(|execution| (execution.parameters.clone(), execution.values.to_vec()));
            let Expanded { sql, scan, views } = expanded;
            let filled = Filled { sql, scan, parameters, views };
            let replaced = filled.query(*self).with_own(session)?;
            return Ok(Some(match replaced {
                Some(replaced) => Filled { views: filled.views, ..replaced },
                None => filled,
            }));
        }
        self.with_own(session)
    }

    /// The statement with what belongs to the session replaced.
    fn with_own<B: Backend>(&self, session: &Session<B>) -> Result<Option<Filled>, MysqlError> {
        if !self.scan.marks.may_name_session() {
            return Ok(None);
        }
        let options = self.options(session);
        let style = if self.execution.is_some() { Style::Parameters } else { Style::Literals };
        let Some(replaced) = session.replace_identity(self.sql, options, style)? else { return Ok(None) };
        let scan = rescan(&replaced.sql, options)?;
        let parameters = self.execution.map(|execution| {
            let (mut parameters, mut values) = (execution.parameters.clone(), execution.values.to_vec());
            for (position, value) in replaced.values {
                parameters.insert(position, &value);
                values.insert(position.min(values.len()), value);
            }
            (parameters, values)
        });
        Ok(Some(Filled { sql: replaced.sql, scan, parameters, views: Vec::new() }))
    }
}

impl Filled {
    /// `original` with what was filled in.
    pub(crate) fn query<'a>(&'a self, original: Query<'a>) -> Query<'a> {
        let execution = match (&self.parameters, original.execution) {
            (Some((parameters, values)), Some(execution)) => {
                Some(Execution { parameters, values, ..execution })
            }
            _ => None,
        };
        Query { sql: &self.sql, scan: &self.scan, execution, views: &self.views }
    }
}

/// Scans a statement that was scanned before something was put into it.
///
/// # Errors
/// 1235 where it cannot be read any more.
pub(crate) fn rescan(text: &[u8], options: LexOptions) -> Result<Scan, MysqlError> {
    serval_sql::scan(text, options).map_err(|_| MysqlError::refused("The statement cannot be read"))
}
