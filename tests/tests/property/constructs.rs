//! The constructs of the language: which are generated, and which a description has.

use callslip_ir::{
    AccessStep, BooleanOperator, Bound, Call, Cte, Description, Direction, Distinct, Exclude, FrameMode,
    GroupingSetKind, Is, IsTest, Join, JoinCondition, JoinKind, JsonItem, JsonTableColumn, Materialization,
    NodeKind, Nulls, Order, Over, Quantifier, Query, RelationName, SearchOrder, Select, SetOperator,
    SpecialForm, SqlJsonFunction, Subexpression, Window,
};

use Oracle::{Newer, Running};

/// What tells whether a construct is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oracle {
    /// The tree that is read back, and the PostgreSQL of the tests, which accepts the statement.
    Running,
    /// The tree alone: it takes a PostgreSQL of this version or a newer one.
    Newer(u32),
}

/// Every construct, a name for each variant of the IR and for what is optional in it.
pub const CONSTRUCTS: &[(&str, Oracle)] = &[
    ("with", Running),
    ("with recursive", Running),
    ("cte columns", Running),
    ("cte materialized", Running),
    ("cte not materialized", Running),
    ("search breadth", Running),
    ("search depth", Running),
    ("cycle", Running),
    ("cycle values", Running),
    ("order ascending", Running),
    ("order descending", Running),
    ("order using", Running),
    ("nulls first", Running),
    ("nulls last", Running),
    ("limit", Running),
    ("limit with ties", Running),
    ("offset", Running),
    ("select", Running),
    ("distinct rows", Running),
    ("distinct on", Running),
    ("item without alias", Running),
    ("no from", Running),
    ("several from", Running),
    ("where", Running),
    ("group by", Running),
    ("group distinct", Running),
    ("having", Running),
    ("named window", Running),
    ("window base", Running),
    ("union", Running),
    ("intersect", Running),
    ("except", Running),
    ("set operation all", Running),
    ("values", Running),
    ("table stored", Running),
    ("table cte", Running),
    ("table columns", Running),
    ("only", Running),
    ("sample", Running),
    ("sample seed", Running),
    ("subquery", Running),
    ("subquery columns", Running),
    ("subquery lateral", Running),
    ("functions", Running),
    ("rows from", Running),
    ("ordinality", Running),
    ("functions lateral", Running),
    ("column definitions", Running),
    ("join inner", Running),
    ("join left", Running),
    ("join right", Running),
    ("join full", Running),
    ("join cross", Running),
    ("on", Running),
    ("using", Running),
    ("using alias", Running),
    ("natural", Running),
    ("join alias", Running),
    ("rollup", Running),
    ("cube", Running),
    ("grouping sets", Running),
    ("column", Running),
    ("whole row", Running),
    ("output name", Running),
    ("parameter", Running),
    ("null", Running),
    ("prefix operator", Running),
    ("infix operator", Running),
    ("call", Running),
    ("named argument", Running),
    ("variadic", Running),
    ("star", Running),
    ("aggregate distinct", Running),
    ("aggregate order", Running),
    ("within group", Running),
    ("filter", Running),
    ("over named", Running),
    ("over window", Running),
    ("partition by", Running),
    ("frame rows", Running),
    ("frame range", Running),
    ("frame groups", Running),
    ("frame without end", Running),
    ("unbounded preceding", Running),
    ("preceding", Running),
    ("current row", Running),
    ("following", Running),
    ("unbounded following", Running),
    ("exclude current row", Running),
    ("exclude group", Running),
    ("exclude ties", Running),
    ("cast", Running),
    ("type modifiers", Running),
    ("collate", Running),
    ("case searched", Running),
    ("case simple", Running),
    ("case else", Running),
    ("and", Running),
    ("or", Running),
    ("not", Running),
    ("is null", Running),
    ("is true", Running),
    ("is false", Running),
    ("is unknown", Running),
    ("is json value", Newer(16)),
    ("is json scalar", Newer(16)),
    ("is json array", Newer(16)),
    ("is json object", Newer(16)),
    ("between", Running),
    ("between symmetric", Running),
    ("distinct from", Running),
    ("coalesce", Running),
    ("nullif", Running),
    ("greatest", Running),
    ("least", Running),
    ("grouping", Running),
    ("extract", Running),
    ("at time zone", Running),
    ("overlaps", Running),
    ("like escape", Running),
    ("similar to", Running),
    ("current_date", Running),
    ("current_time", Running),
    ("current_timestamp", Running),
    ("localtime", Running),
    ("localtimestamp", Running),
    ("row", Running),
    ("array", Running),
    ("access index", Running),
    ("access slice", Running),
    ("access field", Running),
    ("scalar", Running),
    ("exists", Running),
    ("array of query", Running),
    ("in query", Running),
    ("in list", Running),
    ("any of query", Running),
    ("all of query", Running),
    ("any of array", Running),
    ("all of array", Running),
    ("json_exists", Newer(17)),
    ("json_value", Newer(17)),
    ("json_query", Newer(17)),
    ("json passing", Newer(17)),
    ("json returning", Newer(17)),
    ("json on empty", Newer(17)),
    ("json on error", Newer(17)),
    ("json wrapper or quotes", Newer(17)),
    ("json_table", Newer(17)),
    ("json_table ordinality", Newer(17)),
    ("json_table value", Newer(17)),
    ("json_table exists", Newer(17)),
    ("json_table nested", Newer(17)),
];

