use callslip::catalog::{Catalog, SearchPath};
use callslip::grants::{GrantSettings, Grants};
use callslip::select::{self, Comment, Context, Finding, Limits, Printed};
use callslip_ir::Description;

/// Verifies, lowers and prints.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn print(description: &Description, context: Context<'_>) -> Result<Printed, Vec<Finding>> {
    let limits = context.limits;
    let verified = select::verify(description, context)?;
    let comment = Comment { plugin: "this", query: "this", shape: "this", schemas: &[] };
    let lowered = select::lower(description, &verified);
    select::print(&lowered, &comment, &[], limits).map_err(|finding| vec![finding])
}

/// The SQL of a description where every relation of the schema `public` is granted.
///
/// # Errors
/// What is wrong with it.
///
/// # Panics
/// If a relation of the catalog is not in `public`.
pub fn printed(catalog: &Catalog, description: &Description) -> Result<String, Vec<Finding>> {
    let path = SearchPath::of(["public"]);
    let relations = catalog.contents().relations.iter().map(|its| its.name.clone()).collect();
    let settings = GrantSettings { relations, ..GrantSettings::default() };
    let grants = Grants::resolve(&settings, catalog, &path).expect("all relations are there");
    let limits = Limits::default();
    let context = Context {
        plugin: "this",
        catalog,
        grants: &grants,
        path: &path,
        limits: &limits,
        filters: select::RowFilters::none(),
    };
    Ok(print(description, context)?.sql)
}
