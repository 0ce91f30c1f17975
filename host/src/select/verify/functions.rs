use callslip_ir::{Call, ColumnDefinition, Functions, NodeId, NodeKind, TableFunction};

use super::Verifier;
use crate::Code;
use crate::catalog::{Function, FunctionKind, NameKind, Oid, PG_CATALOG};
use crate::select::scope::{Scope, ScopeColumn, ScopeRelation};
use crate::select::signature::Operand;
use crate::select::verified::{DefinedColumn, Resolution};
use crate::select::{Finding, types};

impl<'a> Verifier<'a> {
    /// Verifies functions in FROM, whose arguments see `scope`.
    pub(super) fn functions_in_from(
        &mut self,
        node: NodeId,
        functions: &'a Functions,
        scope: &Scope<'_>,
    ) -> ScopeRelation {
        self.check_name(node, "alias", &functions.alias);
        if functions.calls.is_empty() {
            self.report(node, Code::InvalidStructure, "ROWS FROM without a function");
        }
        let limit = self.context.limits.columns;
        let mut columns = Some(Vec::new());
        let mut row_type = None;
        let mut defined = Vec::new();
        for function in &functions.calls {
            self.define(function, &mut defined);
            // Of several functions none is named by the alias.
            let alias = (functions.calls.len() == 1).then_some(functions.alias.as_str());
            let (found, result) = self.table_function(function, alias, scope);
            row_type = result;
            columns = columns.zip(found).map(|(mut columns, found)| {
                columns.extend(ScopeColumn::of_node(found, function.call));
                columns
            });
            if columns.as_ref().is_some_and(|columns| columns.len() > limit) {
                let message = format!("functions in FROM give more than {limit} columns");
                self.report(node, Code::DescriptionTooLarge, message);
                columns = None;
            }
        }
        self.resolve(node, Resolution::Columns(defined));
        if functions.ordinality {
            let ordinality = ScopeColumn::made(Some("ordinality".into()), self.builtin("int8"));
            columns.iter_mut().for_each(|columns| columns.push(ordinality.clone()));
        }
        let columns = self.renamed(node, columns, &functions.columns);
        let of = match functions.calls.as_slice() {
            [only] => match self.kind(only.call) {
                NodeKind::Call(call) => call.function.to_string(),
                _ => "a function".to_owned(),
            },
            _ => "ROWS FROM".to_owned(),
        };
        // The row of a single function is its result, which may be no row at all but a value.
        let row_type = row_type.filter(|_| functions.calls.len() == 1 && !functions.ordinality);
        let alias = functions.alias.as_str().into();
        ScopeRelation { alias, of: of.into(), columns, out_of_reach: None, row_type, hidden: Vec::new() }
    }

    /// Verifies the column definitions of a function. PostgreSQL may make values of their types, so that these must be
    /// granted, as that of a cast must.
    fn define(&mut self, function: &'a TableFunction, defined: &mut Vec<DefinedColumn>) {
        for (index, column) in function.columns.iter().enumerate() {
            self.check_name(function.call, "name of a column", &column.name);
            if function.columns[..index].iter().any(|earlier| earlier.name == column.name) {
                let message = format!("two columns are named \"{}\"", column.name);
                self.report(function.call, Code::DuplicateColumn, message);
            }
            let Some(ty) = self.ty(function.call, &column.ty) else { continue };
            let collation =
                column.collation.as_ref().and_then(|written| self.collation_name(function.call, written));
            defined.push(DefinedColumn { ty, collation });
        }
    }

    /// Verifies one function and gives its columns and the type of its result. An alias of the whole names the column of a
    /// function that gives values of their own.
    fn table_function(
        &mut self,
        function: &'a TableFunction,
        alias: Option<&str>,
        scope: &Scope<'_>,
    ) -> (Option<Vec<ScopeColumn>>, Option<Oid>) {
        let NodeKind::Call(call) = self.kind(function.call) else {
            self.misplaced(function.call, "a call");
            return (None, None);
        };
        let catalog = self.context.catalog;
        let schemas = self.context.path.all(catalog, NameKind::Function, &call.function);
        let of_name = || schemas.iter().flat_map(|schema| catalog.functions(schema, &call.function.name));
        if of_name().next().is_some() && of_name().all(|function| function.kind != FunctionKind::Function) {
            self.not_plain(function.call, call);
            return (None, None);
        }
        let findings = self.findings.len();
        let result = self.call(function.call, call, scope);
        let called = self.called.get(&function.call).and_then(|oid| catalog.function_by_oid(*oid));
        if called.is_some_and(|called| called.kind != FunctionKind::Function)
            && self.findings.len() == findings
        {
            self.not_plain(function.call, call);
        }
        let ty = match result {
            Operand::Known(oid) => Some(oid),
            Operand::Untyped | Operand::Opaque => None,
        };
        (self.columns_of_result(function, call, called, result, alias), ty)
    }

    fn not_plain(&mut self, node: NodeId, call: &Call) {
        let message =
            format!("{} is an aggregate or a window function, which can't stand in FROM", call.function);
        let finding = Finding::new(Code::InvalidStructure, message);
        self.find(node, finding.with_help("call it in the select list of a subquery"));
    }

    /// The columns that PostgreSQL gives a function in FROM (`addRangeTableEntryForFunction`).
    fn columns_of_result(
        &mut self,
        function: &'a TableFunction,
        call: &'a Call,
        called: Option<&Function>,
        result: Operand,
        alias: Option<&str>,
    ) -> Option<Vec<ScopeColumn>> {
        let catalog = self.context.catalog;
        let definitions = &function.columns;
        let declared = called.map_or(&[][..], |function| &function.columns);
        let Operand::Known(oid) = result else {
            return (!definitions.is_empty()).then(|| self.defined_columns(definitions));
        };
        let ty = catalog.type_by_oid(catalog.base_type(oid))?;
        let is_record = ty.schema == PG_CATALOG && ty.name == "record";
        match (is_record && declared.is_empty(), definitions.is_empty()) {
            (true, false) => return Some(self.defined_columns(definitions)),
            (true, true) => {
                let message =
                    format!("{} returns records, whose columns only the query can tell", call.function);
                let finding = Finding::new(Code::InvalidStructure, message);
                let help = "define its columns with rare::record(…, [(\"name\", \"type\")])";
                self.find(function.call, finding.with_help(help));
                return None;
            }
            (false, false) => {
                let message = format!(
                    "the columns of {} are known: only one that returns records has them defined",
                    call.function
                );
                self.report(function.call, Code::InvalidStructure, message);
                return None;
            }
            (false, true) => {}
        }
        if is_record {
            return self.fields.get(&function.call).map(|columns| columns.to_vec());
        }
        if let Some(attributes) = self.attributes(result) {
            return Some(attributes.to_vec());
        }
        let declared = declared.first().map(|column| column.name.as_str()).filter(|name| !name.is_empty());
        let name = declared.or(alias).unwrap_or(&call.function.name);
        Some(vec![ScopeColumn::made(Some(name.into()), Some(oid))])
    }

    /// The columns of definitions, whose types are resolved already.
    fn defined_columns(&self, definitions: &[ColumnDefinition]) -> Vec<ScopeColumn> {
        let column = |its: &ColumnDefinition| {
            let ty = types::resolve(self.context.catalog, self.context.path, &its.ty);
            ScopeColumn::made(Some(its.name.as_str().into()), ty.map(|ty| ty.oid))
        };
        definitions.iter().map(column).collect()
    }
}
