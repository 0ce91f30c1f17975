use std::collections::BTreeMap;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, Validation};

use super::NAME_CHARACTERS;
use super::jwk::{self, Key};
use super::refusal::Refusal;
use crate::plugin::Inputs;
use crate::{ClaimPath, ConfigError, JwtConfig};

/// The tokens that are taken: signed with one of these keys, by an algorithm that this key goes with, and saying what is wanted.
#[derive(Debug)]
pub(super) struct Tokens {
    keys: Vec<(Key, Validation)>,
    /// Whether a token has to be for somebody.
    has_audience: bool,
    name: ClaimPath,
    claims: BTreeMap<String, ClaimPath>,
}

impl Tokens {
    /// Reads the keys.
    pub fn read(config: &JwtConfig) -> Result<Self, ConfigError> {
        let with_validation = |key: Key| {
            let validation = validation(config, &key);
            (key, validation)
        };
        Ok(Self {
            keys: jwk::read(config)?.into_iter().map(with_validation).collect(),
            has_audience: !config.audience.is_empty(),
            name: config.name.clone(),
            claims: config.claims.clone(),
        })
    }

    /// Whose token this is, and with which claims.
    pub fn verify(&self, token: &str) -> Result<(String, Inputs), Refusal> {
        let header = jsonwebtoken::decode_header(token)
            .map_err(|_| Refusal::Invalid("it is neither a key nor a token of a known algorithm"))?;
        if header.crit.is_some() {
            return Err(Refusal::Invalid("the token has extensions that are to be understood (crit)"));
        }
        let (key, validation) = self.key(&header)?;
        let read = jsonwebtoken::decode::<Inputs>(token, &key.key, validation);
        let payload = read.map_err(|error| Refusal::Invalid(reason(error.kind())))?.claims;
        // Who has not said for whom it is can't be meant by one that is for somebody (RFC 7519, 4.1.3).
        if !self.has_audience && payload.json("aud").is_some() {
            return Err(Refusal::Invalid(
                "the token is for somebody (aud), and identity.jwt.audience is not set",
            ));
        }
        let name = value(&payload, &self.name)
            .and_then(|name| name.word(""))
            .filter(|name| !name.is_empty() && name.chars().count() <= NAME_CHARACTERS);
        let name = name.ok_or(Refusal::Invalid("the token does not name its caller (identity.jwt.name)"))?;
        Ok((name, self.claims_of(payload)))
    }

    /// The only key that a token can have been signed with.
    fn key(&self, header: &Header) -> Result<&(Key, Validation), Refusal> {
        let is_named = |key: &Key| match (&key.kid, &header.kid) {
            (Some(its), Some(named)) => its == named,
            _ => true,
        };
        let fitting = |(key, _): &&(Key, Validation)| key.algorithms.contains(&header.alg) && is_named(key);
        let mut keys = self.keys.iter().filter(fitting);
        match (keys.next(), keys.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => {
                Err(Refusal::Invalid("the token does not say which key it is signed with (kid)"))
            }
            (None, _) => Err(Refusal::Invalid("there is no key of the token's kid and algorithm")),
        }
    }

    fn claims_of(&self, payload: Inputs) -> Inputs {
        if self.claims.is_empty() {
            return payload;
        }
        let mut claims = Inputs::default();
        for (claim, path) in &self.claims {
            if let Some(raw) = value(&payload, path).and_then(|found| found.json("").map(ToOwned::to_owned)) {
                claims.insert_json(claim.clone(), raw);
            }
        }
        claims
    }
}

fn validation(config: &JwtConfig, key: &Key) -> Validation {
    let mut validation = Validation::default();
    validation.algorithms.clone_from(&key.algorithms);
    validation.leeway = config.leeway_s;
    validation.validate_nbf = true;
    let mut required = Vec::new();
    if config.require_exp {
        required.push("exp");
    }
    if !config.issuer.is_empty() {
        validation.set_issuer(&config.issuer);
        required.push("iss");
    }
    if !config.audience.is_empty() {
        validation.set_audience(&config.audience);
        required.push("aud");
    }
    // Without these a token that lacks them would pass.
    validation.set_required_spec_claims(&required);
    validation
}

/// What a token has at a path, under no name. Nothing, if it has nothing there.
fn value(payload: &Inputs, path: &ClaimPath) -> Option<Inputs> {
    let (last, within) = path.0.split_last()?;
    let mut object = payload.clone();
    for member in within {
        object = Inputs::from_json(object.json(member)?.get().as_bytes()).ok()?;
    }
    let mut found = Inputs::default();
    found.insert_json(String::new(), object.json(last)?.to_owned());
    Some(found)
}

/// Why a token is refused, for the log.
fn reason(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidSignature => "the token's signature is wrong",
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::ImmatureSignature => "the token is not valid yet",
        ErrorKind::InvalidIssuer => "the token is of another issuer",
        ErrorKind::InvalidAudience => "the token is for somebody else",
        ErrorKind::MissingRequiredClaim(_) => "the token lacks one of exp, iss and aud",
        ErrorKind::InvalidClaimFormat(_) => "the token has a malformed exp or nbf",
        ErrorKind::InvalidAlgorithm => "the token is of an algorithm that does not go with its key",
        ErrorKind::Json(_) => "the token's claims are not an object with each name once",
        _ => "the token is malformed",
    }
}
