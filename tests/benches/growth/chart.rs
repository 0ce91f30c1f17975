//! A chart: the figures, which are also written as they are, and how they are told.

use serde::Serialize;

/// Panels beside each other, over the same axis.
#[derive(Debug, Serialize)]
pub struct Chart {
    /// The name of its file.
    pub name: &'static str,
    pub title: &'static str,
    /// What one has to know to read it, a line each.
    pub caption: Vec<String>,
    /// What grows.
    pub across: &'static str,
    #[serde(skip)]
    pub across_scale: Scale,
    pub panels: Vec<Panel>,
}

#[derive(Debug, Serialize)]
pub struct Panel {
    /// What was measured, with its unit.
    pub title: &'static str,
    #[serde(skip)]
    pub scale: Scale,
    pub series: Vec<Series>,
}

#[derive(Debug, Default, Serialize)]
pub struct Series {
    pub name: &'static str,
    /// What grows, and what was measured there.
    pub points: Vec<(f64, f64)>,
}

/// How an axis is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    Linear,
    Logarithmic,
}

impl Chart {
    /// All figures of this chart, as a table.
    pub fn print(&self) {
        println!("\n{}", self.title);
        let series = || {
            self.panels.iter().flat_map(|panel| panel.series.iter().map(move |series| (panel.title, series)))
        };
        let mut across: Vec<f64> =
            series().flat_map(|(_, series)| &series.points).map(|point| point.0).collect();
        across.sort_by(f64::total_cmp);
        across.dedup();
        let head: String = across.iter().map(|at| format!("{:>10}", short(*at))).collect();
        println!("  {:<56}{head}", self.across);
        for (title, series) in series() {
            let name =
                if series.name.is_empty() { title.to_owned() } else { format!("{title}: {}", series.name) };
            let value =
                |at: &f64| series.points.iter().find(|point| point.0 == *at).map(|point| short(point.1));
            let values: String =
                across.iter().map(|at| format!("{:>10}", value(at).unwrap_or_default())).collect();
            println!("  {name:<56}{values}");
        }
    }
}

impl Panel {
    /// One with nothing in it yet.
    pub fn new(title: &'static str, scale: Scale, names: &[&'static str]) -> Self {
        let series = names.iter().map(|name| Series { name, points: Vec::new() }).collect();
        Self { title, scale, series }
    }

    /// Adds a figure to one of its series.
    pub fn add(&mut self, series: usize, across: f64, figure: f64) {
        self.series[series].points.push((across, figure));
    }
}

/// A number with three digits and, where it is large, the letter of its magnitude.
pub fn short(value: f64) -> String {
    let (value, letter) = match value.abs() {
        size if size >= 999_500.0 => (value / 1e6, "M"),
        size if size >= 999.5 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let digits = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    let number = format!("{value:.digits$}");
    let number = if digits > 0 { number.trim_end_matches('0').trim_end_matches('.') } else { &number };
    format!("{number}{letter}")
}
