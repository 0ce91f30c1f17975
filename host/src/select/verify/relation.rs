use std::rc::Rc;

use callslip_ir::{NodeId, NodeKind, Subquery};

use super::Verifier;
use crate::Code;
use crate::select::Finding;
use crate::select::scope::{FromItem, Scope, ScopeColumn, ScopeRelation};

impl<'a> Verifier<'a> {
    /// Verifies a relation and gives what it brings into scope. `siblings` stand before it in FROM; only functions and
    /// LATERAL see them.
    pub(super) fn relation(
        &mut self,
        node: NodeId,
        siblings: &[ScopeRelation],
        outer: &Scope<'_>,
    ) -> FromItem {
        if self.has_enough() {
            return FromItem::default();
        }
        match self.kind(node) {
            NodeKind::Table(table) => self.table(node, table, outer),
            NodeKind::Subquery(subquery) => FromItem::of(self.subquery(node, subquery, siblings, outer)),
            // Functions see what stands before them without LATERAL too.
            NodeKind::Functions(functions) => {
                let scope = Scope { relations: siblings, outer: Some(outer) };
                FromItem::of(self.functions_in_from(node, functions, &scope))
            }
            NodeKind::JsonTable(table) => {
                let scope = Scope { relations: siblings, outer: Some(outer) };
                FromItem::of(self.json_table(node, table, &scope))
            }
            NodeKind::Join(join) => self.join(node, join, siblings, outer),
            _ => {
                self.misplaced(node, "a relation");
                FromItem::default()
            }
        }
    }

    fn subquery(
        &mut self,
        node: NodeId,
        subquery: &'a Subquery,
        siblings: &[ScopeRelation],
        outer: &Scope<'_>,
    ) -> ScopeRelation {
        self.check_name(node, "alias", &subquery.alias);
        let beside = Scope { relations: siblings, outer: Some(outer) };
        let scope = if subquery.lateral { &beside } else { outer };
        let unseen = self.unseen.len();
        if !subquery.lateral {
            self.unseen.extend(siblings.iter().map(|relation| relation.alias.clone()));
        }
        let columns = self.query(subquery.query, scope);
        self.unseen.truncate(unseen);
        let columns = self.rename(node, columns, &subquery.columns);
        ScopeRelation {
            alias: subquery.alias.as_str().into(),
            of: "a subquery".into(),
            columns: Some(columns.into()),
            out_of_reach: None,
            row_type: None,
            hidden: Vec::new(),
        }
    }

    /// Gives the first columns of a relation new names, which are names also where the columns are not known.
    pub(super) fn renamed(
        &mut self,
        node: NodeId,
        columns: Option<Vec<ScopeColumn>>,
        names: &[String],
    ) -> Option<Rc<[ScopeColumn]>> {
        if let Some(columns) = columns {
            return Some(self.rename(node, columns, names).into());
        }
        for name in names {
            self.check_name(node, "column alias", name);
        }
        None
    }

    /// Adds relations to those that are in scope; their aliases must differ.
    pub(super) fn add_relations(
        &mut self,
        node: NodeId,
        relations: &mut Vec<ScopeRelation>,
        found: Vec<ScopeRelation>,
    ) {
        for relation in found {
            if let Some(named) = relations.iter_mut().find(|its| its.alias == relation.alias) {
                let message =
                    format!("the alias \"{}\" names both {} and {}", relation.alias, named.of, relation.of);
                let finding = Finding::new(Code::DuplicateAlias, message);
                self.find(node, finding.with_help("give one of them another alias with .alias(\"…\")"));
                // Of which of the two a column is meant to be is not known, and one finding is enough.
                named.columns = None;
            } else {
                relations.push(relation);
            }
        }
    }
}
