use std::collections::HashSet;

use callslip_ir::{JsonTable, JsonTableColumn, NodeId, NodeKind, SqlJsonBehavior, TypeName};

use super::Verifier;
use super::sql_json::{is_of_exists, is_of_query, is_of_value};
use crate::Code;
use crate::catalog::{Oid, PG_CATALOG, TypeKind};
use crate::select::Finding;
use crate::select::scope::{Scope, ScopeColumn, ScopeRelation};
use crate::select::verified::Resolution;

impl<'a> Verifier<'a> {
    pub(super) fn json_table(
        &mut self,
        node: NodeId,
        table: &'a JsonTable,
        scope: &Scope<'_>,
    ) -> ScopeRelation {
        let instead =
            "call(\"jsonb_to_recordset\", …) and call(\"jsonb_path_query\", …) in FROM are the like of it";
        self.needs_version(node, "JSON_TABLE", 17, instead);
        self.check_name(node, "alias", &table.alias);
        self.json_context(table.context, "JSON_TABLE", scope);
        self.json_passing(node, &table.passing, scope);
        self.check_path(node, Some(&table.path));
        let mut names = HashSet::new();
        self.json_name(node, "name of a path", table.path_name.as_deref(), &mut names);
        let columns = self.json_columns(node, &table.columns, &mut names);
        if let Some(behavior) = &table.on_error {
            let is_of = |behavior: &SqlJsonBehavior| {
                matches!(behavior, SqlJsonBehavior::Error | SqlJsonBehavior::EmptyArray)
            };
            self.json_behavior(node, "JSON_TABLE", "ON ERROR", behavior, is_of, None);
        }
        let columns = ScopeColumn::of_node(columns, node);
        let columns = self.rename(node, columns, &table.column_aliases);
        ScopeRelation {
            alias: table.alias.as_str().into(),
            of: "JSON_TABLE".into(),
            columns: Some(columns.into()),
            row_type: None,
            hidden: Vec::new(),
            out_of_reach: None,
        }
    }

    /// The columns in PostgreSQL's order: those of NESTED come after all others of their level.
    fn json_columns(
        &mut self,
        parent: NodeId,
        columns: &'a [NodeId],
        names: &mut HashSet<&'a str>,
    ) -> Vec<ScopeColumn> {
        if columns.is_empty() {
            self.report(parent, Code::InvalidStructure, "COLUMNS without a column");
        }
        let (mut found, mut nested, mut ordinality) = (Vec::new(), Vec::new(), false);
        for &node in columns {
            if self.has_enough() {
                break;
            }
            let NodeKind::JsonTableColumn(column) = self.kind(node) else {
                self.misplaced(node, "a column of JSON_TABLE");
                continue;
            };
            let (name, ty) = match column {
                JsonTableColumn::Ordinality { name } => {
                    if std::mem::replace(&mut ordinality, true) {
                        self.report(node, Code::InvalidStructure, "COLUMNS has more than one FOR ORDINALITY");
                    }
                    (name, self.builtin("int4"))
                }
                JsonTableColumn::Value { name, ty, .. } => (name, self.json_value_column(node, column, ty)),
                JsonTableColumn::Exists { name, ty, path, on_error } => {
                    self.check_path(node, path.as_ref());
                    let ty = self.json_column_type(node, ty);
                    if let Some(ty) = ty {
                        let bool = self.known("bool");
                        self.cast_granted(node, bool, ty);
                    }
                    if let Some(behavior) = on_error {
                        self.json_behavior(node, "an EXISTS column", "ON ERROR", behavior, is_of_exists, ty);
                    }
                    (name, ty)
                }
                JsonTableColumn::Nested { path, path_name, columns } => {
                    self.check_path(node, Some(path));
                    self.json_name(node, "name of a path", path_name.as_deref(), names);
                    nested.extend(self.json_columns(node, columns, names));
                    continue;
                }
            };
            self.json_name(node, "column", Some(name), names);
            found.push(ScopeColumn::made(Some(name.as_str().into()), ty));
        }
        found.append(&mut nested);
        found
    }

    fn json_value_column(
        &mut self,
        node: NodeId,
        column: &'a JsonTableColumn,
        ty: &'a TypeName,
    ) -> Option<Oid> {
        let JsonTableColumn::Value { format_json, path, wrapper, quotes, on_empty, on_error, .. } = column
        else {
            return None;
        };
        self.check_path(node, path.as_ref());
        self.json_wrapper(node, *wrapper, *quotes);
        let ty = self.json_column_type(node, ty);
        let is_query =
            *format_json || wrapper.is_some() || quotes.is_some() || ty.is_some_and(|ty| self.holds_json(ty));
        let (of, is_of): (_, fn(&SqlJsonBehavior) -> bool) =
            if is_query { ("a column of JSON", is_of_query) } else { ("a column of one value", is_of_value) };
        for (clause, behavior) in [("ON EMPTY", on_empty), ("ON ERROR", on_error)] {
            if let Some(behavior) = behavior {
                self.json_behavior(node, of, clause, behavior, is_of, ty);
            }
        }
        ty
    }

    /// Whether a column of that type takes arrays and objects, as JSON_QUERY does.
    fn holds_json(&self, oid: Oid) -> bool {
        let catalog = self.context.catalog;
        catalog.type_by_oid(catalog.base_type(oid)).is_some_and(|ty| {
            let is_json = ty.schema == PG_CATALOG && matches!(ty.name.as_str(), "json" | "jsonb");
            is_json || matches!(ty.kind, TypeKind::Array { .. } | TypeKind::Composite { .. })
        })
    }

    fn json_column_type(&mut self, node: NodeId, written: &TypeName) -> Option<Oid> {
        let ty = self.ty(node, written)?;
        let oid = ty.oid;
        self.resolve(node, Resolution::Type(ty));
        Some(oid)
    }

    /// A path is printed as a literal, in which everything but NUL can stand. PostgreSQL reads it when the statement is
    /// described.
    fn check_path(&mut self, node: NodeId, path: Option<&String>) {
        if path.is_some_and(|path| path.contains('\0')) {
            self.report(node, Code::InvalidStructure, "a path contains a NUL byte");
        }
    }

    /// Columns and paths share one space of names.
    fn json_name(&mut self, node: NodeId, what: &str, name: Option<&'a str>, names: &mut HashSet<&'a str>) {
        let Some(name) = name else { return };
        self.check_name(node, what, name);
        if !names.insert(name) {
            let message = format!("JSON_TABLE has more than one column or path named \"{name}\"");
            self.find(node, Finding::new(Code::DuplicateColumn, message));
        }
    }
}
