//! The planner's front: a statement's text in, a plan out, from the cache where it is known.

use std::borrow::Cow;
use std::sync::Arc;

use serval_catalog::Catalog;
use serval_sql::{LexOptions, Parsed, Scan, Statement, parse};

use crate::cache::{Lookup, PlanCache};
use crate::error::PlanError;
use crate::plan::Plan;
use crate::statement::Planning;

/// Plans statements and remembers their plans. Shared by all sessions.
#[derive(Debug)]
pub struct Planner {
    cache: PlanCache,
}

/// A statement to plan.
#[derive(Debug, Clone, Copy)]
pub struct PlanRequest<'a> {
    /// The text: one SELECT, INSERT, REPLACE, UPDATE or DELETE.
    pub sql: &'a [u8],
    /// Its scan.
    pub scan: &'a Scan,
    /// The session's current schema.
    pub schema: Option<&'a str>,
    /// How literals and identifiers are written.
    pub options: LexOptions,
}

impl Planner {
    /// A planner whose cache holds about this many bytes of plans.
    #[must_use]
    pub fn new(cache_bytes: u64) -> Self {
        Self { cache: PlanCache::new(cache_bytes) }
    }

    /// The plan of a statement.
    ///
    /// # Errors
    /// See [`PlanError`]; errors are not remembered.
    pub fn plan(&self, catalog: &Arc<Catalog>, request: &PlanRequest<'_>) -> Result<Arc<Plan>, PlanError> {
        let lookup = Lookup {
            text: &request.scan.key,
            schema: request.schema,
            version: catalog.version,
            options: request.options,
        };
        if let Some(plan) = self.cache.find(&lookup, request.sql, request.scan) {
            return Ok(plan);
        }
        let plan = Arc::new(plan(catalog, request)?);
        self.cache.keep(&lookup, &plan);
        Ok(plan)
    }

    /// How many statements have plans in the cache.
    #[must_use]
    pub fn cached(&self) -> usize {
        self.cache.len()
    }
}

fn plan(catalog: &Arc<Catalog>, request: &PlanRequest<'_>) -> Result<Plan, PlanError> {
    let readable = readable(request.sql, request.scan)?;
    let parsed = dml(&readable, request.options)?;
    let planning = Planning {
        catalog,
        schema: request.schema,
        sql: request.sql,
        readable: &readable,
        scan: request.scan,
        options: request.options,
        parsed: &parsed,
    };
    planning.plan()
}

/// The statement as the parser can read it: bytes that are not UTF-8 are masked, one for one, so that places stay.
///
/// They may stand in literals, which nodes get as the client wrote them; anywhere else they are refused.
fn readable<'a>(sql: &'a [u8], scan: &Scan) -> Result<Cow<'a, str>, PlanError> {
    if let Ok(text) = std::str::from_utf8(sql) {
        return Ok(text.into());
    }
    let mut masked = Vec::with_capacity(sql.len());
    for chunk in sql.utf8_chunks() {
        masked.extend_from_slice(chunk.valid().as_bytes());
        let start = masked.len();
        masked.resize(start + chunk.invalid().len(), b'?');
        let in_literal = |at: usize| u32::try_from(at).is_ok_and(|at| scan.hole_at(at).is_some());
        if !(start..masked.len()).all(in_literal) {
            return Err(PlanError::refused(
                "The statement has names that are not UTF-8; SET NAMES utf8mb4 and send it in that character set",
            ));
        }
    }
    String::from_utf8(masked)
        .map(Cow::Owned)
        .map_err(|_| PlanError::refused("The statement is not valid UTF-8"))
}

fn dml(sql: &str, options: LexOptions) -> Result<Parsed, PlanError> {
    match parse(sql, options)? {
        Statement::Dml(parsed) => Ok(*parsed),
        _ => Err(PlanError::refused("This statement reads or changes no rows")),
    }
}
