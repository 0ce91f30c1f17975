use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use syn::{Error, Result};

use super::{
    arguments::Wanted,
    identifier::{Scope, pascal, snake, written},
    snapshot::{Column, Relation, Snapshot, Type},
    types::{RustType, enum_name},
};

/// What holds the names of columns, in each module.
pub(super) const COLUMNS: &str = "columns";
/// The field that holds where the columns come from.
pub(super) const HANDLE: &str = "__columns";
/// What the tables need or an author's code would miss, if a module of a schema had its name.
const RESERVED: [&str; 20] = [
    COLUMNS,
    "alloc",
    "bool",
    "callslip_sdk",
    "char",
    "core",
    "f32",
    "f64",
    "i128",
    "i16",
    "i32",
    "i64",
    "i8",
    "isize",
    "std",
    "str",
    "u16",
    "u32",
    "u64",
    "u8",
];

/// What the macro makes, and under which names.
pub(super) struct Layout<'a> {
    /// The scope of the call, and then a module for each schema that isn't searched.
    pub modules: Vec<Module<'a>>,
}

#[derive(Default)]
pub(super) struct Module<'a> {
    /// Its schema and its identifier; none of the scope of the call.
    pub schema: Option<(&'a str, String)>,
    pub tables: Vec<Table<'a>>,
    pub enums: Vec<Enum<'a>>,
}

pub(super) struct Table<'a> {
    pub schema: &'a str,
    /// The schema, if it isn't searched.
    pub qualifier: Option<&'a str>,
    pub name: &'a str,
    pub relation: &'a Relation,
    pub identifier: String,
    /// The module of its columns' names.
    pub columns: String,
    pub fields: Vec<Field<'a>>,
}

pub(super) struct Field<'a> {
    pub column: &'a Column,
    pub identifier: String,
    /// As a path from the table's module.
    pub ty: String,
}

pub(super) struct Enum<'a> {
    pub schema: &'a str,
    pub name: &'a str,
    /// What PostgreSQL calls it.
    pub ty: String,
    pub identifier: String,
    /// The labels, and a variant for each.
    pub labels: &'a [String],
    pub variants: Vec<String>,
}

/// The relations and enums of a module, by schema and name.
#[derive(Default)]
struct Members<'a> {
    relations: BTreeMap<(&'a str, &'a str), &'a Relation>,
    enums: BTreeMap<(&'a str, &'a str), (&'a [String], String)>,
}

impl<'a> Layout<'a> {
    /// # Errors
    /// A relation that is wanted and isn't there.
    pub(super) fn new(snapshot: &'a Snapshot, only: Option<&[Wanted]>) -> Result<Self> {
        let relations = match only {
            None => all_relations(snapshot),
            Some(only) => wanted_relations(snapshot, only)?,
        };
        let mut types = HashMap::new();
        for column in relations.iter().flat_map(|(.., relation)| &relation.columns) {
            types.entry(column.ty.as_str()).or_insert_with(|| RustType::of(snapshot, &column.ty));
        }
        let used: HashSet<_> = types.values().filter_map(RustType::as_enum).collect();
        let members =
            members(snapshot, relations, |schema, name| only.is_none() || used.contains(&(schema, name)));
        let mut layout = Self { modules: vec![Module::default()] };
        let mut scope = Scope::with(&RESERVED);
        let mut schemas = Vec::new();
        for (schema, members) in &members {
            match schema {
                None => layout.modules[0].name(members, false, &mut scope),
                Some(schema) => {
                    schemas.push(*schema);
                    let mut module = Module::default();
                    module.name(members, true, &mut Scope::with(&[COLUMNS]));
                    layout.modules.push(module);
                }
            }
        }
        // The modules of schemas come last: in the scope of the call, tables and enums choose their names first.
        let identifiers = scope.name_all(schemas.iter().copied(), snake);
        for (module, schema) in layout.modules[1..].iter_mut().zip(schemas.into_iter().zip(identifiers)) {
            module.schema = Some(schema);
        }
        let paths = layout.enum_paths();
        for (place, module) in layout.modules.iter_mut().enumerate() {
            for table in &mut module.tables {
                table.fields =
                    fields(table.relation, |column| path(&types[column.ty.as_str()], place, &paths));
            }
        }
        Ok(layout)
    }

    /// The module and identifier of each enum.
    fn enum_paths(&self) -> HashMap<(String, String), EnumPath> {
        let mut paths = HashMap::new();
        for (place, module) in self.modules.iter().enumerate() {
            for item in &module.enums {
                let identifier = item.identifier.clone();
                let module = module.schema.as_ref().map(|(_, module)| written(module));
                paths.insert(
                    (item.schema.to_owned(), item.name.to_owned()),
                    EnumPath { place, module, identifier },
                );
            }
        }
        paths
    }
}

struct EnumPath {
    place: usize,
    module: Option<String>,
    identifier: String,
}

/// A type as it is written in the module at `place`.
fn path(ty: &RustType, place: usize, enums: &HashMap<(String, String), EnumPath>) -> String {
    match ty {
        RustType::Known(path) => (*path).to_owned(),
        RustType::Vec(element) => format!("::std::vec::Vec<{}>", path(element, place, enums)),
        RustType::Enum { schema, name } => {
            let to = &enums[&(schema.clone(), name.clone())];
            let mut written = String::new();
            if place != to.place {
                if place != 0 {
                    written.push_str("super::");
                }
                if let Some(module) = &to.module {
                    written.push_str(module);
                    written.push_str("::");
                }
            }
            written + &to.identifier
        }
    }
}

