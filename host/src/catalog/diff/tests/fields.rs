//! Each field of the data model, and what is told where it is another one.

use super::everything::{INT4, INT8, TEXT, attribute, column, contents, name, relation};
use super::{told, words};
use crate::catalog::{
    CastContext, Check, Collation, Contents, Extension, ForeignKey, Function, FunctionKind, Generated,
    Identity, Index, Operator, PG_CATALOG, Parallel, Persistence, Policy, PolicyCommand, ReferentialAction,
    Relation, RelationKind, Schema, Type, TypeKind, UniqueKey, Volatility,
};

type Case = (fn(&mut Contents), &'static [&'static str]);

fn assert_told(cases: &[Case]) {
    for (change, expected) in cases {
        assert_eq!(told(change), *expected);
    }
}

fn person(contents: &mut Contents) -> &mut Relation {
    &mut contents.relations[0]
}

fn ty<'c>(contents: &'c mut Contents, name: &str) -> &'c mut Type {
    contents.types.iter_mut().find(|ty| ty.name == name).unwrap()
}

#[test]
fn of_equal_catalogs_nothing_is_told_whatever_their_ids_and_order() {
    assert_eq!(told(|_| ()), [""; 0]);
    let reversed = told(|c| {
        c.relations.reverse();
        c.types.reverse();
        c.relations.iter_mut().flat_map(|its| &mut its.unique_keys).for_each(|key| key.columns.reverse());
        for function in &mut c.functions {
            function.oid += 1000;
        }
        c.operators[0].function = Some(1300);
        c.casts[0].function = Some(1300);
    });
    assert_eq!(reversed, [""; 0]);
}

#[test]
fn of_the_database() {
    assert_told(&[
        (|c| c.server_version = 150_019, &["PostgreSQL: the version changed from 15.18 to 15.19"]),
        (
            |c| _ = c.settings.insert("server_encoding".into(), "LATIN1".into()),
            &["setting server_encoding: the value changed from UTF8 to LATIN1"],
        ),
        (|c| c.settings.clear(), &["setting server_encoding: the value is gone, which was UTF8"]),
        (|c| c.extensions.clear(), &["extension pg_trgm disappeared"]),
        (
            |c| {
                c.extensions.push(Extension { name: "x".into(), version: "2".into(), ..Extension::default() })
            },
            &["extension x appeared: 2"],
        ),
        (
            |c| c.extensions[0].version = "1.6".into(),
            &["extension pg_trgm: the version changed from 1.5 to 1.6"],
        ),
        (|c| c.extensions[0].schema = "x".into(), &["extension pg_trgm: the schema changed from app to x"]),
        (|c| c.schemas.push(Schema { name: "x".into(), ..Schema::default() }), &["schema x appeared"]),
        (|c| c.schemas.clear(), &["schema app disappeared"]),
        (|c| c.schemas[0].owner = "me".into(), &["schema app: the owner changed from owner to me"]),
        (
            |c| c.schemas[0].comment = Some("mine".into()),
            &["schema app: the comment is mine now, and there was none"],
        ),
    ]);
}

#[test]
fn of_a_relation() {
    assert_told(&[
        (|c| _ = c.relations.pop(), &["relation app.card disappeared"]),
        (
            |c| c.relations.push(relation(1, "new", vec![column("a", INT4)])),
            &["relation app.new appeared: table"],
        ),
        (
            |c| person(c).kind = RelationKind::Table,
            &["relation app.person: the kind changed from partitioned table to table"],
        ),
        (
            |c| person(c).persistence = Persistence::Unlogged,
            &["relation app.person: the persistence changed from permanent to unlogged"],
        ),
        (|c| person(c).owner = "me".into(), &["relation app.person: the owner changed from owner to me"]),
        (
            |c| person(c).extension = Some("x".into()),
            &["relation app.person: the extension is x now, and there was none"],
        ),
        (
            |c| c.relations[1].hidden_columns = 2,
            &["relation app.part: the number of columns that the login may not read changed from 1 to 2"],
        ),
        (
            |c| ty(c, "part").kind = TypeKind::Composite { attributes: vec![attribute("secret", INT4)] },
            &[
                "relation app.part no longer hides the column secret text",
                "relation app.part hides the column secret int4 now",
            ],
        ),
        (
            |c| person(c).partitioning = None,
            &["relation app.person: the partition key is gone, which was RANGE (id)"],
        ),
        (
            |c| c.relations[1].partition_of.as_mut().unwrap().parent = name("x"),
            &["relation app.part: the partitioned table changed from app.person to app.x"],
        ),
        (
            |c| c.relations[1].partition_of.as_mut().unwrap().bounds = "DEFAULT".into(),
            &["relation app.part: the partition bound changed from FOR VALUES IN (1) to DEFAULT"],
        ),
        (
            |c| c.relations[1].inherits.push(name("x")),
            &["relation app.part: the inheritance changed from app.base to app.base, app.x"],
        ),
        (
            |c| person(c).foreign_server = Some("s".into()),
            &["relation app.person: the foreign server is s now, and there was none"],
        ),
        (
            |c| person(c).comment = Some("people".into()),
            &["relation app.person: the comment is people now, and there was none"],
        ),
        (
            |c| person(c).columns.swap(0, 1),
            &[
                "relation app.person: the order of the columns changed from id, email, mood to email, id, mood",
            ],
        ),
    ]);
}

