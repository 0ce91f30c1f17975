use std::collections::HashSet;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::bail;

use super::CatalogArgs;
use crate::catalog::with_modifier;
use crate::catalog::{Catalog, Column, Function, Relation, RelationKind, Type, TypeKind, UniqueKey};
use crate::cli::table::{self, Table};
use crate::cli::type_name::type_name;
use crate::nearest::nearest;
use crate::printable::printable;

pub(super) async fn main(args: CatalogArgs) -> anyhow::Result<ExitCode> {
    let config = args.source.config()?;
    let catalog = Catalog::new(args.source.reflect().await?);
    let mut out = io::stdout().lock();
    match &args.relation {
        Some(name) => print_relation(&mut out, &catalog, find(&catalog, &config.database.schemas, name)?)?,
        None => print_all(&mut out, &catalog)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn find<'a>(catalog: &'a Catalog, schemas: &[String], name: &str) -> anyhow::Result<&'a Relation> {
    let searched = || schemas.iter().find_map(|schema| catalog.relation(schema, name));
    let qualified = || name.split_once('.').and_then(|(schema, name)| catalog.relation(schema, name));
    if let Some(found) = searched().or_else(qualified) {
        return Ok(found);
    }
    let relations = || catalog.contents().relations.iter();
    let unqualified = name.rsplit_once('.').map_or(name, |(_, name)| name);
    let near = nearest(unqualified, relations().map(|relation| relation.name.as_str()));
    match near.and_then(|near| relations().find(|relation| relation.name == near)) {
        Some(near) => {
            bail!("there is no relation \"{name}\"; did you mean \"{}.{}\"?", near.schema, near.name)
        }
        None => bail!(
            "there is no relation \"{name}\" that this login may read; it was looked for in the schemas {}",
            schemas.join(", ")
        ),
    }
}

fn print_all(out: &mut impl Write, catalog: &Catalog) -> io::Result<()> {
    let contents = catalog.contents();
    for relation in &contents.relations {
        print_relation(out, catalog, relation)?;
        writeln!(out)?;
    }
    let row_types: HashSet<_> = contents.relations.iter().filter_map(|relation| relation.row_type).collect();
    let own = contents.types.iter().filter(|ty| is_of_users(&ty.schema) && !row_types.contains(&ty.oid));
    for ty in own {
        if let Some(line) = type_line(catalog, ty) {
            writeln!(out, "{line}")?;
        }
    }
    for function in contents.functions.iter().filter(|function| is_of_users(&function.schema)) {
        writeln!(out, "{}", function_line(catalog, function))?;
    }
    if contents.relations.is_empty() {
        writeln!(out, "there is no relation that this login may read")?;
    }
    Ok(())
}

fn is_of_users(schema: &str) -> bool {
    !schema.starts_with("pg_") && schema != "information_schema"
}

fn print_relation(out: &mut impl Write, catalog: &Catalog, relation: &Relation) -> io::Result<()> {
    let kind = match relation.kind {
        RelationKind::Table => "table",
        RelationKind::PartitionedTable => "partitioned table",
        RelationKind::View => "view",
        RelationKind::MaterializedView => "materialized view",
        RelationKind::ForeignTable => "foreign table",
    };
    write!(out, "{kind} {}", name(&relation.schema, &relation.name))?;
    match &relation.comment {
        Some(comment) => writeln!(out, ": {}", printable(comment, usize::MAX))?,
        None => writeln!(out)?,
    }
    let column = |name: &str| table::Column { name: name.to_owned(), numeric: false };
    let commented = relation.columns.iter().any(|column| column.comment.is_some());
    let header = ["column", "type", "null", "key"].into_iter().chain(commented.then_some("comment"));
    let mut rows = Table::new(header.map(column));
    for column in &relation.columns {
        let type_name = written_type(catalog, column);
        let nullable = if column.nullable { "null" } else { "" };
        let comment = column.comment.as_deref().unwrap_or_default();
        let cells = [&column.name, &type_name, nullable, &keys(catalog, relation, &column.name), comment];
        rows.push(cells.map(|cell| Some(printable(cell, usize::MAX))));
    }
    write!(out, "{rows}")?;
    for key in relation.unique_keys.iter().filter(|key| key.columns.len() > 1) {
        let what = kind_of_key(key);
        writeln!(out, "{what} ({})", printable(&key.columns.join(", "), usize::MAX))?;
    }
    for key in relation.foreign_keys.iter().filter(|key| key.columns.len() > 1) {
        let target = catalog.relation_by_oid(key.target).map(|target| name(&target.schema, &target.name));
        let (columns, targets) = (key.columns.join(", "), key.target_columns.join(", "));
        let line = format!("foreign key ({columns}) → {} ({targets})", target.unwrap_or_default());
        writeln!(out, "{}", printable(&line, usize::MAX))?;
    }
    Ok(())
}

fn kind_of_key(key: &UniqueKey) -> &'static str {
    match key {
        UniqueKey { primary: true, .. } => "primary key",
        UniqueKey { partial: true, .. } => "unique in part",
        _ => "unique",
    }
}

/// The keys that are of this column alone.
fn keys(catalog: &Catalog, relation: &Relation, column: &str) -> String {
    let is_alone = |columns: &[String]| columns.len() == 1 && columns[0] == column;
    let unique = relation.unique_keys.iter().filter(|key| is_alone(&key.columns));
    let unique = unique.map(|key| kind_of_key(key).to_owned());
    let foreign = relation.foreign_keys.iter().filter(|key| is_alone(&key.columns)).filter_map(|key| {
        let target = catalog.relation_by_oid(key.target)?;
        let relation = match target.schema == relation.schema {
            true => target.name.clone(),
            false => name(&target.schema, &target.name),
        };
        Some(format!("→ {relation}.{}", key.target_columns.first()?))
    });
    unique.chain(foreign).collect::<Vec<_>>().join(", ")
}

fn type_line(catalog: &Catalog, ty: &Type) -> Option<String> {
    let name = name(&ty.schema, &ty.name);
    let line = match &ty.kind {
        TypeKind::Enum { labels } => format!("enum {name}: {}", labels.join(", ")),
        TypeKind::Domain { base, .. } => format!("domain {name} over {}", type_name(catalog, *base)),
        TypeKind::Range { subtype, .. } => format!("range {name} of {}", type_name(catalog, *subtype)),
        TypeKind::Composite { attributes } => {
            let attributes =
                attributes.iter().map(|its| format!("{} {}", its.name, type_name(catalog, its.ty)));
            format!("composite type {name} ({})", attributes.collect::<Vec<_>>().join(", "))
        }
        _ => return None,
    };
    Some(printable(&line, usize::MAX))
}

fn function_line(catalog: &Catalog, function: &Function) -> String {
    let arguments = function.arguments.iter().enumerate().map(|(index, ty)| {
        let ty = type_name(catalog, *ty);
        match function.argument_names.get(index).filter(|name| !name.is_empty()) {
            Some(name) => format!("{name} {ty}"),
            None => ty,
        }
    });
    let arguments = arguments.collect::<Vec<_>>().join(", ");
    let set = if function.returns_set { "setof " } else { "" };
    let returns = type_name(catalog, function.returns);
    let name = name(&function.schema, &function.name);
    printable(&format!("function {name}({arguments}) → {set}{returns}"), usize::MAX)
}

fn name(schema: &str, name: &str) -> String {
    format!("{schema}.{name}")
}

/// The type of a column with what its modifier says: `varchar(40)`, `numeric(10,2)`.
fn written_type(catalog: &Catalog, column: &Column) -> String {
    with_modifier(type_name(catalog, column.ty), column.type_modifier)
}
