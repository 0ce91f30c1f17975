//! A SELECT that is written as text, as a description says it: so that a row of the dangers is one text, which the host is told
//! and a bare PostgreSQL is sent. It knows what the rows need, and panics on the rest: what a description can't say is no row of
//! this kind.

use callslip_ir::{
    Access, AccessStep, Argument, Binding, Bindings, Boolean, BooleanOperator, Call, Cast, ColumnDefinition,
    Cte, Description, Direction, Distinct, Functions, Item, Limit, Materialization, Node, NodeId, NodeKind,
    Nulls, Operation, Order, QualifiedName, Query, RelationName, Select, SetOperation, SetOperator, SlotId,
    SlotType, Special, SpecialForm, Subexpression, Subquery, Table, TableFunction, TypeName, With,
};
use pg_query::NodeEnum;
use pg_query::protobuf::{self, a_const::Val};

/// What a plugin answers: a description, and what is bound to its slots.
#[derive(Clone, Debug)]
pub struct Said {
    pub description: Description,
    pub bindings: Bindings,
}

/// The description of a SELECT. Columns are written with the alias of their relation, and relations with an alias.
pub fn described(sql: &str) -> Said {
    let parsed = pg_query::parse(sql, 0).unwrap_or_else(|error| panic!("{error}: {sql}"));
    let [statement] = parsed.protobuf.stmts.as_slice() else { panic!("not one statement: {sql}") };
    let mut writer = Writer::default();
    writer.query(statement.stmt.as_deref());
    let Writer { nodes, slots, bindings } = writer;
    Said { description: Description { slots, files: Vec::new(), nodes }, bindings }
}

#[derive(Default)]
struct Writer {
    nodes: Vec<Node>,
    slots: Vec<SlotType>,
    bindings: Bindings,
}

fn strings(nodes: &[protobuf::Node]) -> Vec<String> {
    let text = |node: &protobuf::Node| match &node.node {
        Some(NodeEnum::String(text)) => text.sval.clone(),
        other => panic!("not a name: {other:?}"),
    };
    nodes.iter().map(text).collect()
}

fn name(nodes: &[protobuf::Node]) -> QualifiedName {
    match strings(nodes).as_slice() {
        [name] => QualifiedName::new(name),
        [schema, name] => QualifiedName::within(schema, name),
        other => panic!("not a name: {other:?}"),
    }
}

fn type_name(ty: &protobuf::TypeName) -> TypeName {
    TypeName { name: name(&ty.names), modifiers: Vec::new(), array: !ty.array_bounds.is_empty() }
}

impl Writer {
    fn add(&mut self, kind: NodeKind) -> NodeId {
        self.nodes.push(Node { kind, place: None });
        NodeId(u32::try_from(self.nodes.len() - 1).expect("few nodes"))
    }

    fn constant(&mut self, ty: Option<&str>, value: &str) -> NodeId {
        let slot = SlotId(u32::try_from(self.slots.len()).expect("few slots"));
        self.slots.push(ty.map_or(SlotType::Context, |ty| SlotType::Declared(TypeName::parse(ty))));
        self.bindings.push(Binding::Constant(Some(value.to_owned())));
        self.add(NodeKind::Parameter(slot))
    }

    fn query(&mut self, node: Option<&protobuf::Node>) -> NodeId {
        match node.and_then(|node| node.node.as_ref()) {
            Some(NodeEnum::SelectStmt(select)) => self.select(select),
            other => panic!("not a query: {other:?}"),
        }
    }

    fn select(&mut self, select: &protobuf::SelectStmt) -> NodeId {
        assert!(
            select.into_clause.is_none() && select.locking_clause.is_empty(),
            "no construct of a description"
        );
        let with = select.with_clause.as_ref().map(|with| With {
            recursive: with.recursive,
            ctes: with.ctes.iter().map(|cte| self.cte(cte)).collect(),
        });
        let body = if let (Some(left), Some(right)) = (&select.larg, &select.rarg) {
            let operator = match select.op() {
                protobuf::SetOperation::SetopUnion => SetOperator::Union,
                other => panic!("no row needs {other:?}"),
            };
            let (left, right) = (self.select(left), self.select(right));
            self.add(NodeKind::SetOperation(SetOperation { operator, all: select.all, left, right }))
        } else {
            let from = select.from_clause.iter().map(|node| self.relation(node)).collect();
            let items =
                select.target_list.iter().enumerate().map(|(index, item)| self.item(index, item)).collect();
            let filter = select.where_clause.as_deref().map(|node| self.expression(node));
            let group_by = select.group_clause.iter().map(|node| self.expression(node)).collect();
            self.add(NodeKind::Select(Select {
                distinct: Distinct::All,
                items,
                from,
                filter,
                group_by,
                group_distinct: false,
                having: None,
                windows: Vec::new(),
            }))
        };
        let order_by = select.sort_clause.iter().map(|node| self.order(node)).collect();
        let limit = select.limit_count.as_deref().map(|node| self.expression(node));
        let offset = select.limit_offset.as_deref().map(|node| self.expression(node));
        let limit = limit.map(|count| Limit { count, with_ties: false });
        self.add(NodeKind::Query(Query { with, body, order_by, limit, offset }))
    }