#[test]
fn of_a_view() {
    let told_of = |change: fn(&mut crate::catalog::View)| {
        told(|contents| change(contents.relations[2].view.as_mut().unwrap()))
    };
    assert_eq!(told_of(|v| v.definition = "SELECT 2".into()), ["relation app.card: the definition changed"]);
    assert_eq!(told_of(|v| v.security_barrier = true), ["relation app.card is a security barrier now"]);
    assert_eq!(told_of(|v| v.security_invoker = true), ["relation app.card is a security invoker now"]);
    assert_eq!(
        told_of(|v| v.reads = [name("x")].into()),
        ["relation app.card no longer reads app.person", "relation app.card reads app.x now"]
    );
    assert_eq!(told_of(|v| v.calls.clear()), ["relation app.card no longer calls app.f(int4)"]);
    assert_eq!(
        told(|contents| contents.relations[2].view = None),
        ["relation app.card: the definition is gone"]
    );
}

#[test]
fn of_a_column() {
    assert_told(&[
        (|c| _ = person(c).columns.pop(), &["column mood of app.person disappeared"]),
        (
            |c| {
                person(c).columns.push(crate::catalog::Column {
                    nullable: true,
                    default: Some("0".into()),
                    ..column("Age", INT4)
                })
            },
            &["column \"Age\" of app.person appeared: int4, nullable, default 0"],
        ),
        (
            |c| person(c).columns[0].ty = INT4,
            &["column id of app.person: the type changed from int8 to int4"],
        ),
        (
            |c| {
                person(c).columns[1].ty = 1043;
                person(c).columns[1].type_modifier = 44;
            },
            &["column email of app.person: the type changed from text to varchar(40)"],
        ),
        (
            |c| person(c).columns[0].type_modifier = 3,
            &["column id of app.person: the type modifier changed from -1 to 3"],
        ),
        (
            |c| person(c).columns[0].dimensions = 2,
            &["column id of app.person: the number of dimensions changed from 0 to 2"],
        ),
        (
            |c| person(c).columns[1].collation = Some(name("german")),
            &["column email of app.person: the collation is app.german now, and there was none"],
        ),
        (|c| person(c).columns[0].nullable = true, &["column id of app.person is nullable now"]),
        (
            |c| person(c).columns[0].default = Some("1".into()),
            &["column id of app.person: the default is 1 now, and there was none"],
        ),
        (
            |c| person(c).columns[0].identity = Some(Identity::Always),
            &["column id of app.person: the identity is identity, always generated now, and there was none"],
        ),
        (
            |c| person(c).columns[0].generated = Some(Generated::Stored),
            &["column id of app.person: the generation is generated, stored now, and there was none"],
        ),
        (
            |c| person(c).columns[0].privileges.select = false,
            &["column id of app.person is not readable any more"],
        ),
        (
            |c| person(c).columns[0].privileges.insert = true,
            &["column id of app.person is writable in new rows now"],
        ),
        (|c| person(c).columns[0].privileges.update = true, &["column id of app.person is writable now"]),
        (
            |c| person(c).columns[0].privileges.references = true,
            &["column id of app.person is open to foreign keys now"],
        ),
        (
            |c| person(c).columns[0].comment = Some("a\nb".into()),
            &["column id of app.person: there is a comment now, and there was none"],
        ),
    ]);
}