/// What tells whether a construct is right.
///
/// # Panics
/// If there is none of that name.
pub fn oracle(construct: &str) -> Oracle {
    let found = CONSTRUCTS.iter().find(|(name, _)| *name == construct);
    found.unwrap_or_else(|| panic!("no construct is named {construct}")).1
}

/// The oldest version of PostgreSQL that has everything in a description, as in 170000.
pub fn needed_version(description: &Description) -> u32 {
    let all = description.nodes.iter().flat_map(|node| of(&node.kind));
    let version = |construct| match oracle(construct) {
        Newer(version) => version * 10_000,
        Running => 0,
    };
    all.map(version).max().unwrap_or_default()
}

/// The constructs that a node has by itself. No match here has a wildcard, so that what the IR gains can't be forgotten.
pub fn of(kind: &NodeKind) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut add = |construct: &'static str, there: bool| {
        if there {
            found.push(construct);
        }
    };
    match kind {
        NodeKind::Query(query) => return of_query(query),
        NodeKind::Select(select) => return of_select(select),
        NodeKind::SetOperation(operation) => {
            add("set operation all", operation.all);
            let operator = match operation.operator {
                SetOperator::Union => "union",
                SetOperator::Intersect => "intersect",
                SetOperator::Except => "except",
            };
            add(operator, true);
        }
        NodeKind::Values(_) => add("values", true),
        NodeKind::Table(table) => {
            match table.name {
                RelationName::Stored(_) => {
                    add("table stored", true);
                    add("table columns", !table.columns.is_empty());
                }
                RelationName::Cte(_) => {
                    add("table cte", true);
                    add("cte columns", !table.columns.is_empty());
                }
            }
            add("only", table.only);
            add("sample", table.sample.is_some());
            add("sample seed", table.sample.as_ref().is_some_and(|sample| sample.seed.is_some()));
        }
        NodeKind::Subquery(subquery) => {
            add("subquery", true);
            add("subquery columns", !subquery.columns.is_empty());
            add("subquery lateral", subquery.lateral);
        }
        NodeKind::Functions(functions) => {
            add("functions", true);
            add("rows from", functions.calls.len() > 1);
            add("ordinality", functions.ordinality);
            add("functions lateral", functions.lateral);
            add("column definitions", functions.calls.iter().any(|call| !call.columns.is_empty()));
        }
        NodeKind::Join(join) => return of_join(join),
        NodeKind::GroupingSet(set) => add(
            match set.kind {
                GroupingSetKind::Rollup => "rollup",
                GroupingSetKind::Cube => "cube",
                GroupingSetKind::Sets => "grouping sets",
            },
            true,
        ),
        NodeKind::Column { .. } => add("column", true),
        NodeKind::WholeRow { .. } => add("whole row", true),
        NodeKind::OutputName(_) => add("output name", true),
        NodeKind::Parameter(_) => add("parameter", true),
        NodeKind::Null(_) => add("null", true),
        NodeKind::Operation(operation) => {
            add("prefix operator", operation.operands.len() == 1);
            add("infix operator", operation.operands.len() == 2);
        }
        NodeKind::Call(call) => return of_call(call),
        NodeKind::Cast(cast) => {
            add("cast", true);
            add("type modifiers", !cast.ty.modifiers.is_empty());
        }
        NodeKind::Collate(_) => add("collate", true),
        NodeKind::Case(case) => {
            add("case searched", case.operand.is_none());
            add("case simple", case.operand.is_some());
            add("case else", case.otherwise.is_some());
        }
        NodeKind::Boolean(boolean) => add(
            match boolean.operator {
                BooleanOperator::And => "and",
                BooleanOperator::Or => "or",
                BooleanOperator::Not => "not",
            },
            true,
        ),
        NodeKind::Is(is) => add(of_test(is), true),
        NodeKind::Special(special) => add(of_special(&special.form), true),
        NodeKind::Row(_) => add("row", true),
        NodeKind::Array(_) => add("array", true),
        NodeKind::Access(access) => add(
            match access.step {
                AccessStep::Index(_) => "access index",
                AccessStep::Slice { .. } => "access slice",
                AccessStep::Field(_) => "access field",
            },
            true,
        ),
        NodeKind::Subexpression(sub) => add(of_subexpression(sub), true),
        NodeKind::SqlJson(json) => {
            let function = match json.function {
                SqlJsonFunction::Exists => "json_exists",
                SqlJsonFunction::Value => "json_value",
                SqlJsonFunction::Query => "json_query",
                SqlJsonFunction::QueryWith { .. } => "json wrapper or quotes",
            };
            add(function, true);
            add("json passing", !json.passing.is_empty());
            add("json returning", json.returning.is_some());
            add("json on empty", json.on_empty.is_some());
            add("json on error", json.on_error.is_some());
        }
        NodeKind::JsonTable(_) => add("json_table", true),
        NodeKind::JsonTableColumn(column) => add(
            match column {
                JsonTableColumn::Ordinality { .. } => "json_table ordinality",
                JsonTableColumn::Value { .. } => "json_table value",
                JsonTableColumn::Exists { .. } => "json_table exists",
                JsonTableColumn::Nested { .. } => "json_table nested",
            },
            true,
        ),
    }
    found
}

