use std::collections::BTreeSet;
use std::rc::Rc;

use callslip_ir::{NodeId, QualifiedName, RelationName, Sample, Table};

use super::refusal::NeedsAll;
use super::{StoredColumns, Verifier};
use crate::Code;
use crate::catalog::{NameKind, Oid, PG_CATALOG, Relation, RelationKind, TypeKind};
use crate::grants::filter::Relative;
use crate::nearest::nearest;
use crate::select::Finding;
use crate::select::filter::Filtered;
use crate::select::scope::{FromItem, HiddenColumns, Origin, Scope, ScopeColumn, ScopeRelation, Source};
use crate::select::signature::Operand;
use crate::select::verified::Resolution;

/// PostgreSQL's own methods of TABLESAMPLE. They are functions that no query can call.
const SAMPLING_METHODS: [&str; 2] = ["bernoulli", "system"];

impl<'a> Verifier<'a> {
    pub(super) fn table(&mut self, node: NodeId, table: &'a Table, outer: &Scope<'_>) -> FromItem {
        self.check_name(node, "alias", &table.alias);
        let (of, columns, stored) = match &table.name {
            RelationName::Stored(name) => {
                let relation = self.stored(node, name);
                if let Some(sample) = &table.sample {
                    self.sample(node, relation, sample, &Scope { relations: &[], outer: Some(outer) });
                }
                let columns = relation.map(|relation| self.seen_columns(node, relation, name));
                (name.to_string(), columns, relation)
            }
            RelationName::Cte(name) => {
                if table.only || table.sample.is_some() {
                    self.report(
                        node,
                        Code::InvalidStructure,
                        "ONLY and TABLESAMPLE are of tables, not of CTEs",
                    );
                }
                (name.clone(), self.cte(node, name).map(|columns| (columns, None)), None)
            }
        };
        // Of a filtered relation a whole row is one of the derived table.
        let stored = stored.filter(|_| !self.filtered.contains_key(&node));
        let (columns, hidden) = columns.unzip();
        let hidden: Vec<Rc<HiddenColumns>> = hidden.flatten().into_iter().collect();
        if !table.columns.is_empty() {
            self.all_columns_needed(node, NeedsAll::Aliases, &hidden);
        }
        let columns = match table.columns.as_slice() {
            [] => columns,
            names => self.renamed(node, columns.map(|columns| columns.to_vec()), names),
        };
        FromItem::of(ScopeRelation {
            alias: table.alias.as_str().into(),
            of: of.into(),
            columns,
            out_of_reach: None,
            row_type: stored.and_then(|relation| relation.row_type),
            hidden,
        })
    }

