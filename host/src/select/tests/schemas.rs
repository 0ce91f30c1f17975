//! Which schemas the names of a description lead to.

use std::sync::Arc;

use super::*;
use crate::catalog::{ChosenSchemas, Collation, LogicalSchema, Schemas};

/// Two tenants' schemas and a shared one. `acme` has a relation more, and an `=` and a function of its own; a real schema has
/// the name of the logical one.
fn tenants() -> Catalog {
    let mut contents = catalog().contents().clone();
    let relation = |oid, schema: &str, name: &str, mood: u32| Relation {
        oid,
        schema: schema.into(),
        name: name.into(),
        columns: ["n", "m"]
            .into_iter()
            .zip([INT4, mood])
            .map(|(name, ty)| Column { name: name.into(), ty, type_modifier: -1, ..Column::default() })
            .collect(),
        ..Relation::default()
    };
    contents.relations.extend([
        relation(10, "acme", "invoice", 6000),
        relation(11, "globex", "invoice", 6001),
        relation(12, "tenant", "invoice", MOOD),
        relation(13, "acme", "extra", 6000),
        relation(14, "v3", "report", MOOD),
        relation(15, "public", "extra", MOOD),
    ]);
    for (oid, schema) in [(6000, "acme"), (6001, "globex")] {
        let kind = TypeKind::Enum { labels: vec!["new".into()] };
        contents.types.push(Type {
            oid,
            schema: schema.into(),
            name: "status".into(),
            kind,
            category: 'E',
            ..Type::default()
        });
    }
    contents.functions.push(Function {
        oid: 20,
        schema: "acme".into(),
        name: "upper".into(),
        arguments: vec![INT4],
        returns: TEXT,
        ..Function::default()
    });
    contents.operators.push(Operator {
        oid: 21,
        schema: "acme".into(),
        name: "=".into(),
        left: Some(INT4),
        right: TEXT,
        result: BOOL,
        ..Operator::default()
    });
    contents.collations.push(Collation { schema: "acme".into(), name: "own".into(), ..Collation::default() });
    Catalog::new(contents)
}

fn schemas() -> Schemas {
    let allowed = vec!["acme".to_owned(), "globex".to_owned()];
    Schemas {
        searched: vec!["tenant".into(), "public".into()],
        logical: [
            ("tenant".to_owned(), LogicalSchema::Chosen { claim: "tenant".into(), allowed }),
            ("reporting".to_owned(), LogicalSchema::Fixed("v3".into())),
        ]
        .into(),
    }
}

/// What a description becomes for a tenant, or for a caller who is of none, and whether a tenant had a say.
fn proof(writer: Writer, tenant: Option<&str>, relations: &[&str]) -> (Result<String, Vec<Finding>>, bool) {
    let chosen =
        tenant.map_or_else(ChosenSchemas::default, |real| ChosenSchemas::default().with("tenant", real));
    let path = SearchPath::new(Arc::new(schemas()), chosen);
    let relations = relations.iter().map(|name| (*name).to_owned()).collect();
    let settings = GrantSettings { relations, ..GrantSettings::default() };
    let catalog = tenants();
    let granted = SearchPath::new(Arc::new(schemas()), path.chosen().clone());
    let grants = Grants::resolve(&settings, &catalog, &granted).unwrap_or_default();
    let nodes = writer.nodes.into_iter().map(|kind| Node { kind, place: None }).collect();
    let description = Description { slots: writer.slots, files: vec![], nodes };
    let limits = Limits::default();
    let context = Context {
        plugin: "p",
        catalog: &catalog,
        grants: &grants,
        path: &path,
        limits: &limits,
        filters: RowFilters::none(),
    };
    let printed = verify(&description, context).and_then(|verified| {
        let comment = Comment { plugin: "p", query: "q", shape: "0", schemas: &[] };
        print(&lower(&description, &verified), &comment, &[], &limits).map_err(|found| vec![found])
    });
    (printed.map(|printed| printed.sql), path.consulted().contains("tenant"))
}

/// `SELECT t.n AS x FROM name AS t WHERE filter`.
fn select(name: &str, filter: impl FnOnce(&mut Writer) -> Option<NodeId>) -> Writer {
    let mut writer = Writer::default();
    let item = writer.column("n");
    let table = Table {
        name: RelationName::Stored(QualifiedName::parse(name)),
        alias: "t".into(),
        columns: vec![],
        only: false,
        sample: None,
    };
    let filter = filter(&mut writer);
    let from = writer.add(NodeKind::Table(table));
    writer.query_of(item, from, filter);
    writer
}

fn plain(name: &str) -> Writer {
    select(name, |_| None)
}

