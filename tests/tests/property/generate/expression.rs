use callslip_ir::{
    Access, AccessStep, Case, CaseArm, Cast, Collate, NodeId, NodeKind, Operation, QualifiedName, Special,
    SpecialForm, Subexpression, TypeName,
};

use super::types::{CASTS, OPERATORS};
use super::{Generator, Place, Ty, qualified};

impl Generator<'_> {
    /// An expression of a type.
    pub(super) fn expression(&mut self, ty: Ty, place: Place<'_>) -> NodeId {
        if place.fuel == 0 || self.is_enough() {
            return self.leaf(ty, place);
        }
        let inner = place.deeper();
        let made = match self.choices.below(16) {
            0..=3 => None,
            4 => self.operation(ty, inner),
            5 => self.call(ty, inner),
            6 => self.special(ty, inner),
            7 => Some(self.case(ty, inner)),
            8 => self.cast(ty, inner),
            9 => self.subquery_value(ty, inner),
            10 | 11 => self.aggregate(ty, inner),
            12 => self.window_call(ty, inner),
            13 => self.key(ty, place),
            _ => self.of_type(ty, inner),
        };
        made.unwrap_or_else(|| self.leaf(ty, place))
    }

    /// One of the expressions of GROUP BY again.
    fn key(&mut self, ty: Ty, place: Place<'_>) -> Option<NodeId> {
        let keys: Vec<NodeId> =
            place.keys.iter().filter(|(_, its)| *its == ty).map(|(node, _)| *node).collect();
        if keys.is_empty() {
            return None;
        }
        let key = self.choices.of(&keys);
        Some(self.copy(key))
    }

    /// What only expressions of some types are.
    fn of_type(&mut self, ty: Ty, place: Place<'_>) -> Option<NodeId> {
        const FOUND_IN_JSON: &[Ty] = &[Ty::Bool, Ty::Int4, Ty::Text, Ty::Date, Ty::Jsonb];
        if self.newer && FOUND_IN_JSON.contains(&ty) && self.choices.chance(60) {
            let is_test = ty == Ty::Bool && self.choices.chance(60);
            return Some(if is_test { self.is_json(place) } else { self.sql_json(ty, place) });
        }
        match ty {
            Ty::Bool => Some(self.predicate(place)),
            Ty::Ints | Ty::Texts => Some(self.array(ty, place)),
            Ty::Int4 => Some(match self.choices.below(3) {
                0 => self.access(Ty::Address, AccessKind::Field("number"), place),
                _ => self.access(Ty::Ints, AccessKind::Index, place),
            }),
            Ty::Text => Some(match self.choices.below(4) {
                0 => self.access(Ty::Address, AccessKind::Field("street"), place),
                1 => self.collate(place),
                _ => self.access(Ty::Texts, AccessKind::Index, place),
            }),
            Ty::Jsonb => Some(self.json_of_row(place)),
            Ty::Address => {
                let items = vec![self.expression(Ty::Text, place), self.expression(Ty::Int4, place)];
                let value = self.add(NodeKind::Row(items));
                let ty = self.type_name(ty);
                Some(self.add(NodeKind::Cast(Cast { value, ty })))
            }
            _ => None,
        }
    }

    pub(super) fn operation(&mut self, ty: Ty, place: Place<'_>) -> Option<NodeId> {
        let of_type: Vec<_> = OPERATORS.iter().filter(|(.., result)| *result == ty).collect();
        if of_type.is_empty() {
            return None;
        }
        let (name, operands, _) = *self.choices.of(&of_type);
        let operands = operands.iter().map(|&ty| self.expression(ty, place)).collect();
        Some(self.add(NodeKind::Operation(Operation { operator: qualified(name), operands })))
    }

    fn case(&mut self, ty: Ty, place: Place<'_>) -> NodeId {
        let compared = self.choices.of(Ty::COMPARABLE);
        let operand = self.choices.chance(40).then(|| self.expression(compared, place));
        let mut arms = Vec::new();
        for _ in 0..=self.choices.below(2) {
            let when = if operand.is_some() { compared } else { Ty::Bool };
            let when = self.expression(when, place);
            arms.push(CaseArm { when, then: self.expression(ty, place) });
        }
        let otherwise = self.choices.chance(60).then(|| self.expression(ty, place));
        self.add(NodeKind::Case(Case { operand, arms, otherwise }))
    }

    fn cast(&mut self, ty: Ty, place: Place<'_>) -> Option<NodeId> {
        if let Some(modified) = ty.modified()
            && self.choices.chance(30)
        {
            let value = self.expression(ty, place);
            return Some(self.add(NodeKind::Cast(Cast { value, ty: modified })));
        }
        if ty == Ty::Text && self.choices.chance(20) {
            let value = self.expression(Ty::Text, place);
            let short = TypeName { modifiers: vec![20], ..TypeName::parse("varchar") };
            let value = self.add(NodeKind::Cast(Cast { value, ty: short }));
            return Some(self.add(NodeKind::Cast(Cast { value, ty: TypeName::parse("text") })));
        }
        let from: Vec<Ty> = CASTS.iter().filter(|(_, to)| *to == ty).map(|(from, _)| *from).collect();
        let value = if from.is_empty() || self.choices.chance(20) {
            self.context()
        } else {
            let from = self.choices.of(&from);
            self.expression(from, place)
        };
        let ty = self.type_name(ty);
        Some(self.add(NodeKind::Cast(Cast { value, ty })))
    }

    fn collate(&mut self, place: Place<'_>) -> NodeId {
        let value = self.expression(Ty::Text, place);
        let collation = qualified(self.choices.of(&["C", "pg_catalog.C"]));
        self.add(NodeKind::Collate(Collate { value, collation }))
    }

    fn array(&mut self, ty: Ty, place: Place<'_>) -> NodeId {
        if self.choices.chance(30) {
            return self.access(ty, AccessKind::Slice, place);
        }
        let element = ty.element().unwrap_or(Ty::Int4);
        if self.choices.chance(25) && !self.is_enough() {
            let (query, _) = self.query(Some(&[element]), place.scope, place.fuel);
            return self.add(NodeKind::Subexpression(Subexpression::Array(query)));
        }
        let items = (0..=self.choices.below(3)).map(|_| self.expression(element, place)).collect();
        self.add(NodeKind::Array(items))
    }

    fn access(&mut self, of: Ty, kind: AccessKind, place: Place<'_>) -> NodeId {
        let mut value = self.expression(of, place);
        // Subscripts side by side are one access of several dimensions, and each of these is of one; but for an element of
        // a slice.
        if let NodeKind::Access(inner) = &self.nodes[value.0 as usize].kind
            && !matches!(
                (&inner.step, &kind),
                (AccessStep::Field(_), _) | (AccessStep::Slice { .. }, AccessKind::Index)
            )
        {
            let ty = self.type_name(of);
            value = self.add(NodeKind::Cast(Cast { value, ty }));
        }
        let step = match kind {
            AccessKind::Field(name) => AccessStep::Field(name.to_owned()),
            AccessKind::Index => AccessStep::Index(self.expression(Ty::Int4, place)),
            AccessKind::Slice => {
                let bound = |generator: &mut Self| {
                    generator.choices.chance(60).then(|| generator.expression(Ty::Int4, place))
                };
                AccessStep::Slice { lower: bound(self), upper: bound(self) }
            }
        };
        self.add(NodeKind::Access(Access { value, step }))
    }

    fn subquery_value(&mut self, ty: Ty, place: Place<'_>) -> Option<NodeId> {
        if self.is_enough() {
            return None;
        }
        let (query, _) = self.query(Some(&[ty]), place.scope, place.fuel);
        Some(self.add(NodeKind::Subexpression(Subexpression::Scalar(query))))
    }

    fn special(&mut self, ty: Ty, place: Place<'_>) -> Option<NodeId> {
        let precision = if self.choices.chance(50) { Some(self.choices.below(7) as u8) } else { None };
        let (form, operands): (SpecialForm, Vec<Ty>) = match self.choices.below(6) {
            0 => (SpecialForm::Coalesce, vec![ty; 1 + self.choices.below(3)]),
            1 if Ty::COMPARABLE.contains(&ty) => (SpecialForm::NullIf, vec![ty; 2]),
            2 if Ty::ORDERED.contains(&ty) => (SpecialForm::Greatest, vec![ty; 1 + self.choices.below(3)]),
            3 if Ty::ORDERED.contains(&ty) => (SpecialForm::Least, vec![ty; 1 + self.choices.below(3)]),
            _ => match ty {
                Ty::Numeric => {
                    let field = self.choices.of(&["year", "epoch", "dow", "second"]).to_owned();
                    (SpecialForm::Extract { field }, vec![self.choices.of(&[Ty::Timestamptz, Ty::Interval])])
                }
                Ty::Date => (SpecialForm::CurrentDate, vec![]),
                Ty::Timestamptz => (SpecialForm::CurrentTimestamp { precision }, vec![]),
                Ty::Text => return Some(self.time_as_text(precision, place)),
                Ty::Bool => {
                    let symmetric = self.choices.chance(30);
                    let negated = self.choices.chance(30);
                    let compared = self.choices.of(Ty::COMPARABLE);
                    match self.choices.below(5) {
                        0 => (SpecialForm::Between { symmetric, negated }, vec![compared; 3]),
                        1 => (SpecialForm::DistinctFrom { negated }, vec![compared; 2]),
                        2 => (
                            SpecialForm::Overlaps,
                            vec![Ty::Timestamptz, Ty::Interval, Ty::Timestamptz, Ty::Interval],
                        ),
                        3 => (
                            SpecialForm::LikeEscape { case_insensitive: symmetric, negated },
                            vec![Ty::Text; 3],
                        ),
                        _ => (SpecialForm::SimilarTo { negated }, vec![Ty::Text; 2 + self.choices.below(2)]),
                    }
                }
                _ => return None,
            },
        };
        let operands = operands.into_iter().map(|ty| self.expression(ty, place)).collect();
        Some(self.add(NodeKind::Special(Special { form, operands })))
    }

    /// The times that have types which nothing else here has, cast to text.
    fn time_as_text(&mut self, precision: Option<u8>, place: Place<'_>) -> NodeId {
        let (form, operands) = match self.choices.below(4) {
            0 => (SpecialForm::CurrentTime { precision }, vec![]),
            1 => (SpecialForm::LocalTime { precision }, vec![]),
            2 => (SpecialForm::LocalTimestamp { precision }, vec![]),
            _ => {
                let value = self.expression(Ty::Timestamptz, place);
                (SpecialForm::AtTimeZone, vec![value, self.expression(Ty::Text, place)])
            }
        };
        let value = self.add(NodeKind::Special(Special { form, operands }));
        self.add(NodeKind::Cast(Cast { value, ty: TypeName::parse("text") }))
    }

    /// A row as JSON: `to_jsonb` takes any.
    fn json_of_row(&mut self, place: Place<'_>) -> NodeId {
        let value = self.row_value(place);
        self.plain_call(QualifiedName::new("to_jsonb"), vec![value])
    }

    /// A row of the scope, or one that is written out.
    pub(super) fn row_value(&mut self, place: Place<'_>) -> NodeId {
        let whole: Vec<String> =
            place.scope.visible().into_iter().filter(|its| its.whole).map(|its| its.alias.clone()).collect();
        if !whole.is_empty() && self.choices.chance(50) {
            let index = self.choices.below(whole.len());
            return self.add(NodeKind::WholeRow { relation: whole[index].clone() });
        }
        let mut items = Vec::new();
        for _ in 0..self.choices.below(4) {
            let ty = self.choices.of(Ty::ALL);
            items.push(self.expression(ty, place));
        }
        self.add(NodeKind::Row(items))
    }
}

#[derive(Clone, Copy)]
enum AccessKind {
    Field(&'static str),
    Index,
    Slice,
}
