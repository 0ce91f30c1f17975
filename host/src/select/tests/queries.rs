//! What queries are made of, and what a description may say of them that no SDK would.

use callslip_ir::{
    Cycle, Direction, GroupingSet, GroupingSetKind, Limit, Nulls, Order, Search, SearchOrder, SetOperation,
    SetOperator, Values,
};

use super::size::on_a_small_stack;
use super::*;

impl Writer {
    /// The query of a body.
    fn of_body(&mut self, body: NodeKind) -> NodeId {
        let body = self.add(body);
        self.add(NodeKind::Query(Query { with: None, body, order_by: vec![], limit: None, offset: None }))
    }

    fn set_operation(&mut self, operator: SetOperator, left: NodeId, right: NodeId) -> NodeId {
        self.of_body(NodeKind::SetOperation(SetOperation { operator, all: true, left, right }))
    }

    /// `SELECT n AS x FROM t`.
    fn plain(&mut self) -> NodeId {
        let item = self.column("n");
        self.query(item, None)
    }

    /// `SELECT name.x AS x FROM name`.
    fn reading(&mut self, name: &str) -> NodeId {
        let item = self.add(NodeKind::Column { relation: name.into(), name: "x".into() });
        let query = self.query(item, None);
        let table = self.nodes.iter_mut().rev().nth(2);
        let Some(NodeKind::Table(table)) = table else { panic!("its table") };
        (table.name, table.alias) = (RelationName::Cte(name.into()), name.into());
        query
    }

    /// `WITH [RECURSIVE] ctes` before the query that was written last.
    fn with(&mut self, recursive: bool, ctes: Vec<Cte>) {
        match self.nodes.last_mut() {
            Some(NodeKind::Query(query)) => query.with = Some(With { recursive, ctes }),
            other => panic!("not a query: {other:?}"),
        }
    }

    #[track_caller]
    fn message(self) -> String {
        let findings = self.sql().unwrap_err();
        assert_eq!(findings.len(), 1, "{findings:?}");
        findings[0].message.clone()
    }
}

fn cte(name: &str, query: NodeId) -> Cte {
    let materialized = Materialization::Unspecified;
    Cte { name: name.into(), columns: vec![], query, materialized, search: None, cycle: None }
}

#[test]
fn set_operations_and_recursive_ctes_nest_as_deep_as_they_may() {
    let depth = Limits::default().depth;
    on_a_small_stack(move || {
        let mut writer = Writer::default();
        let mut query = writer.plain();
        for _ in 0..depth / 2 - 1 {
            let left = writer.plain();
            query = writer.set_operation(SetOperator::Except, left, query);
        }
        let sql = writer.sql().unwrap();
        assert_eq!(sql.matches("EXCEPT ALL (").count(), depth / 2 - 1);
    });
    on_a_small_stack(move || {
        // Each level is the query of a CTE, whose non-recursive term is the query below.
        let mut writer = Writer::default();
        let mut query = writer.plain();
        let levels = depth / 3 - 1;
        for level in 0..levels {
            let name = format!("r{level}");
            let recursive = writer.reading(&name);
            let union = writer.set_operation(SetOperator::Union, query, recursive);
            query = writer.reading(&name);
            writer.with(true, vec![cte(&name, union)]);
        }
        assert_eq!(writer.sql().unwrap().matches("WITH RECURSIVE").count(), levels);
    });
}

