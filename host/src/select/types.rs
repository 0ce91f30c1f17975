use callslip_ir::TypeName;

use crate::catalog::{Catalog, NamedType, Oid, PG_CATALOG, SearchPath, TypeKind};

/// A type that was found in the catalog, with its modifiers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ResolvedType {
    /// The type itself; of an array, the array type.
    pub oid: Oid,
    /// The schema of the type, or of the element type of an array.
    pub schema: String,
    /// The name of the type, or of the element type of an array.
    pub name: String,
    /// The type modifiers as they are written.
    pub modifiers: Vec<i32>,
    /// Whether it is an array.
    pub array: bool,
}

impl ResolvedType {
    /// `text`, whose id is the same in every database.
    pub(super) fn text() -> Self {
        Self {
            oid: 25,
            schema: PG_CATALOG.to_owned(),
            name: "text".to_owned(),
            modifiers: Vec::new(),
            array: false,
        }
    }

    /// Its name as plugins write it.
    pub fn shown(&self, path: &SearchPath) -> String {
        let schema = match path.shown(&self.schema) {
            PG_CATALOG => String::new(),
            schema => format!("{schema}."),
        };
        let written = TypeName {
            name: callslip_ir::QualifiedName::new(self.name.as_str()),
            modifiers: self.modifiers.clone(),
            array: self.array,
        };
        format!("{schema}{written}")
    }

    /// Whether every text is a value of it.
    pub fn takes_any_text(&self) -> bool {
        let text = matches!(self.name.as_str(), "text" | "varchar" | "bpchar");
        self.schema == PG_CATALOG && text && self.modifiers.is_empty() && !self.array
    }
}

/// Finds a type by its name: in its schema, or in `pg_catalog` and then the schemas to search.
pub fn resolve(catalog: &Catalog, path: &SearchPath, written: &TypeName) -> Option<ResolvedType> {
    let NamedType { element: base, array, oid } = catalog.named_type(path, written)?;
    // SQL's `char` and `bit` are of one character and one bit; PostgreSQL's own names of them are of any length.
    let of_one =
        written.name.schema.is_none() && matches!(written.name.name.as_str(), "char" | "character" | "bit");
    let modifiers = match written.modifiers.as_slice() {
        [] if of_one => vec![1],
        written => written.to_vec(),
    };
    Some(ResolvedType { oid, schema: base.schema.clone(), name: base.name.clone(), modifiers, array })
}

/// The type of that id, as it is written.
pub(super) fn of_oid(catalog: &Catalog, oid: Oid) -> Option<ResolvedType> {
    let ty = catalog.type_by_oid(oid)?;
    let (base, array) = match ty.kind {
        TypeKind::Array { element } => (catalog.type_by_oid(element)?, true),
        _ => (ty, false),
    };
    Some(ResolvedType {
        oid,
        schema: base.schema.clone(),
        name: base.name.clone(),
        modifiers: Vec::new(),
        array,
    })
}

/// A type's name in a message.
pub(super) fn display(catalog: &Catalog, path: &SearchPath, oid: Oid) -> String {
    of_oid(catalog, oid).map_or_else(|| format!("type {oid}"), |ty| ty.shown(path))
}

/// Whether the values of a type are rows.
pub(super) fn is_row(catalog: &Catalog, oid: Oid) -> bool {
    catalog.type_by_oid(catalog.base_type(oid)).is_some_and(|ty| {
        matches!(ty.kind, TypeKind::Composite { .. }) || ty.schema == PG_CATALOG && ty.name == "record"
    })
}
