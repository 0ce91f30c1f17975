use std::collections::{HashMap, HashSet};

use callslip_ir::snapshot::reference;

use super::super::document::{Document, RelationEntry, SchemaEntry, TypeEntry, TypeKindName};
use super::super::{SnapshotError, builtin};
use super::{Reader, checks, collation, duplicate, relation};
use crate::catalog::{Attribute, DomainRules, Oid, PG_CATALOG, Type, TypeKind};

/// The type of a relation's rows that only the relation tells of.
pub(super) struct RowType {
    schema: String,
    /// The relation's, and so its own.
    name: String,
    oid: Oid,
    array: Oid,
    array_name: String,
}

impl Reader {
    /// Gives every type, array type and relation its id.
    pub(super) fn name(&mut self, document: &Document) -> Result<(), SnapshotError> {
        for (schema, entry) in &document.schemas.0 {
            for (name, ty) in &entry.types.0 {
                let builtin = |find: fn(&str) -> Option<Oid>| find(name).filter(|_| schema == PG_CATALOG);
                let oid = builtin(builtin::type_oid).unwrap_or_else(|| self.oid());
                self.add_type(schema, name, oid)?;
                if let Some(array) = ty.array_name(name) {
                    let array_oid = builtin(builtin::array_oid).unwrap_or_else(|| self.oid());
                    self.add_type(schema, &array, array_oid)?;
                    self.arrays.insert(oid, array_oid);
                }
            }
            for (name, relation) in &entry.relations.0 {
                let columns = relation.columns.iter().map(|column| column.name.clone()).collect();
                let oid = self.oid();
                let row_type = self.name_row_type(schema, name, entry);
                let named = relation::Named { oid, row_type, columns };
                self.relations.insert((schema.clone(), name.clone()), named);
            }
            self.name_arrays_of_rows(schema);
        }
        Ok(())
    }

    fn add_type(&mut self, schema: &str, name: &str, oid: Oid) -> Result<(), SnapshotError> {
        match self.types.insert((schema.to_owned(), name.to_owned()), oid) {
            None => Ok(()),
            Some(_) => Err(duplicate("the type", &reference(schema, name))),
        }
    }

    /// The type of a relation's rows. There is none where another type has its name, which PostgreSQL doesn't allow.
    fn name_row_type(&mut self, schema: &str, name: &str, entry: &SchemaEntry) -> Option<Oid> {
        let key = (schema.to_owned(), name.to_owned());
        if let Some(&oid) = self.types.get(&key) {
            let ty = entry.types.0.get(name);
            return ty.is_some_and(|ty| ty.kind == TypeKindName::Composite).then_some(oid);
        }
        let (oid, array) = (self.oid(), self.oid());
        self.row_types.push(RowType {
            schema: schema.to_owned(),
            name: name.to_owned(),
            oid,
            array,
            array_name: String::new(),
        });
        self.types.insert(key, oid);
        Some(oid)
    }

    /// Names the array types that only relations tell of, once the other types have their names, as PostgreSQL does it: with
    /// one more `_` as long as a name is taken.
    fn name_arrays_of_rows(&mut self, schema: &str) {
        for row_type in self.row_types.iter_mut().filter(|row_type| row_type.schema == schema) {
            let mut key = (schema.to_owned(), format!("_{}", row_type.name));
            while self.types.contains_key(&key) {
                key.1.insert(0, '_');
            }
            row_type.array_name.clone_from(&key.1);
            self.types.insert(key, row_type.array);
            self.arrays.insert(row_type.oid, row_type.array);
        }
    }