#[test]
fn the_rows_of_values_are_alike() {
    let values = |rows: &[&[&str]]| {
        let mut writer = Writer::default();
        let mut nodes = Vec::new();
        for row in rows {
            nodes.push(
                row.iter().map(|name| writer.slot(SlotType::Declared(TypeName::parse(name)))).collect(),
            );
        }
        writer.of_body(NodeKind::Values(Values { rows: nodes }));
        writer
    };
    assert_eq!(values(&[]).message(), "VALUES needs a row of at least one value");
    assert_eq!(values(&[&[]]).message(), "VALUES needs a row of at least one value");
    assert_eq!(values(&[&["int4"], &["int4", "text"]]).message(), "the rows of VALUES have 1 and 2 values");
    assert_eq!(
        values(&[&["int4"], &["bool"]]).message(),
        "VALUES has values that have no type together: int4, bool"
    );
    let mut wide = Writer::default();
    let null = NodeKind::Null(TypeName::parse("int4"));
    let row = (0..1_601).map(|_| wide.add(null.clone())).collect();
    wide.of_body(NodeKind::Values(Values { rows: vec![row] }));
    assert_eq!(wide.message(), "VALUES has 1601 columns");
    let sql = values(&[&["int4", "text"], &["int4", "text"]]).sql().unwrap();
    let row = r#"(CAST($1 AS "pg_catalog"."int4"), CAST($2 AS "pg_catalog"."text"))"#;
    assert!(sql.contains(&format!("VALUES {row}, ")), "{sql}");

    // Their columns have names, and a constant is of the type of its column.
    let mut writer = Writer::default();
    let row = |writer: &mut Writer, ty| vec![writer.slot(ty)];
    let rows = vec![
        row(&mut writer, SlotType::Context),
        row(&mut writer, SlotType::Declared(TypeName::parse("public.mood"))),
    ];
    let expression = writer.add(NodeKind::OutputName("column1".into()));
    writer.of_body(NodeKind::Values(Values { rows }));
    if let Some(NodeKind::Query(query)) = writer.nodes.last_mut() {
        query.order_by.push(Order {
            expression,
            direction: Direction::Descending,
            nulls: Nulls::Unspecified,
        });
    }
    let sql = writer.sql().unwrap();
    assert!(
        sql.ends_with(
            r#"VALUES (CAST($1 AS "public"."mood")), (CAST($2 AS "public"."mood")) ORDER BY "column1" DESC"#
        ),
        "{sql}"
    );
}

#[test]
fn a_cte_that_is_declared_later_is_not_one_of_that_name_further_out() {
    // PostgreSQL would take the later one, whose column may be of another type than was verified.
    let mut writer = Writer::default();
    let outer = writer.plain();
    let uses = writer.reading("x");
    let later = writer.plain();
    let inner = writer.reading("a");
    writer.with(true, vec![cte("a", uses), cte("x", later)]);
    let scalar = writer.add(NodeKind::Subexpression(Subexpression::Scalar(inner)));
    writer.query(scalar, None);
    writer.with(false, vec![cte("x", outer)]);
    assert_eq!(writer.message(), "the CTE \"x\" is declared after the one that uses it");

    // Without RECURSIVE it is the one further out, to PostgreSQL too.
    let mut writer = Writer::default();
    let outer = writer.plain();
    let uses = writer.reading("x");
    let later = writer.plain();
    let inner = writer.reading("a");
    writer.with(false, vec![cte("a", uses), cte("x", later)]);
    let scalar = writer.add(NodeKind::Subexpression(Subexpression::Scalar(inner)));
    writer.query(scalar, None);
    writer.with(false, vec![cte("x", outer)]);
    assert!(writer.sql().is_ok());
}

#[test]
fn a_cte_that_is_hidden_is_no_reference_of_the_recursive_one() {
    // `r` inside is another one, so that the outer one is not recursive and need not be a UNION.
    for recursive in [false, true] {
        let mut writer = Writer::default();
        let hiding = writer.plain();
        let query = writer.reading("r");
        writer.with(recursive, vec![cte("r", hiding)]);
        let _ = writer.reading("r");
        writer.with(true, vec![cte("r", query)]);
        assert!(writer.sql().is_ok(), "{recursive}");
    }
    // Before it is declared it is the recursive one still.
    let mut writer = Writer::default();
    let before = writer.reading("r");
    let hiding = writer.plain();
    let query = writer.reading("r");
    writer.with(false, vec![cte("before", before), cte("r", hiding)]);
    let _ = writer.reading("r");
    writer.with(true, vec![cte("r", query)]);
    assert_eq!(
        writer.message(),
        "the recursive CTE \"r\" is not of the form: non-recursive term UNION [ALL] recursive term"
    );
}

