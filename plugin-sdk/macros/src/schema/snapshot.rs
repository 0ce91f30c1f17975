use std::collections::BTreeMap;

use callslip_ir::snapshot::{FORMAT, PG_CATALOG, VERSIONS};
use serde::Deserialize;
use serde_json::Value;

pub(super) const COMMAND: &str = "callslip catalog snapshot --out schema.json";

/// The part of a catalog snapshot that tables are made of.
#[derive(Deserialize)]
pub(super) struct Snapshot {
    /// Where names without a schema are looked for.
    pub search: Vec<String>,
    pub schemas: BTreeMap<String, Schema>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Schema {
    pub comment: Option<String>,
    pub relations: BTreeMap<String, Relation>,
    pub types: BTreeMap<String, Type>,
}

#[derive(Deserialize)]
pub(super) struct Relation {
    pub kind: String,
    pub comment: Option<String>,
    pub columns: Vec<Column>,
    #[serde(default)]
    pub foreign_keys: Vec<ForeignKey>,
}

#[derive(Deserialize)]
pub(super) struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: String,
    #[serde(default)]
    pub nullable: bool,
    /// What the login may do with it; nothing is said where that is to read it.
    pub privileges: Option<Vec<String>>,
    pub comment: Option<String>,
}

impl Column {
    fn is_readable(&self) -> bool {
        self.privileges.as_ref().is_none_or(|privileges| privileges.iter().any(|its| its == "select"))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ForeignKey {
    pub name: String,
    pub columns: Vec<String>,
    /// A reference to a relation.
    pub target: String,
    pub target_columns: Vec<String>,
    /// Whether its last columns are compared by containment (PERIOD).
    pub period: bool,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Type {
    Enum {
        labels: Vec<String>,
        comment: Option<String>,
    },
    Domain {
        base: String,
    },
    Composite {
        comment: Option<String>,
    },
    Range {
        comment: Option<String>,
    },
    Multirange {
        comment: Option<String>,
    },
    #[serde(other)]
    Other,
}

impl Snapshot {
    /// # Errors
    /// What to say after the file's name.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Header {
            format: Option<Value>,
            version: Option<Value>,
        }
        let header: Header = serde_json::from_str(text).map_err(|error| match error.classify() {
            // JSON, but no object.
            serde_json::error::Category::Data => not_a_snapshot(),
            _ => format!("is no JSON: {error}\n`{COMMAND}` writes it from a database"),
        })?;
        if header.format.is_none_or(|format| format != FORMAT) {
            return Err(not_a_snapshot());
        }
        let read = |version: &Value| VERSIONS.map(Value::from).any(|its| its == *version);
        if !header.version.as_ref().is_some_and(read) {
            let found = header.version.map_or_else(|| "none".to_owned(), |version| version.to_string());
            return Err(format!(
                "is a snapshot of format version {found}, and this callslip-sdk reads versions {} to {}: use a `callslip` and a \
                 callslip-sdk of the same release, and write it again with `{COMMAND}`",
                VERSIONS.start(),
                VERSIONS.end()
            ));
        }
        let mut snapshot: Self = serde_json::from_str(text).map_err(|error| {
            format!("is no whole catalog snapshot: {error}\nwrite it again with `{COMMAND}`")
        })?;
        snapshot.drop_unreadable();
        Ok(snapshot)
    }

    /// Leaves out what the login may not read, which only a snapshot of everything has.
    fn drop_unreadable(&mut self) {
        for schema in self.schemas.values_mut() {
            schema.relations.retain(|_, relation| {
                let is_readable =
                    relation.columns.is_empty() || relation.columns.iter().any(Column::is_readable);
                relation.columns.retain(Column::is_readable);
                is_readable
            });
        }
    }

    pub(super) fn ty(&self, schema: &str, name: &str) -> Option<&Type> {
        self.schemas.get(schema)?.types.get(name)
    }

    /// Whether a name without a schema means what this schema has, among what `has` finds.
    pub(super) fn finds(&self, schema: &str, has: impl Fn(&Schema) -> bool) -> bool {
        // PostgreSQL searches pg_catalog first, unless told otherwise.
        let first = (!self.search.iter().any(|searched| searched == PG_CATALOG)).then_some(PG_CATALOG);
        first
            .into_iter()
            .chain(self.search.iter().map(String::as_str))
            .find(|searched| self.schemas.get(*searched).is_some_and(&has))
            == Some(schema)
            && first != Some(schema)
    }
}

fn not_a_snapshot() -> String {
    format!("is no catalog snapshot: `{COMMAND}` writes one from a database")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_snapshot_of_this_version_is_refused_with_advice() {
        for (text, says) in [
            ("{", "is no JSON"),
            ("[]", "is no catalog snapshot"),
            (r#"{"format": "x"}"#, "is no catalog snapshot"),
            (r#"{"format": "callslip catalog snapshot", "version": 0}"#, "format version 0"),
            (r#"{"format": "callslip catalog snapshot", "version": 3}"#, "reads versions 1 to 2"),
            (r#"{"format": "callslip catalog snapshot", "version": "1"}"#, "format version \"1\""),
            (r#"{"format": "callslip catalog snapshot"}"#, "format version none"),
            (r#"{"format": "callslip catalog snapshot", "version": 1}"#, "missing field `search`"),
            (r#"{"format": "callslip catalog snapshot", "version": 2}"#, "missing field `search`"),
        ] {
            let Err(message) = Snapshot::parse(text) else { panic!("{text} is read") };
            assert!(message.contains(says) && message.contains(COMMAND), "{text}: {message}");
        }
    }

    #[test]
    fn what_the_login_may_not_read_is_left_out() {
        let text = r#"{"format": "callslip catalog snapshot", "version": 2, "search": [], "schemas": {"s": {"relations": {
            "t": {"kind": "table", "columns": [
                {"name": "a", "type": "int4"},
                {"name": "b", "type": "int4", "privileges": ["insert"]},
                {"name": "c", "type": "int4", "privileges": ["select", "update"]}]},
            "secret": {"kind": "table", "columns": [{"name": "a", "type": "int4", "privileges": []}]},
            "empty": {"kind": "table", "columns": []}}}}}"#;
        let snapshot = Snapshot::parse(text).unwrap_or_else(|message| panic!("{message}"));
        let relations = &snapshot.schemas["s"].relations;
        assert_eq!(relations.keys().collect::<Vec<_>>(), ["empty", "t"]);
        let columns: Vec<_> = relations["t"].columns.iter().map(|column| &column.name[..]).collect();
        assert_eq!(columns, ["a", "c"]);
    }
}
