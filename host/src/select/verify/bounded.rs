use std::collections::{BTreeMap, HashMap};

use super::flow::{Flow, Over, Use};
use super::growth::{self, Growth, REPLACED};
use crate::Code;
use crate::catalog::{Catalog, FunctionKind, Oid, PG_CATALOG};
use crate::select::scope::Source;
use crate::select::{Finding, ValueRule, structure};
use callslip_ir::{
    Call, Description, NodeId, NodeKind, SlotId, Special, SpecialForm, SqlJsonFunction, Subexpression,
};

/// How many operations that can't be stopped a statement may have over nothing but what the request and the plugin send. One over
/// values that are put together counts as many times as there are pairs of their parts, and one over paths or polygons as all of them.
const MOST_OVER_SENT: usize = 16;
/// The bytes that a value may have that the request or the plugin sends to such an operation. With it, sixteen `translate` or
/// one `path <-> path` end within a second, as `translate` of a stored text of 100 KB does.
const MOST_BYTES: usize = 2_048;
/// Of how many values of ordinary size a value may be put together and still be of one.
const MOST_PARTS: u8 = 16;
/// How often sizes are looked at anew: a recursive CTE has its own columns in its rows, and nodes may stand in any order.
const MOST_ROUNDS: usize = 64;

/// How large a value can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Size {
    /// Of how many values of ordinary size it is put together: columns, arguments, constants. None of a number or a date, which
    /// don't grow, and more than [`MOST_PARTS`] of what can grow to anything.
    parts: u8,
    /// Whether one of them comes from the request or the plugin, and not out of a table.
    sent: bool,
}

impl Size {
    const SMALL: Self = Self { parts: 0, sent: false };
    const STORED: Self = Self { parts: 1, sent: false };
    const SENT: Self = Self { parts: 1, sent: true };
    const GROWN: Self = Self { parts: u8::MAX, sent: true };

    /// As many times as large.
    fn times(self, times: u8) -> Self {
        (0..times).fold(Self::SMALL, |size, _| size.and(self))
    }

    fn is_grown(self) -> bool {
        self.parts > MOST_PARTS
    }

    fn is_sent(self) -> bool {
        self.parts > 0 && self.sent
    }

    /// One of both.
    fn or(self, other: Self) -> Self {
        Self { parts: self.parts.max(other.parts), sent: self.sent || other.sent }
    }

    /// Both together.
    fn and(self, other: Self) -> Self {
        let parts = self.parts.saturating_add(other.parts);
        let sum = Self { parts, sent: self.sent || other.sent };
        if sum.is_grown() { Self::GROWN } else { sum }
    }
}

/// Finds what the values must be that are sent to operations which PostgreSQL can't interrupt: no timeout ends them. A value out
/// of a table, of an argument or a constant is of some size; one that an aggregate, `ARRAY(…)` or a recursive CTE makes of many
/// may be of any.
///
/// # Errors
/// The operations over values that a plugin can make as large as it likes.
pub(super) fn rules(
    description: &Description,
    catalog: &Catalog,
    flow: &Flow,
) -> Result<BTreeMap<SlotId, ValueRule>, Vec<Finding>> {
    let mut rules = BTreeMap::new();
    let mut findings = formats(description, flow, &mut rules);
    if flow.uses.is_empty() {
        return if findings.is_empty() { Ok(rules) } else { Err(findings) };
    }
    let mut sizes = Sizes {
        description,
        catalog,
        flow,
        of_nodes: vec![Size::SMALL; description.nodes.len()],
        of_columns: HashMap::new(),
    };
    sizes.settle();
    let mut over_sent = 0;
    let mut shortened = Shortened { sizes: &sizes, met: HashMap::new(), rules };
    for its in &flow.uses {
        let operands: Vec<Size> = its.operands.iter().map(|node| sizes.of(*node)).collect();
        let before = over_sent;
        over_sent += its.times_over_sent(&operands) * its.times;
        let finding = if its.looked_at(&operands).any(|size| size.is_grown()) {
            grown(its)
        } else if before <= MOST_OVER_SENT && over_sent > MOST_OVER_SENT {
            sent(its)
        } else {
            // What is compared with each row's array is as long as a list of arguments may be.
            if its.over != Over::Cast && (its.over != Over::Arrays || over_sent > before) {
                its.operands.iter().for_each(|&node| shortened.value(Source::Node(node), MOST_BYTES));
            }
            continue;
        };
        findings.push(finding.at(structure::place(description, its.node)));
    }
    if findings.is_empty() { Ok(shortened.rules) } else { Err(findings) }
}

