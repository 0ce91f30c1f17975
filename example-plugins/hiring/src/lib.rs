//! Queries of a video-interview company, as a Callslip plugin: models for authors of their own.

mod candidates;
mod contested;
mod detail;
mod finalists;
mod funnel;
mod interviews;
mod latest;
mod overview;
mod progress;
mod tables;
mod workload;

use callslip_sdk::export_plugin;
use candidates::candidates;
use contested::contested;
use detail::detail;
use finalists::finalists;
use funnel::funnel;
use interviews::interviews;
use latest::latest;
use overview::overview;
use progress::progress;
use workload::workload;

export_plugin!(
    funnel, interviews, progress, workload, candidates, latest, detail, contested, finalists, overview
);

#[cfg(test)]
mod tests;
