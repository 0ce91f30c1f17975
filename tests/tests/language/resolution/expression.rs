use callslip_ir::{
    Argument, Call, Case, CaseArm, Cast, Description, Direction, Distinct, Item, Node, NodeId, NodeKind,
    Nulls, Operation, Order, Over, QualifiedName, Quantifier, Query, RelationName, Select, SlotId, SlotType,
    Special, SpecialForm, Subexpression, Table, TypeName, Window,
};

/// An expression that can be written as plain SQL and as a description.
#[derive(Clone, Debug)]
pub enum Expression {
    /// The column of the table that is of that type, and named like it.
    Column(String),
    /// A constant of that type.
    Constant(String),
    /// A constant without a type.
    Unknown,
    Operator(String, Vec<Expression>),
    Function(Function),
    Cast(Box<Expression>, String),
    /// A word that stands before a list, and its form.
    List(&'static str, SpecialForm, Vec<Expression>),
    Array(Vec<Expression>),
    Between {
        symmetric: bool,
        negated: bool,
        operands: Vec<Expression>,
    },
    Distinct(Vec<Expression>),
    In(Vec<Expression>),
    /// A value in a query of one column.
    InQuery(Box<Expression>, Box<Expression>),
    /// `operator ANY (array)`.
    AnyArray(String, Box<Expression>, Box<Expression>),
    /// `operator ANY (query)`.
    AnyQuery(String, Box<Expression>, Box<Expression>),
    /// An operand, and a value and a result for each arm; the operand may be left out.
    Case(Option<Box<Expression>>, Vec<(Expression, Expression)>, Option<Box<Expression>>),
    Extract(Box<Expression>),
    AtTimeZone(Vec<Expression>),
    Overlaps(Vec<Expression>),
    Like(Vec<Expression>),
    Similar(Vec<Expression>),
}

/// A call.
#[derive(Clone, Debug, Default)]
pub struct Function {
    pub name: String,
    /// Arguments, some of them with names.
    pub arguments: Vec<(Option<String>, Expression)>,
    pub variadic: bool,
    pub star: bool,
    pub distinct: bool,
    pub order_by: Vec<Expression>,
    pub within_group: Vec<Expression>,
    pub filter: bool,
    pub over: bool,
}

pub fn column(ty: &str) -> Expression {
    Expression::Column(ty.to_owned())
}

pub fn constant(ty: &str) -> Expression {
    Expression::Constant(ty.to_owned())
}

pub fn call(name: &str, arguments: Vec<Expression>) -> Function {
    let arguments = arguments.into_iter().map(|argument| (None, argument)).collect();
    Function { name: name.to_owned(), arguments, ..Function::default() }
}

pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A type as it is cast to, without what SQL's own spelling of its name would add.
pub fn type_name(ty: &str) -> String {
    match ty.strip_suffix("[]") {
        Some(element) => format!("{}[]", quoted(element)),
        None => quoted(ty),
    }
}

fn listed(expressions: &[Expression]) -> String {
    expressions.iter().map(Expression::sql).collect::<Vec<_>>().join(", ")
}

impl Expression {
    /// Plain SQL, in which PostgreSQL resolves everything.
    pub fn sql(&self) -> String {
        match self {
            Self::Column(ty) => format!("t.{}", quoted(ty)),
            Self::Constant(ty) => format!("CAST(NULL AS {})", type_name(ty)),
            Self::Unknown => "NULL".to_owned(),
            Self::Operator(name, operands) => match operands.as_slice() {
                [operand] => format!("({name} {})", operand.sql()),
                [left, right] => format!("({} {name} {})", left.sql(), right.sql()),
                _ => unreachable!("an operator has one or two operands"),
            },
            Self::Function(function) => function.sql(),
            Self::Cast(value, ty) => format!("CAST({} AS {})", value.sql(), type_name(ty)),
            Self::List(word, _, items) => format!("{word}({})", listed(items)),
            Self::Array(items) => format!("ARRAY[{}]", listed(items)),
            Self::Between { symmetric, negated, operands } => format!(
                "({} {}BETWEEN {}{} AND {})",
                operands[0].sql(),
                if *negated { "NOT " } else { "" },
                if *symmetric { "SYMMETRIC " } else { "" },
                operands[1].sql(),
                operands[2].sql()
            ),
            Self::Distinct(operands) => {
                format!("({} IS DISTINCT FROM {})", operands[0].sql(), operands[1].sql())
            }
            Self::In(operands) => format!("({} IN ({}))", operands[0].sql(), listed(&operands[1..])),
            Self::InQuery(value, item) => {
                format!("({} IN (SELECT {} AS x FROM t AS u))", value.sql(), item.sql().replace("t.", "u."))
            }
            Self::AnyArray(operator, value, array) => {
                format!("({} {operator} ANY ({}))", value.sql(), array.sql())
            }
            Self::AnyQuery(operator, value, item) => format!(
                "({} {operator} ANY (SELECT {} AS x FROM t AS u))",
                value.sql(),
                item.sql().replace("t.", "u.")
            ),
            Self::Case(operand, arms, otherwise) => {
                let operand = operand.as_ref().map_or_else(String::new, |operand| operand.sql());
                let arms: Vec<String> = arms
                    .iter()
                    .map(|(when, then)| format!("WHEN {} THEN {}", when.sql(), then.sql()))
                    .collect();
                let otherwise =
                    otherwise.as_ref().map_or_else(String::new, |value| format!("ELSE {}", value.sql()));
                format!("CASE {operand} {} {otherwise} END", arms.join(" "))
            }
            Self::Extract(value) => format!("EXTRACT(day FROM {})", value.sql()),
            Self::AtTimeZone(operands) => {
                format!("({} AT TIME ZONE {})", operands[0].sql(), operands[1].sql())
            }
            Self::Overlaps(operands) => {
                format!("(({}) OVERLAPS ({}))", listed(&operands[..2]), listed(&operands[2..]))
            }
            Self::Like(operands) => {
                format!("({} LIKE {} ESCAPE {})", operands[0].sql(), operands[1].sql(), operands[2].sql())
            }
            Self::Similar(operands) => format!("({} SIMILAR TO {})", operands[0].sql(), operands[1].sql()),
        }
    }

