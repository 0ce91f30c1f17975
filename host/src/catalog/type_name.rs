use callslip_ir::TypeName;

use super::{Catalog, NameKind, Oid, PG_CATALOG, SearchPath, Type, TypeKind};

/// SQL's spellings of PostgreSQL's types (documentation, table 8.1).
const SPELLINGS: &[(&str, &str)] = &[
    ("bigint", "int8"),
    ("bit varying", "varbit"),
    ("boolean", "bool"),
    ("char", "bpchar"),
    ("character", "bpchar"),
    ("character varying", "varchar"),
    ("decimal", "numeric"),
    ("double precision", "float8"),
    ("float", "float8"),
    ("int", "int4"),
    ("integer", "int4"),
    ("real", "float4"),
    ("smallint", "int2"),
    ("time with time zone", "timetz"),
    ("time without time zone", "time"),
    ("timestamp with time zone", "timestamptz"),
    ("timestamp without time zone", "timestamp"),
];

/// A type that was found by a name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NamedType<'c> {
    /// The type; of an array, that of its elements.
    pub element: &'c Type,
    /// Whether it is an array.
    pub array: bool,
    /// The type itself.
    pub oid: Oid,
}

impl Catalog {
    /// Finds a type by its name: in its schema, or in `pg_catalog` and then the schemas to search. Modifiers are not looked at.
    pub(crate) fn named_type(&self, path: &SearchPath, written: &TypeName) -> Option<NamedType<'_>> {
        let name = written.name.name.as_str();
        let is_spelling = |(spelling, _): &&(&str, &str)| *spelling == name && written.name.schema.is_none();
        let canonical = SPELLINGS.iter().find(is_spelling);
        let builtin = canonical.and_then(|(_, canonical)| self.ty(PG_CATALOG, canonical));
        let found = builtin.or_else(|| {
            let schema = path.first(self, NameKind::Type, &written.name)?;
            self.ty(schema, name)
        })?;
        let (element, array) = match found.kind {
            // `_int4` is an array already, by its name in the catalog.
            TypeKind::Array { element } => (self.type_by_oid(element)?, true),
            _ => (found, written.array),
        };
        let oid = if array { element.array? } else { element.oid };
        Some(NamedType { element, array, oid })
    }
}