fn fields<'a>(relation: &'a Relation, ty: impl Fn(&Column) -> String) -> Vec<Field<'a>> {
    let names = relation.columns.iter().map(|column| column.name.as_str());
    let identifiers = Scope::with(&[HANDLE]).name_all(names, snake);
    let fields = relation.columns.iter().zip(identifiers);
    fields.map(|(column, identifier)| Field { column, identifier, ty: ty(column) }).collect()
}

impl<'a> Module<'a> {
    fn name(&mut self, members: &Members<'a>, qualified: bool, scope: &mut Scope) {
        let tables = || members.relations.keys().map(|(_, name)| *name);
        let identifiers = scope.name_all(tables(), pascal);
        let columns = Scope::default().name_all(tables(), snake);
        for ((&(schema, name), relation), (identifier, columns)) in
            members.relations.iter().zip(identifiers.into_iter().zip(columns))
        {
            let (qualifier, fields) = (qualified.then_some(schema), Vec::new());
            self.tables.push(Table { schema, qualifier, name, relation, identifier, columns, fields });
        }
        let identifiers = scope.name_all(members.enums.keys().map(|(_, name)| *name), pascal);
        for ((&(schema, name), (labels, ty)), identifier) in members.enums.iter().zip(identifiers) {
            let variants = Scope::default().name_all(labels.iter().map(String::as_str), pascal);
            self.enums.push(Enum { schema, name, ty: ty.clone(), identifier, labels, variants });
        }
    }
}

/// What is in which module: in none, what its name finds without its schema.
fn members<'a>(
    snapshot: &'a Snapshot,
    relations: Vec<(&'a str, &'a str, &'a Relation)>,
    wanted: impl Fn(&str, &str) -> bool,
) -> BTreeMap<Option<&'a str>, Members<'a>> {
    let mut modules: BTreeMap<Option<&str>, Members<'a>> = BTreeMap::new();
    for (schema, name, relation) in relations {
        let found = snapshot.finds(schema, |schema| schema.relations.contains_key(name));
        let module = (!found).then_some(schema);
        modules.entry(module).or_default().relations.insert((schema, name), relation);
    }
    for (schema, entry) in &snapshot.schemas {
        for (name, ty) in &entry.types {
            let Type::Enum { labels } = ty else { continue };
            let Some(ty) = enum_name(snapshot, schema, name, labels) else { continue };
            if wanted(schema, name) {
                let found = snapshot.finds(schema, |schema| schema.types.contains_key(name));
                let module = (!found).then_some(schema.as_str());
                modules.entry(module).or_default().enums.insert((schema, name), (labels, ty));
            }
        }
    }
    modules
}

fn all_relations(snapshot: &Snapshot) -> Vec<(&str, &str, &Relation)> {
    let mut relations = Vec::new();
    for (schema, entry) in &snapshot.schemas {
        for (name, relation) in &entry.relations {
            relations.push((schema.as_str(), name.as_str(), relation));
        }
    }
    relations
}

fn wanted_relations<'a>(
    snapshot: &'a Snapshot,
    only: &[Wanted],
) -> Result<Vec<(&'a str, &'a str, &'a Relation)>> {
    let all = all_relations(snapshot);
    let mut relations = Vec::new();
    let mut known = BTreeSet::new();
    let mut errors: Option<Error> = None;
    for wanted in only {
        let found = all.iter().find(|(schema, name, _)| {
            *name == wanted.name
                && match &wanted.schema {
                    Some(wanted) => schema == wanted,
                    None => snapshot.finds(schema, |schema| schema.relations.contains_key(*name)),
                }
        });
        let error = match found {
            Some(found) if known.insert((found.0, found.1)) => {
                relations.push(*found);
                continue;
            }
            Some((_, name, _)) => format!("`{name}` is there twice"),
            None => unknown(snapshot, wanted, &all),
        };
        let error = Error::new(wanted.span, error);
        match &mut errors {
            Some(errors) => errors.combine(error),
            None => errors = Some(error),
        }
    }
    errors.map_or(Ok(relations), Err)
}

/// How many relations are listed where none is near.
const LISTED: usize = 12;

fn unknown(snapshot: &Snapshot, wanted: &Wanted, all: &[(&str, &str, &Relation)]) -> String {
    let spelled = |(schema, name, _): &(&str, &str, &Relation)| match snapshot
        .finds(schema, |schema| schema.relations.contains_key(*name))
    {
        true => part(name),
        false => format!("{}.{}", part(schema), part(name)),
    };
    let name = match &wanted.schema {
        Some(schema) => format!("{}.{}", part(schema), part(&wanted.name)),
        None => part(&wanted.name),
    };
    let written = wanted.name.to_lowercase();
    let nearest = all
        .iter()
        .map(|relation| (strsim::damerau_levenshtein(&written, &relation.1.to_lowercase()), relation))
        .filter(|(distance, _)| *distance <= 1 + written.chars().count() / 3)
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        Some((_, relation)) => {
            format!("the snapshot has no relation `{name}`; `{}` is near", spelled(relation))
        }
        None => {
            let mut listed: Vec<String> =
                all.iter().take(LISTED).map(|r| format!("`{}`", spelled(r))).collect();
            if all.len() > LISTED {
                listed.push("…".to_owned());
            }
            format!("the snapshot has no relation `{name}`; it has {}", listed.join(", "))
        }
    }
}

/// A name as `only` takes it.
fn part(name: &str) -> String {
    if super::identifier::is_plain(name) { name.to_owned() } else { format!("{name:?}") }
}