    /// A description of `SELECT expression IS NULL AS x FROM t`: a column of a view can't be of every type.
    pub fn description(&self) -> Description {
        let mut writer = Writer::default();
        let value = writer.expression(self, "t");
        let is_null = callslip_ir::Is { value, test: callslip_ir::IsTest::Null, negated: false };
        let item = writer.add(NodeKind::Is(is_null));
        writer.query(item, "t");
        writer.finish()
    }

    /// A description of `SELECT t.int8 AS x FROM t WHERE expression`.
    pub fn condition(&self) -> Description {
        let mut writer = Writer::default();
        let condition = writer.expression(self, "t");
        let item = writer.expression(&column("int8"), "t");
        writer.query(item, "t");
        writer.select(|select| select.filter = Some(condition));
        writer.finish()
    }

    /// A description of `SELECT expression AS x FROM t GROUP BY expression ORDER BY expression`, or of the same with DISTINCT
    /// instead of GROUP BY.
    pub fn sorted(&self, grouped: bool) -> Description {
        let mut writer = Writer::default();
        let item = writer.expression(self, "t");
        let key = grouped.then(|| writer.expression(self, "t"));
        let expression = writer.expression(self, "t");
        writer.query(item, "t");
        writer.select(|select| {
            select.distinct = if grouped { Distinct::All } else { Distinct::Rows };
            select.group_by.extend(key);
        });
        if let Some(Node { kind: NodeKind::Query(query), .. }) = writer.nodes.last_mut() {
            let (direction, nulls) = (Direction::Ascending, Nulls::Unspecified);
            query.order_by = vec![Order { expression, direction, nulls }];
        }
        writer.finish()
    }
}

impl Function {
    fn sql(&self) -> String {
        let last = self.arguments.len().wrapping_sub(1);
        let arguments: Vec<String> = self
            .arguments
            .iter()
            .enumerate()
            .map(|(index, (name, value))| {
                let name = name.as_ref().map_or_else(String::new, |name| format!("{} => ", quoted(name)));
                let variadic = if self.variadic && index == last { "VARIADIC " } else { "" };
                format!("{variadic}{name}{}", value.sql())
            })
            .collect();
        let order = |expressions: &[Expression]| {
            let all: Vec<String> = expressions.iter().map(Expression::sql).collect();
            format!(" ORDER BY {}", all.join(", "))
        };
        let mut sql = format!(
            "{}({}{}{}{})",
            quoted(&self.name),
            if self.star { "*" } else { "" },
            if self.distinct { "DISTINCT " } else { "" },
            arguments.join(", "),
            if self.order_by.is_empty() { String::new() } else { order(&self.order_by) },
        );
        if !self.within_group.is_empty() {
            sql.push_str(&format!(" WITHIN GROUP ({})", order(&self.within_group)));
        }
        if self.filter {
            sql.push_str(" FILTER (WHERE t.bool)");
        }
        if self.over {
            sql.push_str(" OVER ()");
        }
        sql
    }
}

#[derive(Default)]
struct Writer {
    nodes: Vec<Node>,
    slots: Vec<SlotType>,
}

impl Writer {
    fn add(&mut self, kind: NodeKind) -> NodeId {
        self.nodes.push(Node { kind, place: None });
        NodeId(self.nodes.len() as u32 - 1)
    }

