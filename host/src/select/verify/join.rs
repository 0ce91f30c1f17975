use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use callslip_ir::{Join, JoinCondition, JoinKind, NodeId, NodeKind};

use super::Verifier;
use super::coerce::At;
use super::comparison::Compared;
use super::placement::Clause;
use super::refusal::NeedsAll;
use crate::Code;
use crate::catalog::{Oid, PG_CATALOG};
use crate::nearest::nearest;
use crate::select::Finding;
use crate::select::scope::{FromItem, HiddenColumns, Origin, Scope, ScopeColumn, ScopeRelation, Source};
use crate::select::signature::{self, Operand};

/// The columns that the relations of a join have together, in PostgreSQL (`MaxAttrNumber`).
const MAX_COLUMNS: usize = 32_767;
/// The columns that all joins of a description by USING and NATURAL look through together. A short description can name wide
/// CTEs often.
const MAX_COLUMNS_BY_NAME: usize = 200_000;

impl<'a> Verifier<'a> {
    pub(super) fn join(
        &mut self,
        node: NodeId,
        join: &'a Join,
        siblings: &[ScopeRelation],
        outer: &Scope<'_>,
    ) -> FromItem {
        let left = self.relation(join.left, siblings, outer);
        let mut joined = Vec::new();
        self.add_relations(join.left, &mut joined, left.relations);
        let beside = match self.kind(join.right) {
            // A table looks at nothing, and in a long chain of joins what is beside it is long too.
            NodeKind::Table(_) => Vec::new(),
            _ => beside(siblings, &joined, join.kind),
        };
        let right = self.relation(join.right, &beside, outer);
        self.add_relations(join.right, &mut joined, right.relations);
        let is_by_name = matches!(join.condition, JoinCondition::Using { .. } | JoinCondition::Natural);
        let mut hidden = left.hidden;
        hidden.extend(right.hidden);
        let columns =
            |(left, right): &(Vec<ScopeColumn>, Vec<ScopeColumn>)| left.len() + right.len() + hidden.len();
        let sides = left.columns.zip(right.columns);
        let sides = sides.filter(|sides| self.may_join(node, columns(sides), is_by_name));
        if sides.is_none() && is_by_name {
            // What PostgreSQL compares, and by which casts, is not known.
            self.coerced(node, Operand::Opaque, None);
        }
        let columns = match (&join.condition, join.kind) {
            (
                JoinCondition::On(_) | JoinCondition::Using { .. } | JoinCondition::Natural,
                JoinKind::Cross,
            ) => {
                self.report(node, Code::InvalidStructure, "a CROSS JOIN has no condition");
                None
            }
            (JoinCondition::On(condition), _) => {
                let around = self.enter(Clause::On);
                self.condition(*condition, &Scope { relations: &joined, outer: Some(outer) });
                self.enter(around);
                sides.map(both)
            }
            (JoinCondition::None, JoinKind::Cross) => sides.map(both),
            (JoinCondition::None, _) => {
                self.report(node, Code::InvalidStructure, "a join other than CROSS JOIN needs a condition");
                None
            }
            (JoinCondition::Using { columns, alias }, _) => {
                self.using(node, columns);
                let sides = sides.filter(|_| !self.columns_refused(node, columns, &hidden));
                let merged = sides.map(|sides| self.merge(node, columns.iter().map(String::as_str), sides));
                if let Some(alias) = alias {
                    self.check_name(node, "alias", alias);
                    let relation = ScopeRelation {
                        alias: alias.as_str().into(),
                        of: "the columns of USING".into(),
                        columns: merged.as_ref().map(|merged| merged[..columns.len()].into()),
                        out_of_reach: None,
                        row_type: None,
                        hidden: Vec::new(),
                    };
                    self.add_relations(node, &mut joined, vec![relation]);
                }
                merged
            }
            (JoinCondition::Natural, _) => {
                self.all_columns_needed(node, NeedsAll::Natural, &hidden);
                sides.map(|sides| self.natural(node, sides))
            }
        };
        match &join.alias {
            Some(alias) => self.joined_as(node, join, alias, columns, hidden),
            None => {
                if !join.columns.is_empty() {
                    let message = "column aliases of a join need an alias of it";
                    self.report(node, Code::InvalidStructure, message);
                }
                FromItem { relations: joined, columns, hidden }
            }
        }
    }

