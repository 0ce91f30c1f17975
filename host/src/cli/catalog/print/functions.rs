use std::io::{self, Write};

use callslip_ir::snapshot::{quoted, reference};

use super::{Printer, is_of_users};
use crate::catalog::{
    Cast, CastContext, Catalog, Function, FunctionKind, ObjectName, Oid, Parallel, Signature, Volatility,
};
use crate::cli::type_name::type_name;

impl<W: Write> Printer<'_, W> {
    /// The functions of users.
    pub(super) fn functions(&mut self) -> io::Result<()> {
        for function in self.catalog.contents().functions.iter().filter(|its| is_of_users(&its.schema)) {
            let mut facts = vec![function.language.clone()];
            facts.push(
                match function.volatility {
                    Volatility::Immutable => "immutable",
                    Volatility::Stable => "stable",
                    Volatility::Volatile => "volatile",
                }
                .to_owned(),
            );
            let set = [
                (function.strict, "strict"),
                (function.leakproof, "leakproof"),
                (function.security_definer, "security definer"),
            ];
            facts.extend(set.iter().filter(|(is, _)| *is).map(|(_, word)| (*word).to_owned()));
            facts.push(
                match function.parallel {
                    Parallel::Safe => "parallel safe",
                    Parallel::Restricted => "parallel restricted",
                    Parallel::Unsafe => "parallel unsafe",
                }
                .to_owned(),
            );
            facts.extend(self.facts(&function.owner, function.extension.as_deref(), !function.hidden));
            self.object(&self.function(function), function.comment.as_deref(), facts)?;
        }
        Ok(())
    }

    fn function(&self, function: &Function) -> String {
        let kind = match function.kind {
            FunctionKind::Function => "function",
            FunctionKind::Aggregate => "aggregate",
            FunctionKind::OrderedSet { .. } => "ordered-set aggregate",
            FunctionKind::Window => "window function",
        };
        let name = reference(&function.schema, &function.name);
        let arguments = self.arguments(function);
        let returns = match &function.columns[..] {
            [] | [_] => type_name(self.catalog, function.returns),
            columns => {
                let columns = columns
                    .iter()
                    .map(|its| format!("{} {}", quoted(&its.name), type_name(self.catalog, its.ty)));
                format!("({})", columns.collect::<Vec<_>>().join(", "))
            }
        };
        let set = if function.returns_set { "setof " } else { "" };
        format!("{kind} {name}({arguments}) → {set}{returns}")
    }

    /// What a function takes, as a call could write it; of an ordered-set aggregate, the direct arguments come before ORDER BY.
    fn arguments(&self, function: &Function) -> String {
        let count = function.arguments.len();
        let mut written = String::new();
        for (index, ty) in function.arguments.iter().enumerate() {
            match function.kind {
                FunctionKind::OrderedSet { direct } if index == usize::from(direct) => {
                    written.push_str(if index == 0 { "order by " } else { " order by " });
                }
                _ if index > 0 => written.push_str(", "),
                _ => {}
            }
            if function.variadic.is_some() && index + 1 == count {
                written.push_str("variadic ");
            }
            if let Some(name) = function.argument_names.get(index).filter(|name| !name.is_empty()) {
                written.push_str(&format!("{} ", quoted(name)));
            }
            written.push_str(&type_name(self.catalog, *ty));
            if index + usize::from(function.defaults) >= count {
                written.push_str(" default …");
            }
        }
        written
    }

    /// The operators of users.
    pub(super) fn operators(&mut self) -> io::Result<()> {
        for operator in self.catalog.contents().operators.iter().filter(|its| is_of_users(&its.schema)) {
            let schema = quoted(&operator.schema);
            let [right, result] = [operator.right, operator.result].map(|ty| type_name(self.catalog, ty));
            let left =
                operator.left.map(|ty| format!("{} ", type_name(self.catalog, ty))).unwrap_or_default();
            let what = format!("operator {left}{schema}.{} {right} → {result}", operator.name);
            let mut facts: Vec<_> = self.behind(operator.function).into_iter().collect();
            facts.extend(self.facts("", operator.extension.as_deref(), !operator.hidden));
            self.object(&what, None, facts)?;
        }
        Ok(())
    }

    /// The casts that have to do with a type or a function of users.
    pub(super) fn casts(&mut self) -> io::Result<()> {
        let catalog = self.catalog;
        for cast in catalog.contents().casts.iter().filter(|its| is_cast_of_users(catalog, its)) {
            let [source, target] = [cast.source, cast.target].map(|ty| type_name(self.catalog, ty));
            let how = match cast.function {
                _ if cast.binary => Some("the same representation".to_owned()),
                None => Some("through text".to_owned()),
                function => self.behind(function),
            };
            let context = match cast.context {
                CastContext::Implicit => "anywhere",
                CastContext::Assignment => "in assignments and where it is written",
                CastContext::Explicit => "where it is written",
            };
            let mut facts: Vec<_> = [context.to_owned()].into_iter().chain(how).collect();
            facts.extend(self.facts("", cast.extension.as_deref(), true));
            self.object(&format!("cast {source} as {target}"), None, facts)?;
        }
        Ok(())
    }

    /// The function behind an operator or a cast, by its signature.
    fn behind(&self, function: Option<Oid>) -> Option<String> {
        let function = self.catalog.function_by_oid(function?)?;
        let signature = Signature {
            function: ObjectName { schema: function.schema.clone(), name: function.name.clone() },
            arguments: function.arguments.iter().map(|ty| type_name(self.catalog, *ty)).collect(),
        };
        Some(format!("function {signature}"))
    }
}

fn is_cast_of_users(catalog: &Catalog, cast: &Cast) -> bool {
    let ty = |oid| catalog.type_by_oid(oid).map(|ty| ty.schema.as_str());
    let function = cast.function.and_then(|oid| catalog.function_by_oid(oid));
    let schemas = [ty(cast.source), ty(cast.target), function.map(|its| its.schema.as_str())];
    schemas.into_iter().flatten().any(is_of_users)
}