    fn all(&mut self, expressions: &[Expression], alias: &str) -> Vec<NodeId> {
        expressions.iter().map(|expression| self.expression(expression, alias)).collect()
    }

    fn special(&mut self, form: SpecialForm, operands: &[Expression], alias: &str) -> NodeKind {
        let operands = self.all(operands, alias);
        NodeKind::Special(Special { form, operands })
    }

    fn expression(&mut self, expression: &Expression, alias: &str) -> NodeId {
        let kind = match expression {
            Expression::Column(ty) => NodeKind::Column { relation: alias.to_owned(), name: ty.clone() },
            Expression::Constant(ty) => self.slot(SlotType::Declared(named(ty))),
            Expression::Unknown => self.slot(SlotType::Context),
            Expression::Operator(name, operands) => {
                let operands = self.all(operands, alias);
                NodeKind::Operation(Operation { operator: QualifiedName::new(name.as_str()), operands })
            }
            Expression::Function(function) => {
                let arguments = function
                    .arguments
                    .iter()
                    .enumerate()
                    .map(|(index, (name, value))| Argument {
                        name: name.clone(),
                        variadic: function.variadic && index + 1 == function.arguments.len(),
                        value: self.expression(value, alias),
                    })
                    .collect();
                let mut orders = |expressions: &[Expression]| -> Vec<Order> {
                    let order = |expression| Order {
                        expression,
                        direction: Direction::Ascending,
                        nulls: Nulls::Unspecified,
                    };
                    self.all(expressions, alias).into_iter().map(order).collect()
                };
                let (order_by, within_group) = (orders(&function.order_by), orders(&function.within_group));
                let filter = function.filter.then(|| self.expression(&column("bool"), alias));
                let window = Window { base: None, partition_by: vec![], order_by: vec![], frame: None };
                NodeKind::Call(Call {
                    function: QualifiedName::new(function.name.as_str()),
                    arguments,
                    star: function.star,
                    distinct: function.distinct,
                    order_by,
                    within_group,
                    filter,
                    over: function.over.then_some(Over::Window(window)),
                })
            }
            Expression::Cast(value, ty) => {
                let value = self.expression(value, alias);
                NodeKind::Cast(Cast { value, ty: named(ty) })
            }
            Expression::List(_, form, items) => self.special(form.clone(), items, alias),
            Expression::Array(items) => NodeKind::Array(self.all(items, alias)),
            Expression::Between { symmetric, negated, operands } => {
                let form = SpecialForm::Between { symmetric: *symmetric, negated: *negated };
                self.special(form, operands, alias)
            }
            Expression::Distinct(operands) => {
                self.special(SpecialForm::DistinctFrom { negated: false }, operands, alias)
            }
            Expression::In(operands) => {
                let operand = self.expression(&operands[0], alias);
                let items = self.all(&operands[1..], alias);
                NodeKind::Subexpression(Subexpression::InList { operand, items, negated: false })
            }
            Expression::InQuery(value, item) => {
                let (operand, query) = (self.expression(value, alias), self.subquery(item));
                NodeKind::Subexpression(Subexpression::In { operand, query, negated: false })
            }
            Expression::AnyArray(operator, value, array) => {
                let (operand, array) = (self.expression(value, alias), self.expression(array, alias));
                let (operator, quantifier) = (QualifiedName::new(operator.as_str()), Quantifier::Any);
                NodeKind::Subexpression(Subexpression::QuantifiedArray {
                    operand,
                    operator,
                    quantifier,
                    array,
                })
            }
            Expression::AnyQuery(operator, value, item) => {
                let (operand, query) = (self.expression(value, alias), self.subquery(item));
                let (operator, quantifier) = (QualifiedName::new(operator.as_str()), Quantifier::Any);
                NodeKind::Subexpression(Subexpression::Quantified { operand, operator, quantifier, query })
            }
            Expression::Case(operand, arms, otherwise) => {
                let operand = operand.as_ref().map(|operand| self.expression(operand, alias));
                let arms = arms
                    .iter()
                    .map(|(when, then)| CaseArm {
                        when: self.expression(when, alias),
                        then: self.expression(then, alias),
                    })
                    .collect();
                let otherwise = otherwise.as_ref().map(|value| self.expression(value, alias));
                NodeKind::Case(Case { operand, arms, otherwise })
            }
            Expression::Extract(value) => {
                let form = SpecialForm::Extract { field: "day".to_owned() };
                self.special(form, std::slice::from_ref(value), alias)
            }
            Expression::AtTimeZone(operands) => self.special(SpecialForm::AtTimeZone, operands, alias),
            Expression::Overlaps(operands) => self.special(SpecialForm::Overlaps, operands, alias),
            Expression::Like(operands) => {
                let form = SpecialForm::LikeEscape { case_insensitive: false, negated: false };
                self.special(form, operands, alias)
            }
            Expression::Similar(operands) => {
                self.special(SpecialForm::SimilarTo { negated: false }, operands, alias)
            }
        };
        self.add(kind)
    }

