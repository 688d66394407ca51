//! A config that might come into effect.

use std::path::PathBuf;

use serval_catalog::{Catalog, Diagnostic, Severity};

use crate::config_files::ConfigFiles;

/// A config without mistakes.
pub struct Candidate {
    pub files: ConfigFiles,
    pub catalog: Catalog,
    /// Its warnings, one line each.
    pub warnings: Vec<String>,
}

impl Candidate {
    /// The config's files as they are now.
    pub async fn of_files(path: PathBuf) -> Result<Self, Vec<String>> {
        Self::load(move || ConfigFiles::read(&path).map_err(|failure| vec![failure.to_string()])).await
    }

    /// A text beside the other files as they are now.
    pub async fn of_text(files: ConfigFiles, text: String) -> Result<Self, Vec<String>> {
        Self::load(move || {
            let now = ConfigFiles::read(&files.path);
            let snapshot = now.map_or(files.snapshot, |now| now.snapshot);
            Ok(ConfigFiles { path: files.path, text, snapshot })
        })
        .await
    }

    /// Files are read, so it may not run where sessions do.
    async fn load(
        read: impl FnOnce() -> Result<ConfigFiles, Vec<String>> + Send + 'static,
    ) -> Result<Self, Vec<String>> {
        let loading = tokio::task::spawn_blocking(move || {
            let files = read()?;
            let (catalog, warnings) = files.try_load().map_err(|mistakes| errors(&files, &mistakes))?;
            let warnings = warnings.iter().map(|warning| files.line(warning)).collect();
            Ok(Self { files, catalog, warnings })
        });
        loading.await.unwrap_or_else(|error| Err(vec![format!("the config could not be read: {error}")]))
    }
}

/// The mistakes alone: who reloads wants to know what stands in the way.
fn errors(files: &ConfigFiles, mistakes: &[Diagnostic]) -> Vec<String> {
    let errors = mistakes.iter().filter(|mistake| mistake.severity == Severity::Error);
    errors.map(|error| files.line(error)).collect()
}
