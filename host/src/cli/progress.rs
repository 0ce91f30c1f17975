//! How far long work is, on stderr.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::terminal;

/// Long work under way. On a terminal it is a line that moves; elsewhere a plain line says what begins, and
/// another one what has ended, so that a log stays readable.
pub(super) struct Progress {
    label: Cow<'static, str>,
    started: Instant,
    shown: Shown,
}

enum Shown {
    Moving(ProgressBar),
    Lines,
    Nothing,
}

impl Progress {
    /// Work of a known size, such as rows to load.
    pub(super) fn bar(label: impl Into<Cow<'static, str>>, total: u64, quiet: bool) -> Self {
        let style = "{msg} {wide_bar} {human_pos}/{human_len} {eta}";
        Self::start(label.into(), quiet, || ProgressBar::new(total).with_style(template(style)))
    }

    /// Work of unknown size.
    pub(super) fn spinner(label: impl Into<Cow<'static, str>>, quiet: bool) -> Self {
        Self::start(label.into(), quiet, || {
            ProgressBar::new_spinner().with_style(template("{spinner} {msg} {elapsed}"))
        })
    }

    fn start(label: Cow<'static, str>, quiet: bool, moving: impl FnOnce() -> ProgressBar) -> Self {
        let shown = if quiet {
            Shown::Nothing
        } else if terminal::stderr_is_terminal() {
            let bar = moving().with_message(label.clone());
            bar.enable_steady_tick(Duration::from_millis(100));
            Shown::Moving(bar)
        } else {
            eprintln!("{label} …");
            Shown::Lines
        };
        Self { label, started: Instant::now(), shown }
    }

    /// So much more is done.
    pub(super) fn advance(&self, by: u64) {
        if let Shown::Moving(bar) = &self.shown {
            bar.inc(by);
        }
    }

    /// It is done: leaves a line that says so. Work that is dropped instead leaves none.
    pub(super) fn finish(self, outcome: &str) {
        let seconds = self.started.elapsed().as_secs_f64();
        let line = format!("{}: {outcome} ({seconds:.1} s)", self.label);
        match &self.shown {
            Shown::Moving(bar) => bar.finish_and_clear(),
            Shown::Lines => {}
            Shown::Nothing => return,
        }
        eprintln!("{line}");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Shown::Moving(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

/// The templates are this file's own: one that could not be read would show the usual bar.
fn template(text: &'static str) -> ProgressStyle {
    ProgressStyle::with_template(text).unwrap_or_else(|_| ProgressStyle::default_bar())
}
