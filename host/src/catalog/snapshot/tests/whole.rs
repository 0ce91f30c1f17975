//! Contents in which every member says something.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::*;
use crate::catalog::{
    Attribute, Cast, CastContext, Check, Collation, Column, ColumnPrivileges, DomainRules, Exclusion,
    Extension, ForeignKey, FunctionKind, Generated, Identity, Index, ObjectName, Oid, Operator, PG_CATALOG,
    Parallel, PartitionOf, Partitioning, Persistence, Policy, PolicyCommand, ReferentialAction, Relation,
    RelationKind, RowSecurity, Schema, Signature, Type, TypeKind, UniqueKey, View, Volatility,
};

const INT4: Oid = 23;
const TEXT: Oid = 25;

fn object(schema: &str, name: &str) -> ObjectName {
    ObjectName { schema: schema.into(), name: name.into() }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn check(name: &str, validated: bool) -> Check {
    Check { name: name.into(), expression: format!("(({name})::text <> ''::text)"), validated }
}

/// Nothing here is `..Default::default()`: a member that is new must be said here, and so be written and read.
fn types() -> Vec<Type> {
    let ty = |oid, schema: &str, name: &str, kind, category, array| Type {
        oid,
        schema: schema.into(),
        name: name.into(),
        kind,
        category,
        preferred: name == "text",
        array,
        owner: String::new(),
        extension: None,
        comment: None,
    };
    let app = |oid, name: &str, kind, category, array: Option<Oid>| Type {
        owner: "builder".into(),
        extension: (name == "point").then(|| "places".into()),
        comment: (array.is_none() && category != 'A').then(|| format!("About {name}\n\"and\" more")),
        ..ty(oid, "app", name, kind, category, array)
    };
    let rules = DomainRules {
        type_modifier: Some(14),
        not_null: true,
        default: Some("'x'::text".into()),
        collation: Some(object("app", "ci")),
        checks: vec![check("first", true), check("second", false)],
    };
    let rows = |columns: &[(&str, Oid, i32)]| TypeKind::Composite {
        attributes: columns
            .iter()
            .map(|(name, ty, type_modifier)| Attribute {
                name: (*name).into(),
                ty: *ty,
                type_modifier: *type_modifier,
            })
            .collect(),
    };
    vec![
        ty(INT4, PG_CATALOG, "int4", TypeKind::Base, 'N', Some(1007)),
        ty(1007, PG_CATALOG, "_int4", TypeKind::Array { element: INT4 }, 'A', None),
        ty(TEXT, PG_CATALOG, "text", TypeKind::Base, 'S', None),
        app(20_001, "point", TypeKind::Base, 'U', Some(20_002)),
        Type {
            extension: Some("places".into()),
            ..app(20_002, "_point", TypeKind::Array { element: 20_001 }, 'A', None)
        },
        app(20_003, "mood", TypeKind::Enum { labels: texts(&["calm", "cross"]) }, 'E', Some(20_004)),
        app(20_004, "_mood", TypeKind::Array { element: 20_003 }, 'A', None),
        app(20_005, "code", TypeKind::Domain { base: TEXT, rules: Box::new(rules) }, 'S', None),
        app(
            20_006,
            "span",
            TypeKind::Range { subtype: TEXT, collation: Some(object(PG_CATALOG, "C")) },
            'R',
            None,
        ),
        app(20_007, "spans", TypeKind::Multirange { range: 20_006 }, 'R', None),
        app(20_008, "place", rows(&[("at", 20_001, -1), ("n", INT4, 7)]), 'C', None),
        app(20_009, "any_mood", TypeKind::Pseudo, 'P', None),
        // The rows of the relations.
        app(
            20_010,
            "event",
            rows(&[("id", INT4, -1), ("codes", 1007, 5), ("twice", INT4, -1), ("secret", TEXT, -1)]),
            'C',
            Some(20_011),
        ),
        app(20_011, "_event", TypeKind::Array { element: 20_010 }, 'A', None),
        app(20_012, "event_2024", rows(&[]), 'C', None),
        Type {
            extension: Some("places".into()),
            ..app(20_013, "calm_event", rows(&[("moods", 1007, -1), ("hidden", TEXT, -1)]), 'C', None)
        },
        app(20_014, "far", rows(&[]), 'C', None),
    ]
}

fn event() -> Relation {
    let columns = vec![
        Column {
            name: "id".into(),
            ty: INT4,
            type_modifier: -1,
            dimensions: 0,
            collation: None,
            nullable: false,
            default: None,
            identity: Some(Identity::ByDefault),
            generated: None,
            privileges: ColumnPrivileges { select: true, insert: true, update: true, references: true },
            comment: Some("Its \"number\"".into()),
        },
        Column {
            name: "codes".into(),
            ty: 1007,
            type_modifier: 5,
            dimensions: 2,
            collation: Some(object("app", "Ci \"x\"")),
            nullable: true,
            default: Some("'{}'::integer[]".into()),
            identity: None,
            generated: None,
            privileges: ColumnPrivileges::default(),
            comment: None,
        },
        Column {
            name: "twice".into(),
            ty: INT4,
            type_modifier: -1,
            dimensions: 0,
            collation: None,
            nullable: false,
            default: Some("(id * 2)".into()),
            identity: Some(Identity::Always),
            generated: Some(Generated::Stored),
            privileges: ColumnPrivileges { select: true, insert: false, update: false, references: true },
            comment: None,
        },
        Column {
            name: "secret".into(),
            ty: TEXT,
            type_modifier: -1,
            dimensions: 0,
            collation: None,
            nullable: false,
            default: None,
            identity: None,
            generated: Some(Generated::Virtual),
            privileges: ColumnPrivileges { select: false, insert: false, update: false, references: false },
            comment: None,
        },
    ];
    let policy = |name: &str, command, roles| Policy {
        name: name.into(),
        command,
        permissive: name == "mine",
        roles,
        using: Some("(id = 1)".into()),
        check: (command == PolicyCommand::Insert).then(|| "(id > 0)".into()),
    };
    let index = |name: &str, method: &str, full: bool| Index {
        name: name.into(),
        method: method.into(),
        unique: full,
        valid: !full,
        keys: texts(&["id", "lower(secret) COLLATE \"C\" DESC"]),
        included: if full { texts(&["twice"]) } else { vec![] },
        predicate: full.then(|| "(id > 0)".into()),
    };
    Relation {
        oid: 30_000,
        schema: "app".into(),
        name: "event".into(),
        kind: RelationKind::PartitionedTable,
        persistence: Persistence::Unlogged,
        owner: "builder".into(),
        extension: None,
        columns,
        hidden_columns: 0,
        row_type: Some(20_010),
        unique_keys: vec![
            UniqueKey {
                name: "event_pkey".into(),
                primary: true,
                partial: false,
                deferrable: true,
                without_overlaps: true,
                nulls_not_distinct: false,
                columns: texts(&["id", "codes"]),
            },
            UniqueKey {
                name: "event_key".into(),
                primary: false,
                partial: true,
                deferrable: false,
                without_overlaps: false,
                nulls_not_distinct: true,
                columns: texts(&["secret"]),
            },
        ],
        foreign_keys: vec![
            ForeignKey {
                name: "event_first".into(),
                columns: texts(&["id"]),
                target: 30_000,
                target_columns: texts(&["twice"]),
                on_update: ReferentialAction::Cascade,
                on_delete: ReferentialAction::SetNull,
                deferrable: true,
                validated: false,
                period: true,
            },
            ForeignKey {
                name: "event_second".into(),
                columns: texts(&["codes", "id"]),
                target: 30_000,
                target_columns: texts(&["codes", "id"]),
                on_update: ReferentialAction::NoAction,
                on_delete: ReferentialAction::NoAction,
                deferrable: false,
                validated: true,
                period: false,
            },
        ],
        checks: vec![check("event_a", true), check("event_b", false)],
        exclusions: vec![Exclusion {
            name: "event_excl".into(),
            definition: "EXCLUDE USING gist (id WITH =)".into(),
        }],
        indexes: vec![index("event_gist", "gist", true), index("event_usual", "btree", false)],
        row_security: RowSecurity {
            enabled: true,
            forced: true,
            policies: vec![
                policy("all", PolicyCommand::All, texts(&["public"])),
                policy("mine", PolicyCommand::Insert, texts(&["a", "b"])),
            ],
        },
        partitioning: Some(Partitioning { key: "RANGE (id)".into() }),
        partition_of: Some(PartitionOf {
            parent: object("app", "every \"event\""),
            bounds: "DEFAULT".into(),
        }),
        inherits: vec![object("app", "z"), object("app", "a")],
        view: None,
        foreign_server: None,
        comment: Some("What\nhappened".into()),
    }
}

fn relations() -> Vec<Relation> {
    let signature = |schema: &str, name: &str, arguments: &[&str]| Signature {
        function: object(schema, name),
        arguments: texts(arguments),
    };
    let view = View {
        definition: " SELECT moods\n   FROM app.event\n\n  WHERE \"x\";".into(),
        security_barrier: true,
        security_invoker: true,
        reads: BTreeSet::from([
            object("app", "event"),
            object("other", "Odd.one"),
            object(PG_CATALOG, "pg_class"),
        ]),
        calls: BTreeSet::from([
            signature(PG_CATALOG, "lower", &["text"]),
            signature(PG_CATALOG, "now", &[]),
            signature("app", "weigh(", &["app.mood[]", "app.\"a, b\"", "int4"]),
        ]),
    };
    let moods = Column { name: "moods".into(), ty: 1007, nullable: true, ..Column::default() };
    vec![
        event(),
        Relation {
            oid: 30_001,
            schema: "app".into(),
            name: "event_2024".into(),
            persistence: Persistence::Temporary,
            owner: "builder".into(),
            row_type: Some(20_012),
            ..Relation::default()
        },
        Relation {
            oid: 30_002,
            schema: "app".into(),
            name: "calm_event".into(),
            kind: RelationKind::View,
            owner: "builder".into(),
            extension: Some("places".into()),
            columns: vec![moods],
            hidden_columns: 1,
            row_type: Some(20_013),
            view: Some(view),
            ..Relation::default()
        },
        Relation {
            oid: 30_003,
            schema: "app".into(),
            name: "far".into(),
            kind: RelationKind::ForeignTable,
            owner: "builder".into(),
            row_type: Some(20_014),
            foreign_server: Some("elsewhere".into()),
            ..Relation::default()
        },
    ]
}

fn functions() -> Vec<Function> {
    let weigh = |oid, arguments: Vec<Oid>| Function {
        oid,
        schema: "app".into(),
        name: "weigh(".into(),
        kind: FunctionKind::OrderedSet { direct: 1 },
        argument_names: vec!["x".into(); arguments.len()],
        arguments,
        defaults: 1,
        variadic: Some(INT4),
        returns: INT4,
        columns: vec![Attribute { name: "total".into(), ty: INT4, type_modifier: 3 }],
        returns_set: true,
        volatility: Volatility::Volatile,
        security_definer: true,
        strict: true,
        leakproof: true,
        parallel: Parallel::Restricted,
        language: "plpgsql".into(),
        owner: "builder".into(),
        extension: Some("places".into()),
        comment: Some("Weighs".into()),
        hidden: false,
    };
    let builtin = Function {
        oid: 40_002,
        schema: PG_CATALOG.into(),
        name: "lower".into(),
        arguments: vec![TEXT],
        returns: TEXT,
        ..Function::default()
    };
    vec![weigh(40_000, vec![20_003, 1007]), weigh(40_001, vec![20_001, INT4]), builtin]
}

/// Everything is of the user's, or as a snapshot leaves it of PostgreSQL's own.
pub(super) fn contents() -> Contents {
    let collation = |schema: &str, name: &str| Collation {
        schema: schema.into(),
        name: name.into(),
        nondeterministic: name == "ci",
    };
    Contents {
        server_version: 180_001,
        settings: BTreeMap::from([
            ("server_encoding".into(), "UTF8".into()),
            ("lc_collate".into(), "C".into()),
        ]),
        partial: true,
        schemas: vec![
            Schema {
                name: "app".into(),
                owner: "builder".into(),
                comment: Some("The application's".into()),
                hidden: false,
            },
            Schema { name: "empty".into(), ..Schema::default() },
        ],
        extensions: vec![Extension { name: "places".into(), schema: "app".into(), version: "1.2".into() }],
        relations: relations(),
        types: types(),
        functions: functions(),
        operators: vec![
            Operator {
                oid: 50_000,
                schema: "app".into(),
                name: "<->".into(),
                left: Some(20_001),
                right: 20_001,
                result: INT4,
                function: None,
                extension: Some("places".into()),
                hidden: false,
            },
            Operator {
                oid: 50_001,
                schema: "app".into(),
                name: "@".into(),
                left: None,
                right: INT4,
                result: INT4,
                function: None,
                extension: None,
                hidden: false,
            },
        ],
        casts: vec![Cast {
            source: 20_001,
            target: INT4,
            // Not the first of its name.
            function: Some(40_001),
            context: CastContext::Assignment,
            binary: true,
            extension: Some("places".into()),
        }],
        collations: vec![collation("app", "Plain"), collation("app", "ci"), collation(PG_CATALOG, "C")],
    }
}

/// The same in an order of names, with ids that go by it: what is equal of two contents with ids of their own.
pub(super) fn renumbered(mut contents: Contents) -> Contents {
    let name = |schema: &str, name: &str| (schema.to_owned(), name.to_owned());
    contents.types.sort_by_key(|ty| name(&ty.schema, &ty.name));
    let types: HashMap<Oid, Oid> = contents.types.iter().map(|ty| ty.oid).zip(1..).collect();
    contents.relations.sort_by_key(|relation| name(&relation.schema, &relation.name));
    let relations: HashMap<Oid, Oid> = contents.relations.iter().map(|its| its.oid).zip(1..).collect();
    for ty in &mut contents.types {
        ty.oid = types[&ty.oid];
        ty.array = ty.array.map(|array| types[&array]);
        match &mut ty.kind {
            TypeKind::Array { element: of }
            | TypeKind::Domain { base: of, .. }
            | TypeKind::Range { subtype: of, .. }
            | TypeKind::Multirange { range: of } => *of = types[of],
            TypeKind::Composite { attributes } => {
                attributes.iter_mut().for_each(|its| its.ty = types[&its.ty])
            }
            TypeKind::Base | TypeKind::Enum { .. } | TypeKind::Pseudo => {}
        }
    }
    for relation in &mut contents.relations {
        relation.oid = relations[&relation.oid];
        relation.row_type = relation.row_type.map(|row_type| types[&row_type]);
        relation.columns.iter_mut().for_each(|column| column.ty = types[&column.ty]);
        relation.foreign_keys.iter_mut().for_each(|key| key.target = relations[&key.target]);
        relation.unique_keys.sort_by_key(|key| key.name.clone());
    }
    for function in &mut contents.functions {
        function.returns = types[&function.returns];
        function.variadic = function.variadic.map(|ty| types[&ty]);
        function.arguments.iter_mut().for_each(|ty| *ty = types[ty]);
        function.columns.iter_mut().for_each(|column| column.ty = types[&column.ty]);
    }
    contents.functions.sort_by_key(|its| (name(&its.schema, &its.name), its.arguments.clone()));
    let functions: HashMap<Oid, Oid> = contents.functions.iter().map(|its| its.oid).zip(1..).collect();
    contents.functions.iter_mut().for_each(|function| function.oid = functions[&function.oid]);
    for operator in &mut contents.operators {
        operator.left = operator.left.map(|ty| types[&ty]);
        (operator.right, operator.result) = (types[&operator.right], types[&operator.result]);
    }
    contents.operators.sort_by_key(|its| (name(&its.schema, &its.name), its.left, its.right));
    contents.operators.iter_mut().zip(1..).for_each(|(operator, oid)| operator.oid = oid);
    for cast in &mut contents.casts {
        (cast.source, cast.target) = (types[&cast.source], types[&cast.target]);
        cast.function = cast.function.map(|function| functions[&function]);
    }
    contents.casts.sort_by_key(|cast| (cast.source, cast.target));
    contents.collations.sort_by_key(|its| name(&its.schema, &its.name));
    contents
}