fn of_query(query: &Query) -> Vec<&'static str> {
    let Query { with, body: _, order_by, limit, offset } = query;
    let mut found = of_orders(order_by);
    if let Some(with) = with {
        found.push(if with.recursive { "with recursive" } else { "with" });
        found.extend(with.ctes.iter().flat_map(of_cte));
    }
    found.extend(limit.as_ref().map(|limit| if limit.with_ties { "limit with ties" } else { "limit" }));
    found.extend(offset.map(|_| "offset"));
    found
}

fn of_cte(cte: &Cte) -> Vec<&'static str> {
    let mut found = Vec::new();
    found.extend(match cte.materialized {
        Materialization::Unspecified => None,
        Materialization::Materialized => Some("cte materialized"),
        Materialization::NotMaterialized => Some("cte not materialized"),
    });
    found.extend((!cte.columns.is_empty()).then_some("cte columns"));
    found.extend(cte.search.as_ref().map(|search| match search.order {
        SearchOrder::Breadth => "search breadth",
        SearchOrder::Depth => "search depth",
    }));
    if let Some(cycle) = &cte.cycle {
        found.push("cycle");
        found.extend(cycle.values.map(|_| "cycle values"));
    }
    found
}

fn of_orders(orders: &[Order]) -> Vec<&'static str> {
    let mut found = Vec::new();
    for order in orders {
        found.push(match order.direction {
            Direction::Ascending => "order ascending",
            Direction::Descending => "order descending",
            Direction::Using(_) => "order using",
        });
        found.extend(match order.nulls {
            Nulls::Unspecified => None,
            Nulls::First => Some("nulls first"),
            Nulls::Last => Some("nulls last"),
        });
    }
    found
}

fn of_select(select: &Select) -> Vec<&'static str> {
    let Select { distinct, items, from, filter, group_by, group_distinct, having, windows } = select;
    let mut found = vec!["select"];
    found.extend(match distinct {
        Distinct::All => None,
        Distinct::Rows => Some("distinct rows"),
        Distinct::On(_) => Some("distinct on"),
    });
    found.extend(items.iter().any(|item| item.alias.is_none()).then_some("item without alias"));
    found.extend(from.is_empty().then_some("no from"));
    found.extend((from.len() > 1).then_some("several from"));
    found.extend(filter.map(|_| "where"));
    found.extend((!group_by.is_empty()).then_some("group by"));
    found.extend(group_distinct.then_some("group distinct"));
    found.extend(having.map(|_| "having"));
    for named in windows {
        found.push("named window");
        found.extend(of_window(&named.window));
    }
    found
}

