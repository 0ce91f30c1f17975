//! Which processors something runs on.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// The processors that this process may run on.
pub fn processors() -> Vec<usize> {
    let set = sched_getaffinity(Pid::from_raw(0)).expect("a thread has processors");
    (0..CpuSet::count()).filter(|processor| set.is_set(*processor).unwrap_or(false)).collect()
}

/// Has a process, by its id, run on these processors, and whatever it starts from now on. 0 is this thread.
pub fn run_on(processors: &[usize], pid: i32) {
    let mut set = CpuSet::new();
    for processor in processors {
        set.set(*processor).expect("a processor of this machine");
    }
    sched_setaffinity(Pid::from_raw(pid), &set).expect("a process that is ours");
}

/// Does something on these processors: so do the threads and the processes that it starts, as long as they live.
pub fn starting_on<T>(these: &[usize], start: impl FnOnce() -> T) -> T {
    let before = processors();
    run_on(these, 0);
    let started = start();
    run_on(&before, 0);
    started
}
