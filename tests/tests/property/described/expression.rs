use callslip_ir::{
    AccessStep, BooleanOperator, Call, IsTest, JsonItem, NodeId, NodeKind, Over, Quantifier, SlotType,
    Special, SpecialForm, Subexpression,
};

use super::{CAST, TYPE, Tree, Writer, fixture, quoted};

impl Writer<'_> {
    pub(super) fn expression(self, node: NodeId) -> Tree {
        match self.kind(node) {
            NodeKind::Column { relation, name } => {
                Tree::leaf(format!("column {}", quoted([relation, name.as_str()])))
            }
            NodeKind::WholeRow { relation } => {
                Tree::leaf(format!("whole row {}", quoted([relation.as_str()])))
            }
            NodeKind::OutputName(name) => Tree::leaf(format!("column {}", quoted([name.as_str()]))),
            NodeKind::Parameter(slot) => Tree::leaf(match &self.description.slots[slot.0 as usize] {
                SlotType::Declared(ty) => format!("slot {}{}", slot.0, fixture::type_head(ty)),
                SlotType::Context => format!("slot {}", slot.0),
            }),
            NodeKind::Null(ty) => Tree::leaf(format!("null{}", fixture::type_head(ty))),
            NodeKind::Operation(operation) => {
                let head = format!("operator {}", fixture::operator(&operation.operator));
                Tree::new(head, self.expressions(&operation.operands))
            }
            NodeKind::Call(call) => self.call(call),
            NodeKind::Cast(cast) => {
                let ty = fixture::type_head(&cast.ty);
                Tree::new(format!("{CAST}{}", ty.trim_start_matches(TYPE)), vec![self.expression(cast.value)])
            }
            NodeKind::Collate(collate) => {
                let head = format!("collate {}", fixture::collation(&collate.collation));
                Tree::new(head, vec![self.expression(collate.value)])
            }
            NodeKind::Case(case) => {
                let clause =
                    |head, node: Option<NodeId>| Tree::optional(head, node.map(|node| self.expression(node)));
                let mut parts = vec![clause("operand", case.operand)];
                parts.extend(
                    case.arms.iter().map(|arm| Tree::new("when", self.expressions(&[arm.when, arm.then]))),
                );
                parts.push(clause("else", case.otherwise));
                Tree::new("case", parts)
            }
            NodeKind::Boolean(boolean) => {
                let operands = self.expressions(&boolean.operands);
                match boolean.operator {
                    BooleanOperator::And => Tree::associative("and", operands),
                    BooleanOperator::Or => Tree::associative("or", operands),
                    BooleanOperator::Not => Tree::new("not", operands),
                }
            }
            NodeKind::Is(is) => {
                let value = self.expression(is.value);
                let word = match is.test {
                    IsTest::Null => "null",
                    IsTest::True => "true",
                    IsTest::False => "false",
                    IsTest::Unknown => "unknown",
                    IsTest::Json { item, unique_keys } => {
                        let item = match item {
                            JsonItem::Value => "value",
                            JsonItem::Scalar => "scalar",
                            JsonItem::Array => "array",
                            JsonItem::Object => "object",
                        };
                        return negated(
                            is.negated,
                            Tree::new(format!("is json {item} {unique_keys}"), vec![value]),
                        );
                    }
                };
                Tree::new(format!("is {}{word}", if is.negated { "not " } else { "" }), vec![value])
            }
            NodeKind::Special(special) => self.special(special),
            NodeKind::Row(items) => Tree::new("row", self.expressions(items)),
            NodeKind::Array(items) => Tree::new("array", self.expressions(items)),
            NodeKind::Access(access) => {
                let mut parts = vec![self.expression(access.value)];
                let next = match self.kind(access.value) {
                    // An element of a slice is a subscript of its own.
                    NodeKind::Access(inner)
                        if !matches!(
                            (&inner.step, &access.step),
                            (AccessStep::Field(_), _) | (AccessStep::Slice { .. }, AccessStep::Index(_))
                        ) =>
                    {
                        " next dimension"
                    }
                    _ => "",
                };
                let head = match &access.step {
                    AccessStep::Field(field) => format!("field {field:?}"),
                    AccessStep::Index(index) => {
                        parts.push(self.expression(*index));
                        format!("index{next}")
                    }
                    AccessStep::Slice { lower, upper } => {
                        parts.extend(
                            [lower, upper].into_iter().flatten().map(|&bound| self.expression(bound)),
                        );
                        format!("slice {} {}{next}", lower.is_some(), upper.is_some())
                    }
                };
                Tree::new(head, parts)
            }
            NodeKind::Subexpression(sub) => self.subexpression(sub),
            NodeKind::SqlJson(json) => self.sql_json(json),
            other => Tree::leaf(format!("{other:?}")),
        }
    }

    fn call(self, call: &Call) -> Tree {
        let Call { function, arguments, star, distinct, order_by, within_group, filter, over } = call;
        let arguments = arguments.iter().map(|argument| {
            let value = self.expression(argument.value);
            let name = argument.name.as_ref().map(|name| format!(" {name:?}")).unwrap_or_default();
            let variadic = if argument.variadic { " variadic" } else { "" };
            let plain = name.is_empty() && variadic.is_empty();
            if plain { value } else { Tree::new(format!("operand{name}{variadic}"), vec![value]) }
        });
        let mut parts = vec![Tree::new("arguments", arguments.collect())];
        if !order_by.is_empty() {
            parts.push(self.orders("order by", order_by));
        }
        if !within_group.is_empty() {
            parts.push(self.orders("within group", within_group));
        }
        if let Some(condition) = filter {
            parts.push(Tree::new("filter", vec![self.expression(*condition)]));
        }
        match over {
            None => {}
            Some(Over::Named(name)) => parts.push(Tree::leaf(format!("over {name:?}"))),
            Some(Over::Window(window)) => parts.push(self.window("", window)),
        }
        let flags =
            format!("{}{}", if *star { " star" } else { "" }, if *distinct { " distinct" } else { "" });
        Tree::new(format!("call {}{flags}", fixture::function(function)), parts)
    }

    fn special(self, special: &Special) -> Tree {
        let mut operands = self.expressions(&special.operands);
        let not = |negated: &bool| if *negated { "not " } else { "" };
        let call = |name: &str, operands| {
            let head = format!("call {}", quoted(["pg_catalog", name]));
            Tree::new(head, vec![Tree::new("arguments", operands)])
        };
        let syntax = |name: &str, operands| {
            let head = format!("syntax {}", quoted(["pg_catalog", name]));
            Tree::new(head, vec![Tree::new("arguments", operands)])
        };
        let timed =
            |word: &str, digits: Option<u8>| Tree::leaf(format!("{word} {:?}", digits.map(i32::from)));
        let head = match &special.form {
            SpecialForm::Between { symmetric, negated } => {
                format!("{}between{}", not(negated), if *symmetric { " symmetric" } else { "" })
            }
            SpecialForm::DistinctFrom { negated } => format!("{}distinct from", not(negated)),
            SpecialForm::Coalesce => "coalesce".to_owned(),
            SpecialForm::NullIf => "nullif".to_owned(),
            SpecialForm::Greatest => "greatest".to_owned(),
            SpecialForm::Least => "least".to_owned(),
            SpecialForm::Grouping => "grouping".to_owned(),
            // The grammar makes functions of these four, with the arguments in an order of its own.
            SpecialForm::Extract { field } => {
                operands.insert(0, Tree::leaf(format!("word {field:?}")));
                return syntax("extract", operands);
            }
            SpecialForm::AtTimeZone => {
                operands.reverse();
                return syntax("timezone", operands);
            }
            SpecialForm::Overlaps => return syntax("overlaps", operands),
            SpecialForm::LikeEscape { case_insensitive, negated } => {
                let pattern = call("like_escape", operands.split_off(1));
                operands.push(pattern);
                format!("{}{}", not(negated), if *case_insensitive { "ilike" } else { "like" })
            }
            SpecialForm::SimilarTo { negated } => {
                let pattern = call("similar_to_escape", operands.split_off(1));
                operands.push(pattern);
                format!("{}similar", not(negated))
            }
            SpecialForm::CurrentDate => return timed("current_date", None),
            SpecialForm::CurrentTime { precision } => return timed("current_time", *precision),
            SpecialForm::CurrentTimestamp { precision } => return timed("current_timestamp", *precision),
            SpecialForm::LocalTime { precision } => return timed("localtime", *precision),
            SpecialForm::LocalTimestamp { precision } => return timed("localtimestamp", *precision),
        };
        Tree::new(head, operands)
    }

    fn subexpression(self, sub: &Subexpression) -> Tree {
        let of = |quantifier: &Quantifier| match quantifier {
            Quantifier::Any => "any",
            Quantifier::All => "all",
        };
        match sub {
            Subexpression::Scalar(query) => Tree::new("scalar", vec![self.query(*query)]),
            Subexpression::Exists(query) => Tree::new("exists", vec![self.query(*query)]),
            Subexpression::Array(query) => Tree::new("array of", vec![self.query(*query)]),
            Subexpression::In { operand, query, negated: not } => {
                negated(*not, Tree::new("in query", vec![self.expression(*operand), self.query(*query)]))
            }
            Subexpression::InList { operand, items, negated } => {
                let mut parts = vec![self.expression(*operand)];
                match items.as_slice() {
                    [only] => parts.push(self.not_a_query(*only)),
                    several => parts.extend(self.expressions(several)),
                }
                Tree::new(if *negated { "not in list" } else { "in list" }, parts)
            }
            Subexpression::Quantified { operand, operator, quantifier, query } => {
                let head = format!("{} of query {}", of(quantifier), fixture::operator(operator));
                Tree::new(head, vec![self.expression(*operand), self.query(*query)])
            }
            Subexpression::QuantifiedArray { operand, operator, quantifier, array } => {
                let head = format!("{} of array {}", of(quantifier), fixture::operator(operator));
                Tree::new(head, vec![self.expression(*operand), self.not_a_query(*array)])
            }
        }
    }

    /// A scalar subquery where SQL takes a query too is written as the one operand of COALESCE, since there no number of
    /// parentheses makes it an expression.
    fn not_a_query(self, node: NodeId) -> Tree {
        let expression = self.expression(node);
        match self.kind(node) {
            NodeKind::Subexpression(Subexpression::Scalar(_)) => Tree::new("coalesce", vec![expression]),
            _ => expression,
        }
    }
}

/// NOT IN and IS NOT JSON are the negation of the other in the grammar.
fn negated(negated: bool, tree: Tree) -> Tree {
    if negated { Tree::new("not", vec![tree]) } else { tree }
}
