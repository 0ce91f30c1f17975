use std::collections::{BTreeMap, HashMap, HashSet};

use callslip_ir::snapshot::read_reference;
use proc_macro2::TokenStream;
use quote::quote;
use syn::Result;

use super::{
    arguments::Wanted,
    identifier::{Scope, ident, pascal, snake},
    keys::{self, Key},
    selection::{Selected, relations},
    snapshot::{Column, Relation, Snapshot, Type},
    types::{RustType, type_name},
};

/// The module of the columns' names, which each module has.
const COLUMNS: &str = "columns";
/// The field of each table that its columns come from.
const HANDLE: &str = "__columns";
/// What a schema's module would hide from the tables or the author.
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
    /// That of its schema.
    pub comment: Option<&'a str>,
    pub tables: Vec<Table<'a>>,
    pub types: Vec<OwnType<'a>>,
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
    pub keys: Vec<Key<'a>>,
    /// The constraints that have no method, since another one's name comes to the same.
    pub nameless_keys: Vec<&'a str>,
}

pub(super) struct Field<'a> {
    pub column: &'a Column,
    pub identifier: String,
    /// As it is written in the table's module.
    pub ty: TokenStream,
}

/// An enum, a composite type or a range.
pub(super) struct OwnType<'a> {
    pub schema: &'a str,
    pub name: &'a str,
    pub comment: Option<&'a str>,
    /// What PostgreSQL calls it.
    pub ty: String,
    pub identifier: String,
    /// Of an enum, the labels, and a variant for each.
    pub labels: Option<&'a [String]>,
    pub variants: Vec<String>,
}

/// The relations and types of a module, by schema and name.
#[derive(Default)]
struct Members<'a> {
    relations: BTreeMap<(&'a str, &'a str), &'a Relation>,
    types: BTreeMap<(&'a str, &'a str), Found<'a>>,
}

/// A type of the snapshot: the labels of an enum, what PostgreSQL calls it, and its comment.
struct Found<'a> {
    labels: Option<&'a [String]>,
    ty: String,
    comment: Option<&'a str>,
}

impl<'a> Layout<'a> {
    /// # Errors
    /// A relation that is wanted and isn't there.
    pub(super) fn new(snapshot: &'a Snapshot, only: Option<&[Wanted]>) -> Result<Self> {
        let relations = relations(snapshot, only)?;
        let mut types = HashMap::new();
        for column in relations.iter().flat_map(|selected| &selected.relation.columns) {
            types.entry(column.ty.as_str()).or_insert_with(|| RustType::of(snapshot, &column.ty));
        }
        let used: HashSet<_> = types.values().filter_map(RustType::own).collect();
        // Of enums, which are seen parameters, all are wanted where all tables are.
        let members = members(snapshot, relations, |schema, name, is_enum| {
            (is_enum && only.is_none()) || used.contains(&(schema, name))
        });
        let mut layout = Self { modules: vec![Module::default()] };
        let mut scope = Scope::with(&RESERVED);
        let mut schemas = Vec::new();
        for (schema, members) in &members {
            match schema {
                None => layout.modules[0].name(members, false, &mut scope),
                Some(schema) => {
                    schemas.push(*schema);
                    let comment = snapshot.schemas[*schema].comment.as_deref();
                    let mut module = Module { comment, ..Module::default() };
                    module.name(members, true, &mut Scope::with(&[COLUMNS]));
                    layout.modules.push(module);
                }
            }
        }
        // The modules of schemas come last: in the scope of the call, tables and types choose their names first.
        let identifiers = scope.name_all(schemas.iter().copied(), snake);
        for (module, schema) in layout.modules[1..].iter_mut().zip(schemas.into_iter().zip(identifiers)) {
            module.schema = Some(schema);
        }
        let (type_paths, targets) = (layout.type_paths(), layout.targets());
        for (place, module) in layout.modules.iter_mut().enumerate() {
            let mut written: HashMap<&str, TokenStream> = HashMap::new();
            for table in &mut module.tables {
                table.fields = fields(table.relation, |ty| {
                    written.entry(ty).or_insert_with(|| type_path(&types[ty], place, &type_paths)).clone()
                });
                table.find_keys(place, &targets);
            }
        }
        Ok(layout)
    }

    fn type_paths(&self) -> TypePaths<'a> {
        let mut paths = HashMap::new();
        for (place, module) in self.modules.iter().enumerate() {
            for item in &module.types {
                paths.insert((item.schema, item.name), Path::new(place, module, &item.identifier));
            }
        }
        paths
    }

    /// What a foreign key can refer to.
    fn targets(&self) -> Targets<'a> {
        let mut targets = HashMap::new();
        for (place, module) in self.modules.iter().enumerate() {
            for table in &module.tables {
                let path = Path::new(place, module, &table.identifier);
                targets.insert((table.schema, table.name), (path, table.relation));
            }
        }
        targets
    }
}

type TypePaths<'a> = HashMap<(&'a str, &'a str), Path>;
type Targets<'a> = HashMap<(&'a str, &'a str), (Path, &'a Relation)>;

