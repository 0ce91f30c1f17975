use std::fmt;

use callslip_ir::snapshot::reference;

/// An object of a schema by its name: one that may not be reflected itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for ObjectName {
    /// As a snapshot refers to it: `public.position`, and of `pg_catalog` the name alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&reference(&self.schema, &self.name))
    }
}

/// A function by its name and what it takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature {
    /// The function.
    pub function: ObjectName,
    /// The types of its input arguments, each as a snapshot refers to it: `int4`, `app.mood[]`.
    pub arguments: Vec<String>,
}

impl fmt::Display for Signature {
    /// `lower(text)`, `app.score(int4, app.mood[])`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.function, self.arguments.join(", "))
    }
}
