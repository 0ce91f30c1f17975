use callslip::catalog::{Catalog, SearchPath, reflect};
use callslip::grants::{GrantSettings, Grants};
use callslip::select::{Context, Finding, Limits, Printed, RowFilters};
use callslip_ir::{
    Argument, Boolean, BooleanOperator, Call, Cte, Description, Direction, Distinct, Item, Join,
    JoinCondition, JoinKind, Materialization, NamedWindow, Node, NodeId, NodeKind, Nulls, Operation, Order,
    Over, QualifiedName, Query, RelationName, Select, SetOperation, SetOperator, SlotId, SlotType, Special,
    SpecialForm, Subexpression, Subquery, Table, Window, With,
};

use crate::database;
use crate::printed::print;

/// The hiring database as a plugin that may read its tables meets it, without a plugin.
pub struct Verifier {
    catalog: Catalog,
    grants: Grants,
    path: SearchPath,
    limits: Limits,
}

impl Verifier {
    /// # Panics
    /// If there is no database.
    pub async fn new() -> Self {
        let catalog = Catalog::new(reflect(&database().owner().await).await.expect("a catalog"));
        let path = SearchPath::of(["public"]);
        let relations = vec!["candidate".into(), "interview".into(), "rating".into()];
        let settings = GrantSettings { relations, ..GrantSettings::default() };
        let grants = Grants::resolve(&settings, &catalog, &path).expect("the tables are there");
        Self { catalog, grants, path, limits: Limits::default() }
    }

    /// Verifies, lowers and prints.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn print(&self, description: &Description) -> Result<Printed, Vec<Finding>> {
        let context = Context {
            plugin: "this",
            catalog: &self.catalog,
            grants: &self.grants,
            path: &self.path,
            limits: &self.limits,
            filters: RowFilters::none(),
        };
        print(description, context)
    }
}

/// Descriptions that are over a limit, each in another way.
pub fn oversized() -> Vec<(&'static str, Description)> {
    let mut nodes = Writer::default();
    for _ in 0..100_000 {
        nodes.add(NodeKind::Row(vec![]));
    }
    let body = nodes.add(NodeKind::Row(vec![]));
    let nodes = nodes.query(body, vec![]);

    let mut deep = Writer::default();
    let mut inner = deep.slot();
    for _ in 0..10_000 {
        inner =
            deep.add(NodeKind::Boolean(Boolean { operator: BooleanOperator::Not, operands: vec![inner] }));
    }
    let deep = deep.query(inner, vec![]);

    let mut shared = Writer::default();
    let mut inner = shared.slot();
    for _ in 0..64 {
        inner = shared.add(NodeKind::Row(vec![inner, inner]));
    }
    let shared = shared.query(inner, vec![]);
    vec![("100,000 nodes", nodes), ("10,000 deep", deep), ("shares nodes", shared)]
}

/// Descriptions just within the limits, each of as much of one thing as goes in, with whether they verify.
pub fn heavy() -> Vec<(&'static str, bool, Description)> {
    vec![
        ("conditions", true, conditions()),
        ("relations side by side", true, relations()),
        ("joins", true, joins(false)),
        ("aggregates over joins", true, joins(true)),
        ("joins by name", true, joins_by_name()),
        ("joins under an alias", true, aliased_joins()),
        ("natural joins", true, natural_joins()),
        ("CTEs", true, ctes()),
        ("columns", true, columns()),
        ("output names", true, output_names()),
        ("group keys", true, group_keys()),
        ("windows on windows", true, windows()),
        ("set operations", true, set_operations()),
        ("a list", true, list()),
        ("a list of no type", false, list_of_no_type()),
        ("arguments", true, arguments()),
        ("unknown columns", false, unknown("column")),
        ("unknown functions", false, unknown("function")),
        ("unknown operators", false, unknown("operator")),
        ("unknown relations", false, unknown("relation")),
        ("subqueries in subqueries", true, subqueries()),
    ]
}

