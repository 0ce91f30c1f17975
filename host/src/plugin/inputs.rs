use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{ArgumentError, value::Input};
use crate::Code;
use crate::printable::printable;

/// What a caller wrote for each parameter or claim, by name; nothing of it is checked.
#[derive(Clone, Debug, Default)]
pub struct Inputs(pub(super) BTreeMap<String, Input>);

impl Inputs {
    /// Reads a JSON object, keeping every digit of its numbers.
    ///
    /// # Errors
    /// [`ArgumentError`], for what is not a JSON object, or is one that gives a name twice.
    pub fn from_json(body: &[u8]) -> Result<Self, ArgumentError> {
        serde_json::from_slice(body).map_err(|error| ArgumentError {
            code: Code::BadRequest,
            parameter: None,
            message: format!("the parameters are not a JSON object: {}", printable(&error.to_string(), 300)),
        })
    }

    /// Takes a JSON object that is already read, such as the claims of a token.
    pub fn from_object(object: &serde_json::Map<String, serde_json::Value>) -> Self {
        // Writing a value that was read does not fail.
        let raw = |value| serde_json::value::to_raw_value(value).ok().map(Input::Json);
        Self(object.iter().filter_map(|(name, value)| Some((name.clone(), raw(value)?))).collect())
    }

    /// Gives one parameter, in place of what it was given before.
    pub fn insert(&mut self, name: String, value: &serde_json::Value) {
        // Writing a value that was read does not fail.
        if let Ok(raw) = serde_json::value::to_raw_value(value) {
            self.0.insert(name, Input::Json(raw));
        }
    }

    /// The text that was given for a name. Nothing, if nothing or null was given; nothing within that, if it is no text.
    #[cfg(feature = "host")]
    pub(crate) fn text(&self, name: &str) -> Option<Option<String>> {
        match self.0.get(name)? {
            Input::Json(raw) if raw.get() == "null" => None,
            Input::Json(raw) => Some(serde_json::from_str(raw.get()).ok()),
            Input::Text(texts) => match texts.as_slice() {
                [text] => Some(Some(text.clone())),
                _ => Some(None),
            },
        }
    }

    /// Takes the pairs of a query string or a command line. A name that is repeated gives an array.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut inputs = Self::default();
        for (name, text) in pairs {
            match inputs.0.entry(name).or_insert_with(|| Input::Text(Vec::new())) {
                Input::Text(texts) => texts.push(text),
                Input::Json(_) => {}
            }
        }
        inputs
    }
}

impl<'de> Deserialize<'de> for Inputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Inputs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a member for each parameter")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Inputs, A::Error> {
                let mut inputs = Inputs::default();
                while let Some((name, value)) = members.next_entry::<String, Box<RawValue>>()? {
                    if inputs.0.contains_key(&name) {
                        return Err(serde::de::Error::custom(format_args!("`{name}` is given twice")));
                    }
                    inputs.0.insert(name, Input::Json(value));
                }
                Ok(inputs)
            }
        }
        deserializer.deserialize_map(Object)
    }
}
