//! Why a command did not do what it was asked, and the exit code that says so.

use std::process::ExitCode;

/// A command's failure, split by what the caller of the binary does about it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The config is wrong: diagnostics, ready to print. Nothing was started.
    #[error("{0}")]
    Config(String),
    /// Anything else: a port in use, a server that is down, a statement that is refused.
    #[error("error: {0}")]
    Other(String),
}

impl Failure {
    /// A failure that is not the config's.
    pub fn other(message: impl Into<String>) -> Self {
        Self::Other(message.into())
    }

    /// 2 for a wrong config, 1 for the rest.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) => ExitCode::from(2),
            Self::Other(_) => ExitCode::FAILURE,
        }
    }
}
