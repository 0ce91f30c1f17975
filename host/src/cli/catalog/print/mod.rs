//! A catalog, for people.

mod functions;
mod relation;
mod types;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::bail;
use callslip_ir::snapshot::{quoted, reference};

use super::CatalogArgs;
use crate::catalog::{Catalog, LogicalSchema, PG_CATALOG, Relation, Schemas, Visibility};
use crate::loan::Lack;
use crate::nearest::nearest;
use crate::printable::printable;

pub(super) async fn main(args: CatalogArgs) -> anyhow::Result<ExitCode> {
    let config = args.source.config()?;
    let visibility = if args.all { Visibility::Everything } else { Visibility::Readable };
    let (contents, pool) = args.source.reflect_with(visibility, config.pool.settings()).await?;
    let lacks = pool.loan().await?.lacks().await?;
    let catalog = Catalog::new(contents);
    let mut printer =
        Printer { out: io::stdout().lock(), catalog: &catalog, lacks: &lacks, everything: args.all };
    match &args.relation {
        Some(name) => printer.relation(find(&catalog, &config.schemas(), name, args.all)?)?,
        None => printer.all()?,
    }
    Ok(ExitCode::SUCCESS)
}

fn find<'a>(
    catalog: &'a Catalog,
    schemas: &Schemas,
    name: &str,
    everything: bool,
) -> anyhow::Result<&'a Relation> {
    // As in a snapshot, the first schema that it can be stands for a logical one.
    let within = |schema: &str, name: &str| {
        let logical = schemas.logical.get(schema).and_then(LogicalSchema::representative);
        catalog.relation(logical.unwrap_or(schema), name)
    };
    let searched = || schemas.searched.iter().find_map(|schema| within(schema, name));
    let qualified = || name.split_once('.').and_then(|(schema, name)| within(schema, name));
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
        None => {
            let (of, more) = match everything {
                true => ("", ""),
                false => (" that this login may read", "; --all shows the others too"),
            };
            let schemas = schemas.searched.join(", ");
            bail!("there is no relation \"{name}\"{of}; it was looked for in the schemas {schemas}{more}")
        }
    }
}

/// What is printed, and where to.
struct Printer<'a, W> {
    out: W,
    catalog: &'a Catalog,
    lacks: &'a [Lack],
    /// Whether what the login may not use is printed too.
    everything: bool,
}

impl<W: Write> Printer<'_, W> {
    fn all(&mut self) -> io::Result<()> {
        let contents = self.catalog.contents();
        self.server()?;
        for relation in &contents.relations {
            writeln!(self.out)?;
            self.relation(relation)?;
        }
        if contents.relations.is_empty() {
            let of = if self.everything { "" } else { " that this login may read" };
            self.line(0, &format!("there is no relation{of}"))?;
        }
        writeln!(self.out)?;
        self.types()?;
        self.functions()?;
        self.operators()?;
        self.casts()?;
        self.collations()
    }

    /// The server, its settings, the schemas and the extensions.
    fn server(&mut self) -> io::Result<()> {
        let contents = self.catalog.contents();
        let (major, minor) = (contents.server_version / 10_000, contents.server_version % 10_000);
        self.line(0, &format!("PostgreSQL {major}.{minor}"))?;
        for lack in self.lacks {
            self.line(1, &lack.to_string())?;
        }
        for (name, value) in &contents.settings {
            self.line(1, &format!("{name} = {value}"))?;
        }
        for schema in &contents.schemas {
            let facts = self.facts(&schema.owner, None, !schema.hidden);
            self.object(&format!("schema {}", quoted(&schema.name)), schema.comment.as_deref(), facts)?;
        }
        for extension in &contents.extensions {
            let (name, schema) = (quoted(&extension.name), quoted(&extension.schema));
            self.line(0, &format!("extension {name} {} in {schema}", extension.version))?;
        }
        Ok(())
    }

    fn collations(&mut self) -> io::Result<()> {
        for collation in self.catalog.contents().collations.iter().filter(|its| is_of_users(&its.schema)) {
            let mut facts = Vec::new();
            if collation.nondeterministic {
                facts.push("nondeterministic".to_owned());
            }
            facts.extend(self.facts("", None, !self.is_closed(&collation.schema)));
            let name = reference(&collation.schema, &collation.name);
            self.object(&format!("collation {name}"), None, facts)?;
        }
        Ok(())
    }

    /// Whether the login may not use what is in a schema.
    fn is_closed(&self, schema: &str) -> bool {
        self.catalog.contents().schemas.iter().any(|its| its.hidden && its.name == schema)
    }

    /// What is told of every kind of object.
    fn facts(&self, owner: &str, extension: Option<&str>, usable: bool) -> Vec<String> {
        let owner =
            Some(owner).filter(|owner| !owner.is_empty()).map(|owner| format!("owner {}", quoted(owner)));
        let extension = extension.map(|extension| format!("extension {}", quoted(extension)));
        let usable = (!usable).then(|| "this login may not use it".to_owned());
        owner.into_iter().chain(extension).chain(usable).collect()
    }

    /// What an object is, its comment, and a line of facts.
    fn object(&mut self, what: &str, comment: Option<&str>, facts: Vec<String>) -> io::Result<()> {
        match comment {
            Some(comment) => self.line(0, &format!("{what}: {comment}"))?,
            None => self.line(0, what)?,
        }
        if facts.is_empty() { Ok(()) } else { self.line(1, &facts.join(", ")) }
    }

    /// A line in which nothing commands a terminal or begins another one.
    fn line(&mut self, indent: usize, text: &str) -> io::Result<()> {
        writeln!(self.out, "{:indent$}{}", "", printable(text, usize::MAX), indent = indent * 2)
    }
}

fn is_of_users(schema: &str) -> bool {
    schema != PG_CATALOG && schema != "information_schema"
}

/// Names as a list in SQL.
fn list(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| quoted(name)).collect();
    format!("({})", names.join(", "))
}
