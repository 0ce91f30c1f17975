use std::path::Path;

use aws_lc_rs::signature;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};
use serde_json::Value;

use crate::config::{Secret, unreadable, warn_if_open};
use crate::{ConfigError, JwtAlgorithm, JwtConfig};

/// A key that tokens are checked with. It goes with some algorithms of one family and with no other: the public key of one can
/// never be taken for the secret of another.
#[derive(Debug)]
pub(super) struct Key {
    /// Its name, if it has one.
    pub kid: Option<String>,
    /// At least one.
    pub algorithms: Vec<Algorithm>,
    /// It does not show what it holds.
    pub key: DecodingKey,
}

/// The most keys that there can be in a file.
const MOST_KEYS: usize = 100;

/// Reads the keys that a configuration names.
///
/// # Errors
/// Which setting is wrong, without a word of what a file holds.
pub(super) fn read(config: &JwtConfig) -> Result<Vec<Key>, ConfigError> {
    let algorithms: Vec<Algorithm> = config.algorithms.iter().map(|algorithm| of(*algorithm)).collect();
    if let Some(path) = &config.jwks_file {
        return of_setting("identity.jwt.jwks_file", path, |text| set(text, &algorithms, path));
    }
    if let Some(path) = &config.key_file {
        return of_setting("identity.jwt.key_file", path, |text| Ok(vec![public(text, &algorithms)?]));
    }
    let (setting, secret) = match (&config.secret_file, &config.secret_env) {
        (Some(path), _) => {
            let setting = "identity.jwt.secret_file";
            (setting, Secret::of_file(setting, path)?)
        }
        (None, Some(variable)) => {
            let setting = "identity.jwt.secret_env";
            (setting, Secret::of_environment(setting, variable)?)
        }
        (None, None) => {
            return Err(ConfigError::setting("identity.jwt", "names nothing to check tokens with"));
        }
    };
    let key = shared(secret.bytes(), algorithms);
    Ok(vec![key.map_err(|wrong| ConfigError::setting(setting, format!("names a secret that {wrong}")))?])
}

fn of_setting(
    setting: &str,
    path: &Path,
    parse: impl FnOnce(&str) -> Result<Vec<Key>, String>,
) -> Result<Vec<Key>, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(setting, path, &error))?;
    parse(&text).map_err(|wrong| {
        ConfigError::setting(setting, format!("names {}, which can't be used: {wrong}", path.display()))
    })
}

/// A secret that is shared.
fn shared(secret: &[u8], mut algorithms: Vec<Algorithm>) -> Result<Key, String> {
    if secret.trim_ascii_start().starts_with(b"-----BEGIN") {
        return Err("is a file of a key in PEM, which is no secret; name a public key by key_file".to_owned());
    }
    algorithms.retain(|algorithm| algorithm.family() == AlgorithmFamily::Hmac);
    // As RFC 7518 wants it: no shorter than the hash.
    let least = algorithms.iter().map(|algorithm| match algorithm {
        Algorithm::HS384 => 48,
        Algorithm::HS512 => 64,
        _ => 32,
    });
    let least = least.max().ok_or("goes with none of the algorithms")?;
    if secret.len() < least {
        return Err(format!("is shorter than {least} bytes, which the algorithms need; make a random one"));
    }
    Ok(Key { kid: None, algorithms, key: DecodingKey::from_secret(secret) })
}

/// A public key in PEM.
fn public(text: &str, algorithms: &[Algorithm]) -> Result<Key, String> {
    if text.contains("PRIVATE KEY") {
        return Err(
            "it holds a private key, which its issuer alone should have; write its public half".to_owned()
        );
    }
    if !text.contains("-----BEGIN PUBLIC KEY-----") && !text.contains("-----BEGIN RSA PUBLIC KEY-----") {
        return Err("it is no public key in PEM, which begins with -----BEGIN PUBLIC KEY-----".to_owned());
    }
    let pem = text.as_bytes();
    let key = DecodingKey::from_rsa_pem(pem)
        .or_else(|_| DecodingKey::from_ec_pem(pem))
        .or_else(|_| DecodingKey::from_ed_pem(pem))
        .map_err(|_| "it is no key of RSA, of an elliptic curve or of Ed25519")?;
    let fitting = fitting(&key, algorithms);
    match algorithms.iter().find(|algorithm| !fitting.contains(algorithm)) {
        None => Ok(Key { kid: None, algorithms: fitting, key }),
        Some(algorithm) => {
            Err(format!("the key can't check {algorithm:?}, which identity.jwt.algorithms names"))
        }
    }
}

/// A set of keys as JSON.
fn set(text: &str, algorithms: &[Algorithm], path: &Path) -> Result<Vec<Key>, String> {
    let no_set = "it is no JSON Web Key Set, which is an object with a list of `keys`";
    let document: Value = serde_json::from_str(text).map_err(|_| no_set)?;
    let members = document.get("keys").and_then(Value::as_array).ok_or(no_set)?;
    if members.len() > MOST_KEYS {
        return Err(format!("it has more than {MOST_KEYS} keys"));
    }
    if members.iter().any(|key| key.get("d").is_some()) {
        return Err("it holds a private key, which its issuer alone should have".to_owned());
    }
    if members.iter().any(|key| key["kty"] == "oct") {
        warn_if_open(path);
    }
    let set: JwkSet = serde_json::from_value(document).map_err(|_| no_set)?;
    let mut keys = Vec::<Key>::new();
    for (n, jwk) in set.keys.iter().enumerate().filter(|(_, jwk)| is_for_signatures(jwk)) {
        let Some(key) = of_set(jwk, algorithms).map_err(|wrong| format!("its key {} {wrong}", n + 1))? else {
            continue;
        };
        let is_same = |other: &Key| {
            other.kid == key.kid
                && other.algorithms.iter().any(|algorithm| key.algorithms.contains(algorithm))
        };
        if key.kid.is_some() && keys.iter().any(is_same) {
            return Err(format!("its key {} has the kid of another one", n + 1));
        }
        keys.push(key);
    }
    match keys.is_empty() {
        true => Err("it has no key for identity.jwt.algorithms".to_owned()),
        false => Ok(keys),
    }
}