    /// Whether a join has no more columns than PostgreSQL joins, nor than this looks through.
    fn may_join(&mut self, node: NodeId, columns: usize, is_by_name: bool) -> bool {
        let message = if columns > MAX_COLUMNS {
            format!("a join has {columns} columns; PostgreSQL takes {MAX_COLUMNS}")
        } else if is_by_name {
            self.columns_by_name += columns;
            if self.columns_by_name <= MAX_COLUMNS_BY_NAME {
                return true;
            }
            format!(
                "the joins by USING and NATURAL look through more than {MAX_COLUMNS_BY_NAME} columns in all"
            )
        } else {
            return true;
        };
        self.report(node, Code::DescriptionTooLarge, message);
        false
    }

    /// An alias of a join hides the relations in it, and that of USING too.
    fn joined_as(
        &mut self,
        node: NodeId,
        join: &'a Join,
        alias: &'a str,
        columns: Option<Vec<ScopeColumn>>,
        hidden: Vec<Rc<HiddenColumns>>,
    ) -> FromItem {
        self.check_name(node, "alias", alias);
        if !join.columns.is_empty() {
            self.all_columns_needed(node, NeedsAll::Aliases, &hidden);
        }
        let columns = self.renamed(node, columns, &join.columns);
        FromItem::of(ScopeRelation {
            alias: alias.into(),
            of: "a join".into(),
            columns,
            out_of_reach: None,
            row_type: None,
            hidden,
        })
    }

    /// The names of USING by themselves.
    fn using(&mut self, node: NodeId, columns: &'a [String]) {
        if columns.is_empty() {
            self.report(node, Code::InvalidStructure, "USING without a column");
        }
        let mut names = BTreeSet::new();
        for name in columns {
            self.check_name(node, "column of USING", name);
            if !names.insert(name) {
                let message = format!("the column \"{name}\" stands twice in USING");
                self.report(node, Code::DuplicateColumn, message);
            }
        }
    }

    /// Whether one of these columns was not granted of one of the relations of a side, whatever else has its name there.
    fn columns_refused(&mut self, node: NodeId, names: &[String], hidden: &[Rc<HiddenColumns>]) -> bool {
        let mut refused = false;
        for name in names {
            for its in hidden.iter().filter(|its| its.ungranted.contains(name)) {
                self.column_not_granted(node, its, name);
                refused = true;
            }
        }
        refused
    }

    /// Joins on the columns that both sides have, in the order of the left side.
    fn natural(
        &mut self,
        node: NodeId,
        (left, right): (Vec<ScopeColumn>, Vec<ScopeColumn>),
    ) -> Vec<ScopeColumn> {
        let mut names: BTreeSet<Rc<str>> = right.iter().filter_map(|column| column.name.clone()).collect();
        if left.iter().chain(&right).any(|column| column.name.is_none()) {
            // PostgreSQL makes names up, and would compare two that are alike by chance.
            let message = "NATURAL JOIN of a query that has a column without a name";
            let finding = Finding::new(Code::UnnamedColumn, message);
            self.find(node, finding.with_help("name it with .alias(\"…\")"));
        }
        let common: Vec<Rc<str>> =
            left.iter().filter_map(|column| column.name.clone().filter(|name| names.remove(name))).collect();
        self.merge(node, common.iter().map(|name| &**name), (left, right))
    }

