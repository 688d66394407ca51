//! The console's way to [`Reload`].

use std::sync::Arc;

use serval_admin::{Control, Outcome, Scope, Wish};
use serval_catalog::Catalog;

use super::candidate::Candidate;
use super::dry_run::{TRIED, rerouted};
use super::masked::masked;
use super::successor::successor;
use super::{Order, Reload};
use crate::rows::{check_table, usual_rows};

/// How many rows of a table that lie wrong are shown.
const SHOWN: usize = 20;

/// The console's way to [`Reload`].
#[derive(Debug)]
pub struct Switch(pub Arc<Reload>);

impl Control for Switch {
    async fn carry_out(&self, wish: Wish, by: &str) -> Result<Outcome, Vec<String>> {
        let reload = Arc::clone(&self.0);
        let order = |force| Order { by: by.to_owned(), force };
        match wish {
            Wish::Reload { force } => {
                let order = order(force);
                changes(finished(async move { reload.reload(&order).await }).await, by)
            }
            Wish::Rollback { to, force } => {
                let order = order(force);
                changes(finished(async move { reload.roll_back(to, &order).await }).await, by)
            }
            Wish::Versions => reload.versions().await,
            Wish::Version(number) => reload.version(number).await,
            Wish::Compare(one, other) => reload.compare(one, other).await,
            Wish::DryRun { version } => reload.dry_run(version).await,
            Wish::CheckRows(scope) => reload.check_rows(&scope).await,
        }
    }
}

/// Runs a change to its end, even if the console that asked for it is closed meanwhile.
async fn finished(
    change: impl Future<Output = Result<Vec<String>, Vec<String>>> + Send + 'static,
) -> Result<Vec<String>, Vec<String>> {
    let ended = tokio::spawn(change).await;
    ended.unwrap_or_else(|error| Err(vec![format!("it did not finish: {error}")]))
}

fn changes(result: Result<Vec<String>, Vec<String>>, by: &str) -> Result<Outcome, Vec<String>> {
    match &result {
        Ok(lines) => tracing::info!(by, changes = lines.len(), "the config was changed from the console"),
        Err(mistakes) => tracing::warn!(by, "the config was not changed: {}", mistakes.join("; ")),
    }
    result.map(|lines| Outcome::lines("CHANGE", lines))
}

impl Reload {
    async fn versions(&self) -> Result<Outcome, Vec<String>> {
        let running = self.running.lock().await;
        let history = self.history(&running)?;
        let numbers = history.numbers().map_err(|error| vec![error])?;
        let row = |number: u64| match history.read(number) {
            Ok(version) => {
                let mark = if running.version == Some(number) { "running" } else { "" };
                let lines = version.text.lines().count().to_string();
                vec![number.to_string(), version.at, version.by, version.how, lines, mark.to_owned()]
            }
            Err(error) => {
                let unknown = String::new;
                vec![number.to_string(), unknown(), unknown(), error, unknown(), unknown()]
            }
        };
        let header = vec!["VERSION", "AT", "BY", "HOW", "LINES", "STATE"];
        Ok(Outcome { header, rows: numbers.into_iter().map(row).collect() })
    }

    async fn version(&self, number: Option<u64>) -> Result<Outcome, Vec<String>> {
        let text = self.text_of(number).await?;
        Ok(Outcome::lines("TEXT", masked(&text).lines().map(str::to_owned).collect()))
    }

    async fn compare(&self, one: u64, other: Option<u64>) -> Result<Outcome, Vec<String>> {
        let files = self.running.lock().await.files.clone();
        let (one, other) = (self.text_of(Some(one)).await?, self.text_of(other).await?);
        let one = Candidate::of_text(files.clone(), one).await?;
        let other = Candidate::of_text(files, other).await?;
        Ok(Outcome::lines("CHANGE", serval_catalog::diff(&one.catalog, &other.catalog)))
    }

    /// The text of a version, or of the running config.
    async fn text_of(&self, number: Option<u64>) -> Result<String, Vec<String>> {
        let running = self.running.lock().await;
        let Some(number) = number else { return Ok(running.files.text.clone()) };
        let version = self.history(&running)?.read(number);
        version.map(|version| version.text).map_err(|error| vec![error])
    }

    async fn dry_run(&self, version: Option<u64>) -> Result<Outcome, Vec<String>> {
        let running = self.running.lock().await;
        let candidate = match version {
            None => Candidate::of_files(running.files.path.clone()).await?,
            Some(number) => {
                let version = self.history(&running)?.read(number).map_err(|error| vec![error])?;
                Candidate::of_text(running.files.clone(), version.text).await?
            }
        };
        let old = self.proxy.catalog.load_full();
        let (new, _) = self.settled(candidate.catalog, &old, running.fresh_group)?;
        let next = Arc::new(successor(&old, &new));
        let obstacles = self.obstacles(&old, &next, &running, &candidate.files, false).await;
        let said =
            |kind: &'static str, lines: Vec<String>| lines.into_iter().map(move |line| row(kind, line));
        let mut rows: Vec<Vec<String>> = said("warning", candidate.warnings)
            .chain(said("change", self.differences(&old, &next)))
            .chain(said("obstacle", obstacles))
            .collect();
        rows.extend(self.routes(old, next).await);
        Ok(Outcome { header: vec!["KIND", "WHAT", "TIMES", "NOW", "THEN"], rows })
    }

    async fn routes(&self, old: Arc<Catalog>, next: Arc<Catalog>) -> Vec<Vec<String>> {
        let examples = self.proxy.planner.most_used(TRIED);
        // Plans are made, so it may not run where sessions do.
        let planned = tokio::task::spawn_blocking(move || rerouted(&old, &next, &examples)).await;
        let rerouted = planned.unwrap_or_default();
        let row = |route: super::dry_run::Rerouted| {
            vec!["route".to_owned(), route.digest, route.uses.to_string(), route.now, route.then]
        };
        rerouted.into_iter().map(row).collect()
    }

    async fn check_rows(&self, scope: &Scope) -> Result<Outcome, Vec<String>> {
        let catalog = self.proxy.catalog.load_full();
        let header =
            vec!["SCHEMA", "TABLE", "LOOKED_AT", "MISPLACED", "UNROUTABLE", "KEY", "IS_AT", "BELONGS"];
        let mut outcome = Outcome { header, rows: Vec::new() };
        let wanted = |wanted: &Option<String>, name: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(name))
        };
        let rows = scope.rows.unwrap_or_else(usual_rows);
        for schema in catalog.schemas.values().filter(|schema| wanted(&scope.schema, &schema.name)) {
            for table in schema.tables.values().filter(|table| wanted(&scope.table, &table.name)) {
                let checked = check_table(&self.proxy.backend, &catalog, table, rows, SHOWN).await;
                let Some(checked) = checked else { continue };
                let name = [schema.name.clone(), table.name.clone()];
                let seen = checked.map_err(|error| vec![format!("{}.{}: {error}", name[0], name[1])])?;
                outcome.rows.extend(seen.cells().map(|cells| name.iter().cloned().chain(cells).collect()));
            }
        }
        if outcome.rows.is_empty() {
            return Err(vec!["there is no such table that a rule places".to_owned()]);
        }
        Ok(outcome)
    }
}

fn row(kind: &str, what: String) -> Vec<String> {
    let mut cells = vec![kind.to_owned(), what];
    cells.resize(5, String::new());
    cells
}
