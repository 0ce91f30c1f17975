use std::collections::{HashMap, HashSet};

use callslip_ir::snapshot::{quoted, reference};

use crate::catalog::{
    Attribute, Cast, Contents, Function, Oid, Operator, PG_CATALOG, Relation, Type, TypeKind,
};

/// One of the two catalogs, with the names of what its ids mean.
pub(super) struct Side<'a> {
    pub contents: &'a Contents,
    types: HashMap<Oid, &'a Type>,
    relations: HashMap<Oid, &'a Relation>,
    functions: HashMap<Oid, &'a Function>,
    /// The relations by the types of their rows.
    row_types: HashMap<Oid, &'a Relation>,
}

impl<'a> Side<'a> {
    pub fn new(contents: &'a Contents) -> Self {
        Self {
            contents,
            types: contents.types.iter().map(|its| (its.oid, its)).collect(),
            relations: contents.relations.iter().map(|its| (its.oid, its)).collect(),
            functions: contents.functions.iter().map(|its| (its.oid, its)).collect(),
            row_types: contents.relations.iter().filter_map(|its| Some((its.row_type?, its))).collect(),
        }
    }

    /// Whether it says more than the first format of snapshots held: that told of no schemas by themselves, of no extensions and
    /// settings, and of none of what came with them.
    pub fn tells_all(&self) -> bool {
        let Contents { schemas, extensions, settings, .. } = self.contents;
        !(schemas.is_empty() && extensions.is_empty() && settings.is_empty())
    }

    /// `int4`, `app.mood[]`.
    pub fn ty(&self, oid: Oid) -> String {
        // Contents are data that anybody may have made: an array may name itself as its element.
        let mut name = oid;
        let mut brackets = String::new();
        for _ in 0..8 {
            match self.types.get(&name).map(|ty| &ty.kind) {
                Some(TypeKind::Array { element }) => name = *element,
                _ => break,
            }
            brackets.push_str("[]");
        }
        match self.types.get(&name) {
            Some(ty) => format!("{}{brackets}", reference(&ty.schema, &ty.name)),
            None => format!("type {name}{brackets}"),
        }
    }

    pub fn types(&self, oids: &[Oid]) -> String {
        oids.iter().map(|oid| self.ty(*oid)).collect::<Vec<_>>().join(", ")
    }

    pub fn relation(&self, oid: Oid) -> String {
        match self.relations.get(&oid) {
            Some(its) => reference(&its.schema, &its.name),
            None => format!("relation {oid}"),
        }
    }

    /// The relation whose rows a type is of.
    pub fn relation_of_row(&self, ty: Oid) -> Option<&'a Relation> {
        self.row_types.get(&ty).copied()
    }

    /// The columns of a relation that the login may not read, which the type of its rows has all the same.
    pub fn hidden(&self, relation: &Relation) -> Vec<&'a Attribute> {
        let row = relation.row_type.and_then(|row| self.type_of(row)).map(|row| &row.kind);
        let Some(TypeKind::Composite { attributes }) = row else { return Vec::new() };
        let readable: HashSet<&str> = relation.columns.iter().map(|its| its.name.as_str()).collect();
        attributes.iter().filter(|its| !readable.contains(its.name.as_str())).collect()
    }

    /// The same type in words that tell it from others but for its schema.
    pub fn bare_type(&self, oid: Oid) -> String {
        let written = self.ty(oid);
        let schema = self.types.get(&oid).map(|ty| format!("{}.", quoted(&ty.schema)));
        schema.and_then(|schema| written.strip_prefix(&schema)).unwrap_or(&written).to_owned()
    }

    pub fn type_of(&self, oid: Oid) -> Option<&'a Type> {
        self.types.get(&oid).copied()
    }

    /// Whether a type is none of PostgreSQL's own.
    pub fn is_own(&self, ty: Oid) -> bool {
        self.types.get(&ty).is_some_and(|ty| ty.schema != PG_CATALOG)
    }

    /// The signature of a function. One of PostgreSQL's own is not told, since a snapshot may have left it out.
    pub fn own_function(&self, oid: Option<Oid>) -> Option<String> {
        let function = self.functions.get(&oid?).filter(|its| its.schema != PG_CATALOG)?;
        Some(format!("{}({})", reference(&function.schema, &function.name), self.types(&function.arguments)))
    }

    pub fn operands(&self, operator: &Operator) -> String {
        let left = operator.left.map_or_else(|| "none".to_owned(), |left| self.ty(left));
        format!("{left}, {}", self.ty(operator.right))
    }

    /// What tells a cast from others.
    pub fn cast(&self, cast: &Cast) -> (String, String) {
        (self.ty(cast.source), self.ty(cast.target))
    }
}

pub(super) fn list(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}
