use callslip::Code;
use callslip::catalog::{Function, Oid, PG_CATALOG, SearchPath, TypeKind, Volatility};
use callslip::grants::{GrantSettings, Grants};
use callslip::select::{Context, Limits, RowFilters, verify};
use callslip_ir::{
    Argument, Call, Description, Distinct, Item, Node, NodeId, NodeKind, Over, QualifiedName, Query, Select,
    SlotId, SlotType, TableFunction, TypeName, Window,
};

use crate::server::{Server, every_version};

/// Where a call stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    SelectList,
    From,
    Window,
}

/// All rows.
const WINDOW: Window = Window { base: None, partition_by: Vec::new(), order_by: Vec::new(), frame: None };

/// The nodes of a description.
#[derive(Default)]
struct Writer {
    slots: Vec<SlotType>,
    nodes: Vec<Node>,
}

impl Writer {
    fn add(&mut self, kind: NodeKind) -> NodeId {
        self.nodes.push(Node { kind, place: None });
        NodeId(u32::try_from(self.nodes.len()).unwrap() - 1)
    }

    fn null(&mut self, ty: &str) -> NodeId {
        self.add(NodeKind::Null(TypeName::parse(ty)))
    }

    /// A value of an argument's type: a null of it, and of a type that a plugin can't name a constant, which becomes whatever
    /// the function takes.
    fn argument(&mut self, server: &Server, oid: Oid) -> NodeId {
        let ty = server.catalog.type_by_oid(oid).unwrap();
        let element = server.catalog.type_by_oid(server.catalog.element_type(oid)).unwrap();
        match ty.name.as_str() {
            "any" | "anyelement" | "anynonarray" | "anycompatible" => self.null("int4"),
            "anyarray" | "anycompatiblearray" => self.null("int4[]"),
            _ if Grants::default().ty(element) => {
                let written = TypeName {
                    name: QualifiedName::within(PG_CATALOG, element.name.as_str()),
                    modifiers: Vec::new(),
                    array: matches!(ty.kind, TypeKind::Array { .. }),
                };
                self.add(NodeKind::Null(written))
            }
            _ => {
                self.slots.push(SlotType::Context);
                let slot = u32::try_from(self.slots.len()).unwrap() - 1;
                self.add(NodeKind::Parameter(SlotId(slot)))
            }
        }
    }
}

/// A statement that calls a function.
fn description(server: &Server, function: &Function, place: Place) -> Description {
    let mut writer = Writer::default();
    let last = function.arguments.len().saturating_sub(1);
    let arguments = function.arguments.iter().enumerate().map(|(index, oid)| Argument {
        name: None,
        variadic: function.variadic.is_some() && index == last,
        value: writer.argument(server, *oid),
    });
    let arguments = arguments.collect();
    let call = writer.add(NodeKind::Call(Call {
        function: QualifiedName::within(PG_CATALOG, function.name.as_str()),
        arguments,
        star: false,
        distinct: false,
        order_by: Vec::new(),
        within_group: Vec::new(),
        filter: None,
        over: matches!(place, Place::Window).then(|| Over::Window(WINDOW)),
    }));
    let (from, item) = if let Place::From = place {
        let from = writer.add(NodeKind::Functions(callslip_ir::Functions {
            calls: vec![TableFunction { call, columns: Vec::new() }],
            ordinality: false,
            lateral: false,
            alias: "f".to_owned(),
            columns: Vec::new(),
        }));
        (vec![from], writer.null("int4"))
    } else {
        (Vec::new(), call)
    };
    let body = writer.add(NodeKind::Select(Select {
        distinct: Distinct::All,
        items: vec![Item { expression: item, alias: Some("x".to_owned()) }],
        from,
        filter: None,
        group_by: Vec::new(),
        group_distinct: false,
        having: None,
        windows: Vec::new(),
    }));
    writer.add(NodeKind::Query(Query { with: None, body, order_by: Vec::new(), limit: None, offset: None }));
    Description { slots: writer.slots, files: Vec::new(), nodes: writer.nodes }
}

/// The codes of what verification finds.
fn findings(server: &Server, description: &Description, granted: Option<&Function>) -> Vec<Code> {
    let path = SearchPath::of(Vec::<String>::new());
    let functions = granted.iter().map(|function| format!("{PG_CATALOG}.{}", function.name)).collect();
    let settings = GrantSettings { functions, ..GrantSettings::default() };
    let grants = Grants::resolve(&settings, &server.catalog, &path).unwrap();
    let limits = Limits::default();
    let context = Context {
        plugin: "this",
        catalog: &server.catalog,
        grants: &grants,
        path: &path,
        limits: &limits,
        filters: RowFilters::none(),
    };
    let findings = verify(description, context).err().unwrap_or_default();
    findings.iter().map(|finding| finding.code).collect()
}

/// What is volatile writes, waits, or tells what is not in the data; a read-only transaction stops little of it.
#[tokio::test]
async fn every_volatile_function_is_refused() {
    for server in every_version() {
        let sql = "SELECT count(*) FROM pg_proc
                   WHERE pronamespace = 'pg_catalog'::regnamespace AND provolatile = 'v'";
        let all: i64 = server.client().await.query_one(sql, &[]).await.unwrap().get(0);
        let volatile = |function: &&Function| function.volatility == Volatility::Volatile;
        let mut refused = 0;
        for function in server.functions().filter(volatile) {
            let signature = server.signature(function);
            // A call of what is no window function may stand in FROM, and one of an aggregate before OVER too.
            let places: &[Place] = match function.kind {
                callslip::catalog::FunctionKind::Function => &[Place::SelectList, Place::From],
                callslip::catalog::FunctionKind::Window => &[Place::Window],
                _ => &[Place::SelectList, Place::Window],
            };
            let mut said = Vec::new();
            for &place in places {
                let description = description(server, function, place);
                let found = findings(server, &description, None);
                assert_eq!(found, [Code::FunctionNotGranted], "{signature} in {place:?}");
                // It is the call that is refused, and nothing else about it: a grant lets it be called.
                let granted = findings(server, &description, Some(function));
                assert!(
                    !granted.contains(&Code::FunctionNotGranted),
                    "{signature} in {place:?}: {granted:?}"
                );
                let constants = description.slots.len();
                let how = match constants {
                    0 => String::new(),
                    _ => format!(" ({constants} of its types no plugin can name: constants stand there)"),
                };
                said.push(format!("{place:?} {}{how}", Code::FunctionNotGranted));
            }
            refused += 1;
            println!("PostgreSQL {}: {signature}: {}", server.major, said.join(", "));
        }
        println!("PostgreSQL {}: {refused} volatile functions refused", server.major);
        assert_eq!(i64::from(refused), all);
        if server.major == 15 && server.has_adminpack {
            assert_eq!(refused, 257);
        }
    }
}
