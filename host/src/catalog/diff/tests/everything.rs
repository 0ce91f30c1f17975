use crate::catalog::{
    Attribute, Cast, CastContext, Check, Collation, Column, Contents, DomainRules, Exclusion, Extension,
    ForeignKey, Function, Index, ObjectName, Operator, PG_CATALOG, PartitionOf, Partitioning, Policy,
    Relation, RelationKind, RowSecurity, Schema, Signature, Type, TypeKind, UniqueKey, View,
};

pub(super) const INT4: u32 = 23;
pub(super) const INT8: u32 = 20;
pub(super) const TEXT: u32 = 25;
pub(super) const MOOD: u32 = 100;
pub(super) const MOODS: u32 = 101;

pub(super) fn name(name: &str) -> ObjectName {
    ObjectName { schema: "app".into(), name: name.into() }
}

pub(super) fn column(name: &str, ty: u32) -> Column {
    Column { name: name.into(), ty, ..Column::default() }
}

fn ty(oid: u32, schema: &str, name: &str, kind: TypeKind) -> Type {
    Type {
        oid,
        schema: schema.into(),
        name: name.into(),
        kind,
        category: 'X',
        owner: "owner".into(),
        ..Type::default()
    }
}

fn check(name: &str) -> Check {
    Check { name: name.into(), expression: "x > 0".into(), validated: true }
}

pub(super) fn attribute(name: &str, ty: u32) -> Attribute {
    Attribute { name: name.into(), ty, type_modifier: -1 }
}

pub(super) fn relation(oid: u32, name: &str, columns: Vec<Column>) -> Relation {
    Relation {
        oid,
        schema: "app".into(),
        name: name.into(),
        owner: "owner".into(),
        columns,
        ..Relation::default()
    }
}

/// A catalog that has one of everything, in `app`.
pub(super) fn contents() -> Contents {
    let domain = DomainRules { checks: vec![check("positive")], ..DomainRules::default() };
    let types = vec![
        ty(INT4, PG_CATALOG, "int4", TypeKind::Base),
        ty(INT8, PG_CATALOG, "int8", TypeKind::Base),
        ty(TEXT, PG_CATALOG, "text", TypeKind::Base),
        ty(1043, PG_CATALOG, "varchar", TypeKind::Base),
        Type {
            array: Some(MOODS),
            ..ty(MOOD, "app", "mood", TypeKind::Enum { labels: vec!["calm".into(), "cross".into()] })
        },
        ty(MOODS, "app", "_mood", TypeKind::Array { element: MOOD }),
        ty(102, "app", "low", TypeKind::Domain { base: INT4, rules: Box::new(domain) }),
        ty(
            103,
            "app",
            "place",
            TypeKind::Composite { attributes: vec![attribute("x", INT4), attribute("y", INT4)] },
        ),
        ty(104, "app", "span", TypeKind::Range { subtype: INT4, collation: None }),
        ty(105, "app", "spans", TypeKind::Multirange { range: 104 }),
        ty(
            106,
            "app",
            "part",
            TypeKind::Composite { attributes: vec![attribute("n", INT4), attribute("secret", TEXT)] },
        ),
    ];
    let person = Relation {
        kind: RelationKind::PartitionedTable,
        unique_keys: vec![UniqueKey {
            name: "pk".into(),
            columns: vec!["id".into()],
            ..UniqueKey::default()
        }],
        foreign_keys: vec![ForeignKey {
            name: "fk".into(),
            columns: vec!["id".into()],
            target: 201,
            target_columns: vec!["n".into()],
            ..ForeignKey::default()
        }],
        checks: vec![check("sane")],
        exclusions: vec![Exclusion { name: "apart".into(), definition: "EXCLUDE (id WITH =)".into() }],
        indexes: vec![Index {
            name: "by_email".into(),
            method: "btree".into(),
            keys: vec!["lower(email)".into()],
            ..Index::default()
        }],
        row_security: RowSecurity {
            policies: vec![Policy { name: "own".into(), roles: vec!["public".into()], ..Policy::default() }],
            ..RowSecurity::default()
        },
        partitioning: Some(Partitioning { key: "RANGE (id)".into() }),
        ..relation(200, "person", vec![column("id", INT8), column("email", TEXT), column("mood", MOOD)])
    };
    let part = Relation {
        partition_of: Some(PartitionOf { parent: name("person"), bounds: "FOR VALUES IN (1)".into() }),
        inherits: vec![name("base")],
        hidden_columns: 1,
        row_type: Some(106),
        ..relation(201, "part", vec![column("n", INT4)])
    };
    let card = Relation {
        kind: RelationKind::View,
        view: Some(View {
            definition: " SELECT\n 1".into(),
            reads: [name("person")].into(),
            calls: [Signature { function: name("f"), arguments: vec!["int4".into()] }].into(),
            ..View::default()
        }),
        ..relation(202, "card", vec![column("c", TEXT)])
    };
    Contents {
        server_version: 150_018,
        settings: [("server_encoding".to_owned(), "UTF8".to_owned())].into(),
        partial: false,
        schemas: ["app", "other"]
            .map(|name| Schema { name: name.into(), owner: "owner".into(), ..Schema::default() })
            .into(),
        extensions: vec![Extension { name: "pg_trgm".into(), schema: "app".into(), version: "1.5".into() }],
        relations: vec![person, part, card],
        types,
        functions: vec![Function {
            oid: 300,
            schema: "app".into(),
            name: "f".into(),
            arguments: vec![INT4],
            argument_names: vec!["a".into()],
            returns: INT4,
            columns: vec![attribute("x", INT4)],
            language: "sql".into(),
            owner: "owner".into(),
            ..Function::default()
        }],
        operators: vec![Operator {
            oid: 400,
            schema: "app".into(),
            name: "<->".into(),
            left: Some(INT4),
            right: INT4,
            result: INT4,
            function: Some(300),
            extension: None,
            hidden: false,
        }],
        casts: vec![Cast {
            source: MOOD,
            target: TEXT,
            function: Some(300),
            context: CastContext::Explicit,
            ..Cast::default()
        }],
        collations: vec![Collation { schema: "app".into(), name: "german".into(), nondeterministic: false }],
    }
}