#[test]
fn of_constraints_and_indexes() {
    fn key(c: &mut Contents) -> &mut UniqueKey {
        &mut person(c).unique_keys[0]
    }
    fn foreign(c: &mut Contents) -> &mut ForeignKey {
        &mut person(c).foreign_keys[0]
    }
    fn index(c: &mut Contents) -> &mut Index {
        &mut person(c).indexes[0]
    }
    assert_told(&[
        (|c| person(c).unique_keys.clear(), &["unique key pk of app.person disappeared"]),
        (
            |c| {
                person(c).unique_keys.push(UniqueKey {
                    name: "u".into(),
                    columns: vec!["id".into(), "mood".into()],
                    ..UniqueKey::default()
                })
            },
            &["unique key u of app.person appeared: unique (id, mood)"],
        ),
        (|c| key(c).primary = true, &["unique key pk of app.person is the primary key now"]),
        (|c| key(c).partial = true, &["unique key pk of app.person is unique in part only now"]),
        (|c| key(c).deferrable = true, &["unique key pk of app.person is deferrable now"]),
        (|c| key(c).without_overlaps = true, &["unique key pk of app.person is without overlaps now"]),
        (
            |c| key(c).nulls_not_distinct = true,
            &["unique key pk of app.person is one that takes two nulls as the same now"],
        ),
        (
            |c| key(c).columns.push("mood".into()),
            &["unique key pk of app.person: the list of columns changed from id to id, mood"],
        ),
        (|c| person(c).foreign_keys.clear(), &["foreign key fk of app.person disappeared"]),
        (
            |c| foreign(c).name = "f2".into(),
            &[
                "foreign key f2 of app.person appeared: (id) to app.part",
                "foreign key fk of app.person disappeared",
            ],
        ),
        (
            |c| foreign(c).columns = vec!["mood".into()],
            &["foreign key fk of app.person: the list of columns changed from id to mood"],
        ),
        (
            |c| foreign(c).target = 202,
            &["foreign key fk of app.person: the target changed from app.part to app.card"],
        ),
        (
            |c| foreign(c).target_columns = vec!["m".into()],
            &["foreign key fk of app.person: the list of target columns changed from n to m"],
        ),
        (
            |c| foreign(c).on_update = ReferentialAction::Cascade,
            &["foreign key fk of app.person: the action on update changed from NO ACTION to CASCADE"],
        ),
        (
            |c| foreign(c).on_delete = ReferentialAction::SetNull,
            &["foreign key fk of app.person: the action on delete changed from NO ACTION to SET NULL"],
        ),
        (|c| foreign(c).deferrable = true, &["foreign key fk of app.person is deferrable now"]),
        (|c| foreign(c).validated = true, &["foreign key fk of app.person is valid for all rows now"]),
        (|c| foreign(c).period = true, &["foreign key fk of app.person is one with a period now"]),
        (|c| person(c).checks.clear(), &["check sane of app.person disappeared"]),
        (
            |c| person(c).checks.push(Check { name: "a".into(), expression: "b".into(), validated: true }),
            &["check a of app.person appeared: b"],
        ),
        (
            |c| person(c).checks[0].expression = "x > 1".into(),
            &["check sane of app.person: the expression changed from x > 0 to x > 1"],
        ),
        (
            |c| person(c).checks[0].validated = false,
            &["check sane of app.person is not valid for all values any more"],
        ),
        (|c| person(c).exclusions.clear(), &["exclusion constraint apart of app.person disappeared"]),
        (
            |c| person(c).exclusions[0].definition = "EXCLUDE".into(),
            &[
                "exclusion constraint apart of app.person: the definition changed from EXCLUDE (id WITH =) to EXCLUDE",
            ],
        ),
        (|c| person(c).indexes.clear(), &["index by_email of app.person disappeared"]),
        (
            |c| index(c).name = "i".into(),
            &[
                "index by_email of app.person disappeared",
                "index i of app.person appeared: btree (lower(email))",
            ],
        ),
        (
            |c| index(c).method = "hash".into(),
            &["index by_email of app.person: the method changed from btree to hash"],
        ),
        (|c| index(c).unique = true, &["index by_email of app.person is unique now"]),
        (|c| index(c).valid = true, &["index by_email of app.person is complete now"]),
        (
            |c| index(c).keys = vec!["email".into()],
            &["index by_email of app.person: the list of keys changed from lower(email) to email"],
        ),
        (
            |c| index(c).included = vec!["id".into()],
            &["index by_email of app.person: the list of included columns is id now, and there was none"],
        ),
        (
            |c| index(c).predicate = Some("id > 0".into()),
            &["index by_email of app.person: the predicate is id > 0 now, and there was none"],
        ),
    ]);
}

