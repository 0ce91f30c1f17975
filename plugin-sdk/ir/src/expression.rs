use serde::{Deserialize, Serialize};

use crate::{NodeId, Order, QualifiedName, TypeName, Window};

/// `operator operand` or `operand operator operand`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Operation {
    /// The operator: `=`, `||`, `~~` (LIKE), `@>`.
    pub operator: QualifiedName,
    /// One operand of a prefix operator, two of an infix one.
    pub operands: Vec<NodeId>,
}

/// `function([DISTINCT] … [ORDER BY …]) [WITHIN GROUP (…)] [FILTER (…)] [OVER …]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Call {
    /// The function.
    pub function: QualifiedName,
    /// Its arguments.
    pub arguments: Vec<Argument>,
    /// `count(*)`; there are no arguments then.
    pub star: bool,
    /// `DISTINCT`.
    pub distinct: bool,
    /// `ORDER BY` of an aggregate's rows.
    pub order_by: Vec<Order>,
    /// `WITHIN GROUP (ORDER BY …)` of an ordered-set aggregate.
    pub within_group: Vec<Order>,
    /// `FILTER (WHERE …)`.
    pub filter: Option<NodeId>,
    /// `OVER`, which makes it a window function.
    pub over: Option<Over>,
}

/// An argument of a [`Call`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Argument {
    /// `name =>`; those without a name come first.
    pub name: Option<String>,
    /// `VARIADIC`; only the last one.
    pub variadic: bool,
    /// The value.
    pub value: NodeId,
}

/// What stands after OVER.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Over {
    /// A window of the WINDOW clause.
    Named(String),
    /// A window of its own.
    Window(Window),
}

/// `CAST(value AS type)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cast {
    /// The value.
    pub value: NodeId,
    /// The type.
    pub ty: TypeName,
}

/// `value COLLATE collation`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Collate {
    /// The value.
    pub value: NodeId,
    /// The collation.
    pub collation: QualifiedName,
}

/// `CASE [operand] WHEN … THEN … [ELSE …] END`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Case {
    /// What the arms are compared with; without one they are conditions.
    pub operand: Option<NodeId>,
    /// At least one arm.
    pub arms: Vec<CaseArm>,
    /// `ELSE`; without it null.
    pub otherwise: Option<NodeId>,
}

/// `WHEN … THEN …`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CaseArm {
    /// The condition, or the value to compare with.
    pub when: NodeId,
    /// The result.
    pub then: NodeId,
}

/// AND, OR, NOT.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Boolean {
    /// Which.
    pub operator: BooleanOperator,
    /// One operand of NOT, at least one of AND and OR.
    pub operands: Vec<NodeId>,
}

/// The operators of [`Boolean`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum BooleanOperator {
    /// `AND`.
    And,
    /// `OR`.
    Or,
    /// `NOT`.
    Not,
}

/// `value IS [NOT] test`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Is {
    /// The value.
    pub value: NodeId,
    /// What it is tested for.
    pub test: IsTest,
    /// `IS NOT`.
    pub negated: bool,
}

/// The tests of [`Is`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum IsTest {
    /// `NULL`.
    Null,
    /// `TRUE`.
    True,
    /// `FALSE`.
    False,
    /// `UNKNOWN`.
    Unknown,
    /// `JSON [VALUE|SCALAR|ARRAY|OBJECT] [WITH UNIQUE KEYS]`, PostgreSQL 16 and later.
    Json {
        /// What kind of JSON.
        item: JsonItem,
        /// `WITH UNIQUE KEYS`.
        unique_keys: bool,
    },
}

/// The kinds of `IS JSON`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum JsonItem {
    /// `VALUE`.
    Value,
    /// `SCALAR`.
    Scalar,
    /// `ARRAY`.
    Array,
    /// `OBJECT`.
    Object,
}

/// An expression that SQL gives a syntax of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Special {
    /// Which.
    pub form: SpecialForm,
    /// Its operands, in the order in which they are written.
    pub operands: Vec<NodeId>,
}

/// The forms of [`Special`], with the number of their operands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum SpecialForm {
    /// `a [NOT] BETWEEN [SYMMETRIC] b AND c`: 3.
    Between {
        /// `SYMMETRIC`.
        symmetric: bool,
        /// `NOT`.
        negated: bool,
    },
    /// `a IS [NOT] DISTINCT FROM b`: 2.
    DistinctFrom {
        /// `NOT`.
        negated: bool,
    },
    /// `COALESCE(…)`: at least 1.
    Coalesce,
    /// `NULLIF(a, b)`: 2.
    NullIf,
    /// `GREATEST(…)`: at least 1.
    Greatest,
    /// `LEAST(…)`: at least 1.
    Least,
    /// `GROUPING(…)`: at least 1.
    Grouping,
    /// `EXTRACT(field FROM a)`: 1.
    Extract {
        /// The field: `year`, `epoch`, `dow`; one of those that PostgreSQL documents.
        field: String,
    },
    /// `a AT TIME ZONE b`: 2.
    AtTimeZone,
    /// `(a, b) OVERLAPS (c, d)`: 4.
    Overlaps,
    /// `a [NOT] LIKE|ILIKE b ESCAPE c`: 3.
    LikeEscape {
        /// `ILIKE`.
        case_insensitive: bool,
        /// `NOT`.
        negated: bool,
    },
    /// `a [NOT] SIMILAR TO b [ESCAPE c]`: 2 or 3.
    SimilarTo {
        /// `NOT`.
        negated: bool,
    },
    /// `CURRENT_DATE`: 0.
    CurrentDate,
    /// `CURRENT_TIME[(precision)]`: 0.
    CurrentTime {
        /// Digits of the fraction, 0 to 6.
        precision: Option<u8>,
    },
    /// `CURRENT_TIMESTAMP[(precision)]`: 0.
    CurrentTimestamp {
        /// Digits of the fraction, 0 to 6.
        precision: Option<u8>,
    },
    /// `LOCALTIME[(precision)]`: 0.
    LocalTime {
        /// Digits of the fraction, 0 to 6.
        precision: Option<u8>,
    },
    /// `LOCALTIMESTAMP[(precision)]`: 0.
    LocalTimestamp {
        /// Digits of the fraction, 0 to 6.
        precision: Option<u8>,
    },
}

