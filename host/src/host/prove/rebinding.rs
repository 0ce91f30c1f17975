//! What an open query binds anew: the rest of its statements is as it was proven.

use std::sync::Arc;

use callslip_ir::{Binding, Domain, Rows};
use sha2::{Digest as _, Sha256};

use super::{Planned, ProvenShape, ProvenStatement, Prover, ValueSource};
use crate::plugin::{self, PlannedStatement};

/// What identifies the descriptions of a plan, in the order of its statements, whatever is bound to their slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::host) struct Described([u8; 32]);

impl Described {
    pub fn of<'a>(shapes: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut hasher = Sha256::new();
        for shape in shapes {
            hasher.update((shape.len() as u64).to_le_bytes());
            hasher.update(shape);
        }
        Self(hasher.finalize().into())
    }
}

/// Where a value of a statement comes from in the plugin's description.
#[derive(Clone, Debug)]
pub(in crate::host) struct Slot {
    /// Its number.
    pub number: usize,
    /// The values of its type, if a constant is bound to it; nothing, if PostgreSQL has to read that before it is sent.
    pub domain: Option<Domain>,
}

impl Planned {
    /// What identifies what the plugin has described; nothing, if that is a refusal.
    pub fn described(&self) -> Option<Described> {
        let statements = self.outcome.as_ref().ok()?;
        Some(Described::of(statements.iter().map(|(planned, ..)| &*planned.shape)))
    }
}

impl Prover<'_> {
    /// What was proven of a plan of the same descriptions, with what this one binds; nothing, if that does not tell whether this
    /// one proves.
    pub fn again(&self, planned: &Planned, proven: &ProvenShape) -> Option<ProvenShape> {
        let (Ok(statements), Ok(before)) = (&planned.outcome, &proven.outcome) else { return None };
        let rebound = |((its, ..), before): (&(Arc<PlannedStatement>, String, Rows), &ProvenStatement)| {
            let is_bound = self.bindings(its, &planned.shape).is_empty();
            before.bound_to(&its.bindings).filter(|_| is_bound)
        };
        let outcome: Option<Vec<_>> = statements.iter().zip(before).map(rebound).collect();
        Some(ProvenShape {
            shape: planned.shape.clone(),
            schemas: proven.schemas.clone(),
            outcome: Ok(outcome?),
            described: proven.described,
            recurs: true,
        })
    }
}

impl ProvenStatement {
    /// The same statement of another plan of the same description, whose slots are bound to this; nothing, if that has to be
    /// proven by itself: a constant that PostgreSQL has to read, or that breaks a rule.
    fn bound_to(&self, bindings: &[Binding]) -> Option<Self> {
        let value = |(at, (known, slot)): (usize, (&ValueSource, &Slot))| {
            // Beyond the plugin's own slots are those of row filters.
            let Some(binding) = bindings.get(slot.number) else { return Some(known.clone()) };
            let is_same = match (binding, known) {
                (Binding::Parameter(name), ValueSource::Parameter(known)) => name == known,
                (Binding::Claim(name), ValueSource::Claim(known)) => name == known,
                (Binding::Constant(text), ValueSource::Constant(known)) if text == known => true,
                (Binding::Constant(Some(text)), ValueSource::Constant(_)) => {
                    let domain = slot.domain.as_ref()?;
                    let mut rules = self.rules.iter().filter(|(position, _)| *position == at);
                    let holds = rules.all(|(_, rule)| rule.check(text).is_ok());
                    let is_value = holds && plugin::is_surely_value(domain, text);
                    return is_value.then(|| ValueSource::Constant(Some(text.clone())));
                }
                _ => false,
            };
            is_same.then(|| known.clone())
        };
        let values: Option<_> = self.values.iter().zip(self.slots.iter()).enumerate().map(value).collect();
        Some(Self { values: values?, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use callslip_ir::Scalar;

    use super::*;
    use crate::select::ValueRule;

    /// `$1` is a parameter, `$2` a text of at most four bytes, `$3` a number, `$4` of a type whose values PostgreSQL alone
    /// knows, and `$5` of a row filter.
    fn statement() -> ProvenStatement {
        let named = |name: &str| name.to_owned();
        let slot = |number, scalar| Slot { number, domain: Some(Domain::Scalar(scalar)) };
        ProvenStatement {
            name: String::new(),
            rows: Rows::Many,
            page: None,
            sql: "".into(),
            digest: "".into(),
            values: vec![
                ValueSource::Parameter(named("a")),
                ValueSource::Constant(Some(named("old"))),
                ValueSource::Constant(Some(named("1"))),
                ValueSource::Constant(Some(named("1 day"))),
                ValueSource::Constant(Some(named("of a filter"))),
            ],
            slots: [
                slot(0, Scalar::Text),
                slot(1, Scalar::Text),
                slot(2, Scalar::Int4),
                Slot { number: 3, domain: None },
                slot(4, Scalar::Text),
            ]
            .into(),
            rules: [(1, ValueRule { most_bytes: Some(4), is_format: false })].into(),
            types: Arc::default(),
            columns: Arc::default(),
            object: None,
            facts: Arc::default(),
            relations: Arc::default(),
            functions: Arc::default(),
            columns_read: Arc::default(),
            objects: Arc::default(),
            filters: Arc::default(),
            cost: None,
            warnings: Vec::new(),
        }
    }

    fn bindings(parameter: &str, text: Option<&str>, number: &str, span: &str) -> [Binding; 4] {
        [
            Binding::Parameter(parameter.to_owned()),
            Binding::Constant(text.map(str::to_owned)),
            Binding::Constant(Some(number.to_owned())),
            Binding::Constant(Some(span.to_owned())),
        ]
    }

    #[test]
    fn another_value_is_bound_where_the_host_knows_that_it_is_one() {
        let bound = statement().bound_to(&bindings("a", Some("new"), "-27", "1 day")).unwrap();
        let mut expected = statement().values;
        expected[1] = ValueSource::Constant(Some("new".to_owned()));
        expected[2] = ValueSource::Constant(Some("-27".to_owned()));
        assert_eq!(bound.values, expected);
    }

    #[test]
    fn whatever_else_is_another_is_proven_by_itself() {
        for other in [
            bindings("b", Some("old"), "1", "1 day"),
            bindings("a", Some("longer than four bytes"), "1", "1 day"),
            bindings("a", None, "1", "1 day"),
            bindings("a", Some("old"), "3000000000", "1 day"),
            bindings("a", Some("old"), "two", "1 day"),
            bindings("a", Some("old"), "1", "2 days"),
        ] {
            assert!(statement().bound_to(&other).is_none(), "{other:?}");
        }
        let claim = [Binding::Claim("a".to_owned())];
        assert!(statement().bound_to(&claim).is_none());
    }
}
