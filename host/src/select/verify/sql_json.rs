use callslip_ir::{NodeId, NodeKind, SqlJson, SqlJsonBehavior, SqlJsonFunction, SqlJsonPassing};

use super::Verifier;
use crate::Code;
use crate::catalog::{Oid, PG_CATALOG};
use crate::select::Finding;
use crate::select::scope::Scope;
use crate::select::signature::Operand;
use crate::select::verified::Resolution;

/// The types that the path of PASSING takes as they are (PostgreSQL's `transformJsonValueExpr`), beside all texts. Of any
/// other type `to_jsonb` makes JSON.
const PASSED_AS_THEY_ARE: &[&str] = &[
    "bool",
    "date",
    "float4",
    "float8",
    "int2",
    "int4",
    "int8",
    "json",
    "jsonb",
    "numeric",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
];

impl<'a> Verifier<'a> {
    /// Reports a construct that came to PostgreSQL in a later version than the server's.
    pub(super) fn needs_version(&mut self, node: NodeId, construct: &str, major: u32, instead: &str) {
        let version = self.context.catalog.contents().server_version;
        if version < major * 10_000 {
            let message = format!(
                "{construct} needs PostgreSQL {major}; this server is {}.{}",
                version / 10_000,
                version % 10_000
            );
            self.find(node, Finding::new(Code::ServerTooOld, message).with_help(instead));
        }
    }

    /// `value IS JSON`.
    pub(super) fn is_json(&mut self, node: NodeId, value: NodeId, scope: &Scope<'_>) {
        self.needs_version(node, "IS JSON", 16, "a value of type json or jsonb is JSON");
        let operand = self.expression(value, scope);
        let text = self.builtin("text");
        self.settle(value, text);
        let Operand::Known(oid) = operand else { return };
        if self.is_text(oid) {
            // It becomes a text, which a cast that nobody writes may do.
            self.coerced(value, operand, text);
        } else if !self.is_builtin(oid, &["json", "jsonb", "bytea"]) {
            let found = self.display(operand);
            let finding = Finding::new(Code::UnknownFunction, format!("IS JSON takes no {found}"));
            self.find(value, finding.with_help("it takes a text, json, jsonb or bytea"));
        }
    }

    pub(super) fn sql_json(&mut self, node: NodeId, json: &'a SqlJson, scope: &Scope<'_>) -> Operand {
        let (name, instead, result, behaviors): (_, _, _, fn(&SqlJsonBehavior) -> bool) = match json.function
        {
            SqlJsonFunction::Exists => {
                ("JSON_EXISTS", "call(\"jsonb_path_exists\", …) is the like of it", "bool", is_of_exists)
            }
            SqlJsonFunction::Value => {
                ("JSON_VALUE", "call(\"jsonb_path_query_first\", …) is the like of it", "text", is_of_value)
            }
            SqlJsonFunction::Query | SqlJsonFunction::QueryWith { .. } => {
                ("JSON_QUERY", "call(\"jsonb_path_query_array\", …) is the like of it", "jsonb", is_of_query)
            }
        };
        self.needs_version(node, name, 17, instead);
        self.json_context(json.context, name, scope);
        self.json_path(json.path, scope);
        self.json_passing(node, &json.passing, scope);
        if json.function == SqlJsonFunction::Exists && (json.returning.is_some() || json.on_empty.is_some()) {
            self.report(node, Code::InvalidStructure, "JSON_EXISTS has neither RETURNING nor ON EMPTY");
        }
        if let SqlJsonFunction::QueryWith { wrapper, quotes } = json.function {
            self.json_wrapper(node, wrapper, quotes);
        }
        let returned = match &json.returning {
            None => self.builtin(result),
            Some(written) => {
                let Some(ty) = self.ty(node, written) else { return Operand::Opaque };
                let oid = ty.oid;
                self.resolve(node, Resolution::Type(ty));
                Some(oid)
            }
        };
        for (clause, behavior) in [("ON EMPTY", &json.on_empty), ("ON ERROR", &json.on_error)] {
            if let Some(behavior) = behavior {
                self.json_behavior(node, name, clause, behavior, behaviors, returned);
            }
        }
        returned.map_or(Operand::Opaque, Operand::Known)
    }

    /// The JSON to look in, which is cast to jsonb.
    pub(super) fn json_context(&mut self, context: NodeId, name: &str, scope: &Scope<'_>) {
        let operand = self.expression(context, scope);
        let jsonb = self.builtin("jsonb");
        self.settle(context, jsonb);
        let Some(jsonb) = jsonb else { return };
        self.cast_granted(context, operand, jsonb);
        if let Operand::Known(oid) = operand
            && !self.is_text(oid)
            && !self.is_builtin(oid, &["json", "jsonb"])
            && self.context.catalog.cast(oid, jsonb).is_none()
        {
            let message = format!("{name} looks in JSON, not in {}", self.display(operand));
            let help = "it takes json, jsonb and text; to_jsonb(…) makes JSON of anything";
            self.find(context, Finding::new(Code::UnknownFunction, message).with_help(help));
        }
    }

    fn json_path(&mut self, path: NodeId, scope: &Scope<'_>) {
        let operand = self.expression(path, scope);
        let jsonpath = self.builtin("jsonpath");
        self.settle(path, jsonpath);
        if let Some(jsonpath) = jsonpath {
            self.cast_granted(path, operand, jsonpath);
        }
        if let Operand::Known(oid) = operand
            && !self.is_text(oid)
            && !self.is_builtin(oid, &["jsonpath"])
        {
            let message = format!("a path is a jsonpath, not {}", self.display(operand));
            let help = "write it as a string, or cast with .cast_as(\"jsonpath\")";
            self.find(path, Finding::new(Code::UnknownFunction, message).with_help(help));
        }
    }

