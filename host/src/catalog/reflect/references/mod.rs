//! What views lead to: PostgreSQL tells only what a query names, by id.

mod rows;
mod tree;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tokio_postgres::Client;

use super::ReflectError;
use crate::catalog::{ObjectName, Oid, Signature};
pub(super) use tree::references;

/// What a query or an expression refers to, by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Reference {
    /// It reads it.
    Relation(Oid),
    /// It reads a column (`attnum`), which may be one that is computed then; 0 is the whole row.
    Column(Oid, i16),
    /// It calls it.
    Function(Oid),
    /// It calls the function behind it.
    Operator(Oid),
    /// It reads a text as a value of this type.
    Input(Oid),
    /// It writes a value of this type as a text.
    Output(Oid),
    /// It sorts values of this type, as GREATEST does.
    Order(Oid),
    /// It makes sure that a value is of this domain.
    Domain(Oid),
}

/// A relation, and what it leads to if it is a view.
#[derive(Debug, Default)]
pub(super) struct Referred {
    pub(super) name: ObjectName,
    pub(super) leads_to: BTreeSet<Reference>,
}

/// What a type brings along.
#[derive(Debug, Default)]
struct TypeFacts {
    input: Oid,
    output: Oid,
    /// The function that sorts; a domain has none of its own.
    order: Option<Oid>,
    /// The types that it is made of, whose functions its own call.
    parts: Vec<Oid>,
    is_domain: bool,
    /// What a domain's checks refer to.
    checks: BTreeSet<Reference>,
}

/// A function, and what its arguments' defaults refer to: they are computed where it is called, and no query shows them.
#[derive(Debug)]
struct Called {
    signature: Signature,
    defaults: BTreeSet<Reference>,
}

/// What is known of all that was referred to.
#[derive(Debug, Default)]
pub(super) struct References {
    relations: HashMap<Oid, Referred>,
    /// What virtual columns are computed with, by relation and `attnum`.
    computed: HashMap<Oid, BTreeMap<i16, BTreeSet<Reference>>>,
    operators: HashMap<Oid, Oid>,
    types: HashMap<Oid, TypeFacts>,
    functions: HashMap<Oid, Called>,
}

impl References {
    /// Asks for whatever these lead to, until all is known; some relations are already. Each object is asked for once, and
    /// together with all others that are missing then.
    pub(super) async fn follow(
        client: &Client,
        mut open: Vec<Reference>,
        relations: HashMap<Oid, Referred>,
    ) -> Result<Self, ReflectError> {
        let mut seen = HashSet::new();
        let mut references = Self { relations, ..Self::default() };
        while !open.is_empty() {
            let mut missing = Vec::new();
            while let Some(reference) = open.pop() {
                if seen.insert(reference) {
                    match references.leads_to(reference) {
                        Some(found) => open.extend(found),
                        None => missing.push(reference),
                    }
                }
            }
            references.ask(client, &missing).await?;
            open.extend(missing.into_iter().filter_map(|it| references.leads_to(it)).flatten());
        }
        Ok(references)
    }

    async fn ask(&mut self, client: &Client, missing: &[Reference]) -> Result<(), ReflectError> {
        let (mut relations, mut computed) = (Vec::new(), Vec::new());
        let (mut operators, mut types, mut functions) = (Vec::new(), Vec::new(), Vec::new());
        for reference in missing {
            match *reference {
                Reference::Relation(oid) => relations.push(oid),
                Reference::Column(oid, _) => computed.push(oid),
                Reference::Operator(oid) => operators.push(oid),
                Reference::Input(oid)
                | Reference::Output(oid)
                | Reference::Order(oid)
                | Reference::Domain(oid) => types.push(oid),
                Reference::Function(oid) => functions.push(oid),
            }
        }
        let of: HashMap<_, _> = computed.iter().map(|&oid| (oid, BTreeMap::new())).collect();
        let asked = rows::ask(client, relations, computed, operators, types, functions).await?;
        self.relations.extend(asked.relations);
        self.computed.extend(of);
        for (relation, column, leads_to) in asked.computed {
            self.computed.entry(relation).or_default().insert(column, leads_to);
        }
        self.operators.extend(asked.operators);
        self.types.extend(asked.types);
        self.functions.extend(asked.functions);
        Ok(())
    }

    /// What an object leads to by itself; none, if it is not known yet.
    fn leads_to(&self, reference: Reference) -> Option<Vec<Reference>> {
        use Reference::{Column, Domain, Function, Input, Operator, Order, Output, Relation};
        let of_type = |oid| self.types.get(&oid);
        Some(match reference {
            Function(oid) => self.functions.get(&oid)?.defaults.iter().copied().collect(),
            Relation(oid) => self.relations.get(&oid)?.leads_to.iter().copied().collect(),
            Column(oid, number) => {
                let computed = self.computed.get(&oid)?.iter();
                let read = computed.filter(|(its, _)| number == 0 || **its == number);
                read.flat_map(|(_, leads_to)| leads_to.iter().copied()).collect()
            }
            Operator(oid) => vec![Function(*self.operators.get(&oid)?)],
            Input(oid) => {
                let ty = of_type(oid)?;
                let parts = ty.parts.iter().copied().map(Input);
                parts.chain([Function(ty.input)]).chain(ty.is_domain.then_some(Domain(oid))).collect()
            }
            Output(oid) => {
                let ty = of_type(oid)?;
                ty.parts.iter().copied().map(Output).chain([Function(ty.output)]).collect()
            }
            Order(oid) => {
                let ty = of_type(oid)?;
                ty.parts.iter().copied().map(Order).chain(ty.order.map(Function)).collect()
            }
            Domain(oid) => {
                let ty = of_type(oid)?;
                let base = ty.parts.iter().filter(|_| ty.is_domain).copied().map(Domain);
                base.chain(ty.checks.iter().copied()).collect()
            }
        })
    }

    /// The relations and the functions that a view of that id leads to, by name.
    pub(super) fn of(
        &self,
        view: Oid,
        its: &BTreeSet<Reference>,
    ) -> (BTreeSet<ObjectName>, BTreeSet<Signature>) {
        let (mut reads, mut calls) = (BTreeSet::new(), BTreeSet::new());
        let mut open: Vec<Reference> = its.iter().copied().collect();
        // To PostgreSQL 15, the tree of a view lists the view itself, as OLD and NEW.
        let mut seen = HashSet::from([Reference::Relation(view)]);
        while let Some(reference) = open.pop() {
            if !seen.insert(reference) {
                continue;
            }
            match reference {
                Reference::Relation(oid) => {
                    reads.extend(self.relations.get(&oid).map(|relation| relation.name.clone()));
                }
                Reference::Function(oid) => {
                    calls.extend(self.functions.get(&oid).map(|called| called.signature.clone()))
                }
                _ => {}
            }
            open.extend(self.leads_to(reference).unwrap_or_default());
        }
        (reads, calls)
    }
}
