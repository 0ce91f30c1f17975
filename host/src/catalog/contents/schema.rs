/// A schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    /// Its name.
    pub name: String,
    /// The role that owns it.
    pub owner: String,
    /// `COMMENT ON`.
    pub comment: Option<String>,
    /// Whether the login may not use it, nor what is in it: only where
    /// [everything](crate::catalog::Visibility::Everything) was reflected.
    pub hidden: bool,
}

/// An extension that is installed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// The schema that its objects are in.
    pub schema: String,
    /// Its version.
    pub version: String,
}
