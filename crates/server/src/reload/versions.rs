//! The versions of the config on disk: one file each, numbered, never changed once it is there.
//!
//! A version is written beside its place, made durable, and then linked there, which fails where another proxy on the
//! same directory was faster: that one has the number, and this one takes the next.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use serval_catalog::Versions;
use tempfile::NamedTempFile;

/// The versions in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    directory: PathBuf,
    keep: usize,
}

/// One version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its number; they count upwards from 1.
    pub number: u64,
    /// When it was put into effect, in UTC.
    pub at: String,
    /// Who did it: a user of the console, or `SIGHUP`, or `start`.
    pub by: String,
    /// How: `reload`, `rollback to 3`, `start`.
    pub how: String,
    /// The config's text.
    pub text: String,
}

/// Numbers that are taken while one is written are stepped over; more than these at once are no race any more.
const ATTEMPTS: u64 = 64;

/// The first line of a file, with what the header may grow by.
const HEADER: &str = "# serval config version";

impl History {
    /// The versions in the directory that the config names, relative to the config's own.
    pub fn new(versions: &Versions, beside: &Path) -> Self {
        Self { directory: beside.join(&versions.directory), keep: versions.keep.max(2) }
    }

    /// The numbers of all versions, in order.
    pub fn numbers(&self) -> Result<Vec<u64>, String> {
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.failed("read", &error)),
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut numbers: Vec<u64> = names.filter_map(|name| number(&name)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// A version.
    pub fn read(&self, number: u64) -> Result<Version, String> {
        let path = self.path(number);
        match fs::read_to_string(&path) {
            Ok(text) => Version::parse(&text)
                .filter(|version| version.number == number)
                .ok_or_else(|| format!("{} is damaged", path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(format!(
                "there is no version {number} of the config; show @@config.versions lists those that are kept"
            )),
            Err(error) => Err(format!("cannot read {}: {error}", path.display())),
        }
    }

    /// The newest version that can be read.
    pub fn newest(&self) -> Option<Version> {
        self.numbers().ok()?.into_iter().rev().find_map(|number| self.read(number).ok())
    }

    /// Keeps a version, durably, and deletes the oldest where there are too many. Gives its number.
    pub fn add(&self, by: &str, how: &str, text: &str) -> Result<u64, String> {
        self.make_directory()?;
        let next = self.numbers()?.last().map_or(1, |last| last + 1);
        let at = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S").to_string();
        let mut version =
            Version { number: next, at, by: one_line(by), how: one_line(how), text: text.to_owned() };
        for _ in 0..ATTEMPTS {
            if self.link(&version)? {
                self.prune();
                return Ok(version.number);
            }
            version.number += 1;
        }
        Err(format!("{}: no number is free for a version of the config", self.directory.display()))
    }

    /// Takes a version back that was never in effect.
    pub fn remove(&self, number: u64) {
        if let Err(error) = fs::remove_file(self.path(number)) {
            tracing::warn!(number, %error, "a version that was not put into effect could not be removed");
        }
    }

    /// Whether the version could take its number.
    fn link(&self, version: &Version) -> Result<bool, String> {
        let draft =
            draft(&self.directory, &version.render()).map_err(|error| self.failed("write", &error))?;
        if let Err(error) = draft.persist_noclobber(self.path(version.number)) {
            return match error.error.kind() {
                ErrorKind::AlreadyExists => Ok(false),
                _ => Err(self.failed("write", &error.error)),
            };
        }
        sync_directory(&self.directory).map_err(|error| self.failed("write", &error))?;
        Ok(true)
    }

    fn make_directory(&self) -> Result<(), String> {
        fs::create_dir_all(&self.directory).map_err(|error| self.failed("make", &error))
    }

    /// Deletes the oldest; what cannot be deleted now is tried again with the next version.
    fn prune(&self) {
        let numbers = self.numbers().unwrap_or_default();
        let surplus = numbers.len().saturating_sub(self.keep);
        for number in &numbers[..surplus] {
            if let Err(error) = fs::remove_file(self.path(*number)) {
                tracing::warn!(number, %error, "an old version of the config could not be deleted");
            }
        }
    }

    fn path(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{number:08}.toml"))
    }

    fn failed(&self, verb: &str, error: &std::io::Error) -> String {
        format!("cannot {verb} the versions of the config in {}: {error}", self.directory.display())
    }
}

impl Version {
    fn render(&self) -> String {
        let Self { number, at, by, how, text } = self;
        format!("{HEADER} {number}\n# at {at}\n# by {by}\n# how {how}\n# bytes {}\n\n{text}", text.len())
    }

    /// `None` where the file is cut, or none of ours.
    fn parse(file: &str) -> Option<Self> {
        let (header, text) = file.split_once("\n\n")?;
        let mut lines = header.lines();
        let number = lines.next()?.strip_prefix(HEADER)?.trim().parse().ok()?;
        let at = lines.next()?.strip_prefix("# at ")?.to_owned();
        let by = lines.next()?.strip_prefix("# by ")?.to_owned();
        let how = lines.next()?.strip_prefix("# how ")?.to_owned();
        let bytes: usize = lines.next()?.strip_prefix("# bytes ")?.parse().ok()?;
        (text.len() == bytes).then(|| Self { number, at, by, how, text: text.to_owned() })
    }
}

/// Replaces a file by another text, so that whoever reads it, and whatever happens, sees the one or the other.
pub fn replace_durably(path: &Path, text: &str) -> std::io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let draft = draft(directory, text)?;
    if let Ok(metadata) = fs::metadata(path) {
        fs::set_permissions(draft.path(), metadata.permissions())?;
    }
    draft.persist(path).map_err(|error| error.error)?;
    sync_directory(directory)
}

/// A file without a name of its own yet, durable. Only its owner may read it: a config may hold passwords.
fn draft(directory: &Path, text: &str) -> std::io::Result<NamedTempFile> {
    let mut draft = tempfile::Builder::new().prefix(".draft-").tempfile_in(directory)?;
    write_durably(draft.as_file_mut(), text)?;
    Ok(draft)
}

fn write_durably(file: &mut File, text: &str) -> std::io::Result<()> {
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn sync_directory(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()
}

fn number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".toml")?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(keep: usize) -> (tempfile::TempDir, History) {
        let directory = tempfile::tempdir().unwrap();
        let versions = Versions { directory: "versions".into(), keep };
        let history = History::new(&versions, directory.path());
        (directory, history)
    }

    #[test]
    fn versions_are_numbered_and_read_back() {
        let (_directory, history) = history(10);
        assert_eq!(history.numbers(), Ok(vec![]));
        assert_eq!(history.add("ann", "reload", "a = 1\n\nb = 2\n"), Ok(1));
        assert_eq!(history.add("SIG\nHUP", "reload", ""), Ok(2));
        let one = history.read(1).unwrap();
        assert_eq!(
            (one.by.as_str(), one.how.as_str(), one.text.as_str()),
            ("ann", "reload", "a = 1\n\nb = 2\n")
        );
        assert_eq!(history.read(2).unwrap().by, "SIG HUP");
        assert!(history.read(3).unwrap_err().contains("no version 3"));
        assert_eq!(history.newest().map(|version| version.number), Some(2));
    }

    #[test]
    fn the_oldest_go_and_numbers_go_on() {
        let (_directory, history) = history(3);
        for round in 1..=9 {
            assert_eq!(history.add("ann", "reload", "x"), Ok(round));
        }
        assert_eq!(history.numbers(), Ok(vec![7, 8, 9]));
    }

    #[test]
    fn a_cut_version_is_told_apart_and_stepped_over() {
        let (_directory, history) = history(10);
        history.add("ann", "reload", "first").unwrap();
        history.add("ann", "reload", "second").unwrap();
        let whole = fs::read_to_string(history.path(2)).unwrap();
        for length in 0..whole.len() {
            fs::write(history.path(2), &whole[..length]).unwrap();
            assert!(history.read(2).unwrap_err().contains("damaged"), "{length}");
        }
        assert_eq!(history.newest().map(|version| version.number), Some(1));
    }

    #[test]
    fn two_proxies_never_write_the_same_number() {
        let (_directory, history) = history(1000);
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let history = history.clone();
                std::thread::spawn(move || {
                    let by = format!("proxy {writer}");
                    (0..10).map(|_| history.add(&by, "reload", "x").unwrap()).collect::<Vec<_>>()
                })
            })
            .collect();
        let mut numbers: Vec<u64> = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers, (1..=40).collect::<Vec<u64>>());
    }

    #[test]
    fn a_full_disk_is_an_error_and_leaves_nothing() {
        // The one file that is always full.
        let mut full = File::options().write(true).open("/dev/full").unwrap();
        let error = write_durably(&mut full, "x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        let (directory, history) = history(3);
        fs::write(directory.path().join("versions"), "a file where the directory should be").unwrap();
        let error = history.add("ann", "reload", "x").unwrap_err();
        assert!(error.contains("cannot make the versions"), "{error}");
    }

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_permissions() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("serval.toml");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        replace_durably(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
