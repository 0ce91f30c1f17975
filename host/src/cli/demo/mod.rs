//! `callslip demo`: the whole of it on a throw-away PostgreSQL.

mod database;
mod showcase;
mod source;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use tokio::net::TcpListener;

use super::build::{BuildOptions, Built, build_plugin};
use super::progress::Progress;
use super::{explain, run, serve};
use crate::loan::Privilege;
use crate::plugin::Inputs;
use crate::service::{self, Server, Service};
use crate::{Config, Host};
use database::DemoDatabase;
use showcase::{HIRING, Showcase, TPCH};
use source::ExamplePlugins;

/// The schema that the data go into.
const SCHEMA: &str = "callslip_demo";
/// How many rows of the first call are shown.
const SHOWN_ROWS: usize = 10;

const EXAMPLES: &str = "\
Examples:
  callslip demo
  callslip demo --once --scale 0.01
  callslip demo --tpch";

/// Show it all on a throw-away PostgreSQL with data of a video-interview company, or of TPC-H.
///
/// Builds and loads the example plugin, shows how many shapes are proven, runs a query and shows its rows, SQL and
/// plan, and serves until Ctrl-C. Nothing is left behind. With a database URL the data go into a schema
/// `callslip_demo` of that database, which is dropped at the end.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct DemoArgs {
    /// End after the first query instead of serving.
    #[arg(long)]
    pub(super) once: bool,
    /// The 22 queries of the TPC-H benchmark, on data that its generator makes.
    #[arg(long)]
    pub(super) tpch: bool,
    /// How much data, at most 100: 1 is about 100,000 interviews and 1,000,000 ratings; of TPC-H it is the scale factor, 1
    /// for a gigabyte. The default is 0.1, and 0.01 of TPC-H.
    #[arg(long, value_name = "NUMBER", value_parser = scale)]
    pub(super) scale: Option<f64>,
    /// The address and port. Port 0 takes any that is free.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    pub(super) listen: SocketAddr,
    /// The folder of the example plugins. Looked for from the current folder upwards, unless it is said.
    #[arg(long, value_name = "FOLDER")]
    pub(super) example_plugins: Option<PathBuf>,
    /// A database to use instead of a throw-away one. The environment is not asked: a demonstration should not
    /// end up in the database that a service is configured for.
    #[arg(long, value_name = "URL")]
    pub(super) database_url: Option<String>,
}

fn scale(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(scale) if scale > 0.0 && scale <= 100.0 => Ok(scale),
        _ => Err("write a number over 0 and up to 100".to_owned()),
    }
}

pub(super) async fn main(args: DemoArgs, quiet: bool) -> anyhow::Result<ExitCode> {
    let showcase = if args.tpch { TPCH } else { HIRING };
    let scale = args.scale.unwrap_or(showcase.scale);
    (showcase.check_scale)(scale)?;
    let plugins = ExamplePlugins::find(args.example_plugins.as_deref())?;
    let config_file = plugins.config(showcase.config);
    let mut config = Config::read(&config_file)?;
    // Before anything is started: an address that is taken is no reason to wait for the data first.
    let listener = match args.once {
        true => None,
        false => Some(TcpListener::bind(args.listen).await.with_context(|| {
            format!("can't listen on {}; say another address with --listen", args.listen)
        })?),
    };
    let database = DemoDatabase::start(args.database_url.as_deref(), quiet).await?;
    let outcome = async {
        let built = build(&plugins, &showcase, quiet).await?;
        database.load((showcase.dataset)(&plugins.data(showcase.plugin))?, scale, quiet).await?;
        config.database.schemas = vec![SCHEMA.to_owned()];
        if args.database_url.is_some() {
            // Whoever lends a database for a demonstration owns the demonstration's tables in it.
            config.database.allow = Privilege::ALL.to_vec();
        }
        config.plugins.retain(|name, _| name == showcase.plugin);
        match config.plugins.get_mut(showcase.plugin) {
            Some(plugin) => plugin.component = built.component,
            None => bail!("{} configures no plugin \"{}\"", config_file.display(), showcase.plugin),
        }
        let host = Host::start(&config, &database.login(SCHEMA).await?).await?;
        show(&host, &showcase).await?;
        if let Some(listener) = listener {
            invite(&listener, &host, args.database_url.is_some())?;
            let server = Server::new(&Service::new(host));
            server.serve(listener, std::future::pending(), serve::GRACE).await?;
        }
        Ok(ExitCode::SUCCESS)
    };
    // Not left to the one who calls: a schema in somebody's database can't be dropped from a destructor.
    let outcome = tokio::select! {
        outcome = outcome => outcome,
        () = service::stop_requested() => match args.once {
            true => Err(super::stop::Interrupted.into()),
            false => Ok(ExitCode::SUCCESS),
        },
    };
    database.end().await?;
    outcome
}

