use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// The time that all threads of this process have had on a processor.
///
/// # Panics
/// If the machine has no such clock.
pub fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("the clock is there").into()
}

/// The value in the middle of several.
///
/// # Panics
/// If there is none.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}