#[test]
fn of_row_level_security() {
    fn policy(c: &mut Contents) -> &mut Policy {
        &mut person(c).row_security.policies[0]
    }
    assert_told(&[
        (|c| person(c).row_security.enabled = true, &["relation app.person is under row-level security now"]),
        (
            |c| person(c).row_security.forced = true,
            &["relation app.person is under row-level security for its owner too now"],
        ),
        (|c| person(c).row_security.policies.clear(), &["policy own of app.person disappeared"]),
        (
            |c| {
                person(c).row_security.policies.push(Policy {
                    name: "p".into(),
                    roles: vec!["me".into()],
                    using: Some("true".into()),
                    ..Policy::default()
                })
            },
            &["policy p of app.person appeared: restrictive, for ALL to me using true"],
        ),
        (
            |c| policy(c).command = PolicyCommand::Select,
            &["policy own of app.person: the command changed from ALL to SELECT"],
        ),
        (|c| policy(c).permissive = true, &["policy own of app.person is permissive now"]),
        (
            |c| policy(c).roles = vec!["me".into()],
            &["policy own of app.person: the list of roles changed from public to me"],
        ),
        (
            |c| policy(c).using = Some("true".into()),
            &["policy own of app.person: the condition (USING) is true now, and there was none"],
        ),
        (
            |c| policy(c).check = Some("true".into()),
            &[
                "policy own of app.person: the condition of writing (WITH CHECK) is true now, and there was none",
            ],
        ),
    ]);
}

#[test]
fn of_a_type() {
    fn rules(c: &mut Contents) -> &mut crate::catalog::DomainRules {
        match &mut ty(c, "low").kind {
            TypeKind::Domain { rules, .. } => rules,
            other => panic!("{other:?}"),
        }
    }
    assert_told(&[
        (|c| c.types.retain(|ty| ty.name != "place"), &["type app.place disappeared"]),
        (
            |c| {
                let hue = Type { oid: 1, name: "hue".into(), ..ty(c, "mood").clone() };
                c.types.push(hue);
            },
            &["type app.hue appeared: enum: calm, cross"],
        ),
        (
            |c| ty(c, "place").kind = TypeKind::Base,
            &["type app.place: the kind changed from composite type to base type"],
        ),
        (|c| ty(c, "mood").category = 'E', &["type app.mood: the category changed from X to E"]),
        (|c| ty(c, "mood").preferred = true, &["type app.mood is preferred in its category now"]),
        (
            |c| ty(c, "_mood").name = "moods".into(),
            &["type app.mood: the array type changed from app._mood to app.moods"],
        ),
        (|c| ty(c, "mood").array = None, &["type app.mood: the array type is gone, which was app._mood"]),
        (|c| ty(c, "mood").owner = "me".into(), &["type app.mood: the owner changed from owner to me"]),
        (
            |c| ty(c, "mood").extension = Some("x".into()),
            &["type app.mood: the extension is x now, and there was none"],
        ),
        (
            |c| ty(c, "mood").comment = Some("x".into()),
            &["type app.mood: the comment is x now, and there was none"],
        ),
        (
            |c| ty(c, "mood").kind = TypeKind::Enum { labels: vec!["cross".into(), "calm".into()] },
            &["type app.mood: the order of the labels changed from calm, cross to cross, calm"],
        ),
        (
            |c| ty(c, "mood").kind = TypeKind::Enum { labels: vec!["calm".into(), "sad".into()] },
            &["type app.mood no longer has the label cross", "type app.mood has the label sad now"],
        ),
        (
            |c| match &mut ty(c, "low").kind {
                TypeKind::Domain { base, .. } => *base = INT8,
                other => panic!("{other:?}"),
            },
            &["type app.low: the base type changed from int4 to int8"],
        ),
        (
            |c| rules(c).type_modifier = Some(5),
            &["type app.low: the type modifier is 5 now, and there was none"],
        ),
        (|c| rules(c).not_null = true, &["type app.low is one that refuses null now"]),
        (
            |c| rules(c).default = Some("1".into()),
            &["type app.low: the default is 1 now, and there was none"],
        ),
        (
            |c| rules(c).collation = Some(name("german")),
            &["type app.low: the collation is app.german now, and there was none"],
        ),
        (|c| rules(c).checks.clear(), &["check positive of app.low disappeared"]),
        (
            |c| {
                ty(c, "place").kind =
                    TypeKind::Composite { attributes: vec![attribute("y", INT4), attribute("x", TEXT)] }
            },
            &[
                "type app.place no longer has the attribute x int4",
                "type app.place has the attribute x text now",
            ],
        ),
        (
            |c| {
                ty(c, "place").kind =
                    TypeKind::Composite { attributes: vec![attribute("y", INT4), attribute("x", INT4)] }
            },
            &["type app.place: the order of the attributes changed from x int4, y int4 to y int4, x int4"],
        ),
        (
            |c| ty(c, "span").kind = TypeKind::Range { subtype: INT8, collation: None },
            &["type app.span: the subtype changed from int4 to int8"],
        ),
        (
            |c| ty(c, "span").kind = TypeKind::Range { subtype: INT4, collation: Some(name("german")) },
            &["type app.span: the collation is app.german now, and there was none"],
        ),
        (
            |c| ty(c, "spans").kind = TypeKind::Multirange { range: INT4 },
            &["type app.spans: the range type changed from app.span to int4"],
        ),
    ]);
}