    pub(super) fn types(&self, document: &Document) -> Result<Vec<Type>, SnapshotError> {
        let mut types = Vec::with_capacity(self.types.len());
        for (schema, entry) in &document.schemas.0 {
            for (name, ty_entry) in &entry.types.0 {
                let oid = self.types[&(schema.clone(), name.clone())];
                let relation = entry.relations.0.get(name);
                // The rows of a relation belong to whom it belongs to.
                let row_of = relation.filter(|_| ty_entry.kind == TypeKindName::Composite);
                let ty = Type {
                    oid,
                    schema: schema.clone(),
                    name: name.clone(),
                    category: ty_entry.category.or(ty_entry.kind.usual_category()).unwrap_or(UNTOLD),
                    kind: self.kind(ty_entry, &reference(schema, name), relation)?,
                    preferred: ty_entry.preferred,
                    array: self.arrays.get(&oid).copied(),
                    owner: row_of.map_or(&ty_entry.owner, |relation| &relation.owner).clone(),
                    extension: row_of.map_or(&ty_entry.extension, |relation| &relation.extension).clone(),
                    comment: ty_entry.comment.clone(),
                };
                if let (Some(array), Some(array_name)) = (ty.array, ty_entry.array_name(name)) {
                    types.push(array_type(&ty, array, array_name));
                }
                types.push(ty);
            }
        }
        for row_type in &self.row_types {
            let RowType { schema, name, oid, array, array_name } = row_type;
            let relation = document.schemas.0.get(schema).and_then(|schema| schema.relations.0.get(name));
            let ty = Type {
                oid: *oid,
                schema: schema.clone(),
                name: name.clone(),
                kind: TypeKind::Composite { attributes: self.row(relation, &reference(schema, name))? },
                category: 'C',
                preferred: false,
                array: Some(*array),
                owner: relation.map_or_else(String::new, |relation| relation.owner.clone()),
                extension: relation.and_then(|relation| relation.extension.clone()),
                comment: None,
            };
            types.push(array_type(&ty, *array, array_name.clone()));
            types.push(ty);
        }
        check_that_types_end(&types)?;
        settle_categories(&mut types);
        Ok(types)
    }

    /// The kind that an entry tells of; `relation` has the type's name.
    fn kind(
        &self,
        entry: &TypeEntry,
        place: &str,
        relation: Option<&RelationEntry>,
    ) -> Result<TypeKind, SnapshotError> {
        let TypeEntry { kind, labels, base, subtype, range, attributes, .. } = entry;
        let wrong = |wrong| SnapshotError::InvalidType { ty: place.to_owned(), wrong };
        let collated = matches!(kind, TypeKindName::Domain | TypeKindName::Range);
        if (entry.has_rules() && *kind != TypeKindName::Domain) || (entry.collation.is_some() && !collated) {
            return Err(wrong(
                "may have `modifier`, `not_null`, `default` and `checks` for a domain, `collation` for a domain or a range, \
                 and none of them otherwise",
            ));
        }
        Ok(match (kind, labels, base, subtype, range, attributes) {
            (TypeKindName::Base, None, None, None, None, None) => TypeKind::Base,
            (TypeKindName::Composite, None, None, None, None, None) => {
                TypeKind::Composite { attributes: self.row(relation, place)? }
            }
            (TypeKindName::Composite, None, None, None, None, Some(attributes)) => {
                let names: HashSet<_> = attributes.iter().map(|attribute| &attribute.name).collect();
                if names.len() < attributes.len() {
                    return Err(wrong("has an attribute twice"));
                }
                TypeKind::Composite { attributes: self.attributes(attributes, place)? }
            }
            (TypeKindName::Pseudo, None, None, None, None, None) => TypeKind::Pseudo,
            (TypeKindName::Enum, Some(labels), None, None, None, None) => {
                if labels.iter().collect::<HashSet<_>>().len() < labels.len() {
                    return Err(wrong("has a label twice"));
                }
                TypeKind::Enum { labels: labels.clone() }
            }
            (TypeKindName::Domain, None, Some(base), None, None, None) => {
                TypeKind::Domain { base: self.ty(base, place)?, rules: Box::new(entry.rules(place)?) }
            }
            (TypeKindName::Range, None, None, Some(subtype), None, None) => TypeKind::Range {
                subtype: self.ty(subtype, place)?,
                collation: collation(entry.collation.as_deref(), place)?,
            },
            (TypeKindName::Multirange, None, None, None, Some(range), None) => {
                TypeKind::Multirange { range: self.ty(range, place)? }
            }
            _ => {
                return Err(wrong(
                    "needs `labels` for an enum, `base` for a domain, `subtype` for a range, `range` for a multirange, \
                     may have `attributes` for a composite type, and none of the others",
                ));
            }
        })
    }