/// The format of `format` is one value, so that it can be looked at: with a width it makes a gigabyte of nothing.
fn formats(description: &Description, flow: &Flow, rules: &mut BTreeMap<SlotId, ValueRule>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for &(call, format) in &flow.formats {
        if let NodeKind::Parameter(slot) = description.nodes[format.0 as usize].kind {
            add(rules, slot, ValueRule { most_bytes: None, is_format: true });
        } else {
            let message = "the format of format is made here, and it can ask for a width of any size";
            let finding = Finding::new(Code::Uninterruptible, message);
            let finding = finding.with_help("write the format as a constant, or use concat(…)");
            findings.push(finding.at(structure::place(description, call)));
        }
    }
    findings
}

fn add(rules: &mut BTreeMap<SlotId, ValueRule>, slot: SlotId, rule: ValueRule) {
    let its = rules.entry(slot).or_default();
    *its = its.and(rule);
}

/// Says of the slots that come into what can't be interrupted how many bytes they may have.
struct Shortened<'s, 'a> {
    sizes: &'s Sizes<'a>,
    /// The values that were met, and the bytes that each of their parts may have.
    met: HashMap<Source, usize>,
    rules: BTreeMap<SlotId, ValueRule>,
}

impl Shortened<'_, '_> {
    fn value(&mut self, value: Source, most: usize) {
        let mut rest = vec![(value, most)];
        while let Some((value, most)) = rest.pop() {
            if self.met.get(&value).is_some_and(|met| *met <= most) {
                continue;
            }
            self.met.insert(value, most);
            match self.sizes.made(value) {
                Made::Sent(slot) => {
                    add(&mut self.rules, slot, ValueRule { most_bytes: Some(most), is_format: false });
                }
                Made::Largest(parts) | Made::Together(parts) => {
                    rest.extend(parts.into_iter().map(|part| (part, most)));
                }
                Made::Replaced { text, with } => {
                    rest.push((Source::Node(text), most));
                    let rule = ValueRule { most_bytes: Some(usize::from(REPLACED)), is_format: false };
                    add(&mut self.rules, with, rule);
                }
                Made::Small | Made::Stored | Made::Grown => {}
            }
        }
    }
}

impl Use {
    /// The sizes that decide how long it takes.
    fn looked_at<'s>(&self, operands: &'s [Size]) -> impl Iterator<Item = &'s Size> {
        operands.iter().take(if self.over == Over::First { 2 } else { operands.len() })
    }

    /// Where the request and the plugin alone decide how long it takes: how many operations over values of ordinary size it is.
    fn times_over_sent(&self, operands: &[Size]) -> usize {
        let parts = |size: &Size| usize::from(size.parts);
        match self.over {
            Over::First => {
                operands.first().filter(|size| size.is_sent()).map_or(0, |text| parts(text).pow(2))
            }
            Over::Both | Over::Arrays | Over::Shapes => {
                let growing: Vec<&Size> = operands.iter().filter(|size| size.parts > 0).collect();
                match growing.len() > 1 && growing.iter().all(|size| size.is_sent()) {
                    true if self.over == Over::Shapes => {
                        MOST_OVER_SENT * growing.into_iter().map(parts).product::<usize>()
                    }
                    true => growing.into_iter().map(parts).product(),
                    false => 0,
                }
            }
            Over::Cast => 0,
        }
    }
}

fn grown(its: &Use) -> Finding {
    let message = format!(
        "PostgreSQL can't interrupt {} once it has begun, and here it is over a value that can grow to any size",
        its.what
    );
    let instead = match its.over {
        Over::Both | Over::Arrays | Over::Shapes => {
            "compare row by row, with EXISTS or = ANY over the rows that the value is made of or over unnest(…)"
        }
        Over::First => "do it with each value before they are put together",
        Over::Cast => "make JSON where the values are, with jsonb_agg and jsonb_build_object",
    };
    finding(its, message, instead)
}

