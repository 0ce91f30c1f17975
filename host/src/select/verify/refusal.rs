//! What is said of what was not granted: each refusal names the grant that is missing, as a configuration writes it.

use std::rc::Rc;

use callslip_ir::NodeId;

use super::Verifier;
use crate::Code;
use crate::catalog::{Cast, Function, Operator, Relation, Type};
use crate::grants::builtin::{self, Verdict};
use crate::grants::{CalledByView, MissingGrant};
use crate::select::Finding;
use crate::select::scope::HiddenColumns;

/// What needs all columns of a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NeedsAll {
    /// `alias.*` as a value.
    WholeRow,
    /// Aliases of columns, which go by their positions.
    Aliases,
    /// NATURAL JOIN, which compares whatever has one name.
    Natural,
}

impl Verifier<'_> {
    /// The name of a relation that may be read and of what reading it reads and runs. None is a finding.
    pub(super) fn may_read(&mut self, node: NodeId, relation: &Relation) -> bool {
        if !self.context.grants.relation(relation) {
            let missing = MissingGrant::relation(self.context.path, relation);
            let named = self.shown(&relation.schema, &relation.name);
            self.missing(node, Code::RelationNotGranted, &format!("the relation {named} was"), vec![missing]);
            return false;
        }
        if let Some(&vetted) = self.vetted.get(&relation.oid) {
            return vetted;
        }
        let vetted = self.vetted_reading(node, relation);
        self.vetted.insert(relation.oid, vetted);
        vetted
    }

    fn vetted_reading(&mut self, node: NodeId, relation: &Relation) -> bool {
        let (catalog, path, plugin) = (self.context.catalog, self.context.path, self.context.plugin);
        // The relation is the catalog's own.
        let Some(relation) = catalog.relation(&relation.schema, &relation.name) else { return false };
        let refused = self.context.grants.refused_reading(catalog, relation);
        if refused.is_empty() {
            return true;
        }
        let named =
            format!("the {} {}", relation.kind.as_str(), self.shown(&relation.schema, &relation.name));
        if refused.unknown {
            let message = format!("what {named} reads and calls is not known");
            let finding = Finding::new(Code::ViewNotGranted, message);
            self.find(node, finding.with_help("reflect the catalog anew"));
        }
        for system in refused.of_the_system {
            let message = format!("{named} shows {}.{}", system.schema, system.name);
            let finding = Finding::new(Code::ViewNotGranted, message);
            self.find(
                node,
                finding.with_help("PostgreSQL's own catalogs can't be granted, nor what shows them"),
            );
        }
        for foreign in refused.foreign {
            let message = format!(
                "{named} reads the foreign table {}, which was not granted to the plugin {plugin} by its own name",
                self.shown(&foreign.schema, &foreign.name)
            );
            let missing = vec![MissingGrant::relation(path, foreign)];
            self.find(node, Finding::of_missing(Code::ViewNotGranted, message, plugin, missing, None));
        }
        for called in refused.calls {
            match called {
                CalledByView::Function(function) => {
                    let missing = MissingGrant::function(catalog, path, function).exactly();
                    let message = format!(
                        "{named} calls {}, which was not granted to the plugin {plugin}: a view runs its functions with the \
                         rights of who reads it",
                        missing.written
                    );
                    self.find(
                        node,
                        Finding::of_missing(Code::ViewNotGranted, message, plugin, vec![missing], None),
                    );
                }
                CalledByView::Unknown(signature) => {
                    let message = format!("{named} calls {signature}, which the host's login may not call");
                    self.find(node, Finding::new(Code::ViewNotGranted, message));
                }
            }
        }
        false
    }

    /// A column that was not granted, of a relation that was.
    pub(super) fn column_not_granted(&mut self, node: NodeId, hidden: &HiddenColumns, name: &str) {
        let Some(relation) = self.context.catalog.relation_by_oid(hidden.relation) else { return };
        let missing = MissingGrant::column(self.context.path, relation, name);
        let named = self.shown(&relation.schema, &relation.name);
        self.missing(
            node,
            Code::RelationNotGranted,
            &format!("the column {named}.{name} was"),
            vec![missing],
        );
    }

    /// What needs all columns of these relations, where some can't be read.
    pub(super) fn all_columns_needed(&mut self, node: NodeId, by: NeedsAll, hidden: &[Rc<HiddenColumns>]) {
        let (code, help) = match by {
            NeedsAll::WholeRow => (Code::UnknownColumn, "name the columns that you want"),
            NeedsAll::Aliases => {
                (Code::InvalidStructure, "name the columns in the select list of a subquery instead")
            }
            NeedsAll::Natural => (Code::InvalidStructure, "name the columns to compare with USING"),
        };
        for its in hidden {
            if self.has_enough() {
                return;
            }
            let of = &its.of;
            let what = match by {
                NeedsAll::WholeRow => format!("a whole row of {of} has columns"),
                NeedsAll::Aliases => format!("column aliases count columns of {of} too"),
                NeedsAll::Natural => format!("NATURAL JOIN compares columns of {of} too"),
            };
            if its.unreadable > 0 {
                let message = format!("{what} that the host's login may not read");
                let help = match by {
                    NeedsAll::WholeRow => &format!("{help}, or let the login read all of them"),
                    NeedsAll::Aliases | NeedsAll::Natural => help,
                };
                self.find(node, Finding::new(code, message).with_help(help));
                continue;
            }
            let Some(relation) = self.context.catalog.relation_by_oid(its.relation) else { continue };
            let plugin = self.context.plugin;
            let message = format!("{what} that were not granted to the plugin {plugin}");
            let missing = vec![MissingGrant::whole_relation(self.context.path, relation)];
            let finding = Finding::of_missing(Code::RelationNotGranted, message, plugin, missing, Some(help));
            self.find(node, finding);
        }
    }

    pub(super) fn function_not_granted(&mut self, node: NodeId, function: &Function) {
        let missing = MissingGrant::function(self.context.catalog, self.context.path, function);
        self.function_missing(node, function, missing);
    }

    /// A call that may be of any function of a name.
    pub(super) fn functions_not_granted(&mut self, node: NodeId, function: &Function) {
        let missing = MissingGrant::functions_of_name(self.context.path, function);
        self.function_missing(node, function, missing);
    }

    fn function_missing(&mut self, node: NodeId, function: &Function, missing: MissingGrant) {
        let named = self.shown(&function.schema, &function.name);
        let before = self.findings.len();
        self.missing(node, Code::FunctionNotGranted, &format!("the function {named} was"), vec![missing]);
        if let (Some(Verdict::Excluded(why)), Some(finding)) =
            (builtin::function(function), self.findings.get_mut(before))
            && let Some(help) = &mut finding.help
        {
            help.push_str(&format!("; it is not built in: {why}"));
        }
    }

    pub(super) fn operator_not_granted(&mut self, node: NodeId, operator: &Operator) {
        let missing = MissingGrant::operator(self.context.catalog, self.context.path, operator);
        self.operator_missing(node, operator, missing);
    }

    /// An operation by any operator of a name.
    pub(super) fn operators_not_granted(&mut self, node: NodeId, operator: &Operator) {
        let missing = MissingGrant::operators_of_name(self.context.path, operator);
        self.operator_missing(node, operator, missing);
    }

    fn operator_missing(&mut self, node: NodeId, operator: &Operator, missing: MissingGrant) {
        let named = self.shown(&operator.schema, &operator.name);
        self.missing(node, Code::OperatorNotGranted, &format!("the operator {named} was"), vec![missing]);
    }

    pub(super) fn type_not_granted(&mut self, node: NodeId, ty: &Type) {
        let missing = MissingGrant::ty(self.context.path, ty);
        let named = self.shown(&ty.schema, &ty.name);
        self.missing(node, Code::TypeNotGranted, &format!("the type {named} was"), vec![missing]);
    }

    /// A cast that runs a function, where neither of the two was granted.
    pub(super) fn cast_not_granted(&mut self, node: NodeId, cast: &Cast, function: &Function) {
        let plugin = self.context.plugin;
        let missing = MissingGrant::cast(self.context.catalog, self.context.path, cast);
        let message = format!(
            "a cast here calls the function {}, which was not granted to the plugin {plugin}",
            self.shown(&function.schema, &function.name)
        );
        let instead = Some("cast to another type");
        self.find(node, Finding::of_missing(Code::CastNotGranted, message, plugin, vec![missing], instead));
    }

    fn missing(&mut self, node: NodeId, code: Code, what: &str, missing: Vec<MissingGrant>) {
        let plugin = self.context.plugin;
        let message = format!("{what} not granted to the plugin {plugin}");
        self.find(node, Finding::of_missing(code, message, plugin, missing, None));
    }
}
