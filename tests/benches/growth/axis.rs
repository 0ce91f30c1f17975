//! An axis: from where to where it goes, and where it has numbers.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use crate::chart::{Scale, short};

pub struct Axis {
    scale: Scale,
    /// Of places: of logarithms, where it is logarithmic.
    range: Range<f64>,
    ticks: Vec<f64>,
}

impl Axis {
    /// One with a number at each of these values, and some room beside them.
    pub fn of_each(scale: Scale, values: impl Iterator<Item = f64>) -> Self {
        let mut ticks: Vec<f64> = values.collect();
        ticks.sort_by(f64::total_cmp);
        ticks.dedup();
        let Range { start, end } = scale.places(&ticks);
        let room = if end > start { (end - start) * 0.1 } else { 1.0 };
        Self { scale, range: start - room..end + room, ticks }
    }

    /// One with round numbers: the powers of ten, or from zero on.
    pub fn of(scale: Scale, values: impl Iterator<Item = f64>) -> Self {
        let Range { start, end } = scale.places(&values.collect::<Vec<_>>());
        // With room for the numbers of the points.
        let (range, step) = match scale {
            Scale::Logarithmic => ((start - 0.2).floor()..(end + 0.2).ceil(), 1.0),
            Scale::Linear => {
                let step = round(end * 1.15 / 5.0);
                (0.0..(end * 1.15 / step).ceil() * step, step)
            }
        };
        let count = ((range.end - range.start) / step).round() as u32;
        let tick = |number| scale.value(range.start + f64::from(number) * step);
        Self { scale, ticks: (0..=count).map(tick).collect(), range }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let part = (self.scale.place(*value) - self.range.start) / (self.range.end - self.range.start);
        from + (part * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.scale.value(self.range.start)..self.scale.value(self.range.end)
    }
}

impl ValueFormatter<f64> for Axis {
    fn format(value: &f64) -> String {
        short(*value)
    }
}

impl Scale {
    fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            // What is too short for a clock has a place, too.
            Self::Logarithmic => value.max(1e-6).log10(),
        }
    }

    fn value(self, place: f64) -> f64 {
        match self {
            Self::Linear => place,
            Self::Logarithmic => 10_f64.powf(place),
        }
    }

    /// From where to where these values are.
    fn places(self, values: &[f64]) -> Range<f64> {
        let places = || values.iter().map(|value| self.place(*value));
        places().fold(f64::INFINITY, f64::min)..places().fold(f64::NEG_INFINITY, f64::max)
    }
}

/// The next of 1, 2, 5, 10, 20, 50, …
fn round(step: f64) -> f64 {
    let magnitude = 10_f64.powf(step.log10().floor());
    let of_it = [1.0, 2.0, 5.0].into_iter().find(|of_it| of_it * magnitude >= step);
    of_it.unwrap_or(10.0) * magnitude
}
