//! What a statement is told to use of the database.

use std::collections::BTreeSet;

use callslip_ir::{Join, JoinCondition, JoinKind};

use super::*;

impl Writer {
    fn of(&mut self, relation: &str, name: &str) -> NodeId {
        self.add(NodeKind::Column { relation: relation.into(), name: name.into() })
    }

    fn stored(&mut self, name: QualifiedName) -> NodeId {
        let alias = name.name.clone();
        let name = RelationName::Stored(name);
        self.add(NodeKind::Table(Table { name, alias, columns: vec![], only: false, sample: None }))
    }

    /// `t … JOIN audit.entry …`.
    fn joined(&mut self, condition: JoinCondition, alias: Option<&str>) -> NodeId {
        let left = self.stored(QualifiedName::new("t"));
        let right = self.stored(QualifiedName { schema: Some("audit".into()), name: "entry".into() });
        let alias = alias.map(str::to_owned);
        let kind = if condition == JoinCondition::None { JoinKind::Cross } else { JoinKind::Inner };
        self.add(NodeKind::Join(Join { kind, left, right, condition, alias, columns: vec![] }))
    }

    /// The columns that it reads, and the other objects that it takes.
    fn uses(self) -> (Vec<String>, Vec<String>) {
        let catalog = catalog();
        let nodes = self.nodes.into_iter().map(|kind| Node { kind, place: None }).collect();
        let description = Description { slots: self.slots, files: vec![], nodes };
        let path = SearchPath::of(["public"]);
        let relations = ["t", "audit.entry", "r"].map(str::to_owned).into();
        let settings = GrantSettings { relations, ..GrantSettings::default() };
        let grants = Grants::resolve(&settings, &catalog, &path).unwrap();
        let limits = Limits::default();
        let context = Context {
            plugin: "p",
            catalog: &catalog,
            grants: &grants,
            path: &path,
            limits: &limits,
            filters: RowFilters::none(),
        };
        let verified = verify(&description, context).unwrap_or_else(|findings| panic!("{findings:?}"));
        let column = |its: &ColumnName| format!("{}.{}", its.relation, its.column);
        let relations: BTreeSet<String> =
            verified.relations.iter().map(|(schema, name)| format!("{schema}.{name}")).collect();
        let objects = verified.objects.iter().map(ToString::to_string);
        (
            verified.columns_read.iter().map(column).collect(),
            objects.filter(|name| !relations.contains(name)).collect(),
        )
    }
}

#[test]
fn columns_by_name_and_their_types() {
    let mut writer = Writer::default();
    let (left, right) = (writer.column("m"), writer.slot(SlotType::Context));
    let condition = writer.equals(left, right);
    let item = writer.column("n");
    writer.query(item, Some(condition));
    assert_eq!(writer.uses(), (vec!["public.t.m".into(), "public.t.n".into()], vec!["public.mood".into()]));
}

#[test]
fn all_columns_of_a_whole_row() {
    let mut writer = Writer::default();
    let item = writer.add(NodeKind::WholeRow { relation: "t".into() });
    writer.query(item, None);
    assert_eq!(writer.uses().0, ["public.t.b", "public.t.m", "public.t.n"]);
}

#[test]
fn what_joins_compare_by_name() {
    let using = JoinCondition::Using { columns: vec!["n".into()], alias: None };
    for condition in [using, JoinCondition::Natural] {
        let mut writer = Writer::default();
        let item = writer.of("t", "b");
        let from = writer.joined(condition, None);
        writer.query_of(item, from, None);
        assert_eq!(writer.uses().0, ["audit.entry.n", "public.t.b", "public.t.n"]);
    }
}

#[test]
fn a_column_behind_the_alias_of_a_join() {
    let mut writer = Writer::default();
    let item = writer.of("j", "b");
    let from = writer.joined(JoinCondition::None, Some("j"));
    writer.query_of(item, from, None);
    assert_eq!(writer.uses().0, ["public.t.b"]);
}

#[test]
fn a_relation_of_which_nothing_is_named_is_used_without_its_columns() {
    let mut writer = Writer::default();
    let item = writer.slot(SlotType::Declared(TypeName::parse("text")));
    writer.query(item, None);
    assert_eq!(writer.uses(), (vec![], vec![]));
}
