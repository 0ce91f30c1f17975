//! A description, bindings and a manifest that have every variant and every field of version 1.
//!
//! When a variant is appended, append a use of it in a new golden file; what is here stays as it is, since it is
//! what the oldest components send.

use callslip_ir::*;

/// A list of nodes to which each call appends one.
struct Nodes(Vec<Node>);

impl Nodes {
    fn add(&mut self, kind: NodeKind) -> NodeId {
        let line = self.0.len() as u32 + 1;
        // Some nodes have no place.
        let place = (!line.is_multiple_of(7)).then_some(Place { file: line % 2, line, column: 5 });
        self.0.push(Node { kind, place });
        NodeId(line - 1)
    }

    fn column(&mut self, name: &str) -> NodeId {
        self.add(NodeKind::Column { relation: "t".to_owned(), name: name.to_owned() })
    }

    fn slot(&mut self, slot: u32) -> NodeId {
        self.add(NodeKind::Parameter(SlotId(slot)))
    }

    fn special(&mut self, form: SpecialForm, operands: usize) -> NodeId {
        let operands = (0..operands).map(|_| self.slot(0)).collect();
        self.add(NodeKind::Special(Special { form, operands }))
    }

    fn call(&mut self, name: &str) -> NodeId {
        let value = self.slot(1);
        let arguments = vec![Argument { name: None, variadic: false, value }];
        self.add(NodeKind::Call(plain_call(name, arguments)))
    }

    fn values(&mut self) -> NodeId {
        let rows = vec![vec![self.slot(0), self.slot(1)], vec![self.slot(2), self.slot(3)]];
        self.add(NodeKind::Values(Values { rows }))
    }

    fn query(&mut self, body: NodeId) -> NodeId {
        self.add(NodeKind::Query(Query { with: None, body, order_by: vec![], limit: None, offset: None }))
    }

    fn simple_query(&mut self) -> NodeId {
        let body = self.values();
        self.query(body)
    }

    fn table(&mut self, alias: &str) -> NodeId {
        let name = RelationName::Stored(QualifiedName::new("t"));
        let alias = alias.to_owned();
        self.add(NodeKind::Table(Table { name, alias, columns: vec![], only: false, sample: None }))
    }
}

