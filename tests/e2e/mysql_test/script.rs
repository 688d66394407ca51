//! A file of the public suite as a list of steps: the statements, and of mysqltest's own language what decides which
//! statements there are.

use std::path::{Path, PathBuf};

use super::lines::{Lines, Piece};

/// One step; a block's ends are jumps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// A statement as it stands, or with variables in it.
    Sql { text: String, eval: bool },
    /// `let $name = value`.
    Let { name: String, value: String },
    /// `inc $name`, `dec $name`.
    Add { name: String, by: i64 },
    /// Goes to a step if the condition does not hold.
    Unless { condition: String, to: usize },
    /// Goes to a step.
    Jump { to: usize },
    /// `connect (name, host, user, …)`.
    Connect { name: String, user: String },
    /// `connection name`.
    Connection { name: String },
    /// The file says that it ends here, or needs what a plain server lacks.
    Exit { why: String },
    /// A command of the test driver that the replay leaves out.
    Left { command: String },
}

/// Where a step comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) place: String,
    pub(super) action: Action,
}

/// Includes that say what server the file is for, and which this one is not.
const NOT_HERE: [&str; 5] =
    ["have_debug", "have_profiling", "have_metadata_lock_info", "not_asan", "have_des"];

/// Reads a file and what it includes.
///
/// # Panics
/// If the file itself cannot be read.
pub(super) fn read(suite: &Path, file: &str) -> Vec<Step> {
    let mut script = Script { suite: suite.to_owned(), steps: Vec::new(), depth: 0 };
    let path = suite.join("main").join(file);
    assert!(path.is_file(), "{} is there: `cargo xtask setup` installs mariadb-test-data", path.display());
    script.include(&path);
    script.steps
}

struct Script {
    suite: PathBuf,
    steps: Vec<Step>,
    depth: usize,
}

impl Script {
    fn include(&mut self, path: &Path) {
        const DEEPEST: usize = 8;
        let Ok(bytes) = std::fs::read(path) else { return };
        if self.depth == DEEPEST {
            return;
        }
        self.depth += 1;
        // What is not UTF-8 becomes U+FFFD; the replay leaves such statements out.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut lines = Lines::new(&text);
        let mut open: Vec<(usize, bool)> = Vec::new();
        while let Some(piece) = lines.next() {
            match piece {
                Piece::Text { line, text, dashed } => {
                    self.command(&mut lines, format!("{name}:{line}"), &text, dashed);
                }
                Piece::Open { line, word, condition } => {
                    open.push((self.steps.len(), word == "while"));
                    self.push(format!("{name}:{line}"), Action::Unless { condition, to: 0 });
                }
                Piece::Close => self.close(open.pop()),
            }
        }
        self.depth -= 1;
    }

    fn close(&mut self, open: Option<(usize, bool)>) {
        let Some((begin, again)) = open else { return };
        if again {
            self.push(String::new(), Action::Jump { to: begin });
        }
        let end = self.steps.len();
        if let Action::Unless { to, .. } = &mut self.steps[begin].action {
            *to = end;
        }
    }

    fn push(&mut self, place: String, action: Action) {
        self.steps.push(Step { place, action });
    }

    fn command(&mut self, lines: &mut Lines<'_>, place: String, text: &str, dashed: bool) {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        let (word, rest) = (text[..end].to_ascii_lowercase(), text[end..].trim());
        match word.as_str() {
            "let" if dashed || rest.starts_with('$') => self.assignment(place, rest),
            "inc" | "dec" if rest.starts_with('$') => {
                let by = if word == "inc" { 1 } else { -1 };
                self.push(place, Action::Add { name: rest[1..].trim_end_matches(';').to_owned(), by });
            }
            "source" => self.source(place, rest.trim_end_matches(';').trim()),
            "delimiter" => lines.delimit(rest.split_whitespace().next().unwrap_or(";")),
            "connect" if rest.starts_with('(') => {
                let mut parts = rest[1..].split([',', ')']).map(|part| part.trim().trim_matches(['\'', '"']));
                let (name, user) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
                self.push(place, Action::Connect { name: name.to_owned(), user: user.to_owned() });
            }
            "connection" => {
                let name = rest.trim_end_matches(';').trim().to_owned();
                self.push(place, Action::Connection { name });
            }
            "eval" | "evalp" | "query_vertical" | "query_horizontal" => {
                self.push(place, Action::Sql { text: rest.to_owned(), eval: true });
            }
            "query" => self.push(place, Action::Sql { text: rest.to_owned(), eval: false }),
            "exit" | "skip" | "die" => self.push(place, Action::Exit { why: text.to_owned() }),
            "disable_parsing" => lines.skip_to("enable_parsing"),
            "perl" | "write_file" | "append_file" => {
                lines.skip_to("EOF");
                self.push(place, Action::Left { command: word });
            }
            _ if dashed || driver(&word) => {
                if left(&word) {
                    self.push(place, Action::Left { command: word });
                }
            }
            _ => self.push(place, Action::Sql { text: text.to_owned(), eval: false }),
        }
    }

    fn assignment(&mut self, place: String, rest: &str) {
        let Some((name, value)) = rest.split_once('=') else { return };
        let name = name.trim().trim_start_matches('$').to_owned();
        self.push(place, Action::Let { name, value: value.trim().to_owned() });
    }

    fn source(&mut self, place: String, file: &str) {
        if NOT_HERE.iter().any(|what| file.contains(what)) {
            return self.push(place, Action::Exit { why: format!("it needs {file}") });
        }
        let file = file.trim_start_matches("./");
        let found = [self.suite.join(file), self.suite.join("main").join(file)];
        match found.iter().find(|path| path.is_file()) {
            Some(path) => self.include(&path.clone()),
            None => self.push(place, Action::Left { command: format!("source {file}") }),
        }
    }
}

/// Commands of the test driver that change which statements reach a server, and how.
fn left(word: &str) -> bool {
    ["send", "reap", "change_user", "reset_connection", "exec", "system", "shutdown_server", "copy_file"]
        .contains(&word)
}

/// Whether this is the test driver's word and no statement's.
fn driver(word: &str) -> bool {
    const PREFIXES: [&str; 5] = ["disable_", "enable_", "replace_", "wait_for_", "sync_"];
    const WORDS: [&str; 47] = [
        "echo",
        "error",
        "sorted_result",
        "partially_sorted_result",
        "lowercase_result",
        "vertical_results",
        "horizontal_results",
        "disconnect",
        "dirty_close",
        "sleep",
        "real_sleep",
        "send",
        "send_eval",
        "reap",
        "change_user",
        "reset_connection",
        "ping",
        "exec",
        "execw",
        "system",
        "remove_file",
        "remove_files_wildcard",
        "copy_file",
        "move_file",
        "cat_file",
        "diff_files",
        "file_exists",
        "chmod",
        "mkdir",
        "rmdir",
        "list_files",
        "list_files_write_file",
        "list_files_append_file",
        "character_set",
        "query_log",
        "result_format",
        "require",
        "start_timer",
        "end_timer",
        "save_master_pos",
        "sync_with_master",
        "shutdown_server",
        "optimizer_trace",
        "output",
        "ps_prepare",
        "ps_execute",
        "eval_result",
    ];
    WORDS.contains(&word) || PREFIXES.iter().any(|prefix| word.starts_with(prefix))
}
