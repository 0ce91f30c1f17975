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
#[derive(Clone, Default)]
pub struct Inputs(pub(crate) BTreeMap<String, Input>);

impl fmt::Debug for Inputs {
    /// Their names: the values may be anybody's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

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

    /// How many bytes they have, with their names.
    #[cfg(feature = "service")]
    pub(crate) fn bytes(&self) -> usize {
        let of = |(name, input): (&String, &Input)| name.len() + input.bytes();
        self.0.iter().map(of).sum()
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

    /// What was given for a name, as the text of a setting: a text as it is, any other value as JSON writes it; what was given as
    /// several texts, as a JSON array of these. Nothing, if nothing or null was given.
    #[cfg(feature = "host")]
    pub(crate) fn setting(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Input::Json(raw) if raw.get() == "null" => None,
            Input::Json(raw) => {
                Some(serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().to_owned()))
            }
            Input::Text(texts) => match texts.as_slice() {
                [text] => Some(text.clone()),
                // Writing texts does not fail.
                texts => serde_json::to_string(texts).ok(),
            },
        }
    }

    /// What was given for a name, as a word by which callers are told apart: a text as it is, anything else as it was written.
    /// Nothing, if nothing or null was given.
    #[cfg(feature = "host")]
    pub(crate) fn word(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Input::Json(raw) if raw.get() == "null" => None,
            Input::Json(raw) => {
                Some(serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().trim().to_owned()))
            }
            Input::Text(texts) => Some(texts.join(",")),
        }
    }

    /// What was given for a name, as JSON. Nothing, if nothing, null or a text of a query string was given.
    #[cfg(feature = "service")]
    pub(crate) fn json(&self, name: &str) -> Option<&RawValue> {
        match self.0.get(name)? {
            Input::Json(raw) if raw.get() != "null" => Some(raw),
            _ => None,
        }
    }

    /// Gives one as JSON, in place of what it was given before. Every digit of its numbers is kept.
    #[cfg(feature = "service")]
    pub(crate) fn insert_json(&mut self, name: String, raw: Box<RawValue>) {
        self.0.insert(name, Input::Json(raw));
    }

    /// The texts that were given for a name as JSON: one, or a list of nothing else.
    #[cfg(feature = "service")]
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let of_one = |raw: &RawValue| serde_json::from_str(raw.get()).map(|text| vec![text]);
        let read = |raw| of_one(raw).or_else(|_| serde_json::from_str(raw.get()));
        self.json(name).and_then(|raw| read(raw).ok()).unwrap_or_default()
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