fn of_window(window: &Window) -> Vec<&'static str> {
    let Window { base, partition_by, order_by, frame } = window;
    let mut found = of_orders(order_by);
    found.extend(base.as_ref().map(|_| "window base"));
    found.extend((!partition_by.is_empty()).then_some("partition by"));
    let Some(frame) = frame else { return found };
    found.push(match frame.mode {
        FrameMode::Rows => "frame rows",
        FrameMode::Range => "frame range",
        FrameMode::Groups => "frame groups",
    });
    found.extend(frame.end.is_none().then_some("frame without end"));
    for bound in std::iter::once(&frame.start).chain(&frame.end) {
        found.push(match bound {
            Bound::UnboundedPreceding => "unbounded preceding",
            Bound::Preceding(_) => "preceding",
            Bound::CurrentRow => "current row",
            Bound::Following(_) => "following",
            Bound::UnboundedFollowing => "unbounded following",
        });
    }
    found.extend(match frame.exclude {
        Exclude::NoOthers => None,
        Exclude::CurrentRow => Some("exclude current row"),
        Exclude::Group => Some("exclude group"),
        Exclude::Ties => Some("exclude ties"),
    });
    found
}

fn of_join(join: &Join) -> Vec<&'static str> {
    let mut found = vec![match join.kind {
        JoinKind::Inner => "join inner",
        JoinKind::Left => "join left",
        JoinKind::Right => "join right",
        JoinKind::Full => "join full",
        JoinKind::Cross => "join cross",
    }];
    match &join.condition {
        JoinCondition::None => {}
        JoinCondition::On(_) => found.push("on"),
        JoinCondition::Using { columns: _, alias } => {
            found.push("using");
            found.extend(alias.as_ref().map(|_| "using alias"));
        }
        JoinCondition::Natural => found.push("natural"),
    }
    found.extend(join.alias.as_ref().map(|_| "join alias"));
    found
}

fn of_call(call: &Call) -> Vec<&'static str> {
    let Call { function: _, arguments, star, distinct, order_by, within_group, filter, over } = call;
    let mut found = vec!["call"];
    found.extend(arguments.iter().any(|argument| argument.name.is_some()).then_some("named argument"));
    found.extend(arguments.iter().any(|argument| argument.variadic).then_some("variadic"));
    found.extend(star.then_some("star"));
    found.extend(distinct.then_some("aggregate distinct"));
    found.extend((!order_by.is_empty()).then_some("aggregate order"));
    found.extend((!within_group.is_empty()).then_some("within group"));
    found.extend(filter.map(|_| "filter"));
    match over {
        None => {}
        Some(Over::Named(_)) => found.push("over named"),
        Some(Over::Window(window)) => {
            found.push("over window");
            found.extend(of_window(window));
        }
    }
    found.extend(of_orders(order_by));
    found.extend(of_orders(within_group));
    found
}

fn of_test(is: &Is) -> &'static str {
    match is.test {
        IsTest::Null => "is null",
        IsTest::True => "is true",
        IsTest::False => "is false",
        IsTest::Unknown => "is unknown",
        IsTest::Json { item, .. } => match item {
            JsonItem::Value => "is json value",
            JsonItem::Scalar => "is json scalar",
            JsonItem::Array => "is json array",
            JsonItem::Object => "is json object",
        },
    }
}

fn of_special(form: &SpecialForm) -> &'static str {
    match form {
        SpecialForm::Between { symmetric: false, .. } => "between",
        SpecialForm::Between { symmetric: true, .. } => "between symmetric",
        SpecialForm::DistinctFrom { .. } => "distinct from",
        SpecialForm::Coalesce => "coalesce",
        SpecialForm::NullIf => "nullif",
        SpecialForm::Greatest => "greatest",
        SpecialForm::Least => "least",
        SpecialForm::Grouping => "grouping",
        SpecialForm::Extract { .. } => "extract",
        SpecialForm::AtTimeZone => "at time zone",
        SpecialForm::Overlaps => "overlaps",
        SpecialForm::LikeEscape { .. } => "like escape",
        SpecialForm::SimilarTo { .. } => "similar to",
        SpecialForm::CurrentDate => "current_date",
        SpecialForm::CurrentTime { .. } => "current_time",
        SpecialForm::CurrentTimestamp { .. } => "current_timestamp",
        SpecialForm::LocalTime { .. } => "localtime",
        SpecialForm::LocalTimestamp { .. } => "localtimestamp",
    }
}

fn of_subexpression(sub: &Subexpression) -> &'static str {
    match sub {
        Subexpression::Scalar(_) => "scalar",
        Subexpression::Exists(_) => "exists",
        Subexpression::Array(_) => "array of query",
        Subexpression::In { .. } => "in query",
        Subexpression::InList { .. } => "in list",
        Subexpression::Quantified { quantifier: Quantifier::Any, .. } => "any of query",
        Subexpression::Quantified { quantifier: Quantifier::All, .. } => "all of query",
        Subexpression::QuantifiedArray { quantifier: Quantifier::Any, .. } => "any of array",
        Subexpression::QuantifiedArray { quantifier: Quantifier::All, .. } => "all of array",
    }
}