#[derive(Default)]
struct Writer {
    nodes: Vec<Node>,
}

impl Writer {
    fn add(&mut self, kind: NodeKind) -> NodeId {
        self.nodes.push(Node { kind, place: None });
        NodeId(self.nodes.len() as u32 - 1)
    }

    fn slot(&mut self) -> NodeId {
        self.add(NodeKind::Parameter(SlotId(0)))
    }

    fn column(&mut self, relation: &str, name: &str) -> NodeId {
        self.add(NodeKind::Column { relation: relation.to_owned(), name: name.to_owned() })
    }

    fn table(&mut self, name: RelationName, alias: &str) -> NodeId {
        let alias = alias.to_owned();
        self.add(NodeKind::Table(Table { name, alias, columns: vec![], only: false, sample: None }))
    }

    fn stored(&mut self, name: &str, alias: &str) -> NodeId {
        self.table(RelationName::Stored(QualifiedName::new(name)), alias)
    }

    fn equals(&mut self, left: NodeId, right: NodeId) -> NodeId {
        self.add(NodeKind::Operation(Operation {
            operator: QualifiedName::new("="),
            operands: vec![left, right],
        }))
    }

    /// `count(relation.id)`.
    fn count(&mut self, relation: &str) -> NodeId {
        let value = self.column(relation, "id");
        self.add(NodeKind::Call(Call {
            function: QualifiedName::new("count"),
            arguments: vec![Argument { name: None, variadic: false, value }],
            star: false,
            distinct: false,
            order_by: vec![],
            within_group: vec![],
            filter: None,
            over: None,
        }))
    }

    fn and(&mut self, operands: Vec<NodeId>) -> NodeId {
        self.add(NodeKind::Boolean(Boolean { operator: BooleanOperator::And, operands }))
    }

    fn select(&mut self, items: Vec<NodeId>, from: Vec<NodeId>) -> Select {
        let item = |(index, expression)| Item { expression, alias: Some(format!("i{index}")) };
        Select {
            distinct: Distinct::All,
            items: items.into_iter().enumerate().map(item).collect(),
            from,
            filter: None,
            group_by: vec![],
            group_distinct: false,
            having: None,
            windows: vec![],
        }
    }

    fn query_of(&mut self, select: Select) -> NodeId {
        let body = self.add(NodeKind::Select(select));
        self.query_with(None, body, vec![])
    }

    fn query_with(&mut self, with: Option<With>, body: NodeId, order_by: Vec<Order>) -> NodeId {
        self.add(NodeKind::Query(Query { with, body, order_by, limit: None, offset: None }))
    }

    fn query(mut self, body: NodeId, order_by: Vec<Order>) -> Description {
        self.query_with(None, body, order_by);
        self.description()
    }

    fn description(self) -> Description {
        Description { slots: vec![SlotType::Context], files: vec![], nodes: self.nodes }
    }
}

fn conditions() -> Description {
    let mut writer = Writer::default();
    let from = writer.stored("candidate", "c");
    let mut conditions = Vec::new();
    for _ in 0..1_600 {
        let (id, value) = (writer.column("c", "id"), writer.slot());
        conditions.push(writer.equals(id, value));
    }
    let all = writer.and(conditions);
    let item = writer.column("c", "id");
    let select = Select { filter: Some(all), ..writer.select(vec![item], vec![from]) };
    writer.query_of(select);
    writer.description()
}

fn relations() -> Description {
    let mut writer = Writer::default();
    let from = (0..2_400).map(|index| writer.stored("candidate", &format!("c{index}"))).collect();
    let used: Vec<NodeId> =
        (0..1_200).map(|index| writer.column(&format!("c{}", index * 2 + 1), "id")).collect();
    let select = writer.select(used, from);
    writer.query_of(select);
    writer.description()
}

