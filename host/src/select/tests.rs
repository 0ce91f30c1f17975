mod grants;
mod json;
mod page;
mod queries;
mod relations;
mod rows;
mod schemas;
mod size;
mod subqueries;
mod uses;
mod windows;

use callslip_ir::{
    Argument, Boolean, BooleanOperator, Call, Case, CaseArm, Cte, Description, Distinct, Is, IsTest, Item,
    Materialization, NamedWindow, Node, NodeId, NodeKind, Operation, Over, QualifiedName, Query,
    RelationName, Select, SlotId, SlotType, Subexpression, Table, TypeName, Window, With,
};

use super::*;
use crate::Code;
use crate::catalog::{
    Attribute, Cast, CastContext, Catalog, Column, Contents, Function, FunctionKind, Operator, PG_CATALOG,
    Relation, RelationKind, SearchPath, Type, TypeKind,
};
use crate::grants::{GrantSettings, Grants};

const BOOL: u32 = 16;
const INT4: u32 = 23;
const TEXT: u32 = 25;
const MOOD: u32 = 5000;
const ANYELEMENT: u32 = 2283;
const ANYENUM: u32 = 3500;

fn catalog() -> Catalog {
    let ty = |oid, schema: &str, name: &str, kind, category| Type {
        oid,
        schema: schema.into(),
        name: name.into(),
        kind,
        category,
        preferred: oid == BOOL || oid == TEXT,
        ..Type::default()
    };
    let equals = |oid, operand| Operator {
        oid,
        schema: PG_CATALOG.into(),
        name: "=".into(),
        left: Some(operand),
        right: operand,
        result: BOOL,
        ..Operator::default()
    };
    let column = |name: &str, ty| Column { name: name.into(), ty, ..Column::default() };
    let function = |oid, schema: &str, name: &str, argument, returns| Function {
        oid,
        schema: schema.into(),
        name: name.into(),
        arguments: vec![argument],
        returns,
        ..Function::default()
    };
    let relation = |oid, schema: &str, name: &str, columns| Relation {
        oid,
        schema: schema.into(),
        name: name.into(),
        columns,
        ..Relation::default()
    };
    let row = |columns: &[(&str, u32)]| TypeKind::Composite {
        attributes: columns
            .iter()
            .map(|(name, ty)| Attribute { name: (*name).into(), ty: *ty, type_modifier: -1 })
            .collect(),
    };
    let labels = vec!["happy".into()];
    Catalog::new(Contents {
        server_version: 180_000,
        partial: false,
        types: vec![
            ty(BOOL, PG_CATALOG, "bool", TypeKind::Base, 'B'),
            ty(INT4, PG_CATALOG, "int4", TypeKind::Base, 'N'),
            ty(TEXT, PG_CATALOG, "text", TypeKind::Base, 'S'),
            ty(MOOD, "public", "mood", TypeKind::Enum { labels }, 'E'),
            ty(2205, PG_CATALOG, "regclass", TypeKind::Base, 'N'),
            ty(5001, "public", "relname", TypeKind::Domain { base: 2205, rules: Box::default() }, 'N'),
            ty(5002, "public", "point_in_time", row(&[("n", INT4), ("m", MOOD)]), 'C'),
            ty(5003, "public", "object", row(&[("n", INT4), ("o", 5001)]), 'C'),
            ty(5004, "public", "labelled", row(&[("b", BOOL), ("label", TEXT)]), 'C'),
            Type { array: Some(5006), ..ty(5005, "public", "boxed", row(&[("inner", 5004)]), 'C') },
            ty(5006, "public", "_boxed", TypeKind::Array { element: 5005 }, 'A'),
            ty(5007, "public", "secretive", row(&[("n", INT4), ("secret", TEXT)]), 'C'),
            ty(2249, PG_CATALOG, "record", TypeKind::Pseudo, 'P'),
            ty(114, PG_CATALOG, "json", TypeKind::Base, 'U'),
            ty(3802, PG_CATALOG, "jsonb", TypeKind::Base, 'U'),
            ty(4072, PG_CATALOG, "jsonpath", TypeKind::Base, 'U'),
            ty(ANYELEMENT, PG_CATALOG, "anyelement", TypeKind::Pseudo, 'P'),
            ty(ANYENUM, PG_CATALOG, "anyenum", TypeKind::Pseudo, 'P'),
        ],
        operators: vec![
            equals(1, BOOL),
            equals(2, INT4),
            equals(3, TEXT),
            equals(4, ANYENUM),
            Operator { schema: "public".into(), ..equals(5, 5004) },
            Operator { schema: "audit".into(), ..equals(6, 5005) },
        ],
        functions: vec![
            function(1, PG_CATALOG, "upper", TEXT, TEXT),
            function(2, "app", "leak", INT4, TEXT),
            Function {
                arguments: vec![ANYELEMENT, 114, BOOL],
                defaults: 1,
                ..function(3, PG_CATALOG, "json_populate_record", ANYELEMENT, ANYELEMENT)
            },
            function(5, "public", "describe", 5004, TEXT),
            Function {
                kind: FunctionKind::Window,
                ..function(4, PG_CATALOG, "first_value", ANYELEMENT, ANYELEMENT)
            },
        ],
        casts: vec![Cast {
            source: INT4,
            target: TEXT,
            function: Some(2),
            context: CastContext::Implicit,
            ..Cast::default()
        }],
        relations: vec![
            relation(1, "public", "t", vec![column("b", BOOL), column("n", INT4), column("m", MOOD)]),
            relation(2, "audit", "entry", vec![column("n", INT4)]),
            Relation {
                row_type: Some(5007),
                hidden_columns: 1,
                ..relation(4, "public", "secretive", vec![column("n", INT4)])
            },
            relation(3, "public", "r", vec![column("p", 5002), column("o", 5003), column("j", 114)]),
            Relation { hidden_columns: 1, ..relation(5, "public", "partly", vec![column("n", INT4)]) },
        ],
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
        let from = self.add(NodeKind::Table(table));
        self.query_of(item, from, filter)
    }

    /// `SELECT item AS x FROM from WHERE filter`.
    fn query_of(&mut self, item: NodeId, from: NodeId, filter: Option<NodeId>) -> NodeId {
        let body = self.add(NodeKind::Select(Select {
            distinct: Distinct::All,
            items: vec![Item { expression: item, alias: Some("x".into()) }],
            from: vec![from],
            filter,
            group_by: vec![],
            group_distinct: false,
            having: None,
            windows: vec![],
        }));
        self.add(NodeKind::Query(Query { with: None, body, order_by: vec![], limit: None, offset: None }))
    }

    fn sql(self) -> Result<String, Vec<Finding>> {
        self.printed(&[])
    }

    fn printed(self, forms: &[ColumnForm]) -> Result<String, Vec<Finding>> {
        let settings = GrantSettings {
            relations: vec![
                "t".into(),
                "r".into(),
                "partly".into(),
                "audit.entry".into(),
                "secretive".into(),
            ],
            functions: vec!["public.describe".into()],
            types: vec!["labelled".into(), "boxed".into()],
            operators: vec!["public.=".into()],
            ..GrantSettings::default()
        };
        self.printed_on(&catalog(), &settings, forms)
    }

    fn printed_on(
        self,
        catalog: &Catalog,
        settings: &GrantSettings,
        forms: &[ColumnForm],
    ) -> Result<String, Vec<Finding>> {
        let nodes = self.nodes.into_iter().map(|kind| Node { kind, place: None }).collect();
        let description = Description { slots: self.slots, files: vec![], nodes };
        let path = SearchPath::of(["public"]);
        let grants = Grants::resolve(settings, catalog, &path).unwrap();
        let limits = Limits::default();
        let context = Context {
            plugin: "p",
            catalog,
            grants: &grants,
            path: &path,
            limits: &limits,
            filters: RowFilters::none(),
        };
        let verified = verify(&description, context)?;
        let comment = Comment { plugin: "p", query: "q", shape: "0", schemas: &[] };
        let printed =
            print(&lower(&description, &verified), &comment, forms, &limits).map_err(|found| vec![found])?;
        Ok(printed.sql)
    }
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

/// The help of the one finding.
#[track_caller]
fn help(writer: Writer) -> Option<String> {
    let findings = writer.sql().unwrap_err();
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings[0].help.clone()
}

#[test]
fn a_name_that_is_elsewhere_is_told_with_its_schema() {
    let name = |written: &str| match written.split_once('.') {
        Some((schema, name)) => QualifiedName { schema: Some(schema.into()), name: name.into() },
        None => QualifiedName::new(written),
    };
    for (written, says) in [
        ("entry", Some("did you mean \"audit.entry\"?")),
        ("entyr", Some("did you mean \"audit.entry\"?")),
        ("public.entry", Some("did you mean \"audit.entry\"?")),
        ("audit.entyr", Some("did you mean \"audit.entry\"?")),
        ("tt", Some("did you mean \"t\"?")),
        ("audit.t", Some("did you mean \"public.t\"?")),
    ] {
        let mut writer = Writer::default();
        let item = text(&mut writer);
        writer.query(item, None);
        let table = writer.nodes.iter_mut().find_map(|node| match node {
            NodeKind::Table(table) => Some(table),
            _ => None,
        });
        table.unwrap().name = RelationName::Stored(name(written));
        assert_eq!(help(writer).as_deref(), says, "the relation {written}");
    }
    for (written, says) in [
        ("public.upper", Some("did you mean \"pg_catalog.upper\"?")),
        ("uper", Some("did you mean \"upper\"?")),
        // It is one of those that every plugin may call, and this catalog doesn't have it.
        ("count", None),
    ] {
        let mut writer = Writer::default();
        let argument = text(&mut writer);
        let function = name(written);
        let item = writer.add(NodeKind::Call(Call { function, ..call("upper", vec![argument]) }));
        writer.query(item, None);
        assert_eq!(help(writer).as_deref(), says, "the function {written}");
    }
    for (written, says) in
        [("audit.mood", "did you mean \"public.mood\"?"), ("modo", "did you mean \"mood\"?")]
    {
        let mut writer = Writer::default();
        let item =
            writer.slot(SlotType::Declared(TypeName { name: name(written), ..TypeName::parse("text") }));
        writer.query(item, None);
        assert_eq!(help(writer).as_deref(), Some(says), "the type {written}");
    }
}

#[test]
fn a_slot_can_not_be_of_a_type_that_looks_into_the_catalog() {
    for name in ["regclass", "relname", "public.relname"] {
        let mut writer = Writer::default();
        let item = writer.slot(SlotType::Declared(TypeName::parse(name)));
        writer.query(item, None);
        assert_eq!(writer.sql().unwrap_err()[0].code, Code::TypeNotGranted, "{name}");
    }
}

#[test]
fn a_row_out_of_json_has_no_values_of_a_type_that_was_not_granted() {
    for (column, says) in [
        ("p", Ok(())),
        ("o", Err((Code::TypeNotGranted, "public.relname"))),
        // Which row it is, is not known.
        ("b", Err((Code::UnknownFunction, "nothing tells which one"))),
    ] {
        let mut writer = Writer::default();
        let column = match column {
            "b" => writer.slot(SlotType::Context),
            name => writer.column(name),
        };
        let json = writer.column("j");
        let item = writer.add(NodeKind::Call(call("json_populate_record", vec![column, json])));
        writer.query(item, None);
        for node in &mut writer.nodes {
            if let NodeKind::Table(table) = node {
                table.name = RelationName::Stored(QualifiedName::new("r"));
            }
        }
        let result = writer.sql().map(|_| ()).map_err(|findings| findings[0].clone());
        match (result, says) {
            (Ok(()), Ok(())) => {}
            (Err(finding), Err((code, says))) => {
                assert_eq!(finding.code, code);
                assert!(finding.message.contains(says), "{finding:?}");
            }
            (result, _) => panic!("{result:?}"),
        }
    }
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

fn call(name: &str, arguments: Vec<NodeId>) -> Call {
    let arguments =
        arguments.into_iter().map(|value| Argument { name: None, variadic: false, value }).collect();
    Call {
        function: QualifiedName::new(name),
        arguments,
        star: false,
        distinct: false,
        order_by: vec![],
        within_group: vec![],
        filter: None,
        over: None,
    }
}

fn text(writer: &mut Writer) -> NodeId {
    writer.slot(SlotType::Declared(TypeName::parse("text")))
}

#[test]
fn a_cast_that_nobody_wrote_does_not_run_an_ungranted_function() {
    // `upper(integer)` exists only through the implicit cast, whose function is somebody's.
    let mut writer = Writer::default();
    let argument = writer.column("n");
    let item = writer.add(NodeKind::Call(call("upper", vec![argument])));
    writer.query(item, None);
    let findings = writer.sql().unwrap_err();
    assert_eq!(findings[0].code, Code::CastNotGranted, "{findings:?}");
    assert!(findings[0].message.contains("app.leak"), "{findings:?}");

    let mut writer = Writer::default();
    let number = writer.column("n");
    let text_slot = text(&mut writer);
    let condition = writer.equals(number, text_slot);
    let item = writer.column("m");
    writer.query(item, Some(condition));
    assert_eq!(writer.sql().unwrap_err()[0].code, Code::CastNotGranted);

    // A text is taken as it is.
    let mut writer = Writer::default();
    let argument = text(&mut writer);
    let item = writer.add(NodeKind::Call(call("upper", vec![argument])));
    writer.query(item, None);
    assert!(writer.sql().is_ok());
}

#[test]
fn a_cast_that_there_is_not_is_found() {
    let mut writer = Writer::default();
    let value = writer.column("b");
    let item = writer.add(NodeKind::Cast(callslip_ir::Cast { value, ty: TypeName::parse("int4") }));
    writer.query(item, None);
    let findings = writer.sql().unwrap_err();
    assert_eq!(
        (findings[0].code, findings[0].message.as_str()),
        (Code::UnknownCast, "there is no cast from bool to int4")
    );
}

#[test]
fn distinct_and_variadic_are_not_of_one_call() {
    let mut writer = Writer::default();
    let value = text(&mut writer);
    let argument = Argument { name: None, variadic: true, value };
    let call = Call { distinct: true, arguments: vec![argument], ..call("upper", vec![]) };
    let item = writer.add(NodeKind::Call(call));
    writer.query(item, None);
    let found = writer.sql().unwrap_err();
    assert!(
        found.iter().any(|its| its.message == "DISTINCT and VARIADIC can't stand in one call"),
        "{found:?}"
    );
}

#[test]
fn a_comparison_runs_an_ungranted_cast_only_where_there_is_no_operator_without() {
    let compared = |other: &dyn Fn(&mut Writer) -> NodeId| {
        let mut writer = Writer::default();
        let operands = vec![writer.column("n"), other(&mut writer)];
        let form = callslip_ir::SpecialForm::DistinctFrom { negated: false };
        let condition = writer.add(NodeKind::Special(callslip_ir::Special { form, operands }));
        let item = writer.column("m");
        writer.query(item, Some(condition));
        writer.sql()
    };
    // There is a cast of integers to text that somebody defined, and an operator of integers.
    assert_eq!(compared(&text).unwrap_err()[0].code, Code::CastNotGranted);
    let sql = compared(&|writer| writer.column("n")).unwrap();
    assert!(sql.contains(r#""t"."n" IS DISTINCT FROM "t"."n""#), "{sql}");
}

#[test]
fn what_would_be_printed_otherwise_than_it_was_said_is_refused() {
    // `count(DISTINCT *)`.
    let mut writer = Writer::default();
    let item = writer.add(NodeKind::Call(Call { star: true, distinct: true, ..call("upper", vec![]) }));
    writer.query(item, None);
    assert_eq!(writer.sql().unwrap_err()[0].code, Code::InvalidStructure);
}

#[test]
fn what_a_plugin_wrote_can_not_begin_a_line_of_a_log() {
    let mut writer = Writer::default();
    let item = writer.column("x\n2026-01-01T00:00:00Z ERROR forged\u{1b}[2J");
    writer.query(item, None);
    let findings = writer.sql().unwrap_err();
    assert!(!findings[0].to_string().contains(['\n', '\u{1b}']), "{:?}", findings[0]);
}
