//! What stands in FROM.

use callslip_ir::{ColumnDefinition, Functions, Join, JoinCondition, JoinKind, Sample, TableFunction};

use super::size::on_a_small_stack;
use super::*;

const CODE: u32 = 6000;
const HANDLER: u32 = 6001;
const RECORD: u32 = 2249;

/// The catalog with methods of sampling, functions that give rows, a view, and a text that somebody casts.
fn library() -> Catalog {
    let mut contents = catalog().contents().clone();
    let base = contents.types[0].clone();
    let ty = |oid, schema: &str, name: &str, kind, category| Type {
        oid,
        schema: schema.into(),
        name: name.into(),
        kind,
        category,
        preferred: false,
        ..base.clone()
    };
    contents.types.extend([
        ty(CODE, "public", "code", TypeKind::Base, 'S'),
        ty(HANDLER, PG_CATALOG, "tsm_handler", TypeKind::Pseudo, 'P'),
        ty(RECORD, PG_CATALOG, "record", TypeKind::Pseudo, 'P'),
        ty(6002, "public", "place", TypeKind::Domain { base: 5002, rules: Box::default() }, 'C'),
    ]);
    let function = contents.functions[0].clone();
    let function = |oid, name: &str, returns, columns: &[(&str, u32)]| Function {
        oid,
        schema: "public".into(),
        name: name.into(),
        arguments: vec![],
        returns,
        columns: columns
            .iter()
            .map(|(name, ty)| Attribute { name: (*name).into(), ty: *ty, type_modifier: -1 })
            .collect(),
        ..function.clone()
    };
    contents.functions.extend([
        function(20, "rows_of", HANDLER, &[]),
        function(21, "text_of", TEXT, &[]),
        function(22, "placed", 6002, &[]),
        function(23, "named", INT4, &[("q", INT4)]),
        function(24, "unnamed", INT4, &[("", INT4)]),
        function(25, "pair", RECORD, &[("a", INT4), ("b", TEXT)]),
        function(26, "records", RECORD, &[]),
        function(27, "opaque", 2283, &[]),
        function(28, "open", RECORD, &[("c", 2283), ("d", INT4)]),
    ]);
    contents.casts.push(Cast {
        source: CODE,
        target: TEXT,
        function: Some(2),
        context: CastContext::Implicit,
        binary: false,
        ..Cast::default()
    });
    let of = |oid, name: &str, kind, column: &str, ty| {
        let column = Column {
            name: column.into(),
            ty,
            type_modifier: -1,
            nullable: false,
            comment: None,
            ..Column::default()
        };
        Relation { oid, name: name.into(), kind, columns: vec![column], ..contents.relations[0].clone() }
    };
    let relations = [
        of(30, "v", RelationKind::View, "n", INT4),
        of(31, "codes", RelationKind::Table, "c", CODE),
        of(32, "texts", RelationKind::Table, "c", TEXT),
        of(33, "far", RelationKind::ForeignTable, "n", INT4),
    ];
    contents.relations.extend(relations);
    Catalog::new(contents)
}

fn granted(functions: &[&str]) -> GrantSettings {
    let relations = ["t", "r", "partly", "v", "codes", "texts", "far"];
    GrantSettings {
        relations: relations.map(str::to_owned).into(),
        functions: functions.iter().map(|name| (*name).to_owned()).collect(),
        ..GrantSettings::default()
    }
}