/// As wide as it is deep: a balanced tree.
fn joins(aggregated: bool) -> Description {
    let mut writer = Writer::default();
    let mut side: Vec<(NodeId, String)> = (0..700)
        .map(|index| {
            let alias = format!("c{index}");
            (writer.stored("candidate", &alias), alias)
        })
        .collect();
    while side.len() > 1 {
        let mut joined = Vec::new();
        for pair in side.chunks(2) {
            let [(left, first), (right, second)] = pair else {
                joined.extend_from_slice(pair);
                continue;
            };
            let (one, other) = (writer.column(first, "id"), writer.column(second, "id"));
            let condition = JoinCondition::On(writer.equals(one, other));
            let (kind, left, right) = (JoinKind::Left, *left, *right);
            let join = Join { kind, left, right, condition, alias: None, columns: vec![] };
            joined.push((writer.add(NodeKind::Join(join)), first.clone()));
        }
        side = joined;
    }
    let from = side.iter().map(|(node, _)| *node).collect();
    let items = match aggregated {
        false => vec![writer.column("c699", "id")],
        true => (0..700).map(|index| writer.count(&format!("c{index}"))).collect(),
    };
    let select = writer.select(items, from);
    writer.query_of(select);
    writer.description()
}

/// Each of all the columns that were joined before.
fn joins_by_name() -> Description {
    let mut writer = Writer::default();
    let natural = (JoinKind::Full, JoinCondition::Natural);
    let from = chains(&mut writer, natural, |chain, index| (format!("c{chain} {index}"), None));
    let item = writer.column("c0 0", "id");
    let select = writer.select(vec![item], from);
    writer.query_of(select);
    writer.description()
}

/// Each of which has the columns of all that are within.
fn aliased_joins() -> Description {
    let mut writer = Writer::default();
    let cross = (JoinKind::Cross, JoinCondition::None);
    let aliases = |chain, index| (format!("c{index}"), Some(format!("j{chain} {index}")));
    let from = chains(&mut writer, cross, aliases);
    let item = writer.slot();
    let select = writer.select(vec![item], from);
    writer.query_of(select);
    writer.description()
}

/// Chains of joins as long as they may be, whose relations and joins have the aliases that `aliases` gives by the numbers of a
/// chain and of a relation in it.
fn chains(
    writer: &mut Writer,
    (kind, condition): (JoinKind, JoinCondition),
    aliases: impl Fn(u32, u32) -> (String, Option<String>),
) -> Vec<NodeId> {
    let chain = |chain| {
        let mut left = writer.stored("candidate", &aliases(chain, 0).0);
        for index in 1..=90 {
            let (relation, alias) = aliases(chain, index);
            let right = writer.stored("candidate", &relation);
            let condition = condition.clone();
            left = writer.add(NodeKind::Join(Join { kind, left, right, condition, alias, columns: vec![] }));
        }
        left
    };
    (0..25).map(chain).collect()
}

/// Each compares all columns of a wide CTE.
fn natural_joins() -> Description {
    let mut writer = Writer::default();
    let from = writer.stored("candidate", "c");
    let items = (0..800).map(|_| writer.column("c", "id")).collect();
    let select = writer.select(items, vec![from]);
    let query = writer.query_of(select);
    let cte = |writer: &mut Writer, alias: &str| writer.table(RelationName::Cte("x".into()), alias);
    let mut left = cte(&mut writer, "c");
    for index in 0..80 {
        let right = cte(&mut writer, &format!("c{index}"));
        let (kind, condition) = (JoinKind::Inner, JoinCondition::Natural);
        let join = Join { kind, left, right, condition, alias: None, columns: vec![] };
        left = writer.add(NodeKind::Join(join));
    }
    let item = writer.column("c", "i0");
    let select = writer.select(vec![item], vec![left]);
    let body = writer.add(NodeKind::Select(select));
    let (name, materialized) = ("x".to_owned(), Materialization::Unspecified);
    let cte = Cte { name, columns: vec![], query, materialized, search: None, cycle: None };
    writer.query_with(Some(With { recursive: false, ctes: vec![cte] }), body, vec![]);
    writer.description()
}

