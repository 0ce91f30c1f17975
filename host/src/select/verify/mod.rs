//! Every name of a description is resolved against the catalog and checked against the grants; all findings come
//! at once.

mod access;
mod array;
mod bare_column;
mod bounded;
mod call;
mod cast;
mod coerce;
mod comparison;
mod completion;
mod distinct;
mod expression;
mod fan_out;
mod flow;
mod functions;
mod group_by;
mod growth;
mod join;
mod join_graph;
mod json_table;
mod leaks;
mod leaves;
mod operator;
mod order;
mod placement;
mod query;
mod recursion;
mod refusal;
mod relation;
mod row;
mod search_cycle;
mod set_operation;
mod special;
mod sql_json;
mod subexpression;
mod table;
mod ungrouped;
mod usage;
mod uses;
mod values;
mod window;
mod with;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use completion::Instance;
use flow::Flow;
use placement::{Met, QueryLevel};
pub(in crate::select) use special::EXTRACT_FIELDS;
use window::DeclaredWindow;

use callslip_ir::{Description, NodeId, NodeKind, QualifiedName, TypeName};

use super::filter::{self, Filtered, RowFilters};
use super::limits::IDENTIFIER_BYTES;
use super::scope::{HiddenColumns, Origin, Scope, ScopeColumn, ScopeCte};
use super::verified::{OutputColumn, Resolution, Verified};
use super::{Finding, Limits, ResolvedType, structure, types};
use crate::Code;
use crate::catalog::{Catalog, NameKind, Oid, SearchPath};
use crate::grants::Grants;
use crate::nearest::did_you_mean;
use crate::printable::printable;

/// What a description is verified against.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The name of the plugin, as configurations write it; for messages.
    pub plugin: &'a str,
    /// The database.
    pub catalog: &'a Catalog,
    /// What the plugin may touch.
    pub grants: &'a Grants,
    /// Where names are looked for. It keeps in mind which logical schemas had a say.
    pub path: &'a SearchPath,
    /// How large a description may be.
    pub limits: &'a Limits,
    /// Which rows of relations it is given.
    pub filters: &'a RowFilters,
}

/// Verifies a description. What may be right, and most often is not, comes as warnings with it.
///
/// # Errors
/// All findings, in the order of the author's source; at most a hundred.
pub fn verify(description: &Description, context: Context<'_>) -> Result<Verified, Vec<Finding>> {
    structure::check(description, context.limits).map_err(|finding| vec![finding])?;
    // What a filter means may depend on what is chosen, and with it what a statement may read.
    context.path.depends_on(&context.filters.consulted);
    if !context.filters.broken.is_empty() {
        return Err(context.filters.broken.clone());
    }
    let mut verifier = Verifier {
        description,
        context,
        findings: Vec::new(),
        resolutions: vec![Resolution::None; description.nodes.len()],
        coercions: HashMap::new(),
        orderings: HashMap::new(),
        relations: BTreeSet::new(),
        functions: BTreeSet::new(),
        called: HashMap::new(),
        forbidden_casts: cast::forbidden(context.catalog, context.grants),
        compared_types: HashMap::new(),
        columns_by_name: 0,
        columns: HashMap::new(),
        vetted: HashMap::new(),
        read: BTreeSet::new(),
        unseen: Vec::new(),
        fields: HashMap::new(),
        ctes: Vec::new(),
        windows: Vec::new(),
        queries: Vec::new(),
        met: Met::default(),
        sets_met: 0,
        flow: Flow::new(description.nodes.len()),
        filtered: HashMap::new(),
        instances: HashMap::new(),
        unfiltered: HashSet::new(),
        run: BTreeSet::new(),
        leaky: HashSet::new(),
        foreign: HashSet::new(),
    };
    let root = NodeId(description.nodes.len() as u32 - 1);
    let columns = verifier.query(root, &Scope::EMPTY);
    let columns = verifier.output(root, columns);
    verifier.raise_barriers();
    let completed = verifier.complete_groups();
    let Verifier {
        mut findings,
        mut resolutions,
        coercions,
        orderings,
        relations,
        functions,
        read,
        flow,
        filtered,
        run,
        ..
    } = verifier;
    let mut rules = BTreeMap::new();
    if findings.is_empty() {
        findings = ungrouped::findings(description, context, &resolutions);
        match bounded::rules(description, context.catalog, &flow) {
            Ok(found) => rules = found,
            Err(found) => findings.extend(found),
        }
    }
    if !findings.is_empty() {
        findings.sort_by(|a, b| a.place.cmp(&b.place));
        findings.dedup();
        findings.truncate(MAX_FINDINGS);
        return Err(findings);
    }
    let text = types::resolve(context.catalog, context.path, &TypeName::parse("pg_catalog.text"));
    for resolution in &mut resolutions {
        if *resolution == Resolution::Untyped {
            let Some(text) = text.clone() else {
                return Err(vec![Finding::new(Code::UnknownType, "the catalog has no type text")]);
            };
            *resolution = Resolution::Type(text);
        }
    }
    let mut warnings = fan_out::warnings(description, context.catalog, &resolutions);
    warnings.sort_by(|a, b| a.place.cmp(&b.place));
    warnings.dedup();
    warnings.truncate(MAX_FINDINGS);
    let mut verified = Verified {
        resolutions,
        coercions,
        orderings,
        rules,
        filters: filter::once(filtered.values()),
        filtered,
        completed,
        runs: run,
        columns,
        relations,
        functions,
        columns_read: BTreeSet::new(),
        objects: BTreeSet::new(),
        warnings,
    };
    uses::fill(&mut verified, context.catalog, &read);
    Ok(verified)
}

