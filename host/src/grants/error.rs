use crate::catalog::NameKind;

/// A grant that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// It is not written as grants are.
    #[error("grants.{list} has \"{written}\", which can't be read: {why}")]
    Unreadable {
        /// `relations`, `functions`, `operators`, `casts` or `types`.
        list: &'static str,
        /// The grant as it was written.
        written: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// What is granted does not exist, or the login of the host may not use it.
    #[error(
        "grants.{list} names \"{name}\", which this login can't use: there is no such {what}, or PostgreSQL has not \
         granted it to the login{help}"
    )]
    Unknown {
        /// `relations`, `functions`, `operators`, `casts` or `types`.
        list: &'static str,
        /// The name as it was written.
        name: String,
        /// `relation`, `column`, `function`, `operator`, `cast` or `type`.
        what: &'static str,
        /// What may be meant, or where it was looked for.
        help: String,
    },
    /// PostgreSQL's own catalogs are never granted.
    #[error("grants.relations names \"{name}\": PostgreSQL's own catalogs can't be granted")]
    SystemCatalog {
        /// The name as it was written.
        name: String,
    },
}

/// The list that has the grants of what is named so, and what one of it is called.
pub(super) fn list_of(kind: NameKind) -> (&'static str, &'static str) {
    match kind {
        NameKind::Relation => ("relations", "relation"),
        NameKind::Function => ("functions", "function"),
        NameKind::Operator => ("operators", "operator"),
        NameKind::Type => ("types", "type"),
        // No list is of them.
        NameKind::Collation => ("collations", "collation"),
    }
}