    /// The columns of a join that compares columns by name: the merged ones, then the others of both sides. Where a
    /// name is not found it has a merged column all the same.
    fn merge<'n>(
        &mut self,
        node: NodeId,
        names: impl Iterator<Item = &'n str>,
        (mut left, mut right): (Vec<ScopeColumn>, Vec<ScopeColumn>),
    ) -> Vec<ScopeColumn> {
        let (lefts, rights) = (by_name(&left), by_name(&right));
        let (mut merged, mut merged_names) = (Vec::new(), BTreeSet::new());
        for name in names {
            let found = (lefts.get(name), rights.get(name));
            let source = match found {
                (Some(left), Some(right)) if right.source == Source::Stored => left.source,
                (Some(left), Some(right)) if left.source == Source::Stored => right.source,
                _ => Source::Unknown,
            };
            let ty = if let (None, None) = found {
                let both = lefts.keys().map(|name| &**name).filter(|name| rights.contains_key(*name));
                self.lacked_by_both(node, name, both.collect());
                None
            } else {
                match (self.side(node, "left", name, &lefts), self.side(node, "right", name, &rights)) {
                    (Some(left), Some(right)) => self.compared_once(node, name, left, right),
                    _ => None,
                }
            };
            let name: Rc<str> = name.into();
            merged.push(ScopeColumn { source, ..ScopeColumn::made(Some(name.clone()), ty) });
            merged_names.insert(name);
        }
        let is_other =
            |column: &ScopeColumn| !column.name.as_ref().is_some_and(|name| merged_names.contains(name));
        left.retain(is_other);
        right.retain(is_other);
        merged.append(&mut left);
        merged.append(&mut right);
        merged
    }

    /// The type of the column of that name of one side, which must have it once; the inner one is none where the type is
    /// not known.
    fn side(
        &mut self,
        node: NodeId,
        side: &str,
        name: &str,
        columns: &HashMap<Rc<str>, Named>,
    ) -> Option<Option<Oid>> {
        match columns.get(name) {
            Some(Named { ty, origin, several: false, .. }) => {
                self.read.extend(*origin);
                Some(*ty)
            }
            Some(Named { several: true, .. }) => {
                let message = format!("the {side} side of the join has more than one column \"{name}\"");
                let finding = Finding::new(Code::DuplicateColumn, message);
                self.find(node, finding.with_help("compare the one that you mean in a condition with ON"));
                None
            }
            None => {
                let message = format!("the {side} side of the join has no column \"{name}\"");
                let mut names: Vec<&str> = columns.keys().map(|name| &**name).collect();
                names.sort_unstable();
                let help = match nearest(name, names.iter().copied()) {
                    Some(nearest) => format!("did you mean \"{nearest}\"?"),
                    None => format!("its columns are {}", names.join(", ")),
                };
                self.find(node, Finding::new(Code::UnknownColumn, message).with_help(help));
                None
            }
        }
    }

    /// A column of USING that is nowhere is told once, with the names that would do: those that both sides have.
    fn lacked_by_both(&mut self, node: NodeId, name: &str, mut both: Vec<&str>) {
        both.sort_unstable();
        let help = match nearest(name, both.iter().copied()) {
            Some(nearest) => format!("did you mean \"{nearest}\"?"),
            None if both.is_empty() => "they have no name in common: join with ON".to_owned(),
            None => format!("both have {}; columns of different names are compared with ON", both.join(", ")),
        };
        let message = format!("neither side of the join has a column \"{name}\"");
        self.find(node, Finding::new(Code::UnknownColumn, message).with_help(help));
    }

    /// [`Verifier::compared`], remembered by the types: NATURAL compares all the columns of wide tables, and as often as it is
    /// written.
    fn compared_once(
        &mut self,
        node: NodeId,
        name: &str,
        left: Option<Oid>,
        right: Option<Oid>,
    ) -> Option<Oid> {
        if let Some(&common) = self.compared_types.get(&(left, right)) {
            return common;
        }
        let before = self.findings.len();
        let common = self.compared(node, name, left, right);
        // Each finding has a place of its own.
        if self.findings.len() == before && left.is_some() && right.is_some() {
            self.compared_types.insert((left, right), common);
        }
        common
    }

    /// The type of a merged column. PostgreSQL compares the two with the `=` that it finds on the search path, which the
    /// host pins to `pg_catalog` wherever a statement runs; and it converts them to one type where they differ.
    fn compared(&mut self, node: NodeId, name: &str, left: Option<Oid>, right: Option<Oid>) -> Option<Oid> {
        let catalog = self.context.catalog;
        let base = |ty: Option<Oid>| ty.map(|ty| catalog.base_type(ty));
        let own = catalog.contents().operators.iter().find(|operator| {
            operator.name == "="
                && operator.schema != PG_CATALOG
                && operator.left.is_some_and(|ty| Some(ty) == base(left))
                && Some(operator.right) == base(right)
        });
        if let Some(own) = own {
            let message = format!(
                "USING and NATURAL compare \"{name}\" with the = of pg_catalog, and its type has one of its own, \
                 {}",
                self.shown(&own.schema, &own.name)
            );
            let finding = Finding::new(Code::UnknownOperator, message);
            self.find(node, finding.with_help("join with ON"));
            return None;
        }
        let operand = |ty: Option<Oid>| ty.map_or(Operand::Opaque, Operand::Known);
        let (left, right) = (operand(left), operand(right));
        let common = signature::common_type(catalog, &[left, right]);
        if common.is_none() && ![left, right].contains(&Operand::Opaque) {
            let (left, right) = (self.display(left), self.display(right));
            let message = format!("the column \"{name}\" is {left} on the left and {right} on the right");
            let finding = Finding::new(Code::NoCommonType, message);
            self.find(node, finding.with_help("join with ON, and cast one of them with .cast_as(\"…\")"));
            return None;
        }
        let at = At::Fixed(node);
        let other = Compared { operator: "=", at, operand: right, taken_as: right };
        self.comparison(node, (at, left), &[other]);
        self.coerced(node, left, common);
        self.coerced(node, right, common);
        common
    }
}

