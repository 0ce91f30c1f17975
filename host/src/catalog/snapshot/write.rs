use std::collections::HashMap;

use super::document::{
    AttributeEntry, CastEntry, ColumnEntry, Document, ForeignKeyEntry, FunctionEntry, FunctionKindName,
    OperatorEntry, RelationEntry, SchemaEntry, TypeEntry, TypeKindName, UniqueKeyEntry,
};
use callslip_ir::snapshot::{FORMAT, VERSION, reference};

use super::Snapshot;
use crate::catalog::{
    Attribute, Cast, Contents, Function, FunctionKind, Oid, Operator, PG_CATALOG, Relation, Type, TypeKind,
    Volatility,
};

/// The snapshot by names, everything in order.
pub(super) fn document(snapshot: &Snapshot) -> Document {
    let contents = &snapshot.contents;
    let writer = Writer::new(contents);
    let mut document = Document {
        format: FORMAT.to_owned(),
        version: VERSION,
        postgresql: contents.server_version,
        search: snapshot.search.clone(),
        ..Document::default()
    };
    let mut schema = |name: &str, add: &dyn Fn(&mut SchemaEntry)| {
        add(document.schemas.0.entry(name.to_owned()).or_default());
    };
    for relation in &contents.relations {
        schema(&relation.schema, &|schema| {
            _ = schema.relations.0.insert(relation.name.clone(), writer.relation(relation));
        });
    }
    for ty in &contents.types {
        let Some(entry) = writer.entry(ty) else { continue };
        let entry = std::cell::Cell::new(Some(entry));
        schema(&ty.schema, &|schema| schema.types.0.extend(entry.take().map(|e| (ty.name.clone(), e))));
    }
    for function in &contents.functions {
        schema(&function.schema, &|schema| schema.functions.push(writer.function(function)));
    }
    for operator in &contents.operators {
        schema(&operator.schema, &|schema| schema.operators.push(writer.operator(operator)));
    }
    for collation in &contents.collations {
        schema(&collation.schema, &|schema| schema.collations.push(collation.name.clone()));
    }
    for schema in document.schemas.0.values_mut() {
        schema.functions.sort_by(|a, b| (&a.name, &a.arguments).cmp(&(&b.name, &b.arguments)));
        schema.operators.sort_by(|a, b| (&a.name, &a.left, &a.right).cmp(&(&b.name, &b.left, &b.right)));
        schema.collations.sort();
    }
    document.casts = contents.casts.iter().map(|cast| writer.cast(cast)).collect();
    document.casts.sort_by(|a, b| (&a.source, &a.target).cmp(&(&b.source, &b.target)));
    document
}

/// The names of what ids mean.
struct Writer<'a> {
    types: HashMap<Oid, &'a Type>,
    relations: HashMap<Oid, String>,
    functions: HashMap<Oid, &'a Function>,
    /// The relations by the types of their rows.
    row_types: HashMap<Oid, &'a Relation>,
}

impl<'a> Writer<'a> {
    fn new(contents: &'a Contents) -> Self {
        let relation = |relation: &Relation| (relation.oid, reference(&relation.schema, &relation.name));
        Self {
            types: contents.types.iter().map(|ty| (ty.oid, ty)).collect(),
            relations: contents.relations.iter().map(relation).collect(),
            functions: contents.functions.iter().map(|function| (function.oid, function)).collect(),
            row_types: contents.relations.iter().filter_map(|its| Some((its.row_type?, its))).collect(),
        }
    }

    /// The reference to a type. One that is not in the catalog has none, and then reading says so.
    fn ty(&self, oid: Oid) -> String {
        match self.types.get(&oid) {
            Some(Type { kind: TypeKind::Array { element }, .. }) => format!("{}[]", self.ty(*element)),
            Some(ty) => reference(&ty.schema, &ty.name),
            None => reference(PG_CATALOG, &format!("type {oid}")),
        }
    }

    fn types(&self, oids: &[Oid]) -> Vec<String> {
        oids.iter().map(|oid| self.ty(*oid)).collect()
    }

    fn relation(&self, relation: &Relation) -> RelationEntry {
        let column = |column: &crate::catalog::Column| ColumnEntry {
            name: column.name.clone(),
            ty: self.ty(column.ty),
            modifier: (column.type_modifier != -1).then_some(column.type_modifier),
            nullable: column.nullable,
            comment: comment(&column.comment),
        };
        let unique_key = |key: &crate::catalog::UniqueKey| UniqueKeyEntry {
            name: key.name.clone(),
            primary: key.primary,
            partial: key.partial,
            columns: key.columns.clone(),
        };
        let mut unique_keys: Vec<_> = relation.unique_keys.iter().map(unique_key).collect();
        unique_keys.sort_by(|a, b| (!a.primary, &a.name).cmp(&(!b.primary, &b.name)));
        let foreign_key = |key: &crate::catalog::ForeignKey| {
            Some(ForeignKeyEntry {
                name: key.name.clone(),
                columns: key.columns.clone(),
                target: self.relations.get(&key.target)?.clone(),
                target_columns: key.target_columns.clone(),
            })
        };
        let mut foreign_keys: Vec<_> = relation.foreign_keys.iter().filter_map(foreign_key).collect();
        foreign_keys.sort_by(|a, b| a.name.cmp(&b.name));
        RelationEntry {
            kind: relation.kind,
            comment: comment(&relation.comment),
            columns: relation.columns.iter().map(column).collect(),
            hidden_columns: relation.hidden_columns,
            unique_keys,
            foreign_keys,
        }
    }