#[test]
fn a_with_a_side_and_a_search_that_make_no_sense_are_found() {
    let mut writer = Writer::default();
    writer.plain();
    writer.with(true, vec![]);
    assert_eq!(writer.message(), "WITH declares no CTE");

    // A side of a set operation that is no query.
    let mut writer = Writer::default();
    let (left, right) = (writer.plain(), writer.column("n"));
    writer.set_operation(SetOperator::Union, left, right);
    assert!(writer.sql().unwrap_err().iter().all(|finding| finding.code == Code::InvalidStructure));

    // SEARCH and CYCLE without columns, with sides that are no SELECT.
    let mut writer = Writer::default();
    let (a, b) = (writer.plain(), writer.plain());
    let left = writer.set_operation(SetOperator::Union, a, b);
    let right = writer.reading("r");
    let union = writer.set_operation(SetOperator::Union, left, right);
    let value = writer.column("n");
    let default = writer.slot(SlotType::Context);
    let search = Some(Search { order: SearchOrder::Depth, by: vec![], set: String::new() });
    let cycle =
        Some(Cycle { columns: vec![], mark: "m".into(), values: Some((value, default)), path: "m".into() });
    let _ = writer.reading("r");
    writer.with(true, vec![Cte { search, cycle, ..cte("r", union) }]);
    let mut found: Vec<String> =
        writer.sql().unwrap_err().into_iter().map(|finding| finding.message).collect();
    found.sort();
    assert_eq!(
        found,
        [
            "CYCLE names no column",
            "SEARCH names no column",
            "a value of CYCLE is a constant or a parameter",
            "the CTE \"r\" has a column \"m\" already",
            "the name of a column of SEARCH or CYCLE \"\" is empty",
            "with SEARCH or CYCLE each side of the UNION is a SELECT",
        ]
    );

    // A grouping set where an expression belongs.
    let mut writer = Writer::default();
    let column = writer.column("n");
    let set =
        writer.add(NodeKind::GroupingSet(GroupingSet { kind: GroupingSetKind::Cube, items: vec![column] }));
    writer.query(set, None);
    assert_eq!(writer.sql().unwrap_err()[0].code, Code::InvalidStructure);
}

#[test]
fn with_ties_needs_an_order_whatever_the_body() {
    let mut writer = Writer::default();
    let (left, right) = (writer.plain(), writer.plain());
    let count = writer.slot(SlotType::Context);
    writer.set_operation(SetOperator::Union, left, right);
    if let Some(NodeKind::Query(query)) = writer.nodes.last_mut() {
        query.limit = Some(Limit { count, with_ties: true });
    }
    assert_eq!(writer.message(), "FETCH FIRST … WITH TIES needs an ORDER BY");
}

#[test]
fn columns_of_every_body_are_cast_to_text_around_it() {
    let mut writer = Writer::default();
    let (left, right) = (writer.plain(), writer.plain());
    writer.set_operation(SetOperator::Intersect, left, right);
    let forms = [ColumnForm::Text];
    let sql = writer.printed(&forms).unwrap();
    assert!(
        sql.ends_with(
            r#"SELECT CAST("q"."x" AS "pg_catalog"."text") AS "x" FROM ((SELECT "t"."n" AS "x" FROM "public"."t" AS "t") INTERSECT ALL (SELECT "t"."n" AS "x" FROM "public"."t" AS "t")) AS "q""#
        ),
        "{sql}"
    );
}

#[test]
fn many_recursive_ctes_cost_no_more_than_their_nodes() {
    let mut writer = Writer::default();
    let mut ctes = Vec::new();
    for index in 0..400 {
        let name = format!("r{index}");
        let (first, recursive) = (writer.plain(), writer.reading(&name));
        ctes.push(cte(&name, writer.set_operation(SetOperator::Union, first, recursive)));
    }
    let _ = writer.reading("r399");
    writer.with(true, ctes);
    let started = std::time::Instant::now();
    assert_eq!(writer.sql().unwrap().matches(" UNION ALL ").count(), 400);
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}
