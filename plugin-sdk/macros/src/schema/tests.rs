//! Hundreds of snapshots at random, of the names that are the most likely to go wrong: of each the macro makes Rust in which
//! no two items of a scope have one name, every path leads somewhere, and what is named in SQL is what the snapshot has.

use std::collections::{BTreeSet, HashMap};

use quote::ToTokens;
use serde_json::{Map, Value, json};
use syn::{Expr, Fields, FnArg, ImplItem, Item, Type, Visibility};

use super::{arguments::Arguments, keys::is_reserved, layout::Layout, snapshot::Snapshot, write};

/// How many snapshots.
const SNAPSHOTS: u64 = 200;
/// Names come from few pieces, so that they collide.
const PIECES: [&str; 44] = [
    "a",
    "A",
    "b",
    "_",
    "_id",
    "id",
    "1",
    "2",
    "_2",
    "fkey",
    "_fkey",
    "t",
    "t_a_fkey",
    "type",
    "self",
    "Self",
    "crate",
    "gen",
    "columns",
    "__columns",
    "alias",
    "only",
    "into",
    "clone",
    "_foreign_key",
    "Option",
    "Vec",
    "str",
    "i32",
    "std",
    "callslip_sdk",
    "é",
    "ß",
    "名",
    "а",
    "א",
    "٣",
    "\u{202e}",
    "\u{200d}",
    "🎉",
    ".",
    "\"",
    "{}\\",
    " ",
];

/// A generator of numbers that are the same in each run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn one_of<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len())]
    }

    fn name(&mut self) -> String {
        (0..=self.below(3)).map(|_| self.one_of(&PIECES)).collect()
    }

    /// Names of which no two are equal.
    fn names(&mut self, most: usize) -> Vec<String> {
        let names: BTreeSet<String> = (0..self.below(most + 1)).map(|_| self.name()).collect();
        names.into_iter().collect()
    }
}

fn snapshot(random: &mut Random) -> Value {
    let mut schemas: Vec<String> = random.names(3);
    schemas.push("public".to_owned());
    let reference = callslip_ir::snapshot::reference;
    let (mut types, mut relations) = (Vec::new(), Vec::new());
    for schema in &schemas {
        types.extend(random.names(4).into_iter().map(|name| (schema.clone(), name)));
        relations.extend(random.names(5).into_iter().map(|name| (schema.clone(), name, random.names(8))));
    }
    let mut entries: HashMap<&str, [Map<String, Value>; 2]> = HashMap::new();
    for (schema, name) in &types {
        let ty = match random.below(4) {
            0 => json!({"kind": "composite"}),
            1 => json!({"kind": "domain", "base": "text[]"}),
            _ => json!({"kind": "enum", "labels": random.names(9), "comment": random.name()}),
        };
        entries.entry(schema).or_default()[1].insert(name.clone(), ty);
    }
    for (schema, name, columns) in &relations {
        let mut written = Vec::new();
        for column in columns {
            let ty = match types.get(random.below(types.len() + 1)) {
                Some((schema, name)) => reference(schema, name),
                None => "int4".to_owned(),
            };
            written.push(json!({"name": column, "type": ty, "nullable": random.below(2) == 0}));
        }
        let mut keys = Vec::new();
        for key in random.names(6) {
            let (target_schema, target, target_columns) = &relations[random.below(relations.len())];
            let (Some(from), Some(to)) = (columns.first(), target_columns.last()) else { continue };
            let key = if random.below(2) == 0 { format!("{name}_{key}_fkey") } else { key };
            keys.push(json!({"name": key, "columns": [from], "target": reference(target_schema, target),
                "target_columns": [to]}));
        }
        let relation = json!({"kind": "table", "columns": written, "foreign_keys": keys});
        entries.entry(schema).or_default()[0].insert(name.clone(), relation);
    }
    let schemas: Map<String, Value> = entries
        .into_iter()
        .map(|(name, [relations, types])| (name.to_owned(), json!({"relations": relations, "types": types})))
        .collect();
    json!({"format": "callslip catalog snapshot", "version": 2, "search": ["public"], "schemas": schemas})
}