async fn build(plugins: &ExamplePlugins, showcase: &Showcase, quiet: bool) -> anyhow::Result<Built> {
    let progress = Progress::spinner(format!("building the plugin {}", showcase.plugin), quiet);
    let options = BuildOptions { quiet: true, ..BuildOptions::new(plugins.plugin(showcase.plugin)) };
    let built = tokio::task::spawn_blocking(move || build_plugin(&options)).await??;
    progress.finish(&format!("{} bytes of WebAssembly", built.bytes));
    Ok(built)
}

/// Shows what was proven, and a first call with its rows, SQL and plan.
async fn show(host: &Host, showcase: &Showcase) -> anyhow::Result<()> {
    let Showcase { plugin: plugin_name, query: query_name, .. } = showcase;
    let mut stdout = io::stdout().lock();
    let generation = host.generation();
    for (_, plugin) in generation.plugins() {
        let plugin = plugin.map_err(Clone::clone)?;
        for query in plugin.queries() {
            writeln!(stdout, "{}", explain::summary(plugin, query, explain::PROVEN))?;
        }
        plugin.warnings().iter().for_each(|warning| warning.log_as_warning(plugin.name()));
    }
    let Some(Ok(plugin)) = generation.plugin(plugin_name) else {
        bail!("the plugin {plugin_name} is not loaded");
    };
    let Some(query) = plugin.query(query_name) else {
        bail!("the plugin {plugin_name} has no query {query_name}")
    };
    let example = query.declaration().examples.first();
    let parameters: Vec<(String, String)> = example.map(|e| e.parameters.clone()).unwrap_or_default();
    let words: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let words = [&["run", plugin_name, query_name].map(str::to_owned), &words[..]].concat();
    writeln!(stdout, "\n$ callslip {}", words.join(" "))?;
    let call = host.call(plugin_name, query_name).params(Inputs::from_pairs(parameters));
    let shape = call.shape().map_err(super::call_error)?;
    drop(stdout);
    run::print_tables(call.run().await.map_err(super::call_error)?, SHOWN_ROWS).await?;

    let mut stdout = io::stdout().lock();
    if let Some(proven) = query.shapes().iter().find(|proven| proven.shape == shape) {
        writeln!(stdout, "\n$ callslip explain {plugin_name} {query_name}")?;
        explain::print_shape(&mut stdout, proven)?;
        explain::print_plans(&mut stdout, host, proven).await?;
    }
    Ok(())
}

/// Prints lines to paste; for a database that was given, also how to look into it.
fn invite(listener: &TcpListener, host: &Host, is_given: bool) -> anyhow::Result<()> {
    let mut claimed = Vec::new();
    let address = listener.local_addr()?;
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "\nServing on http://{address} until Ctrl-C. Try:")?;
    let generation = host.generation();
    for (name, plugin) in generation.plugins() {
        for query in plugin.map_err(Clone::clone)?.queries() {
            let declaration = query.declaration();
            let Some(example) = declaration.examples.first() else { continue };
            if !declaration.claims.is_empty() {
                claimed.push(declaration.name.as_str());
                continue;
            }
            let pairs = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(example.parameters.iter().map(|(name, json)| (name, bare(json))))
                .finish();
            let mark = if pairs.is_empty() { "" } else { "?" };
            writeln!(stdout, "  curl 'http://{address}/q/{name}/{}{mark}{pairs}'", declaration.name)?;
        }
    }
    writeln!(stdout, "  curl 'http://{address}/healthz'")?;
    if !claimed.is_empty() {
        let claimed = claimed.join(", ");
        writeln!(stdout, "Not over HTTP yet, since they read who asks (callslip run … --claim): {claimed}")?;
    }
    if is_given {
        writeln!(
            stdout,
            "The data are in the schema {SCHEMA}, for commands of your own:\n  \
             callslip catalog --schema {SCHEMA} --database-url …\n  \
             and in a callslip.toml:  [database] schemas = [\"{SCHEMA}\"]"
        )?;
    }
    stdout.flush()?;
    Ok(())
}

/// A string without its quotes, as a query string has it; anything else as its JSON.
fn bare(json: &str) -> String {
    serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned())
}
