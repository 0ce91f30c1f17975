//! `callslip replay`.

mod json;
mod text;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::bail;
use clap::Args;

use super::run::{self, StatementRows};
use super::{Coded, HostArgs, explain, name_and_value};
use crate::plugin::Inputs;
use crate::printable::printable;
use crate::service::{KeptInputs, Slip, SlipFolder, SlipStatement};
use crate::{CallEnded, CallError, CallId, Code, Config, Host, Observation, ProvenStatement};

const EXAMPLES: &str = "\
Examples:
  callslip replay 01980d5e-6c1a-7b52-9f03-5d1c2f6a8e47
  callslip replay 01980d5e-6c1a-7b52-9f03-5d1c2f6a8e47 --against new/hiring.wasm
  callslip replay 01980d5e-6c1a-7b52-9f03-5d1c2f6a8e47 --param email=ada@example.org --claim user=7";

/// Run a call again, by its id, from the slip that a server has kept of it.
///
/// It shows what the call was and what comes of it now: rows, SQL, PostgreSQL's plan with the times that it took (the
/// statements are run a second time for that), and the times of both. The server tells the id of each call in the header
/// callslip-id, in the instance of a problem, and in its log; it keeps slips where its configuration has slips.folder. Values
/// that are redacted there are to be given again. The exit code is 1 when the call fails now.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct ReplayArgs {
    /// The id of the call.
    id: CallId,
    /// Runs it with this component, in place of the configuration's.
    #[arg(long, value_name = "COMPONENT")]
    against: Option<PathBuf>,
    /// A parameter that the slip does not keep, or another value for one. May be given several times.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = name_and_value)]
    parameters: Vec<(String, String)>,
    /// The same of a claim.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = name_and_value)]
    claims: Vec<(String, String)>,
    /// How many rows of each statement to show.
    #[arg(long, value_name = "N", default_value_t = 10)]
    rows: usize,
    /// Leave the plans out, and run the statements only once.
    #[arg(long)]
    no_plan: bool,
    /// Print all of it as one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    host: HostArgs,
}

/// How much is shown of a digest.
const DIGEST_CHARACTERS: usize = 12;

/// A call that was run again.
struct Replayed {
    /// What it was.
    slip: Slip,
    /// What it is now.
    call: CallEnded,
    /// What it gives now.
    rows: Result<Vec<StatementRows>, CallError>,
    /// The plan of each statement, as lines; nothing if none is wanted, or none is known.
    plans: Option<Result<Vec<Vec<String>>, CallError>>,
}

pub(super) async fn main(args: ReplayArgs) -> anyhow::Result<ExitCode> {
    let slip = args.slip()?;
    let config = args.config(&slip)?;
    let parameters = given("parameter", "--param", &slip.parameters, args.parameters)?;
    let claims = given("claim", "--claim", &slip.claims, args.claims)?;
    let ended = Ended::default();
    let builder = Host::builder().observe(ended.observer());
    let host = args.host.start_observed_for_author(builder, config).await?;
    let call = || host.call(&slip.plugin, &slip.query).params(parameters.clone()).claims(claims.clone());
    let rows = match call().run().await {
        Ok(mut reply) => run::read_rows(&mut reply, args.rows).await,
        Err(error) => Err(error),
    };
    let Some(ended) = ended.take() else { bail!("the call has not ended") };
    let plans = match &ended.proven {
        Some(proven) if !args.no_plan && proven.outcome.is_ok() => Some(call().analyze().await),
        _ => None,
    };
    let replayed = Replayed { slip, call: ended, rows, plans };
    let code = if replayed.rows.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    match args.json {
        true => json::print(&mut io::stdout().lock(), &replayed)?,
        false => text::print(&mut io::stdout().lock(), replayed)?,
    }
    Ok(code)
}

impl ReplayArgs {
    /// The slip, out of the folder that the configuration names.
    fn slip(&self) -> anyhow::Result<Slip> {
        let config = self.host.read_config(None)?;
        let Some(folder) = SlipFolder::new(&config.slips) else {
            let message = format!(
                "{} keeps no slips: name a folder for them, slips.folder, where the server runs",
                self.host.config.display()
            );
            return Err(Coded::new(Code::UnknownSlip, message).into());
        };
        Ok(folder.find(self.id)?)
    }

    /// The configuration to run it with.
    fn config(&self, slip: &Slip) -> anyhow::Result<Config> {
        let mut config = self.host.read_config(Some(&slip.plugin))?;
        if let (Some(component), Some(plugin)) = (&self.against, config.plugins.get_mut(&slip.plugin)) {
            plugin.component.clone_from(component);
            // It is named here, whichever it is.
            (plugin.sha256, plugin.public_key, plugin.signature) = (None, None, None);
        }
        // What is slow is shown here.
        config.slow_queries.over_ms = 0;
        Ok(config)
    }
}

/// What a call is given again: what the slip has kept, and what the command line gives.
fn given(what: &str, option: &str, kept: &KeptInputs, told: Vec<(String, String)>) -> anyhow::Result<Inputs> {
    let missing: Vec<&str> = kept.left_out().iter().map(String::as_str).collect();
    let missing: Vec<&str> =
        missing.into_iter().filter(|name| !told.iter().any(|(given, _)| given == name)).collect();
    if let [first, ..] = missing[..] {
        let message = format!(
            "the slip does not keep these {what}s, which are redacted: {}; give each with {option}, such as {option} \
             {}=VALUE",
            printable(&missing.join(", "), 1_000),
            printable(first, 100)
        );
        return Err(Coded::new(Code::MissingParameter, message).into());
    }
    if kept.is_too_long() && told.is_empty() {
        let message = format!(
            "the slip keeps no {what}s, since they were too long: give all that there were with {option} NAME=VALUE, or \
             what to run it with"
        );
        return Err(Coded::new(Code::MissingParameter, message).into());
    }
    let mut inputs = kept.inputs();
    inputs.0.extend(Inputs::from_pairs(told).0);
    Ok(inputs)
}

/// Hears how a call ends.
#[derive(Clone, Default)]
struct Ended(Arc<Mutex<Option<CallEnded>>>);

impl Ended {
    fn observer(&self) -> impl Fn(&Observation) + Send + Sync + 'static {
        let ended = self.clone();
        move |observation| {
            if let Observation::CallEnded(call) = observation {
                *ended.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(call.clone());
            }
        }
    }

    fn take(&self) -> Option<CallEnded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What is different between the call as it was and as it is now, for people.
fn version(replayed: &Replayed) -> String {
    let Replayed { slip, call, .. } = replayed;
    let now = call.digest.map(|digest| digest.to_string());
    let short = |digest: &Option<String>| match digest {
        Some(digest) => printable(digest, DIGEST_CHARACTERS),
        None => "none".to_owned(),
    };
    if slip.digest == now {
        return format!("{}, as it was", short(&now));
    }
    format!("{}, which is another one than it was: {}", short(&now), short(&slip.digest))
}

/// Whether the SQL of the call is what it was; nothing, if either is not known.
fn has_same_sql(replayed: &Replayed) -> Option<bool> {
    let proven = replayed.call.proven.as_ref()?.outcome.as_ref().ok()?;
    let is = |its: &ProvenStatement| SlipStatement::of(&its.name, &its.sql);
    let was = &replayed.slip.statements;
    (!was.is_empty()).then(|| proven.iter().map(is).eq(was.iter().cloned()))
}
