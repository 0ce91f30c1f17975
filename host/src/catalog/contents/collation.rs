/// A collation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Collation {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Whether it tells strings apart that sort as equal but are written differently. One that does not can't be used with
    /// LIKE and its kin.
    pub nondeterministic: bool,
}
