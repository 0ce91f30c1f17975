//! Queries of a video-interview company, as a Callslip plugin: models for authors of their own.

mod contested;
mod finalists;
mod funnel;
mod overview;

use callslip_sdk::export_plugin;
use contested::contested;
use finalists::finalists;
use funnel::funnel;
use overview::overview;

export_plugin!(funnel, contested, finalists, overview);

#[cfg(test)]
mod tests;
