//! `callslip catalog login-sql`.

mod text;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use super::SourceArgs;
use crate::Code;
use crate::catalog::{Visibility, reflect_as};
use crate::cli::Coded;
use crate::host::Needed;
use crate::loan::ConnectionSettings;
use text::Login;

const EXAMPLES: &str = "\
Examples:
  callslip catalog login-sql
  callslip catalog login-sql --name reports --plugin hiring
  callslip catalog login-sql | psql --dbname shop --username postgres
  callslip catalog login-sql --admin-url postgres://postgres@localhost/shop";

/// Print the SQL that makes a login which may only read what the plugins of the configuration are granted, or run it.
///
/// It can be run again: what the login has and does not need is taken from it. It has no password; \password sets one.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct LoginSqlArgs {
    /// The login's name.
    #[arg(long, value_name = "NAME", default_value = "callslip")]
    name: String,
    /// What one plugin needs, by its name in the configuration, instead of all.
    #[arg(long)]
    plugin: Option<String>,
    /// Look at this database, as this superuser, and run the SQL there instead of printing it.
    #[arg(long, value_name = "URL", env = "CALLSLIP_ADMIN_URL", hide_env_values = true)]
    admin_url: Option<String>,
    #[command(flatten)]
    source: SourceArgs,
}

pub(super) async fn main(args: LoginSqlArgs) -> anyhow::Result<ExitCode> {
    let mut config = args.source.config()?;
    let bad = |message: String| anyhow::Error::new(Coded::new(Code::BadConfiguration, message));
    check_name(&args.name, &config.database.roles).map_err(bad)?;
    if let Some(plugin) = &args.plugin {
        if !config.plugins.contains_key(plugin) {
            let message = format!("the configuration has no plugin \"{plugin}\"");
            return Err(Coded::new(Code::UnknownPlugin, message).into());
        }
        config.plugins.retain(|name, _| name == plugin);
    }
    if config.plugins.is_empty() {
        return Err(bad("the configuration names no plugin: name it with --config FILE".to_owned()));
    }
    let Some(url) = &args.admin_url else {
        let contents = args.source.reflect_as(Visibility::Everything).await?;
        let written = written(&args.name, &config, contents)?;
        io::stdout().lock().write_all(written.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    };
    // A variable that is set to nothing is a variable that somebody forgot, who would take what is printed for done.
    if url.is_empty() {
        let message = "--admin-url, or CALLSLIP_ADMIN_URL, is empty: name the database, or leave it out to print the SQL";
        return Err(Coded::new(Code::BadConnectionSettings, message).into());
    }
    let settings = ConnectionSettings::resolve(Some(url), &|name| std::env::var(name).ok())?;
    let connected = crate::loan::connect(&settings).await;
    let (client, connection) = connected.with_context(|| format!("can't use the database {settings}"))?;
    let driver = tokio::spawn(connection);
    let contents = reflect_as(&client, Visibility::Everything).await?;
    let written = written(&args.name, &config, contents)?;
    client.batch_execute(&written).await.with_context(|| {
        format!("can't make the login in {settings}: it takes a superuser; nothing was changed")
    })?;
    drop(client);
    driver.await.context("the session did not end well")??;
    writeln!(
        io::stdout().lock(),
        "{settings} has the login \"{}\", which may only read; \\password sets its password",
        args.name
    )?;
    Ok(ExitCode::SUCCESS)
}

fn check_name(name: &str, roles: &[String]) -> Result<(), String> {
    let is_reserved = name.starts_with("pg_") || ["none", "public"].contains(&name);
    if name.is_empty() || name.len() > 63 || name.contains('\0') || is_reserved {
        return Err(format!("--name {name:?} is no name that a login can have"));
    }
    match roles.iter().any(|role| role == name) {
        true => Err(format!(
            "--name {name:?} is a role of the callers, as database.roles says; the login is another"
        )),
        false => Ok(()),
    }
}

fn written(name: &str, config: &crate::Config, contents: crate::catalog::Contents) -> anyhow::Result<String> {
    let needed = Needed::of(config, contents);
    if !needed.missing.is_empty() {
        let missing: Vec<&str> = needed.missing.iter().map(String::as_str).collect();
        return Err(Coded::new(Code::BadConfiguration, missing.join("\n")).into());
    }
    let settings = config.pool.settings();
    Ok(Login { name, roles: &config.database.roles, needed: &needed, settings: &settings }.sql())
}
