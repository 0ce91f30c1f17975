//! Descriptions of the main constructs, and what a query reads and declares.

mod bodies;
mod expressions;
mod keyset;
mod language;
mod queries;
mod relations;
mod sort;
mod testing;
mod typed;

use callslip_ir::{
    AccessStep, Binding, Bindings, Bound, Description, Distinct, JoinCondition, Materialization, Node,
    NodeId, NodeKind, Over, RelationName, SlotType, Subexpression,
};

use crate::{arena, prelude::*};

/// A description as an S-expression, so that a test shows a tree.
fn tree(description: &Description, bindings: &Bindings) -> String {
    let last = description.nodes.last().expect("a description has nodes");
    write(description, bindings, last)
}

fn write(d: &Description, b: &Bindings, node: &Node) -> String {
    let at = |id: &NodeId| write(d, b, &d.nodes[id.0 as usize]);
    let list = |ids: &[NodeId]| ids.iter().map(at).collect::<Vec<_>>().join(" ");
    let columns = |columns: &[String]| match columns {
        [] => String::new(),
        columns => format!("({})", columns.join(", ")),
    };
    let orders = |orders: &[callslip_ir::Order]| {
        let order = |o: &callslip_ir::Order| format!("{} {:?} {:?}", at(&o.expression), o.direction, o.nulls);
        orders.iter().map(order).collect::<Vec<_>>().join(", ")
    };
    let window = |w: &callslip_ir::Window| {
        let bound = |bound: &Bound| match bound {
            Bound::Preceding(n) => format!("{} preceding", at(n)),
            Bound::Following(n) => format!("{} following", at(n)),
            other => format!("{other:?}"),
        };
        let frame = w.frame.as_ref().map(|f| {
            format!(
                " {:?} {} .. {} {:?}",
                f.mode,
                bound(&f.start),
                f.end.as_ref().map_or_else(String::new, bound),
                f.exclude
            )
        });
        let base = w.base.as_deref().unwrap_or("");
        let (partition, order) = (list(&w.partition_by), orders(&w.order_by));
        format!("{base}[{partition} / {order}{}]", frame.unwrap_or_default())
    };
    match &node.kind {
        NodeKind::Query(q) => {
            let mut text = String::new();
            let recursive = q.with.as_ref().is_some_and(|with| with.recursive);
            text += if recursive { "recursive " } else { "" };
            for cte in q.with.iter().flat_map(|with| &with.ctes) {
                let materialized = match cte.materialized {
                    Materialization::Unspecified => "",
                    Materialization::Materialized => " materialized",
                    Materialization::NotMaterialized => " not materialized",
                };
                text += &format!("with {}{materialized} ({}) ", cte.name, at(&cte.query));
            }
            text += &at(&q.body);
            if !q.order_by.is_empty() {
                text += &format!(" order by {}", orders(&q.order_by));
            }
            if let Some(limit) = &q.limit {
                text += &format!(" limit {}", at(&limit.count));
            }
            if let Some(offset) = &q.offset {
                text += &format!(" offset {}", at(offset));
            }
            text
        }
        NodeKind::Select(s) => {
            let mut text = String::from("select ");
            match &s.distinct {
                Distinct::All => {}
                Distinct::Rows => text += "distinct ",
                Distinct::On(on) => text += &format!("distinct on ({}) ", list(on)),
            }
            let item = |item: &callslip_ir::Item| match &item.alias {
                Some(alias) => format!("{}:{alias}", at(&item.expression)),
                None => at(&item.expression),
            };
            text += &s.items.iter().map(item).collect::<Vec<_>>().join(", ");
            if !s.from.is_empty() {
                text += &format!(" from {}", list(&s.from));
            }
            for (what, id) in [("where", &s.filter), ("having", &s.having)] {
                if let Some(id) = id {
                    text += &format!(" {what} {}", at(id));
                }
            }
            if !s.group_by.is_empty() {
                text += &format!(" group by {}", list(&s.group_by));
            }
            for named in &s.windows {
                text += &format!(" window {} {}", named.name, window(&named.window));
            }
            text
        }
        NodeKind::SetOperation(o) => {
            let all = if o.all { " all" } else { "" };
            format!("({} {:?}{all} {})", at(&o.left), o.operator, at(&o.right))
        }
        NodeKind::GroupingSet(s) => format!("{:?}({})", s.kind, list(&s.items)),
        NodeKind::Row(items) => format!("({})", list(items)),
        NodeKind::Values(v) => {
            format!(
                "values {}",
                v.rows.iter().map(|row| format!("({})", list(row))).collect::<Vec<_>>().join(" ")
            )
        }
        NodeKind::Table(t) => {
            let name = match &t.name {
                RelationName::Stored(name) => name.to_string(),
                RelationName::Cte(name) => format!("cte {name}"),
            };
            let only = if t.only { "only " } else { "" };
            let mut text = format!("{only}{name}:{}{}", t.alias, columns(&t.columns));
            if let Some(sample) = &t.sample {
                text += &format!(" sample {}({})", sample.method, list(&sample.arguments));
                text +=
                    &sample.seed.iter().map(|seed| format!(" repeatable {}", at(seed))).collect::<String>();
            }
            text
        }
        NodeKind::Subquery(s) => {
            let lateral = if s.lateral { "lateral " } else { "" };
            format!("{lateral}({}):{}{}", at(&s.query), s.alias, columns(&s.columns))
        }
        NodeKind::Functions(f) => {
            let function = |function: &callslip_ir::TableFunction| {
                let definition = |its: &callslip_ir::ColumnDefinition| {
                    let collation =
                        its.collation.iter().map(|name| format!(" collate {name}")).collect::<String>();
                    format!("{} {}{collation}", its.name, its.ty)
                };
                let definitions: Vec<String> = function.columns.iter().map(definition).collect();
                format!("{}{}", at(&function.call), columns(&definitions))
            };
            let calls: Vec<String> = f.calls.iter().map(function).collect();
            let lateral = if f.lateral { "lateral " } else { "" };
            let ordinality = if f.ordinality { " ordinality" } else { "" };
            format!("{lateral}rows {}{ordinality}:{}{}", calls.join(" "), f.alias, columns(&f.columns))
        }
        NodeKind::Join(j) => {
            let on = match &j.condition {
                JoinCondition::On(on) => format!(" on {}", at(on)),
                JoinCondition::None => String::new(),
                JoinCondition::Using { columns, alias } => {
                    let alias = alias.iter().map(|alias| format!(":{alias}")).collect::<String>();
                    format!(" using {}{alias}", columns.join(" "))
                }
                JoinCondition::Natural => " natural".to_owned(),
            };
            let alias =
                j.alias.iter().map(|alias| format!(":{alias}{}", columns(&j.columns))).collect::<String>();
            format!("({} {:?} {}{on}){alias}", at(&j.left), j.kind, at(&j.right))
        }
        NodeKind::Column { relation, name } => format!("{relation}.{name}"),
        NodeKind::OutputName(name) => name.clone(),
        NodeKind::Parameter(slot) => match &b[slot.0 as usize] {
            Binding::Parameter(name) => format!("${name}"),
            Binding::Claim(name) => format!("@{name}"),
            Binding::Constant(value) => match &d.slots[slot.0 as usize] {
                SlotType::Context => format!("{value:?}").replace("Some", ""),
                SlotType::Declared(ty) => format!("{}::{}", value.as_deref().unwrap_or("null"), ty.name.name),
            },
        },
        NodeKind::Null(ty) => format!("null::{ty}"),
        NodeKind::Operation(o) => format!("({} {})", o.operator, list(&o.operands)),
        NodeKind::Call(c) => {
            let argument = |a: &callslip_ir::Argument| {
                let name = a.name.as_ref().map(|name| format!("{name} => ")).unwrap_or_default();
                format!("{name}{}{}", if a.variadic { "variadic " } else { "" }, at(&a.value))
            };
            let mut text = format!("{}(", c.function);
            text += if c.star { "*" } else { "" };
            text += if c.distinct { "distinct " } else { "" };
            text += &c.arguments.iter().map(argument).collect::<Vec<_>>().join(", ");
            if !c.order_by.is_empty() {
                text += &format!(" order by {}", orders(&c.order_by));
            }
            text += ")";
            if !c.within_group.is_empty() {
                text += &format!(" within group ({})", orders(&c.within_group));
            }
            if let Some(filter) = &c.filter {
                text += &format!(" filter {}", at(filter));
            }
            match &c.over {
                Some(Over::Named(name)) => text += &format!(" over {name}"),
                Some(Over::Window(w)) => text += &format!(" over {}", window(w)),
                None => {}
            }
            text
        }
        NodeKind::Cast(c) => format!("{}::{}", at(&c.value), c.ty),
        NodeKind::Collate(c) => format!("{} collate {}", at(&c.value), c.collation),
        NodeKind::Case(c) => {
            let mut text = String::from("case");
            text += &c.operand.iter().map(|id| format!(" {}", at(id))).collect::<String>();
            for arm in &c.arms {
                text += &format!(" when {} then {}", at(&arm.when), at(&arm.then));
            }
            text + &c.otherwise.iter().map(|id| format!(" else {}", at(id))).collect::<String>()
        }
        NodeKind::Boolean(o) => format!("({:?} {})", o.operator, list(&o.operands)),
        NodeKind::Is(i) => format!("{} is {}{:?}", at(&i.value), if i.negated { "not " } else { "" }, i.test),
        NodeKind::Special(s) => format!("<{:?}>({})", s.form, list(&s.operands)),
        NodeKind::Subexpression(sub) => match sub {
            Subexpression::Scalar(query) => format!("scalar({})", at(query)),
            Subexpression::Exists(query) => format!("exists({})", at(query)),
            Subexpression::In { operand, query, negated } => {
                format!("{}{} in ({})", at(operand), if *negated { " not" } else { "" }, at(query))
            }
            Subexpression::InList { operand, items, negated } => {
                format!("{}{} in [{}]", at(operand), if *negated { " not" } else { "" }, list(items))
            }
            Subexpression::Array(query) => format!("array({})", at(query)),
            Subexpression::Quantified { operand, operator, quantifier, query } => {
                format!("{} {operator} {quantifier:?} ({})", at(operand), at(query))
            }
            Subexpression::QuantifiedArray { operand, operator, quantifier, array } => {
                format!("{} {operator} {quantifier:?} {}", at(operand), at(array))
            }
        },
        NodeKind::WholeRow { relation } => format!("{relation}.*"),
        NodeKind::Array(items) => format!("[{}]", list(items)),
        NodeKind::Access(access) => {
            let value = at(&access.value);
            let bound = |bound: &Option<NodeId>| bound.as_ref().map(at).unwrap_or_default();
            match &access.step {
                AccessStep::Index(index) => format!("{value}[{}]", at(index)),
                AccessStep::Slice { lower, upper } => format!("{value}[{}:{}]", bound(lower), bound(upper)),
                AccessStep::Field(name) => format!("{value}.{name}"),
            }
        }
        _ => unreachable!("the SDK has no others"),
    }
}

/// The tree of a query, whose description keeps the rules of the format.
fn written(query: Select) -> String {
    let (description, bindings) = arena::describe(query.into_query());
    check(&description, &bindings);
    tree(&description, &bindings)
}

/// Each node refers to earlier ones, is used once, and has a place; the last one is the query.
fn check(description: &Description, bindings: &Bindings) {
    let mut uses = vec![0; description.nodes.len()];
    for (at, node) in description.nodes.iter().enumerate() {
        for child in node.kind.children() {
            assert!((child.0 as usize) < at);
            uses[child.0 as usize] += 1;
        }
        let place = node.place.expect("every node has a place");
        let file = &description.files[place.file as usize];
        assert!(file.starts_with("plugin-sdk/src/tests/"), "{node:?} {file}");
    }
    assert_eq!(uses.pop(), Some(0));
    assert!(uses.iter().all(|uses| *uses == 1));
    assert_eq!(description.slots.len(), bindings.len());
}
