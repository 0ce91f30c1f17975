//! What probably has another name.

use super::everything::{INT4, INT8, MOOD, TEXT, column, contents, relation};
use super::{told, words};
use crate::catalog::{Attribute, Contents, Index, TypeKind};

#[test]
fn a_column_in_the_place_of_another_and_of_its_type_was_probably_renamed() {
    let told = told(|c| {
        let person = &mut c.relations[0];
        person.columns[0].name = "number".into();
        person.columns[0].nullable = true;
        // Its key and its index go along, and are not told; nor is the row's type.
        person.unique_keys[0].columns = vec!["number".into()];
        person.foreign_keys[0].columns = vec!["number".into()];
    });
    assert_eq!(
        told,
        [
            "column id of app.person was probably renamed to number, or dropped and number made in its place",
            "column id of app.person is nullable now",
        ]
    );
}

#[test]
fn a_column_of_another_type_or_at_another_place_is_another_column() {
    let other_type = told(|c| c.relations[0].columns[1] = column("mail", INT4));
    assert_eq!(
        other_type,
        ["column email of app.person disappeared", "column mail of app.person appeared: int4"]
    );
    let other_place = told(|c| {
        c.relations[0].columns.remove(1);
        c.relations[0].columns.push(column("mail", TEXT));
    });
    assert_eq!(
        other_place,
        ["column email of app.person disappeared", "column mail of app.person appeared: text"]
    );
    let at_the_end = told(|c| c.relations[0].columns.push(column("mail", TEXT)));
    assert_eq!(at_the_end, ["column mail of app.person appeared: text"]);
}

#[test]
fn several_columns_side_by_side_are_matched_in_their_order() {
    let mut old = contents();
    old.relations[0].columns =
        vec![column("a", INT4), column("b", INT4), column("c", MOOD), column("d", INT8)];
    let mut new = old.clone();
    new.relations[0].columns =
        vec![column("x", INT4), column("y", INT4), column("c", MOOD), column("z", INT8)];
    let renamed: Vec<String> = words(&old, &new)
        .into_iter()
        .filter_map(|words| Some(words.split_once(", or dropped")?.0.to_owned()))
        .collect();
    assert_eq!(
        renamed,
        [
            "column a of app.person was probably renamed to x",
            "column b of app.person was probably renamed to y",
            "column d of app.person was probably renamed to z",
        ]
    );
}

#[test]
fn a_relation_with_the_same_columns_was_probably_renamed() {
    let renamed = told(|c| {
        c.relations[1].name = "piece".into();
        c.relations[1].indexes.push(Index { name: "i".into(), method: "btree".into(), ..Index::default() });
        c.relations[0].foreign_keys.clear();
    });
    assert_eq!(
        renamed,
        [
            "relation app.part was probably renamed to app.piece, or dropped and app.piece made in its place",
            "index i of app.part appeared: btree ()",
            "foreign key fk of app.person disappeared",
        ]
    );
}

#[test]
fn where_several_relations_could_be_meant_none_is() {
    let pair = |names: [&str; 2], schema: &str| -> Contents {
        let mut contents = contents();
        for (oid, name) in (500..).zip(names) {
            let mut relation = relation(oid, name, vec![column("a", INT4)]);
            relation.schema = schema.into();
            contents.relations.push(relation);
        }
        contents
    };
    let (old, new) = (pair(["a", "b"], "app"), pair(["x", "y"], "app"));
    assert_eq!(
        words(&old, &new),
        [
            "relation app.a disappeared",
            "relation app.b disappeared",
            "relation app.x appeared: table",
            "relation app.y appeared: table",
        ]
    );
    // One that moved to another schema is told by its name.
    let moved = words(&old, &pair(["a", "b"], "more"));
    assert_eq!(moved.len(), 2, "{moved:?}");
    assert!(moved[1].starts_with("relation app.b was probably renamed to more.b, or"), "{moved:?}");
}

#[test]
fn what_the_login_may_not_read_any_more_is_neither_gone_nor_renamed() {
    let part = |contents: &mut Contents, columns: [&str; 2]| {
        let part = contents.relations.iter_mut().find(|its| its.name == "part").unwrap();
        part.columns = columns.map(|name| column(name, TEXT)).into();
        let row = contents.types.iter_mut().find(|ty| Some(ty.oid) == part.row_type).unwrap();
        let attribute = |name: &str| Attribute { name: name.into(), ty: TEXT, type_modifier: -1 };
        row.kind = TypeKind::Composite { attributes: ["kept", "secret"].map(attribute).into() };
    };
    let (mut old, mut new) = (contents(), contents());
    part(&mut old, ["kept", "secret"]);
    part(&mut new, ["kept", "made"]);
    let of_secret = |old: &Contents, new: &Contents| -> Vec<String> {
        words(old, new)
            .into_iter()
            .filter(|its| its.contains(" of app.part ") || its.contains("hides"))
            .collect()
    };
    assert_eq!(
        of_secret(&old, &new),
        ["column secret of app.part is not readable any more", "column made of app.part appeared: text",]
    );
    assert_eq!(
        of_secret(&new, &old),
        ["column made of app.part disappeared", "column secret of app.part is readable now"]
    );
}

#[test]
fn a_relation_and_its_types_may_go_to_another_schema_together() {
    let moved = told(|c| {
        c.types.iter_mut().filter(|ty| ty.schema == "app").for_each(|ty| ty.schema = "more".into());
        c.relations[0].schema = "more".into();
    });
    let renamed = "relation app.person was probably renamed to more.person, or dropped and more.person made in its place";
    assert!(moved.iter().any(|its| its == renamed), "{moved:#?}");
}
