//! Somebody who signs tokens, with keys that are made for the test.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, AlgorithmFamily, EncodingKey, Header};
use serde_json::{Value, json};

pub struct Issuer {
    pub algorithm: Algorithm,
    key: EncodingKey,
    /// The public key in PEM, or the secret.
    pub public: String,
    kid: Option<String>,
}

/// Every algorithm that there is.
pub const ALGORITHMS: [Algorithm; 12] = [
    Algorithm::HS256,
    Algorithm::HS384,
    Algorithm::HS512,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

impl Issuer {
    pub fn new(algorithm: Algorithm) -> Self {
        let (key, public) = match algorithm.family() {
            AlgorithmFamily::Hmac => {
                let mut secret = [0; 48];
                aws_lc_rs::rand::fill(&mut secret).unwrap();
                let secret = STANDARD.encode(secret);
                (EncodingKey::from_secret(secret.as_bytes()), secret)
            }
            AlgorithmFamily::Rsa => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
                let private: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
                let private = pem("PRIVATE KEY", private.as_ref());
                let public: aws_lc_rs::encoding::PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
                (EncodingKey::from_rsa_pem(private.as_bytes()).unwrap(), pem("PUBLIC KEY", public.as_ref()))
            }
            AlgorithmFamily::Ec => {
                let curve = match algorithm {
                    Algorithm::ES256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
                    _ => &ECDSA_P384_SHA384_FIXED_SIGNING,
                };
                let pair = EcdsaKeyPair::generate(curve).unwrap();
                let private = pair.to_pkcs8v1().unwrap();
                let public: aws_lc_rs::encoding::PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
                (EncodingKey::from_ec_der(private.as_ref()), pem("PUBLIC KEY", public.as_ref()))
            }
            AlgorithmFamily::Ed => {
                let pair = Ed25519KeyPair::generate().unwrap();
                let private = pair.to_pkcs8v1().unwrap();
                let public: aws_lc_rs::encoding::PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
                (EncodingKey::from_ed_der(private.as_ref()), pem("PUBLIC KEY", public.as_ref()))
            }
        };
        Self { algorithm, key, public, kid: None }
    }

    /// The same, whose key has a name.
    pub fn named(mut self, kid: &str) -> Self {
        self.kid = Some(kid.to_owned());
        self
    }

    /// Its key as a member of a set.
    pub fn jwk(&self) -> Value {
        let mut jwk =
            serde_json::to_value(Jwk::from_encoding_key(&self.key, self.algorithm).unwrap()).unwrap();
        if let Some(kid) = &self.kid {
            jwk["kid"] = json!(kid);
        }
        jwk
    }

    /// What a token begins with.
    pub fn header(&self) -> Header {
        Header { kid: self.kid.clone(), ..Header::new(self.algorithm) }
    }

    /// A token that is valid for an hour, with these claims beside.
    pub fn token(&self, claims: Value) -> String {
        self.sign(&self.header(), &with_exp(claims))
    }

    /// A token of exactly these claims.
    pub fn sign(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.key).unwrap()
    }

    /// A token of exactly these texts, which need be no JSON.
    pub fn sign_text(&self, header: &str, payload: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }
}

/// Seconds since 1970, and so many more.
pub fn now(seconds: i64) -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap() + seconds
}

/// The claims, for an hour, of somebody.
pub fn with_exp(mut claims: Value) -> Value {
    let object = claims.as_object_mut().unwrap();
    object.entry("exp").or_insert_with(|| now(3_600).into());
    object.entry("sub").or_insert_with(|| "somebody".into());
    claims
}

/// A set of keys.
pub fn jwks(issuers: &[&Issuer]) -> String {
    json!({ "keys": issuers.iter().map(|issuer| issuer.jwk()).collect::<Vec<_>>() }).to_string()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
