use pg_query::NodeEnum;
use pg_query::protobuf::{
    AConst, JsonArgument, JsonBehavior, JsonBehaviorType, JsonExprOp, JsonFormat, JsonFuncExpr,
    JsonIsPredicate, JsonOutput, JsonQuotes, JsonTable, JsonTableColumn, JsonTableColumnType,
    JsonTablePathSpec, JsonValueExpr, JsonValueType, JsonWrapper, Node, a_const::Val,
};

use super::expression::type_head;
use super::relation::alias;
use super::{Read, Reader, Tree, unexpected};

impl Reader<'_> {
    pub(super) fn json(&mut self, node: &NodeEnum) -> Read {
        match node {
            NodeEnum::JsonIsPredicate(predicate) => {
                let JsonIsPredicate { expr, format: _, item_type, unique_keys, location: _ } =
                    predicate.as_ref();
                let item = match JsonValueType::try_from(*item_type) {
                    Ok(JsonValueType::JsTypeAny) => "value",
                    Ok(JsonValueType::JsTypeScalar) => "scalar",
                    Ok(JsonValueType::JsTypeArray) => "array",
                    Ok(JsonValueType::JsTypeObject) => "object",
                    other => return unexpected("IS JSON", &other),
                };
                let value = self.expression(expr.as_deref())?;
                Ok(Tree::new(format!("is json {item} {unique_keys}"), vec![value]))
            }
            NodeEnum::JsonFuncExpr(function) => self.sql_json(function),
            other => unexpected("an expression", other),
        }
    }

    fn sql_json(&mut self, function: &JsonFuncExpr) -> Read {
        let JsonFuncExpr {
            op,
            column_name,
            context_item,
            pathspec,
            passing,
            output,
            on_empty,
            on_error,
            wrapper,
            quotes,
            location: _,
        } = function;
        let clauses = clauses(*wrapper, *quotes)?;
        let head = match JsonExprOp::try_from(*op) {
            Ok(JsonExprOp::JsonExistsOp) if clauses.is_empty() => "json_exists",
            Ok(JsonExprOp::JsonValueOp) if clauses.is_empty() => "json_value",
            Ok(JsonExprOp::JsonQueryOp) => "json_query",
            _ => return unexpected("an SQL/JSON function", function),
        };
        if !column_name.is_empty() {
            return unexpected("an SQL/JSON function", function);
        }
        let returning = match output {
            None => String::new(),
            Some(JsonOutput { type_name: Some(ty), returning: _ }) => type_head(ty)?,
            other => return unexpected("RETURNING", &other),
        };
        let mut parts =
            vec![self.json_value(context_item.as_deref())?, self.expression(pathspec.as_deref())?];
        parts.extend(self.passing(passing)?);
        for (clause, behavior) in [("empty", on_empty), ("error", on_error)] {
            if let Some(behavior) = behavior {
                parts.push(self.behavior(clause, behavior)?);
            }
        }
        Ok(Tree::new(format!("{head}{clauses}{returning}"), parts))
    }

    fn passing(&mut self, passing: &[Node]) -> Result<Vec<Tree>, String> {
        let argument = |argument: &Node| match &argument.node {
            Some(NodeEnum::JsonArgument(argument)) => {
                let JsonArgument { val, name } = argument.as_ref();
                Ok(Tree::new(format!("operand {name:?}"), vec![self.json_value(val.as_deref())?]))
            }
            other => unexpected("PASSING", other),
        };
        passing.iter().map(argument).collect()
    }

    pub(super) fn json_table(&mut self, table: &JsonTable) -> Read {
        let JsonTable {
            context_item,
            pathspec,
            passing,
            columns,
            on_error,
            alias: its,
            lateral,
            location: _,
        } = table;
        if *lateral {
            return unexpected("LATERAL", table);
        }
        let head = format!("functions json_table {}", path(pathspec.as_deref())?);
        let mut parts = vec![self.json_value(context_item.as_deref())?];
        parts.extend(self.passing(passing)?);
        parts.extend(self.json_columns(columns)?);
        if let Some(behavior) = on_error {
            parts.push(self.behavior("error", behavior)?);
        }
        parts.push(alias(its)?);
        Ok(Tree::new(head, parts))
    }

    fn json_columns(&mut self, columns: &[Node]) -> Result<Vec<Tree>, String> {
        let mut parts = Vec::new();
        for column in columns {
            let Some(NodeEnum::JsonTableColumn(column)) = &column.node else {
                return unexpected("a column of JSON_TABLE", column);
            };
            let JsonTableColumn {
                coltype,
                name,
                type_name,
                pathspec,
                format,
                wrapper,
                quotes,
                columns,
                on_empty,
                on_error,
                location: _,
            } = column.as_ref();
            let kind = match JsonTableColumnType::try_from(*coltype) {
                Ok(JsonTableColumnType::JtcForOrdinality) => "ordinality",
                Ok(JsonTableColumnType::JtcRegular) => "value",
                Ok(JsonTableColumnType::JtcFormatted) => "value format json",
                Ok(JsonTableColumnType::JtcExists) => "exists",
                Ok(JsonTableColumnType::JtcNested) => "nested",
                other => return unexpected("a column of JSON_TABLE", &other),
            };
            if (kind == "value format json") == is_plain(format.as_ref()) {
                return unexpected("a column of JSON_TABLE", column);
            }
            let ty = type_name.as_ref().map(type_head).transpose()?.unwrap_or_default();
            let mut clauses = clauses(*wrapper, *quotes)?;
            if kind == "exists" && clauses == " without wrapper" {
                // The grammar says so for each.
                clauses.clear();
            }
            let path = path(pathspec.as_deref())?;
            let mut inner = self.json_columns(columns)?;
            for (clause, behavior) in [("empty", on_empty), ("error", on_error)] {
                if let Some(behavior) = behavior {
                    inner.push(self.behavior(clause, behavior)?);
                }
            }
            parts.push(Tree::new(format!("column {name:?} {kind}{ty}{clauses} {path}"), inner));
        }
        Ok(parts)
    }

    fn json_value(&mut self, value: Option<&JsonValueExpr>) -> Read {
        match value {
            Some(JsonValueExpr { raw_expr, formatted_expr: None, format }) if is_plain(format.as_ref()) => {
                self.expression(raw_expr.as_deref())
            }
            other => unexpected("a JSON value", &other),
        }
    }

    fn behavior(&mut self, clause: &str, behavior: &JsonBehavior) -> Read {
        let JsonBehavior { btype, expr, coerce: _, location: _ } = behavior;
        let word = match JsonBehaviorType::try_from(*btype) {
            Ok(JsonBehaviorType::JsonBehaviorError) => "error",
            Ok(JsonBehaviorType::JsonBehaviorNull) => "null",
            Ok(JsonBehaviorType::JsonBehaviorEmptyArray) => "empty array",
            Ok(JsonBehaviorType::JsonBehaviorEmptyObject) => "empty object",
            Ok(JsonBehaviorType::JsonBehaviorDefault) => "default",
            Ok(JsonBehaviorType::JsonBehaviorTrue) => "true",
            Ok(JsonBehaviorType::JsonBehaviorFalse) => "false",
            Ok(JsonBehaviorType::JsonBehaviorUnknown) => "unknown",
            other => return unexpected("a behavior", &other),
        };
        self.optional(&format!("operand \"{word} on {clause}\""), expr.as_deref())
    }
}

