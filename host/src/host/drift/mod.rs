//! What a change of the database does to the queries of a configuration.

mod cause;
mod compare;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use self::compare::PluginDrift;
pub(super) use self::compare::columns;
use super::error::StartError;
use super::generation::Basis;
use super::load::Refusal;
use super::version::Version;
use crate::Config;
use crate::catalog::diff::{self, Change};
use crate::catalog::{Catalog, Contents, Snapshot};
use crate::loan::Pool;
use crate::plugin::Shape;
use crate::select::Finding;

/// What changed in a database, and what that does to the queries of a configuration.
///
/// Nothing is guessed from examples: every shape of every closed query is proven against both catalogs. Which change breaks a
/// query is told by what the query used. Of an open query only its examples are known.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use callslip::{Config, catalog::Snapshot, drift::Drift};
///
/// let read = |path: &str| Snapshot::read(&std::fs::read_to_string(path)?).map_err(std::io::Error::other);
/// let config = Config::read("callslip.toml".as_ref())?;
/// let drift = Drift::between(&config, &read("old.json")?, &read("new.json")?, None).await?;
/// for effect in &drift.effects {
///     println!("{}: breaks {} queries", effect.change, effect.breaks.len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Drift {
    /// Each change, in the order of [`diff::changes`], with what it does.
    pub effects: Vec<Effect>,
    /// The queries that break although they used nothing that a change is about.
    pub breaks: Vec<Arc<BrokenQuery>>,
    /// The replies that change although the queries used nothing that a change is about.
    pub replies: Vec<Arc<ChangedReply>>,
    /// The queries that prove against both catalogs, and that the live database refuses all the same, for no reason that a
    /// change gives. Whether it did so before, no snapshot tells.
    pub refused: Vec<BrokenQuery>,
    /// The queries that do not prove against either of the two; with their findings against the newer one.
    pub broken_before: Vec<BrokenQuery>,
    /// The queries of which not every shape was tried.
    pub in_part: Vec<TriedInPart>,
    /// The queries, with their plugins, that prove against the newer one only.
    pub mended: Vec<(String, Option<String>)>,
    /// The plugins that could not be tried at all.
    pub untried: Vec<Refusal>,
}

/// A change and what it does.
#[derive(Debug)]
pub struct Effect {
    /// What changed.
    pub change: Change,
    /// The queries that it breaks.
    pub breaks: Vec<Arc<BrokenQuery>>,
    /// The replies that it changes.
    pub replies: Vec<Arc<ChangedReply>>,
}

/// A query that proves against the older catalog and not against the newer one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenQuery {
    /// The plugin, as the configuration names it.
    pub plugin: String,
    /// The query; nothing, where it is what the configuration grants to the plugin.
    pub query: Option<String>,
    /// Which of its shapes break.
    pub shapes: AffectedShapes,
    /// What is wrong with it now and was not before.
    pub findings: Vec<Finding>,
}

/// A statement whose result has other columns now, or other SQL, of a query that proves against both catalogs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedReply {
    /// The plugin, as the configuration names it.
    pub plugin: String,
    /// The query.
    pub query: String,
    /// In which of its shapes.
    pub shapes: AffectedShapes,
    /// The statement; empty where the query has only one.
    pub statement: String,
    /// The columns that are others now. None, if only the SQL is another one: a cast or an operator was chosen anew.
    pub columns: Vec<ReplyColumn>,
}

/// A column of a reply that is another one now. Its `Display` is such as `column total int4 → int8`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReplyColumn {
    /// Its name.
    pub name: String,
    /// The type that it had; nothing, if it is new.
    pub from: Option<String>,
    /// The type that it has; nothing, if it is gone.
    pub to: Option<String>,
}

impl fmt::Display for ReplyColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => write!(f, "column {name} {from} → {to}"),
            (_, Some(to)) => write!(f, "column {name} {to} is new"),
            (..) => write!(f, "column {name} is gone"),
        }
    }
}