const MAX_FINDINGS: usize = 100;

/// The columns of a stored relation: those that may be read, and the others.
type StoredColumns = (Rc<[ScopeColumn]>, Option<Rc<HiddenColumns>>);

struct Verifier<'a> {
    description: &'a Description,
    context: Context<'a>,
    findings: Vec<Finding>,
    resolutions: Vec<Resolution>,
    coercions: HashMap<NodeId, ResolvedType>,
    /// The operators of ORDER BY … USING, by the expression that they sort.
    orderings: HashMap<NodeId, Resolution>,
    relations: BTreeSet<(String, String)>,
    functions: BTreeSet<(String, String)>,
    /// The function that each call means, where that is known.
    called: HashMap<NodeId, Oid>,
    forbidden_casts: Vec<cast::ForbiddenCast<'a>>,
    /// The types of columns that were joined by their names, and that of the column that they are together.
    compared_types: HashMap<(Option<Oid>, Option<Oid>), Option<Oid>>,
    /// How many columns the joins by USING and NATURAL have looked through.
    columns_by_name: usize,
    /// The columns of the stored relations that were met, which many aliases share.
    columns: HashMap<Oid, StoredColumns>,
    /// The stored relations that were met and granted, and whether what reading them runs was granted too.
    vetted: HashMap<Oid, bool>,
    /// The columns of stored relations that were named, each by itself, in a whole row, or by a join on names.
    read: BTreeSet<Origin>,
    /// The aliases that the subqueries in FROM around the current expression would see with LATERAL.
    unseen: Vec<Rc<str>>,
    /// The fields of the rows whose type does not tell them.
    fields: HashMap<NodeId, Rc<[ScopeColumn]>>,
    /// The CTEs that are in scope, the nearest last.
    ctes: Vec<ScopeCte<'a>>,
    /// The WINDOW clauses around the current expression, the nearest last.
    windows: Vec<Vec<DeclaredWindow<'a>>>,
    /// The queries around the current expression, the nearest last.
    queries: Vec<QueryLevel>,
    /// What was met in the current expression.
    met: Met,
    /// How many calls were met in the current query that return a set.
    sets_met: usize,
    /// Where values come from, and what is done with them that can't be interrupted.
    flow: Flow,
    /// The filtered relations, by the nodes that name them.
    filtered: HashMap<NodeId, Filtered>,
    /// What the nodes of columns and whole rows are of, where that is a filtered relation.
    instances: HashMap<NodeId, Instance>,
    /// The nodes of columns of other stored relations.
    unfiltered: HashSet<NodeId>,
    /// The functions that are run, those behind operators and casts too.
    run: BTreeSet<Oid>,
    /// The nodes at which something is run that may tell of its arguments.
    leaky: HashSet<NodeId>,
    /// The nodes at which a function runs that is not PostgreSQL's own, or that is not known.
    foreign: HashSet<NodeId>,
}

