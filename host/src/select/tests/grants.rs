//! What was granted only in part.

use callslip_ir::{Access, AccessStep, Join, JoinCondition, JoinKind};

use super::*;
use crate::catalog::{Schema, UniqueKey, View};

/// A catalog with the tables `t (b, n, m)` and `keyed (id, n, label)`, of which `id` is the key, and a view.
fn library() -> Catalog {
    let mut contents = catalog().contents().clone();
    let column = |name: &str, ty| Column { name: name.into(), ty, ..Column::default() };
    let attribute = |name: &str, ty| Attribute { name: name.into(), ty, type_modifier: -1 };
    let attributes = vec![attribute("id", INT4), attribute("n", INT4), attribute("label", TEXT)];
    contents.types.push(Type {
        oid: 6000,
        schema: "public".into(),
        name: "keyed".into(),
        kind: TypeKind::Composite { attributes },
        category: 'C',
        ..Type::default()
    });
    contents.schemas.push(Schema { name: "public".into(), ..Schema::default() });
    let key = UniqueKey { columns: vec!["id".into()], primary: true, ..UniqueKey::default() };
    contents.relations.push(Relation {
        oid: 60,
        schema: "public".into(),
        name: "keyed".into(),
        columns: vec![column("id", INT4), column("n", INT4), column("label", TEXT)],
        row_type: Some(6000),
        unique_keys: vec![key],
        ..Relation::default()
    });
    contents.relations.push(Relation {
        oid: 61,
        schema: "public".into(),
        name: "unknown".into(),
        kind: RelationKind::View,
        columns: vec![column("n", INT4)],
        ..Relation::default()
    });
    let reads = [crate::catalog::ObjectName { schema: PG_CATALOG.into(), name: "pg_authid".into() }];
    contents.relations.push(Relation {
        oid: 62,
        schema: "public".into(),
        name: "roles".into(),
        kind: RelationKind::View,
        columns: vec![column("n", INT4)],
        view: Some(View { reads: reads.into(), ..View::default() }),
        ..Relation::default()
    });
    let overloaded = |oid, argument| Function {
        oid,
        schema: "app".into(),
        name: "f".into(),
        arguments: vec![argument],
        returns: INT4,
        ..Function::default()
    };
    contents.functions.extend([overloaded(70, INT4), overloaded(71, BOOL)]);
    Catalog::new(contents)
}

/// The findings under these grants of relations, with their help, one a line; the SQL without its comment, if there are none.
fn told_with(
    relations: &[&str],
    settings: GrantSettings,
    write: impl FnOnce(&mut Writer) -> NodeId,
) -> String {
    let mut writer = Writer::default();
    write(&mut writer);
    let relations = relations.iter().map(|name| (*name).to_owned()).collect();
    let settings = GrantSettings { relations, ..settings };
    match writer.printed_on(&library(), &settings, &[]) {
        Ok(sql) => sql.split_once("*/ ").map_or(sql.clone(), |(_, sql)| sql.replace('"', "")),
        Err(findings) => findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n"),
    }
}

fn told(relations: &[&str], write: impl FnOnce(&mut Writer) -> NodeId) -> String {
    told_with(relations, GrantSettings::default(), write)
}

impl Writer {
    fn named(&mut self, relation: &str, name: &str) -> NodeId {
        self.add(NodeKind::Column { relation: relation.into(), name: name.into() })
    }

    fn relation(&mut self, name: &str, alias: &str, columns: &[&str]) -> NodeId {
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        let name = RelationName::Stored(QualifiedName::new(name));
        self.add(NodeKind::Table(Table { name, alias: alias.into(), columns, only: false, sample: None }))
    }

    fn joined_by(&mut self, condition: JoinCondition, alias: Option<&str>) -> NodeId {
        let (left, right) = (self.relation("keyed", "k", &[]), self.relation("keyed", "l", &[]));
        let alias = alias.map(str::to_owned);
        let kind = if condition == JoinCondition::None { JoinKind::Cross } else { JoinKind::Inner };
        self.add(NodeKind::Join(Join { kind, left, right, condition, alias, columns: vec![] }))
    }
}

const REFUSED: &str = "CS0401: the column public.keyed.label was not granted to the plugin p; add \"public.keyed(label)\" to \
                       relations in [plugins.p.grants]";

