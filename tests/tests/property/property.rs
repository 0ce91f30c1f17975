use std::collections::{BTreeMap, HashSet};

use callslip::Code;
use callslip::catalog::{Catalog, Contents, SearchPath};
use callslip::grants::{GrantSettings, Grants};
use callslip::select::{self, Comment, Context, Finding, Limits, Printed, RowFilters, StatementParameter};
use callslip_ir::Description;

use super::fixture::SCHEMA;
use super::parsed::{self, Parameter, quoted};
use super::tree::{TYPE, Tree};
use super::{constructs, described, generate};

/// The fixture as the host knows it, everything granted.
pub struct Subject {
    catalog: Catalog,
    /// The same of a PostgreSQL that has every construct.
    newer: Catalog,
    grants: Grants,
    path: SearchPath,
    limits: Limits,
}

impl Subject {
    /// # Panics
    /// If what is there can't be granted.
    pub fn new(contents: Contents) -> Self {
        let own = |schema: &String, name: &String| (schema == SCHEMA).then(|| format!("{schema}.{name}"));
        let settings = GrantSettings {
            relations: contents.relations.iter().filter_map(|its| own(&its.schema, &its.name)).collect(),
            functions: contents.functions.iter().filter_map(|its| own(&its.schema, &its.name)).collect(),
            operators: contents.operators.iter().filter_map(|its| own(&its.schema, &its.name)).collect(),
            casts: Vec::new(),
            types: contents.types.iter().filter_map(|its| own(&its.schema, &its.name)).collect(),
        };
        let newer = Catalog::new(Contents { server_version: 180_000, ..contents.clone() });
        let (catalog, path) = (Catalog::new(contents), SearchPath::of([SCHEMA]));
        let grants = Grants::resolve(&settings, &catalog, &path);
        let grants = grants.unwrap_or_else(|errors| panic!("the fixture can't be granted: {errors:?}"));
        Self { catalog, newer, grants, path, limits: Limits::default() }
    }

    /// The version of the PostgreSQL that it was reflected of, as in 150018.
    pub fn server_version(&self) -> u32 {
        self.catalog.contents().server_version
    }

    /// What a description is printed as.
    pub fn print(&self, description: &Description) -> Result<Printed, Vec<Finding>> {
        self.print_under(description, RowFilters::none())
    }

    /// Row filters of the fixture's relations, all of which can be used.
    pub fn filters(&self, of: &BTreeMap<String, String>) -> RowFilters {
        let tables = [("filters".to_owned(), of)];
        let filters = RowFilters::resolve(tables, &self.catalog, &self.path, &self.limits);
        assert_eq!(filters.findings(), [], "they can be used");
        filters
    }

    /// What a description is printed as under row filters.
    pub fn print_under(
        &self,
        description: &Description,
        filters: &RowFilters,
    ) -> Result<Printed, Vec<Finding>> {
        let is_newer = constructs::needed_version(description) > self.server_version();
        let context = Context {
            plugin: "this",
            catalog: if is_newer { &self.newer } else { &self.catalog },
            grants: &self.grants,
            path: &self.path,
            limits: &self.limits,
            filters,
        };
        let verified = select::verify(description, context)?;
        let lowered = select::lower(description, &verified);
        let comment = Comment { plugin: "this", query: "this", shape: "this", schemas: &[] };
        select::print(&lowered, &comment, &[], &self.limits).map_err(|finding| vec![finding])
    }

    /// Checks the property for the description that bytes stand for, and gives its SQL. One that does over values of any size
    /// what PostgreSQL can't interrupt has none: that is refused whatever the types are.
    pub fn hold(&self, bytes: &[u8]) -> Result<Option<String>, String> {
        let description = generate::description(bytes);
        let printed = match self.print(&description) {
            Ok(printed) => printed,
            Err(findings) if findings.iter().all(|finding| finding.code == Code::Uninterruptible) => {
                return Ok(None);
            }
            Err(findings) => {
                let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
                return Err(format!(
                    "a well-typed description is refused:\n{}\n{description:#?}",
                    findings.join("\n")
                ));
            }
        };
        match same(&description, &printed) {
            Ok(()) => Ok(Some(printed.sql)),
            Err(difference) => Err(format!("{difference}\n\n{}\n{:?}", printed.sql, printed.parameters)),
        }
    }
}

/// Whether what was printed is one SELECT whose tree is the one described, and its parameters are numbered from 1 without a
/// gap, each of them another slot or type.
pub fn same(description: &Description, printed: &Printed) -> Result<(), String> {
    let parameters = parameters(printed);
    let (tree, mut numbers) = parsed::statement(&printed.sql, &parameters)?;
    numbers.sort_unstable();
    if !numbers.iter().copied().eq(1..=parameters.len() as i32) {
        return Err(format!("{} parameters are bound, and the text has {numbers:?}", parameters.len()));
    }
    let different: HashSet<(u32, &str)> = parameters.iter().map(|its| (its.slot, its.ty.as_str())).collect();
    if different.len() != parameters.len() {
        return Err("one slot of one type has two numbers".to_owned());
    }
    Tree::difference(&described::statement(description), &tree)
}

/// What is bound to each `$n`.
pub fn parameters(printed: &Printed) -> Vec<Parameter> {
    let parameter = |parameter: &StatementParameter| {
        let ty = &parameter.ty;
        let array = if ty.array { "[]" } else { "" };
        let name = quoted([ty.schema.as_str(), &ty.name]);
        Parameter { slot: parameter.slot.0, ty: format!("{TYPE}{name}{:?}{array}", ty.modifiers) }
    };
    printed.parameters.iter().map(parameter).collect()
}

/// Fewer bytes for which the property fails too: those that are left when no piece of them can be left out.
pub fn shrink(bytes: &[u8], fails: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut shortest = bytes.to_vec();
    let mut piece = shortest.len() / 2;
    while piece > 0 {
        let mut start = 0;
        while start < shortest.len() {
            let mut shorter = shortest.clone();
            shorter.drain(start..(start + piece).min(shortest.len()));
            if fails(&shorter) { shortest = shorter } else { start += piece }
        }
        piece /= 2;
    }
    shortest
}
