//! `expand_view`: the views that Serval keeps, expanded in a statement's text before anything else is done with it.
//!
//! A view that only selects is merged into the SELECT that reads it ([`merge`]), and any other becomes a derived table with
//! its query ([`read`]). A view that is written through becomes its table, where it is one table's rows and columns
//! ([`write`](mod@write)). Views of views are expanded again, from the outside in.
//!
//! ```text
//! SELECT * FROM active WHERE id = 7
//! SELECT `active`.`id` FROM `shop`.`users` AS `active` WHERE (`active`.`state` = 1) AND (`active`.`id` = 7)
//! ```

mod body;
mod joined;
mod locked;
mod mentioned;
mod merge;
mod order;
mod query;
mod read;
mod through;
mod write;

use serval_catalog::Catalog;
use serval_sql::{Edit, Parsed, Scan, splice};
use sqlparser::ast::Statement;

use crate::analysis::{Analysis, TableRef};
use crate::bound::Note;
use crate::error::PlanError;
use crate::planner::{PlanRequest, dml, readable};

pub(crate) use locked::tables_to_lock;
pub use mentioned::{Mentioned, view_tables};

/// How deep views may stand on views. No server lets them stand in a circle.
const DEEPEST: usize = 32;

/// How long a statement may become.
const LONGEST: usize = 1 << 22;

/// A statement with its views expanded.
#[derive(Debug)]
pub struct Expanded {
    /// The text.
    pub sql: Vec<u8>,
    /// Its scan.
    pub scan: Scan,
    /// The views, by schema and name, in the order in which they were met.
    pub views: Vec<(String, String)>,
}

impl Expanded {
    /// What EXPLAIN says of it.
    #[must_use]
    pub fn notes(views: &[(String, String)]) -> Vec<Note> {
        let note = |(schema, name): &(String, String)| Note {
            rewrite: "expand_view",
            reason: format!("{schema}.{name} stands for its query"),
        };
        views.iter().map(note).collect()
    }
}

/// The statement with its views expanded; `None` where it names none.
///
/// # Errors
/// What a server answers who writes through a view that takes no writes, and refusals of what Serval cannot do with views.
pub fn expand_views(catalog: &Catalog, request: &PlanRequest<'_>) -> Result<Option<Expanded>, PlanError> {
    if !may_name(catalog, &request.scan.key) {
        return Ok(None);
    }
    let mut found = Found::default();
    let mut text: Option<(Vec<u8>, Scan)> = None;
    for _ in 0..DEEPEST {
        let (sql, scan) = text.as_ref().map_or((request.sql, request.scan), |(sql, scan)| (sql, scan));
        let Some(next) = once(catalog, &PlanRequest { sql, scan, ..*request }, &mut found)? else {
            return Ok(text.map(|(sql, scan)| Expanded { sql, scan, views: found.views }));
        };
        if next.len() > LONGEST {
            break;
        }
        let scan = serval_sql::scan(&next, request.options)
            .map_err(|_| PlanError::refused("The statement cannot be read with its views expanded"))?;
        text = Some((next, scan));
    }
    Err(PlanError::refused(
        "The statement's views stand for too much text; name fewer of them in one statement",
    ))
}

/// What has been found in all steps.
#[derive(Debug, Default)]
pub(crate) struct Found {
    views: Vec<(String, String)>,
    /// A view WITH CHECK OPTION was written through, which holds for those under it.
    checked: bool,
}

impl Found {
    fn note(&mut self, found: &TableRef) {
        let name = (found.table.schema.clone(), found.table.table.name.clone());
        if !self.views.contains(&name) {
            self.views.push(name);
        }
    }
}

/// Whether a statement of this key may name a view. Never wrongly `false`.
fn may_name(catalog: &Catalog, key: &[u8]) -> bool {
    catalog.views.iter().any(|name| {
        let name = name.as_bytes();
        let is_plain = name.iter().all(|byte| byte.is_ascii() && *byte != b'`' && *byte != b'"');
        !is_plain || stands_in(key, name)
    })
}

/// Whether a word stands in a text by itself.
fn stands_in(text: &[u8], word: &[u8]) -> bool {
    let goes_on = |byte: Option<&u8>| {
        byte.is_some_and(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
        })
    };
    text.windows(word.len().max(1)).enumerate().any(|(at, window)| {
        window.eq_ignore_ascii_case(word)
            && !goes_on(at.checked_sub(1).and_then(|before| text.get(before)))
            && !goes_on(text.get(at + word.len()))
    })
}

/// A statement that names views.
pub(crate) struct Mentions<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) request: &'a PlanRequest<'a>,
    pub(crate) parsed: &'a Parsed,
    pub(crate) analysis: &'a Analysis,
}

/// One step: the views that the text itself names. What cannot be read is left to whoever plans the statement.
fn once(
    catalog: &Catalog,
    request: &PlanRequest<'_>,
    found: &mut Found,
) -> Result<Option<Vec<u8>>, PlanError> {
    let Ok(sql) = readable(request.sql, request.scan, request.options.pairs) else { return Ok(None) };
    let Ok(parsed) = dml(&sql, request.options) else { return Ok(None) };
    let analysis = Analysis::of(&parsed.ast, catalog, request.schema, &parsed.locator, request.scan);
    let Ok(analysis) = analysis else { return Ok(None) };
    if analysis.refs.iter().all(|found| found.table.table.view.is_none()) {
        return Ok(None);
    }
    let mentions = Mentions { catalog, request, parsed: &parsed, analysis: &analysis };
    let mut edits: Vec<Edit> = Vec::new();
    let target = match &parsed.ast {
        Statement::Query(_) => {
            let view = |at: &usize| analysis.refs[*at].table.table.view.is_some();
            let mut views = (0..analysis.refs.len()).filter(view);
            let merged = views.find_map(|at| Some((at, merge::edits(&mentions, at)?)));
            if let Some((at, mut edits)) = merged {
                found.note(&analysis.refs[at]);
                read::name_columns(&mentions, 0, &mut edits);
                return Ok(Some(splice(request.sql, &edits)));
            }
            None
        }
        _ => write::edits(&mentions, found, &mut edits)?,
    };
    read::edits(&mentions, target, found, &mut edits)?;
    Ok(Some(splice(request.sql, &edits)))
}
