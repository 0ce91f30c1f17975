//! How descriptions, bindings and manifests cross between a plugin and its host.
//!
//! The first byte is the format, `p` for postcard and `j` for JSON. The second is the version of the types in
//! this crate, [`VERSION`]. The rest is the body.

use serde::{Serialize, de::DeserializeOwned};

/// The version of the types in this crate. Appending a variant doesn't change it, since a host that is older than a plugin
/// refuses just the descriptions that use the new variant.
pub const VERSION: u8 = 1;

const POSTCARD: u8 = b'p';
#[cfg(feature = "json")]
const JSON: u8 = b'j';

/// Why bytes could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// There are not even a format and a version.
    #[error("it has {0} bytes, too few for a format and a version")]
    TooShort(usize),
    /// The format byte is not one that this host reads.
    #[error("its format byte is {0:#04x}; this host reads `p` (postcard) and `j` (JSON)")]
    UnknownFormat(u8),
    /// The version byte is not one that this host reads.
    #[error("it is of version {found}; this host reads version {VERSION}")]
    UnknownVersion {
        /// The version byte.
        found: u8,
    },
    /// The body is not what its format says.
    #[error("its body can't be read: {0}")]
    Malformed(String),
    /// Bytes are left over after the body.
    #[error("{0} bytes are left over after its end")]
    TrailingBytes(usize),
}

/// Encodes as postcard.
///
/// # Panics
/// Never for the types of this crate: postcard fails only on sequences of unknown length, of which they have none.
pub fn encode(value: &impl Serialize) -> Vec<u8> {
    match postcard::to_extend(value, vec![POSTCARD, VERSION]) {
        Ok(bytes) => bytes,
        Err(error) => unreachable!("every sequence has a known length: {error}"),
    }
}

/// Encodes as JSON.
///
/// # Errors
/// None for the types of this crate.
#[cfg(feature = "json")]
pub fn encode_json(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = vec![JSON, VERSION];
    serde_json::to_writer(&mut bytes, value)?;
    Ok(bytes)
}

/// Decodes either format. What it allocates is bounded by the length of `bytes`.
///
/// # Errors
/// [`DecodeError`], for anything that [`encode`] can't have written.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let [format, version, body @ ..] = bytes else { return Err(DecodeError::TooShort(bytes.len())) };
    if *version != VERSION {
        return Err(DecodeError::UnknownVersion { found: *version });
    }
    match *format {
        POSTCARD => {
            let (value, rest) =
                postcard::take_from_bytes(body).map_err(|e| DecodeError::Malformed(e.to_string()))?;
            if rest.is_empty() { Ok(value) } else { Err(DecodeError::TrailingBytes(rest.len())) }
        }
        #[cfg(feature = "json")]
        JSON => serde_json::from_slice(body).map_err(|e| DecodeError::Malformed(e.to_string())),
        other => Err(DecodeError::UnknownFormat(other)),
    }
}

/// The JSON Schema of a description, bindings and a manifest in JSON, as text.
///
/// # Panics
/// Never: the schema is plain JSON.
#[cfg(feature = "schema")]
pub fn schema() -> String {
    let mut generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
    let roots = [
        generator.subschema_for::<crate::Description>(),
        generator.subschema_for::<crate::Bindings>(),
        generator.subschema_for::<crate::Manifest>(),
    ];
    let schema = serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Callslip",
        "description": "What crosses between a plugin and its host: a description, bindings or a manifest.",
        "anyOf": roots,
        "$defs": generator.take_definitions(true),
    });
    format!("{schema:#}\n")
}
