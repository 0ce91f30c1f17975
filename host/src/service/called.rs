use std::sync::Arc;

use axum::http::Method;
use callslip_ir::Reply;

use super::hosts::NotReady;
use super::identity::{Caller, Denied};
use super::reply::Caching;
use super::state::Service;
use crate::{Generation, Host, LoadedQuery, QueryConfig};

/// What a request calls, and what is known of it before its parameters are read. There may be no such query.
pub(super) struct Called<'a> {
    pub host: &'a Host,
    pub plugin: &'a str,
    pub query: &'a str,
    /// Why the caller may not call it, if there is such a one.
    pub denied: Option<Denied>,
    generation: Arc<Generation>,
}

impl<'a> Called<'a> {
    /// # Errors
    /// [`NotReady`], if the plugin's host has not been started yet.
    pub fn of(
        service: &'a Service,
        plugin: &'a str,
        query: &'a str,
        caller: &Caller,
    ) -> Result<Self, NotReady> {
        let denied = service.access().check(caller, plugin, query).err();
        // One that is hidden is where a plugin would be that is not there.
        let shown = if denied == Some(Denied::Plugin) { "" } else { plugin };
        let host = service.hosts().of_plugin(shown)?;
        Ok(Self { host, plugin, query, denied, generation: host.generation() })
    }

    /// The query. What the caller may not call is as what is not there: nothing else that is wrong with the request tells of it.
    fn loaded(&self) -> Option<(&LoadedQuery, Option<&QueryConfig>)> {
        match self.denied {
            None => self.generation.query(self.plugin, self.query),
            Some(_) => None,
        }
    }

    /// Whether the query has a parameter of this name.
    pub fn declares(&self, name: &str) -> bool {
        self.loaded().is_some_and(|(query, _)| query.parameters().iter().any(|its| its.name == name))
    }

    /// Whether its reply has several statements.
    pub fn has_several(&self) -> bool {
        let reply = self.loaded().map(|(query, _)| &query.declaration().reply);
        matches!(reply, Some(Reply::Named(statements)) if statements.len() != 1)
    }

    /// What is said of its replies to those who keep them. They are for one caller where the query or a filter may read its
    /// claims, and wherever it has shown who it is.
    pub fn caching(&self, method: &Method, caller: &Caller) -> Caching {
        let Some((query, settings)) = self.loaded() else { return Caching::default() };
        let is_personal = caller.is_known() || !query.claims().is_empty();
        Caching::of(settings, method, is_personal)
    }
}
