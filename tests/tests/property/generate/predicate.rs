use callslip_ir::{
    Boolean, BooleanOperator, Is, IsTest, JsonItem, NodeId, NodeKind, Operation, Quantifier, Subexpression,
};

use super::types::COMPARISONS;
use super::{Generator, Place, Ty, qualified};

impl Generator<'_> {
    /// A condition.
    pub(super) fn predicate(&mut self, place: Place<'_>) -> NodeId {
        match self.choices.below(12) {
            0..=2 => self.comparison(place),
            3 | 4 => self.boolean(place),
            5 => self.is(place),
            6 => self.in_list(place),
            7 => self.in_query(place),
            8 => {
                let (query, _) = self.query(None, place.scope, place.fuel);
                self.add(NodeKind::Subexpression(Subexpression::Exists(query)))
            }
            9 => self.quantified(place),
            10 => self.quantified_array(place),
            _ => self.row_comparison(place),
        }
    }

    fn comparison(&mut self, place: Place<'_>) -> NodeId {
        let ty = self.choices.of(Ty::COMPARABLE);
        let operator = qualified(self.choices.of(COMPARISONS));
        let mut operands = vec![self.expression(ty, place)];
        operands.push(if self.choices.chance(30) { self.context() } else { self.expression(ty, place) });
        if self.choices.chance(20) {
            operands.swap(0, 1);
        }
        self.add(NodeKind::Operation(Operation { operator, operands }))
    }

    fn boolean(&mut self, place: Place<'_>) -> NodeId {
        let operator = self.choices.of(&[BooleanOperator::And, BooleanOperator::Or, BooleanOperator::Not]);
        let count = if operator == BooleanOperator::Not { 1 } else { 1 + self.choices.below(4) };
        let operands = (0..count).map(|_| self.expression(Ty::Bool, place)).collect();
        self.add(NodeKind::Boolean(Boolean { operator, operands }))
    }

    fn is(&mut self, place: Place<'_>) -> NodeId {
        let negated = self.choices.chance(40);
        let (test, value) = match self.choices.below(4) {
            0 => {
                let ty = self.choices.of(Ty::ALL);
                let is_row = self.choices.chance(30);
                (IsTest::Null, if is_row { self.row_value(place) } else { self.expression(ty, place) })
            }
            1 => (IsTest::True, self.expression(Ty::Bool, place)),
            2 => (IsTest::False, self.expression(Ty::Bool, place)),
            _ => (IsTest::Unknown, self.expression(Ty::Bool, place)),
        };
        self.add(NodeKind::Is(Is { value, test, negated }))
    }

    /// `IS JSON`.
    pub(super) fn is_json(&mut self, place: Place<'_>) -> NodeId {
        let negated = self.choices.chance(40);
        let item = self.choices.of(&[JsonItem::Value, JsonItem::Scalar, JsonItem::Array, JsonItem::Object]);
        let test = IsTest::Json { item, unique_keys: self.choices.chance(30) };
        let value = self.expression(Ty::Text, place);
        self.add(NodeKind::Is(Is { value, test, negated }))
    }

    fn in_list(&mut self, place: Place<'_>) -> NodeId {
        let negated = self.choices.chance(40);
        let count = 1 + self.choices.below(3);
        let (operand, items) = if self.choices.chance(30) {
            let types = [self.choices.of(Ty::COMPARABLE), self.choices.of(Ty::COMPARABLE)];
            let operand = self.row_of(&types, place);
            (operand, (0..count).map(|_| self.row_of(&types, place)).collect())
        } else {
            let ty = self.choices.of(Ty::COMPARABLE);
            let operand = self.expression(ty, place);
            let item = |generator: &mut Self| {
                if generator.choices.chance(30) {
                    generator.context()
                } else {
                    generator.expression(ty, place)
                }
            };
            (operand, (0..count).map(|_| item(self)).collect())
        };
        self.add(NodeKind::Subexpression(Subexpression::InList { operand, items, negated }))
    }

    fn in_query(&mut self, place: Place<'_>) -> NodeId {
        let negated = self.choices.chance(40);
        let (operand, types) = self.compared(place);
        let (query, _) = self.query(Some(&types), place.scope, place.fuel);
        self.add(NodeKind::Subexpression(Subexpression::In { operand, query, negated }))
    }

    fn quantified(&mut self, place: Place<'_>) -> NodeId {
        let quantifier = self.choices.of(&[Quantifier::Any, Quantifier::All]);
        let operator = qualified(self.choices.of(COMPARISONS));
        let (operand, types) = self.compared(place);
        let (query, _) = self.query(Some(&types), place.scope, place.fuel);
        self.add(NodeKind::Subexpression(Subexpression::Quantified { operand, operator, quantifier, query }))
    }

    /// A value or a row, and the types that a query has which it is compared with.
    fn compared(&mut self, place: Place<'_>) -> (NodeId, Vec<Ty>) {
        let ty = self.choices.of(Ty::COMPARABLE);
        if self.choices.chance(30) {
            let types = vec![ty, self.choices.of(Ty::COMPARABLE)];
            (self.row_of(&types, place), types)
        } else {
            (self.expression(ty, place), vec![ty])
        }
    }

    fn quantified_array(&mut self, place: Place<'_>) -> NodeId {
        let quantifier = self.choices.of(&[Quantifier::Any, Quantifier::All]);
        let operator = qualified(self.choices.of(COMPARISONS));
        let ty = self.choices.of(&[Ty::Int4, Ty::Text]);
        let operand = self.expression(ty, place);
        let array = ty.array().unwrap_or(Ty::Ints);
        let array = if self.choices.chance(30) { self.context() } else { self.expression(array, place) };
        self.add(NodeKind::Subexpression(Subexpression::QuantifiedArray {
            operand,
            operator,
            quantifier,
            array,
        }))
    }

    fn row_comparison(&mut self, place: Place<'_>) -> NodeId {
        let types = [self.choices.of(Ty::COMPARABLE), self.choices.of(Ty::COMPARABLE)];
        let operator = qualified(self.choices.of(COMPARISONS));
        let operands = vec![self.row_of(&types, place), self.row_of(&types, place)];
        self.add(NodeKind::Operation(Operation { operator, operands }))
    }

    fn row_of(&mut self, types: &[Ty], place: Place<'_>) -> NodeId {
        let items = types.iter().map(|&ty| self.expression(ty, place)).collect();
        self.add(NodeKind::Row(items))
    }
}
