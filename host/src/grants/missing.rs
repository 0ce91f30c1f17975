use std::fmt;

use super::written::{name, quoted};
use crate::catalog::{
    Cast, Catalog, Function, Oid, Operator, PG_CATALOG, Relation, SearchPath, Type, TypeKind,
};

/// A grant that a plugin lacks, as a configuration writes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MissingGrant {
    /// The list of the plugin's grants that it belongs to: `relations`, `functions`, `operators`, `casts` or `types`.
    pub list: &'static str,
    /// The grant, by its name where nothing else has that name, and by its signature otherwise: `public.position(salary)`,
    /// `app.score(int4, text)`.
    pub written: String,
    /// The least that would do: of a function or an operator the signature.
    pub least: String,
}

impl MissingGrant {
    /// A relation with all its columns.
    pub(crate) fn relation(path: &SearchPath, relation: &Relation) -> Self {
        let written = name(path.shown(&relation.schema), &relation.name);
        // Its columns are asked for one by one.
        let least = format!("{written}()");
        Self { list: "relations", written, least }
    }

    /// A relation of which all columns are needed.
    pub(crate) fn whole_relation(path: &SearchPath, relation: &Relation) -> Self {
        Self::of("relations", name(path.shown(&relation.schema), &relation.name))
    }

    /// A column of a relation.
    pub(crate) fn column(path: &SearchPath, relation: &Relation, column: &str) -> Self {
        let relation = name(path.shown(&relation.schema), &relation.name);
        Self::of("relations", format!("{relation}({})", quoted(column)))
    }

    /// A function with its signature, where others have its name.
    pub(crate) fn function(catalog: &Catalog, path: &SearchPath, function: &Function) -> Self {
        let written = name(path.shown(&function.schema), &function.name);
        let least = signature(catalog, path, function);
        let has_others = catalog.functions(&function.schema, &function.name).count() > 1;
        Self { list: "functions", written: if has_others { least.clone() } else { written }, least }
    }

    /// All functions of a name.
    pub(crate) fn functions_of_name(path: &SearchPath, function: &Function) -> Self {
        Self::of("functions", name(path.shown(&function.schema), &function.name))
    }

    /// An operator with its signature, where others have its name.
    pub(crate) fn operator(catalog: &Catalog, path: &SearchPath, operator: &Operator) -> Self {
        let written = operator_name(path, operator);
        let left = operator.left.map_or_else(|| "NONE".to_owned(), |left| ty(catalog, path, left));
        let least = format!("{written}({left}, {})", ty(catalog, path, operator.right));
        let has_others = catalog.operators(&operator.schema, &operator.name).count() > 1;
        Self { list: "operators", written: if has_others { least.clone() } else { written }, least }
    }

    /// All operators of a name.
    pub(crate) fn operators_of_name(path: &SearchPath, operator: &Operator) -> Self {
        Self::of("operators", operator_name(path, operator))
    }

    /// A cast.
    pub(crate) fn cast(catalog: &Catalog, path: &SearchPath, cast: &Cast) -> Self {
        let (source, target) = (ty(catalog, path, cast.source), ty(catalog, path, cast.target));
        Self::of("casts", format!("{source} AS {target}"))
    }

    /// A type.
    pub(crate) fn ty(path: &SearchPath, ty: &Type) -> Self {
        Self::of("types", name(path.shown(&ty.schema), &ty.name))
    }

    /// The same with its signature, whether or not others have its name.
    pub(crate) fn exactly(self) -> Self {
        Self { written: self.least.clone(), ..self }
    }

    fn of(list: &'static str, written: String) -> Self {
        Self { list, least: written.clone(), written }
    }

    /// What a configuration has to get.
    pub(crate) fn help(plugin: &str, missing: &[Self]) -> String {
        let mut help = String::from("add ");
        for (index, its) in missing.iter().enumerate() {
            let is_last_of_list = missing.get(index + 1).is_none_or(|next| next.list != its.list);
            help.push_str(if index == 0 { "" } else { ", " });
            help.push_str(&in_quotes(&its.written));
            if is_last_of_list {
                help.push_str(" to ");
                help.push_str(its.list);
            }
        }
        format!("{help} in [plugins.{plugin}.grants]")
    }
}

impl fmt::Display for MissingGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", in_quotes(&self.written), self.list)
    }
}

/// A grant as TOML has it, in quotes.
pub(super) fn in_quotes(grant: &str) -> String {
    format!("\"{}\"", grant.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A function with what it takes.
pub(super) fn signature(catalog: &Catalog, path: &SearchPath, function: &Function) -> String {
    let arguments: Vec<String> = function.arguments.iter().map(|oid| ty(catalog, path, *oid)).collect();
    format!("{}({})", name(path.shown(&function.schema), &function.name), arguments.join(", "))
}

fn operator_name(path: &SearchPath, operator: &Operator) -> String {
    format!("{}.{}", quoted(path.shown(&operator.schema)), operator.name)
}

/// A type as a signature names it, so that it is found again.
pub(super) fn ty(catalog: &Catalog, path: &SearchPath, oid: Oid) -> String {
    let Some(found) = catalog.type_by_oid(oid) else { return format!("type {oid}") };
    let (element, array) = match found.kind {
        TypeKind::Array { element } => (catalog.type_by_oid(element).unwrap_or(found), "[]"),
        _ => (found, ""),
    };
    let qualified = format!("{}{array}", name(path.shown(&element.schema), &element.name));
    let bare = format!("{}{array}", quoted(&element.name));
    // `char` is SQL's name of another type.
    let is_found = |written: &str| {
        let written = super::written::ty(written);
        written.is_ok_and(|its| catalog.named_type(path, &its).is_some_and(|named| named.oid == oid))
    };
    if element.schema == PG_CATALOG && is_found(&bare) { bare } else { qualified }
}
