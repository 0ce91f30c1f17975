use callslip_ir::{
    JsonQuotes, JsonTable, JsonTableColumn, JsonWrapper, NodeId, NodeKind, SlotType, SqlJson,
    SqlJsonBehavior, SqlJsonFunction, SqlJsonPassing,
};

use super::relation::alias;
use super::{CAST, TYPE, Tree, Writer, fixture, quoted};

impl Writer<'_> {
    pub(super) fn sql_json(self, json: &SqlJson) -> Tree {
        let SqlJson { function, context, path, passing, returning, on_empty, on_error } = json;
        let function = match function {
            SqlJsonFunction::Exists => "json_exists".to_owned(),
            SqlJsonFunction::Value => "json_value".to_owned(),
            SqlJsonFunction::Query => "json_query".to_owned(),
            SqlJsonFunction::QueryWith { wrapper, quotes } => {
                format!("json_query{}", clauses(*wrapper, *quotes))
            }
        };
        let returning = returning.as_ref().map(fixture::type_head).unwrap_or_default();
        let mut parts = vec![self.expression(*context), self.expression(*path)];
        parts.extend(self.passing(passing));
        parts.extend(self.behaviors(*on_empty, *on_error));
        Tree::new(format!("{function}{returning}"), parts)
    }

    pub(super) fn json_table(self, table: &JsonTable) -> Tree {
        let JsonTable {
            context,
            path: rows,
            path_name,
            passing,
            columns,
            on_error,
            alias: name,
            column_aliases,
        } = table;
        let mut parts = vec![self.expression(*context)];
        parts.extend(self.passing(passing));
        parts.extend(columns.iter().map(|&column| self.json_column(column)));
        parts.extend(self.behaviors(None, *on_error));
        parts.push(alias(name, column_aliases));
        Tree::new(format!("functions json_table {}", path(Some(rows), path_name.as_deref())), parts)
    }

    fn json_column(self, node: NodeId) -> Tree {
        let NodeKind::JsonTableColumn(column) = self.kind(node) else { return Tree::leaf("not a column") };
        match column {
            JsonTableColumn::Ordinality { name } => Tree::leaf(format!("column {name:?} ordinality no path")),
            JsonTableColumn::Value {
                name,
                ty,
                format_json,
                path: its,
                wrapper,
                quotes,
                on_empty,
                on_error,
            } => {
                let kind = if *format_json { "value format json" } else { "value" };
                let clauses = clauses(*wrapper, *quotes);
                let (ty, path) = (fixture::type_head(ty), path(its.as_deref(), None));
                let inner = self.behaviors(*on_empty, *on_error);
                Tree::new(format!("column {name:?} {kind}{ty}{clauses} {path}"), inner)
            }
            JsonTableColumn::Exists { name, ty, path: its, on_error } => {
                let (ty, path) = (fixture::type_head(ty), path(its.as_deref(), None));
                Tree::new(format!("column {name:?} exists{ty} {path}"), self.behaviors(None, *on_error))
            }
            JsonTableColumn::Nested { path: its, path_name, columns } => {
                let inner = columns.iter().map(|&column| self.json_column(column)).collect();
                Tree::new(format!("column \"\" nested {}", path(Some(its), path_name.as_deref())), inner)
            }
        }
    }

    fn passing(self, passing: &[SqlJsonPassing]) -> impl Iterator<Item = Tree> {
        passing
            .iter()
            .map(move |its| Tree::new(format!("operand {:?}", its.name), vec![self.expression(its.value)]))
    }

    fn behaviors(self, on_empty: Option<SqlJsonBehavior>, on_error: Option<SqlJsonBehavior>) -> Vec<Tree> {
        let clauses = [("empty", on_empty), ("error", on_error)];
        let present = clauses.into_iter().filter_map(|(clause, behavior)| Some((clause, behavior?)));
        let tree = |(clause, behavior)| {
            let (word, value) = match behavior {
                SqlJsonBehavior::Error => ("error", None),
                SqlJsonBehavior::Null => ("null", None),
                SqlJsonBehavior::EmptyArray => ("empty array", None),
                SqlJsonBehavior::EmptyObject => ("empty object", None),
                SqlJsonBehavior::Default(value) => ("default", Some(self.json_default(value))),
                SqlJsonBehavior::True => ("true", None),
                SqlJsonBehavior::False => ("false", None),
                SqlJsonBehavior::Unknown => ("unknown", None),
            };
            Tree::optional(&format!("operand \"{word} on {clause}\""), value)
        };
        present.map(tree).collect()
    }

    /// PostgreSQL takes no parameter after DEFAULT, but an operation: the text of one with nothing behind it.
    fn json_default(self, node: NodeId) -> Tree {
        match self.kind(node) {
            NodeKind::Parameter(slot) => {
                let ty = match &self.description.slots[slot.0 as usize] {
                    SlotType::Declared(ty) => fixture::type_head(ty),
                    SlotType::Context => String::new(),
                };
                let text = Tree::leaf(format!("slot {}{TYPE}{}[]", slot.0, quoted(["pg_catalog", "text"])));
                let operator = format!("operator {}", quoted(["pg_catalog", "||"]));
                let operation = Tree::new(operator, vec![text, Tree::leaf("word \"\"")]);
                Tree::new(format!("{CAST}{}", ty.trim_start_matches(TYPE)), vec![operation])
            }
            _ => self.expression(node),
        }
    }
}

/// A path and its name.
fn path(path: Option<&str>, name: Option<&str>) -> String {
    path.map_or_else(|| "no path".to_owned(), |path| format!("{path:?} as {:?}", name.unwrap_or_default()))
}

fn clauses(wrapper: Option<JsonWrapper>, quotes: Option<JsonQuotes>) -> String {
    let wrapper = match wrapper {
        None => "",
        Some(JsonWrapper::Without) => " without wrapper",
        Some(JsonWrapper::Conditional) => " conditional wrapper",
        Some(JsonWrapper::Unconditional) => " unconditional wrapper",
    };
    let quotes = match quotes {
        None => "",
        Some(JsonQuotes::Keep) => " keep quotes",
        Some(JsonQuotes::Omit) => " omit quotes",
    };
    format!("{wrapper}{quotes}")
}