/// Each of the one before it.
fn ctes() -> Description {
    let mut writer = Writer::default();
    let mut ctes = Vec::new();
    for index in 0..800 {
        let from = match index {
            0 => writer.stored("candidate", "c"),
            _ => writer.table(RelationName::Cte(format!("x{}", index - 1)), "c"),
        };
        let item = writer.column("c", if index == 0 { "id" } else { "i0" });
        let select = writer.select(vec![item], vec![from]);
        let query = writer.query_of(select);
        ctes.push(Cte {
            name: format!("x{index}"),
            columns: vec![],
            query,
            materialized: Materialization::Unspecified,
            search: None,
            cycle: None,
        });
    }
    let from = writer.table(RelationName::Cte("x799".into()), "c");
    let item = writer.column("c", "i0");
    let select = writer.select(vec![item], vec![from]);
    let body = writer.add(NodeKind::Select(select));
    writer.query_with(Some(With { recursive: false, ctes }), body, vec![]);
    writer.description()
}

fn columns() -> Description {
    let mut writer = Writer::default();
    let mut from = writer.stored("candidate", "c");
    for level in 0..3 {
        let name = |index| if level == 0 { "id".to_owned() } else { format!("i{index}") };
        let items = (0..1_600).map(|index| writer.column("c", &name(index))).collect();
        let select = writer.select(items, vec![from]);
        let query = writer.query_of(select);
        if level < 2 {
            let subquery = Subquery { query, lateral: false, alias: "c".into(), columns: vec![] };
            from = writer.add(NodeKind::Subquery(subquery));
        }
    }
    writer.description()
}

fn output_names() -> Description {
    let mut writer = Writer::default();
    let from = writer.stored("candidate", "c");
    let items = (0..1_600).map(|_| writer.column("c", "id")).collect();
    let select = writer.select(items, vec![from]);
    let body = writer.add(NodeKind::Select(select));
    let order = |writer: &mut Writer, index: usize| Order {
        expression: writer.add(NodeKind::OutputName(format!("i{}", 1_599 - index % 800))),
        direction: Direction::Ascending,
        nulls: Nulls::Unspecified,
    };
    let orders = (0..3_000).map(|index| order(&mut writer, index)).collect();
    writer.query(body, orders)
}

fn group_keys() -> Description {
    let mut writer = Writer::default();
    let from = writer.stored("candidate", "c");
    let sums = |writer: &mut Writer| -> Vec<NodeId> {
        let sum = |index: usize| {
            let mut operands = Vec::new();
            for bit in 0..2 {
                operands.push(writer.column("c", if index >> bit & 1 == 0 { "id" } else { "years" }));
            }
            writer.add(NodeKind::Operation(Operation { operator: QualifiedName::new("+"), operands }))
        };
        (0..800).map(sum).collect()
    };
    let (keys, items) = (sums(&mut writer), sums(&mut writer));
    let select = Select { group_by: keys, ..writer.select(items, vec![from]) };
    writer.query_of(select);
    writer.description()
}

fn windows() -> Description {
    let mut writer = Writer::default();
    let from = writer.stored("candidate", "c");
    let window = |base| Window { base, partition_by: vec![], order_by: vec![], frame: None };
    let named = |index: usize| NamedWindow {
        name: format!("w{index}"),
        window: window(index.checked_sub(1).map(|before| format!("w{before}"))),
    };
    let windows: Vec<NamedWindow> = (0..2_400).map(named).collect();
    let call = |index: usize| Call {
        function: QualifiedName::new("row_number"),
        arguments: vec![],
        star: false,
        distinct: false,
        order_by: vec![],
        within_group: vec![],
        filter: None,
        over: Some(Over::Named(format!("w{}", 2_399 - index % 1_200))),
    };
    let items = (0..1_600).map(|index| writer.add(NodeKind::Call(call(index)))).collect();
    let select = Select { windows, ..writer.select(items, vec![from]) };
    writer.query_of(select);
    writer.description()
}