#[test]
fn of_a_function() {
    fn f(c: &mut Contents) -> &mut Function {
        &mut c.functions[0]
    }
    const F: &str = "function app.f(int4)";
    let cases: &[(fn(&mut Function), &[&str])] = &[
        (|f| f.kind = FunctionKind::Window, &[": the kind changed from function to window function"]),
        (|f| f.argument_names = vec!["b".into()], &[": the list of argument names changed from a to b"]),
        (|f| f.defaults = 1, &[": the number of arguments that may be left out changed from 0 to 1"]),
        (|f| f.variadic = Some(INT4), &[": the VARIADIC type is int4 now, and there was none"]),
        (|f| f.returns = TEXT, &[": the result type changed from int4 to text"]),
        (|f| f.columns.clear(), &[" no longer gives the column x int4"]),
        (|f| f.returns_set = true, &[" is one that returns a set now"]),
        (|f| f.volatility = Volatility::Volatile, &[": the volatility changed from IMMUTABLE to VOLATILE"]),
        (|f| f.security_definer = true, &[" is run with its owner's rights (SECURITY DEFINER) now"]),
        (|f| f.strict = true, &[" is strict now"]),
        (|f| f.leakproof = true, &[" is leakproof now"]),
        (
            |f| f.parallel = Parallel::Safe,
            &[": the parallel safety changed from PARALLEL UNSAFE to PARALLEL SAFE"],
        ),
        (|f| f.language = "c".into(), &[": the language changed from sql to c"]),
        (|f| f.owner = "me".into(), &[": the owner changed from owner to me"]),
        (|f| f.extension = Some("x".into()), &[": the extension is x now, and there was none"]),
        (|f| f.comment = Some("x".into()), &[": the comment is x now, and there was none"]),
    ];
    for (change, expected) in cases {
        let expected: Vec<String> = expected.iter().map(|words| format!("{F}{words}")).collect();
        assert_eq!(told(|c| change(f(c))), expected);
    }
    assert_eq!(
        told(|c| f(c).kind = FunctionKind::OrderedSet { direct: 1 }),
        [
            format!("{F}: the kind changed from function to ordered-set aggregate"),
            format!("{F}: the number of direct arguments is 1 now, and there was none"),
        ]
    );
    // Another signature is another function.
    let (gone, made) = ("function app.f(int4) disappeared", "function app.f(int8) appeared: returns int4");
    let renamed = told(|c| {
        f(c).arguments = vec![INT8];
        c.operators[0].function = None;
        c.casts[0].function = None;
    });
    assert_eq!(renamed[..2], [gone, made]);
}

