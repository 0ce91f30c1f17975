use callslip_ir::{
    JsonQuotes, JsonTable, JsonTableColumn, JsonWrapper, NodeId, NodeKind, SlotId, SlotType, SqlJson,
    SqlJsonBehavior, SqlJsonFunction, SqlJsonPassing, TypeName,
};

use super::relation::seen_by_function;
use super::{Generator, Place, Relation, Scope, Ty};

/// Paths, which become text of the statement: whether PostgreSQL can read them is another's affair.
const PATHS: &[&str] = &[
    "$",
    "$.a",
    "$.\"it's\"",
    "'",
    "''",
    "\\",
    "\\'",
    "'; DROP TABLE person; --",
    "$1",
    "{0}",
    "/* */",
    "*/",
    "\n",
    "größe",
    "\"",
    "$$",
    "",
];

impl Generator<'_> {
    pub(super) fn sql_json(&mut self, ty: Ty, place: Place<'_>) -> NodeId {
        let wrapper = self.choices.of(&[
            None,
            Some(JsonWrapper::Without),
            Some(JsonWrapper::Conditional),
            Some(JsonWrapper::Unconditional),
        ]);
        // A wrapped string has its quotes.
        let quotes = match wrapper {
            None | Some(JsonWrapper::Without) => {
                self.choices.of(&[None, Some(JsonQuotes::Keep), Some(JsonQuotes::Omit)])
            }
            Some(_) => None,
        };
        let function = match ty {
            Ty::Bool => SqlJsonFunction::Exists,
            Ty::Jsonb if self.choices.chance(50) => SqlJsonFunction::QueryWith { wrapper, quotes },
            Ty::Jsonb => SqlJsonFunction::Query,
            _ => SqlJsonFunction::Value,
        };
        let context = self.expression(Ty::Jsonb, place);
        let path = self.path();
        let passing = self.passing(place);
        let returning = match function {
            SqlJsonFunction::Exists => None,
            SqlJsonFunction::Query | SqlJsonFunction::QueryWith { .. } if self.choices.chance(50) => None,
            _ => Some(self.type_name(ty)),
        };
        let on_empty = match function {
            SqlJsonFunction::Exists => None,
            _ => self.behavior(function, ty),
        };
        let on_error = self.behavior(function, ty);
        self.add(NodeKind::SqlJson(SqlJson {
            function,
            context,
            path,
            passing,
            returning,
            on_empty,
            on_error,
        }))
    }

    fn path(&mut self) -> NodeId {
        self.slots.push(SlotType::Declared(TypeName::parse("jsonpath")));
        self.add(NodeKind::Parameter(SlotId(self.slots.len() as u32 - 1)))
    }

    fn passing(&mut self, place: Place<'_>) -> Vec<SqlJsonPassing> {
        let count = self.choices.below(3);
        let names = self.names(count);
        let passed = |name| {
            let ty = self.choices.of(&[Ty::Int4, Ty::Text, Ty::Jsonb, Ty::Date]);
            SqlJsonPassing { value: self.expression(ty, place), name }
        };
        names.into_iter().map(passed).collect()
    }

    fn behavior(&mut self, function: SqlJsonFunction, ty: Ty) -> Option<SqlJsonBehavior> {
        use SqlJsonBehavior::{Default, EmptyArray, EmptyObject, Error, False, Null, True, Unknown};
        if self.choices.chance(50) {
            return None;
        }
        Some(match function {
            SqlJsonFunction::Exists => self.choices.of(&[Error, True, False, Unknown]),
            SqlJsonFunction::Value if self.choices.chance(40) => Default(self.parameter(ty)),
            SqlJsonFunction::Value => self.choices.of(&[Error, Null]),
            _ => self.choices.of(&[Error, Null, EmptyArray, EmptyObject]),
        })
    }

    pub(super) fn json_table(
        &mut self,
        before: &[Relation],
        outer: &Scope<'_>,
        lateral: bool,
        fuel: usize,
    ) -> (NodeId, Vec<Relation>) {
        let beside = seen_by_function(before, outer, lateral);
        let place = Place::columns(&beside, fuel.min(2));
        let context = self.expression(Ty::Jsonb, place);
        let passing = self.passing(place);
        let mut names = self.names(10);
        let path_name = self.choices.chance(40).then(|| names.remove(0));
        let mut found = Vec::new();
        let columns = self.json_columns(&mut names, &mut found, 2);
        let on_error =
            self.choices.of(&[None, Some(SqlJsonBehavior::Error), Some(SqlJsonBehavior::EmptyArray)]);
        let alias = self.alias(before);
        let column_aliases = self.rename(&mut found);
        let relation = Relation { alias: alias.clone(), columns: found, whole: true };
        let path = self.choices.of(PATHS).to_owned();
        let table = JsonTable { context, path, path_name, passing, columns, on_error, alias, column_aliases };
        (self.add(NodeKind::JsonTable(table)), vec![relation])
    }

    /// Columns, of which those of NESTED come last.
    fn json_columns(
        &mut self,
        names: &mut Vec<String>,
        found: &mut Vec<(String, Ty)>,
        depth: usize,
    ) -> Vec<NodeId> {
        let mut columns = Vec::new();
        let mut nested = Vec::new();
        let mut has_ordinality = false;
        for _ in 0..=self.choices.below(3) {
            let Some(name) = names.pop() else { break };
            let path = self.choices.chance(50).then(|| self.choices.of(PATHS).to_owned());
            let column = match self.choices.below(4) {
                0 if !has_ordinality => {
                    has_ordinality = true;
                    found.push((name.clone(), Ty::Int4));
                    JsonTableColumn::Ordinality { name }
                }
                1 => {
                    found.push((name.clone(), Ty::Bool));
                    let on_error = self.behavior(SqlJsonFunction::Exists, Ty::Bool);
                    JsonTableColumn::Exists { name, ty: TypeName::parse("bool"), path, on_error }
                }
                2 if depth > 0 && names.len() > 1 => {
                    let path_name = self.choices.chance(50).then_some(name);
                    let columns = self.json_columns(names, &mut nested, depth - 1);
                    if columns.is_empty() {
                        break;
                    }
                    let path = self.choices.of(PATHS).to_owned();
                    JsonTableColumn::Nested { path, path_name, columns }
                }
                _ => {
                    let ty = self.choices.of(&[Ty::Text, Ty::Int4, Ty::Date]);
                    found.push((name.clone(), ty));
                    let format_json = ty == Ty::Text && self.choices.chance(30);
                    let function = if format_json { SqlJsonFunction::Query } else { SqlJsonFunction::Value };
                    let (on_empty, on_error) = (self.behavior(function, ty), self.behavior(function, ty));
                    let ty = self.type_name(ty);
                    let (wrapper, quotes) = match format_json {
                        true => (self.choices.of(&[None, Some(JsonWrapper::Unconditional)]), None),
                        false => (None, None),
                    };
                    JsonTableColumn::Value {
                        name,
                        ty,
                        format_json,
                        path,
                        wrapper,
                        quotes,
                        on_empty,
                        on_error,
                    }
                }
            };
            columns.push(self.add(NodeKind::JsonTableColumn(column)));
        }
        found.append(&mut nested);
        columns
    }
}
