//! Where a named window is seen.

use super::*;

pub(super) fn named_window(name: &str, partition_by: Vec<NodeId>) -> NamedWindow {
    let window = Window { base: None, partition_by, order_by: vec![], frame: None };
    NamedWindow { name: name.into(), window }
}

pub(super) fn over(name: &str, argument: NodeId) -> NodeKind {
    NodeKind::Call(Call { over: Some(Over::Named(name.into())), ..call("first_value", vec![argument]) })
}

/// Gives the select that was written last its windows.
pub(super) fn with_windows(writer: &mut Writer, windows: Vec<NamedWindow>) {
    match writer.nodes.iter_mut().rev().nth(1) {
        Some(NodeKind::Select(select)) => select.windows = windows,
        other => panic!("not a select: {other:?}"),
    }
}

#[test]
fn a_window_is_seen_by_the_select_list_of_its_own_query_and_by_nothing_else() {
    // A window that names itself, by way of a window of that name around it.
    let mut writer = Writer::default();
    let argument = text(&mut writer);
    let itself = writer.add(over("w", argument));
    let argument = text(&mut writer);
    let item = writer.add(over("w", argument));
    let inner = writer.query(item, None);
    with_windows(&mut writer, vec![named_window("w", vec![itself])]);
    let scalar = writer.add(NodeKind::Subexpression(Subexpression::Scalar(inner)));
    writer.query(scalar, None);
    with_windows(&mut writer, vec![named_window("w", vec![])]);
    assert_eq!(writer.sql().unwrap_err()[0].code, Code::UnknownWindow);

    // One that a condition names.
    let mut writer = Writer::default();
    let argument = text(&mut writer);
    let value = writer.add(over("w", argument));
    let condition = writer.add(NodeKind::Is(Is { value, test: IsTest::Null, negated: false }));
    let item = writer.column("n");
    writer.query(item, Some(condition));
    with_windows(&mut writer, vec![named_window("w", vec![])]);
    assert_eq!(writer.sql().unwrap_err()[0].code, Code::UnknownWindow);

    let mut writer = Writer::default();
    let argument = text(&mut writer);
    let item = writer.add(over("w", argument));
    let argument = text(&mut writer);
    let on = writer.add(over("w", argument));
    let column = writer.column("n");
    writer.query(item, None);
    with_windows(&mut writer, vec![named_window("w", vec![column])]);
    if let Some(NodeKind::Select(select)) = writer.nodes.iter_mut().rev().nth(1) {
        select.distinct = Distinct::On(vec![on]);
    }
    let sql = writer.sql().unwrap();
    assert!(
        sql.contains("DISTINCT ON (") && sql.ends_with(r#"AS "t" WINDOW "w" AS (PARTITION BY "t"."n")"#),
        "{sql}"
    );
}