    fn finish(self) -> Description {
        Description { slots: self.slots, files: vec![], nodes: self.nodes }
    }

    /// Changes the select that was written last.
    fn select(&mut self, change: impl FnOnce(&mut Select)) {
        if let Some(Node { kind: NodeKind::Select(select), .. }) = self.nodes.iter_mut().rev().nth(1) {
            change(select);
        }
    }

    fn slot(&mut self, ty: SlotType) -> NodeKind {
        self.slots.push(ty);
        NodeKind::Parameter(SlotId(self.slots.len() as u32 - 1))
    }

    fn subquery(&mut self, item: &Expression) -> NodeId {
        let item = self.expression(item, "u");
        self.query(item, "u")
    }

    fn query(&mut self, item: NodeId, alias: &str) -> NodeId {
        let table = Table {
            name: RelationName::Stored(QualifiedName::new("t")),
            alias: alias.to_owned(),
            columns: vec![],
            only: false,
            sample: None,
        };
        let from = vec![self.add(NodeKind::Table(table))];
        let body = self.add(NodeKind::Select(Select {
            distinct: Distinct::All,
            items: vec![Item { expression: item, alias: Some("x".to_owned()) }],
            from,
            filter: None,
            group_by: vec![],
            group_distinct: false,
            having: None,
            windows: vec![],
        }));
        self.add(NodeKind::Query(Query { with: None, body, order_by: vec![], limit: None, offset: None }))
    }
}

/// A type without a schema, which SQL's own spelling would make another of.
fn named(ty: &str) -> TypeName {
    let (name, array) = match ty.strip_suffix("[]") {
        Some(element) => (element, true),
        None => (ty, false),
    };
    let schema = if ["bit", "char"].contains(&name) { Some("pg_catalog".to_owned()) } else { None };
    TypeName { name: QualifiedName { schema, name: name.to_owned() }, modifiers: vec![], array }
}