/// What stands beside the right side of a join: all that is before it. Of a RIGHT or FULL JOIN it can't refer to the left
/// side, whose rows come after it.
fn beside(siblings: &[ScopeRelation], left: &[ScopeRelation], kind: JoinKind) -> Vec<ScopeRelation> {
    let mut beside = siblings.to_vec();
    let mut taken: HashMap<Rc<str>, usize> =
        beside.iter().enumerate().map(|(at, relation)| (relation.alias.clone(), at)).collect();
    for relation in left {
        let mut relation = relation.clone();
        if matches!(kind, JoinKind::Right | JoinKind::Full) {
            relation.out_of_reach =
                Some("the right side of a RIGHT or FULL JOIN can't refer to its left side");
        }
        // An alias of the join around it may hide one of the two later; here it names both.
        if let Some(at) = taken.insert(relation.alias.clone(), beside.len()) {
            beside[at].out_of_reach = Some("it names two relations");
        }
        beside.push(relation);
    }
    beside
}

fn both((mut left, mut right): (Vec<ScopeColumn>, Vec<ScopeColumn>)) -> Vec<ScopeColumn> {
    left.append(&mut right);
    left
}

/// A column as USING finds it.
struct Named {
    ty: Option<Oid>,
    origin: Option<Origin>,
    source: Source,
    several: bool,
}

fn by_name(columns: &[ScopeColumn]) -> HashMap<Rc<str>, Named> {
    let mut named: HashMap<Rc<str>, Named> = HashMap::new();
    for column in columns {
        let Some(name) = &column.name else { continue };
        let first = Named { ty: column.ty, origin: column.origin, source: column.source, several: false };
        named.entry(name.clone()).and_modify(|found| found.several = true).or_insert(first);
    }
    named
}
