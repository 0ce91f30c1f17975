//! `callslip run`.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::table::{Column, Table};
use super::{Coded, HostArgs, name_and_value, terminal};
use crate::config::DEFAULT_DATABASE;
use crate::loan::{ConnectionSettings, LoanError, Privilege, ResultColumn};
use crate::nearest::suggestion;
use crate::plugin::Inputs;
use crate::printable::printable;
use crate::service::ReloadError;
use crate::{CallError, Code, Config, ConfigError, Host, HostBuilder, Reply, StartError};

const EXAMPLES: &str = "\
Examples:
  callslip run hiring funnel company=1 limit=10
  callslip run hiring funnel --json '{\"company\": 1}' --format json | jq .
  callslip run PLUGIN QUERY --claim user=7";

/// Run one query and print its rows.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct RunArgs {
    /// The plugin, by its name in the configuration.
    pub(super) plugin: String,
    /// The query.
    pub(super) query: String,
    /// The parameters. What is not named is absent.
    #[arg(value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub(super) parameters: Vec<(String, String)>,
    /// The parameters as one JSON object, for nulls, lists and nested values.
    #[arg(long, value_name = "OBJECT", value_parser = json_object, conflicts_with = "parameters")]
    pub(super) json: Option<Inputs>,
    /// A claim about who asks. May be given several times.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub(super) claims: Vec<(String, String)>,
    /// How to print the rows. A table on a terminal and JSON elsewhere, unless it is said.
    #[arg(long, value_enum)]
    pub(super) format: Option<RowFormat>,
    #[command(flatten)]
    pub(super) host: HostArgs,
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RowFormat {
    /// Aligned columns, for people.
    Table,
    /// The reply that the server would send.
    Json,
}

fn json_object(text: &str) -> Result<Inputs, String> {
    Inputs::from_json(text.as_bytes()).map_err(|error| error.message)
}

