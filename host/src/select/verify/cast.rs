use callslip_ir::NodeId;

use super::Verifier;
use crate::Code;
use crate::catalog::{Cast, CastContext, Catalog, Function, Oid, TypeKind};
use crate::grants::{Grants, MissingGrant};
use crate::select::Finding;
use crate::select::signature::{self, Operand, Pathway};

/// A cast that PostgreSQL applies by itself, through a function that was not granted.
#[derive(Clone, Copy, Debug)]
pub(super) struct ForbiddenCast<'a> {
    cast: &'a Cast,
    function: &'a Function,
}

/// The casts that nobody has to write and that run a function of somebody's. Few databases have any.
pub(super) fn forbidden<'a>(catalog: &'a Catalog, grants: &Grants) -> Vec<ForbiddenCast<'a>> {
    let unwritten = catalog.contents().casts.iter().filter(|cast| cast.context != CastContext::Explicit);
    unwritten
        .filter_map(|cast| {
            let function = grants.refused_function(catalog, cast)?;
            Some(ForbiddenCast { cast, function })
        })
        .collect()
}

/// The functions that make JSON of any type: where the type has a cast to `json`, they run it.
const JSON_FUNCTIONS: &[&str] = &[
    "array_to_json",
    "json_agg",
    "json_agg_strict",
    "json_build_array",
    "json_build_object",
    "json_object_agg",
    "json_object_agg_strict",
    "json_object_agg_unique",
    "json_object_agg_unique_strict",
    "jsonb_agg",
    "jsonb_agg_strict",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_object_agg",
    "jsonb_object_agg_strict",
    "jsonb_object_agg_unique",
    "jsonb_object_agg_unique_strict",
    "row_to_json",
    "to_json",
    "to_jsonb",
];

/// The functions that make a row of JSON, as the row that they are given is made.
const ROW_FUNCTIONS: &[&str] = &[
    "json_populate_record",
    "json_populate_recordset",
    "jsonb_populate_record",
    "jsonb_populate_record_valid",
    "jsonb_populate_recordset",
];

/// The functions that make a text of any type by a cast.
const TEXT_FUNCTIONS: &[&str] = &["quote_literal", "quote_nullable"];

