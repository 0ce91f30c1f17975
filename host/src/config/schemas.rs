use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::ConfigError;
use crate::catalog::{LogicalSchema, is_of_the_system};

/// In how many ways the claims of callers may choose schemas: each is a proof of its own.
const MOST_CHOICES: usize = 1_024;

/// A logical schema: what plugins call by one name, and is a schema of another name. It hides a schema of its own name.
///
/// Either `schema`, or `claim` and `allowed`. Plugins and grants name it as they would any schema; a plugin neither declares nor
/// sees the claim. Each query is proven for each schema that is allowed.
///
/// ```toml
/// [schemas.tenant]
/// claim = "tenant"
/// allowed = ["acme", "globex"]
///
/// [schemas.reporting]
/// schema = "reporting_v3"
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SchemaConfig {
    /// The schema that it always is.
    pub schema: Option<String>,
    /// The claim of the caller that names the schema. One claim chooses one schema.
    pub claim: Option<String>,
    /// The schemas that the claim may name. A schema is of one logical schema only. Neither plugins nor grants can name it by
    /// its own name.
    pub allowed: Vec<String>,
}

impl SchemaConfig {
    pub(super) fn logical(&self) -> Option<LogicalSchema> {
        match (&self.schema, &self.claim) {
            (Some(schema), _) => Some(LogicalSchema::Fixed(schema.clone())),
            (None, Some(claim)) => {
                Some(LogicalSchema::Chosen { claim: claim.clone(), allowed: self.allowed.clone() })
            }
            (None, None) => None,
        }
    }

    /// What is wrong with it by itself.
    fn wrong(&self) -> Option<&'static str> {
        let real = self.schema.iter().chain(&self.allowed);
        let mut allowed = BTreeSet::new();
        match (&self.schema, &self.claim) {
            (None, None) => Some("needs `schema`, or `claim` and `allowed`"),
            (Some(_), _) if self.claim.is_some() || !self.allowed.is_empty() => {
                Some("has `schema`, which is always the same, and so neither `claim` nor `allowed`")
            }
            (None, Some(claim)) if claim.is_empty() => Some("has an empty `claim`"),
            (None, Some(_)) if self.allowed.is_empty() => Some("has a `claim`, and so needs `allowed`"),
            _ if real.clone().any(String::is_empty) => Some("names a schema with an empty name"),
            _ if real.clone().any(|schema| is_of_the_system(schema)) => {
                Some("names a schema of PostgreSQL's own")
            }
            _ if !real.clone().all(|schema| allowed.insert(schema)) => Some("names a schema twice"),
            _ => None,
        }
    }
}

/// Whether each is one, and a schema that a claim chooses is reached by one way only; `searched` are those that all callers
/// see.
pub(super) fn check(
    logical: &BTreeMap<String, SchemaConfig>,
    searched: &[String],
) -> Result<(), ConfigError> {
    let wrong = |name: &str, wrong: String| ConfigError::Schema { name: name.to_owned(), wrong };
    let (mut claims, mut schemas) = (BTreeMap::new(), BTreeMap::new());
    let mut choices = 1_usize;
    for (name, its) in logical {
        if name.is_empty() || is_of_the_system(name) {
            return Err(wrong(name, "has a name that no logical schema can have".to_owned()));
        }
        if let Some(what) = its.wrong() {
            return Err(wrong(name, what.to_owned()));
        }
        if let Some(other) = its.claim.as_ref().and_then(|claim| claims.insert(claim, name)) {
            return Err(wrong(name, format!("is chosen by the same claim as schemas.{other}")));
        }
        for schema in its.schema.iter().chain(&its.allowed) {
            if let Some(other) = schemas.insert(schema, name) {
                return Err(wrong(name, format!("names the schema {schema}, and so does schemas.{other}")));
            }
        }
        for schema in &its.allowed {
            if searched.contains(schema) && !logical.contains_key(schema) {
                let what = format!(
                    "allows the schema {schema}, which database.schemas searches for every caller; name {name} there"
                );
                return Err(wrong(name, what));
            }
        }
        choices = choices.saturating_mul(its.allowed.len().max(1));
    }
    if choices > MOST_CHOICES {
        return Err(ConfigError::TooManyChoices { most: MOST_CHOICES });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Config;

    #[test]
    fn a_logical_schema_is_one_schema_or_those_that_one_claim_may_name() {
        let both = "[schemas.tenant]\nclaim = \"tenant\"\nallowed = [\"acme\", \"globex\"]\n\
                    [schemas.reporting]\nschema = \"v3\"\n[database]\nschemas = [\"tenant\", \"public\"]";
        let schemas = Config::parse(both, Path::new("")).unwrap().schemas();
        assert_eq!(schemas.logical["tenant"].real(), ["acme", "globex"]);
        assert_eq!(schemas.logical["reporting"], LogicalSchema::Fixed("v3".to_owned()));
        let many: Vec<String> = (0..33).map(|n| format!("\"a{n}\"")).collect();
        let (many, other) = (many.join(","), many.join(",").replace('a', "b"));
        for (text, message) in [
            ("[schemas.a]", "schemas.a needs `schema`, or `claim` and `allowed`"),
            (
                "[schemas.a]\nschema = \"x\"\nclaim = \"c\"",
                "schemas.a has `schema`, which is always the same, and so neither `claim` nor `allowed`",
            ),
            ("[schemas.a]\nclaim = \"\"\nallowed = [\"x\"]", "schemas.a has an empty `claim`"),
            ("[schemas.a]\nclaim = \"c\"", "schemas.a has a `claim`, and so needs `allowed`"),
            ("[schemas.a]\nallowed = [\"x\"]", "schemas.a needs `schema`, or `claim` and `allowed`"),
            ("[schemas.a]\nschema = \"\"", "schemas.a names a schema with an empty name"),
            ("[schemas.a]\nschema = \"pg_catalog\"", "schemas.a names a schema of PostgreSQL's own"),
            ("[schemas.a]\nclaim = \"c\"\nallowed = [\"x\", \"x\"]", "schemas.a names a schema twice"),
            (
                "[schemas.pg_temp]\nschema = \"x\"",
                "schemas.pg_temp has a name that no logical schema can have",
            ),
            (
                "[schemas.a]\nclaim = \"c\"\nallowed = [\"x\"]\n[schemas.b]\nclaim = \"c\"\nallowed = [\"y\"]",
                "schemas.b is chosen by the same claim as schemas.a",
            ),
            (
                "[schemas.a]\nclaim = \"c\"\nallowed = [\"x\"]\n[schemas.b]\nschema = \"x\"",
                "schemas.b names the schema x, and so does schemas.a",
            ),
            (
                "[schemas.a]\nclaim = \"c\"\nallowed = [\"public\"]",
                "schemas.a allows the schema public, which database.schemas searches for every caller; name a there",
            ),
            (
                &format!(
                    "[schemas.a]\nclaim = \"c\"\nallowed = [{many}]\n[schemas.b]\nclaim = \"d\"\nallowed = [{other}]"
                ),
                "the claims of [schemas] can choose in more than 1024 ways, for each of which every query is proven; \
                 allow fewer",
            ),
        ] {
            assert_eq!(Config::parse(text, Path::new("")).unwrap_err().to_string(), message);
        }
    }
}