    fn attributes(&self, attributes: &[Attribute]) -> Vec<AttributeEntry> {
        let attribute = |attribute: &Attribute| AttributeEntry {
            name: attribute.name.clone(),
            ty: self.ty(attribute.ty),
            modifier: (attribute.type_modifier != -1).then_some(attribute.type_modifier),
        };
        attributes.iter().map(attribute).collect()
    }

    /// A type's entry; none for an array type, which its element's entry tells of, and for that of a relation's rows where
    /// the relation tells all.
    fn entry(&self, ty: &Type) -> Option<TypeEntry> {
        let mut entry = TypeEntry { preferred: ty.preferred, ..TypeEntry::default() };
        entry.kind = match &ty.kind {
            TypeKind::Array { .. } => return None,
            TypeKind::Base => TypeKindName::Base,
            TypeKind::Composite { attributes } => {
                // Without attributes it has none, or its relation's columns.
                let told = match self.row_types.get(&ty.oid) {
                    Some(relation) => has_row(relation, attributes),
                    None => attributes.is_empty(),
                };
                entry.attributes = (!told).then(|| self.attributes(attributes));
                TypeKindName::Composite
            }
            TypeKind::Pseudo => TypeKindName::Pseudo,
            TypeKind::Enum { labels } => {
                entry.labels = Some(labels.clone());
                TypeKindName::Enum
            }
            TypeKind::Domain { base, .. } => {
                entry.base = Some(self.ty(*base));
                TypeKindName::Domain
            }
            TypeKind::Range { subtype, .. } => {
                entry.subtype = Some(self.ty(*subtype));
                TypeKindName::Range
            }
            TypeKind::Multirange { range } => {
                entry.range = Some(self.ty(*range));
                TypeKindName::Multirange
            }
        };
        let usual = match ty.kind {
            TypeKind::Domain { base, .. } => self.types.get(&base).map(|base| base.category),
            _ => entry.kind.usual_category(),
        };
        entry.category = Some(ty.category).filter(|category| Some(*category) != usual);
        let array = ty.array.and_then(|array| self.types.get(&array)).map(|array| array.name.clone());
        entry.array = Some(array).filter(|array| array.as_deref() != Some(&format!("_{}", ty.name)));
        let told = TypeEntry { kind: TypeKindName::Composite, ..TypeEntry::default() };
        (entry != told || !self.row_types.contains_key(&ty.oid)).then_some(entry)
    }

    fn function(&self, function: &Function) -> FunctionEntry {
        let (kind, direct) = match function.kind {
            FunctionKind::Function => (FunctionKindName::Function, 0),
            FunctionKind::Aggregate => (FunctionKindName::Aggregate, 0),
            FunctionKind::OrderedSet { direct } => (FunctionKindName::OrderedSet, direct),
            FunctionKind::Window => (FunctionKindName::Window, 0),
        };
        FunctionEntry {
            name: function.name.clone(),
            kind,
            arguments: self.types(&function.arguments),
            argument_names: function.argument_names.clone(),
            defaults: function.defaults,
            direct,
            variadic: function.variadic.map(|oid| self.ty(oid)),
            returns: self.ty(function.returns),
            columns: self.attributes(&function.columns),
            set: function.returns_set,
            volatility: Some(function.volatility).filter(|volatility| *volatility != Volatility::Immutable),
            security_definer: function.security_definer,
        }
    }

    fn operator(&self, operator: &Operator) -> OperatorEntry {
        OperatorEntry {
            name: operator.name.clone(),
            left: operator.left.map(|oid| self.ty(oid)),
            right: self.ty(operator.right),
            result: self.ty(operator.result),
        }
    }

    fn cast(&self, cast: &Cast) -> CastEntry {
        let function = cast.function.and_then(|oid| self.functions.get(&oid));
        CastEntry {
            source: self.ty(cast.source),
            target: self.ty(cast.target),
            function: function
                .filter(|function| function.schema != PG_CATALOG)
                .map(|function| reference(&function.schema, &function.name)),
            context: cast.context,
            binary: cast.binary,
        }
    }
}

impl TypeKindName {
    /// The category that types of this kind are in; none, where that is their base's.
    pub(super) fn usual_category(self) -> Option<char> {
        Some(match self {
            Self::Base => 'U',
            Self::Enum => 'E',
            Self::Domain => return None,
            Self::Composite => 'C',
            Self::Range | Self::Multirange => 'R',
            Self::Pseudo => 'P',
        })
    }
}

/// Whether the columns of a relation are the attributes of its rows.
fn has_row(relation: &Relation, attributes: &[Attribute]) -> bool {
    let columns = relation.columns.iter().map(|column| (&column.name, column.ty, column.type_modifier));
    columns.eq(attributes.iter().map(|attribute| (&attribute.name, attribute.ty, attribute.type_modifier)))
}

fn comment(comment: &Option<String>) -> Option<String> {
    comment.clone().filter(|comment| !comment.is_empty())
}
