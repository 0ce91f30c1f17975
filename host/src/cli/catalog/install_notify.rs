use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use crate::Code;
use crate::catalog::{INSTALL_NOTIFY, REMOVE_NOTIFY};
use crate::cli::Coded;
use crate::loan::ConnectionSettings;

const EXAMPLES: &str = "\
Examples:
  callslip catalog install-notify
  callslip catalog install-notify | psql --dbname shop --username postgres
  callslip catalog install-notify --admin-url postgres://postgres@localhost/shop";

/// Print the SQL that makes a database tell a server of every change of its schema, or run it.
///
/// It makes two event triggers, which need a superuser, and their function in a schema `callslip`. Without them a server finds out
/// as well, when it next looks by itself.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct InstallNotifyArgs {
    /// Run it in this database, as this superuser, instead of printing it.
    #[arg(long, value_name = "URL", env = "CALLSLIP_ADMIN_URL", hide_env_values = true)]
    admin_url: Option<String>,
    /// Take the triggers and what belongs to them away instead.
    #[arg(long)]
    remove: bool,
}

pub(super) async fn main(args: InstallNotifyArgs) -> anyhow::Result<ExitCode> {
    let sql = if args.remove { REMOVE_NOTIFY } else { INSTALL_NOTIFY };
    let Some(url) = args.admin_url else {
        io::stdout().lock().write_all(sql.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    };
    // A variable that is set to nothing is a variable that somebody forgot, who would take what is printed for done.
    if url.is_empty() {
        let message = "--admin-url, or CALLSLIP_ADMIN_URL, is empty: name the database, or leave it out to print the SQL";
        return Err(Coded::new(Code::BadConnectionSettings, message).into());
    }
    let settings = ConnectionSettings::resolve(Some(&url), &|name| std::env::var(name).ok())?;
    let connected = crate::loan::connect(&settings).await;
    let (client, connection) = connected.with_context(|| format!("can't use the database {settings}"))?;
    let driver = tokio::spawn(connection);
    client.batch_execute(sql).await.with_context(|| {
        format!("can't change {settings}: event triggers need a superuser; nothing was changed")
    })?;
    drop(client);
    driver.await.context("the session did not end well")??;
    let mut out = io::stdout().lock();
    match args.remove {
        true => writeln!(out, "{settings} tells of changes of its schema no more")?,
        false => writeln!(out, "{settings} tells of every change of its schema from now on")?,
    }
    Ok(ExitCode::SUCCESS)
}
