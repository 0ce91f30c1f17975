use std::collections::HashSet;

use callslip_ir::{Cte, NodeId, NodeKind, SetOperation, SetOperator, With};

use super::Verifier;
use super::recursion::{Place, self_references};
use crate::Code;
use crate::nearest::nearest;
use crate::select::Finding;
use crate::select::scope::{CteColumns, Scope, ScopeColumn, ScopeCte};

/// A CTE whose recursive term is still to be verified, and where it stands among those in scope.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecursiveCte<'a> {
    cte: &'a Cte,
    position: usize,
}

impl<'a> Verifier<'a> {
    /// Verifies CTEs and brings them into scope. Each sees those before it, and a recursive one sees itself.
    ///
    /// After WITH RECURSIVE PostgreSQL lets a CTE name later ones too. Their columns are not known here yet, so that is
    /// refused, and not taken for a CTE of that name around it.
    pub(super) fn with(&mut self, node: NodeId, with: &'a With, outer: &Scope<'_>) {
        if with.ctes.is_empty() {
            self.report(node, Code::InvalidStructure, "WITH declares no CTE");
        }
        let mut names = HashSet::new();
        for cte in &with.ctes {
            self.check_name(cte.query, "name of a CTE", &cte.name);
            if !names.insert(cte.name.as_str()) {
                self.report(cte.query, Code::DuplicateAlias, format!("two CTEs are named \"{}\"", cte.name));
            }
        }
        let first = self.ctes.len();
        if with.recursive {
            let later =
                |cte: &'a Cte| ScopeCte { name: &cte.name, columns: CteColumns::Later, recurses: false };
            let later = with.ctes.iter().map(later);
            self.ctes.extend(later);
        }
        for (index, cte) in with.ctes.iter().enumerate() {
            let position = first + index;
            if with.recursive {
                self.ctes[position].columns = self.definition(RecursiveCte { cte, position }, outer);
            } else {
                let columns = self.plain(cte, outer);
                self.ctes.push(ScopeCte { name: &cte.name, columns, recurses: false });
            }
        }
    }

    /// The columns of the CTE that a relation names.
    pub(super) fn cte(&mut self, node: NodeId, name: &str) -> Option<std::rc::Rc<[ScopeColumn]>> {
        match self.ctes.iter().rev().find(|cte| cte.name == name).map(|cte| cte.columns.clone()) {
            Some(CteColumns::Known(columns)) => Some(columns),
            Some(CteColumns::Unknown) => None,
            Some(CteColumns::Later) => {
                let message = format!("the CTE \"{name}\" is declared after the one that uses it");
                let finding = Finding::new(Code::UnknownRelation, message);
                self.find(node, finding.with_help("declare it before; two CTEs can't use each other"));
                None
            }
            None => {
                let mut finding =
                    Finding::new(Code::UnknownRelation, format!("no CTE named \"{name}\" is in scope"));
                if let Some(nearest) = nearest(name, self.ctes.iter().map(|cte| cte.name)) {
                    finding = finding.with_help(format!("did you mean \"{nearest}\"?"));
                }
                self.find(node, finding);
                None
            }
        }
    }

    fn plain(&mut self, cte: &'a Cte, outer: &Scope<'_>) -> CteColumns {
        if cte.search.is_some() || cte.cycle.is_some() {
            let message = format!("SEARCH and CYCLE are for a recursive CTE, which \"{}\" is not", cte.name);
            self.report(cte.query, Code::InvalidStructure, message);
        }
        let columns = self.query(cte.query, outer);
        CteColumns::Known(self.rename(cte.query, columns, &cte.columns).into())
    }

    fn definition(&mut self, recursive: RecursiveCte<'a>, outer: &Scope<'_>) -> CteColumns {
        let cte = recursive.cte;
        let references = self_references(self.description, cte);
        if references.is_empty() {
            return self.plain(cte, outer);
        }
        if !self.is_union(cte) {
            return CteColumns::Unknown;
        }
        let mut in_recursive_term = 0;
        let mut well_formed = true;
        for (node, place) in references {
            in_recursive_term += usize::from(place == Place::RecursiveTerm);
            let wrong = match place {
                Place::RecursiveTerm if in_recursive_term == 1 => continue,
                Place::RecursiveTerm => "more than once",
                Place::Wrong(place) => place,
            };
            well_formed = false;
            let message = format!("the recursive CTE \"{}\" can't refer to itself {wrong}", cte.name);
            self.report(node, Code::InvalidStructure, message);
        }
        if !well_formed {
            return CteColumns::Unknown;
        }
        let columns = self.result(cte.query, outer, Some(recursive));
        self.ctes[recursive.position].recurses = false;
        let columns = self.settled(&columns);
        CteColumns::Known(self.cte_columns(cte, columns, true).into())
    }

    /// Whether a CTE that refers to itself is a UNION without anything after it.
    fn is_union(&mut self, cte: &Cte) -> bool {
        let NodeKind::Query(query) = self.kind(cte.query) else { return false };
        let union = matches!(
            self.kind(query.body),
            NodeKind::SetOperation(SetOperation { operator: SetOperator::Union, .. })
        );
        if !union {
            let message = format!(
                "the recursive CTE \"{}\" is not of the form: non-recursive term UNION [ALL] recursive term",
                cte.name
            );
            self.report(cte.query, Code::InvalidStructure, message);
        }
        let bare = query.order_by.is_empty() && query.limit.is_none() && query.offset.is_none();
        if !bare {
            let message =
                format!("the UNION of the recursive CTE \"{}\" has an ORDER BY, LIMIT or OFFSET", cte.name);
            let finding = Finding::new(Code::InvalidStructure, message);
            self.find(cte.query, finding.with_help("put it in the query that uses the CTE"));
        }
        union && bare
    }

    /// Lets the recursive term see the CTE, whose columns the other term has told.
    pub(super) fn define_recursive(&mut self, recursive: RecursiveCte<'a>, columns: Vec<ScopeColumn>) {
        // Wrong names are told when the whole CTE is verified.
        let findings = self.findings.len();
        let columns = self.cte_columns(recursive.cte, columns, false);
        self.findings.truncate(findings);
        let cte = &mut self.ctes[recursive.position];
        (cte.columns, cte.recurses) = (CteColumns::Known(columns.into()), true);
    }

    /// The columns of a recursive CTE: those of its query under their new names, and those that SEARCH and CYCLE add.
    fn cte_columns(&mut self, cte: &'a Cte, columns: Vec<ScopeColumn>, whole: bool) -> Vec<ScopeColumn> {
        let columns = ScopeColumn::of_query(columns, cte.query);
        let mut columns = self.rename(cte.query, columns, &cte.columns);
        self.search_and_cycle(cte, &mut columns, whole);
        columns
    }
}
