use std::collections::HashMap;
use std::rc::Rc;

use callslip_ir::{Join, JoinCondition, JoinKind, NodeId, NodeKind, QualifiedName, RelationName, Table};

use super::Verifier;
use crate::Code;
use crate::catalog::{Column, Oid};
use crate::select::Finding;
use crate::select::scope::{Scope, ScopeColumn, ScopeRelation};
use crate::select::verified::Resolution;

impl<'a> Verifier<'a> {
    /// Verifies a relation and gives what it brings into scope. `siblings` stand before it in FROM; only LATERAL
    /// sees them, and not from the right side of a right or full join.
    pub(super) fn relation(
        &mut self,
        node: NodeId,
        siblings: &[ScopeRelation],
        outer: &Scope<'_>,
        lateral_allowed: bool,
    ) -> Vec<ScopeRelation> {
        if self.has_enough() {
            return Vec::new();
        }
        match self.kind(node) {
            NodeKind::Table(table) => vec![self.table(node, table)],
            NodeKind::Subquery(subquery) => {
                self.check_name(node, "alias", &subquery.alias);
                let beside = Scope { relations: siblings, outer: Some(outer) };
                if subquery.lateral && !lateral_allowed {
                    let message = "LATERAL can't stand on the right of a RIGHT or FULL JOIN";
                    self.report(node, Code::InvalidStructure, message);
                }
                let scope = if subquery.lateral { &beside } else { outer };
                let columns = self.query(subquery.query, scope);
                let columns = self.rename(node, columns, &subquery.columns);
                vec![ScopeRelation {
                    alias: subquery.alias.as_str().into(),
                    of: "a subquery".into(),
                    columns: Some(columns.into()),
                    row_type: None,
                }]
            }
            NodeKind::Join(join) => self.join(node, join, siblings, outer, lateral_allowed),
            NodeKind::JsonTable(table) => {
                // What it looks in may refer to relations before it, where LATERAL could.
                let beside = Scope { relations: siblings, outer: Some(outer) };
                vec![self.json_table(node, table, if lateral_allowed { &beside } else { outer })]
            }
            NodeKind::Functions(_) => {
                self.not_supported(node, "a function in FROM");
                Vec::new()
            }
            _ => {
                self.misplaced(node, "a relation");
                Vec::new()
            }
        }
    }

    /// Adds relations to those that are in scope; their aliases must differ.
    pub(super) fn add_relations(
        &mut self,
        node: NodeId,
        relations: &mut Vec<ScopeRelation>,
        found: Vec<ScopeRelation>,
    ) {
        let mut aliases: HashMap<Rc<str>, Rc<str>> =
            relations.iter().map(|relation| (relation.alias.clone(), relation.of.clone())).collect();
        for relation in found {
            if let Some(of) = aliases.insert(relation.alias.clone(), relation.of.clone()) {
                let message = format!("the alias \"{}\" names both {of} and {}", relation.alias, relation.of);
                let finding = Finding::new(Code::DuplicateAlias, message);
                self.find(node, finding.with_help("give one of them another alias with .alias(\"…\")"));
            }
            relations.push(relation);
        }
    }

