//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::command;
use crate::command::admin::AdminArgs;
use crate::command::run::RunArgs;
use crate::demo;
use crate::failure::Failure;

/// A sharding proxy for MySQL: one MySQL in front of many.
#[derive(Debug, Parser)]
#[command(name = "serval", version, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands, one file each in [`crate::command`].
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the proxy until SIGTERM or SIGINT
    Run(RunArgs),
    /// Validate a config: every mistake with file, line and fix
    Check(CheckArgs),
    /// Show the plan of a statement without running it
    Explain(ExplainArgs),
    /// Write the tables' definitions, from the servers, into schema/ beside the config
    Snapshot(ConfigArgs),
    /// Read a password from standard input and print its verifier for the config
    Passwd,
    /// Convert another proxy's config so that every row stays where it is; the result goes to standard output
    #[command(subcommand)]
    Import(ImportCommand),
    /// Print the JSON Schema of the config file, for editors
    Schema,
    /// A shell on the admin console of a running proxy
    Admin(AdminArgs),
    /// Start private servers, a small shop on them and the proxy, to try things on
    Demo(DemoArgs),
}

impl Command {
    /// Runs the subcommand to its end.
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Self::Run(args) => command::run::run(&args),
            Self::Check(args) => command::check::run(&args),
            Self::Explain(args) => command::explain::run(&args),
            Self::Snapshot(args) => command::snapshot::run(&args),
            Self::Passwd => command::passwd::run(),
            Self::Import(from) => command::import::run(&from),
            Self::Schema => command::schema::run(),
            Self::Admin(args) => command::admin::run(&args),
            Self::Demo(args) => demo::run(&args),
        }
    }
}

/// Where the config is.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// The config file, or a directory with serval.toml in it
    #[arg(short, long, value_name = "FILE", env = "SERVAL_CONFIG", default_value = "conf")]
    pub config: PathBuf,
}

/// Arguments of `serval check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The config file, or a directory with serval.toml in it
    #[arg(value_name = "FILE", env = "SERVAL_CONFIG", default_value = "conf")]
    pub config: PathBuf,
    /// Ask the servers too: versions, grants, databases, and whether a table is the same on all its nodes
    #[arg(long)]
    pub online: bool,
    /// Look for rows that lie where their rule would not put them: up to N of each physical table; 0 reads all
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "10000")]
    pub rows: Option<u64>,
}

/// Whose config `serval import` converts.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Mycat 1.6: server.xml, schema.xml, rule.xml and the mapping files they name
    Mycat {
        /// The directory, Mycat's conf
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// kingshard: its YAML file
    Kingshard {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Gaea: the JSON files of its namespaces
    Gaea {
        /// The directory, or one file
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
}

/// Arguments of `serval explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Where the config is.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The current schema; not needed where the config has only one
    #[arg(short, long, value_name = "NAME")]
    pub schema: Option<String>,
    /// The statement
    #[arg(value_name = "SQL")]
    pub sql: String,
}

/// Arguments of `serval demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The port for MySQL clients; 0 takes a free one
    #[arg(long, default_value_t = 3307)]
    pub port: u16,
    /// The port of the admin console; 0 takes a free one
    #[arg(long, default_value_t = 9066)]
    pub admin_port: u16,
    /// The port of /metrics, /healthz and /readyz; 0 takes a free one
    #[arg(long, default_value_t = 9067)]
    pub http_port: u16,
    /// Where the directory with the servers' data and the config is made; it is removed at the end
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn explain_takes_one_statement() {
        let cli = Cli::try_parse_from(["serval", "explain", "--schema", "shop", "SELECT 1"]).unwrap();
        let Command::Explain(args) = cli.command else { panic!("not explain") };
        assert_eq!((args.schema.as_deref(), args.sql.as_str()), (Some("shop"), "SELECT 1"));
    }
}
