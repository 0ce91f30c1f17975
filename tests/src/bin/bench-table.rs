//! The table in which `make bench` ends: what the benches have measured, beside what was aimed at, and the times that criterion
//! has kept of the others. Where there is a file `began` beside the figures, only what was measured since that was written.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use callslip_tests::Figures;
use serde_json::Value;

/// The bench, what was measured, how much, what was aimed at, and whether that is met.
type Line = [String; 5];

fn main() -> anyhow::Result<()> {
    let mut lines = Vec::new();
    let folder = Figures::folder();
    let began = fs::metadata(folder.join("began")).and_then(|file| file.modified());
    let since = began.unwrap_or(SystemTime::UNIX_EPOCH);
    let figures = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "json");
    for file in files_since(&folder, since)?.into_iter().filter(figures) {
        let figures: Figures = serde_json::from_slice(&fs::read(file)?)?;
        for figure in &figures.figures {
            let (target, is_met) = figure.judged().unzip();
            let met = is_met.map_or("", |met| if met { "met" } else { "NOT MET" });
            lines.push([
                figures.bench.clone(),
                figure.what.clone(),
                figure.shown(),
                target.unwrap_or_default(),
                met.to_owned(),
            ]);
        }
    }
    criterion(&folder.with_file_name("criterion"), since, &mut lines)?;
    print(&lines);
    Ok(())
}

/// What a folder has that was written from then on, in the order of the names; nothing, if there is no such folder.
fn files_since(folder: &Path, since: SystemTime) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            // A folder's own time says nothing of what is below it.
            if entry.file_type()?.is_dir() || entry.metadata()?.modified()? >= since {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The medians that criterion has kept, each in a folder `new` somewhere below this one.
fn criterion(folder: &Path, since: SystemTime, lines: &mut Vec<Line>) -> anyhow::Result<()> {
    for below in files_since(folder, since)?.into_iter().filter(|its| its.is_dir()) {
        if !below.ends_with("new") {
            criterion(&below, since, lines)?;
            continue;
        }
        let files = files_since(&below, since)?;
        let read = |name: &str| -> anyhow::Result<Option<Value>> {
            let file = files.iter().find(|file| file.ends_with(name));
            file.map(|file| Ok(serde_json::from_slice(&fs::read(file)?)?)).transpose()
        };
        if let (Some(benchmark), Some(estimates)) = (read("benchmark.json")?, read("estimates.json")?) {
            let text = |name: &str| benchmark[name].as_str().unwrap_or_default().to_owned();
            let nanos = estimates["median"]["point_estimate"].as_f64().unwrap_or_default();
            let what = match text("function_id") {
                function if function.is_empty() => text("group_id"),
                function => format!("{}: {function}", text("group_id")),
            };
            lines.push(["criterion".to_owned(), what, time(nanos), String::new(), String::new()]);
        }
    }
    Ok(())
}

fn time(nanos: f64) -> String {
    match nanos {
        few if few < 1e3 => format!("{few:.0} ns"),
        some if some < 1e6 => format!("{:.1} µs", some / 1e3),
        more => format!("{:.2} ms", more / 1e6),
    }
}

fn print(lines: &[Line]) {
    let head = ["bench", "what", "measured", "target", ""].map(str::to_owned);
    let all = || std::iter::once(&head).chain(lines);
    let widths: [usize; 5] = std::array::from_fn(|column| {
        all().map(|line| line[column].chars().count()).max().unwrap_or_default()
    });
    println!();
    for (number, line) in all().enumerate() {
        let cells = line.iter().zip(widths).enumerate().map(|(column, (cell, width))| match column {
            // Figures stand under each other.
            2 | 3 => format!("{cell:>width$}"),
            _ => format!("{cell:<width$}"),
        });
        println!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
        if number == 0 {
            println!("{}", widths.map(|width| "-".repeat(width)).join("  ").trim_end());
        }
    }
    let (met, missed) = (count(lines, "met"), count(lines, "NOT MET"));
    println!("\n{met} of {} targets met", met + missed);
}

fn count(lines: &[Line], word: &str) -> usize {
    lines.iter().filter(|line| line[4] == word).count()
}