fn messages(found: &Result<String, Vec<Finding>>) -> String {
    found.as_ref().unwrap_err().iter().map(Finding::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_logical_schema_is_the_one_that_was_chosen_and_hides_its_namesake() {
    for name in ["tenant.invoice", "invoice"] {
        for tenant in ["acme", "globex"] {
            let (sql, consulted) = proof(plain(name), Some(tenant), &[name]);
            let from = format!(r#"FROM "{tenant}"."invoice" AS "t""#);
            assert!(sql.as_ref().unwrap().contains(&from) && consulted, "{sql:?}");
        }
        let (sql, consulted) = proof(plain(name), None, &[name]);
        assert!(sql.is_err() && consulted, "{sql:?}");
    }
    let (sql, consulted) = proof(plain("reporting.report"), None, &["reporting.report"]);
    assert!(sql.unwrap().contains(r#"FROM "v3"."report""#) && !consulted);
}

#[test]
fn what_is_granted_of_a_logical_schema_is_granted_of_no_other() {
    let (sql, _) = proof(plain("globex.invoice"), Some("acme"), &["tenant.invoice"]);
    assert_eq!(
        messages(&sql),
        "CS0301: there is no relation globex.invoice; did you mean \"tenant.invoice\"?"
    );
    for tenant in ["acme", "globex"] {
        let (sql, _) = proof(plain("invoice"), Some(tenant), &["t"]);
        assert!(messages(&sql).contains("the relation tenant.invoice was not granted"), "{sql:?}");
    }
    // Of a caller who is of no tenant nothing of any is granted, whatever its name.
    for name in ["acme.invoice", "globex.invoice", "tenant.invoice"] {
        assert!(proof(plain(name), None, &["tenant.invoice"]).0.is_err());
    }
    // By its real name not even to the tenant itself, and whatever is granted: whether it is there is not told either.
    for name in ["globex.invoice", "globex.nothing"] {
        for tenant in [None, Some("acme"), Some("globex")] {
            let (sql, consulted) = proof(plain(name), tenant, &[name]);
            assert!(messages(&sql).starts_with(&format!("CS0301: there is no relation {name}")), "{sql:?}");
            assert!(!consulted);
        }
    }
}

#[test]
fn what_is_granted_of_a_schema_that_a_claim_chooses_is_not_granted_of_one_that_is_searched_later() {
    for tenant in [None, Some("acme")] {
        let (sql, _) = proof(plain("public.extra"), tenant, &["extra"]);
        assert!(messages(&sql).contains("the relation public.extra was not granted"), "{sql:?}");
    }
    // A tenant that has none finds the other, as along any search path.
    let (sql, _) = proof(plain("extra"), Some("globex"), &["extra"]);
    assert!(sql.unwrap().contains(r#"FROM "public"."extra""#));
}

#[test]
fn a_name_that_some_tenant_has_depends_on_the_tenant() {
    let (sql, consulted) = proof(plain("extra"), Some("globex"), &["public.extra"]);
    assert!(sql.unwrap().contains(r#"FROM "public"."extra""#) && consulted);
    let (sql, _) = proof(plain("extra"), Some("acme"), &["public.extra"]);
    assert!(messages(&sql).contains("the relation tenant.extra was not granted"), "{sql:?}");
    let (sql, consulted) = proof(plain("t"), None, &["t"]);
    assert!(sql.unwrap().contains(r#"FROM "public"."t""#) && !consulted);
}

#[test]
fn functions_and_operators_that_some_tenant_has_depend_on_the_tenant() {
    let equals = |w: &mut Writer| {
        let (left, right) = (w.column("n"), w.column("n"));
        Some(w.equals(left, right))
    };
    assert!(proof(select("t", equals), Some("globex"), &["t"]).1);
    let builtin = |w: &mut Writer| {
        let (left, right) = (w.column("n"), w.column("n"));
        let operator = QualifiedName::within(PG_CATALOG, "=");
        Some(w.add(NodeKind::Operation(Operation { operator, operands: vec![left, right] })))
    };
    let (sql, consulted) = proof(select("t", builtin), None, &["t"]);
    assert!(sql.is_ok() && !consulted, "{sql:?}");
    let call = |w: &mut Writer| {
        let [left, right] = [(); 2].map(|()| {
            let value = w.column("n");
            w.add(NodeKind::Call(call("upper", vec![value])))
        });
        let operator = QualifiedName::within(PG_CATALOG, "=");
        Some(w.add(NodeKind::Operation(Operation { operator, operands: vec![left, right] })))
    };
    let (sql, consulted) = proof(select("t", call), Some("acme"), &["t"]);
    assert!(messages(&sql).contains("the function tenant.upper was not granted") && consulted, "{sql:?}");
}

#[test]
fn another_tenants_types_and_collations_can_not_be_named() {
    let cast = |ty: &'static str| {
        move |w: &mut Writer| {
            let (left, right) = (w.slot(SlotType::Declared(TypeName::parse(ty))), w.column("m"));
            let operator = QualifiedName::within(PG_CATALOG, "=");
            Some(w.add(NodeKind::Operation(Operation { operator, operands: vec![left, right] })))
        }
    };
    let of_other = select("invoice", cast("globex.status"));
    let (sql, _) = proof(of_other, Some("acme"), &["invoice"]);
    assert!(messages(&sql).contains("there is no type globex.status"), "{sql:?}");
    let own = select("invoice", cast("tenant.status"));
    let message = messages(&proof(own, Some("acme"), &["t"]).0);
    assert!(message.contains("the type tenant.status was not granted"), "{message}");
    for (collation, granted) in [("acme.own", false), ("tenant.own", true), ("own", true)] {
        for tenant in ["acme", "globex"] {
            let collate = |w: &mut Writer| {
                let value = w.column("n");
                let collation = QualifiedName::parse(collation);
                Some(w.add(NodeKind::Collate(callslip_ir::Collate { value, collation })))
            };
            let (sql, _) = proof(select("t", collate), Some(tenant), &["t"]);
            let unknown = format!("there is no collation {collation}");
            let found = sql.err().is_none_or(|found| found.iter().all(|its| its.message != unknown));
            assert_eq!(found, granted && tenant == "acme", "{collation} {tenant}");
        }
    }
}

#[test]
fn a_name_that_is_found_nowhere_was_looked_for_in_every_schema() {
    for name in ["invoise", "tenant.invoise"] {
        assert!(proof(plain(name), None, &["invoice"]).1);
        let message = messages(&proof(plain(name), Some("acme"), &["invoice"]).0);
        assert!(message.contains(&format!("did you mean \"{}\"?", name.replace("ise", "ice"))), "{message}");
    }
    assert!(!proof(plain("public.invoise"), None, &["invoice"]).1);
}
