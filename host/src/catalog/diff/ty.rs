use callslip_ir::snapshot::{quoted, reference};

use super::change::ObjectKind;
use super::pairs::pairs;
use super::side::{Side, list};
use super::{Differ, ObjectRef, What};
use crate::catalog::modifier::with_modifier;
use crate::catalog::{Attribute, DomainRules, ObjectName, Oid, PG_CATALOG, Type, TypeKind};

impl<'a> Differ<'a> {
    pub(super) fn types(&mut self) {
        let key = |its: &'a Type| (its.schema.as_str(), its.name.as_str());
        for ((schema, name), pair) in pairs(&self.old.contents.types, &self.new.contents.types, key, key) {
            if !self.is_told(schema, pair.0.is_some() && pair.1.is_some()) {
                continue;
            }
            // Relations and the elements of arrays tell of these.
            let of_another = |side: &Side<'_>, ty: Option<&Type>| {
                ty.is_some_and(|ty| {
                    side.relation_of_row(ty.oid).is_some() || matches!(ty.kind, TypeKind::Array { .. })
                })
            };
            if of_another(&self.old, pair.0) || of_another(&self.new, pair.1) {
                continue;
            }
            let object = ObjectRef::new(ObjectKind::Type, schema, name);
            match pair {
                (Some(old), Some(new)) => self.ty(&object, old, new),
                (None, Some(new)) => {
                    let as_ = self.described_type(new);
                    self.about(object).appeared(as_);
                }
                _ => self.about(object).tell(What::Disappeared),
            }
        }
    }

    fn ty(&mut self, object: &ObjectRef, old: &'a Type, new: &'a Type) {
        let Type {
            oid: _,
            // What it is found by.
            schema: _,
            name: _,
            kind: _,
            category,
            preferred,
            array: _,
            owner,
            extension,
            comment,
        } = old;
        let arrays = (array_name(&self.old, old.array), array_name(&self.new, new.array));
        let all = self.all;
        let is_builtin = object.name.schema == PG_CATALOG;
        let mut about = self.about(object.clone());
        about.text(What::KIND, kind(&old.kind), kind(&new.kind));
        about.text("category", category.to_string(), new.category.to_string());
        about.is("preferred in its category", *preferred, new.preferred);
        // Of PostgreSQL's own a snapshot keeps those array types that something is of.
        if !is_builtin {
            about.option("array type", arrays.0, arrays.1);
        }
        if all {
            about.text("owner", owner, &new.owner);
            about.option("extension", extension.clone(), new.extension.clone());
            about.option("comment", comment.clone(), new.comment.clone());
        }
        self.kinds(object, &old.kind, &new.kind);
    }

    /// What types of one kind are made of.
    fn kinds(&mut self, object: &ObjectRef, old: &'a TypeKind, new: &'a TypeKind) {
        let all = self.all;
        match (old, new) {
            (TypeKind::Enum { labels: old }, TypeKind::Enum { labels: new }) => {
                let mut about = self.about(object.clone());
                about.items(What::HAS_LABEL, old, new);
                about.order(What::LABEL_ORDER, old, new);
            }
            (TypeKind::Domain { base, rules }, TypeKind::Domain { base: new_base, rules: new_rules }) => {
                let DomainRules { type_modifier, not_null, default, collation, checks } = &**rules;
                let written = |side: &Side<'_>, base, modifier: Option<i32>| {
                    with_modifier(side.ty(base), modifier.filter(|_| all).unwrap_or(-1))
                };
                let bases = (
                    written(&self.old, *base, *type_modifier),
                    written(&self.new, *new_base, new_rules.type_modifier),
                );
                let mut about = self.about(object.clone());
                let is_same_base = bases.0 == bases.1;
                about.text("base type", bases.0, bases.1);
                if all {
                    if is_same_base {
                        let modifier = |of: Option<i32>| of.map(|modifier| modifier.to_string());
                        about.option(
                            "type modifier",
                            modifier(*type_modifier),
                            modifier(new_rules.type_modifier),
                        );
                    }
                    about.is("one that refuses null", *not_null, new_rules.not_null);
                    about.option("default", default.clone(), new_rules.default.clone());
                    about.option("collation", written_name(collation), written_name(&new_rules.collation));
                    self.checks(object, checks, &new_rules.checks);
                }
            }
            (TypeKind::Composite { attributes: old }, TypeKind::Composite { attributes: new }) => {
                let (old, new) = (attributes(&self.old, old), attributes(&self.new, new));
                let mut about = self.about(object.clone());
                about.items("has the attribute", &old, &new);
                about.order("order of the attributes", &old, &new);
            }
            (
                TypeKind::Range { subtype, collation },
                TypeKind::Range { subtype: new_subtype, collation: new_collation },
            ) => {
                let subtypes = (self.old.ty(*subtype), self.new.ty(*new_subtype));
                let mut about = self.about(object.clone());
                about.text("subtype", subtypes.0, subtypes.1);
                if all {
                    about.option("collation", written_name(collation), written_name(new_collation));
                }
            }
            (TypeKind::Multirange { range }, TypeKind::Multirange { range: new_range }) => {
                let ranges = (self.old.ty(*range), self.new.ty(*new_range));
                self.about(object.clone()).text("range type", ranges.0, ranges.1);
            }
            // Arrays are told of by their elements; and of another kind nothing can be compared.
            (
                TypeKind::Base
                | TypeKind::Array { .. }
                | TypeKind::Enum { .. }
                | TypeKind::Domain { .. }
                | TypeKind::Composite { .. }
                | TypeKind::Range { .. }
                | TypeKind::Multirange { .. }
                | TypeKind::Pseudo,
                _,
            ) => {}
        }
    }

    /// `enum: calm, cross`.
    fn described_type(&self, ty: &Type) -> String {
        let kind = kind(&ty.kind);
        let made_of = match &ty.kind {
            TypeKind::Enum { labels } => list(labels),
            TypeKind::Domain { base: of, .. }
            | TypeKind::Range { subtype: of, .. }
            | TypeKind::Multirange { range: of } => self.new.ty(*of),
            TypeKind::Composite { attributes: its } => attributes(&self.new, its).join(", "),
            TypeKind::Base | TypeKind::Array { .. } | TypeKind::Pseudo => return kind.to_owned(),
        };
        format!("{kind}: {made_of}")
    }
}

