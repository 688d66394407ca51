//! The files of a config: `serval.toml`, the definitions in `schema/*.sql` beside it, and the secrets it names.
//!
//! [`serval_catalog`] does no I/O, so all of it happens here. What the files say is judged there.

use std::path::{Path, PathBuf};

use serval_catalog::{Catalog, Diagnostic, Group, SecretSource};

use crate::failure::Failure;

/// The name of the config file in a directory.
const FILE_NAME: &str = "serval.toml";

/// A config as it lay on disk at one moment.
#[derive(Debug, Clone)]
pub struct ConfigFiles {
    /// The TOML file.
    pub path: PathBuf,
    /// What was in it.
    pub text: String,
    /// The files of the snapshot, name and text, in the order of their names.
    pub snapshot: Vec<(String, String)>,
}

impl ConfigFiles {
    /// Reads a config file, or `serval.toml` in a directory, and the snapshot beside it if there is one.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let path = if path.is_dir() { path.join(FILE_NAME) } else { path.to_path_buf() };
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        let snapshot = read_snapshot(&directory_of(&path).join("schema"))?;
        Ok(Self { path, text, snapshot })
    }

    /// Where `schema/` and the files of secrets are looked for.
    pub fn directory(&self) -> PathBuf {
        directory_of(&self.path)
    }

    /// The catalog and its warnings, or every mistake, ready to print.
    pub fn load(&self) -> Result<(Catalog, Vec<Diagnostic>), Failure> {
        self.try_load().map_err(|mistakes| Failure::Config(self.render(&mistakes)))
    }

    /// The same for commands that need no passwords, which then need not be there.
    pub fn load_without_secrets(&self) -> Result<(Catalog, Vec<Diagnostic>), Failure> {
        let loaded = self.load_with(&|_| Ok("not read".to_owned()));
        loaded.map_err(|mistakes| Failure::Config(self.render(&mistakes)))
    }

    /// The catalog and its warnings, or every mistake.
    pub fn try_load(&self) -> Result<(Catalog, Vec<Diagnostic>), Vec<Diagnostic>> {
        let directory = self.directory();
        let (catalog, warnings) = self.load_with(&|source| secret(source, &directory))?;
        let unusable = self.unusable_certificates(&catalog);
        if unusable.is_empty() { Ok((catalog, warnings)) } else { Err(unusable) }
    }

    /// What cannot be used of certificates and keys, the groups' and our own.
    fn unusable_certificates(&self, catalog: &Catalog) -> Vec<Diagnostic> {
        let wrong = |group: &Group| {
            let error = serval_backend::check_tls(&group.tls).err()?;
            let message = format!("group `{}`: {error}", group.name);
            let fix = "name PEM files: of authorities, of a certificate, of that certificate's key";
            Some(Diagnostic::error(&self.path.display().to_string(), 0..0, message).with_fix(fix))
        };
        let clients =
            catalog.settings.tls.as_ref().and_then(|tls| serval_session::stream::server_config(tls).err());
        let clients = clients.map(|error| {
            let fix = "name PEM files: of the certificate, of its key, of the authorities of clients";
            Diagnostic::error(&self.path.display().to_string(), 0..0, error.to_string()).with_fix(fix)
        });
        catalog.groups.iter().filter_map(wrong).chain(clients).collect()
    }

    fn load_with(
        &self,
        secret: &dyn Fn(&SecretSource) -> Result<String, String>,
    ) -> Result<(Catalog, Vec<Diagnostic>), Vec<Diagnostic>> {
        let name = self.path.display().to_string();
        let loaded = serval_catalog::load(&self.text, &name, secret, &self.snapshot);
        loaded.map(|(catalog, warnings)| (crate::periods::rolled(catalog), warnings))
    }

    /// Diagnostics as text: file, line, the words underlined, the fix.
    pub fn render(&self, diagnostics: &[Diagnostic]) -> String {
        let rendered: Vec<String> = diagnostics
            .iter()
            .map(|diagnostic| diagnostic.render(self.source_of(&diagnostic.file)))
            .collect();
        rendered.join("\n")
    }

    /// A diagnostic in one line, for the log and the console: `serval.toml:7: error: …; …`.
    pub fn line(&self, diagnostic: &Diagnostic) -> String {
        let file = Path::new(&diagnostic.file);
        let name =
            file.file_name().map_or_else(|| diagnostic.file.clone(), |name| name.display().to_string());
        let line = diagnostic.line(self.source_of(&diagnostic.file));
        Diagnostic { file: format!("{name}:{line}"), ..diagnostic.clone() }.to_string()
    }

    /// The text that a diagnostic's span counts in.
    fn source_of(&self, file: &str) -> &str {
        self.snapshot.iter().find(|(name, _)| name == file).map_or(&self.text, |(_, text)| text)
    }
}

fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

fn read_snapshot(directory: &Path) -> Result<Vec<(String, String)>, Failure> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Ok(Vec::new()) };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    paths.sort();
    paths.into_iter().map(|path| read_named(&path)).collect()
}

fn read_named(path: &Path) -> Result<(String, String), Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    Ok((path.display().to_string(), text))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Config(format!(
        "error: cannot read {}: {error}\n  help: name the config file, or a directory with {FILE_NAME} in it",
        path.display()
    ))
}

/// A secret's text. Of a password's file, the first line counts; of certificates and keys, all.
fn secret(source: &SecretSource, directory: &Path) -> Result<String, String> {
    match source {
        SecretSource::Env(name) => std::env::var(name)
            .map_err(|_| format!("the environment variable {name} is not set (or is not UTF-8)")),
        SecretSource::File(file) => {
            whole(&directory.join(file)).map(|text| text.lines().next().unwrap_or_default().to_owned())
        }
        SecretSource::Pem(file) => whole(&directory.join(file)),
    }
}

fn whole(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_config_is_a_config_failure() {
        let failure = ConfigFiles::read(Path::new("no/such/place.toml")).unwrap_err();
        assert!(matches!(&failure, Failure::Config(text) if text.contains("no/such/place.toml")));
    }

    #[test]
    fn a_secret_file_is_relative_and_only_its_first_line_counts() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("admin.secret"), "hush\nnot this\n").unwrap();
        let read = secret(&SecretSource::File("admin.secret".into()), directory.path());
        assert_eq!(read.as_deref(), Ok("hush"));
    }

    #[test]
    fn a_file_without_a_directory_is_in_the_current_one() {
        assert_eq!(directory_of(Path::new("serval.toml")), PathBuf::from("."));
    }
}
