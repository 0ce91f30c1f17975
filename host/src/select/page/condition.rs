use callslip_ir::{
    Boolean, BooleanOperator, Is, IsTest, NodeId, NodeKind, Nulls, Operation, Place, QualifiedName, SlotId,
    Special, SpecialForm,
};

use super::column_of_list;
use super::tree::Tree;

/// A key by which the list is ordered.
pub(super) struct Key {
    /// The column of the list that has it.
    pub column: String,
    pub descending: bool,
    pub nulls: Nulls,
    /// Whether it may be null.
    pub nullable: bool,
    /// Where it was written.
    pub place: Option<Place>,
}

impl Key {
    fn nulls_come_first(&self) -> bool {
        match self.nulls {
            Nulls::First => true,
            Nulls::Last => false,
            Nulls::Unspecified => self.descending,
        }
    }

    /// The operator by which what comes later is told.
    fn later(&self) -> &'static str {
        if self.descending { "<" } else { ">" }
    }
}

/// That a row comes later than the one of the cursor.
pub(super) fn behind(tree: &mut Tree, keys: &[Key], cursor: &[SlotId], place: Option<Place>) -> NodeId {
    let mut condition = Behind { tree, place };
    let never_null = keys.iter().all(|key| !key.nullable);
    let one_way = keys.windows(2).all(|pair| pair[0].descending == pair[1].descending);
    match keys {
        [first, _, ..] if never_null && one_way => {
            let rows = condition.row(keys.iter().map(Value::Column));
            let cursor = condition.row(cursor.iter().map(|slot| Value::Cursor(*slot)));
            condition.operation(first.later(), rows, cursor)
        }
        [first, _, ..] if never_null => {
            // An index whose first column is the first key begins to read where this does.
            let or_equal = if first.descending { "<=" } else { ">=" };
            let (key, value) =
                (condition.value(Value::Column(first)), condition.value(Value::Cursor(cursor[0])));
            let bound = condition.operation(or_equal, key, value);
            let later = condition.later(keys, cursor);
            condition.boolean(BooleanOperator::And, vec![bound, later])
        }
        _ => condition.later(keys, cursor),
    }
}

enum Value<'k> {
    Column(&'k Key),
    Cursor(SlotId),
}

struct Behind<'t> {
    tree: &'t mut Tree,
    place: Option<Place>,
}

impl Behind<'_> {
    fn push(&mut self, kind: NodeKind) -> NodeId {
        self.tree.push(kind, self.place)
    }

    fn value(&mut self, value: Value<'_>) -> NodeId {
        match value {
            Value::Column(key) => column_of_list(self.tree, &key.column, key.place),
            Value::Cursor(slot) => self.push(NodeKind::Parameter(slot)),
        }
    }

    fn row<'k>(&mut self, values: impl Iterator<Item = Value<'k>>) -> NodeId {
        let values = values.map(|value| self.value(value)).collect();
        self.push(NodeKind::Row(values))
    }

    fn operation(&mut self, operator: &str, left: NodeId, right: NodeId) -> NodeId {
        let operator = QualifiedName::new(operator);
        self.push(NodeKind::Operation(Operation { operator, operands: vec![left, right] }))
    }

    fn boolean(&mut self, operator: BooleanOperator, operands: Vec<NodeId>) -> NodeId {
        self.push(NodeKind::Boolean(Boolean { operator, operands }))
    }

    fn is_null(&mut self, value: NodeId, negated: bool) -> NodeId {
        self.push(NodeKind::Is(Is { value, test: IsTest::Null, negated }))
    }

    /// `first later, or first equal and (second later, or …)`.
    fn later(&mut self, keys: &[Key], cursor: &[SlotId]) -> NodeId {
        let mut condition: Option<NodeId> = None;
        for (key, slot) in keys.iter().zip(cursor).rev() {
            // A node refers to earlier ones only, so that what is inside comes first.
            let equal = match condition {
                Some(rest) => {
                    let equal = self.equal(key, *slot);
                    Some(self.boolean(BooleanOperator::And, vec![equal, rest]))
                }
                None => None,
            };
            let later = self.later_by(key, *slot);
            condition = Some(match equal {
                Some(equal) => self.boolean(BooleanOperator::Or, vec![later, equal]),
                None => later,
            });
        }
        // There is at least one key.
        condition.unwrap_or_else(|| self.boolean(BooleanOperator::Or, Vec::new()))
    }

    /// That the key comes later.
    fn later_by(&mut self, key: &Key, slot: SlotId) -> NodeId {
        let (column, value) = (self.value(Value::Column(key)), self.value(Value::Cursor(slot)));
        let later = self.operation(key.later(), column, value);
        if !key.nullable {
            return later;
        }
        let (column, value) = (self.value(Value::Column(key)), self.value(Value::Cursor(slot)));
        let nulls_first = key.nulls_come_first();
        let (column, value) = (self.is_null(column, nulls_first), self.is_null(value, !nulls_first));
        let across = self.boolean(BooleanOperator::And, vec![column, value]);
        self.boolean(BooleanOperator::Or, vec![later, across])
    }

    fn equal(&mut self, key: &Key, slot: SlotId) -> NodeId {
        let (column, value) = (self.value(Value::Column(key)), self.value(Value::Cursor(slot)));
        match key.nullable {
            false => self.operation("=", column, value),
            true => {
                let form = SpecialForm::DistinctFrom { negated: true };
                self.push(NodeKind::Special(Special { form, operands: vec![column, value] }))
            }
        }
    }
}
