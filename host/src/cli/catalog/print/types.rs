use std::collections::HashSet;
use std::io::{self, Write};

use callslip_ir::snapshot::{quoted, reference};

use super::{Printer, is_of_users};
use crate::catalog::{Check, DomainRules, Oid, Type, TypeKind, with_modifier};
use crate::cli::type_name::type_name;

impl<W: Write> Printer<'_, W> {
    /// The types of users; not the arrays of others, and not the rows of relations.
    pub(super) fn types(&mut self) -> io::Result<()> {
        let contents = self.catalog.contents();
        let rows: HashSet<_> = contents.relations.iter().filter_map(|relation| relation.row_type).collect();
        for ty in contents.types.iter().filter(|ty| is_of_users(&ty.schema) && !rows.contains(&ty.oid)) {
            if let Some(what) = self.type_head(ty) {
                let facts = self.facts(&ty.owner, ty.extension.as_deref(), !self.is_closed(&ty.schema));
                self.object(&what, ty.comment.as_deref(), facts)?;
                if let TypeKind::Domain { rules, .. } = &ty.kind {
                    self.checks(&rules.checks)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn checks(&mut self, checks: &[Check]) -> io::Result<()> {
        for Check { name, expression, validated } in checks {
            let validated = if *validated { "" } else { ", not validated" };
            self.line(1, &format!("check {}: {expression}{validated}", quoted(name)))?;
        }
        Ok(())
    }

    fn type_head(&self, ty: &Type) -> Option<String> {
        let name = reference(&ty.schema, &ty.name);
        Some(match &ty.kind {
            TypeKind::Array { .. } => return None,
            TypeKind::Base => format!("base type {name}"),
            TypeKind::Pseudo => format!("pseudo-type {name}"),
            TypeKind::Enum { labels } => format!("enum {name} ({})", labels.join(", ")),
            TypeKind::Domain { base, rules } => format!("domain {name} over {}", self.domain(*base, rules)),
            TypeKind::Range { subtype, collation } => {
                let collation = collation.as_ref().map(|its| format!(" collate {its}")).unwrap_or_default();
                format!("range {name} of {}{collation}", type_name(self.catalog, *subtype))
            }
            TypeKind::Multirange { range } => {
                format!("multirange {name} of {}", type_name(self.catalog, *range))
            }
            TypeKind::Composite { attributes } => {
                let attributes = attributes.iter().map(|its| {
                    format!("{} {}", quoted(&its.name), self.type_with(its.ty, its.type_modifier))
                });
                format!("composite type {name} ({})", attributes.collect::<Vec<_>>().join(", "))
            }
        })
    }

    fn domain(&self, base: Oid, rules: &DomainRules) -> String {
        let mut domain = self.type_with(base, rules.type_modifier.unwrap_or(-1));
        if let Some(collation) = &rules.collation {
            domain.push_str(&format!(" collate {collation}"));
        }
        if rules.not_null {
            domain.push_str(" not null");
        }
        if let Some(default) = &rules.default {
            domain.push_str(&format!(" default {default}"));
        }
        domain
    }

    /// A type with what its modifier says: `varchar(40)`.
    pub(super) fn type_with(&self, ty: Oid, modifier: i32) -> String {
        with_modifier(type_name(self.catalog, ty), modifier)
    }
}
