use pg_query::NodeEnum;
use pg_query::protobuf::{
    JsonArgument, JsonBehavior, JsonBehaviorType, JsonExprOp, JsonFormat, JsonFuncExpr, JsonIsPredicate,
    JsonOutput, JsonQuotes, JsonValueExpr, JsonValueType, JsonWrapper,
};

use super::expression::type_head;
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
        let plain = column_name.is_empty()
            && JsonWrapper::try_from(*wrapper) == Ok(JsonWrapper::JswUnspec)
            && JsonQuotes::try_from(*quotes) == Ok(JsonQuotes::JsQuotesUnspec);
        let head = match JsonExprOp::try_from(*op) {
            Ok(JsonExprOp::JsonExistsOp) if plain => "json_exists",
            Ok(JsonExprOp::JsonValueOp) if plain => "json_value",
            Ok(JsonExprOp::JsonQueryOp) if plain => "json_query",
            _ => return unexpected("an SQL/JSON function", function),
        };
        let returning = match output {
            None => String::new(),
            Some(JsonOutput { type_name: Some(ty), returning: _ }) => type_head(ty)?,
            other => return unexpected("RETURNING", &other),
        };
        let mut parts =
            vec![self.json_value(context_item.as_deref())?, self.expression(pathspec.as_deref())?];
        for argument in passing {
            let Some(NodeEnum::JsonArgument(argument)) = &argument.node else {
                return unexpected("PASSING", argument);
            };
            let JsonArgument { val, name } = argument.as_ref();
            parts.push(Tree::new(format!("operand {name:?}"), vec![self.json_value(val.as_deref())?]));
        }
        for (clause, behavior) in [("empty", on_empty), ("error", on_error)] {
            if let Some(behavior) = behavior {
                parts.push(self.behavior(clause, behavior)?);
            }
        }
        Ok(Tree::new(format!("{head}{returning}"), parts))
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

/// Whether no FORMAT is written.
fn is_plain(format: Option<&JsonFormat>) -> bool {
    format.is_none_or(|format| format.format_type <= 1 && format.encoding <= 1)
}
