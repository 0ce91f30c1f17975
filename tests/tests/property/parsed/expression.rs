use pg_query::NodeEnum;
use pg_query::protobuf::{
    AArrayExpr, AConst, AExpr, AExprKind, AIndices, AIndirection, BoolExpr, BoolExprType, BoolTestType,
    BooleanTest, CaseExpr, CaseWhen, CoalesceExpr, CoercionForm, CollateClause, ColumnRef, FuncCall,
    GroupingFunc, GroupingSet, GroupingSetKind, Integer, List, MinMaxExpr, MinMaxOp, NamedArgExpr, Node,
    NullTest, NullTestType, RowExpr, SqlValueFunction, SqlValueFunctionOp, SubLink, SubLinkType, TypeCast,
    TypeName, WindowDef, a_const::Val,
};

use super::super::tree::{CAST, TYPE};
use super::{Read, Reader, Tree, qualified, strings, unexpected};

/// A type with its modifiers as the heads of trees have it.
pub fn type_head(ty: &TypeName) -> Result<String, String> {
    let TypeName { names, type_oid: _, setof, pct_type, typmods, typemod: _, array_bounds, location: _ } = ty;
    if *setof || *pct_type || array_bounds.len() > 1 {
        return unexpected("a type", ty);
    }
    let mut modifiers = Vec::new();
    for modifier in typmods {
        match &modifier.node {
            Some(NodeEnum::AConst(AConst { val: Some(Val::Ival(Integer { ival })), .. })) => {
                modifiers.push(*ival)
            }
            other => return unexpected("a type modifier", other),
        }
    }
    let array = if array_bounds.is_empty() { "" } else { "[]" };
    Ok(format!("{TYPE}{}{modifiers:?}{array}", qualified(names)?))
}