    fn cte(&mut self, node: &protobuf::Node) -> Cte {
        let Some(NodeEnum::CommonTableExpr(cte)) = &node.node else { panic!("not a CTE: {node:?}") };
        Cte {
            name: cte.ctename.clone(),
            columns: strings(&cte.aliascolnames),
            query: self.query(cte.ctequery.as_deref()),
            materialized: match cte.ctematerialized() {
                protobuf::CteMaterialize::Always => Materialization::Materialized,
                _ => Materialization::Unspecified,
            },
            search: None,
            cycle: None,
        }
    }

    fn item(&mut self, index: usize, node: &protobuf::Node) -> Item {
        let Some(NodeEnum::ResTarget(target)) = &node.node else { panic!("not an item: {node:?}") };
        let alias = if target.name.is_empty() { format!("x{index}") } else { target.name.clone() };
        let expression = self.expression(target.val.as_deref().expect("an expression"));
        Item { expression, alias: Some(alias) }
    }

    fn order(&mut self, node: &protobuf::Node) -> Order {
        let Some(NodeEnum::SortBy(order)) = &node.node else { panic!("not an order: {node:?}") };
        let expression = self.expression(order.node.as_deref().expect("an expression"));
        Order { expression, direction: Direction::Ascending, nulls: Nulls::Unspecified }
    }

    fn relation(&mut self, node: &protobuf::Node) -> NodeId {
        let alias = |alias: &Option<protobuf::Alias>| match alias {
            Some(alias) => (alias.aliasname.clone(), strings(&alias.colnames)),
            None => (String::new(), Vec::new()),
        };
        match node.node.as_ref() {
            Some(NodeEnum::RangeVar(table)) => {
                let (mut alias, columns) = alias(&table.alias);
                if alias.is_empty() {
                    alias.clone_from(&table.relname);
                }
                // A row that needs a CTE names it with this letter.
                let name = match table.schemaname.as_str() {
                    "" if table.relname.starts_with("cte_") => RelationName::Cte(table.relname.clone()),
                    "" => RelationName::Stored(QualifiedName::new(&table.relname)),
                    schema => RelationName::Stored(QualifiedName::within(schema, &table.relname)),
                };
                self.add(NodeKind::Table(Table { name, alias, columns, only: !table.inh, sample: None }))
            }
            Some(NodeEnum::RangeSubselect(subquery)) => {
                let query = self.query(subquery.subquery.as_deref());
                let (alias, columns) = alias(&subquery.alias);
                self.add(NodeKind::Subquery(Subquery { query, lateral: subquery.lateral, alias, columns }))
            }
            Some(NodeEnum::RangeFunction(functions)) => {
                let calls = functions.functions.iter().map(|call| {
                    let Some(NodeEnum::List(list)) = &call.node else { panic!("not a function: {call:?}") };
                    let columns = functions.coldeflist.iter().map(column_definition).collect();
                    TableFunction { call: self.expression(&list.items[0]), columns }
                });
                let calls = calls.collect();
                let (alias, columns) = alias(&functions.alias);
                let (ordinality, lateral) = (functions.ordinality, functions.lateral);
                self.add(NodeKind::Functions(Functions { calls, ordinality, lateral, alias, columns }))
            }
            other => panic!("no row needs {other:?}"),
        }
    }

