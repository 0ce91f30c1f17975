use callslip_ir::{
    Boolean, BooleanOperator, Description, Distinct, Item, Node, NodeId, NodeKind, Operation, QualifiedName,
    Query, RelationName, Select, SlotId, SlotType, Subexpression, Table, TypeName,
};

use super::*;
use crate::Code;
use crate::catalog::{
    Catalog, Column, Contents, Operator, PG_CATALOG, Relation, RelationKind, Type, TypeKind,
};
use crate::grants::{GrantSettings, Grants};

const BOOL: u32 = 16;
const INT4: u32 = 23;
const TEXT: u32 = 25;
const MOOD: u32 = 5000;

fn catalog() -> Catalog {
    let ty = |oid, schema: &str, name: &str, kind, category| Type {
        oid,
        schema: schema.into(),
        name: name.into(),
        kind,
        category,
        preferred: oid == BOOL || oid == TEXT,
        array: None,
    };
    let equals = |oid, operand| Operator {
        oid,
        schema: PG_CATALOG.into(),
        name: "=".into(),
        left: Some(operand),
        right: operand,
        result: BOOL,
        function: 1,
    };
    let column =
        |name: &str, ty| Column { name: name.into(), ty, type_modifier: -1, nullable: false, comment: None };
    let labels = vec!["happy".into()];
    Catalog::new(Contents {
        server_version: 150_000,
        types: vec![
            ty(BOOL, PG_CATALOG, "bool", TypeKind::Base, 'B'),
            ty(INT4, PG_CATALOG, "int4", TypeKind::Base, 'N'),
            ty(TEXT, PG_CATALOG, "text", TypeKind::Base, 'S'),
            ty(MOOD, "public", "mood", TypeKind::Enum { labels }, 'E'),
            ty(2205, PG_CATALOG, "regclass", TypeKind::Base, 'N'),
        ],
        operators: vec![equals(1, BOOL), equals(2, INT4), equals(3, TEXT), equals(4, MOOD)],
        relations: vec![Relation {
            oid: 1,
            schema: "public".into(),
            name: "t".into(),
            kind: RelationKind::Table,
            columns: vec![column("b", BOOL), column("n", INT4), column("m", MOOD)],
            unique_keys: vec![],
            foreign_keys: vec![],
            comment: None,
        }],
        ..Contents::default()
    })
}

/// Writes nodes in their order, and makes a description of them.
#[derive(Default)]
struct Writer {
    nodes: Vec<NodeKind>,
    slots: Vec<SlotType>,
}

impl Writer {
    fn add(&mut self, kind: NodeKind) -> NodeId {
        self.nodes.push(kind);
        NodeId(self.nodes.len() as u32 - 1)
    }

    fn column(&mut self, name: &str) -> NodeId {
        self.add(NodeKind::Column { relation: "t".into(), name: name.into() })
    }

    fn slot(&mut self, ty: SlotType) -> NodeId {
        self.slots.push(ty);
        self.add(NodeKind::Parameter(SlotId(self.slots.len() as u32 - 1)))
    }

    fn equals(&mut self, left: NodeId, right: NodeId) -> NodeId {
        let operator = QualifiedName::new("=");
        self.add(NodeKind::Operation(Operation { operator, operands: vec![left, right] }))
    }

    /// `SELECT item AS x FROM t WHERE filter`.
    fn query(&mut self, item: NodeId, filter: Option<NodeId>) -> NodeId {
        let table = Table {
            name: RelationName::Stored(QualifiedName::new("t")),
            alias: "t".into(),
            columns: vec![],
            only: false,
            sample: None,
        };
        let from = vec![self.add(NodeKind::Table(table))];
        let body = self.add(NodeKind::Select(Select {
            distinct: Distinct::All,
            items: vec![Item { expression: item, alias: Some("x".into()) }],
            from,
            filter,
            group_by: vec![],
            group_distinct: false,
            having: None,
            windows: vec![],
        }));
        self.add(NodeKind::Query(Query { with: None, body, order_by: vec![], limit: None, offset: None }))
    }

    fn sql(self) -> Result<String, Vec<Finding>> {
        let nodes = self.nodes.into_iter().map(|kind| Node { kind, place: None }).collect();
        let description = Description { slots: self.slots, files: vec![], nodes };
        let catalog = catalog();
        let schemas = ["public".to_owned()];
        let settings = GrantSettings { relations: vec!["t".into()], ..GrantSettings::default() };
        let grants = Grants::resolve(&settings, &catalog, &schemas).unwrap();
        let limits = Limits::default();
        let context =
            Context { plugin: "p", catalog: &catalog, grants: &grants, schemas: &schemas, limits: &limits };
        let verified = verify(&description, context)?;
        let comment = Comment { plugin: "p", query: "q", shape: "0" };
        let printed =
            print(&lower(&description, &verified), &comment, &[], &limits).map_err(|found| vec![found])?;
        Ok(printed.sql)
    }
}

/// Runs with the stack of tokio's worker threads.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(2 << 20).spawn(test).unwrap().join().unwrap();
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
fn a_thousand_conditions_are_one_level() {
    let mut writer = Writer::default();
    let operands = (0..1000).map(|_| writer.column("b")).collect();
    let all = writer.add(NodeKind::Boolean(Boolean { operator: BooleanOperator::And, operands }));
    let item = writer.column("n");
    writer.query(item, Some(all));
    assert_eq!(writer.sql().unwrap().matches(" AND ").count(), 999);
}