/// How an item is reached.
struct Path {
    /// The place of its module.
    of: usize,
    identifier: TokenStream,
    /// From the scope of the call.
    from_call: TokenStream,
}

impl Path {
    fn new(of: usize, module: &Module<'_>, identifier: &str) -> Self {
        let identifier = ident(identifier);
        let from_call = match &module.schema {
            Some((_, module)) => {
                let module = ident(module);
                quote!(#module::#identifier)
            }
            None => quote!(#identifier),
        };
        Self { of, identifier: quote!(#identifier), from_call }
    }

    /// As it is written in the module at `place`.
    fn from(&self, place: usize) -> TokenStream {
        let Self { of, identifier, from_call } = self;
        match place {
            _ if place == *of => identifier.clone(),
            0 => from_call.clone(),
            _ => quote!(super::#from_call),
        }
    }
}

/// A type as it is written in the module at `place`.
fn type_path(ty: &RustType, place: usize, own: &TypePaths<'_>) -> TokenStream {
    match ty {
        RustType::Known(path) => path.clone(),
        RustType::Vec(element) => {
            let element = type_path(element, place, own);
            quote!(::std::vec::Vec<#element>)
        }
        RustType::Own { schema, name } => own[&(schema.as_str(), name.as_str())].from(place),
    }
}

fn fields<'a>(relation: &'a Relation, mut ty: impl FnMut(&'a str) -> TokenStream) -> Vec<Field<'a>> {
    let names = relation.columns.iter().map(|column| column.name.as_str());
    let identifiers = Scope::with(&[HANDLE]).name_all(names, snake);
    let fields = relation.columns.iter().zip(identifiers);
    fields.map(|(column, identifier)| Field { column, identifier, ty: ty(&column.ty) }).collect()
}

impl<'a> Table<'a> {
    /// The keys whose targets are generated. The others have their names all the same, so that no other key gets them.
    fn find_keys(&mut self, place: usize, targets: &Targets<'_>) {
        let keys = &self.relation.foreign_keys;
        for (key, names) in keys.iter().zip(keys::name_all(self.name, keys)) {
            if key.period {
                continue;
            }
            let Some((schema, name)) = read_reference(&key.target) else { continue };
            let Some((target, relation)) = targets.get(&(schema.as_str(), name.as_str())) else { continue };
            let Some(places) = keys::places(key, self.relation, relation) else { continue };
            if names.is_empty() {
                self.nameless_keys.push(&key.name);
            } else {
                self.keys.push(Key { key, names, target: target.from(place), places });
            }
        }
    }
}

impl<'a> Module<'a> {
    fn name(&mut self, members: &Members<'a>, qualified: bool, scope: &mut Scope) {
        let tables = || members.relations.keys().map(|(_, name)| *name);
        let identifiers = scope.name_all(tables(), pascal);
        let columns = Scope::default().name_all(tables(), snake);
        for ((&(schema, name), relation), (identifier, columns)) in
            members.relations.iter().zip(identifiers.into_iter().zip(columns))
        {
            self.tables.push(Table {
                schema,
                qualifier: qualified.then_some(schema),
                name,
                relation,
                identifier,
                columns,
                fields: Vec::new(),
                keys: Vec::new(),
                nameless_keys: Vec::new(),
            });
        }
        let identifiers = scope.name_all(members.types.keys().map(|(_, name)| *name), pascal);
        for ((&(schema, name), found), identifier) in members.types.iter().zip(identifiers) {
            let (labels, ty, comment) = (found.labels, found.ty.clone(), found.comment);
            let variants =
                Scope::default().name_all(labels.into_iter().flatten().map(String::as_str), pascal);
            self.types.push(OwnType { schema, name, comment, ty, identifier, labels, variants });
        }
    }
}

/// What is in which module: in none, what its name finds without its schema.
fn members<'a>(
    snapshot: &'a Snapshot,
    relations: Vec<Selected<'a>>,
    wanted: impl Fn(&str, &str, bool) -> bool,
) -> BTreeMap<Option<&'a str>, Members<'a>> {
    let mut modules: BTreeMap<Option<&str>, Members<'a>> = BTreeMap::new();
    for selected in relations {
        let Selected { schema, name, relation } = selected;
        let module = (!selected.is_found(snapshot)).then_some(schema);
        modules.entry(module).or_default().relations.insert((schema, name), relation);
    }
    for (schema, entry) in &snapshot.schemas {
        for (name, ty) in &entry.types {
            let (labels, comment) = match ty {
                Type::Enum { labels, comment } => (Some(labels.as_slice()), comment.as_deref()),
                Type::Composite { comment } | Type::Range { comment } | Type::Multirange { comment } => {
                    (None, comment.as_deref())
                }
                Type::Domain { .. } | Type::Other => continue,
            };
            let Some(ty) = type_name(snapshot, schema, name, ty) else { continue };
            if wanted(schema, name, labels.is_some()) {
                let found = snapshot.finds(schema, |schema| schema.types.contains_key(name));
                let module = (!found).then_some(schema.as_str());
                modules
                    .entry(module)
                    .or_default()
                    .types
                    .insert((schema, name), Found { labels, ty, comment });
            }
        }
    }
    modules
}