    /// The attributes of a relation's rows, as far as its columns tell; none without a relation.
    fn row(&self, relation: Option<&RelationEntry>, place: &str) -> Result<Vec<Attribute>, SnapshotError> {
        let mut attributes = Vec::new();
        for column in relation.into_iter().flat_map(|relation| &relation.columns) {
            attributes.push(Attribute {
                ty: self.ty(&column.ty, &format!("the column {} of {place}", column.name))?,
                name: column.name.clone(),
                type_modifier: column.modifier.unwrap_or(-1),
            });
        }
        Ok(attributes)
    }
}

/// Refuses a type that is made of itself: whoever looks at what a type is made of must come to an end.
fn check_that_types_end(types: &[Type]) -> Result<(), SnapshotError> {
    let positions: HashMap<Oid, usize> =
        types.iter().enumerate().map(|(position, ty)| (ty.oid, position)).collect();
    let parts: Vec<Vec<usize>> = types
        .iter()
        .map(|ty| ty.kind.made_of().iter().filter_map(|oid| positions.get(oid).copied()).collect())
        .collect();
    let mut whole = vec![Vec::new(); types.len()];
    for (position, &part) in parts.iter().enumerate().flat_map(|(p, parts)| parts.iter().map(move |q| (p, q)))
    {
        whole[part].push(position);
    }
    // How many parts of each type may go on for ever, for all that is known yet.
    let mut open: Vec<usize> = parts.iter().map(Vec::len).collect();
    let mut ending: Vec<usize> = (0..types.len()).filter(|&position| open[position] == 0).collect();
    while let Some(position) = ending.pop() {
        for &user in &whole[position] {
            open[user] -= 1;
            if open[user] == 0 {
                ending.push(user);
            }
        }
    }
    let Some(mut at) = (0..types.len()).find(|&position| open[position] > 0) else { return Ok(()) };
    // Every step leads to another that is left, and so many to one that comes again.
    for _ in 0..types.len() {
        at = parts[at].iter().copied().find(|&part| open[part] > 0).unwrap_or(at);
    }
    Err(SnapshotError::InvalidType {
        ty: reference(&types[at].schema, &types[at].name),
        wrong: match types[at].kind {
            TypeKind::Domain { .. } => "is a domain over itself",
            _ => "is made of itself",
        },
    })
}

/// Stands for the category of a domain that takes its base's, until that is known.
const UNTOLD: char = '\0';

/// Gives each domain that does not say its category that of its base.
fn settle_categories(types: &mut [Type]) {
    let positions: HashMap<Oid, usize> =
        types.iter().enumerate().map(|(position, ty)| (ty.oid, position)).collect();
    for index in 0..types.len() {
        let (mut at, mut category) = (index, types[index].category);
        while category == UNTOLD
            && let TypeKind::Domain { base, .. } = types[at].kind
        {
            at = positions[&base];
            category = types[at].category;
        }
        types[index].category = category;
    }
}

fn array_type(element: &Type, oid: Oid, name: String) -> Type {
    // PostgreSQL counts the array of `record` among the pseudo-types.
    let of_record = element.schema == PG_CATALOG && element.name == "record";
    Type {
        oid,
        schema: element.schema.clone(),
        name,
        kind: TypeKind::Array { element: element.oid },
        category: if of_record { 'P' } else { 'A' },
        preferred: false,
        array: None,
        owner: element.owner.clone(),
        extension: element.extension.clone(),
        comment: None,
    }
}

impl TypeEntry {
    /// The name of the array type, if there is one.
    fn array_name(&self, name: &str) -> Option<String> {
        match &self.array {
            None => Some(format!("_{name}")),
            Some(array) => array.clone(),
        }
    }

    /// Whether it tells of what only a domain adds to its base.
    fn has_rules(&self) -> bool {
        self.modifier.is_some() || self.not_null || self.default.is_some() || !self.checks.is_empty()
    }

    /// What a domain adds to its base.
    fn rules(&self, place: &str) -> Result<DomainRules, SnapshotError> {
        Ok(DomainRules {
            type_modifier: self.modifier,
            not_null: self.not_null,
            default: self.default.clone(),
            collation: collation(self.collation.as_deref(), place)?,
            checks: checks(self.checks.clone(), place)?,
        })
    }
}
