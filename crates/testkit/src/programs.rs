//! Where the server programs are, and the command lines that initialise and run them.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Flavour, Result, TestkitError};

const MYSQL_ROOT: &str = "/var/cache/serval/mysql97";
const MARIADB_HINT: &str = "run `cargo xtask setup`, or install the package mariadb-server";

/// A program and the arguments that always come first.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub path: PathBuf,
    pub arguments: Vec<OsString>,
}

impl Program {
    fn plain(path: PathBuf) -> Program {
        Program { path, arguments: Vec::new() }
    }

    /// Runs it to its end and returns what it wrote to standard output.
    pub fn run(&self, arguments: &[OsString]) -> Result<String> {
        let output = Command::new(&self.path)
            .args(&self.arguments)
            .args(arguments)
            .output()
            .map_err(TestkitError::io(format!("running {}", self.path.display())))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        let output = text(&output.stdout) + &text(&output.stderr);
        Err(TestkitError::Program { program: self.path.display().to_string(), output })
    }
}

/// The server program of a flavour.
pub(crate) fn server(flavour: Flavour) -> Result<Program> {
    match flavour {
        Flavour::MariaDb => find("mariadbd").map(Program::plain),
        Flavour::MySql97 => mysql_program("usr/sbin/mysqld"),
    }
}

/// An option whose value is a path, such as `--datadir=`.
pub(crate) fn path_option(option: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(option);
    argument.push(path);
    argument
}

/// Arguments that every start of a server of this flavour needs because of where its files lie.
pub(crate) fn places(flavour: Flavour) -> Vec<OsString> {
    match flavour {
        Flavour::MariaDb => Vec::new(),
        Flavour::MySql97 => {
            let root = mysql_root();
            let place = |option: &str, path: &str| path_option(option, &root.join(path));
            vec![
                place("--lc-messages-dir=", "usr/share/mysql"),
                place("--character-sets-dir=", "usr/share/mysql/charsets"),
                place("--plugin-dir=", "usr/lib/mysql/plugin"),
            ]
        }
    }
}

/// Makes an empty data directory, `root` having no password.
pub(crate) fn initialise(flavour: Flavour, data: &Path) -> Result<()> {
    let mut arguments: Vec<OsString> = vec!["--no-defaults".into(), path_option("--datadir=", data)];
    // A server that starts removes the temporary tables of all others from a folder that they share.
    arguments.push(path_option("--tmpdir=", data.parent().unwrap_or(data)));
    arguments.extend(user_argument());
    match flavour {
        Flavour::MariaDb => {
            let more = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"];
            arguments.extend(more.map(OsString::from));
            arguments.push(INNODB_LOG.into());
            Program::plain(find("mariadb-install-db")?).run(&arguments)?;
        }
        Flavour::MySql97 => {
            arguments.extend(["--initialize-insecure", "--skip-log-bin"].map(OsString::from));
            arguments.extend(places(flavour));
            server(flavour)?.run(&arguments)?;
        }
    }
    Ok(())
}

/// The redo log's size is fixed when a data directory is made.
pub(crate) const INNODB_LOG: &str = "--innodb-log-file-size=16M";

/// Servers refuse to run as root unless told so.
pub(crate) fn user_argument() -> Option<OsString> {
    (user_id() == 0).then(|| "--user=root".into())
}

/// The number of the user that runs this process.
pub(crate) fn user_id() -> u32 {
    std::fs::metadata("/proc/self").map_or(0, |metadata| metadata.uid())
}

/// Looks in `PATH` and in the system's folders, which an ordinary user's `PATH` often lacks.
pub(crate) fn find(name: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system =
        ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/usr/libexec"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(system)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| TestkitError::NotInstalled { program: name.to_owned(), hint: MARIADB_HINT })
}

fn mysql_root() -> PathBuf {
    std::env::var_os("SERVAL_MYSQL_ROOT").map_or_else(|| MYSQL_ROOT.into(), PathBuf::from)
}

/// A program of the prepared folder. Its C library is newer than the machine's, so the folder's own loader starts it;
/// unlike chroot that needs no root.
fn mysql_program(path: &str) -> Result<Program> {
    let root = mysql_root();
    let (loader, program) = (root.join("lib64/ld-linux-x86-64.so.2"), root.join(path));
    if !loader.exists() || !program.exists() {
        return Err(TestkitError::MysqlNotPrepared { root });
    }
    let libraries = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"].map(|folder| root.join(folder));
    let libraries = std::env::join_paths(libraries).unwrap_or_default();
    Ok(Program { path: loader, arguments: vec!["--library-path".into(), libraries, program.into()] })
}

impl Flavour {
    /// A command that runs this flavour's command-line client, without options so far.
    pub fn client(self) -> Result<Command> {
        self.program("mariadb", "mysql")
    }

    /// A command that runs this flavour's dump tool, without options so far.
    pub fn dump(self) -> Result<Command> {
        self.program("mariadb-dump", "mysqldump")
    }

    fn program(self, mariadb: &str, mysql: &str) -> Result<Command> {
        let program = match self {
            Flavour::MariaDb => Program::plain(find(mariadb)?),
            Flavour::MySql97 => mysql_program(&format!("usr/bin/{mysql}"))?,
        };
        let mut command = Command::new(program.path);
        command.args(program.arguments);
        Ok(command)
    }

    /// Whether servers of this flavour can be started here; the error says what is missing.
    pub fn available(self) -> Result<()> {
        server(self).map(drop)
    }
}