    fn expression(&mut self, node: &protobuf::Node) -> NodeId {
        match node.node.as_ref() {
            Some(NodeEnum::AConst(constant)) => match constant.val.as_ref() {
                Some(Val::Ival(value)) => self.constant(Some("int4"), &value.ival.to_string()),
                Some(Val::Fval(value)) => self.constant(Some("numeric"), &value.fval),
                Some(Val::Boolval(value)) => self.constant(Some("bool"), &value.boolval.to_string()),
                Some(Val::Sval(value)) => self.constant(None, &value.sval),
                other => panic!("no row needs {other:?}"),
            },
            Some(NodeEnum::TypeCast(cast)) => {
                let ty = type_name(cast.type_name.as_ref().expect("a type"));
                let arg = cast.arg.as_deref().expect("a value");
                if let Some(NodeEnum::AConst(constant)) = &arg.node
                    && constant.isnull
                {
                    return self.add(NodeKind::Null(ty));
                }
                let value = self.expression(arg);
                self.add(NodeKind::Cast(Cast { value, ty }))
            }
            Some(NodeEnum::ColumnRef(column)) => match column.fields.as_slice() {
                [relation, protobuf::Node { node: Some(NodeEnum::AStar(_)) }] => {
                    let relation = strings(std::slice::from_ref(relation)).remove(0);
                    self.add(NodeKind::WholeRow { relation })
                }
                fields => {
                    let [relation, name] = <[String; 2]>::try_from(strings(fields)).expect("alias.column");
                    self.add(NodeKind::Column { relation, name })
                }
            },
            Some(NodeEnum::FuncCall(call)) => self.call(call),
            Some(NodeEnum::AExpr(operation)) => self.operation(operation),
            Some(NodeEnum::BoolExpr(boolean)) => {
                let operands = boolean.args.iter().map(|node| self.expression(node)).collect();
                let operator = match boolean.boolop() {
                    protobuf::BoolExprType::AndExpr => BooleanOperator::And,
                    protobuf::BoolExprType::OrExpr => BooleanOperator::Or,
                    protobuf::BoolExprType::NotExpr => BooleanOperator::Not,
                    other => panic!("not a boolean: {other:?}"),
                };
                self.add(NodeKind::Boolean(Boolean { operator, operands }))
            }
            Some(NodeEnum::SubLink(link)) => {
                let query = self.query(link.subselect.as_deref());
                self.add(NodeKind::Subexpression(match link.sub_link_type() {
                    protobuf::SubLinkType::ExprSublink => Subexpression::Scalar(query),
                    protobuf::SubLinkType::ArraySublink => Subexpression::Array(query),
                    protobuf::SubLinkType::ExistsSublink => Subexpression::Exists(query),
                    other => panic!("no row needs {other:?}"),
                }))
            }
            Some(NodeEnum::AArrayExpr(array)) => {
                let items = array.elements.iter().map(|node| self.expression(node)).collect();
                self.add(NodeKind::Array(items))
            }
            Some(NodeEnum::CoalesceExpr(coalesce)) => {
                let operands = coalesce.args.iter().map(|node| self.expression(node)).collect();
                self.add(NodeKind::Special(Special { form: SpecialForm::Coalesce, operands }))
            }
            Some(NodeEnum::AIndirection(access)) => {
                let mut value = self.expression(access.arg.as_deref().expect("a value"));
                for field in strings(&access.indirection) {
                    value = self.add(NodeKind::Access(Access { value, step: AccessStep::Field(field) }));
                }
                value
            }
            other => panic!("no row needs {other:?}"),
        }
    }

    fn operation(&mut self, operation: &protobuf::AExpr) -> NodeId {
        let operands = [&operation.lexpr, &operation.rexpr];
        let operands = operands.into_iter().flatten().map(|node| self.expression(node)).collect();
        let operator = name(&operation.name);
        match operation.kind() {
            protobuf::AExprKind::AexprOp => self.add(NodeKind::Operation(Operation { operator, operands })),
            // The grammar names the operator of LIKE.
            protobuf::AExprKind::AexprLike => self.add(NodeKind::Operation(Operation { operator, operands })),
            other => panic!("no row needs {other:?}"),
        }
    }

    fn call(&mut self, call: &protobuf::FuncCall) -> NodeId {
        let last = call.args.len().saturating_sub(1);
        let arguments = call.args.iter().enumerate().map(|(index, node)| {
            let (name, value) = match node.node.as_ref() {
                Some(NodeEnum::NamedArgExpr(named)) => {
                    (Some(named.name.clone()), self.expression(named.arg.as_deref().expect("a value")))
                }
                _ => (None, self.expression(node)),
            };
            Argument { name, variadic: call.func_variadic && index == last, value }
        });
        let arguments = arguments.collect();
        let order_by = call.agg_order.iter().map(|node| self.order(node)).collect();
        assert!(
            call.over.is_none() && call.agg_filter.is_none() && !call.agg_within_group,
            "no row needs it"
        );
        self.add(NodeKind::Call(Call {
            function: name(&call.funcname),
            arguments,
            star: call.agg_star,
            distinct: call.agg_distinct,
            order_by,
            within_group: Vec::new(),
            filter: None,
            over: None,
        }))
    }
}

fn column_definition(node: &protobuf::Node) -> ColumnDefinition {
    let Some(NodeEnum::ColumnDef(column)) = &node.node else { panic!("not a column: {node:?}") };
    let ty = type_name(column.type_name.as_ref().expect("a type"));
    ColumnDefinition { name: column.colname.clone(), ty, collation: None }
}
