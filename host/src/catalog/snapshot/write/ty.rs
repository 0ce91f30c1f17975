use super::super::document::{AttributeEntry, TypeEntry, TypeKindName};
use super::{Writer, checks, comment};
use crate::catalog::{Attribute, ObjectName, Relation, Type, TypeKind};

impl Writer<'_> {
    pub(super) fn attributes(&self, attributes: &[Attribute]) -> Vec<AttributeEntry> {
        let attribute = |attribute: &Attribute| AttributeEntry {
            name: attribute.name.clone(),
            ty: self.ty(attribute.ty),
            modifier: (attribute.type_modifier != -1).then_some(attribute.type_modifier),
        };
        attributes.iter().map(attribute).collect()
    }

    /// A type's entry; none for an array type, which its element's entry tells of, and for that of a relation's rows where
    /// the relation tells all.
    pub(super) fn entry(&self, ty: &Type) -> Option<TypeEntry> {
        let mut entry =
            TypeEntry { preferred: ty.preferred, comment: comment(&ty.comment), ..TypeEntry::default() };
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
            TypeKind::Domain { base, rules } => {
                entry.base = Some(self.ty(*base));
                entry.modifier = rules.type_modifier;
                entry.collation = rules.collation.as_ref().map(ObjectName::to_string);
                entry.not_null = rules.not_null;
                entry.default.clone_from(&rules.default);
                entry.checks = checks(&rules.checks);
                TypeKindName::Domain
            }
            TypeKind::Range { subtype, collation } => {
                entry.subtype = Some(self.ty(*subtype));
                entry.collation = collation.as_ref().map(ObjectName::to_string);
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
        if self.row_types.contains_key(&ty.oid) {
            let told = TypeEntry { kind: TypeKindName::Composite, ..TypeEntry::default() };
            return (entry != told).then_some(entry);
        }
        entry.owner.clone_from(&ty.owner);
        entry.extension.clone_from(&ty.extension);
        Some(entry)
    }
}

/// Whether the columns of a relation are the attributes of its rows.
fn has_row(relation: &Relation, attributes: &[Attribute]) -> bool {
    let columns = relation.columns.iter().map(|column| (&column.name, column.ty, column.type_modifier));
    columns.eq(attributes.iter().map(|attribute| (&attribute.name, attribute.ty, attribute.type_modifier)))
}
