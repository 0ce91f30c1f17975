//! How descriptions, bindings and manifests cross between a plugin and its host.
//!
//! The first byte is the format, `p` for postcard and `j` for JSON. The second is the version of what is encoded,
//! [`Message::VERSION`]. The rest is the body.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Bindings, Description, Manifest, manifest::v1};

/// What crosses between a plugin and its host: a [`Description`], [`Bindings`] or a [`Manifest`]. It is written as it is now,
/// and read in each version that it ever had.
pub trait Message: DeserializeOwned {
    /// The version that is written. Appending a variant doesn't change it, since a host that is older than a plugin refuses
    /// just the descriptions that use the new variant.
    const VERSION: u8;
    /// The version before, as a type of its own; the same type, if there was none.
    type Before: Message + Into<Self>;
}

impl Message for Description {
    const VERSION: u8 = 1;
    type Before = Self;
}

impl Message for Bindings {
    const VERSION: u8 = 1;
    type Before = Self;
}

impl Message for Manifest {
    const VERSION: u8 = 2;
    type Before = v1::Manifest;
}

impl Message for v1::Manifest {
    const VERSION: u8 = 1;
    type Before = Self;
}

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
    #[error("it is of version {found}; this host reads up to version {newest}")]
    UnknownVersion {
        /// The version byte.
        found: u8,
        /// The newest version that this host reads; the oldest is 1.
        newest: u8,
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
pub fn encode<T: Message + Serialize>(value: &T) -> Vec<u8> {
    match postcard::to_extend(value, vec![POSTCARD, T::VERSION]) {
        Ok(bytes) => bytes,
        Err(error) => unreachable!("every sequence has a known length: {error}"),
    }
}

/// Encodes as JSON.
///
/// # Errors
/// None for the types of this crate.
#[cfg(feature = "json")]
pub fn encode_json<T: Message + Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = vec![JSON, T::VERSION];
    serde_json::to_writer(&mut bytes, value)?;
    Ok(bytes)
}

/// Decodes either format, in any version. What it allocates is bounded by the length of `bytes`.
///
/// # Errors
/// [`DecodeError`], for anything that no [`encode`] can have written.
pub fn decode<T: Message>(bytes: &[u8]) -> Result<T, DecodeError> {
    let [format, version, body @ ..] = bytes else { return Err(DecodeError::TooShort(bytes.len())) };
    if !(1..=T::VERSION).contains(version) {
        return Err(DecodeError::UnknownVersion { found: *version, newest: T::VERSION });
    }
    read(*format, *version, body)
}

/// Reads a body of that version, which is one of `T` or older.
fn read<T: Message>(format: u8, version: u8, body: &[u8]) -> Result<T, DecodeError> {
    if version < T::VERSION {
        return read::<T::Before>(format, version, body).map(Into::into);
    }
    match format {
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
        generator.subschema_for::<Description>(),
        generator.subschema_for::<Bindings>(),
        generator.subschema_for::<Manifest>(),
    ];
    let description = format!(
        "What crosses between a plugin and its host: a description, bindings or a manifest. Before it stand two bytes: `j`, \
         and its version, which is {} of a description, {} of bindings and {} of a manifest.",
        Description::VERSION,
        Bindings::VERSION,
        Manifest::VERSION,
    );
    let schema = serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Callslip",
        "description": description,
        "anyOf": roots,
        "$defs": generator.take_definitions(true),
    });
    format!("{schema:#}\n")
}