#[test]
fn a_column_that_was_not_granted_is_refused_by_its_name() {
    let column = |name: &'static str| {
        move |writer: &mut Writer| {
            let item = writer.named("k", name);
            let from = writer.relation("keyed", "k", &[]);
            writer.query_of(item, from, None)
        }
    };
    assert_eq!(told(&["keyed(n)"], column("label")), REFUSED);
    assert!(told(&["keyed(n)"], column("n")).starts_with("SELECT k.n AS x FROM public.keyed AS k"));
    assert!(told(&["keyed(n)", "keyed(label)"], column("label")).starts_with("SELECT k.label"));
    assert!(told(&["public.*"], column("label")).starts_with("SELECT k.label"));
    assert_eq!(
        told(&["keyed()"], column("lable")),
        "CS0302: keyed (alias \"k\") has no column \"lable\"; it has none that may be read"
    );
    // Neither is it what is meant by another name.
    assert_eq!(
        told(&["keyed(n)"], column("lable")),
        "CS0302: keyed (alias \"k\") has no column \"lable\"; its columns are n"
    );
}

#[test]
fn a_whole_row_needs_every_column() {
    let whole = "CS0401: a whole row of keyed has columns that were not granted to the plugin p; add \"public.keyed\" to \
                 relations in [plugins.p.grants], or name the columns that you want";
    let row = |field: bool| {
        move |writer: &mut Writer| {
            let mut item = writer.add(NodeKind::WholeRow { relation: "k".into() });
            if field {
                let step = AccessStep::Field("n".into());
                item = writer.add(NodeKind::Access(Access { value: item, step }));
            }
            let from = writer.relation("keyed", "k", &[]);
            writer.query_of(item, from, None)
        }
    };
    for field in [false, true] {
        assert_eq!(told(&["keyed(n, id)"], row(field)), whole);
        assert!(told(&["keyed(n, id, label)"], row(field)).starts_with("SELECT "));
    }
    // Of a join too, whose rows have no type with a name.
    let of_join = |writer: &mut Writer| {
        let item = writer.add(NodeKind::WholeRow { relation: "j".into() });
        let from = writer.joined_by(JoinCondition::None, Some("j"));
        writer.query_of(item, from, None)
    };
    assert!(told(&["keyed(n)"], of_join).lines().any(|line| line == whole));
}

#[test]
fn a_join_compares_no_column_that_was_not_granted() {
    let joined = |condition: JoinCondition| {
        move |writer: &mut Writer| {
            let item = writer.named("k", "n");
            let from = writer.joined_by(condition, None);
            writer.query_of(item, from, None)
        }
    };
    let using = |names: &[&str]| JoinCondition::Using {
        columns: names.iter().map(|name| (*name).to_owned()).collect(),
        alias: None,
    };
    assert!(told(&["keyed(n)"], joined(using(&["n"]))).contains("JOIN public.keyed AS l USING (n)"));
    // Of both sides.
    assert_eq!(told(&["keyed(n)"], joined(using(&["n", "label"]))), REFUSED);
    assert_eq!(
        told(&["keyed(n)"], joined(using(&["lable"]))),
        "CS0302: neither side of the join has a column \"lable\"; both have n; columns of different names are compared with ON"
    );
    let natural = "CS0401: NATURAL JOIN compares columns of keyed too that were not granted to the plugin p; add \
                   \"public.keyed\" to relations in [plugins.p.grants], or name the columns to compare with USING";
    assert_eq!(told(&["keyed(n)"], joined(JoinCondition::Natural)), natural);
    assert!(told(&["keyed"], joined(JoinCondition::Natural)).contains("NATURAL JOIN"));
}

#[test]
fn an_alias_hides_no_column_that_was_not_granted() {
    // A column of the other side has its name, and PostgreSQL would call it ambiguous.
    let behind = |writer: &mut Writer| {
        let item = writer.named("j", "label");
        let from = writer.joined_by(JoinCondition::None, Some("j"));
        writer.query_of(item, from, None)
    };
    assert_eq!(told(&["keyed(n)"], behind), REFUSED);
    let positioned = |writer: &mut Writer| {
        let item = writer.named("k", "c");
        let from = writer.relation("keyed", "k", &["a", "b", "c"]);
        writer.query_of(item, from, None)
    };
    let found = told(&["keyed(n)"], positioned);
    let says = "CS0401: column aliases count columns of keyed too that were not granted to the plugin p; add \"public.keyed\" to \
                relations in [plugins.p.grants], or name the columns in the select list of a subquery instead";
    assert_eq!(found.lines().next(), Some(says), "{found}");
    assert!(told(&["keyed"], positioned).starts_with("SELECT k.c AS x FROM public.keyed AS k (a, b, c)"));
}

