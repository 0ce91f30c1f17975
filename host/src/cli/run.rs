//! `callslip run`.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::table::{Column, Table};
use super::{Coded, HostArgs, name_and_value, terminal};
use crate::loan::{LoanError, Privilege};
use crate::nearest::suggestion;
use crate::plugin::Inputs;
use crate::{Code, Config, ConfigError, Host, Reply, StartError};

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
                Some(Err(refusal)) if error.code() == Code::PluginDegraded => refusal.clone().into(),
                _ => super::call_error(error),
            });
        }
    };
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

/// Prints each statement's rows as a table, and no more of them than `most`.
pub(super) async fn print_tables(reply: Reply<'_>, most: usize) -> anyhow::Result<()> {
    let headers: Vec<(String, Vec<Column>)> = (0..reply.statement_count())
        .map(|statement| {
            let columns = reply
                .columns(statement)
                .iter()
                .map(|column| Column { name: column.name.clone(), numeric: is_number(&column.type_name) });
            (reply.statement_name(statement).to_owned(), columns.collect())
        })
        .collect();
    let statements = reply.cells().await.map_err(super::call_error)?;
    let mut stdout = io::stdout().lock();
    for ((name, columns), rows) in headers.into_iter().zip(statements) {
        if !name.is_empty() {
            writeln!(stdout, "{name}:")?;
        }
        let mut table = Table::new(columns);
        let count = rows.len();
        rows.into_iter().take(most).for_each(|row| table.push(row));
        write!(stdout, "{table}")?;
        let plural = if count == 1 { "row" } else { "rows" };
        match count.checked_sub(most) {
            Some(more) if more > 0 => writeln!(stdout, "({count} {plural}, {more} not shown)")?,
            _ => writeln!(stdout, "({count} {plural})")?,
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
        let mut config = Config::read(&self.config).map_err(|error| match error {
            ConfigError::Unreadable { error, .. } if error.kind() == io::ErrorKind::NotFound => {
                let message =
                    format!("there is no configuration {file}: write one, or name it with --config FILE");
                Coded::new(Code::BadConfiguration, message).into()
            }
            error => anyhow::Error::new(error),
        })?;
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

    /// Starts a host with the plugins of a configuration.
    pub(super) async fn start(&self, config: &Config) -> anyhow::Result<Host> {
        let connection = self.database.settings()?;
        Host::start(config, &connection).await.map_err(|error| match error {
            error @ StartError::Loan(LoanError::Privileged(_)) => error.into(),
            error => anyhow::Error::new(error).context(self.database.tried(&connection)),
        })
    }

    /// The same for the one who writes the plugins, at a terminal: with any login, and a warning where row-level security does
    /// not hold for it.
    pub(super) async fn start_for_author(&self, mut config: Config) -> anyhow::Result<Host> {
        let allowed = std::mem::replace(&mut config.database.allow, Privilege::ALL.to_vec());
        let host = self.start(&config).await?;
        if let Err(LoanError::Privileged(role)) = host.check_login().await
            && !allowed.contains(&role.privilege())
        {
            let why = role.reason();
            tracing::warn!(
                "{why}: what row-level security hides is seen, and `callslip serve` refuses this login"
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
