//! The `callslip` command: one file a subcommand.

pub mod build;
mod catalog;
mod check;
mod demo;
mod explain;
mod file;
mod inspect;
mod key;
mod log_writer;
mod logging;
mod openapi;
mod progress;
mod proof;
mod replay;
mod run;
mod serve;
mod stop;
mod suggest;
mod table;
mod terminal;
pub mod tpch;
mod type_name;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::loan::{ConnectionSettings, SettingsError};
use crate::service::SlipError;
use crate::{CallError, Code, Config, ConfigError, LogFormat, StartError};

/// Query plugins on PostgreSQL: sandboxed components describe SELECTs, and Callslip runs them.
#[derive(Debug, Parser)]
#[command(name = "callslip", version, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    verbosity: logging::Verbosity,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    it worked
  1    it failed: a plugin has findings, a call or a build failed
  2    the command line can't be used
  130  interrupted";

#[derive(Debug, Subcommand)]
enum Command {
    Build(build::BuildArgs),
    Run(run::RunArgs),
    Explain(explain::ExplainArgs),
    Replay(replay::ReplayArgs),
    Serve(serve::ServeArgs),
    Key(key::KeyArgs),
    Inspect(inspect::InspectArgs),
    Check(check::CheckArgs),
    Catalog(catalog::CatalogArgs),
    #[command(name = "openapi")]
    OpenApi(openapi::OpenApiArgs),
    Demo(demo::DemoArgs),
}

/// The configuration that is read where none is named.
const CONFIG: &str = "callslip.toml";

/// Where the host finds its plugins and its database.
#[derive(Args, Debug)]
struct HostArgs {
    /// The configuration: the plugins, and what each may touch.
    #[arg(long, value_name = "FILE", default_value = CONFIG)]
    config: PathBuf,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Which database.
#[derive(Args, Debug)]
struct DatabaseArgs {
    /// The database, such as postgres://me@localhost/shop. Without it the PG* variables or a service file say
    /// where it is.
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
}

impl DatabaseArgs {
    /// How to connect to the default database, or another one, of a configuration.
    fn settings_of(&self, config: &Config, is_default: bool) -> anyhow::Result<ConnectionSettings> {
        // A variable that is set to nothing is a variable that somebody forgot.
        let url = self.database_url.as_deref().filter(|url| is_default && !url.is_empty());
        let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Ok(config.connection(url, is_default, &environment)?)
    }

    /// What was tried, for when it fails.
    fn tried(&self, connection: &str) -> String {
        let told = self.database_url.as_deref().is_some_and(|url| !url.is_empty())
            || ["PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE", "PGPORT"]
                .iter()
                .any(|name| std::env::var_os(name).is_some());
        match told {
            true => format!(
                "can't use the database {connection}: start it, or correct DATABASE_URL, --database-url or the PG* \
                 variables"
            ),
            false => format!(
                "can't use the database {connection}, which is libpq's default: set DATABASE_URL or the PG* variables"
            ),
        }
    }
}

/// What went wrong with a call. Whoever runs the command may see what PostgreSQL said.
fn call_error(error: CallError) -> anyhow::Error {
    Coded::new(error.code(), error.log_message()).into()
}

/// The stable code of the first of its causes that has one of its own.
fn code(error: &anyhow::Error) -> Option<Code> {
    error.chain().find_map(|cause| {
        let of_config = || cause.downcast_ref().map(ConfigError::code);
        let of_settings = || cause.downcast_ref().map(SettingsError::code);
        let of_slip = || cause.downcast_ref().map(SlipError::code);
        let of_start = || cause.downcast_ref().map(StartError::code);
        let of_command = || cause.downcast_ref().map(|Coded { code, .. }| *code);
        of_config().or_else(of_settings).or_else(of_slip).or_else(of_start).or_else(of_command)
    })
}

/// An error of the command's own.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Coded {
    code: Code,
    message: String,
}