/// The items of a module by their names, with those of the modules in it.
type Scope = HashMap<String, Option<Module>>;

struct Module {
    items: Vec<Item>,
    scope: Scope,
}

fn module(items: Vec<Item>) -> Module {
    let mut scope = Scope::new();
    for item in &items {
        let (name, inner) = match item {
            Item::Struct(item) => (item.ident.to_string(), None),
            Item::Enum(item) => (item.ident.to_string(), None),
            // What `sql_type!` makes.
            Item::Macro(item) => {
                let tokens = item.mac.tokens.to_string();
                let (_, name) = tokens.split_once("pub struct ").expect("a struct");
                (name.split(' ').next().expect("a name").to_owned(), None)
            }
            Item::Mod(item) => {
                let (_, items) = item.content.clone().expect("a module here");
                (item.ident.to_string(), Some(module(items)))
            }
            Item::Const(_) | Item::Impl(_) => continue,
            _ => panic!("{}", item.to_token_stream()),
        };
        assert!(scope.insert(name.clone(), inner).is_none(), "`{name}` is there twice");
    }
    Module { items, scope }
}

/// Whether a path leads to an item, from a module within another.
fn leads_somewhere(path: &str, at: &Module, around: Option<&Module>) -> bool {
    let path = path.replace(' ', "");
    let (mut at, path) = match path.strip_prefix("super::") {
        Some(path) => (around.expect("a module around"), path),
        None => (at, path.as_str()),
    };
    let mut parts = path.split("::").peekable();
    while let Some(part) = parts.next() {
        match at.scope.get(part) {
            Some(Some(module)) => at = module,
            Some(None) => return parts.peek().is_none(),
            None => return false,
        }
    }
    false
}

fn is_distinct(names: impl IntoIterator<Item = String>) {
    let mut known = BTreeSet::new();
    for name in names {
        assert!(known.insert(name.clone()), "`{name}` is there twice");
    }
}

/// What is between the outermost `<` and `>`.
fn argument(ty: &Type) -> String {
    let written = ty.to_token_stream().to_string().replace(' ', "");
    let (_, inner) = written.split_once('<').expect("a type with arguments");
    inner.rsplit_once('>').expect("its end").0.to_owned()
}

fn check(at: &Module, around: Option<&Module>, named: &mut Vec<Vec<String>>) {
    for item in &at.items {
        match item {
            Item::Enum(item) => is_distinct(item.variants.iter().map(|variant| variant.ident.to_string())),
            Item::Struct(item) => {
                let Fields::Named(fields) = &item.fields else { panic!("fields without names") };
                is_distinct(
                    fields.named.iter().map(|field| field.ident.as_ref().expect("a name").to_string()),
                );
                for field in fields.named.iter().filter(|field| matches!(field.vis, Visibility::Public(_))) {
                    let column = argument(&field.ty);
                    let (ty, name) = column.rsplit_once(',').expect("a type and a name");
                    assert!(leads_somewhere(name, at, around), "{name}");
                    let element = ty.trim_start_matches("::std::vec::Vec<").trim_end_matches('>');
                    let is_known = element == "i32" || element.starts_with("::");
                    assert!(is_known || leads_somewhere(element, at, around), "{ty}");
                }
            }
            Item::Impl(item) if item.trait_.is_none() => {
                let functions = item.items.iter().map(|item| match item {
                    ImplItem::Fn(function) => function,
                    _ => panic!("{}", item.to_token_stream()),
                });
                is_distinct(functions.clone().map(|function| function.sig.ident.to_string()));
                for function in functions {
                    assert!(!is_reserved(&function.sig.ident.to_string()), "{}", function.sig.ident);
                    assert!(matches!(function.sig.inputs.first(), Some(FnArg::Receiver(_))));
                    let syn::ReturnType::Type(_, ty) = &function.sig.output else { panic!("a key is given") };
                    assert!(leads_somewhere(&argument(ty), at, around), "{}", ty.to_token_stream());
                }
            }
            Item::Impl(item) => {
                for item in &item.items {
                    let ImplItem::Const(item) = item else { continue };
                    let Expr::Reference(array) = &item.expr else { continue };
                    let Expr::Array(names) = &*array.expr else { panic!("an array") };
                    if item.ident == "COLUMNS" {
                        let names = names.elems.iter().map(|name| match name {
                            Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. }) => name.value(),
                            _ => panic!("{}", name.to_token_stream()),
                        });
                        named.push(names.collect());
                    }
                }
            }
            _ => {}
        }
    }
    for inner in at.scope.values().flatten() {
        check(inner, Some(at), named);
    }
}