fn is_for_signatures(jwk: &Jwk) -> bool {
    let its_use = jwk.common.public_key_use.as_ref();
    let operations = jwk.common.key_operations.as_ref();
    its_use.is_none_or(|its| *its == PublicKeyUse::Signature)
        && operations.is_none_or(|its| its.contains(&KeyOperations::Verify))
}

/// A key of a set. Nothing, if it is for other algorithms.
fn of_set(jwk: &Jwk, algorithms: &[Algorithm]) -> Result<Option<Key>, String> {
    let algorithms: Vec<Algorithm> = match jwk.common.key_algorithm {
        None => algorithms.to_vec(),
        Some(its) => match Algorithm::try_from(its) {
            Ok(its) => algorithms.iter().copied().filter(|algorithm| *algorithm == its).collect(),
            Err(_) => return Ok(None),
        },
    };
    let curve = match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(its) => Some(&its.curve),
        AlgorithmParameters::OctetKeyPair(its) => Some(&its.curve),
        AlgorithmParameters::OctetKey(_) | AlgorithmParameters::RSA(_) => None,
        _ => return Ok(None),
    };
    let is_known = |curve: &&EllipticCurve| {
        matches!(curve, EllipticCurve::P256 | EllipticCurve::P384 | EllipticCurve::Ed25519)
    };
    if curve.is_some_and(|curve| !is_known(&curve)) {
        return Ok(None);
    }
    let key = DecodingKey::from_jwk(jwk).map_err(|_| "can't be read")?;
    let kid = jwk.common.key_id.clone();
    if key.family() == AlgorithmFamily::Hmac {
        let is_wanted = algorithms.iter().any(|algorithm| algorithm.family() == AlgorithmFamily::Hmac);
        let secret = key.try_get_as_bytes().map_err(|_| "can't be read")?;
        return is_wanted.then(|| shared(secret, algorithms).map(|key| Key { kid, ..key })).transpose();
    }
    let is_of_family = algorithms.iter().any(|algorithm| algorithm.family() == key.family());
    let fitting = fitting(&key, &algorithms);
    // One for another curve than is wanted is no mistake.
    if fitting.is_empty() && is_of_family && key.family() != AlgorithmFamily::Ec {
        return Err("is no key that its algorithm can use".to_owned());
    }
    Ok((!fitting.is_empty()).then_some(Key { kid, algorithms: fitting, key }))
}

/// Those of these algorithms which a public key can check.
fn fitting(key: &DecodingKey, algorithms: &[Algorithm]) -> Vec<Algorithm> {
    let parses = |algorithm: &'static dyn signature::VerificationAlgorithm, bytes: &[u8]| {
        signature::ParsedPublicKey::new(algorithm, bytes).is_ok()
    };
    let fits = |algorithm: Algorithm| match (key.kind(), algorithm) {
        _ if algorithm.family() != key.family() => false,
        (DecodingKeyKind::RsaModulusExponent { n, e }, _) => {
            let n = n.iter().skip_while(|byte| **byte == 0).count();
            // Of 2,048 to 8,192 bits.
            (256..=1_024).contains(&n) && !e.is_empty()
        }
        (DecodingKeyKind::SecretOrDer(bytes), Algorithm::ES256) => {
            parses(&signature::ECDSA_P256_SHA256_FIXED, bytes)
        }
        (DecodingKeyKind::SecretOrDer(bytes), Algorithm::ES384) => {
            parses(&signature::ECDSA_P384_SHA384_FIXED, bytes)
        }
        (DecodingKeyKind::SecretOrDer(bytes), Algorithm::EdDSA) => parses(&signature::ED25519, bytes),
        (DecodingKeyKind::SecretOrDer(bytes), _) => parses(&signature::RSA_PKCS1_2048_8192_SHA256, bytes),
    };
    algorithms.iter().copied().filter(|algorithm| fits(*algorithm)).collect()
}

fn of(algorithm: JwtAlgorithm) -> Algorithm {
    match algorithm {
        JwtAlgorithm::HS256 => Algorithm::HS256,
        JwtAlgorithm::HS384 => Algorithm::HS384,
        JwtAlgorithm::HS512 => Algorithm::HS512,
        JwtAlgorithm::RS256 => Algorithm::RS256,
        JwtAlgorithm::RS384 => Algorithm::RS384,
        JwtAlgorithm::RS512 => Algorithm::RS512,
        JwtAlgorithm::PS256 => Algorithm::PS256,
        JwtAlgorithm::PS384 => Algorithm::PS384,
        JwtAlgorithm::PS512 => Algorithm::PS512,
        JwtAlgorithm::ES256 => Algorithm::ES256,
        JwtAlgorithm::ES384 => Algorithm::ES384,
        JwtAlgorithm::EdDSA => Algorithm::EdDSA,
    }
}
