//! Callslip: a host for query plugins on PostgreSQL.
//!
//! A plugin is a sandboxed WebAssembly component that *describes* SELECTs. The host checks each description
//! against the reflected catalog and what the plugin was granted, turns it into SQL, and runs it on a connection
//! that it borrows.
#![cfg_attr(feature = "host", doc = include_str!("embedding.md"))]

pub mod catalog;
mod code;
pub mod grants;
#[cfg(any(feature = "postgres", feature = "sandbox"))]
mod lookups;
mod nearest;
mod printable;
#[cfg(feature = "sandbox")]
mod private_folder;
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
pub use rows::{Format, Numbers, Row};

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "service")]
pub mod service;

pub use code::Code;
#[cfg(feature = "host")]
pub use config::{
    AdminConfig, AuditConfig, CacheConfig, CacheControl, CatalogConfig, ClaimLimitConfig, ClaimPath, Config,
    ConfigError, CorsConfig, DatabaseConfig, FilterConfig, ForwardedHeader, IdentityConfig, JwtAlgorithm,
    JwtConfig, LimitConfig, LogFormat, Network, PluginConfig, PluginLimitConfig, PoolConfig, QueryConfig,
    QueryLimitConfig, RateLimitConfig, ReloadConfig, SampleRatio, SchemaConfig, ScriptLimitConfig,
    ServiceConfig, SlipConfig, SlowQueryConfig, TelemetryConfig, UnknownDirective,
};
#[cfg(feature = "host")]
pub use host::drift;
#[cfg(feature = "host")]
pub use host::{
    CacheLookups, Call, CallEnded, CallError, CallId, CallOutcome, CatalogStatus, Change, ColumnFacts,
    CursorKey, Generation, Host, HostBuilder, HostedPlugin, LoadedPlugin, LoadedQuery, NoCallId, Observation,
    PluginChange, PluginFinding, ProvenPage, ProvenShape, ProvenStatement, RanOn, RefreshError,
    RefreshFailure, Refreshed, Refusal, ReplicaStatus, Reply, ReplyChange, ReplyDifference, ReplyError,
    RequestEnded, Rows, Running, ShapeProven, ShortSecret, Standing, StartError, Swap, Swapped, TraceContext,
    ValueSource, Waiting, Watch, WatchSettings,
};
#[cfg(any(feature = "postgres", feature = "sandbox"))]
pub use lookups::LookupCounts;