fn plain_call(name: &str, arguments: Vec<Argument>) -> Call {
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

fn order(expression: NodeId, direction: Direction, nulls: Nulls) -> Order {
    Order { expression, direction, nulls }
}

/// A description that has every node, every variant and every field.
pub fn description() -> Description {
    let mut n = Nodes(Vec::new());
    let mut items = expressions(&mut n);
    items.extend(special_forms(&mut n));
    items.extend(calls(&mut n));
    items.extend(subexpressions(&mut n));
    items.extend(sql_json(&mut n));
    let from = relations(&mut n);
    let group_by = grouping(&mut n);

    let (on, filter, having) = (n.column("a"), n.slot(0), n.slot(1));
    let window = Window {
        base: Some("w0".to_owned()),
        partition_by: vec![n.column("p")],
        order_by: vec![order(n.column("o"), Direction::Ascending, Nulls::First)],
        frame: Some(Frame {
            mode: FrameMode::Groups,
            start: Bound::Preceding(n.slot(0)),
            end: Some(Bound::Following(n.slot(1))),
            exclude: Exclude::Group,
        }),
    };
    let item = |(i, expression): (usize, NodeId)| Item {
        expression,
        alias: if i % 2 == 0 { Some(format!("c{i}")) } else { None },
    };
    let body = n.add(NodeKind::Select(Select {
        distinct: Distinct::On(vec![on]),
        items: items.into_iter().enumerate().map(item).collect(),
        from,
        filter: Some(filter),
        group_by,
        group_distinct: true,
        having: Some(having),
        windows: vec![NamedWindow { name: "w".to_owned(), window }],
    }));
    let with = with(&mut n);
    let output = n.add(NodeKind::OutputName("c0".to_owned()));
    let using = Direction::Using(QualifiedName::within("pg_catalog", "<"));
    let order_by = vec![
        order(output, Direction::Descending, Nulls::Last),
        order(n.column("b"), using, Nulls::Unspecified),
    ];
    let limit = Some(Limit { count: n.slot(4), with_ties: true });
    let offset = Some(n.slot(5));
    let query = Query { with: Some(with), body, order_by, limit, offset };
    n.add(NodeKind::Query(query));

    let declared = |ty: &str| SlotType::Declared(TypeName::parse(ty));
    Description {
        slots: vec![
            declared("pg_catalog.int4"),
            declared("text[]"),
            SlotType::Declared(TypeName { modifiers: vec![10, 2], ..TypeName::parse("numeric") }),
            SlotType::Context,
            declared("int8"),
            declared("int8"),
        ],
        files: vec!["src/lib.rs".to_owned(), "src/other.rs".to_owned()],
        nodes: n.0,
    }
}

fn expressions(n: &mut Nodes) -> Vec<NodeId> {
    let mut all = vec![
        n.column("a"),
        n.add(NodeKind::WholeRow { relation: "t".to_owned() }),
        n.slot(2),
        n.add(NodeKind::Null(TypeName::parse("audit.level[]"))),
    ];
    let (left, right, one) = (n.slot(0), n.slot(1), n.slot(2));
    let operands = vec![left, right];
    all.push(n.add(NodeKind::Operation(Operation { operator: QualifiedName::new("||"), operands })));
    let operator = QualifiedName::within("pg_catalog", "-");
    all.push(n.add(NodeKind::Operation(Operation { operator, operands: vec![one] })));

    let value = n.slot(0);
    let ty = TypeName { modifiers: vec![10, 2], ..TypeName::parse("numeric") };
    all.push(n.add(NodeKind::Cast(Cast { value, ty })));
    let (value, collation) = (n.slot(1), QualifiedName::new("C"));
    all.push(n.add(NodeKind::Collate(Collate { value, collation })));

    let operand = Some(n.slot(0));
    let arms = vec![CaseArm { when: n.slot(1), then: n.slot(2) }];
    let otherwise = Some(n.slot(3));
    all.push(n.add(NodeKind::Case(Case { operand, arms, otherwise })));
    let arms = vec![CaseArm { when: n.slot(1), then: n.slot(2) }];
    all.push(n.add(NodeKind::Case(Case { operand: None, arms, otherwise: None })));

    for (operator, operands) in
        [(BooleanOperator::And, 2), (BooleanOperator::Or, 2), (BooleanOperator::Not, 1)]
    {
        let operands = (0..operands).map(|_| n.slot(0)).collect();
        all.push(n.add(NodeKind::Boolean(Boolean { operator, operands })));
    }
    for (test, negated) in [
        (IsTest::Null, false),
        (IsTest::True, true),
        (IsTest::False, false),
        (IsTest::Unknown, true),
        (IsTest::Json { item: JsonItem::Value, unique_keys: false }, false),
        (IsTest::Json { item: JsonItem::Scalar, unique_keys: false }, false),
        (IsTest::Json { item: JsonItem::Array, unique_keys: true }, false),
        (IsTest::Json { item: JsonItem::Object, unique_keys: true }, true),
    ] {
        let value = n.slot(0);
        all.push(n.add(NodeKind::Is(Is { value, test, negated })));
    }
    let items = vec![n.slot(0), n.slot(1)];
    all.push(n.add(NodeKind::Row(items)));
    let items = vec![n.slot(0), n.slot(1)];
    all.push(n.add(NodeKind::Array(items)));

    let value = n.column("array");
    let step = AccessStep::Index(n.slot(0));
    all.push(n.add(NodeKind::Access(Access { value, step })));
    let value = n.column("array");
    let step = AccessStep::Slice { lower: Some(n.slot(0)), upper: Some(n.slot(1)) };
    all.push(n.add(NodeKind::Access(Access { value, step })));
    let value = n.column("array");
    all.push(n.add(NodeKind::Access(Access { value, step: AccessStep::Slice { lower: None, upper: None } })));
    let (value, step) = (n.column("composite"), AccessStep::Field("part".to_owned()));
    all.push(n.add(NodeKind::Access(Access { value, step })));
    all
}

fn special_forms(n: &mut Nodes) -> Vec<NodeId> {
    let forms = [
        (SpecialForm::Between { symmetric: false, negated: true }, 3),
        (SpecialForm::Between { symmetric: true, negated: false }, 3),
        (SpecialForm::DistinctFrom { negated: true }, 2),
        (SpecialForm::Coalesce, 2),
        (SpecialForm::NullIf, 2),
        (SpecialForm::Greatest, 2),
        (SpecialForm::Least, 2),
        (SpecialForm::Grouping, 1),
        (SpecialForm::Extract { field: "year".to_owned() }, 1),
        (SpecialForm::AtTimeZone, 2),
        (SpecialForm::Overlaps, 4),
        (SpecialForm::LikeEscape { case_insensitive: true, negated: false }, 3),
        (SpecialForm::SimilarTo { negated: true }, 2),
        (SpecialForm::CurrentDate, 0),
        (SpecialForm::CurrentTime { precision: Some(3) }, 0),
        (SpecialForm::CurrentTimestamp { precision: Some(0) }, 0),
        (SpecialForm::LocalTime { precision: Some(6) }, 0),
        (SpecialForm::LocalTimestamp { precision: Some(1) }, 0),
        (SpecialForm::LocalTimestamp { precision: None }, 0),
    ];
    forms.map(|(form, operands)| n.special(form, operands)).to_vec()
}

fn calls(n: &mut Nodes) -> Vec<NodeId> {
    let star = n.add(NodeKind::Call(Call { star: true, ..plain_call("count", vec![]) }));
    let value = n.slot(0);
    let named = Argument { name: Some("digits".to_owned()), variadic: true, value: n.slot(1) };
    let arguments = vec![Argument { name: None, variadic: false, value }, named];
    let order_by = vec![order(n.column("a"), Direction::Ascending, Nulls::First)];
    let within_group = vec![order(n.column("b"), Direction::Descending, Nulls::Last)];
    let filter = Some(n.slot(2));
    let over = Some(Over::Named("w".to_owned()));
    let function = QualifiedName::within("app", "f");
    let full =
        Call { function, arguments, star: false, distinct: true, order_by, within_group, filter, over };
    let mut all = vec![star, n.add(NodeKind::Call(full))];

    for (mode, start, end, exclude) in [
        (FrameMode::Rows, Bound::UnboundedPreceding, Some(Bound::CurrentRow), Exclude::NoOthers),
        (FrameMode::Range, Bound::CurrentRow, Some(Bound::UnboundedFollowing), Exclude::CurrentRow),
        (FrameMode::Groups, Bound::UnboundedPreceding, None, Exclude::Ties),
    ] {
        let frame = Some(Frame { mode, start, end, exclude });
        let window = Window { base: None, partition_by: vec![], order_by: vec![], frame };
        let call = Call { over: Some(Over::Window(window)), ..plain_call("row_number", vec![]) };
        all.push(n.add(NodeKind::Call(call)));
    }
    all
}

fn subexpressions(n: &mut Nodes) -> Vec<NodeId> {
    let mut all = Vec::new();
    for sub in [Subexpression::Scalar, Subexpression::Exists, Subexpression::Array] {
        let query = n.simple_query();
        all.push(n.add(NodeKind::Subexpression(sub(query))));
    }
    let (operand, query) = (n.slot(0), n.simple_query());
    all.push(n.add(NodeKind::Subexpression(Subexpression::In { operand, query, negated: true })));
    let (operand, items) = (n.slot(0), vec![n.slot(1), n.slot(2)]);
    all.push(n.add(NodeKind::Subexpression(Subexpression::InList { operand, items, negated: false })));
    let (operand, query) = (n.slot(0), n.simple_query());
    let (operator, quantifier) = (QualifiedName::new("="), Quantifier::Any);
    let quantified = Subexpression::Quantified { operand, operator, quantifier, query };
    all.push(n.add(NodeKind::Subexpression(quantified)));
    let (operand, array) = (n.slot(0), n.slot(1));
    let (operator, quantifier) = (QualifiedName::new("<>"), Quantifier::All);
    let quantified = Subexpression::QuantifiedArray { operand, operator, quantifier, array };
    all.push(n.add(NodeKind::Subexpression(quantified)));
    all
}

fn sql_json(n: &mut Nodes) -> Vec<NodeId> {
    let default = SqlJsonBehavior::Default(n.slot(0));
    let passing = vec![SqlJsonPassing { value: n.slot(1), name: "x".to_owned() }];
    let int = Some(TypeName::parse("int4"));
    [
        (SqlJsonFunction::Value, passing, int, Some(default), Some(SqlJsonBehavior::Error)),
        (
            SqlJsonFunction::Query,
            vec![],
            None,
            Some(SqlJsonBehavior::EmptyArray),
            Some(SqlJsonBehavior::EmptyObject),
        ),
        (SqlJsonFunction::Query, vec![], None, Some(SqlJsonBehavior::Null), None),
        (SqlJsonFunction::Exists, vec![], None, None, Some(SqlJsonBehavior::True)),
        (SqlJsonFunction::Exists, vec![], None, None, Some(SqlJsonBehavior::False)),
        (SqlJsonFunction::Exists, vec![], None, None, Some(SqlJsonBehavior::Unknown)),
    ]
    .into_iter()
    .map(|(function, passing, returning, on_empty, on_error)| {
        let (context, path) = (n.column("json"), n.slot(2));
        n.add(NodeKind::SqlJson(SqlJson { function, context, path, passing, returning, on_empty, on_error }))
    })
    .collect()
}

fn relations(n: &mut Nodes) -> Vec<NodeId> {
    let (percent, seed) = (n.slot(0), n.slot(1));
    let method = QualifiedName::new("bernoulli");
    let stored = n.add(NodeKind::Table(Table {
        name: RelationName::Stored(QualifiedName::within("public", "t")),
        alias: "t".to_owned(),
        columns: vec!["a".to_owned(), "b".to_owned()],
        only: true,
        sample: Some(Sample { method, arguments: vec![percent], seed: Some(seed) }),
    }));
    let name = RelationName::Cte("r".to_owned());
    let alias = "r".to_owned();
    let cte = n.add(NodeKind::Table(Table { name, alias, columns: vec![], only: false, sample: None }));
    let query = n.simple_query();
    let columns = vec!["x".to_owned(), "y".to_owned()];
    let subquery =
        n.add(NodeKind::Subquery(Subquery { query, lateral: true, alias: "s".to_owned(), columns }));
    let definition = ColumnDefinition {
        name: "v".to_owned(),
        ty: TypeName::parse("text"),
        collation: Some(QualifiedName::within("pg_catalog", "C")),
    };
    let calls = vec![
        TableFunction { call: n.call("json_to_recordset"), columns: vec![definition] },
        TableFunction { call: n.call("unnest"), columns: vec![] },
    ];
    let functions = n.add(NodeKind::Functions(Functions {
        calls,
        ordinality: true,
        lateral: true,
        alias: "f".to_owned(),
        columns: vec!["n".to_owned()],
    }));

    let on = JoinCondition::On(n.slot(0));
    let using = JoinCondition::Using { columns: vec!["id".to_owned()], alias: Some("both".to_owned()) };
    let mut left = stored;
    for (kind, right, condition) in [
        (JoinKind::Inner, cte, on),
        (JoinKind::Left, subquery, using),
        (JoinKind::Right, functions, JoinCondition::Natural),
    ] {
        left = n.add(NodeKind::Join(Join { kind, left, right, condition, alias: None, columns: vec![] }));
    }
    let (right, condition) = (n.table("u"), JoinCondition::On(n.slot(0)));
    let alias = Some("joined".to_owned());
    let columns = vec!["one".to_owned()];
    let full = n.add(NodeKind::Join(Join { kind: JoinKind::Full, left, right, condition, alias, columns }));
    let (left, right) = (n.table("v"), n.table("w"));
    let (kind, condition) = (JoinKind::Cross, JoinCondition::None);
    let cross = n.add(NodeKind::Join(Join { kind, left, right, condition, alias: None, columns: vec![] }));
    vec![full, cross]
}

fn grouping(n: &mut Nodes) -> Vec<NodeId> {
    let mut items = vec![n.column("a")];
    for kind in [GroupingSetKind::Rollup, GroupingSetKind::Cube] {
        let row = vec![n.column("a"), n.column("b")];
        let row = n.add(NodeKind::Row(row));
        items.push(n.add(NodeKind::GroupingSet(GroupingSet { kind, items: vec![row] })));
    }
    let empty = n.add(NodeKind::Row(vec![]));
    let sets = GroupingSet { kind: GroupingSetKind::Sets, items: vec![empty] };
    items.push(n.add(NodeKind::GroupingSet(sets)));
    items
}

fn with(n: &mut Nodes) -> With {
    let mut ctes = Vec::new();
    for (operator, all) in
        [(SetOperator::Union, true), (SetOperator::Intersect, false), (SetOperator::Except, false)]
    {
        let (left, right) = (n.simple_query(), n.simple_query());
        let body = n.add(NodeKind::SetOperation(SetOperation { operator, all, left, right }));
        let (query, mark, unmarked) = (n.query(body), n.slot(0), n.slot(1));
        let (materialized, search_order, values) = match operator {
            SetOperator::Union => {
                (Materialization::Unspecified, SearchOrder::Breadth, Some((mark, unmarked)))
            }
            SetOperator::Intersect => {
                (Materialization::Materialized, SearchOrder::Depth, Some((mark, unmarked)))
            }
            SetOperator::Except => {
                (Materialization::NotMaterialized, SearchOrder::Depth, Some((mark, unmarked)))
            }
        };
        ctes.push(Cte {
            name: format!("r{}", ctes.len()),
            columns: vec!["a".to_owned(), "b".to_owned()],
            query,
            materialized,
            search: Some(Search { order: search_order, by: vec!["a".to_owned()], set: "o".to_owned() }),
            cycle: Some(Cycle {
                columns: vec!["a".to_owned()],
                mark: "is_cycle".to_owned(),
                values,
                path: "path".to_owned(),
            }),
        });
    }
    for distinct in [Distinct::All, Distinct::Rows] {
        let expression = n.slot(0);
        let body = n.add(NodeKind::Select(Select {
            distinct,
            items: vec![Item { expression, alias: None }],
            from: vec![],
            filter: None,
            group_by: vec![],
            group_distinct: false,
            having: None,
            windows: vec![],
        }));
        ctes.push(Cte {
            name: format!("r{}", ctes.len()),
            columns: vec![],
            query: n.query(body),
            materialized: Materialization::Unspecified,
            search: None,
            cycle: None,
        });
    }
    With { recursive: true, ctes }
}

/// Every kind of binding.
pub fn bindings() -> Bindings {
    vec![
        Binding::Parameter("company".to_owned()),
        Binding::Claim("user".to_owned()),
        Binding::Constant(Some("2026-01-31".to_owned())),
        Binding::Constant(None),
        Binding::Parameter("limit".to_owned()),
        Binding::Parameter("offset".to_owned()),
    ]
}

/// A manifest that has every variant and every field of version 1, but for what was appended later.
pub fn manifest() -> Manifest {
    let parameter = |scalar: Scalar| Parameter {
        name: scalar.type_name().to_owned(),
        doc: String::new(),
        ty: ValueType { domain: Domain::Scalar(scalar), array: false, nullable: false },
        mode: ParameterMode::Bound,
        presence: Presence::Required,
        range: None,
    };
    let labels = vec!["open".to_owned(), "closed".to_owned()];
    let domain = Domain::Enum { labels, ty: Some(TypeName::parse("public.status")) };
    let mut parameters: Vec<Parameter> = Scalar::ALL.into_iter().map(parameter).collect();
    parameters.push(Parameter {
        name: "status".to_owned(),
        doc: "Which.".to_owned(),
        ty: ValueType { domain, array: false, nullable: false },
        mode: ParameterMode::Seen,
        presence: Presence::Default("\"open\"".to_owned()),
        range: None,
    });
    parameters.push(Parameter {
        name: "limits".to_owned(),
        doc: "How many.".to_owned(),
        ty: ValueType { domain: Domain::Scalar(Scalar::Int8), array: true, nullable: true },
        mode: ParameterMode::Open,
        presence: Presence::Optional,
        range: Some(Range { min: Some("1".to_owned()), max: Some("500".to_owned()) }),
    });
    let pair = |name: &str, json: &str| (name.to_owned(), json.to_owned());
    let query = QueryDeclaration {
        name: "page".to_owned(),
        doc: "A page.".to_owned(),
        parameters,
        claims: vec![parameter(Scalar::Uuid)],
        reply: Reply::Named(vec![
            NamedReply { name: "rows".to_owned(), rows: Rows::Many },
            NamedReply { name: "total".to_owned(), rows: Rows::One },
        ]),
        examples: vec![Example {
            parameters: vec![pair("int4", "1"), pair("text", "\"a\"")],
            claims: vec![pair("uuid", "null")],
        }],
        plan: PlanMode::Auto,
    };
    let single = QueryDeclaration {
        name: "single".to_owned(),
        doc: String::new(),
        parameters: vec![],
        claims: vec![],
        reply: Reply::Single(Rows::One),
        examples: vec![],
        plan: PlanMode::Auto,
    };
    Manifest { sdk: "callslip-sdk 0.1.0".to_owned(), queries: vec![query, single] }
}

/// A manifest whose query can be sorted.
pub fn sort_manifest() -> Manifest {
    let keys = vec!["title".to_owned(), "closed".to_owned()];
    let sort = Parameter {
        name: "sort".to_owned(),
        doc: String::new(),
        ty: ValueType { domain: Domain::Sort { keys }, array: false, nullable: false },
        mode: ParameterMode::Seen,
        presence: Presence::Default("\"-closed\"".to_owned()),
        range: None,
    };
    let query = QueryDeclaration {
        name: "list".to_owned(),
        doc: String::new(),
        parameters: vec![sort],
        claims: vec![],
        reply: Reply::Single(Rows::Many),
        examples: vec![],
        plan: PlanMode::Auto,
    };
    Manifest { sdk: "callslip-sdk 0.1.0".to_owned(), queries: vec![query] }
}

/// A manifest whose parameters are of types by name.
pub fn named_types_manifest() -> Manifest {
    let parameter = |name: &str, ty: &str, array: bool| Parameter {
        name: name.to_owned(),
        doc: String::new(),
        ty: ValueType { domain: Domain::Named(TypeName::parse(ty)), array, nullable: false },
        mode: ParameterMode::Bound,
        presence: Presence::Required,
        range: None,
    };
    let query = QueryDeclaration {
        name: "near".to_owned(),
        doc: String::new(),
        parameters: vec![
            parameter("period", "pg_catalog.daterange", false),
            parameter("homes", "public.address", true),
        ],
        claims: vec![],
        reply: Reply::Single(Rows::Many),
        examples: vec![],
        plan: PlanMode::Auto,
    };
    Manifest { sdk: "callslip-sdk 0.1.0".to_owned(), queries: vec![query] }
}

/// A manifest whose query gives pages.
pub fn page_manifest() -> Manifest {
    let cursor = Parameter {
        name: "cursor".to_owned(),
        doc: String::new(),
        ty: ValueType { domain: Domain::Cursor, array: false, nullable: false },
        mode: ParameterMode::Bound,
        presence: Presence::Optional,
        range: None,
    };
    let query = QueryDeclaration {
        name: "list".to_owned(),
        doc: String::new(),
        parameters: vec![cursor],
        claims: vec![],
        reply: Reply::Single(Rows::Page),
        examples: vec![],
        plan: PlanMode::Auto,
    };
    Manifest { sdk: "callslip-sdk 0.1.0".to_owned(), queries: vec![query] }
}

/// The queries of all of these, of which the first is planned for the values of each call.
pub fn plan_manifest() -> Manifest {
    let manifests = [manifest(), sort_manifest(), named_types_manifest()];
    let mut queries: Vec<_> = manifests.into_iter().flat_map(|manifest| manifest.queries).collect();
    queries[0].plan = PlanMode::Custom;
    Manifest { sdk: "callslip-sdk 0.1.0".to_owned(), queries }
}

/// A description that has the rest of SQL/JSON: JSON_QUERY's own clauses, and JSON_TABLE.
pub fn json_table_description() -> Description {
    let mut n = Nodes(Vec::new());
    let mut items = Vec::new();
    for (wrapper, quotes) in [
        (Some(JsonWrapper::Without), Some(JsonQuotes::Keep)),
        (Some(JsonWrapper::Conditional), None),
        (Some(JsonWrapper::Unconditional), None),
        (None, Some(JsonQuotes::Omit)),
    ] {
        let function = SqlJsonFunction::QueryWith { wrapper, quotes };
        let (context, path) = (n.column("json"), n.slot(2));
        let (passing, returning, on_empty, on_error) = (vec![], None, None, None);
        let expression = n.add(NodeKind::SqlJson(SqlJson {
            function,
            context,
            path,
            passing,
            returning,
            on_empty,
            on_error,
        }));
        items.push(Item { expression, alias: None });
    }
    let text = |text: &str| Some(text.to_owned());
    let (context, passed) = (n.column("json"), n.slot(0));
    let ordinality = n.add(NodeKind::JsonTableColumn(JsonTableColumn::Ordinality { name: "n".to_owned() }));
    let on_empty = Some(SqlJsonBehavior::Default(n.slot(1)));
    let value = n.add(NodeKind::JsonTableColumn(JsonTableColumn::Value {
        name: "year".to_owned(),
        ty: TypeName::parse("int4"),
        format_json: true,
        path: text("$.year"),
        wrapper: Some(JsonWrapper::Without),
        quotes: Some(JsonQuotes::Omit),
        on_empty,
        on_error: Some(SqlJsonBehavior::Error),
    }));
    let exists = n.add(NodeKind::JsonTableColumn(JsonTableColumn::Exists {
        name: "signed".to_owned(),
        ty: TypeName::parse("bool"),
        path: text("$.signed"),
        on_error: Some(SqlJsonBehavior::Unknown),
    }));
    let nested = n.add(NodeKind::JsonTableColumn(JsonTableColumn::Nested {
        path: "$.copies[*]".to_owned(),
        path_name: text("copies"),
        columns: vec![exists],
    }));
    let table = n.add(NodeKind::JsonTable(JsonTable {
        context,
        path: "$.editions[*]".to_owned(),
        path_name: text("editions"),
        passing: vec![SqlJsonPassing { value: passed, name: "x".to_owned() }],
        columns: vec![ordinality, value, nested],
        on_error: Some(SqlJsonBehavior::EmptyArray),
        alias: "t".to_owned(),
        column_aliases: vec!["number".to_owned()],
    }));
    let body = n.add(NodeKind::Select(Select {
        distinct: Distinct::All,
        items,
        from: vec![table],
        filter: None,
        group_by: vec![],
        group_distinct: false,
        having: None,
        windows: vec![],
    }));
    n.query(body);
    let slot = |ty: &str| SlotType::Declared(TypeName::parse(ty));
    Description {
        slots: vec![slot("int4"), slot("int4"), slot("jsonpath")],
        files: vec!["src/lib.rs".to_owned(); 2],
        nodes: n.0,
    }
}
