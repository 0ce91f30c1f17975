/// An index, also one behind a constraint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its access method: `btree`.
    pub method: String,
    /// Whether it is unique.
    pub unique: bool,
    /// Whether queries can use it: it is complete (`indisvalid`).
    pub valid: bool,
    /// Its keys, each as SQL: a column's name, or an expression; with the collation, operator class and order that it names
    /// (`lower(name) COLLATE "C" DESC`).
    pub keys: Vec<String>,
    /// The columns that are only kept in it (INCLUDE).
    pub included: Vec<String>,
    /// Of which rows it is (WHERE), as SQL.
    pub predicate: Option<String>,
}
