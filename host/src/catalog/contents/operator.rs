use super::Oid;

/// An operator (`pg_operator`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operator {
    /// Its id in `pg_operator`.
    pub oid: Oid,
    /// Its schema.
    pub schema: String,
    /// Its name: `=`, `||`.
    pub name: String,
    /// The type of its left operand; none for a prefix operator.
    pub left: Option<Oid>,
    /// The type of its right operand.
    pub right: Oid,
    /// The type of its result.
    pub result: Oid,
    /// The function behind it; none where a snapshot left it out.
    pub function: Option<Oid>,
    /// The extension that it is of.
    pub extension: Option<String>,
    /// Whether the login may not use it, or the function behind it: only where
    /// [everything](crate::catalog::Visibility::Everything) was reflected.
    pub hidden: bool,
}