impl Verifier<'_> {
    /// Refuses a call that would run somebody's cast to `text`, if the function makes one. Which of its name it is need not be
    /// known.
    pub(super) fn text_casts_granted(
        &mut self,
        function: &str,
        nodes: &[NodeId],
        operands: &[Operand],
        declared: Option<&[Oid]>,
    ) {
        if !TEXT_FUNCTIONS.contains(&function) {
            return;
        }
        let anyelement = self.builtin("anyelement");
        for (index, (&node, &operand)) in nodes.iter().zip(operands).enumerate() {
            if let Some(declared) = declared.map_or(anyelement, |declared| declared.get(index).copied()) {
                self.text_cast_granted(node, operand, declared);
            }
        }
    }

    /// Refuses a call that would run somebody's cast to `json`, if the database has one that was not granted.
    pub(super) fn json_casts_granted(&mut self, node: NodeId, function: &str) {
        const JSON: Oid = 114;
        if !JSON_FUNCTIONS.contains(&function) {
            return;
        }
        let catalog = self.context.catalog;
        let mut casts = catalog.contents().casts.iter().filter(|cast| cast.target == JSON);
        let refused = |cast| Some((cast, self.context.grants.refused_function(catalog, cast)?));
        if let Some((cast, function)) = casts.find_map(refused) {
            self.cast_not_granted(node, cast, function);
        }
    }

    /// Refuses a call that would read values of a type out of JSON that was not granted. The row to fill may be one of a
    /// table's, which takes no grant of its type.
    pub(super) fn row_types_granted(&mut self, node: NodeId, function: &str, operands: &[Operand]) {
        if !ROW_FUNCTIONS.contains(&function) {
            return;
        }
        let (catalog, plugin) = (self.context.catalog, self.context.plugin);
        for operand in operands {
            let Operand::Known(ty) = operand else {
                let message = format!("it can't be told which row {function} makes here");
                let help = "cast each of its arguments to a type with .cast_as(\"…\")";
                return self.find(node, Finding::new(Code::TypeNotGranted, message).with_help(help));
            };
            if let Some(refused) = self.context.grants.refused_part(catalog, *ty) {
                let message = format!(
                    "{function} makes values of the type {} here, which was not granted to the plugin {plugin}",
                    self.shown(&refused.schema, &refused.name)
                );
                let missing = vec![MissingGrant::ty(self.context.path, refused)];
                self.find(node, Finding::of_missing(Code::TypeNotGranted, message, plugin, missing, None));
            }
        }
    }

    /// Refuses what makes a text of a value of any type by a cast, if that runs a function that was not granted: `||` and
    /// `quote_literal` are queries of PostgreSQL's own that write such a cast.
    pub(super) fn text_cast_granted(&mut self, node: NodeId, operand: Operand, declared: Oid) {
        let declared = self.context.catalog.type_by_oid(declared);
        let is_any = declared.is_some_and(|ty| matches!(ty.name.as_str(), "anynonarray" | "anyelement"));
        if let Some(text) = self.builtin("text").filter(|_| is_any) {
            self.cast_granted(node, operand, text);
        }
    }

    /// A cast that is written: there must be one.
    pub(super) fn cast_written(&mut self, node: NodeId, from: Operand, to: Oid) {
        self.converts(node, from, Some(to));
        let catalog = self.context.catalog;
        if let Operand::Known(from) = from
            && !signature::castable(catalog, from, to)
        {
            let (from, to) = (self.shown_type(from), self.shown_type(to));
            self.report(node, Code::UnknownCast, format!("there is no cast from {from} to {to}"));
        }
        self.cast_granted(node, from, to);
    }

    /// A cast may run a function that somebody defined; that one must be granted like a call of it.
    pub(super) fn cast_granted(&mut self, node: NodeId, from: Operand, to: Oid) {
        match from {
            Operand::Known(from) => self.pathway_granted(node, from, to, CastContext::Explicit),
            Operand::Untyped => {}
            Operand::Opaque => self.any_cast_granted(node, to),
        }
    }

    /// Every cast to a type must be granted, and to what it is made of: of a value whose type is not known.
    fn any_cast_granted(&mut self, node: NodeId, to: Oid) {
        // What could not be resolved is a finding already, and its type is not known for that.
        if !self.findings.is_empty() {
            return;
        }
        let catalog = self.context.catalog;
        let mut parts = vec![element(catalog, to)];
        // What is found is looked at once: contents are data that anybody may have made.
        let mut at = 0;
        while let Some(&part) = parts.get(at) {
            at += 1;
            if let Some(TypeKind::Composite { attributes }) = catalog.type_by_oid(part).map(|ty| &ty.kind) {
                for attribute in attributes {
                    let part = element(catalog, attribute.ty);
                    if !parts.contains(&part) {
                        parts.push(part);
                    }
                }
            }
        }
        let casts = catalog.contents().casts.iter().filter(|cast| parts.contains(&cast.target));
        let refused = |cast| Some((cast, self.context.grants.refused_function(catalog, cast)?));
        for (cast, function) in casts.filter_map(refused).collect::<Vec<_>>() {
            self.cast_not_granted(node, cast, function);
        }
    }

    /// A value that PostgreSQL converts, as an assignment does, to a type that only it knows.
    pub(super) fn assigned(&mut self, node: NodeId, from: Operand) {
        self.runs(node, None);
        let catalog = self.context.catalog;
        let found = catalog.contents().casts.iter().find_map(|cast| {
            let applies = cast.context != CastContext::Explicit
                && match from {
                    Operand::Known(from) => cast.source == element(catalog, from),
                    Operand::Untyped => false,
                    Operand::Opaque => true,
                };
            let refused = || self.context.grants.refused_function(catalog, cast);
            applies.then(refused).flatten().map(|function| (cast, function))
        });
        if let Some((cast, function)) = found {
            self.cast_not_granted(node, cast, function);
        }
    }

    /// An operand that PostgreSQL may convert: to a type, or to one that is for it to choose.
    pub(super) fn coerced(&mut self, node: NodeId, from: Operand, to: Option<Oid>) {
        self.converts(node, from, to);
        if self.forbidden_casts.is_empty() {
            return;
        }
        let catalog = self.context.catalog;
        if let (Operand::Known(from), Some(to)) = (from, to) {
            // LIMIT takes what could be assigned too; elsewhere PostgreSQL refuses a cast that is not implicit.
            return self.pathway_granted(node, from, to, CastContext::Assignment);
        }
        let to = to.map(|to| element(catalog, to));
        let found = self.forbidden_casts.iter().find(|its| match from {
            // A constant becomes the type that is wanted by itself.
            Operand::Untyped => false,
            // What could not be resolved is a finding already, and its type is not known for that.
            Operand::Opaque => self.findings.is_empty() && to.is_none_or(|to| to == its.cast.target),
            // Nor is what it would have been converted to, where that could not be resolved.
            Operand::Known(from) => self.findings.is_empty() && its.cast.source == element(catalog, from),
        });
        if let Some(&ForbiddenCast { cast, function }) = found {
            self.cast_not_granted(node, cast, function);
        }
    }

    /// The function that this conversion runs must be granted, if somebody defined one.
    fn pathway_granted(&mut self, node: NodeId, from: Oid, to: Oid, context: CastContext) {
        let catalog = self.context.catalog;
        if let Some(Pathway::Cast(cast) | Pathway::Elements(Some(cast))) =
            signature::pathway(catalog, from, to, context)
            && let Some(function) = self.context.grants.refused_function(catalog, cast)
        {
            self.cast_not_granted(node, cast, function);
        }
    }
}

/// The type below a domain, of an array's elements.
fn element(catalog: &Catalog, oid: Oid) -> Oid {
    catalog.base_type(catalog.element_type(catalog.base_type(oid)))
}
