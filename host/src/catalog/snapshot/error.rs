use callslip_ir::snapshot::VERSIONS;

use crate::printable::printable;

/// How many characters are repeated of a name, with its schema and its table: PostgreSQL keeps 63 bytes of each.
const SHOWN: usize = 200;
/// How many are repeated of what is wrong with the JSON: a name, and those that are expected in its stead.
const SHOWN_OF_JSON: usize = 300;

/// Why a catalog snapshot can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It is not JSON, or a member is missing, unknown, there twice, or of another type.
    #[error("the catalog snapshot can't be read: {}", json(.0))]
    Json(serde_json::Error),
    /// It is JSON, and something else.
    #[error(
        "this is no catalog snapshot: it doesn't begin with \"format\": \"{format}\"; `callslip catalog snapshot` writes \
         one",
        format = callslip_ir::snapshot::FORMAT
    )]
    NotASnapshot,
    /// It is of a version that this program does not know.
    #[error(
        "the catalog snapshot is of version {}, and this program reads versions {oldest} to {newest}; write it anew \
         with `callslip catalog snapshot`, or bring the program up to date",
        shown(.found),
        oldest = VERSIONS.start(),
        newest = VERSIONS.end()
    )]
    UnsupportedVersion {
        /// What it gives as its version.
        found: String,
    },
    /// Something refers to what the snapshot does not hold.
    #[error(
        "the catalog snapshot has no {what} {}, which {} refers to{}",
        shown(.reference),
        shown(.place),
        did_you_mean(.nearest)
    )]
    Unknown {
        /// `type`, `relation`, `column` or `function`.
        what: &'static str,
        /// The reference as it is written.
        reference: String,
        /// What refers to it.
        place: String,
        /// What may be meant.
        nearest: Option<String>,
    },
    /// Something is referred to by what is no name.
    #[error(
        "in the catalog snapshot {} refers to the {what} {:?}, which is no name as SQL writes it: {}",
        shown(.place),
        shown(.reference),
        example(.what)
    )]
    InvalidReference {
        /// `relation`, `collation` or `signature`.
        what: &'static str,
        /// The reference as it is written.
        reference: String,
        /// What refers to it.
        place: String,
    },
    /// A name or signature is there twice.
    #[error("the catalog snapshot has {} twice", shown(.0))]
    Duplicate(String),
    /// A relation's entry contradicts itself.
    #[error("in the catalog snapshot the relation {} {wrong}", shown(.relation))]
    InvalidRelation {
        /// The relation.
        relation: String,
        /// What is wrong with it.
        wrong: &'static str,
    },
    /// A type's entry and its kind don't fit.
    #[error("in the catalog snapshot the type {} {wrong}", shown(.ty))]
    InvalidType {
        /// The type.
        ty: String,
        /// What is wrong with it.
        wrong: &'static str,
    },
    /// A function's entry contradicts itself.
    #[error("in the catalog snapshot the function {} {wrong}", shown(.function))]
    InvalidFunction {
        /// The function.
        function: String,
        /// What is wrong with it.
        wrong: &'static str,
    },
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |nearest| format!("; did you mean {}?", shown(nearest)))
}

/// How a reference is written.
fn example(what: &str) -> &'static str {
    match what {
        "signature" => "write app.\"Name\"(int4, app.mood[])",
        _ => "write app.name or app.\"Name\"",
    }
}

fn shown(name: &str) -> String {
    printable(name, SHOWN)
}

/// What is wrong, of which a long name is cut, and where, of which nothing is.
fn json(error: &serde_json::Error) -> String {
    let (text, place) = (error.to_string(), format!(" at line {} column {}", error.line(), error.column()));
    match text.strip_suffix(&place) {
        Some(wrong) => printable(wrong, SHOWN_OF_JSON) + &place,
        None => printable(&text, SHOWN_OF_JSON),
    }
}
