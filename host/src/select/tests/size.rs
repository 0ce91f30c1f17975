//! What the largest and deepest descriptions take.

use super::windows::{named_window, over, with_windows};
use super::*;

/// Runs with three quarters of the stack of tokio's worker threads: what calls the verifier is on it too.
pub(super) fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(3 << 19).spawn(test).unwrap().join().unwrap();
}

#[test]
fn the_deepest_description_fits_on_a_small_stack() {
    on_a_small_stack(|| {
        let depth = Limits::default().depth;
        let mut writer = Writer::default();
        let mut condition = writer.column("b");
        // Below it the query and its body.
        for _ in 0..depth - 2 {
            condition = writer.add(NodeKind::Boolean(Boolean {
                operator: BooleanOperator::Not,
                operands: vec![condition],
            }));
        }
        let item = writer.column("n");
        writer.query(item, Some(condition));
        let sql = writer.sql().unwrap();
        assert_eq!(sql.matches("NOT").count(), depth - 2);
    });
    on_a_small_stack(|| {
        // A query takes three levels: itself, its body, and the expression around it.
        let queries = Limits::default().depth / 3;
        let mut writer = Writer::default();
        let item = writer.column("n");
        let mut query = writer.query(item, None);
        for _ in 1..queries {
            let exists = writer.add(NodeKind::Subexpression(Subexpression::Exists(query)));
            let item = writer.column("n");
            query = writer.query(item, Some(exists));
        }
        assert_eq!(writer.sql().unwrap().matches("EXISTS").count(), queries - 1);
    });
}

#[test]
fn every_construct_that_nests_fits_on_a_small_stack() {
    let depth = Limits::default().depth;
    on_a_small_stack(move || {
        let mut writer = Writer::default();
        let mut item = text(&mut writer);
        for _ in 0..depth - 2 {
            item = writer.add(NodeKind::Call(call("upper", vec![item])));
        }
        writer.query(item, None);
        assert_eq!(writer.sql().unwrap().matches("upper").count(), depth - 2);
    });
    on_a_small_stack(move || {
        let mut writer = Writer::default();
        let mut item = writer.column("n");
        for _ in 0..depth - 2 {
            let when = writer.column("b");
            let arms = vec![CaseArm { when, then: item }];
            item = writer.add(NodeKind::Case(Case { operand: None, arms, otherwise: None }));
        }
        writer.query(item, None);
        assert_eq!(writer.sql().unwrap().matches("CASE").count(), depth - 2);
    });
    on_a_small_stack(move || {
        let mut writer = Writer::default();
        let item = writer.column("n");
        writer.query(item, None);
        // The table, the select and the query are last; the joins go between.
        let (query, select) = (writer.nodes.pop().unwrap(), writer.nodes.pop().unwrap());
        let mut left = NodeId(writer.nodes.len() as u32 - 1);
        for index in 0..depth - 2 {
            let name = RelationName::Stored(QualifiedName::new("t"));
            let table =
                Table { name, alias: format!("t{index}"), columns: vec![], only: false, sample: None };
            let right = writer.add(NodeKind::Table(table));
            let (kind, condition) = (callslip_ir::JoinKind::Cross, callslip_ir::JoinCondition::None);
            let join = callslip_ir::Join { kind, left, right, condition, alias: None, columns: vec![] };
            left = writer.add(NodeKind::Join(join));
        }
        let (NodeKind::Select(mut select), NodeKind::Query(mut query)) = (select, query) else {
            panic!("its order")
        };
        select.from = vec![left];
        query.body = writer.add(NodeKind::Select(select));
        writer.add(NodeKind::Query(query));
        assert_eq!(writer.sql().unwrap().matches("CROSS JOIN").count(), depth - 2);
    });
    on_a_small_stack(move || {
        // Each is a query, its body, and the relation that it is.
        let queries = depth / 3;
        let mut writer = Writer::default();
        let item = writer.column("n");
        let mut query = writer.query(item, None);
        for _ in 1..queries {
            let (alias, columns) = ("t".to_owned(), vec!["n".to_owned()]);
            let subquery = callslip_ir::Subquery { query, lateral: true, alias, columns };
            let from = writer.add(NodeKind::Subquery(subquery));
            let item = writer.column("n");
            writer.query(item, None);
            // Instead of the table, which nothing may leave unused.
            let (outer, body) = (writer.nodes.pop().unwrap(), writer.nodes.pop().unwrap());
            writer.nodes.pop();
            let (NodeKind::Query(mut outer), NodeKind::Select(mut body)) = (outer, body) else {
                panic!("its order")
            };
            body.from = vec![from];
            outer.body = writer.add(NodeKind::Select(body));
            query = writer.add(NodeKind::Query(outer));
        }
        assert_eq!(writer.sql().unwrap().matches("LATERAL").count(), queries - 1);
    });
}

