//! Subqueries where SQL could take them for something else.

use callslip_ir::Quantifier;

use super::*;

/// The condition of a query whose text is this.
fn condition(of: impl FnOnce(&mut Writer, NodeId, NodeId) -> Subexpression) -> String {
    let mut writer = Writer::default();
    let value = writer.column("n");
    let item = writer.column("n");
    let inner = writer.query(item, None);
    let scalar = writer.add(NodeKind::Subexpression(Subexpression::Scalar(inner)));
    let condition = of(&mut writer, value, scalar);
    let condition = writer.add(NodeKind::Subexpression(condition));
    let item = writer.column("n");
    writer.query(item, Some(condition));
    let sql = writer.sql().unwrap();
    sql.split_once(" WHERE ").map(|(_, condition)| condition.to_owned()).unwrap()
}

#[test]
fn a_scalar_subquery_alone_in_a_list_is_not_the_query_of_in() {
    let query = r#"(SELECT "t"."n" AS "x" FROM "public"."t" AS "t")"#;
    let alone =
        condition(|_, operand, item| Subexpression::InList { operand, items: vec![item], negated: false });
    assert_eq!(alone, format!(r#""t"."n" IN (COALESCE({query}))"#));
    let beside = condition(|writer, operand, item| {
        let items = vec![item, writer.column("n")];
        Subexpression::InList { operand, items, negated: true }
    });
    assert_eq!(beside, format!(r#""t"."n" NOT IN ({query}, "t"."n")"#));
}

#[test]
fn a_scalar_subquery_that_gives_an_array_is_not_the_query_of_any() {
    let mut writer = Writer::default();
    let operand = writer.column("n");
    let array = writer.slot(SlotType::Declared(TypeName::parse("int4[]")));
    let inner = writer.query(array, None);
    let array = writer.add(NodeKind::Subexpression(Subexpression::Scalar(inner)));
    let (operator, quantifier) = (QualifiedName::new("="), Quantifier::All);
    let all = Subexpression::QuantifiedArray { operand, operator, quantifier, array };
    let condition = writer.add(NodeKind::Subexpression(all));
    let item = writer.column("n");
    writer.query(item, Some(condition));
    let mut contents = catalog().contents().clone();
    let int4 = contents.types.iter_mut().find(|ty| ty.oid == INT4).unwrap();
    int4.array = Some(1007);
    let (name, kind) = ("_int4".to_owned(), TypeKind::Array { element: INT4 });
    let array = Type { oid: 1007, name, kind, category: 'A', array: None, ..int4.clone() };
    contents.types.push(array);
    let settings = GrantSettings { relations: vec!["t".into()], ..GrantSettings::default() };
    let sql = writer.printed_on(&Catalog::new(contents), &settings, &[]).unwrap();
    assert!(sql.contains(r#" ALL (COALESCE((SELECT CAST($1 AS "pg_catalog"."int4"[]) AS "x""#), "{sql}");
}