#[test]
fn of_operators_casts_and_collations() {
    fn operator(c: &mut Contents) -> &mut Operator {
        &mut c.operators[0]
    }
    assert_told(&[
        (|c| c.operators.clear(), &["operator app.<->(int4, int4) disappeared"]),
        (
            |c| operator(c).left = None,
            &[
                "operator app.<->(int4, int4) disappeared",
                "operator app.<->(none, int4) appeared: gives int4",
            ],
        ),
        (
            |c| operator(c).right = INT8,
            &[
                "operator app.<->(int4, int4) disappeared",
                "operator app.<->(int4, int8) appeared: gives int4",
            ],
        ),
        (
            |c| operator(c).result = TEXT,
            &["operator app.<->(int4, int4): the result type changed from int4 to text"],
        ),
        (
            |c| operator(c).function = None,
            &["operator app.<->(int4, int4): the function is gone, which was app.f(int4)"],
        ),
        (
            |c| operator(c).extension = Some("x".into()),
            &["operator app.<->(int4, int4): the extension is x now, and there was none"],
        ),
        (|c| c.casts.clear(), &["cast from app.mood to text disappeared"]),
        (
            |c| c.casts[0].target = INT4,
            &["cast from app.mood to int4 appeared: explicit", "cast from app.mood to text disappeared"],
        ),
        (
            |c| c.casts[0].function = None,
            &["cast from app.mood to text: the function is gone, which was app.f(int4)"],
        ),
        (
            |c| c.casts[0].context = CastContext::Implicit,
            &["cast from app.mood to text: the context changed from explicit to implicit"],
        ),
        (|c| c.casts[0].binary = true, &["cast from app.mood to text is binary-coercible now"]),
        (
            |c| c.casts[0].extension = Some("x".into()),
            &["cast from app.mood to text: the extension is x now, and there was none"],
        ),
        (|c| c.collations.clear(), &["collation app.german disappeared"]),
        (
            |c| c.collations.push(Collation { schema: "app".into(), ..Collation::default() }),
            &["collation app.\"\" appeared"],
        ),
        (|c| c.collations[0].nondeterministic = true, &["collation app.german is nondeterministic now"]),
    ]);
}

#[test]
fn what_one_side_can_not_know_is_not_told() {
    let whole = contents();
    // The first format of snapshots knew of no owners, and of nothing that came with them.
    let mut first = whole.clone();
    let (schemas, extensions) = (&mut first.schemas, &mut first.extensions);
    (schemas.clear(), extensions.clear(), first.settings.clear());
    for relation in &mut first.relations {
        relation.owner.clear();
        (relation.checks.clear(), relation.exclusions.clear(), relation.indexes.clear());
        relation.row_security.policies.clear();
        (relation.partitioning, relation.partition_of, relation.view) = (None, None, None);
        relation.inherits.clear();
    }
    first.types.iter_mut().for_each(|ty| ty.owner.clear());
    first.functions.iter_mut().for_each(|function| function.owner.clear());
    first.operators[0].function = None;
    assert_eq!(words(&first, &whole), [""; 0]);
    assert_eq!(words(&whole, &first), [""; 0]);
    first.relations[0].columns[0].nullable = true;
    assert_eq!(words(&whole, &first), ["column id of app.person is nullable now"]);

    // Of PostgreSQL's own a snapshot holds a part.
    let lower = Function { schema: PG_CATALOG.into(), name: "lower".into(), ..whole.functions[0].clone() };
    let with = |partial, volatility| {
        let mut contents = whole.clone();
        contents.partial = partial;
        contents.functions.push(Function { oid: 301, volatility, ..lower.clone() });
        contents
    };
    let partial = Contents { partial: true, ..whole.clone() };
    assert_eq!(words(&partial, &with(true, Volatility::Stable)), [""; 0]);
    assert_eq!(words(&whole, &with(true, Volatility::Stable)), [""; 0]);
    assert_eq!(
        words(&whole, &with(false, Volatility::Stable)),
        ["function lower(int4) appeared: returns int4"]
    );
    let (stable, volatile) = (with(true, Volatility::Stable), with(true, Volatility::Volatile));
    assert_eq!(
        words(&stable, &volatile),
        ["function lower(int4): the volatility changed from STABLE to VOLATILE"]
    );

    // And of another major version it is another one.
    let later = Contents { server_version: 160_003, ..volatile };
    assert_eq!(words(&stable, &later), ["PostgreSQL: the version changed from 15 to 16"]);
}
