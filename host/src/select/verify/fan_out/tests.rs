use callslip_ir::{
    Argument, Call, Description, Distinct, Item, Join, JoinCondition, JoinKind, Node, NodeId, NodeKind,
    Operation, QualifiedName, Query, RelationName, Select, Table,
};

use super::warnings;
use crate::catalog::{
    Catalog, Column, Contents, ForeignKey, Function, FunctionKind, PG_CATALOG, Relation, RelationKind,
    UniqueKey, Volatility,
};
use crate::select::verified::Resolution;

/// `position (position_id, budget)` and `interview (interview_id, position_id)`, each with its key.
fn catalog() -> Catalog {
    let relation = |oid, name: &str, columns: [&str; 2]| Relation {
        oid,
        schema: "public".into(),
        name: name.into(),
        kind: RelationKind::Table,
        columns: columns
            .iter()
            .map(|name| Column {
                name: (*name).into(),
                ty: 23,
                type_modifier: -1,
                nullable: false,
                comment: None,
                ..Column::default()
            })
            .collect(),
        hidden_columns: 0,
        row_type: None,
        unique_keys: vec![UniqueKey {
            name: "key".into(),
            primary: true,
            partial: false,
            columns: vec![columns[0].into()],
            ..UniqueKey::default()
        }],
        foreign_keys: vec![],
        comment: None,
        ..Relation::default()
    };
    let sum = Function {
        oid: 3,
        schema: PG_CATALOG.into(),
        name: "sum".into(),
        kind: FunctionKind::Aggregate,
        arguments: vec![23],
        argument_names: vec![],
        defaults: 0,
        variadic: None,
        returns: 20,
        columns: vec![],
        returns_set: false,
        volatility: Volatility::Immutable,
        security_definer: false,
        ..Function::default()
    };
    Catalog::new(Contents {
        relations: vec![
            relation(1, "position", ["position_id", "budget"]),
            relation(2, "interview", ["interview_id", "position_id"]),
        ],
        functions: vec![sum],
        ..Contents::default()
    })
}

#[derive(Default)]
struct Writer {
    nodes: Vec<NodeKind>,
    resolutions: Vec<Resolution>,
}

impl Writer {
    fn add(&mut self, kind: NodeKind, resolution: Resolution) -> NodeId {
        self.nodes.push(kind);
        self.resolutions.push(resolution);
        NodeId(self.nodes.len() as u32 - 1)
    }

    fn plain(&mut self, kind: NodeKind) -> NodeId {
        self.add(kind, Resolution::None)
    }

    fn table(&mut self, name: &str, columns: &[&str]) -> NodeId {
        let table = Table {
            name: RelationName::Stored(QualifiedName::new(name)),
            alias: name.into(),
            columns: columns.iter().map(|name| (*name).into()).collect(),
            only: false,
            sample: None,
        };
        self.add(NodeKind::Table(table), Resolution::Object { schema: "public".into(), name: name.into() })
    }

    fn column(&mut self, relation: &str, name: &str) -> NodeId {
        self.plain(NodeKind::Column { relation: relation.into(), name: name.into() })
    }

    /// `position.position_id = interview.position_id`.
    fn belongs(&mut self) -> NodeId {
        let operands = vec![self.column("position", "position_id"), self.column("interview", "position_id")];
        self.plain(NodeKind::Operation(Operation { operator: QualifiedName::new("="), operands }))
    }

    fn join(&mut self, left: NodeId, right: NodeId, condition: JoinCondition, alias: Option<&str>) -> NodeId {
        let (kind, alias) = (JoinKind::Inner, alias.map(str::to_owned));
        self.plain(NodeKind::Join(Join { kind, left, right, condition, alias, columns: vec![] }))
    }

    /// The warnings of `SELECT sum(position.budget) FROM from WHERE filter`.
    fn warnings(self, from: Vec<NodeId>, filter: Option<NodeId>) -> usize {
        self.warnings_in(catalog().contents().clone(), from, filter)
    }

    fn warnings_in(mut self, contents: Contents, from: Vec<NodeId>, filter: Option<NodeId>) -> usize {
        let value = self.column("position", "budget");
        let call = Call {
            function: QualifiedName::new("sum"),
            arguments: vec![Argument { name: None, variadic: false, value }],
            star: false,
            distinct: false,
            order_by: vec![],
            within_group: vec![],
            filter: None,
            over: None,
        };
        let sum = Resolution::Object { schema: PG_CATALOG.into(), name: "sum".into() };
        let expression = self.add(NodeKind::Call(call), sum);
        let body = self.plain(NodeKind::Select(Select {
            distinct: Distinct::All,
            items: vec![Item { expression, alias: None }],
            from,
            filter,
            group_by: vec![],
            group_distinct: false,
            having: None,
            windows: vec![],
        }));
        self.plain(NodeKind::Query(Query { with: None, body, order_by: vec![], limit: None, offset: None }));
        let nodes = self.nodes.into_iter().map(|kind| Node { kind, place: None }).collect();
        let description = Description { slots: vec![], files: vec![], nodes };
        warnings(&description, &Catalog::new(contents), &self.resolutions).len()
    }
}

#[test]
fn every_way_to_join_is_seen_through_or_left_alone() {
    let using = |alias: Option<&str>| JoinCondition::Using {
        columns: vec!["position_id".into()],
        alias: alias.map(str::to_owned),
    };
    for (condition, alias, warned) in [
        (using(None), None, 1),
        (using(Some("merged")), None, 0),
        (using(None), Some("joined"), 0),
        (JoinCondition::Natural, None, 0),
    ] {
        let mut writer = Writer::default();
        let (position, interview) = (writer.table("position", &[]), writer.table("interview", &[]));
        let join = writer.join(position, interview, condition.clone(), alias);
        assert_eq!(writer.warnings(vec![join], None), warned, "{condition:?} {alias:?}");
    }
    // A comma and WHERE; and of names that are not the table's own nothing is known.
    for (names, warned) in [(&[][..], 1), (&["budget", "position_id"][..], 0)] {
        let mut writer = Writer::default();
        let from = vec![writer.table("position", names), writer.table("interview", &[])];
        let filter = writer.belongs();
        assert_eq!(writer.warnings(from, Some(filter)), warned, "{names:?}");
    }
}

#[test]
fn only_keys_that_hold_make_one_row_of_many() {
    let warned = |contents: Contents| {
        let mut writer = Writer::default();
        let from = vec![writer.table("position", &[]), writer.table("interview", &[])];
        let filter = writer.belongs();
        writer.warnings_in(contents, from, Some(filter))
    };
    for (change, expected) in [
        (UniqueKey::default(), 1),
        (UniqueKey { deferrable: true, ..UniqueKey::default() }, 0),
        (UniqueKey { without_overlaps: true, ..UniqueKey::default() }, 0),
    ] {
        let mut contents = catalog().contents().clone();
        let key = &mut contents.relations[0].unique_keys[0];
        *key = UniqueKey { columns: key.columns.clone(), ..change };
        assert_eq!(warned(contents), expected);
    }
    // What a foreign key refers to is a key, unless it compares by containment.
    for (period, expected) in [(false, 1), (true, 0)] {
        let mut contents = catalog().contents().clone();
        contents.relations[0].unique_keys[0].columns = vec!["budget".into()];
        contents.relations[1].foreign_keys.push(ForeignKey {
            columns: vec!["position_id".into()],
            target: 1,
            target_columns: vec!["position_id".into()],
            period,
            ..ForeignKey::default()
        });
        assert_eq!(warned(contents), expected, "{period}");
    }
}
