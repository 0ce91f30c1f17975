//! Who calls: what a request shows for itself, a key or a token, and what is known by that. One file a kind.

mod access;
mod credential;
mod jwk;
mod jwt;
mod keys;
#[cfg(feature = "cli")]
mod new_key;
mod refusal;

use std::net::IpAddr;

pub(super) use access::{Access, Denied};
#[cfg(feature = "cli")]
pub(crate) use new_key::NewKey;
pub(super) use refusal::Refusal;

use self::credential::Credential;
use self::jwt::Tokens;
use self::keys::Keys;
use super::asked::Asked;
use crate::plugin::Inputs;
use crate::{ConfigError, IdentityConfig};

/// How callers are known.
#[derive(Debug, Default)]
pub(super) struct Identity {
    keys: Option<Keys>,
    tokens: Option<Tokens>,
    role_claim: String,
}

/// Who asks, as far as the service knows.
#[derive(Debug)]
pub(super) struct Caller {
    /// For the log, and for limits.
    pub name: Option<String>,
    /// What queries, row filters and row-level security may know of it.
    pub claims: Inputs,
    /// What it may call: nothing, where callers are not known.
    roles: Vec<String>,
    pub known_by: KnownBy,
}

/// What a caller has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum KnownBy {
    /// Nothing was asked for: all that there is of it is its address.
    Address,
    Key,
    Token,
}

/// The most of the name of a caller that can count, in characters: what tells callers apart has to be within it.
const NAME_CHARACTERS: usize = 200;

impl Identity {
    /// Reads the keys that it needs.
    ///
    /// # Errors
    /// Which setting names a file that can't be used, and why.
    pub fn read(config: &IdentityConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            keys: config.keys_file.as_deref().map(Keys::read).transpose()?,
            tokens: config.jwt.as_ref().map(Tokens::read).transpose()?,
            role_claim: config.role_claim.clone(),
        })
    }

    /// Who has sent a request. The address is that of the client, for which a proxy may have asked.
    ///
    /// # Errors
    /// If it does not show that it is somebody. The log tells of it.
    pub fn caller(&self, asked: &Asked, address: Option<IpAddr>) -> Result<Caller, Refusal> {
        if !self.takes_keys() && !self.takes_tokens() {
            return Ok(Caller::anybody(asked, address));
        }
        self.known(asked).inspect_err(|refusal| {
            let address = address.map(|address| address.to_string());
            tracing::info!(target: "callslip::identity", address, reason = %refusal, "a caller is not known");
        })
    }

    /// The same of a request for what everybody may read, though some may read more.
    ///
    /// # Errors
    /// If it shows something, and not that it is somebody.
    pub fn reader(&self, asked: &Asked, address: Option<IpAddr>) -> Result<Caller, Refusal> {
        match Credential::of(&asked.headers) {
            Err(Refusal::Missing) => Ok(Caller::anybody(asked, address)),
            _ => self.caller(asked, address),
        }
    }

    /// Whether a caller may show a key.
    pub fn takes_keys(&self) -> bool {
        self.keys.is_some()
    }

    /// Whether it may show a token.
    pub fn takes_tokens(&self) -> bool {
        self.tokens.is_some()
    }

    fn known(&self, asked: &Asked) -> Result<Caller, Refusal> {
        let credential = Credential::of(&asked.headers)?;
        if let Some(found) = self.keys.as_ref().and_then(|keys| keys.find(credential.text())) {
            let (name, claims) = found?;
            return Ok(self.known_as(name.to_owned(), claims.clone(), KnownBy::Key));
        }
        match (&self.tokens, credential) {
            (Some(tokens), Credential::Bearer(token)) => {
                let (name, claims) = tokens.verify(token)?;
                Ok(self.known_as(name, claims, KnownBy::Token))
            }
            _ => Err(Refusal::Invalid("there is no such key")),
        }
    }

    fn known_as(&self, name: String, claims: Inputs, known_by: KnownBy) -> Caller {
        let roles = claims.texts(&self.role_claim);
        Caller { name: Some(name), claims, roles, known_by }
    }
}

impl Caller {
    /// Whether it has shown who it is.
    pub fn is_known(&self) -> bool {
        self.known_by != KnownBy::Address
    }

    /// One of which nothing is known but its address.
    fn anybody(asked: &Asked, address: Option<IpAddr>) -> Self {
        Self {
            name: asked.name_of(address),
            claims: Inputs::default(),
            roles: Vec::new(),
            known_by: KnownBy::Address,
        }
    }
}