#[test]
fn only_keys_that_lead_somewhere_have_methods() {
    let key = |column: &str, target: &str, target_column: &str| {
        let name = format!("{column} to {target}.{target_column}");
        json!({"name": name, "columns": [column], "target": target, "target_columns": [target_column]})
    };
    let mut during = key("a", "s.t", "b");
    during["period"] = json!(true);
    let uneven = json!({"name": "uneven", "columns": ["a"], "target": "s.t", "target_columns": ["a", "b"]});
    let keys = json!([
        key("a", "s.t", "a"),
        key("a", "s.other", "c"),
        during,
        uneven,
        key("gone", "s.t", "a"),
        key("a", "s.t", "gone"),
        key("a", "s.gone", "a"),
        key("a", "no reference", "a"),
        // What the login may not read is not there.
        key("secret", "s.t", "a"),
        key("a", "s.t", "secret"),
    ]);
    let columns = json!([{"name": "a", "type": "int4"}, {"name": "b", "type": "int4"},
        {"name": "secret", "type": "int4", "privileges": []}]);
    let json = json!({"format": "callslip catalog snapshot", "version": 2, "search": ["s"], "schemas": {"s": {"relations": {
        "t": {"kind": "table", "columns": columns, "foreign_keys": keys},
        "other": {"kind": "table", "columns": [{"name": "c", "type": "int4"}]}}}}});
    let snapshot = Snapshot::parse(&json.to_string()).unwrap_or_else(|message| panic!("{message}"));
    for (arguments, found) in [
        ("\"schema.json\"", &["a to s.t.a", "a to s.other.c"][..]),
        ("\"schema.json\", only = [t]", &["a to s.t.a"]),
    ] {
        let arguments: Arguments = syn::parse_str(arguments).unwrap();
        let layout = Layout::new(&snapshot, arguments.only.as_deref()).unwrap();
        let keys = layout.modules.iter().flat_map(|module| &module.tables).flat_map(|table| &table.keys);
        assert_eq!(keys.map(|key| &key.key.name[..]).collect::<Vec<_>>(), found, "{}", json["schemas"]);
    }
}

#[test]
fn whatever_the_names_are_the_tables_are_rust() {
    let (mut random, mut keys) = (Random(0x2545_f491_4f6c_dd1d), 0);
    for number in 0..SNAPSHOTS {
        let json = snapshot(&mut random);
        let snapshot = Snapshot::parse(&json.to_string()).unwrap_or_else(|message| panic!("{message}"));
        let layout = Layout::new(&snapshot, None).unwrap_or_else(|error| panic!("{number}: {error}"));
        let tokens = write::tables("schema.json", &layout);
        let file: syn::File =
            syn::parse2(tokens).unwrap_or_else(|error| panic!("{number}: {error}\n{json:#}"));
        let mut named = Vec::new();
        check(&module(file.items), None, &mut named);
        let mut wanted: Vec<Vec<String>> = Vec::new();
        for relation in snapshot.schemas.values().flat_map(|schema| schema.relations.values()) {
            wanted.push(relation.columns.iter().map(|column| column.name.clone()).collect());
        }
        named.sort();
        wanted.sort();
        assert_eq!(named, wanted, "{number}: the columns that SQL names");
        keys += layout
            .modules
            .iter()
            .flat_map(|module| &module.tables)
            .map(|table| table.keys.len())
            .sum::<usize>();
    }
    assert!(keys > 1000, "only {keys} keys were tried");
}