fn set_operations() -> Description {
    let mut writer = Writer::default();
    let mut side: Vec<NodeId> = (0..900)
        .map(|_| {
            let item = writer.slot();
            let select = writer.select(vec![item], vec![]);
            writer.query_of(select)
        })
        .collect();
    while side.len() > 1 {
        let mut united = Vec::new();
        for pair in side.chunks(2) {
            let [left, right] = *pair else {
                united.extend_from_slice(pair);
                continue;
            };
            let operation = SetOperation { operator: SetOperator::Union, all: false, left, right };
            let body = writer.add(NodeKind::SetOperation(operation));
            united.push(writer.query_with(None, body, vec![]));
        }
        side = united;
    }
    writer.description()
}

fn list() -> Description {
    let mut writer = Writer::default();
    let from = writer.stored("candidate", "c");
    let operand = writer.column("c", "id");
    let items = (0..4_900).map(|_| writer.slot()).collect();
    let list = Subexpression::InList { operand, items, negated: false };
    let item = writer.add(NodeKind::Subexpression(list));
    let select = writer.select(vec![item], vec![from]);
    writer.query_of(select);
    writer.description()
}

/// The last of which doesn't go with the others.
fn list_of_no_type() -> Description {
    let mut writer = Writer::default();
    let from = writer.stored("candidate", "c");
    let mut operands: Vec<NodeId> = (0..4_800).map(|_| writer.column("c", "id")).collect();
    operands.push(writer.column("c", "relocate"));
    let item = writer.add(NodeKind::Special(Special { form: SpecialForm::Coalesce, operands }));
    let select = writer.select(vec![item], vec![from]);
    writer.query_of(select);
    writer.description()
}

fn arguments() -> Description {
    let mut writer = Writer::default();
    let from = writer.stored("candidate", "c");
    let operands = (0..4_900).map(|_| writer.column("c", "id")).collect();
    let item = writer.add(NodeKind::Special(Special { form: SpecialForm::Greatest, operands }));
    let select = writer.select(vec![item], vec![from]);
    writer.query_of(select);
    writer.description()
}

/// Names that are nearly those of something, as long as names are compared.
fn unknown(what: &str) -> Description {
    let mut writer = Writer::default();
    let mut from = vec![writer.stored("candidate", "c")];
    let long =
        |index: usize| format!("{index}{}", "desired_salary_".repeat(5)).chars().take(63).collect::<String>();
    let mut items = Vec::new();
    for index in 0..1_500 {
        let name = long(index);
        items.push(match what {
            "column" => writer.column("c", &name),
            "relation" => {
                let alias = format!("c{index}");
                from.push(writer.stored(&name, &alias));
                writer.column(&alias, "id")
            }
            "function" => {
                let value = writer.column("c", "id");
                let argument = Argument { name: None, variadic: false, value };
                writer.add(NodeKind::Call(Call {
                    function: QualifiedName::new(name),
                    arguments: vec![argument],
                    star: false,
                    distinct: false,
                    order_by: vec![],
                    within_group: vec![],
                    filter: None,
                    over: None,
                }))
            }
            _ => {
                let operands = vec![writer.column("c", "id"), writer.column("c", "relocate")];
                writer.add(NodeKind::Operation(Operation { operator: QualifiedName::new("="), operands }))
            }
        });
    }
    let select = writer.select(items, from);
    writer.query_of(select);
    writer.description()
}

/// As deep as it may be, each looking at the outermost relation.
fn subqueries() -> Description {
    let mut writer = Writer::default();
    let from = writer.stored("candidate", "c");
    let mut items = Vec::new();
    for _ in 0..30 {
        let mut inner = writer.column("c", "id");
        for level in 0..30 {
            let beside = writer.stored("rating", &format!("r{level}"));
            let select = writer.select(vec![inner], vec![beside]);
            let query = writer.query_of(select);
            inner = writer.add(NodeKind::Subexpression(Subexpression::Scalar(query)));
        }
        items.push(inner);
    }
    let select = writer.select(items, vec![from]);
    writer.query_of(select);
    writer.description()
}
