//! `serval run`: the proxy, until a signal.

use clap::Args;
use tokio::runtime::{Builder, Runtime};

use crate::cli::ConfigArgs;
use crate::config_files::ConfigFiles;
use crate::failure::Failure;
use crate::listeners::Listeners;
use crate::logging::{self, LogFormat};
use crate::output::complain;
use crate::proxy::Running;
use crate::signals::Signals;

/// Arguments of `serval run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Where the config is.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// How the log is written on standard error; RUST_LOG says how much
    #[arg(long, value_enum, env = "SERVAL_LOG_FORMAT", default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// Runs until SIGTERM or SIGINT.
pub fn run(args: &RunArgs) -> Result<(), Failure> {
    let files = ConfigFiles::read(&args.config.config)?;
    let (catalog, warnings) = files.load()?;
    if !warnings.is_empty() {
        complain(files.render(&warnings));
    }
    logging::start("info", args.log_format);
    descriptors(catalog.settings.max_connections);
    runtime()?.block_on(async {
        // Taken before anything is started, so that no signal is missed.
        let mut signals = Signals::listen()?;
        let listeners = Listeners::bind(&catalog.settings.listen).await?;
        let running = Running::start(files, catalog, listeners).await?;
        running.until_signal(&mut signals).await;
        Ok(())
    })
}

/// Raises the limit of open files as far as the system lets us, and says so where that is too little: each client needs
/// one, and so does each connection to a server.
fn descriptors(clients: usize) {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) if limit < clients as u64 => {
            tracing::warn!(
                limit,
                max_connections = clients,
                "the limit of open files is lower than max_connections"
            );
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit of open files could not be raised"),
    }
}

/// Statements are parsed and planned by recursion. The parser refuses what is nested too deep for this, which costs
/// nothing while it is not used.
const STACK: usize = 32 << 20;

/// The runtime of the commands that talk to somebody.
pub fn runtime() -> Result<Runtime, Failure> {
    Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build()
        .map_err(|error| Failure::other(format!("cannot start the runtime: {error}")))
}
