//! The planner's front: a statement's text in, a plan out, from the cache where it is known.

use std::borrow::Cow;
use std::sync::Arc;

use serval_catalog::Catalog;
use serval_sql::{LexOptions, Pairs, Parsed, Scan, Statement, parse};

use crate::cache::{Example, Lookup, PlanCache};
use crate::error::PlanError;
use crate::gather;
use crate::hint::{self, Hinted};
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
        // Hints are part of the key, as they stand.
        if catalog.is_overlay() {
            // Nobody else will ever ask under this version.
            return Ok(Arc::new(plan(catalog, request)?));
        }
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
        self.cache.keep(&lookup, request.sql, &plan);
        Ok(plan)
    }

    /// The plan of an UPDATE that may set the sharding column: each shard changes its own rows where they are, and the
    /// caller takes those to their shards that then belong to another. It is not remembered.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn plan_moving(
        &self,
        catalog: &Arc<Catalog>,
        request: &PlanRequest<'_>,
    ) -> Result<Arc<Plan>, PlanError> {
        let plan = plan_with(catalog, request, true)?;
        Ok(Arc::new(plan))
    }

    /// The statements of which plans are kept, those first that were run most often, at most so many.
    #[must_use]
    pub fn most_used(&self, count: usize) -> Vec<Example> {
        self.cache.most_used(count)
    }

    /// Forgets the plans made for catalogs before `version`, after a reload.
    pub fn forget_before(&self, version: u64) {
        self.cache.forget_before(version);
    }

    /// How many statements have plans in the cache.
    #[must_use]
    pub fn cached(&self) -> usize {
        self.cache.len()
    }
}

/// The plan of a statement, whether or not one is kept.
pub(crate) fn plan(catalog: &Arc<Catalog>, request: &PlanRequest<'_>) -> Result<Plan, PlanError> {
    plan_with(catalog, request, false)
}

fn plan_with(catalog: &Arc<Catalog>, request: &PlanRequest<'_>, moves: bool) -> Result<Plan, PlanError> {
    let hints = hint::written(request)?;
    let schema = hints.and_then(|hints| hints.schema.as_deref()).or(request.schema);
    let request = &PlanRequest { schema, ..*request };
    let hinted = hints.map(|hints| Hinted::of(catalog, request, hints)).transpose()?;
    let readable = readable(request.sql, request.scan, request.options.pairs)?;
    let parsed = dml(&readable, request.options)?;
    let planning = Planning {
        moves,
        catalog,
        schema: request.schema,
        sql: request.sql,
        readable: &readable,
        scan: request.scan,
        options: request.options,
        parsed: &parsed,
    };
    let mut plan = match planning.plan() {
        Ok(plan) => gather::or_gathered(planning, plan),
        Err(PlanError::Refused(reason)) => gather::plan(planning, reason)?,
        Err(error) => return Err(error),
    };
    if let Some(hinted) = hinted {
        hinted.check(&plan, &parsed.ast)?;
        // What is gathered is read from wherever it lies.
        plan.gathers = plan.gathers.filter(|_| hinted.place().is_none());
        plan.hinted = Some(Box::new(hinted));
    }
    Ok(plan)
}

/// The statement as the parser can read it: bytes that are not UTF-8 are masked, one for one, so that places stay.
///
/// They may stand in literals, which nodes get as the client wrote them; anywhere else they are refused.
pub(crate) fn readable<'a>(sql: &'a [u8], scan: &Scan, pairs: Pairs) -> Result<Cow<'a, str>, PlanError> {
    serval_sql::readable(sql, scan, pairs).ok_or_else(|| {
        PlanError::refused(
            "The statement has names that are not UTF-8; SET NAMES utf8mb4 and send it in that character set",
        )
    })
}

pub(crate) fn dml(sql: &str, options: LexOptions) -> Result<Parsed, PlanError> {
    match parse(sql, options)? {
        Statement::Dml(parsed) => Ok(*parsed),
        _ => Err(PlanError::refused("This statement reads or changes no rows")),
    }
}