fn sent(its: &Use) -> Finding {
    let message = format!(
        "{} and others that PostgreSQL can't interrupt are over arguments and constants alone more than {MOST_OVER_SENT} times",
        its.what
    );
    let instead = "let the caller do it, or the plugin with parameters of plain types";
    finding(its, message, instead)
}

fn finding(its: &Use, message: String, instead: &str) -> Finding {
    let finding = Finding::new(Code::Uninterruptible, message);
    match &its.grant {
        Some(grant) => finding.with_help(format!("{instead}; or {grant}")),
        None => finding.with_help(instead),
    }
}

/// The sizes of a description's values.
struct Sizes<'a> {
    description: &'a Description,
    catalog: &'a Catalog,
    flow: &'a Flow,
    of_nodes: Vec<Size>,
    /// Of the columns of queries, as far as they were looked at in this round.
    of_columns: HashMap<Source, Size>,
}

impl<'a> Sizes<'a> {
    /// Looks at all nodes until nothing grows any more.
    fn settle(&mut self) {
        for _ in 0..MOST_ROUNDS {
            let mut changed = false;
            self.of_columns.clear();
            for index in 0..self.of_nodes.len() {
                // What a value was put together of in another round counts on.
                let made = self.node(NodeId(index as u32));
                let size = self.of_nodes[index].or(self.put_together(made));
                changed |= size != self.of_nodes[index];
                self.of_nodes[index] = size;
            }
            if !changed {
                return;
            }
        }
        // Whatever that was.
        self.of_nodes.fill(Size::GROWN);
    }

    fn of(&self, node: NodeId) -> Size {
        self.of_nodes[node.0 as usize]
    }

