//! The fields of relations and of all that belongs to them, and what is told where one is another.

use super::everything::{INT4, attribute, column, name, relation};
use super::{assert_told, person, told, ty};
use crate::catalog::{
    Check, Contents, Extension, ForeignKey, Generated, Identity, Index, Persistence, Policy, PolicyCommand,
    ReferentialAction, RelationKind, Schema, TypeKind, UniqueKey,
};

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
        (|c| _ = c.schemas.pop(), &["schema other disappeared"]),
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
            &[
                "column id of app.person: the identity is GENERATED ALWAYS AS IDENTITY now, and there was none",
            ],
        ),
        (
            |c| person(c).columns[0].generated = Some(Generated::Stored),
            &["column id of app.person: the generation is GENERATED, STORED now, and there was none"],
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
