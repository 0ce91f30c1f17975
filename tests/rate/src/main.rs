//! Asks a server on connections that it keeps, and says how long the answers took, as a line of JSON.
//!
//! With `--rate` requests are due at fixed times, whatever became of those before, and an answer's time is counted from when its
//! request was due: a server that stalls pays for all that would have come meanwhile. Without it each connection asks as soon
//! as it has its answer. A thread a connection and blocking sockets wake within some 50 µs, where a runtime's timers have a millisecond.

mod client;
mod latency;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use clap::Parser;
use client::Client;
use latency::Latencies;
use serde::Serialize;

/// Asks a server for paths, and prints what became of it as a line of JSON.
#[derive(Parser)]
#[command(name = "callslip-rate")]
struct Args {
    /// The server, such as 127.0.0.1:7070.
    server: SocketAddr,
    /// The file with the paths to ask for, one a line. They are asked for in their order, again and again.
    paths: PathBuf,
    /// How many requests are due each second. Without it they are sent as fast as they are answered.
    #[arg(long)]
    rate: Option<f64>,
    /// How many connections ask.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// For how many seconds.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// For how many seconds before, which don't count.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// The path to begin with, counted from 0.
    #[arg(long, default_value_t = 0)]
    skip: u64,
}

/// What was measured.
#[derive(Serialize)]
struct Measured {
    requests: usize,
    errors: usize,
    seconds: f64,
    rps: f64,
    bytes: u64,
    p50_us: f64,
    p90_us: f64,
    p99_us: f64,
    p999_us: f64,
    max_us: f64,
    /// How many paths were asked for, those of the warm-up included.
    asked: u64,
}

/// When each request is due.
struct Schedule {
    start: Instant,
    /// From here on requests count.
    counted: Instant,
    end: Instant,
    /// Between two requests; nothing where the answers say when.
    interval: Option<Duration>,
    next: AtomicU64,
}

impl Schedule {
    fn new(args: &Args) -> Result<Self> {
        let interval = args.rate.map(|rate| Duration::try_from_secs_f64(1.0 / rate)).transpose();
        let interval = interval.context("--rate is a number over 0")?;
        // The connections are there before the first request is due.
        let start = Instant::now() + Duration::from_millis(200);
        let counted = start + Duration::try_from_secs_f64(args.warm_up).context("--warm-up")?;
        let end = counted + Duration::try_from_secs_f64(args.seconds).context("--seconds")?;
        Ok(Self { start, counted, end, interval, next: AtomicU64::new(0) })
    }

    /// The number of the next request and when it is due, which has come. Nothing at the end.
    fn wait(&self) -> Option<(u64, Instant)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let due = match self.interval {
            Some(interval) => self.start + interval.mul_f64(number as f64),
            None => Instant::now().max(self.start),
        };
        if due >= self.end {
            return None;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        Some((number, due))
    }
}

fn main() -> Result<()> {
    let args = Args::parse();
    let text = fs::read_to_string(&args.paths).with_context(|| format!("{}", args.paths.display()))?;
    let paths: Vec<&str> = text.lines().collect();
    ensure!(!paths.is_empty(), "{} has no path", args.paths.display());
    let schedule = Schedule::new(&args)?;
    let schedule = &schedule;
    let of_each = thread::scope(|scope| {
        let asking = || ask(args.server, &paths, args.skip, schedule);
        let threads: Vec<_> = (0..args.connections).map(|_| scope.spawn(asking)).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread.join().map_err(|_| anyhow!("a thread panicked"))?
        };
        threads.into_iter().map(join).collect::<Result<Vec<_>>>()
    })?;
    let all = of_each.into_iter().reduce(Latencies::and).unwrap_or_default().sorted();
    let seconds = all.last.map_or(0.0, |last| last.saturating_duration_since(schedule.counted).as_secs_f64());
    let seconds = seconds.max(args.seconds);
    let measured = Measured {
        requests: all.len(),
        errors: all.errors,
        seconds,
        rps: all.len() as f64 / seconds,
        bytes: all.bytes,
        p50_us: all.at(0.5),
        p90_us: all.at(0.9),
        p99_us: all.at(0.99),
        p999_us: all.at(0.999),
        max_us: all.at(1.0),
        asked: schedule.next.load(Ordering::Relaxed),
    };
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}

/// What one connection does.
fn ask(server: SocketAddr, paths: &[&str], skip: u64, schedule: &Schedule) -> Result<Latencies> {
    let mut client = Client::connect(server)?;
    let mut latencies = Latencies::default();
    while let Some((number, due)) = schedule.wait() {
        let place = (number.wrapping_add(skip) % paths.len() as u64) as usize;
        let answer = client.get(paths[place]);
        let now = Instant::now();
        if answer.is_err() {
            // A connection that broke in the middle of an answer is of no use any more.
            client = Client::connect(server)?;
        }
        if due >= schedule.counted {
            latencies.add(now, now - due, answer.ok());
        }
    }
    Ok(latencies)
}