    fn stored(&mut self, node: NodeId, written: &QualifiedName) -> Option<&'a Relation> {
        let catalog = self.context.catalog;
        let schema = self.context.path.first(catalog, NameKind::Relation, written);
        let Some(relation) = schema.and_then(|schema| catalog.relation(schema, &written.name)) else {
            let finding = Finding::new(Code::UnknownRelation, format!("there is no relation {written}"));
            let help = self.nearest_relation(written);
            self.find(node, finding.with_help(help));
            return None;
        };
        if !self.may_read(node, relation) {
            return None;
        }
        let object = Resolution::Object { schema: relation.schema.clone(), name: relation.name.clone() };
        self.resolve(node, object);
        self.relations.insert((relation.schema.clone(), relation.name.clone()));
        Some(relation)
    }

    /// The columns of a relation, each with where it is named, if that is filtered.
    fn seen_columns(&mut self, node: NodeId, relation: &Relation, written: &QualifiedName) -> StoredColumns {
        let (columns, hidden) = self.columns_of(relation, written);
        let Some(filter) = self.context.filters.of(relation.oid) else {
            self.kin_is_filtered(node, relation);
            return (columns, hidden);
        };
        let filtered = Filtered {
            relation: relation.oid,
            filter: filter.clone(),
            columns: columns.iter().filter_map(|column| column.name.as_deref().map(str::to_owned)).collect(),
            barrier: true,
        };
        self.filtered.insert(node, filtered);
        let of_table = |column: &ScopeColumn| ScopeColumn { table: Some(node), ..column.clone() };
        (columns.iter().map(of_table).collect(), hidden)
    }

    /// A relation without a filter must not lead to rows of one that has one.
    fn kin_is_filtered(&mut self, node: NodeId, relation: &Relation) {
        let Some(relative) = self.context.filters.kin.why(relation.oid) else { return };
        let shown = self.shown(&relation.schema, &relation.name);
        let message = match relative {
            Relative::Of(of) => {
                let of = self.shown(&of.schema, &of.name);
                format!("{shown} has rows of {of}, which is under a row filter, and has no filter of its own")
            }
            Relative::Unknown(of) => {
                let of = self.shown(&of.schema, &of.name);
                format!(
                    "{shown} reads {of}, which the host's login may not: it may have rows of a relation that is under a row \
                     filter, and {shown} has no filter of its own"
                )
            }
        };
        let help =
            format!("add \"{shown}\" = \"…\" to [filters], or \"true\" if all of its rows may be read");
        self.find(node, Finding::new(Code::UnfilteredKin, message).with_help(help));
    }

    /// The columns of a relation that were granted, and what it has beside them.
    fn columns_of(&mut self, relation: &Relation, written: &QualifiedName) -> StoredColumns {
        let (catalog, grants) = (self.context.catalog, self.context.grants);
        let columns = self.columns.entry(relation.oid).or_insert_with(|| {
            let (mut columns, mut ungranted) = (Vec::new(), BTreeSet::new());
            for (column, its) in relation.columns.iter().enumerate() {
                if grants.column(relation, &its.name) {
                    let name = Some(its.name.as_str().into());
                    let origin = Some(Origin { relation: relation.oid, column });
                    let source = Source::Stored;
                    columns.push(ScopeColumn { name, ty: Some(its.ty), origin, table: None, source });
                } else {
                    ungranted.insert(its.name.clone());
                }
            }
            let row = relation.row_type.and_then(|row| catalog.type_by_oid(row)).map(|row| &row.kind);
            let attributes = match row {
                Some(TypeKind::Composite { attributes }) => attributes.len(),
                _ => 0,
            };
            let unreadable = relation.hidden_columns.max(attributes.saturating_sub(relation.columns.len()));
            let of = written.to_string().into();
            let hidden = HiddenColumns { relation: relation.oid, of, unreadable, ungranted };
            let hidden = (hidden.unreadable > 0 || !hidden.ungranted.is_empty()).then(|| Rc::new(hidden));
            (columns.into(), hidden)
        });
        columns.clone()
    }

    /// Verifies TABLESAMPLE, whose arguments see nothing of their own FROM.
    fn sample(&mut self, node: NodeId, relation: Option<&Relation>, sample: &'a Sample, outer: &Scope<'_>) {
        let method = self.sampling_method(node, &sample.method);
        let is_builtin = method.as_ref().is_some_and(|(schema, _)| schema == PG_CATALOG);
        if is_builtin && sample.arguments.len() != 1 {
            let message = format!("{} takes one argument, the percentage of rows", sample.method);
            self.report(node, Code::InvalidStructure, message);
        }
        // What an extension's method takes, only PostgreSQL knows.
        let argument_type = if is_builtin { self.builtin("float4") } else { None };
        for &argument in &sample.arguments {
            self.sampling_value(argument, argument_type, outer);
        }
        if let Some(seed) = sample.seed {
            let float8 = self.builtin("float8");
            self.sampling_value(seed, float8, outer);
        }
        let Some(relation) = relation else { return };
        match relation.kind {
            RelationKind::Table | RelationKind::PartitionedTable | RelationKind::MaterializedView => {}
            RelationKind::View | RelationKind::ForeignTable => {
                let message =
                    "TABLESAMPLE is of tables and materialized views, not of views and foreign tables";
                self.report(node, Code::InvalidStructure, message);
            }
        }
        if let Some(method) = method {
            let relation = (relation.schema.clone(), relation.name.clone());
            self.resolve(node, Resolution::Sampled { relation, method });
        }
    }

    /// The function behind a method: one of PostgreSQL's own, or one that was granted.
    fn sampling_method(&mut self, node: NodeId, written: &QualifiedName) -> Option<(String, String)> {
        let may_be_builtin = written.schema.as_deref().is_none_or(|schema| schema == PG_CATALOG);
        if may_be_builtin && SAMPLING_METHODS.contains(&written.name.as_str()) {
            return Some((PG_CATALOG.to_owned(), written.name.clone()));
        }
        let catalog = self.context.catalog;
        let is_handler = |oid| catalog.type_by_oid(oid).is_some_and(|ty| ty.name == "tsm_handler");
        let schemas = self.context.path.all(catalog, NameKind::Function, written);
        let mut functions = schemas.iter().flat_map(|schema| catalog.functions(schema, &written.name));
        let found = functions.find(|function| is_handler(function.returns));
        let Some(function) = found else {
            let message = format!("there is no sampling method {written}");
            let mut finding = Finding::new(Code::UnknownFunction, message);
            if let Some(nearest) = nearest(&written.name, SAMPLING_METHODS) {
                finding = finding.with_help(format!("did you mean \"{nearest}\"?"));
            }
            self.find(node, finding);
            return None;
        };
        let name = (function.schema.clone(), function.name.clone());
        if !self.context.grants.function(function) {
            self.function_not_granted(node, function);
            return None;
        }
        self.functions.insert(name.clone());
        Some(name)
    }

    /// A value of TABLESAMPLE, which PostgreSQL converts as an assignment does: with more casts than the implicit ones.
    fn sampling_value(&mut self, node: NodeId, ty: Option<Oid>, outer: &Scope<'_>) {
        match (self.expression(node, outer), ty) {
            (Operand::Untyped, ty) => {
                let ty = ty.or_else(|| self.builtin("text"));
                self.settle(node, ty);
            }
            (operand, Some(ty)) => self.coerced(node, operand, Some(ty)),
            (operand, None) => self.assigned(node, operand),
        }
    }

    /// What to write instead of a relation that is not there: the nearest one that was granted, and otherwise
    /// where we looked. A plugin is not told the names of relations that it can't use.
    fn nearest_relation(&self, written: &QualifiedName) -> String {
        let relations = &self.context.catalog.contents().relations;
        let granted = relations.iter().filter(|relation| self.context.grants.relation(relation));
        let names = granted.map(|relation| (relation.schema.as_str(), relation.name.as_str()));
        match self.did_you_mean(written, names) {
            Some(help) => help,
            None if written.schema.is_some() => {
                "the host's login may not see it, or it is misspelt".to_owned()
            }
            None => format!("looked in the schemas {}", self.context.path.searched().join(", ")),
        }
    }
}
