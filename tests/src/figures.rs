use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::components::target_folder;

/// What a bench has measured. It is printed as it comes, and kept for the table in which `make bench` ends.
#[derive(Debug, Serialize, Deserialize)]
pub struct Figures {
    /// The bench.
    pub bench: String,
    /// In the order in which they were measured.
    pub figures: Vec<Figure>,
}

/// One thing that was measured.
#[derive(Debug, Serialize, Deserialize)]
pub struct Figure {
    /// What it is.
    pub what: String,
    /// How much it is.
    pub value: f64,
    /// Of what.
    pub unit: String,
    /// What it ought to be, if anybody has said.
    pub target: Option<Target>,
}

/// What a figure ought to be.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

impl Target {
    /// Whether a value is as it ought to be.
    pub fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }
}

impl Figure {
    /// The value with its unit, for people.
    pub fn shown(&self) -> String {
        format!("{} {}", number(self.value), self.unit)
    }

    /// What it ought to be, for people, and whether it is; nothing where nobody has said.
    pub fn judged(&self) -> Option<(String, bool)> {
        let target = self.target?;
        let shown = match target {
            Target::AtMost(most) => format!("≤ {} {}", number(most), self.unit),
            Target::AtLeast(least) => format!("≥ {} {}", number(least), self.unit),
        };
        Some((shown, target.is_met(self.value)))
    }
}

/// Three digits of a number, or as many as it has before the point.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        least if least < 10.0 => format!("{value:.2}"),
        less if less < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

impl Figures {
    /// Those of a bench, of which there are none yet.
    pub fn of(bench: &str) -> Self {
        Self { bench: bench.to_owned(), figures: Vec::new() }
    }

    /// The folder of what all benches have measured, in the target folder.
    pub fn folder() -> PathBuf {
        target_folder().join("figures")
    }

    /// Takes a figure for which there is no target.
    pub fn tell(&mut self, what: &str, value: f64, unit: &str) {
        self.add(what, value, unit, None);
    }

    /// Takes a figure beside what it ought to be.
    pub fn aim(&mut self, what: &str, value: f64, unit: &str, target: Target) {
        self.add(what, value, unit, Some(target));
    }

    fn add(&mut self, what: &str, value: f64, unit: &str, target: Option<Target>) {
        let figure = Figure { what: what.to_owned(), value, unit: unit.to_owned(), target };
        let judged = figure.judged().map(|(target, is_met)| {
            let met = if is_met { "met" } else { "not met" };
            format!(" ({target}: {met})")
        });
        println!("{what}: {}{}", figure.shown(), judged.unwrap_or_default());
        self.figures.push(figure);
    }
}

/// What was measured until then is kept even if a bench does not come to its end.
impl Drop for Figures {
    fn drop(&mut self) {
        let folder = Self::folder();
        let written = serde_json::to_vec_pretty(self).map_err(std::io::Error::from).and_then(|json| {
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(&self.bench).with_extension("json"), json)
        });
        if let Err(error) = written {
            eprintln!("the figures can't be kept in {}: {error}", folder.display());
        }
    }
}
