//! Callslip: a host for query plugins on PostgreSQL.
//!
//! A plugin is a sandboxed WebAssembly component that *describes* SELECTs. The host checks each description
//! against the reflected catalog and what the plugin was granted, turns it into SQL, and runs it on a connection
//! that it borrows.
#![cfg_attr(feature = "host", doc = include_str!("embedding.md"))]

pub mod catalog;
mod code;
pub mod grants;
mod nearest;
mod printable;
#[cfg(any(feature = "cluster", feature = "postgres"))]
mod reason;
pub mod select;
pub mod testing;

#[cfg(feature = "cluster")]
pub mod cluster;
#[cfg(feature = "postgres")]
pub mod loan;
#[cfg(feature = "sandbox")]
pub mod plugin;
#[cfg(feature = "postgres")]
pub mod rows;

#[cfg(feature = "host")]
mod config;
#[cfg(feature = "host")]
mod host;

#[cfg(feature = "host")]
pub use rows::Row;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "service")]
pub mod service;

pub use code::Code;
#[cfg(feature = "host")]
pub use config::{
    CatalogConfig, Config, ConfigError, DatabaseConfig, LimitConfig, PluginConfig, PoolConfig, SchemaConfig,
};
#[cfg(feature = "host")]
pub use host::drift;
#[cfg(feature = "host")]
pub use host::{
    Call, CallEnded, CallError, CallOutcome, CatalogStatus, Change, Generation, Host, HostBuilder,
    HostedPlugin, LoadedPlugin, LoadedQuery, Observation, PluginChange, PluginFinding, ProvenShape,
    ProvenStatement, RanOn, RefreshError, RefreshFailure, Refreshed, Refusal, Reply, ReplyError, Rows,
    Running, ShapeProven, Standing, StartError, ValueSource, Waiting, Watch, WatchSettings,
};