impl Reader<'_> {
    pub(super) fn expression(&mut self, node: Option<&Node>) -> Read {
        let Some(node) = node.and_then(|node| node.node.as_ref()) else {
            return unexpected("nothing", &node);
        };
        match node {
            NodeEnum::ColumnRef(ColumnRef { fields, location: _ }) => match fields.as_slice() {
                [relation @ .., Node { node: Some(NodeEnum::AStar(_)) }] => {
                    Ok(Tree::leaf(format!("whole row {}", qualified(relation)?)))
                }
                names => Ok(Tree::leaf(format!("column {}", qualified(names)?))),
            },
            NodeEnum::TypeCast(cast) => self.cast(cast),
            NodeEnum::AConst(constant) => constant_tree(constant),
            NodeEnum::AExpr(operation) => self.operation(operation),
            NodeEnum::FuncCall(call) => self.call(call),
            NodeEnum::CollateClause(collate) => {
                let CollateClause { arg, collname, location: _ } = collate.as_ref();
                let head = format!("collate {}", qualified(collname)?);
                Ok(Tree::new(head, vec![self.expression(arg.as_deref())?]))
            }
            NodeEnum::CaseExpr(case) => self.case(case),
            NodeEnum::BoolExpr(boolean) => {
                let BoolExpr { xpr: _, boolop, args, location: _ } = boolean.as_ref();
                let parts = self.expressions(args)?;
                match BoolExprType::try_from(*boolop) {
                    Ok(BoolExprType::AndExpr) => Ok(Tree::associative("and", parts)),
                    Ok(BoolExprType::OrExpr) => Ok(Tree::associative("or", parts)),
                    Ok(BoolExprType::NotExpr) => Ok(Tree::new("not", parts)),
                    other => unexpected("AND, OR, NOT", &other),
                }
            }
            NodeEnum::NullTest(test) => {
                let NullTest { xpr: _, arg, nulltesttype, argisrow: _, location: _ } = test.as_ref();
                let head = match NullTestType::try_from(*nulltesttype) {
                    Ok(NullTestType::IsNull) => "is null",
                    Ok(NullTestType::IsNotNull) => "is not null",
                    other => return unexpected("IS NULL", &other),
                };
                Ok(Tree::new(head, vec![self.expression(arg.as_deref())?]))
            }
            NodeEnum::BooleanTest(test) => {
                let BooleanTest { xpr: _, arg, booltesttype, location: _ } = test.as_ref();
                let head = match BoolTestType::try_from(*booltesttype) {
                    Ok(BoolTestType::IsTrue) => "is true",
                    Ok(BoolTestType::IsNotTrue) => "is not true",
                    Ok(BoolTestType::IsFalse) => "is false",
                    Ok(BoolTestType::IsNotFalse) => "is not false",
                    Ok(BoolTestType::IsUnknown) => "is unknown",
                    Ok(BoolTestType::IsNotUnknown) => "is not unknown",
                    other => return unexpected("IS TRUE", &other),
                };
                Ok(Tree::new(head, vec![self.expression(arg.as_deref())?]))
            }
            NodeEnum::SubLink(link) => self.sub_link(link),
            NodeEnum::RowExpr(row) => {
                let RowExpr { xpr: _, args, row_typeid: _, row_format, colnames, location: _ } = row.as_ref();
                let head = match CoercionForm::try_from(*row_format) {
                    Ok(CoercionForm::CoerceExplicitCall) => "row explicit",
                    Ok(CoercionForm::CoerceImplicitCast) => "row implicit",
                    other => return unexpected("a row", &other),
                };
                if !colnames.is_empty() {
                    return unexpected("a row", row);
                }
                Ok(Tree::new(head, self.expressions(args)?))
            }
            NodeEnum::AArrayExpr(AArrayExpr { elements, list_start: _, list_end: _, location: _ }) => {
                Ok(Tree::new("array", self.expressions(elements)?))
            }
            NodeEnum::AIndirection(access) => {
                let AIndirection { arg, indirection } = access.as_ref();
                let value = self.expression(arg.as_deref())?;
                self.access(value, indirection)
            }
            NodeEnum::CoalesceExpr(coalesce) => {
                let CoalesceExpr { xpr: _, coalescetype: _, coalescecollid: _, args, location: _ } =
                    coalesce.as_ref();
                Ok(Tree::new("coalesce", self.expressions(args)?))
            }
            NodeEnum::MinMaxExpr(extreme) => {
                let MinMaxExpr {
                    xpr: _,
                    minmaxtype: _,
                    minmaxcollid: _,
                    inputcollid: _,
                    op,
                    args,
                    location: _,
                } = extreme.as_ref();
                let head = match MinMaxOp::try_from(*op) {
                    Ok(MinMaxOp::IsGreatest) => "greatest",
                    Ok(MinMaxOp::IsLeast) => "least",
                    other => return unexpected("GREATEST", &other),
                };
                Ok(Tree::new(head, self.expressions(args)?))
            }
            NodeEnum::GroupingFunc(grouping) => {
                let GroupingFunc { xpr: _, args, refs: _, agglevelsup: _, location: _ } = grouping.as_ref();
                Ok(Tree::new("grouping", self.expressions(args)?))
            }
            NodeEnum::GroupingSet(GroupingSet { kind, content, location: _ }) => {
                let head = match GroupingSetKind::try_from(*kind) {
                    Ok(GroupingSetKind::GroupingSetEmpty) => "empty set",
                    Ok(GroupingSetKind::GroupingSetRollup) => "rollup",
                    Ok(GroupingSetKind::GroupingSetCube) => "cube",
                    Ok(GroupingSetKind::GroupingSetSets) => "sets",
                    other => return unexpected("a grouping set", &other),
                };
                Ok(Tree::new(head, self.expressions(content)?))
            }
            NodeEnum::SqlvalueFunction(function) => {
                let SqlValueFunction { xpr: _, op, r#type: _, typmod, location: _ } = function.as_ref();
                let (head, precise) = match SqlValueFunctionOp::try_from(*op) {
                    Ok(SqlValueFunctionOp::SvfopCurrentDate) => ("current_date", false),
                    Ok(SqlValueFunctionOp::SvfopCurrentTime) => ("current_time", false),
                    Ok(SqlValueFunctionOp::SvfopCurrentTimeN) => ("current_time", true),
                    Ok(SqlValueFunctionOp::SvfopCurrentTimestamp) => ("current_timestamp", false),
                    Ok(SqlValueFunctionOp::SvfopCurrentTimestampN) => ("current_timestamp", true),
                    Ok(SqlValueFunctionOp::SvfopLocaltime) => ("localtime", false),
                    Ok(SqlValueFunctionOp::SvfopLocaltimeN) => ("localtime", true),
                    Ok(SqlValueFunctionOp::SvfopLocaltimestamp) => ("localtimestamp", false),
                    Ok(SqlValueFunctionOp::SvfopLocaltimestampN) => ("localtimestamp", true),
                    other => return unexpected("a function without parentheses", &other),
                };
                Ok(Tree::leaf(format!("{head} {:?}", precise.then_some(*typmod))))
            }
            other => self.json(other),
        }
    }

    fn cast(&mut self, cast: &TypeCast) -> Read {
        let TypeCast { arg, type_name, location: _ } = cast;
        let ty = match type_name {
            Some(ty) => type_head(ty)?,
            None => return unexpected("a cast", cast),
        };
        match arg.as_ref().and_then(|node| node.node.as_ref()) {
            Some(NodeEnum::ParamRef(parameter)) => {
                let number = parameter.number;
                if !self.numbers.contains(&number) {
                    self.numbers.push(number);
                }
                let index = usize::try_from(number - 1).map_err(|error| error.to_string())?;
                let Some(bound) = self.parameters.get(index) else {
                    return Err(format!("nothing is bound to ${number}"));
                };
                if bound.ty != ty {
                    return Err(format!("${number} is bound{} and read{ty}", bound.ty));
                }
                Ok(Tree::leaf(format!("slot {}{ty}", bound.slot)))
            }
            Some(NodeEnum::AConst(AConst { isnull: true, .. })) => Ok(Tree::leaf(format!("null{ty}"))),
            _ => {
                let value = self.expression(arg.as_deref())?;
                Ok(Tree::new(format!("{CAST}{}", ty.trim_start_matches(TYPE)), vec![value]))
            }
        }
    }

    fn operation(&mut self, operation: &AExpr) -> Read {
        let AExpr { kind, name, lexpr, rexpr, rexpr_list_start: _, rexpr_list_end: _, location: _ } =
            operation;
        let Ok(kind) = AExprKind::try_from(*kind) else { return unexpected("an operation", operation) };
        let names = strings(name)?;
        let list = |reader: &mut Self| match rexpr.as_ref().and_then(|node| node.node.as_ref()) {
            Some(NodeEnum::List(List { items })) => reader.expressions(items),
            other => unexpected("a list", &other),
        };
        let head = match (kind, names.as_slice()) {
            (AExprKind::AexprOp, _) => format!("operator {}", qualified(name)?),
            (AExprKind::AexprOpAny, _) => format!("any of array {}", qualified(name)?),
            (AExprKind::AexprOpAll, _) => format!("all of array {}", qualified(name)?),
            (AExprKind::AexprDistinct, ["="]) => "distinct from".to_owned(),
            (AExprKind::AexprNotDistinct, ["="]) => "not distinct from".to_owned(),
            (AExprKind::AexprNullif, ["="]) => "nullif".to_owned(),
            (AExprKind::AexprIn, ["="]) => "in list".to_owned(),
            (AExprKind::AexprIn, ["<>"]) => "not in list".to_owned(),
            (AExprKind::AexprLike, ["~~"]) => "like".to_owned(),
            (AExprKind::AexprLike, ["!~~"]) => "not like".to_owned(),
            (AExprKind::AexprIlike, ["~~*"]) => "ilike".to_owned(),
            (AExprKind::AexprIlike, ["!~~*"]) => "not ilike".to_owned(),
            (AExprKind::AexprSimilar, ["~"]) => "similar".to_owned(),
            (AExprKind::AexprSimilar, ["!~"]) => "not similar".to_owned(),
            (AExprKind::AexprBetween, _) => "between".to_owned(),
            (AExprKind::AexprNotBetween, _) => "not between".to_owned(),
            (AExprKind::AexprBetweenSym, _) => "between symmetric".to_owned(),
            (AExprKind::AexprNotBetweenSym, _) => "not between symmetric".to_owned(),
            _ => return unexpected("an operation", operation),
        };
        let mut parts = Vec::new();
        if lexpr.is_some() {
            parts.push(self.expression(lexpr.as_deref())?);
        }
        match kind {
            AExprKind::AexprIn
            | AExprKind::AexprBetween
            | AExprKind::AexprNotBetween
            | AExprKind::AexprBetweenSym
            | AExprKind::AexprNotBetweenSym => parts.extend(list(self)?),
            _ => parts.push(self.expression(rexpr.as_deref())?),
        }
        Ok(Tree::new(head, parts))
    }

    fn call(&mut self, call: &FuncCall) -> Read {
        let FuncCall {
            funcname,
            args,
            agg_order,
            agg_filter,
            over,
            agg_within_group,
            agg_star,
            agg_distinct,
            func_variadic,
            funcformat,
            location: _,
        } = call;
        let mut arguments = Vec::new();
        for (index, argument) in args.iter().enumerate() {
            let (name, value) = match &argument.node {
                Some(NodeEnum::NamedArgExpr(named)) => {
                    let NamedArgExpr { xpr: _, arg, name, argnumber: _, location: _ } = named.as_ref();
                    (format!(" {name:?}"), self.expression(arg.as_deref())?)
                }
                _ => (String::new(), self.expression(Some(argument))?),
            };
            let variadic = if *func_variadic && index + 1 == args.len() { " variadic" } else { "" };
            let plain = name.is_empty() && variadic.is_empty();
            arguments.push(if plain {
                value
            } else {
                Tree::new(format!("operand{name}{variadic}"), vec![value])
            });
        }
        let form = match CoercionForm::try_from(*funcformat) {
            Ok(CoercionForm::CoerceExplicitCall) => "call",
            Ok(CoercionForm::CoerceSqlSyntax) => "syntax",
            other => return unexpected("a call", &other),
        };
        let mut head = format!("{form} {}", qualified(funcname)?);
        for (flag, word) in [(agg_star, " star"), (agg_distinct, " distinct")] {
            head.push_str(if *flag { word } else { "" });
        }
        let mut parts = vec![Tree::new("arguments", arguments)];
        if !agg_order.is_empty() {
            let clause = if *agg_within_group { "within group" } else { "order by" };
            parts.push(self.orders(clause, agg_order)?);
        }
        if agg_filter.is_some() {
            parts.push(self.optional("filter", agg_filter.as_deref())?);
        }
        if let Some(over) = over {
            parts.push(self.window(over, false)?);
        }
        Ok(Tree::new(head, parts))
    }

    /// What stands after OVER, or a window of the WINDOW clause.
    pub(super) fn window(&mut self, window: &WindowDef, in_clause: bool) -> Read {
        let WindowDef {
            name,
            refname,
            partition_clause,
            order_clause,
            frame_options,
            start_offset,
            end_offset,
            location: _,
        } = window;
        if !in_clause && !name.is_empty() {
            return Ok(Tree::leaf(format!("over {name:?}")));
        }
        let partition = Tree::new("partition by", self.expressions(partition_clause)?);
        let order = self.orders("order by", order_clause)?;
        let mut offsets = Vec::new();
        for offset in [start_offset, end_offset].into_iter().flatten() {
            offsets.push(self.expression(Some(offset))?);
        }
        let frame = Tree::new(format!("frame \"{frame_options:#x}\""), offsets);
        Ok(Tree::new(format!("window {name:?} {refname:?}"), vec![partition, order, frame]))
    }

    fn case(&mut self, case: &CaseExpr) -> Read {
        let CaseExpr { xpr: _, casetype: _, casecollid: _, arg, args, defresult, location: _ } = case;
        let mut parts = vec![self.optional("operand", arg.as_deref())?];
        for arm in args {
            let Some(NodeEnum::CaseWhen(arm)) = &arm.node else { return unexpected("WHEN", arm) };
            let CaseWhen { xpr: _, expr, result, location: _ } = arm.as_ref();
            parts.push(Tree::new(
                "when",
                vec![self.expression(expr.as_deref())?, self.expression(result.as_deref())?],
            ));
        }
        parts.push(self.optional("else", defresult.as_deref())?);
        Ok(Tree::new("case", parts))
    }

    fn sub_link(&mut self, link: &SubLink) -> Read {
        let SubLink { xpr: _, sub_link_type, sub_link_id: _, testexpr, oper_name, subselect, location: _ } =
            link;
        let head = match (SubLinkType::try_from(*sub_link_type), oper_name.as_slice(), testexpr.is_some()) {
            (Ok(SubLinkType::ExistsSublink), [], false) => "exists".to_owned(),
            (Ok(SubLinkType::ExprSublink), [], false) => "scalar".to_owned(),
            (Ok(SubLinkType::ArraySublink), [], false) => "array of".to_owned(),
            (Ok(SubLinkType::AnySublink), [], true) => "in query".to_owned(),
            (Ok(SubLinkType::AnySublink), operator, true) => format!("any of query {}", qualified(operator)?),
            (Ok(SubLinkType::AllSublink), operator, true) => format!("all of query {}", qualified(operator)?),
            _ => return unexpected("a subquery", link),
        };
        let mut parts = Vec::new();
        if testexpr.is_some() {
            parts.push(self.expression(testexpr.as_deref())?);
        }
        parts.push(self.query(subselect.as_deref())?);
        Ok(Tree::new(head, parts))
    }

    /// The parts that are taken of a value one after the other. Subscripts that stand side by side are one access of
    /// several dimensions, which is not the same as one access of another's result.
    fn access(&mut self, mut value: Tree, steps: &[Node]) -> Read {
        for (index, step) in steps.iter().enumerate() {
            let mut operands = vec![value];
            let head = match &step.node {
                Some(NodeEnum::String(field)) => format!("field {:?}", field.sval),
                Some(NodeEnum::AIndices(subscript)) => {
                    let AIndices { is_slice, lidx, uidx } = subscript.as_ref();
                    let follows = index > 0 && matches!(&steps[index - 1].node, Some(NodeEnum::AIndices(_)));
                    for bound in [lidx, uidx].into_iter().flatten() {
                        operands.push(self.expression(Some(bound))?);
                    }
                    let dimension = if follows { " next dimension" } else { "" };
                    match (is_slice, lidx, uidx) {
                        (false, None, Some(_)) => format!("index{dimension}"),
                        (true, lower, upper) => {
                            format!("slice {} {}{dimension}", lower.is_some(), upper.is_some())
                        }
                        _ => return unexpected("a subscript", subscript),
                    }
                }
                other => return unexpected("a part of a value", other),
            };
            value = Tree::new(head, operands);
        }
        Ok(value)
    }
}

fn constant_tree(constant: &AConst) -> Read {
    let AConst { isnull, val, location: _ } = constant;
    match (isnull, val) {
        (false, Some(Val::Sval(text))) => Ok(Tree::leaf(format!("word {:?}", text.sval))),
        (false, Some(Val::Boolval(value))) => Ok(Tree::leaf(format!("boolean {}", value.boolval))),
        _ => unexpected("a constant", constant),
    }
}