impl Coded {
    fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// Runs the command that the process was given.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let (log, log_thread) = cli.verbosity.start_logging(match &cli.command {
        Command::Serve(args) => logging::Work::Serves(&args.host.config),
        Command::Run(_) | Command::Replay(_) => logging::Work::Calls,
        _ => logging::Work::Other,
    });
    let outcome = match cli.command {
        Command::Build(args) => build::main(args, cli.verbosity),
        Command::Run(args) => stop::unless_interrupted(run::main(args)),
        Command::Explain(args) => stop::unless_interrupted(explain::main(args)),
        Command::Replay(args) => stop::unless_interrupted(replay::main(args)),
        Command::Inspect(args) => stop::unless_interrupted(inspect::main(args)),
        Command::Check(args) => stop::unless_interrupted(check::main(args)),
        Command::Catalog(args) => stop::unless_interrupted(catalog::main(args)),
        Command::OpenApi(args) => stop::unless_interrupted(openapi::main(args)),
        Command::Key(args) => key::main(args),
        Command::Serve(args) => stop::to_the_end(serve::main(args)),
        // It stops by itself too, so that it can tidy up.
        Command::Demo(args) => stop::to_the_end(demo::main(args, cli.verbosity.quiet)),
    };
    // What was logged comes before what ends it.
    drop(log_thread);
    outcome.unwrap_or_else(|error| exit_code(&error, log))
}

/// Says what went wrong, and how the process ends.
fn exit_code(error: &anyhow::Error, log: LogFormat) -> ExitCode {
    if error.is::<stop::Interrupted>() {
        return ExitCode::from(130);
    }
    // Whoever read our output has seen enough, such as `head`.
    let broken_pipe = |cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe;
    if error.chain().filter_map(|cause| cause.downcast_ref()).any(broken_pipe) {
        return ExitCode::SUCCESS;
    }
    match log {
        LogFormat::Json => tracing::error!(code = code(error).map(Code::as_str), "{error:#}"),
        _ => terminal::print_error(error, code(error)),
    }
    ExitCode::FAILURE
}

/// Reads `name=value`, as parameters and claims are given.
fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write name=value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn parameters_and_claims_are_names_with_values() {
        let cli = parse("callslip run hiring funnel company=1 note=a=b since= --claim user=7").unwrap();
        let Command::Run(args) = cli.command else { panic!("not run: {cli:?}") };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(args.parameters, [pair("company", "1"), pair("note", "a=b"), pair("since", "")]);
        assert_eq!(args.claims, [pair("user", "7")]);
    }

    #[test]
    fn a_parameter_without_a_value_is_a_usage_error() {
        for line in ["callslip run hiring funnel company", "callslip run hiring funnel =1"] {
            let error = parse(line).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ValueValidation, "{line}");
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn parameters_are_words_or_one_json_object() {
        let error = parse(r#"callslip run hiring funnel company=1 --json {"company":1}"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ArgumentConflict);
        let error = parse("callslip run hiring funnel --json [1]").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ValueValidation);
        parse(r#"callslip run hiring funnel --json {"company":1}"#).unwrap();
    }

    #[test]
    fn a_scale_is_a_positive_number() {
        for scale in ["0", "-1", "NaN", "inf", "much", "1e9"] {
            let error = parse(&format!("callslip demo --scale={scale}")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ValueValidation, "{scale}");
        }
        let cli = parse("callslip demo --once --scale 0.5").unwrap();
        assert!(matches!(cli.command, Command::Demo(args) if args.scale == Some(0.5) && args.once));
        let cli = parse("callslip demo --tpch").unwrap();
        assert!(matches!(cli.command, Command::Demo(args) if args.scale.is_none() && args.tpch));
    }

    #[test]
    fn a_broken_pipe_is_no_failure() {
        let error = anyhow::Error::new(io::Error::from(io::ErrorKind::BrokenPipe)).context("can't print");
        assert_eq!(exit_code(&error, LogFormat::Text), ExitCode::SUCCESS);
        let error = anyhow::Error::new(io::Error::from(io::ErrorKind::NotFound));
        assert_eq!(exit_code(&error, LogFormat::Text), ExitCode::FAILURE);
        assert_eq!(exit_code(&stop::Interrupted.into(), LogFormat::Text), ExitCode::from(130));
    }
}