    pub(super) fn json_passing(&mut self, node: NodeId, passing: &'a [SqlJsonPassing], scope: &Scope<'_>) {
        for passed in passing {
            self.check_name(node, "variable of PASSING", &passed.name);
            let operand = self.expression(passed.value, scope);
            let text = self.builtin("text");
            self.settle(passed.value, text);
            let as_it_is = match operand {
                Operand::Known(oid) => self.is_text(oid) || self.is_builtin(oid, PASSED_AS_THEY_ARE),
                Operand::Untyped => true,
                Operand::Opaque => false,
            };
            if !as_it_is {
                self.json_casts_granted(passed.value, "to_jsonb");
            }
        }
    }

    pub(super) fn json_wrapper(
        &mut self,
        node: NodeId,
        wrapper: Option<callslip_ir::JsonWrapper>,
        quotes: Option<callslip_ir::JsonQuotes>,
    ) {
        let wraps = wrapper.is_some_and(|wrapper| wrapper != callslip_ir::JsonWrapper::Without);
        if wraps && quotes.is_some() {
            let message = "QUOTES has no meaning beside WITH WRAPPER: what is in an array keeps its quotes";
            self.report(node, Code::InvalidStructure, message);
        }
    }

    /// What happens on an empty result or an error. A DEFAULT is converted to the type that the function gives, and so are
    /// the JSON of EMPTY and the bool of TRUE.
    pub(super) fn json_behavior(
        &mut self,
        node: NodeId,
        of: &str,
        clause: &str,
        behavior: &SqlJsonBehavior,
        is_of: fn(&SqlJsonBehavior) -> bool,
        target: Option<Oid>,
    ) {
        if !is_of(behavior) {
            let message = format!("{of} has no {} {clause}", display(behavior));
            self.report(node, Code::InvalidStructure, message);
        }
        let from = match behavior {
            SqlJsonBehavior::Default(value) => {
                self.json_default(*value, target);
                return;
            }
            SqlJsonBehavior::EmptyArray | SqlJsonBehavior::EmptyObject => self.known("jsonb"),
            SqlJsonBehavior::True | SqlJsonBehavior::False => self.known("bool"),
            SqlJsonBehavior::Error | SqlJsonBehavior::Null | SqlJsonBehavior::Unknown => return,
        };
        if let Some(target) = target {
            self.cast_granted(node, from, target);
        }
    }

    fn json_default(&mut self, value: NodeId, target: Option<Oid>) {
        let mut inner = value;
        while let NodeKind::Cast(cast) = self.kind(inner) {
            inner = cast.value;
        }
        let taken = matches!(
            self.kind(inner),
            NodeKind::Parameter(_) | NodeKind::Null(_) | NodeKind::Call(_) | NodeKind::Operation(_)
        );
        if !taken {
            let message = "DEFAULT takes a constant, a call or an operator, and nothing else";
            self.report(value, Code::InvalidStructure, message);
        }
        // It sees no columns.
        let operand = self.expression(value, &Scope::EMPTY);
        self.settle(value, target);
        if let Some(target) = target {
            self.cast_granted(value, operand, target);
        }
        // A parameter is bound as a text, and cast.
        if let Resolution::Type(ty) = &self.resolutions[inner.0 as usize] {
            let oid = ty.oid;
            let text = self.known("text");
            self.cast_granted(inner, text, oid);
        }
    }

    fn is_text(&self, oid: Oid) -> bool {
        let catalog = self.context.catalog;
        catalog.type_by_oid(catalog.base_type(oid)).is_some_and(|ty| ty.category == 'S')
    }

    fn is_builtin(&self, oid: Oid, names: &[&str]) -> bool {
        let catalog = self.context.catalog;
        let ty = catalog.type_by_oid(catalog.base_type(oid));
        ty.is_some_and(|ty| ty.schema == PG_CATALOG && names.contains(&ty.name.as_str()))
    }
}

pub(super) fn is_of_exists(behavior: &SqlJsonBehavior) -> bool {
    use SqlJsonBehavior::{Error, False, True, Unknown};
    matches!(behavior, Error | True | False | Unknown)
}

pub(super) fn is_of_value(behavior: &SqlJsonBehavior) -> bool {
    use SqlJsonBehavior::{Default, Error, Null};
    matches!(behavior, Error | Null | Default(_))
}

pub(super) fn is_of_query(behavior: &SqlJsonBehavior) -> bool {
    use SqlJsonBehavior::{EmptyArray, EmptyObject};
    is_of_value(behavior) || matches!(behavior, EmptyArray | EmptyObject)
}

fn display(behavior: &SqlJsonBehavior) -> &'static str {
    match behavior {
        SqlJsonBehavior::Error => "ERROR",
        SqlJsonBehavior::Null => "NULL",
        SqlJsonBehavior::EmptyArray => "EMPTY ARRAY",
        SqlJsonBehavior::EmptyObject => "EMPTY OBJECT",
        SqlJsonBehavior::Default(_) => "DEFAULT",
        SqlJsonBehavior::True => "TRUE",
        SqlJsonBehavior::False => "FALSE",
        SqlJsonBehavior::Unknown => "UNKNOWN",
    }
}
