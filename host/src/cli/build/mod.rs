//! `callslip build`: a plugin's crate to a component.

mod compile;
mod component;
mod package;
mod rustc;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{file, logging::Verbosity};
use package::Package;

/// Rust's target for plugins: no operating system, so nothing to import.
const TARGET: &str = "wasm32-unknown-unknown";

const EXAMPLES: &str = "\
Examples:
  callslip build
  callslip build example-plugins/hiring --out hiring.wasm
  callslip build --json -- --locked --features extra

A plugin's crate needs no settings of its own but crate-type = [\"cdylib\"]: the
flags are the command's, and RUSTFLAGS is not read. It compiles with the rustc in
CALLSLIP_WASM_RUSTC, else with `rustc`, else with what host/setup/wasm-target.sh
made.";

/// Build a plugin's crate to a component.
///
/// Always optimised; the same source gives the same bytes.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct BuildArgs {
    /// The crate's folder, or its Cargo.toml.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Where the component goes, instead of plugins/<name>.wasm in cargo's target folder.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print what was built as JSON.
    #[arg(long)]
    json: bool,
    /// What cargo is told beside it, after --.
    #[arg(last = true, value_name = "CARGO ARGUMENTS")]
    cargo_args: Vec<String>,
}

pub(super) fn main(args: BuildArgs, verbosity: Verbosity) -> anyhow::Result<ExitCode> {
    let built = build_plugin(&BuildOptions {
        out: args.out,
        cargo_args: args.cargo_args,
        quiet: verbosity.quiet,
        ..BuildOptions::new(args.path)
    })?;
    let mut stdout = io::stdout().lock();
    let (component, seconds) = (built.component.display(), built.duration.as_secs_f64());
    if args.json {
        let description = json!({
            "plugin": built.plugin,
            "component": built.component,
            "bytes": built.bytes,
            "sha256": built.sha256,
            "seconds": seconds,
        });
        writeln!(stdout, "{description}")?;
    } else if !verbosity.quiet {
        let kib = built.bytes as f64 / 1024.0;
        writeln!(stdout, "{component}: {kib:.1} KiB, sha256 {}, {seconds:.1} s", built.sha256)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// How to build a plugin.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// The crate's folder, or its `Cargo.toml`.
    pub path: PathBuf,
    /// Where the component goes; by default `<name>.wasm` in the target folder.
    pub out: Option<PathBuf>,
    /// Where cargo builds; by default `plugins` in the crate's own target folder, so that the builds of a
    /// host and of its plugins neither wait for each other nor undo each other's work.
    pub target_dir: Option<PathBuf>,
    /// The rustc to build with; by default one that has the target is looked for.
    pub rustc: Option<PathBuf>,
    /// What `cargo build` is told beside it.
    pub cargo_args: Vec<String>,
    /// Whether cargo shows only warnings and errors. They go to stderr.
    pub quiet: bool,
}

impl BuildOptions {
    /// Builds the crate in a folder as `callslip build` does.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            out: None,
            target_dir: None,
            rustc: None,
            cargo_args: Vec::new(),
            quiet: false,
        }
    }
}

/// A component that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The plugin's name: its crate's.
    pub plugin: String,
    /// The component's file.
    pub component: PathBuf,
    /// The component's size in bytes.
    pub bytes: u64,
    /// The component's digest, in hexadecimal.
    pub sha256: String,
    /// How long it took.
    pub duration: Duration,
}

/// Builds a plugin's crate to a component.
///
/// # Errors
///
/// When there is no such crate, it is no cdylib, no rustc here has the target, it does not compile (the
/// compiler's own words are on stderr then), or the module is not of a world that a component can be made of.
pub fn build_plugin(options: &BuildOptions) -> anyhow::Result<Built> {
    let started = Instant::now();
    let package = Package::find(&options.path, &options.cargo_args)?;
    let rustc = rustc::with_target(options.rustc.as_deref(), &package.folder)?;
    let target_dir = match &options.target_dir {
        Some(folder) => std::path::absolute(folder).context("can't tell the current folder")?,
        None => package.target_folder.join("plugins"),
    };
    let module = compile::compile(&package, &rustc, &target_dir, options)?;
    let module = std::fs::read(&module).with_context(|| format!("can't read {}", module.display()))?;
    let component = component::from_module(&module)
        .with_context(|| format!("can't make a component of `{}`", package.name))?;

    let out = options.out.clone().unwrap_or_else(|| target_dir.join(format!("{}.wasm", package.name)));
    file::write_whole(&out, &component)?;
    Ok(Built {
        plugin: package.name,
        component: out,
        bytes: component.len() as u64,
        sha256: format!("{:x}", Sha256::digest(&component)),
        duration: started.elapsed(),
    })
}