#[test]
fn a_constant_takes_the_type_of_what_it_is_compared_with() {
    let mut writer = Writer::default();
    let (left, right) = (writer.column("m"), writer.slot(SlotType::Context));
    let condition = writer.equals(left, right);
    let item = writer.column("n");
    writer.query(item, Some(condition));
    let sql = writer.sql().unwrap();
    assert!(sql.contains(r#""t"."m" OPERATOR("pg_catalog".=) CAST($1 AS "public"."mood")"#), "{sql}");
}

#[test]
fn types_that_do_not_go_together_are_found() {
    let mut writer = Writer::default();
    let (left, right) = (writer.column("m"), writer.slot(SlotType::Declared(TypeName::parse("text"))));
    let condition = writer.equals(left, right);
    let item = writer.column("n");
    writer.query(item, Some(condition));
    let findings = writer.sql().unwrap_err();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].code, Code::UnknownOperator);
    assert_eq!(findings[0].message, "there is no operator public.mood = text");
}

#[test]
fn a_slot_can_not_be_of_a_type_that_looks_into_the_catalog() {
    let mut writer = Writer::default();
    let item = writer.slot(SlotType::Declared(TypeName::parse("regclass")));
    writer.query(item, None);
    assert_eq!(writer.sql().unwrap_err()[0].code, Code::TypeNotGranted);
}

#[test]
fn nodes_in_the_wrong_place_are_found() {
    let mut writer = Writer::default();
    let item = writer.column("n");
    let query = writer.query(item, None);
    // A query where an expression belongs.
    writer.query(query, None);
    assert_eq!(writer.sql().unwrap_err()[0].code, Code::InvalidStructure);

    let mut writer = Writer::default();
    let body = writer.column("n");
    writer.add(NodeKind::Query(Query { with: None, body, order_by: vec![], limit: None, offset: None }));
    assert_eq!(writer.sql().unwrap_err()[0].code, Code::InvalidStructure);
}

#[test]
fn names_that_postgresql_would_cut_are_refused() {
    for (alias, wrong) in
        [("x".repeat(64), true), ("x".repeat(63), false), (String::new(), true), ("a\0b".into(), true)]
    {
        let mut writer = Writer::default();
        let item = writer.column("n");
        writer.query(item, None);
        if let Some(NodeKind::Select(select)) = writer.nodes.iter_mut().rev().nth(1) {
            select.items[0].alias = Some(alias.clone());
        }
        assert_eq!(writer.sql().is_err(), wrong, "{alias:?}");
    }
}

#[test]
fn what_is_not_lowered_yet_is_refused_by_name() {
    use callslip_ir::{Access, AccessStep, GroupingSet, GroupingSetKind, SetOperation, SetOperator, Values};

    let refused = |build: &dyn Fn(&mut Writer)| {
        let mut writer = Writer::default();
        build(&mut writer);
        let findings = writer.sql().unwrap_err();
        assert!(findings.iter().all(|finding| finding.code == Code::NotSupportedYet), "{findings:?}");
        findings[0].message.clone()
    };
    let body = |writer: &mut Writer, body: NodeKind| {
        let body = writer.add(body);
        writer.add(NodeKind::Query(Query { with: None, body, order_by: vec![], limit: None, offset: None }));
    };
    let item = |kind: &dyn Fn(NodeId) -> NodeKind| {
        refused(&|writer| {
            let column = writer.column("n");
            let item = writer.add(kind(column));
            writer.query(item, None);
        })
    };
    let union = refused(&|writer| {
        let (left, right) = (writer.column("n"), writer.column("n"));
        let right = writer.query(right, None);
        let left = writer.query(left, None);
        body(
            writer,
            NodeKind::SetOperation(SetOperation { operator: SetOperator::Union, all: false, left, right }),
        );
    });
    assert!(union.starts_with("a set operation is part of the language"), "{union}");
    let values = refused(&|writer| {
        let value = writer.slot(SlotType::Context);
        body(writer, NodeKind::Values(Values { rows: vec![vec![value]] }));
    });
    assert!(values.starts_with("VALUES "), "{values}");
    assert!(item(&|column| NodeKind::Row(vec![column])).starts_with("ROW(…) "));
    let access = |value| NodeKind::Access(Access { value, step: AccessStep::Field("x".into()) });
    assert!(item(&access).starts_with("a subscript or a field "));
    let grouping = refused(&|writer| {
        let column = writer.column("n");
        let set = writer
            .add(NodeKind::GroupingSet(GroupingSet { kind: GroupingSetKind::Cube, items: vec![column] }));
        let item = writer.slot(SlotType::Context);
        writer.query(item, None);
        if let Some(NodeKind::Select(select)) = writer.nodes.iter_mut().rev().nth(1) {
            select.group_by = vec![set];
        }
    });
    assert!(grouping.starts_with("GROUPING SETS"), "{grouping}");
    let only = refused(&|writer| {
        let item = writer.column("n");
        writer.query(item, None);
        if let Some(NodeKind::Table(table)) = writer.nodes.iter_mut().rev().nth(2) {
            table.only = true;
        }
    });
    assert!(only.starts_with("ONLY "), "{only}");
}