    fn kind(&self, node: NodeId) -> &'a NodeKind {
        &self.description.nodes[node.0 as usize].kind
    }

    /// The size of what is made of others, whose sizes are as they are known so far.
    fn size(&mut self, value: Source) -> Size {
        match value {
            Source::Node(node) => self.of(node),
            Source::Query(..) => match self.of_columns.get(&value) {
                Some(&size) => size,
                None => {
                    let made = self.made(value);
                    let size = self.put_together(made);
                    self.of_columns.insert(value, size);
                    size
                }
            },
            Source::Stored => Size::STORED,
            Source::Unknown => Size::GROWN,
        }
    }

    fn put_together(&mut self, made: Made) -> Size {
        match made {
            Made::Small => Size::SMALL,
            Made::Stored => Size::STORED,
            Made::Sent(_) => Size::SENT,
            Made::Grown => Size::GROWN,
            Made::Largest(parts) => {
                parts.into_iter().fold(Size::SMALL, |size, part| size.or(self.size(part)))
            }
            Made::Together(parts) => {
                parts.into_iter().fold(Size::SMALL, |size, part| size.and(self.size(part)))
            }
            Made::Replaced { text, .. } => self.of(text).times(REPLACED),
        }
    }

    /// What a value is made of.
    fn made(&self, value: Source) -> Made {
        match value {
            Source::Stored => Made::Stored,
            Source::Query(query, column) => self.column(query, column),
            Source::Node(node) => self.node(node),
            Source::Unknown => Made::Grown,
        }
    }

    fn node(&self, node: NodeId) -> Made {
        if self.flow.is_fixed(node) {
            return Made::Small;
        }
        match self.kind(node) {
            NodeKind::Column { .. } => match self.flow.source(node) {
                Source::Stored => Made::Stored,
                Source::Unknown => Made::Grown,
                source => Made::Largest(vec![source]),
            },
            NodeKind::WholeRow { .. } => {
                let columns = self.flow.row(node).iter().map(|column| column.source);
                Made::Together(columns.chain([Source::Stored]).collect())
            }
            NodeKind::Parameter(slot) => Made::Sent(*slot),
            NodeKind::Operation(operation) => match operation.operator.name.as_str() {
                "||" | "+" => together(operation.operands.iter().copied()),
                _ => largest(operation.operands.iter().copied()),
            },
            NodeKind::Call(call) => self.call(node, call),
            NodeKind::Cast(cast) => largest([cast.value]),
            NodeKind::Collate(collate) => largest([collate.value]),
            NodeKind::Access(access) => largest([access.value]),
            NodeKind::Case(case) => largest(case.arms.iter().map(|arm| arm.then).chain(case.otherwise)),
            NodeKind::Special(Special {
                form: SpecialForm::Coalesce | SpecialForm::NullIf | SpecialForm::Greatest | SpecialForm::Least,
                operands,
            }) => largest(operands.iter().copied()),
            NodeKind::Subexpression(sub) => match sub {
                Subexpression::Scalar(query) => Made::Largest(vec![Source::Query(*query, 0)]),
                Subexpression::Array(_) => Made::Grown,
                _ => Made::Small,
            },
            // An element that is no array itself is one element, whatever its size.
            NodeKind::Array(items) => match items.iter().any(|item| self.flow.is_array(*item)) {
                true => together(items.iter().copied()),
                false => largest(items.iter().copied()),
            },
            NodeKind::Row(items) => together(items.iter().copied()),
            NodeKind::SqlJson(json) => match json.function {
                // A path can name a value many times.
                SqlJsonFunction::Query | SqlJsonFunction::QueryWith { .. } => Made::Grown,
                _ => largest([json.context]),
            },
            NodeKind::JsonTable(_) => Made::Grown,
            // What a value is compared with that a query gives.
            NodeKind::Query(_) => self.column(node, 0),
            _ => Made::Small,
        }
    }

    fn call(&self, node: NodeId, call: &'a Call) -> Made {
        let arguments = call.arguments.iter().map(|argument| argument.value);
        let mut arguments = arguments.chain(call.within_group.iter().map(|order| order.expression));
        let function = self.flow.function(node).and_then(|oid: Oid| self.catalog.function_by_oid(oid));
        let Some(function) = function else { return Made::Grown };
        let spreads_array = call.arguments.iter().any(|argument| argument.variadic);
        if function.schema != PG_CATALOG {
            // Whoever grants a function knows what it makes.
            return match function.kind {
                FunctionKind::Function | FunctionKind::Window => {
                    Made::Largest(arguments.map(Source::Node).chain([Source::Stored]).collect())
                }
                FunctionKind::Aggregate | FunctionKind::OrderedSet { .. } => Made::Grown,
            };
        }
        match growth::of_function(&function.name, function.kind, spreads_array) {
            Growth::None => largest(arguments),
            Growth::Together => together(arguments),
            Growth::Replaced => match (arguments.next(), arguments.nth(1).map(|with| self.kind(with))) {
                (Some(text), Some(NodeKind::Parameter(with))) => Made::Replaced { text, with: *with },
                _ => Made::Grown,
            },
            Growth::Any => Made::Grown,
        }
    }

    /// What a column of a query is made of.
    fn column(&self, query: NodeId, column: u32) -> Made {
        let NodeKind::Query(its) = self.kind(query) else { return Made::Grown };
        let at = column as usize;
        match self.kind(its.body) {
            NodeKind::Select(select) => {
                select.items.get(at).map_or(Made::Grown, |item| largest([item.expression]))
            }
            NodeKind::SetOperation(operation) => Made::Largest(vec![
                Source::Query(operation.left, column),
                Source::Query(operation.right, column),
            ]),
            NodeKind::Values(values) => largest(values.rows.iter().filter_map(|row| row.get(at).copied())),
            _ => Made::Grown,
        }
    }
}

/// What a value is made of.
enum Made {
    /// A number, a date, or what has a few of them.
    Small,
    /// It is stored.
    Stored,
    /// The value of a slot.
    Sent(SlotId),
    /// Anything, of any size.
    Grown,
    /// One of these, or what is about as large.
    Largest(Vec<Source>),
    /// All of these.
    Together(Vec<Source>),
    /// A text in which a short one is written instead of others.
    Replaced { text: NodeId, with: SlotId },
}

fn largest(nodes: impl IntoIterator<Item = NodeId>) -> Made {
    Made::Largest(nodes.into_iter().map(Source::Node).collect())
}

fn together(nodes: impl IntoIterator<Item = NodeId>) -> Made {
    Made::Together(nodes.into_iter().map(Source::Node).collect())
}
