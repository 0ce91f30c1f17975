use callslip_ir::{
    Is, JsonItem, JsonQuotes, JsonWrapper, NodeId, NodeKind, SqlJson, SqlJsonBehavior, SqlJsonFunction,
    SqlJsonPassing,
};
use sea_query::Expr;

use super::{Lowerer, fill, identifier, word};
use crate::select::ResolvedType;
use crate::select::dialect::template;

impl<'a> Lowerer<'a> {
    pub(super) fn is_json(&mut self, is: &Is, item: JsonItem, unique_keys: bool) -> Expr {
        let test = word(match (item, unique_keys) {
            (JsonItem::Value, false) => "JSON",
            (JsonItem::Value, true) => "JSON WITH UNIQUE KEYS",
            (JsonItem::Scalar, false) => "JSON SCALAR",
            (JsonItem::Scalar, true) => "JSON SCALAR WITH UNIQUE KEYS",
            (JsonItem::Array, false) => "JSON ARRAY",
            (JsonItem::Array, true) => "JSON ARRAY WITH UNIQUE KEYS",
            (JsonItem::Object, false) => "JSON OBJECT",
            (JsonItem::Object, true) => "JSON OBJECT WITH UNIQUE KEYS",
        });
        let template = if is.negated { template::IS_NOT_JSON } else { template::IS_JSON };
        fill(template, [self.expression(is.value), test])
    }

    pub(super) fn sql_json(&mut self, node: NodeId, json: &'a SqlJson) -> Expr {
        let context = self.expression(json.context);
        let mut clauses = vec![fill(template::JSON_OPERANDS, [context, self.expression(json.path)])];
        clauses.extend(self.json_passing(&json.passing));
        if json.returning.is_some() {
            clauses.push(fill(template::JSON_RETURNING, [self.ty(node)]));
        }
        let template = match json.function {
            SqlJsonFunction::Exists => template::JSON_EXISTS,
            SqlJsonFunction::Value => template::JSON_VALUE,
            SqlJsonFunction::Query => template::JSON_QUERY,
            SqlJsonFunction::QueryWith { wrapper, quotes } => {
                clauses.extend(wrapper.map(json_wrapper));
                clauses.extend(quotes.map(json_quotes));
                template::JSON_QUERY
            }
        };
        clauses.extend(self.json_behaviors(json.on_empty.as_ref(), json.on_error.as_ref()));
        fill(template, clauses)
    }

    pub(super) fn json_passing(&mut self, passing: &'a [SqlJsonPassing]) -> Option<Expr> {
        if passing.is_empty() {
            return None;
        }
        let passed: Vec<Expr> = passing
            .iter()
            .map(|passed| {
                fill(template::JSON_PASSED, [self.expression(passed.value), identifier(&passed.name)])
            })
            .collect();
        Some(fill(template::JSON_PASSING, passed))
    }

    pub(super) fn json_behaviors(
        &mut self,
        on_empty: Option<&SqlJsonBehavior>,
        on_error: Option<&SqlJsonBehavior>,
    ) -> Vec<Expr> {
        let clauses = [(on_empty, template::JSON_ON_EMPTY), (on_error, template::JSON_ON_ERROR)];
        let present = clauses.into_iter().filter_map(|(behavior, template)| Some((behavior?, template)));
        present.map(|(behavior, template)| fill(template, [self.json_behavior(behavior)])).collect()
    }

    fn json_behavior(&mut self, behavior: &SqlJsonBehavior) -> Expr {
        word(match behavior {
            SqlJsonBehavior::Default(value) => {
                return fill(template::JSON_DEFAULT, [self.json_default(*value)]);
            }
            SqlJsonBehavior::Error => "ERROR",
            SqlJsonBehavior::Null => "NULL",
            SqlJsonBehavior::EmptyArray => "EMPTY ARRAY",
            SqlJsonBehavior::EmptyObject => "EMPTY OBJECT",
            SqlJsonBehavior::True => "TRUE",
            SqlJsonBehavior::False => "FALSE",
            SqlJsonBehavior::Unknown => "UNKNOWN",
        })
    }

    fn json_default(&mut self, node: NodeId) -> Expr {
        let lowered = match self.kind(node) {
            NodeKind::Parameter(slot) => {
                let text = self.parameter_of(*slot, ResolvedType::text());
                fill(template::JSON_DEFAULT_PARAMETER, [text, self.ty(node)])
            }
            NodeKind::Cast(cast) => fill(template::CAST, [self.json_default(cast.value), self.ty(node)]),
            _ => return self.expression(node),
        };
        self.placed(node, lowered)
    }
}

pub(super) fn json_wrapper(wrapper: JsonWrapper) -> Expr {
    word(match wrapper {
        JsonWrapper::Without => "WITHOUT WRAPPER",
        JsonWrapper::Conditional => "WITH CONDITIONAL WRAPPER",
        JsonWrapper::Unconditional => "WITH UNCONDITIONAL WRAPPER",
    })
}

pub(super) fn json_quotes(quotes: JsonQuotes) -> Expr {
    word(match quotes {
        JsonQuotes::Keep => "KEEP QUOTES",
        JsonQuotes::Omit => "OMIT QUOTES",
    })
}
