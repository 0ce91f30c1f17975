//! `callslip catalog`.

mod diff;
mod install_notify;
mod login_sql;
mod print;
mod snapshot;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::DatabaseArgs;
use crate::Config;
use crate::catalog::{self, Contents, Visibility};
use crate::loan::{Pool, PoolSettings};

const EXAMPLES: &str = "\
Examples:
  callslip catalog
  callslip catalog interview
  callslip catalog --all
  callslip catalog snapshot --out schema.json
  callslip catalog diff schema.json
  callslip catalog install-notify | psql --dbname shop --username postgres
  callslip catalog login-sql | psql --dbname shop --username postgres";

/// Show what the database holds, as the login may use it, write a snapshot of it, or say what changed since.
///
/// It needs a database, and no configuration.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(super) struct CatalogArgs {
    #[command(subcommand)]
    command: Option<CatalogCommand>,
    /// One relation only: its name, or its schema and name.
    pub(super) relation: Option<String>,
    /// Everything: also what the login may not use, marked so.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    source: SourceArgs,
}

#[derive(Debug, Subcommand)]
enum CatalogCommand {
    Snapshot(snapshot::SnapshotArgs),
    InstallNotify(install_notify::InstallNotifyArgs),
    LoginSql(login_sql::LoginSqlArgs),
    Diff(diff::DiffArgs),
}

/// Where the catalog is from.
#[derive(Args, Debug)]
struct SourceArgs {
    /// A schema in which names without one are looked for. May be given several times. Without it those of the
    /// configuration, and without that `public`.
    #[arg(long = "schema", value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    schemas: Vec<String>,
    /// The configuration: its schemas, and what it grants of PostgreSQL's functions. Without it `callslip.toml`, if it is
    /// there.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(super) async fn main(args: CatalogArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        Some(CatalogCommand::Snapshot(args)) => snapshot::main(args).await,
        Some(CatalogCommand::InstallNotify(args)) => install_notify::main(args).await,
        Some(CatalogCommand::LoginSql(args)) => login_sql::main(args).await,
        Some(CatalogCommand::Diff(args)) => diff::main(args).await,
        None => print::main(args).await,
    }
}

impl SourceArgs {
    /// The configuration, with the schemas that the command line names. The one that is named must be there.
    fn config(&self) -> anyhow::Result<Config> {
        let default = Path::new(super::CONFIG);
        let mut config = match &self.config {
            Some(named) => Config::read(named)?,
            None if default.exists() => Config::read(default)?,
            None => Config::default(),
        };
        if !self.schemas.is_empty() {
            config.database.schemas.clone_from(&self.schemas);
        }
        Ok(config)
    }

    async fn reflect_as(&self, visibility: Visibility) -> anyhow::Result<Contents> {
        Ok(self.reflect_with(visibility, self.config()?.pool.settings()).await?.0)
    }

    /// The same, with the connection that it was reflected on.
    async fn reflect_with(
        &self,
        visibility: Visibility,
        settings: PoolSettings,
    ) -> anyhow::Result<(Contents, Pool)> {
        let connection = self.database.settings_of(&self.config()?, true)?;
        let reflected = async {
            let pool = Pool::new(&connection, PoolSettings { size: 1, ..settings })?;
            let contents = catalog::reflect_as(pool.loan().await?.client(), visibility).await?;
            anyhow::Ok((contents, pool))
        };
        reflected.await.with_context(|| self.database.tried(&connection.to_string()))
    }
}