#[test]
fn a_thousand_conditions_are_one_level() {
    let mut writer = Writer::default();
    let operands = (0..1000).map(|_| writer.column("b")).collect();
    let all = writer.add(NodeKind::Boolean(Boolean { operator: BooleanOperator::And, operands }));
    let item = writer.column("n");
    writer.query(item, Some(all));
    assert_eq!(writer.sql().unwrap().matches(" AND ").count(), 999);
}

#[test]
fn wide_descriptions_fit_on_a_small_stack_and_in_little_text() {
    on_a_small_stack(|| {
        let mut writer = Writer::default();
        let cte = |index| {
            let item = writer.column("n");
            let query = writer.query(item, None);
            let materialized = Materialization::Unspecified;
            Cte { name: format!("c{index}"), columns: vec![], query, materialized, search: None, cycle: None }
        };
        let ctes: Vec<Cte> = (0..900).map(cte).collect();
        let item = writer.column("n");
        writer.query(item, None);
        if let Some(NodeKind::Query(query)) = writer.nodes.last_mut() {
            query.with = Some(With { recursive: false, ctes });
        }
        assert_eq!(writer.sql().unwrap().matches("AS (SELECT").count(), 900);
    });
    on_a_small_stack(|| {
        let mut writer = Writer::default();
        let arms =
            (0..2_000).map(|_| CaseArm { when: writer.column("b"), then: writer.column("n") }).collect();
        let item = writer.add(NodeKind::Case(Case { operand: None, arms, otherwise: None }));
        writer.query(item, None);
        assert_eq!(writer.sql().unwrap().matches("WHEN").count(), 2_000);
    });
    on_a_small_stack(|| {
        // Many uses of a wide window, which is written once.
        let mut writer = Writer::default();
        let columns: Vec<NodeId> = (0..1_000).map(|_| writer.column("n")).collect();
        writer.slots = vec![SlotType::Declared(TypeName::parse("text"))];
        let window_use = |_| {
            let argument = writer.add(NodeKind::Parameter(SlotId(0)));
            writer.add(over("w", argument))
        };
        let uses: Vec<NodeId> = (0..1_000).map(window_use).collect();
        let operands = uses
            .into_iter()
            .map(|value| writer.add(NodeKind::Is(Is { value, test: IsTest::Null, negated: false })))
            .collect();
        let item = writer.add(NodeKind::Boolean(Boolean { operator: BooleanOperator::And, operands }));
        writer.query(item, None);
        with_windows(&mut writer, vec![named_window("w", columns)]);
        assert!(writer.sql().unwrap().len() < 200_000);
    });
}

#[test]
fn names_cost_no_more_than_nodes_do() {
    // Thousands of windows, which have no nodes of their own.
    let mut writer = Writer::default();
    let item = writer.column("n");
    writer.query(item, None);
    with_windows(&mut writer, (0..50_000).map(|index| named_window(&format!("w{index}"), vec![])).collect());
    assert_eq!(writer.sql().unwrap_err()[0].code, Code::DescriptionTooLarge);

    // Many wrong names against many long ones.
    let mut writer = Writer::default();
    let item = writer.column("n");
    let query = writer.query(item, None);
    let aliases: Vec<Item> = (0..1_500)
        .map(|index| {
            let expression = writer.column("n");
            Item { expression, alias: Some(format!("{index:063}")) }
        })
        .collect();
    let orders: Vec<callslip_ir::Order> = (0..1_500)
        .map(|index| callslip_ir::Order {
            expression: writer.add(NodeKind::OutputName(format!("{index:x>63}"))),
            direction: callslip_ir::Direction::Ascending,
            nulls: callslip_ir::Nulls::Unspecified,
        })
        .collect();
    let exists = writer.add(NodeKind::Subexpression(Subexpression::Exists(query)));
    let item = writer.column("n");
    writer.query(item, Some(exists));
    if let Some(NodeKind::Query(query)) = writer.nodes.last_mut() {
        query.order_by = orders;
    }
    if let Some(NodeKind::Select(select)) = writer.nodes.iter_mut().rev().nth(1) {
        select.items.extend(aliases);
    }
    let started = std::time::Instant::now();
    assert_eq!(writer.sql().unwrap_err().len(), 100);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn findings_are_enough_at_a_hundred_and_cost_no_more() {
    let mut writer = Writer::default();
    let items: Vec<NodeId> =
        (0..4_000).map(|index| writer.column(&format!("no_such_column_{index}"))).collect();
    let item = writer.add(NodeKind::Array(items));
    writer.query(item, None);
    let started = std::time::Instant::now();
    assert_eq!(writer.sql().unwrap_err().len(), 100);
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}