impl<'a> Verifier<'a> {
    fn kind(&self, node: NodeId) -> &'a NodeKind {
        &self.description.nodes[node.0 as usize].kind
    }

    /// Whether enough is wrong already: a hundred findings are as good as a million, and cheaper.
    fn has_enough(&self) -> bool {
        self.findings.len() >= MAX_FINDINGS
    }

    fn find(&mut self, node: NodeId, finding: Finding) {
        if self.has_enough() {
            return;
        }
        let place = structure::place(self.description, node);
        self.findings.push(finding.at(place));
    }

    fn report(&mut self, node: NodeId, code: Code, message: impl AsRef<str>) {
        self.find(node, Finding::new(code, message));
    }

    fn misplaced(&mut self, node: NodeId, expected: &str) {
        self.report(node, Code::InvalidStructure, format!("node {} is not {expected}", node.0));
    }

    fn resolve(&mut self, node: NodeId, resolution: Resolution) {
        self.resolutions[node.0 as usize] = resolution;
    }

    /// Names that the plugin makes up: PostgreSQL cuts long ones in silence, which could make two into one.
    fn check_name(&mut self, node: NodeId, what: &str, name: &str) {
        let wrong = if name.is_empty() {
            "is empty".to_owned()
        } else if name.len() > IDENTIFIER_BYTES {
            format!("has {} bytes; PostgreSQL keeps {IDENTIFIER_BYTES}", name.len())
        } else if name.contains('\0') {
            "contains a NUL byte".to_owned()
        } else {
            return;
        };
        let shown = printable(name, 80);
        self.report(node, Code::InvalidName, format!("the {what} \"{shown}\" {wrong}"));
    }

    /// What to write instead of a name that is not found.
    fn did_you_mean(
        &self,
        written: &QualifiedName,
        candidates: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Option<String> {
        self.context.path.missed(written);
        did_you_mean(written, self.context.path, candidates)
    }

    /// A type's name in a message.
    fn shown_type(&self, oid: Oid) -> String {
        types::display(self.context.catalog, self.context.path, oid)
    }

    /// The name of what was found, as the plugin and its grants write it.
    fn shown(&self, schema: &str, name: &str) -> String {
        format!("{}.{name}", self.context.path.shown(schema))
    }

    fn ty(&mut self, node: NodeId, written: &TypeName) -> Option<ResolvedType> {
        let catalog = self.context.catalog;
        let Some(found) = types::resolve(catalog, self.context.path, written) else {
            let mut finding = Finding::new(Code::UnknownType, format!("there is no type {written}"));
            let granted = catalog.contents().types.iter().filter(|ty| self.context.grants.ty(ty));
            let names = granted.map(|ty| (ty.schema.as_str(), ty.name.as_str()));
            if let Some(help) = self.did_you_mean(&written.name, names) {
                finding = finding.with_help(help);
            }
            self.find(node, finding);
            return None;
        };
        let element = catalog.ty(&found.schema, &found.name);
        if let Some(element) = element
            && !self.context.grants.ty(element)
        {
            self.type_not_granted(node, element);
            return None;
        }
        if found.modifiers.len() > 2 {
            let shown = found.shown(self.context.path);
            self.report(node, Code::UnknownType, format!("the type {shown} has too many modifiers"));
            return None;
        }
        Some(found)
    }

    fn collation(&mut self, node: NodeId, written: &QualifiedName) {
        if let Some((schema, name)) = self.collation_name(node, written) {
            self.resolve(node, Resolution::Object { schema, name });
        }
    }

    /// The schema and name of a collation.
    fn collation_name(&mut self, node: NodeId, written: &QualifiedName) -> Option<(String, String)> {
        let catalog = self.context.catalog;
        if let Some(schema) = self.context.path.first(catalog, NameKind::Collation, written) {
            return Some((schema.to_owned(), written.name.clone()));
        }
        let mut finding = Finding::new(Code::UnknownCollation, format!("there is no collation {written}"));
        let names = catalog.contents().collations.iter().map(|c| (c.schema.as_str(), c.name.as_str()));
        if let Some(help) = self.did_you_mean(written, names) {
            finding = finding.with_help(help);
        }
        self.find(node, finding);
        None
    }

    /// The columns of the whole statement: each needs a name of its own, which a reply's objects have as their key.
    fn output(&mut self, root: NodeId, columns: Vec<ScopeColumn>) -> Vec<OutputColumn> {
        let mut names = BTreeSet::new();
        let mut output = Vec::with_capacity(columns.len());
        for (index, column) in columns.into_iter().enumerate() {
            let node = self.item_node(root, index);
            match column.name {
                None => {
                    let finding =
                        Finding::new(Code::UnnamedColumn, format!("column {} has no name", index + 1));
                    self.find(node, finding.with_help("name it with .alias(\"…\")"));
                }
                Some(name) if !names.insert(name.clone()) => {
                    let finding =
                        Finding::new(Code::DuplicateColumn, format!("two columns are named \"{name}\""));
                    self.find(node, finding.with_help("give one of them another name with .alias(\"…\")"));
                }
                Some(name) => output.push(OutputColumn { name: name.to_string(), ty: column.ty }),
            }
        }
        output
    }

    /// Where a column of a query's result was written.
    fn item_node(&self, root: NodeId, index: usize) -> NodeId {
        let mut query = root;
        loop {
            let NodeKind::Query(its) = self.kind(query) else { return root };
            let node = match self.kind(its.body) {
                NodeKind::SetOperation(operation) => {
                    query = operation.left;
                    continue;
                }
                NodeKind::Select(select) => select.items.get(index).map(|item| item.expression),
                NodeKind::Values(values) => values.rows.first().and_then(|row| row.get(index).copied()),
                _ => None,
            };
            return node.unwrap_or(root);
        }
    }
}
