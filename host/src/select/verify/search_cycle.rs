use std::collections::HashSet;

use callslip_ir::{Cte, Cycle, NodeId, NodeKind, Search, SearchOrder};

use super::Verifier;
use crate::Code;
use crate::catalog::{Oid, PG_CATALOG};
use crate::nearest::nearest;
use crate::select::scope::{Scope, ScopeColumn};
use crate::select::{Finding, structure};

impl<'a> Verifier<'a> {
    /// Verifies SEARCH and CYCLE of a recursive CTE and adds their columns. What the CTE is to itself, and not as a
    /// `whole`, has no mark of a cycle with values of its own: such a mark is made in a query around the recursive one.
    pub(super) fn search_and_cycle(&mut self, cte: &'a Cte, columns: &mut Vec<ScopeColumn>, whole: bool) {
        if cte.search.is_none() && cte.cycle.is_none() {
            return;
        }
        self.terms_are_selects(cte);
        let own = columns.clone();
        let mut added = Vec::new();
        if let Some(search) = &cte.search {
            self.listed(cte, "SEARCH", &search.by, &own);
            added.push(ScopeColumn::made(Some(search.set.as_str().into()), self.sequence_type(search)));
        }
        if let Some(cycle) = &cte.cycle {
            self.listed(cte, "CYCLE", &cycle.columns, &own);
            let ty = self.mark_type(cte, cycle, whole);
            if whole || cycle.values.is_none() {
                added.push(ScopeColumn::made(Some(cycle.mark.as_str().into()), ty));
            }
            let path = self.record().1;
            added.push(ScopeColumn::made(Some(cycle.path.as_str().into()), path));
        }
        for column in added {
            let Some(name) = column.name.clone() else { continue };
            self.check_name(cte.query, "name of a column of SEARCH or CYCLE", &name);
            if columns.iter().any(|its| its.name.as_deref() == Some(&name)) {
                let message = format!("the CTE \"{}\" has a column \"{name}\" already", cte.name);
                self.report(cte.query, Code::DuplicateColumn, message);
                continue;
            }
            columns.push(column);
        }
    }

    /// PostgreSQL adds the columns to both terms, and can do so only to plain queries. A set operation with a clause of its own
    /// is one to it, as long as it is not the term that refers to the CTE.
    fn terms_are_selects(&mut self, cte: &Cte) {
        let NodeKind::Query(query) = self.kind(cte.query) else { return };
        let NodeKind::SetOperation(terms) = self.kind(query.body) else { return };
        for (side, may_have_clauses) in [(terms.left, true), (terms.right, false)] {
            let NodeKind::Query(term) = self.kind(side) else { continue };
            let has_clauses = term.with.is_some()
                || !term.order_by.is_empty()
                || term.limit.is_some()
                || term.offset.is_some();
            if matches!(self.kind(term.body), NodeKind::SetOperation(_)) && !(may_have_clauses && has_clauses)
            {
                let message = "with SEARCH or CYCLE each side of the UNION is a SELECT";
                let finding = Finding::new(Code::InvalidStructure, message);
                self.find(side, finding.with_help("put the set operation in a subquery with .alias(\"…\")"));
            }
        }
    }

    fn listed(&mut self, cte: &Cte, clause: &str, listed: &[String], columns: &[ScopeColumn]) {
        if listed.is_empty() {
            self.report(cte.query, Code::InvalidStructure, format!("{clause} names no column"));
        }
        let names: Vec<&str> = columns.iter().filter_map(|column| column.name.as_deref()).collect();
        let mut seen = HashSet::new();
        for name in listed {
            if !seen.insert(name) {
                let message = format!("{clause} names the column \"{name}\" twice");
                self.report(cte.query, Code::DuplicateColumn, message);
            } else if !names.contains(&name.as_str()) {
                let message = format!("the CTE \"{}\" has no column \"{name}\" for {clause}", cte.name);
                let help = match nearest(name, names.iter().copied()) {
                    Some(nearest) => format!("did you mean \"{nearest}\"?"),
                    None => format!("its columns are {}", names.join(", ")),
                };
                self.find(cte.query, Finding::new(Code::UnknownColumn, message).with_help(help));
            }
        }
    }

    fn sequence_type(&self, search: &Search) -> Option<Oid> {
        let (record, records) = self.record();
        match search.order {
            SearchOrder::Breadth => record,
            SearchOrder::Depth => records,
        }
    }

    fn mark_type(&mut self, cte: &Cte, cycle: &'a Cycle, whole: bool) -> Option<Oid> {
        let Some((value, default)) = cycle.values else { return self.builtin("bool") };
        if !whole {
            return None;
        }
        // The query around it lists them.
        let mut names = HashSet::new();
        let columns = structure::cte_columns(self.description, cte);
        if !columns.iter().all(|name| name.as_ref().is_some_and(|name| names.insert(name))) {
            let message =
                format!("CYCLE … TO needs a name of its own for every column of the CTE \"{}\"", cte.name);
            let finding = Finding::new(Code::UnnamedColumn, message);
            self.find(cte.query, finding.with_help("name it with .alias(\"…\")"));
        }
        for node in [value, default] {
            if !self.is_constant(node) {
                self.report(node, Code::InvalidStructure, "a value of CYCLE is a constant or a parameter");
                return None;
            }
        }
        self.common(&[value, default], &Scope::EMPTY, "CYCLE")
    }

    /// Whether a node is a value, which means the same wherever it is printed.
    fn is_constant(&self, mut node: NodeId) -> bool {
        while let NodeKind::Cast(cast) = self.kind(node) {
            node = cast.value;
        }
        matches!(self.kind(node), NodeKind::Parameter(_) | NodeKind::Null(_))
    }

    /// The types of a record and of an array of them.
    fn record(&self) -> (Option<Oid>, Option<Oid>) {
        let record = self.context.catalog.ty(PG_CATALOG, "record");
        (record.map(|ty| ty.oid), record.and_then(|ty| ty.array))
    }
}