/// A path and its name.
fn path(path: Option<&JsonTablePathSpec>) -> Result<String, String> {
    let Some(JsonTablePathSpec { string, name, name_location: _, location: _ }) = path else {
        return Ok("no path".to_owned());
    };
    match string.as_ref().and_then(|node| node.node.as_ref()) {
        Some(NodeEnum::AConst(AConst { val: Some(Val::Sval(text)), .. })) => {
            Ok(format!("{:?} as {name:?}", text.sval))
        }
        other => unexpected("a path", &other),
    }
}

fn clauses(wrapper: i32, quotes: i32) -> Result<String, String> {
    let wrapper = match JsonWrapper::try_from(wrapper) {
        Ok(JsonWrapper::JswUnspec | JsonWrapper::Undefined) => "",
        Ok(JsonWrapper::JswNone) => " without wrapper",
        Ok(JsonWrapper::JswConditional) => " conditional wrapper",
        Ok(JsonWrapper::JswUnconditional) => " unconditional wrapper",
        other => return unexpected("WRAPPER", &other),
    };
    let quotes = match JsonQuotes::try_from(quotes) {
        Ok(JsonQuotes::JsQuotesUnspec | JsonQuotes::Undefined) => "",
        Ok(JsonQuotes::JsQuotesKeep) => " keep quotes",
        Ok(JsonQuotes::JsQuotesOmit) => " omit quotes",
        other => return unexpected("QUOTES", &other),
    };
    Ok(format!("{wrapper}{quotes}"))
}

/// Whether no FORMAT is written.
fn is_plain(format: Option<&JsonFormat>) -> bool {
    format.is_none_or(|format| format.format_type <= 1 && format.encoding <= 1)
}