fn stored(name: &str) -> Table {
    let relation = RelationName::Stored(QualifiedName::new(name));
    Table { name: relation, alias: name.into(), columns: vec![], only: false, sample: None }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

impl Writer {
    fn table(&mut self, name: &str) -> NodeId {
        self.add(NodeKind::Table(stored(name)))
    }

    fn join(&mut self, left: NodeId, right: NodeId, condition: JoinCondition) -> NodeId {
        let kind = if condition == JoinCondition::None { JoinKind::Cross } else { JoinKind::Inner };
        self.add(NodeKind::Join(Join { kind, left, right, condition, alias: None, columns: vec![] }))
    }

    /// `SELECT 1 AS x FROM relation`, or another item.
    fn from(mut self, item: Option<(&str, &str)>, relation: impl FnOnce(&mut Self) -> NodeId) -> Self {
        let from = relation(&mut self);
        let expression = match item {
            Some((relation, name)) => {
                self.add(NodeKind::Column { relation: relation.into(), name: name.into() })
            }
            None => self.slot(SlotType::Context),
        };
        self.query_of(expression, from, None);
        self
    }
}

/// What stands in FROM of the SQL, or the findings.
fn from(
    item: Option<(&str, &str)>,
    functions: &[&str],
    relation: impl FnOnce(&mut Writer) -> NodeId,
) -> String {
    match Writer::default().from(item, relation).printed_on(&library(), &granted(functions), &[]) {
        Ok(sql) => sql.split_once(" FROM ").unwrap().1.replace('"', ""),
        Err(findings) => findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n"),
    }
}

fn using(columns: &[&str]) -> JoinCondition {
    JoinCondition::Using { columns: names(columns), alias: None }
}

#[test]
fn columns_that_the_login_may_not_read_count() {
    let aliased = |writer: &mut Writer| {
        writer.add(NodeKind::Table(Table { columns: names(&["a"]), ..stored("partly") }))
    };
    assert_eq!(
        from(None, &[], aliased),
        "CS0203: column aliases count columns of partly too that the host's login may not read; name the columns in the \
         select list of a subquery instead"
    );
    let natural = |writer: &mut Writer| {
        let (left, right) = (writer.table("t"), writer.table("partly"));
        writer.join(left, right, JoinCondition::Natural)
    };
    assert_eq!(
        from(None, &[], natural),
        "CS0203: NATURAL JOIN compares columns of partly too that the host's login may not read; name the columns to compare \
         with USING"
    );
    let joined = |columns: &[&str]| {
        let columns = names(columns);
        move |writer: &mut Writer| {
            let (left, right) = (writer.table("t"), writer.table("partly"));
            let join = writer.join(left, right, using(&["n"]));
            let Some(NodeKind::Join(named)) = writer.nodes.last_mut() else { panic!("a join") };
            (named.alias, named.columns) = (Some("j".into()), columns);
            join
        }
    };
    assert!(
        from(None, &[], joined(&["a"])).starts_with("CS0203: column aliases count columns of partly too")
    );
    let sql = "(public.t AS t JOIN public.partly AS partly USING (n)) AS j";
    assert_eq!(from(Some(("j", "n")), &[], joined(&[])), sql);
    // A subquery has those columns only that it names.
    let hidden = |writer: &mut Writer| {
        let item = writer.column("n");
        let query = writer.query(item, None);
        let columns = names(&["a"]);
        let subquery = callslip_ir::Subquery { query, lateral: false, alias: "s".into(), columns };
        let (left, right) = (writer.add(NodeKind::Subquery(subquery)), writer.table("t"));
        writer.join(left, right, JoinCondition::Natural)
    };
    assert!(from(Some(("s", "a")), &[], hidden).ends_with("AS s (a) NATURAL JOIN public.t AS t"));
}

#[test]
fn a_sampling_method_is_granted_like_a_function() {
    let sampled = |relation: &'static str, method: &'static str| {
        move |writer: &mut Writer| {
            let arguments = vec![writer.slot(SlotType::Declared(TypeName::parse("bool")))];
            let seed = Some(writer.slot(SlotType::Context));
            let sample = Some(Sample { method: QualifiedName::parse(method), arguments, seed });
            writer.add(NodeKind::Table(Table { sample, ..stored(relation) }))
        }
    };
    assert_eq!(
        from(None, &[], sampled("t", "rows_of")),
        "CS0402: the function public.rows_of was not granted to the plugin p; add \"public.rows_of\" to functions in \
         [plugins.p.grants]"
    );
    assert!(
        from(None, &["rows_of"], sampled("t", "rows_of")).starts_with(
            "public.t AS t TABLESAMPLE public.rows_of (CAST($2 AS pg_catalog.bool)) REPEATABLE ("
        )
    );
    // Another function of that name is none, and PostgreSQL's own can't be hidden.
    let granted = ["text_of", "rows_of"];
    assert_eq!(from(None, &granted, sampled("t", "text_of")), "CS0305: there is no sampling method text_of");
    assert_eq!(
        from(None, &granted, sampled("t", "public.system")),
        "CS0305: there is no sampling method public.system; did you mean \"system\"?"
    );
    assert!(from(None, &[], sampled("t", "pg_catalog.system")).contains("TABLESAMPLE pg_catalog.system ("));
    for relation in ["v", "far"] {
        assert_eq!(
            from(None, &[], sampled(relation, "system")),
            "CS0203: TABLESAMPLE is of tables and materialized views, not of views and foreign tables"
        );
    }
    // What PostgreSQL makes of the argument, only it knows.
    let number = |writer: &mut Writer| {
        let arguments = vec![writer.slot(SlotType::Declared(TypeName::parse("int4")))];
        let sample = Some(Sample { method: QualifiedName::new("rows_of"), arguments, seed: None });
        writer.add(NodeKind::Table(Table { sample, ..stored("t") }))
    };
    assert!(from(None, &["rows_of"], number).starts_with("CS0405: a cast here calls the function app.leak"));
    assert!(from(None, &["rows_of", "app.leak"], number).starts_with("public.t AS t TABLESAMPLE"));
}

#[test]
fn only_and_tablesample_are_not_of_ctes() {
    for (only, sample) in [
        (true, None),
        (false, Some(Sample { method: QualifiedName::new("system"), arguments: vec![], seed: None })),
    ] {
        let mut writer = Writer::default();
        let item = writer.column("n");
        let query = writer.query(item, None);
        let mut writer = writer.from(None, |writer| {
            let name = RelationName::Cte("c".into());
            writer.add(NodeKind::Table(Table { name, only, sample, ..stored("c") }))
        });
        let Some(NodeKind::Query(root)) = writer.nodes.last_mut() else { panic!("a query") };
        let (columns, materialized) = (vec![], Materialization::Unspecified);
        let cte = Cte { name: "c".into(), columns, query, materialized, search: None, cycle: None };
        root.with = Some(With { recursive: false, ctes: vec![cte] });
        let findings = writer.sql().unwrap_err();
        assert_eq!(findings[0].message, "ONLY and TABLESAMPLE are of tables, not of CTEs");
    }
}

fn function(name: &str, columns: &[(&str, &str)]) -> impl FnOnce(&mut Writer) -> NodeId {
    functions(vec![(name, columns)])
}

fn functions(functions: Vec<(&str, &[(&str, &str)])>) -> impl FnOnce(&mut Writer) -> NodeId {
    move |writer: &mut Writer| {
        let definition = |&(name, ty): &(&str, &str)| ColumnDefinition {
            name: name.into(),
            ty: TypeName::parse(ty),
            collation: None,
        };
        let calls = functions
            .iter()
            .map(|(name, columns)| TableFunction {
                call: writer.add(NodeKind::Call(call(name, vec![]))),
                columns: columns.iter().map(definition).collect(),
            })
            .collect();
        let alias = "f".into();
        writer.add(NodeKind::Functions(Functions {
            calls,
            ordinality: false,
            lateral: false,
            alias,
            columns: vec![],
        }))
    }
}

/// The names are those that PostgreSQL 15 gives.
#[test]
fn the_columns_of_a_function_are_named_as_postgresql_names_them() {
    let all = ["text_of", "placed", "named", "unnamed", "pair", "records"];
    for (name, columns) in [
        ("text_of", &["f"][..]),
        ("unnamed", &["f"]),
        ("named", &["q"]),
        // A domain over a row type gives a row.
        ("placed", &["n", "m"]),
        ("pair", &["a", "b"]),
    ] {
        for column in columns {
            let sql = from(Some(("f", column)), &all, function(name, &[]));
            assert_eq!(sql, format!("public.{name}() AS f"), "{column}");
        }
        let wrong = from(Some(("f", "wrong")), &all, function(name, &[]));
        assert!(wrong.ends_with(&format!("its columns are {}", columns.join(", "))), "{wrong}");
    }
    // Of several each is named by itself.
    let several =
        || functions(vec![("text_of", &[]), ("named", &[]), ("pair", &[]), ("records", &[("z", "int4")])]);
    for column in ["text_of", "q", "a", "b", "z"] {
        assert_eq!(
            from(Some(("f", column)), &all, several()),
            "ROWS FROM (public.text_of(), public.named(), public.pair(), public.records() AS (z pg_catalog.int4)) AS f"
        );
    }
    assert!(
        from(Some(("f", "f")), &all, several())
            .starts_with("CS0302: ROWS FROM (alias \"f\") has no column \"f\"")
    );
}

#[test]
fn functions_in_from_are_granted_and_bounded() {
    assert!(
        from(None, &[], function("pair", &[]))
            .starts_with("CS0402: the function public.pair was not granted")
    );
    let wide = functions(vec![("placed", &[]); 900]);
    assert_eq!(from(None, &["placed"], wide), "CS0202: functions in FROM give more than 1600 columns");
    let columns: Vec<String> = (0..6_000).map(|index| format!("c{index}")).collect();
    let columns: Vec<(&str, &str)> = columns.iter().map(|name| (name.as_str(), "int4")).collect();
    let defined = from(None, &["records"], function("records", &columns));
    assert!(defined.starts_with("CS0202: the description has "), "{defined}");
    let none = |writer: &mut Writer| {
        let (calls, columns, alias) = (vec![], vec![], "f".into());
        writer.add(NodeKind::Functions(Functions { calls, ordinality: true, lateral: false, alias, columns }))
    };
    assert!(from(None, &[], none).starts_with("CS0203: ROWS FROM without a function"));
    // A domain that looks into the catalog, by way of a definition.
    assert!(
        from(None, &["records"], function("records", &[("a", "relname")]))
            .starts_with("CS0403: the type public.relname was not granted")
    );
    let not_a_call = |writer: &mut Writer| {
        let call = writer.slot(SlotType::Context);
        let (calls, columns) = (vec![TableFunction { call, columns: vec![] }], vec![]);
        writer.add(NodeKind::Functions(Functions {
            calls,
            ordinality: false,
            lateral: false,
            alias: "f".into(),
            columns,
        }))
    };
    assert!(from(None, &[], not_a_call).starts_with("CS0203: node 0 is not a call"));
}

#[test]
fn using_compares_with_what_was_granted() {
    let joined = |left: &'static str, right: &'static str| {
        move |writer: &mut Writer| {
            let (left, right) = (writer.table(left), writer.table(right));
            writer.join(left, right, using(&["c"]))
        }
    };
    let refused = from(None, &[], joined("codes", "texts"));
    assert!(refused.starts_with("CS0405: a cast here calls the function app.leak"), "{refused}");
    assert_eq!(
        from(None, &["app.leak"], joined("codes", "texts")),
        "public.codes AS codes JOIN public.texts AS texts USING (c)"
    );
    // A type with an = of its own, which ON would find and USING does not.
    let mut contents = library().contents().clone();
    let own = Operator {
        oid: 90,
        schema: "public".into(),
        left: Some(CODE),
        right: CODE,
        ..contents.operators[0].clone()
    };
    contents.operators.push(own);
    let writer = Writer::default().from(None, |writer| {
        let left = writer.table("codes");
        let right = writer.add(NodeKind::Table(Table { alias: "again".into(), ..stored("codes") }));
        writer.join(left, right, using(&["c"]))
    });
    let findings = writer.printed_on(&Catalog::new(contents), &granted(&["app.leak"]), &[]).unwrap_err();
    assert_eq!(
        findings[0].message,
        "USING and NATURAL compare \"c\" with the = of pg_catalog, and its type has one of its own, public.="
    );
}

#[test]
fn a_join_of_columns_that_are_not_known_runs_no_ungranted_cast() {
    for condition in [using(&["c"]), JoinCondition::Natural] {
        let joined = |writer: &mut Writer| {
            let (left, right) = (function("open", &[])(writer), writer.table("texts"));
            writer.join(left, right, condition.clone())
        };
        let refused = from(None, &["open"], joined);
        assert!(refused.starts_with("CS0405: a cast here calls the function app.leak"), "{refused}");
        let taken = from(None, &["open", "app.leak"], joined);
        assert!(
            taken.starts_with("public.open() AS f ") && taken.contains("public.texts AS texts"),
            "{taken}"
        );
    }
    // New names are names, whatever they are of.
    let long = "x".repeat(64);
    let renamed = |writer: &mut Writer| {
        let functions = function("opaque", &[])(writer);
        let Some(NodeKind::Functions(named)) = writer.nodes.last_mut() else { panic!("functions") };
        named.columns = vec![long];
        functions
    };
    let findings = from(None, &["opaque"], renamed);
    assert!(findings.contains("CS0312: the column alias"), "{findings}");
}

#[test]
fn what_a_join_says_fits_together() {
    let shaped = |kind: JoinKind, condition: JoinCondition, alias: Option<&str>, columns: &[&str]| {
        let (alias, columns) = (alias.map(str::to_owned), names(columns));
        from(None, &[], move |writer| {
            let (left, right) = (writer.table("t"), writer.table("v"));
            writer.add(NodeKind::Join(Join { kind, left, right, condition, alias, columns }))
        })
    };
    for condition in [using(&["n"]), JoinCondition::Natural] {
        assert_eq!(shaped(JoinKind::Cross, condition, None, &[]), "CS0203: a CROSS JOIN has no condition");
    }
    assert_eq!(
        shaped(JoinKind::Left, JoinCondition::None, None, &[]),
        "CS0203: a join other than CROSS JOIN needs a condition"
    );
    assert_eq!(
        shaped(JoinKind::Inner, JoinCondition::Natural, None, &["a"]),
        "CS0203: column aliases of a join need an alias of it"
    );
    assert!(
        shaped(JoinKind::Inner, JoinCondition::Natural, Some(""), &[])
            .starts_with("CS0312: the alias \"\" is empty")
    );
    let long = "x".repeat(64);
    let alias = JoinCondition::Using { columns: names(&["n"]), alias: Some(long.clone()) };
    assert!(shaped(JoinKind::Inner, alias, None, &[]).starts_with("CS0312: the alias"));
    assert!(shaped(JoinKind::Inner, using(&[&long]), None, &[]).starts_with("CS0312: the column of USING"));
    let many: Vec<String> = (0..6_000).map(|index| format!("c{index}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(shaped(JoinKind::Inner, using(&many), None, &[]).starts_with("CS0202: the description has "));
    assert_eq!(
        shaped(JoinKind::Full, using(&["n"]), Some("a\" JOIN x"), &["b\"c"]).replace("public.", ""),
        "(t AS t FULL JOIN v AS v USING (n)) AS a JOIN x (bc)"
    );
}

#[test]
fn joins_on_the_right_side_fit_on_a_small_stack() {
    let depth = Limits::default().depth;
    on_a_small_stack(move || {
        let sql = from(Some(("j0", "n")), &[], |writer| {
            let mut joined = writer.add(NodeKind::Table(Table { alias: "j".into(), ..stored("t") }));
            for index in (0..depth - 2).rev() {
                let left = writer.add(NodeKind::Table(Table { alias: format!("t{index}"), ..stored("t") }));
                joined = writer.join(left, joined, using(&["b", "n", "m"]));
                let Some(NodeKind::Join(join)) = writer.nodes.last_mut() else { panic!("a join") };
                join.alias = Some(format!("j{index}"));
            }
            joined
        });
        assert_eq!(sql.matches(" USING (b, n, m)) AS j").count(), depth - 2, "{sql}");
    });
}