/// A part of an array or of a composite value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Access {
    /// The value.
    pub value: NodeId,
    /// The part.
    pub step: AccessStep,
}

/// The part that an [`Access`] takes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum AccessStep {
    /// `[i]`.
    Index(NodeId),
    /// `[lower:upper]`.
    Slice {
        /// The first subscript.
        lower: Option<NodeId>,
        /// The last subscript.
        upper: Option<NodeId>,
    },
    /// `.field`.
    Field(String),
}

/// An expression over a query, a list or an array.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Subexpression {
    /// `(query)`.
    Scalar(NodeId),
    /// `EXISTS (query)`.
    Exists(NodeId),
    /// `ARRAY(query)`.
    Array(NodeId),
    /// `operand [NOT] IN (query)`.
    In {
        /// The operand.
        operand: NodeId,
        /// A [`crate::Query`] node.
        query: NodeId,
        /// `NOT`.
        negated: bool,
    },
    /// `operand [NOT] IN (items)`.
    InList {
        /// The operand.
        operand: NodeId,
        /// At least one item.
        items: Vec<NodeId>,
        /// `NOT`.
        negated: bool,
    },
    /// `operand operator ANY|ALL (query)`.
    Quantified {
        /// The operand.
        operand: NodeId,
        /// The operator.
        operator: QualifiedName,
        /// `ANY` or `ALL`.
        quantifier: Quantifier,
        /// A [`crate::Query`] node.
        query: NodeId,
    },
    /// `operand operator ANY|ALL (array)`.
    QuantifiedArray {
        /// The operand.
        operand: NodeId,
        /// The operator.
        operator: QualifiedName,
        /// `ANY` or `ALL`.
        quantifier: Quantifier,
        /// The array.
        array: NodeId,
    },
}

/// `ANY` or `ALL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Quantifier {
    /// `ANY`.
    Any,
    /// `ALL`.
    All,
}

impl Call {
    pub(crate) fn visit_children(&mut self, visit: &mut dyn FnMut(&mut NodeId)) {
        self.arguments.iter_mut().for_each(|argument| visit(&mut argument.value));
        self.order_by.iter_mut().chain(&mut self.within_group).for_each(|order| visit(&mut order.expression));
        self.filter.iter_mut().for_each(&mut *visit);
        if let Some(Over::Window(window)) = &mut self.over {
            window.visit_children(visit);
        }
    }
}

impl Case {
    pub(crate) fn visit_children(&mut self, visit: &mut dyn FnMut(&mut NodeId)) {
        self.operand.iter_mut().for_each(&mut *visit);
        for arm in &mut self.arms {
            visit(&mut arm.when);
            visit(&mut arm.then);
        }
        self.otherwise.iter_mut().for_each(visit);
    }
}

impl Access {
    /// Whether this takes an element of the slice that another access gives. In SQL that one stands in parentheses, since
    /// subscripts beside a slice are slices, too.
    pub fn is_of_slice(&self, inner: &Self) -> bool {
        matches!((&self.step, &inner.step), (AccessStep::Index(_), AccessStep::Slice { .. }))
    }

    pub(crate) fn visit_children(&mut self, visit: &mut dyn FnMut(&mut NodeId)) {
        visit(&mut self.value);
        match &mut self.step {
            AccessStep::Index(index) => visit(index),
            AccessStep::Slice { lower, upper } => lower.iter_mut().chain(upper).for_each(visit),
            AccessStep::Field(_) => {}
        }
    }
}

impl Subexpression {
    pub(crate) fn visit_children(&mut self, visit: &mut dyn FnMut(&mut NodeId)) {
        match self {
            Self::Scalar(query) | Self::Exists(query) | Self::Array(query) => visit(query),
            Self::In { operand, query, .. } | Self::Quantified { operand, query, .. } => {
                visit(operand);
                visit(query);
            }
            Self::InList { operand, items, .. } => {
                visit(operand);
                items.iter_mut().for_each(visit);
            }
            Self::QuantifiedArray { operand, array, .. } => {
                visit(operand);
                visit(array);
            }
        }
    }
}
