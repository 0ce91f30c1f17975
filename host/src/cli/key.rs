//! `callslip key`.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value};

use super::{Coded, name_and_value};
use crate::Code;
use crate::service::NewKey;

const EXAMPLES: &str = "\
Examples:
  callslip key partner-a --claim company=7 --claim role=partner >> keys.toml
  callslip key nightly-job --expires 2027-01-01 >> keys.toml";

/// Make an API key.
///
/// The key goes to stderr, this once: it is kept nowhere. What the file of keys ([identity] keys_file) has of it goes to stdout:
/// the name of the caller, the key's hash, and the claims that the caller is known to have.
///
/// To revoke a key, take its entry out of the file, and have the server read that again.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct KeyArgs {
    /// Whose key it is: letters, digits and -_.@, for the log and for limits.
    name: String,
    /// What is known of the caller. A value is read as JSON, if it is some (`7`, `true`, `[1,2]`, `"7"`), and else is a text.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = name_and_value)]
    claims: Vec<(String, String)>,
    /// When it ends: a date, or a moment such as 2027-01-01T12:00:00Z. Without, never.
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
}

pub(super) fn main(args: KeyArgs) -> anyhow::Result<ExitCode> {
    let value = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
    let claims: Map<String, Value> =
        args.claims.into_iter().map(|(name, text)| (name, value(text))).collect();
    let made = NewKey::make(&args.name, &claims, args.expires.as_deref())
        .map_err(|wrong| Coded::new(Code::BadConfiguration, format!("no key is made: {wrong}")))?;
    // Whoever reads the entry must not have it without the key.
    writeln!(io::stderr(), "{}", made.key)?;
    writeln!(io::stdout(), "{}", made.entry)?;
    Ok(ExitCode::SUCCESS)
}
