//! From the SQL of a filter to the nodes of a description. Nothing of the text itself goes further than this: what is not
//! understood is an error, and what is understood is verified and printed as a plugin's own query is.

mod expression;
mod operator;
mod query;
mod scope;
mod types;

use callslip_ir::{
    Description, Distinct, Item, Node, NodeId, NodeKind, QualifiedName, Query, RelationName, Select, SlotId,
    SlotType, Table, TypeName,
};
use scope::Frame;
use sqlparser::ast::Expr;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::{ColumnsOf, FilterValue};

/// How long a filter may be.
const MOST_BYTES: usize = 16 << 10;
/// How deep its expressions may nest, chains of AND and OR aside.
const MOST_DEPTH: usize = 60;

/// Why a filter is not understood.
type Problem = String;

/// Whether a filter is one, as far as that can be told without a database.
pub(crate) fn check(relation: &QualifiedName, sql: &str) -> Result<(), Problem> {
    describe(relation, sql, &|_| None).map(drop)
}

/// The description of a filter, and the values of its slots.
pub(super) fn describe(
    relation: &QualifiedName,
    sql: &str,
    columns: ColumnsOf<'_>,
) -> Result<(Description, Vec<FilterValue>), Problem> {
    let condition = parse(sql)?;
    let mut writer = Writer {
        nodes: Vec::new(),
        slots: Vec::new(),
        values: Vec::new(),
        frames: Vec::new(),
        columns,
        depth: 0,
    };
    let table = writer.add(NodeKind::Table(Table {
        name: RelationName::Stored(relation.clone()),
        alias: relation.name.clone(),
        columns: Vec::new(),
        only: false,
        sample: None,
    }));
    writer.frames.push(Frame::of(&relation.name, columns(relation)));
    let filter = writer.expression(&condition)?;
    let body = writer.select_one(vec![table], Some(filter));
    writer.query(body);
    let Writer { nodes, slots, values, .. } = writer;
    Ok((Description { slots, files: Vec::new(), nodes }, values))
}

fn parse(sql: &str) -> Result<Expr, Problem> {
    if sql.len() > MOST_BYTES {
        return Err(format!("it has {} bytes; the limit is {MOST_BYTES}", sql.len()));
    }
    let unreadable = |error: sqlparser::parser::ParserError| format!("it can't be read: {error}");
    let mut parser = Parser::new(&PostgreSqlDialect {})
        .with_recursion_limit(MOST_DEPTH)
        .try_with_sql(sql)
        .map_err(unreadable)?;
    let condition = parser.parse_expr().map_err(unreadable)?;
    match parser.peek_token().token {
        Token::EOF => Ok(condition),
        other => Err(format!("it should end before `{other}`")),
    }
}

/// Adds node after node to a description.
struct Writer<'a> {
    nodes: Vec<Node>,
    slots: Vec<SlotType>,
    /// What is bound to each slot.
    values: Vec<FilterValue>,
    /// The relations in scope, those of the innermost query last.
    frames: Vec<Frame>,
    columns: ColumnsOf<'a>,
    depth: usize,
}

impl Writer<'_> {
    fn add(&mut self, kind: NodeKind) -> NodeId {
        self.nodes.push(Node { kind, place: None });
        NodeId(self.nodes.len() as u32 - 1)
    }

    /// A use of a value. A claim has one slot, however often it is used.
    fn value(&mut self, value: FilterValue, ty: SlotType) -> NodeId {
        let known = self.values.iter().position(|its| *its == value);
        let slot = match known.filter(|_| matches!(value, FilterValue::Claim(_))) {
            Some(slot) => slot,
            None => {
                self.slots.push(ty);
                self.values.push(value);
                self.slots.len() - 1
            }
        };
        self.add(NodeKind::Parameter(SlotId(slot as u32)))
    }

    /// A literal of a type of PostgreSQL's own, or one that gets its type from its surroundings.
    fn constant(&mut self, text: Option<&str>, ty: Option<&str>) -> NodeId {
        let ty = ty.map_or(SlotType::Context, |name| {
            SlotType::Declared(TypeName::parse(&format!("pg_catalog.{name}")))
        });
        self.value(FilterValue::Constant(text.map(str::to_owned)), ty)
    }

    /// `SELECT 1 FROM … WHERE …`.
    fn select_one(&mut self, from: Vec<NodeId>, filter: Option<NodeId>) -> NodeId {
        let one = self.constant(Some("1"), Some("int4"));
        self.select(vec![one], from, filter)
    }

    fn select(&mut self, items: Vec<NodeId>, from: Vec<NodeId>, filter: Option<NodeId>) -> NodeId {
        // No two columns of a query of its own may have one name, and nobody reads these.
        let item =
            |(index, expression): (usize, NodeId)| Item { expression, alias: Some(format!("c{index}")) };
        self.add(NodeKind::Select(Select {
            distinct: Distinct::All,
            items: items.into_iter().enumerate().map(item).collect(),
            from,
            filter,
            group_by: Vec::new(),
            group_distinct: false,
            having: None,
            windows: Vec::new(),
        }))
    }

    fn query(&mut self, body: NodeId) -> NodeId {
        self.add(NodeKind::Query(Query { with: None, body, order_by: Vec::new(), limit: None, offset: None }))
    }

    /// Goes one level deeper, as long as that is allowed.
    fn within<T>(&mut self, write: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        if self.depth == MOST_DEPTH {
            return Err(format!("it nests deeper than {MOST_DEPTH} levels"));
        }
        self.depth += 1;
        let written = write(self);
        self.depth -= 1;
        written
    }
}

/// What was not understood, as it is written.
fn unsupported(what: &str, written: &impl std::fmt::Display) -> Problem {
    format!("{what} can't stand in a filter: `{written}`")
}

/// A name as PostgreSQL takes it: without quotes in lower case.
fn name(ident: &sqlparser::ast::Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_ascii_lowercase(),
    }
}

/// `name` or `schema.name`.
fn qualified(written: &sqlparser::ast::ObjectName) -> Result<QualifiedName, Problem> {
    let mut parts = Vec::with_capacity(written.0.len());
    for part in &written.0 {
        parts.push(name(part.as_ident().ok_or_else(|| unsupported("this name", written))?));
    }
    match <[String; 2]>::try_from(parts) {
        Ok([schema, name]) => Ok(QualifiedName::within(schema, name)),
        Err(parts) => match <[String; 1]>::try_from(parts) {
            Ok([name]) => Ok(QualifiedName::new(name)),
            Err(_) => Err(unsupported("a name of more than two parts", written)),
        },
    }
}