/// Each with its type: `city text`.
pub(super) fn attributes(side: &Side<'_>, attributes: &[Attribute]) -> Vec<String> {
    let written = |Attribute { name, ty, type_modifier }: &Attribute| {
        let plain = side.ty(*ty);
        let ty = with_modifier(plain.clone(), *type_modifier);
        // Of types whose modifiers can't be read.
        let modifier =
            if ty == plain && *type_modifier != -1 { format!(" ({type_modifier})") } else { String::new() };
        format!("{} {ty}{modifier}", quoted(name))
    };
    attributes.iter().map(written).collect()
}

pub(super) fn written_name(name: &Option<ObjectName>) -> Option<String> {
    name.as_ref().map(ToString::to_string)
}

fn array_name(side: &Side<'_>, array: Option<Oid>) -> Option<String> {
    let array = side.type_of(array?)?;
    Some(reference(&array.schema, &array.name))
}

fn kind(kind: &TypeKind) -> &'static str {
    match kind {
        TypeKind::Base => "base type",
        TypeKind::Array { .. } => "array",
        TypeKind::Enum { .. } => "enum",
        TypeKind::Domain { .. } => "domain",
        TypeKind::Composite { .. } => "composite type",
        TypeKind::Range { .. } => "range",
        TypeKind::Multirange { .. } => "multirange",
        TypeKind::Pseudo => "pseudo-type",
    }
}
