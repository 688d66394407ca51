//! `show @@cache`.

use serval_catalog::Catalog;
use serval_session::Answer;

/// The plan cache, and the version of the catalog that its plans are of.
pub(super) fn rows(cached: usize, catalog: &Catalog) -> Answer {
    let mut answer = Answer::of_text(&["CACHE", "MAX", "CUR", "CATALOG_VERSION"]);
    answer.push([
        "plan".to_owned(),
        catalog.settings.plan_cache.to_string(),
        cached.to_string(),
        catalog.version.to_string(),
    ]);
    answer
}