    fn join(
        &mut self,
        node: NodeId,
        join: &'a Join,
        siblings: &[ScopeRelation],
        outer: &Scope<'_>,
        lateral_allowed: bool,
    ) -> Vec<ScopeRelation> {
        let mut joined = Vec::new();
        let left = self.relation(join.left, siblings, outer, lateral_allowed);
        self.add_relations(join.left, &mut joined, left);
        let beside: Vec<ScopeRelation> = siblings.iter().chain(&joined).cloned().collect();
        let lateral_allowed = lateral_allowed && !matches!(join.kind, JoinKind::Right | JoinKind::Full);
        let right = self.relation(join.right, &beside, outer, lateral_allowed);
        self.add_relations(join.right, &mut joined, right);
        if join.alias.is_some() || !join.columns.is_empty() {
            self.not_supported(node, "an alias of a join");
        }
        match (&join.condition, join.kind) {
            (
                JoinCondition::On(_) | JoinCondition::Using { .. } | JoinCondition::Natural,
                JoinKind::Cross,
            ) => {
                self.report(node, Code::InvalidStructure, "a CROSS JOIN has no condition");
            }
            (JoinCondition::On(condition), _) => {
                self.condition(*condition, &Scope { relations: &joined, outer: Some(outer) });
            }
            (JoinCondition::None, JoinKind::Cross) => {}
            (JoinCondition::None, _) => {
                self.report(node, Code::InvalidStructure, "a join other than CROSS JOIN needs a condition");
            }
            (JoinCondition::Using { .. }, _) => self.not_supported(node, "JOIN … USING"),
            (JoinCondition::Natural, _) => self.not_supported(node, "NATURAL JOIN"),
        }
        joined
    }

    fn table(&mut self, node: NodeId, table: &'a Table) -> ScopeRelation {
        self.check_name(node, "alias", &table.alias);
        if table.only {
            self.not_supported(node, "ONLY");
        }
        if table.sample.is_some() {
            self.not_supported(node, "TABLESAMPLE");
        }
        let columns = match &table.name {
            RelationName::Stored(name) => self.stored(node, name),
            RelationName::Cte(name) => self.cte(node, name),
        };
        if let (RelationName::Stored(_), false) = (&table.name, table.columns.is_empty()) {
            // They count columns that the login may not read too, and of those nothing is known here.
            self.not_supported(node, "a list of column aliases of a table");
        }
        let columns = columns.map(|columns| match table.columns.as_slice() {
            [] => columns,
            names => self.rename(node, columns.to_vec(), names).into(),
        });
        let of = match &table.name {
            RelationName::Stored(name) => name.to_string(),
            RelationName::Cte(name) => name.clone(),
        };
        ScopeRelation {
            alias: table.alias.as_str().into(),
            of: of.into(),
            columns,
            row_type: self.row_type(node),
        }
    }

    /// The type of a stored relation's rows.
    fn row_type(&self, table: NodeId) -> Option<Oid> {
        match &self.resolutions[table.0 as usize] {
            Resolution::Object { schema, name } => self.context.catalog.relation(schema, name)?.row_type,
            _ => None,
        }
    }

    fn stored(&mut self, node: NodeId, written: &QualifiedName) -> Option<Rc<[ScopeColumn]>> {
        let catalog = self.context.catalog;
        let found = match &written.schema {
            Some(schema) => catalog.relation(schema, &written.name),
            None => self.context.schemas.iter().find_map(|schema| catalog.relation(schema, &written.name)),
        };
        let Some(relation) = found else {
            let finding = Finding::new(Code::UnknownRelation, format!("there is no relation {written}"));
            let help = self.nearest_relation(written);
            self.find(node, finding.with_help(help));
            return None;
        };
        let name = format!("{}.{}", relation.schema, relation.name);
        if !self.context.grants.relation(relation) {
            let plugin = self.context.plugin;
            let finding = Finding::new(
                Code::RelationNotGranted,
                format!("the relation {name} was not granted to the plugin {plugin}"),
            );
            self.find(
                node,
                finding.with_help(format!("add \"{name}\" to relations in [plugins.{plugin}.grants]")),
            );
            return None;
        }
        let object = Resolution::Object { schema: relation.schema.clone(), name: relation.name.clone() };
        self.resolve(node, object);
        self.relations.insert((relation.schema.clone(), relation.name.clone()));
        let columns = self.columns.entry(relation.oid).or_insert_with(|| {
            let column = |c: &Column| ScopeColumn { name: Some(c.name.as_str().into()), ty: Some(c.ty) };
            relation.columns.iter().map(column).collect()
        });
        Some(columns.clone())
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
            None => format!("looked in the schemas {}", self.context.schemas.join(", ")),
        }
    }
}