/// A query of which not every shape was tried, so that some may break of which nothing is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriedInPart {
    /// The plugin, as the configuration names it.
    pub plugin: String,
    /// The query.
    pub query: String,
    /// How many shapes were tried at most; nothing for an open query, of which its examples were.
    pub tried: Option<usize>,
    /// How many it has; nothing for an open query.
    pub total: Option<u128>,
}

/// Some of the shapes of a query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AffectedShapes {
    /// Which.
    pub affected: Vec<Shape>,
    /// How many proved against the older catalog.
    pub of: usize,
    /// How many the query can have; nothing for an open query, of which only the examples were tried.
    pub total: Option<u128>,
}

/// A database that the newer of two catalogs is of, to have PostgreSQL itself describe each statement.
#[derive(Clone, Copy)]
pub struct Live<'a> {
    /// All of its catalog, as it was reflected: its ids are those that PostgreSQL tells.
    pub contents: &'a Contents,
    /// Connections to it.
    pub pool: &'a Pool,
}

impl AffectedShapes {
    /// Whether all that proved are affected.
    pub fn is_all(&self) -> bool {
        self.affected.len() == self.of
    }
}

impl Drift {
    /// Compares two catalogs, and proves the plugins of a configuration against both: against a live database as its host
    /// would, and otherwise as far as that goes without one. Whether a reply changes is told by what the verifier knows of it,
    /// which is the same on both sides.
    ///
    /// # Errors
    /// [`StartError`], if the sandbox can't be made on this machine or the database can't be reached any more.
    pub async fn between(
        config: &Config,
        old: &Snapshot,
        new: &Snapshot,
        live: Option<Live<'_>>,
    ) -> Result<Self, StartError> {
        // One of everything tells more than one of what the login may use: then only that is compared.
        let (old, new) = match old.everything == new.everything {
            true => (Cow::Borrowed(old), Cow::Borrowed(new)),
            false => (Cow::Owned(old.clone().narrowed()), Cow::Owned(new.clone().narrowed())),
        };
        let effect = |change| Effect { change, breaks: Vec::new(), replies: Vec::new() };
        let changes = diff::changes(&old.contents, &new.contents);
        let mut drift = Self { effects: changes.into_iter().map(effect).collect(), ..Self::default() };
        let engine = config.engine()?;
        let basis = |contents: &Contents, schemas| {
            Basis::new(Arc::new(Catalog::new(contents.clone().readable())), schemas, config)
        };
        let of = |contents: &Contents| basis(contents, config.schemas().of_snapshot(contents));
        let (before, after) = (of(&old.contents), of(&new.contents));
        let live = live.map(|live| (basis(live.contents, config.schemas()), live.pool));
        for (name, settings) in &config.plugins {
            let version = match Version::read(&engine, name, settings).await {
                Ok(version) => Arc::new(version),
                Err(refusal) => {
                    drift.untried.push(refusal);
                    continue;
                }
            };
            let before = before.prove(name, settings, &version, None).await?;
            let after = after.prove(name, settings, &version, None).await?;
            let described = match &live {
                Some((live, pool)) => {
                    let loan = pool.loan().await?;
                    let proving = loan.prove().await?;
                    let state = live.prove(name, settings, &version, Some(&proving)).await?;
                    proving.end().await?;
                    Some(state)
                }
                None => None,
            };
            let plugin = PluginDrift {
                name,
                before: &before,
                after: &after,
                described: described.as_ref(),
                most: config.limits.shapes,
            };
            plugin.tell(&mut drift);
        }
        Ok(drift)
    }

    /// How many queries break. What a plugin is granted and is not there any more counts as one.
    pub fn broken(&self) -> usize {
        let all = self.effects.iter().flat_map(|effect| &effect.breaks).chain(&self.breaks);
        let names: BTreeSet<_> = all.map(|its| (&its.plugin, &its.query)).collect();
        names.len()
    }

    /// Whether every query that worked before works now, as far as is known.
    pub fn is_harmless(&self) -> bool {
        self.broken() == 0 && self.refused.is_empty() && self.untried.is_empty()
    }
}