pub(super) async fn main(args: RunArgs) -> anyhow::Result<ExitCode> {
    // The query is served whatever is wrong with another of the plugin's.
    let host = args.host.start_for_author(args.host.read_config(Some(&args.plugin))?).await?;
    let parameters = args.json.unwrap_or_else(|| Inputs::from_pairs(args.parameters));
    let call =
        host.call(&args.plugin, &args.query).params(parameters).claims(Inputs::from_pairs(args.claims));
    let reply = match call.run().await {
        Ok(reply) => reply,
        Err(error) => {
            return Err(match host.generation().plugin(&args.plugin) {
                Some(Err(refusal)) if matches!(error, CallError::Degraded { .. }) => refusal.clone().into(),
                _ => super::call_error(error),
            });
        }
    };
    if !reply.absent_claims().is_empty() {
        let absent = printable(&reply.absent_claims().join(", "), 200);
        tracing::warn!(
            "no row passes the row filters that read these claims, which are absent: {absent} (--claim NAME=VALUE)"
        );
    }
    let format = args.format.unwrap_or(if terminal::stdout_is_terminal() {
        RowFormat::Table
    } else {
        RowFormat::Json
    });
    match format {
        RowFormat::Table => print_tables(reply, usize::MAX).await?,
        RowFormat::Json => print_json(reply).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn print_json(mut reply: Reply<'_>) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    while let Some(chunk) = reply.next_chunk().await.map_err(super::call_error)? {
        stdout.write_all(&chunk)?;
    }
    writeln!(stdout)?;
    Ok(())
}

/// The first rows of a statement, as text.
pub(super) struct StatementRows {
    /// Its name; empty where the query has only one.
    pub(super) name: String,
    pub(super) columns: Vec<ResultColumn>,
    pub(super) rows: Vec<Vec<Option<String>>>,
    /// How many it has in all.
    pub(super) count: usize,
}

/// Prints each statement's rows as a table, and no more of them than `most`.
pub(super) async fn print_tables(mut reply: Reply<'_>, most: usize) -> anyhow::Result<()> {
    let statements = read_rows(&mut reply, most).await.map_err(super::call_error)?;
    let mut stdout = io::stdout().lock();
    print_rows(&mut stdout, statements)?;
    if let Some(next) = reply.next_cursor() {
        writeln!(stdout, "next page: cursor={next}")?;
    }
    Ok(())
}

/// Reads all rows of a reply, and keeps no more of a statement than `most`.
pub(super) async fn read_rows(reply: &mut Reply<'_>, most: usize) -> Result<Vec<StatementRows>, CallError> {
    let described =
        |statement| (reply.statement_name(statement).to_owned(), reply.columns(statement).to_vec());
    let described: Vec<_> = (0..reply.statement_count()).map(described).collect();
    let read = described.into_iter().zip(reply.first_cells(most).await?);
    Ok(read.map(|((name, columns), (rows, count))| StatementRows { name, columns, rows, count }).collect())
}

/// Prints each statement's rows as a table.
pub(super) fn print_rows(out: &mut impl Write, statements: Vec<StatementRows>) -> io::Result<()> {
    for StatementRows { name, columns, rows, count } in statements {
        if !name.is_empty() {
            writeln!(out, "{name}:")?;
        }
        let column = |its: ResultColumn| Column { numeric: is_number(&its.type_name), name: its.name };
        let mut table = Table::new(columns.into_iter().map(column));
        let shown = rows.len();
        rows.into_iter().for_each(|row| table.push(row));
        write!(out, "{table}")?;
        let plural = if count == 1 { "row" } else { "rows" };
        match count - shown {
            0 => writeln!(out, "({count} {plural})")?,
            more => writeln!(out, "({count} {plural}, {more} not shown)")?,
        }
    }
    Ok(())
}

fn is_number(type_name: &str) -> bool {
    matches!(type_name, "int2" | "int4" | "int8" | "oid" | "float4" | "float8" | "numeric" | "money")
}

impl HostArgs {
    /// Reads the configuration: with all of its plugins, or with just one.
    pub(super) fn read_config(&self, plugin: Option<&str>) -> anyhow::Result<Config> {
        let file = self.config.display();
        let mut config = Config::read(&self.config).map_err(|error| self.told_of_config(error))?;
        if let Some(plugin) = plugin {
            if !config.plugins.contains_key(plugin) {
                let help = suggestion(plugin, config.plugins.keys().map(String::as_str), "it has");
                let message = format!("{file} has no plugin \"{plugin}\"; {help}");
                return Err(Coded::new(Code::UnknownPlugin, message).into());
            }
            // Another plugin's faults are no reason not to run this one.
            config.plugins.retain(|name, _| name == plugin);
        }
        Ok(config)
    }

    fn told_of_config(&self, error: ConfigError) -> anyhow::Error {
        match error {
            ConfigError::Unreadable { path, error }
                if path == self.config && error.kind() == io::ErrorKind::NotFound =>
            {
                let file = path.display();
                let message =
                    format!("there is no configuration {file}: write one, or name it with --config FILE");
                Coded::new(Code::BadConfiguration, message).into()
            }
            error => anyhow::Error::new(error),
        }
    }

    /// Why there is no server, for who starts it.
    pub(super) fn told(&self, error: ReloadError) -> anyhow::Error {
        match error {
            ReloadError::Config(error) => self.told_of_config(error),
            ReloadError::Settings(error) => error.into(),
            ReloadError::Start { error: error @ StartError::Loan(LoanError::Privileged(_)), .. } => {
                error.into()
            }
            ReloadError::Start { connection, error } => {
                anyhow::Error::new(error).context(self.database.tried(&connection))
            }
            error => Coded::new(error.code(), error.to_string()).into(),
        }
    }

    /// What the one host is started with that these commands have: the database of the plugins that were asked for.
    fn of_one_database(&self, config: &Config) -> anyhow::Result<(Config, ConnectionSettings)> {
        let mut hosts = config.by_database().into_iter();
        let (Some((name, config)), None) = (hosts.next(), hosts.next()) else {
            let message = format!(
                "{} has plugins of several databases, of which this command can use one: name a plugin",
                self.config.display()
            );
            return Err(Coded::new(Code::BadConfiguration, message).into());
        };
        let connection = self.database.settings_of(&config, name == DEFAULT_DATABASE)?;
        Ok((config, connection))
    }

    /// Starts a host with the plugins of a configuration, for the one who writes them, at a terminal: with any login, and a warning of
    /// one that `callslip serve` refuses.
    pub(super) async fn start_for_author(&self, config: Config) -> anyhow::Result<Host> {
        self.start_observed_for_author(Host::builder(), config).await
    }

    /// The same of one that somebody observes.
    pub(super) async fn start_observed_for_author(
        &self,
        builder: HostBuilder<'static>,
        config: Config,
    ) -> anyhow::Result<Host> {
        let (mut config, connection) = self.of_one_database(&config)?;
        let allowed = std::mem::replace(&mut config.database.allow, Privilege::ALL.to_vec());
        let started = builder.connect(&connection).start(&config).await;
        let host = started.map_err(|error| {
            anyhow::Error::new(error).context(self.database.tried(&connection.to_string()))
        })?;
        if let Err(LoanError::Privileged(role)) = host.check_login().await
            && !allowed.contains(&role.privilege())
        {
            let why = role.reason();
            tracing::warn!(
                "{why}: plugins may see or do more than they are granted, and `callslip serve` refuses this login"
            );
        }
        Ok(host)
    }

    /// Starts a host with one plugin of the configuration, which must be proven.
    pub(super) async fn start_with(&self, plugin: &str) -> anyhow::Result<Host> {
        let host = self.start_for_author(self.read_config(Some(plugin))?).await?;
        match host.generation().plugin(plugin) {
            Some(Err(refusal)) => Err(refusal.clone().into()),
            _ => Ok(host),
        }
    }
}