#[test]
fn a_key_that_was_not_granted_is_not_told_of() {
    let grouped = |writer: &mut Writer| {
        let item = writer.named("k", "label");
        let from = writer.relation("keyed", "k", &[]);
        let group = writer.named("k", "n");
        let query = writer.query_of(item, from, None);
        if let Some(NodeKind::Select(select)) = writer.nodes.iter_mut().rev().nth(1) {
            select.group_by = vec![group];
        }
        query
    };
    let says = "CS0317: k.label is neither in GROUP BY nor in an aggregate; group by k.";
    assert!(told(&["keyed"], grouped).starts_with(&format!("{says}id too, the primary key")));
    assert!(told(&["keyed(n, label)"], grouped).starts_with(&format!("{says}label too, or")));
}

#[test]
fn a_signature_is_not_granted_with_its_namesake() {
    let called = |name: &'static str| {
        move |writer: &mut Writer| {
            let argument = writer.named("t", name);
            let function = QualifiedName::within("app", "f");
            let item = writer.add(NodeKind::Call(Call { function, ..call("f", vec![argument]) }));
            writer.query(item, None)
        }
    };
    let granted = |grant: &str| GrantSettings { functions: vec![grant.into()], ..GrantSettings::default() };
    let refused = |ty: &str| {
        format!(
            "CS0402: the function app.f was not granted to the plugin p; add \"app.f({ty})\" to functions in [plugins.p.grants]"
        )
    };
    assert!(told_with(&["t"], granted("app.f(int4)"), called("n")).starts_with("SELECT app.f(t.n)"));
    assert_eq!(told_with(&["t"], granted("app.f(int4)"), called("b")), refused("bool"));
    assert_eq!(told(&["t"], called("n")), refused("int4"));
    assert!(told_with(&["t"], granted("app.f"), called("b")).starts_with("SELECT app.f(t.b)"));
}

#[test]
fn a_cast_is_granted_by_its_types() {
    let cast = |writer: &mut Writer| {
        let value = writer.column("n");
        let item = writer.add(NodeKind::Cast(callslip_ir::Cast { value, ty: TypeName::parse("text") }));
        writer.query(item, None)
    };
    assert_eq!(
        told(&["t"], cast),
        "CS0405: a cast here calls the function app.leak, which was not granted to the plugin p; add \"int4 AS text\" to casts in \
         [plugins.p.grants], or cast to another type"
    );
    let granted = GrantSettings { casts: vec!["int4 AS text".into()], ..GrantSettings::default() };
    assert!(told_with(&["t"], granted, cast).starts_with("SELECT CAST(t.n AS pg_catalog.text)"));
}

#[test]
fn a_view_is_vetted_when_it_is_read() {
    let read = |name: &'static str| {
        move |writer: &mut Writer| {
            let item = writer.named("v", "n");
            let from = writer.relation(name, "v", &[]);
            writer.query_of(item, from, None)
        }
    };
    assert_eq!(
        told(&["roles"], read("roles")),
        "CS0406: the view public.roles shows pg_catalog.pg_authid; PostgreSQL's own catalogs can't be granted, nor what shows \
         them"
    );
    assert_eq!(
        told(&["unknown"], read("unknown")),
        "CS0406: what the view public.unknown reads and calls is not known; reflect the catalog anew"
    );
}

#[test]
fn what_is_read_are_the_columns_that_were_granted() {
    let mut writer = Writer::default();
    let item = writer.named("k", "label");
    let from = writer.relation("keyed", "k", &[]);
    writer.query_of(item, from, None);
    let nodes = writer.nodes.into_iter().map(|kind| Node { kind, place: None }).collect();
    let description = Description { slots: vec![], files: vec![], nodes };
    let (catalog, path, limits) = (library(), SearchPath::of(["public"]), Limits::default());
    let settings = GrantSettings { relations: vec!["keyed(label)".into()], ..GrantSettings::default() };
    let grants = Grants::resolve(&settings, &catalog, &path).unwrap();
    let context = Context {
        plugin: "p",
        catalog: &catalog,
        grants: &grants,
        filters: RowFilters::none(),
        path: &path,
        limits: &limits,
    };
    let read: Vec<String> =
        verify(&description, context).unwrap().columns_read.into_iter().map(|its| its.column).collect();
    assert_eq!(read, ["label"]);
}
