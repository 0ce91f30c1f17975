use callslip_ir::{Argument, Call, NodeId, Over, QualifiedName};

use super::Verifier;
use crate::Code;
use crate::catalog::{Catalog, Function, FunctionKind, Oid, PG_CATALOG};
use crate::grants::{BUILTIN_FUNCTIONS, PARTIAL_CATALOG};
use crate::nearest::nearest;
use crate::select::scope::Scope;
use crate::select::signature::{self, Candidate, Operand, Unresolved};
use crate::select::verified::Resolution;
use crate::select::{Finding, types};

impl<'a> Verifier<'a> {
    pub(super) fn call(&mut self, node: NodeId, call: &'a Call, scope: &Scope<'_>) -> Operand {
        let mut operands: Vec<Operand> =
            call.arguments.iter().map(|argument| self.expression(argument.value, scope)).collect();
        let mut nodes: Vec<NodeId> = call.arguments.iter().map(|argument| argument.value).collect();
        for order in &call.within_group {
            operands.push(self.expression(order.expression, scope));
            nodes.push(order.expression);
            self.order_direction(order);
        }
        for order in &call.order_by {
            self.value(order.expression, scope);
            self.order_direction(order);
        }
        if let Some(condition) = call.filter {
            self.condition(condition, scope);
        }
        match &call.over {
            Some(Over::Window(window)) => self.window(node, window, scope),
            Some(Over::Named(name)) => self.named_window(node, name),
            None => {}
        }
        let bare = call.arguments.is_empty()
            && !call.distinct
            && call.order_by.is_empty()
            && call.within_group.is_empty();
        if call.star && !bare {
            let message = "a call with * has no arguments, DISTINCT, ORDER BY or WITHIN GROUP";
            self.report(node, Code::InvalidStructure, message);
        }
        for (index, argument) in call.arguments.iter().enumerate() {
            if argument.variadic && index + 1 != call.arguments.len() {
                self.report(
                    argument.value,
                    Code::InvalidStructure,
                    "VARIADIC stands before the last argument only",
                );
            }
            let after_named = call.arguments[..index].iter().any(|earlier| earlier.name.is_some());
            if argument.name.is_none() && after_named {
                self.report(
                    argument.value,
                    Code::InvalidStructure,
                    "a positional argument stands after a named one",
                );
            }
            if let Some(name) = &argument.name {
                self.check_name(argument.value, "name of an argument", name);
            }
        }
        self.function(node, call, &nodes, &operands)
    }

    fn named_window(&mut self, node: NodeId, name: &str) {
        let windows = self.windows.last().copied().unwrap_or_default();
        if windows.iter().any(|named| named.name == name) {
            return;
        }
        let finding = Finding::new(Code::UnknownWindow, format!("no window is named \"{name}\""));
        let help = match nearest(name, windows.iter().map(|named| named.name.as_str())) {
            Some(nearest) => format!("did you mean \"{nearest}\"?"),
            None => "declare it with .window(\"…\", …) on the same select".to_owned(),
        };
        self.find(node, finding.with_help(help));
    }

    fn function(&mut self, node: NodeId, call: &'a Call, nodes: &[NodeId], operands: &[Operand]) -> Operand {
        let catalog = self.context.catalog;
        let Some(schema) = self.schema_of(&call.function) else {
            self.unknown_function(node, &call.function);
            return Operand::Opaque;
        };
        let name = call.function.name.as_str();
        let candidates: Vec<Candidate<'_, Function>> = catalog
            .functions(&schema, name)
            .filter_map(|function| candidate(function, call, operands.len()))
            .collect();
        let first = catalog.functions(&schema, name).next();
        if let Some(first) = first
            && !catalog.functions(&schema, name).any(|function| self.context.grants.function(function))
        {
            self.function_not_granted(node, first);
            return Operand::Opaque;
        }
        if schema == PG_CATALOG {
            self.row_types_granted(node, name, operands);
        }
        // Of an operand whose type is not known PostgreSQL may make any of them.
        let ungranted = candidates.iter().find(|candidate| !self.context.grants.function(candidate.item));
        let ungranted = ungranted.map(|candidate| candidate.item);
        let chosen = match signature::choose(catalog, candidates, operands, false) {
            Ok(chosen) => {
                for (&operand, &ty) in operands.iter().zip(&chosen.arguments) {
                    // A hypothetical-set aggregate brings its arguments and its sort keys to one type.
                    self.coerced(node, operand, if call.within_group.is_empty() { ty } else { None });
                }
                self.json_casts_granted(node, name);
                if !self.context.grants.function(chosen.item) {
                    self.function_not_granted(node, chosen.item);
                    return Operand::Opaque;
                }
                Some(chosen)
            }
            Err(Unresolved::Opaque) => {
                self.coerced(node, Operand::Opaque, None);
                if let Some(function) = ungranted {
                    self.function_not_granted(node, function);
                }
                None
            }
            Err(unresolved) => {
                self.unresolved_function(node, &schema, name, operands, &unresolved);
                return Operand::Opaque;
            }
        };
        self.functions.insert((schema.clone(), name.to_owned()));
        self.resolve(node, Resolution::Object { schema: schema.clone(), name: name.to_owned() });
        let Some(chosen) = chosen else { return Operand::Opaque };
        for (&argument, &ty) in nodes.iter().zip(&chosen.arguments) {
            self.settle(argument, ty);
        }
        chosen.result.map_or(Operand::Opaque, Operand::Known)
    }

    /// The schema that a function's name means: PostgreSQL's own functions can't be shadowed.
    fn schema_of(&self, written: &QualifiedName) -> Option<String> {
        let catalog = self.context.catalog;
        let has = |schema: &str| catalog.functions(schema, &written.name).next().is_some();
        match &written.schema {
            Some(schema) => has(schema).then(|| schema.clone()),
            None => std::iter::once(PG_CATALOG)
                .chain(self.context.schemas.iter().map(String::as_str))
                .find(|schema| has(schema))
                .map(str::to_owned),
        }
    }

    fn unknown_function(&mut self, node: NodeId, written: &QualifiedName) {
        let contents = self.context.catalog.contents();
        let granted = contents
            .functions
            .iter()
            .filter(|f| f.schema != PG_CATALOG && self.context.grants.function(f))
            .map(|f| (f.schema.as_str(), f.name.as_str()));
        let builtin = BUILTIN_FUNCTIONS.iter().map(|name| (PG_CATALOG, *name));
        let may_be_builtin = written.schema.as_deref().is_none_or(|schema| schema == PG_CATALOG);
        let is_builtin = may_be_builtin && BUILTIN_FUNCTIONS.binary_search(&written.name.as_str()).is_ok();
        let mut finding = Finding::new(Code::UnknownFunction, format!("there is no function {written}"));
        let near = self.did_you_mean(written, builtin.chain(granted));
        if let Some(help) = near.filter(|_| !is_builtin) {
            finding = finding.with_help(help);
        } else if contents.partial && may_be_builtin {
            finding = finding.with_help(PARTIAL_CATALOG);
        }
        self.find(node, finding);
    }

    fn function_not_granted(&mut self, node: NodeId, function: &Function) {
        let plugin = self.context.plugin;
        let name = format!("{}.{}", function.schema, function.name);
        let message = format!("the function {name} was not granted to the plugin {plugin}");
        let help = format!("add \"{name}\" to functions in [plugins.{plugin}.grants]");
        self.find(node, Finding::new(Code::FunctionNotGranted, message).with_help(help));
    }

    fn unresolved_function(
        &mut self,
        node: NodeId,
        schema: &str,
        name: &str,
        operands: &[Operand],
        unresolved: &Unresolved,
    ) {
        const SHOWN: usize = 6;
        let catalog = self.context.catalog;
        let called: Vec<String> = operands.iter().map(|operand| self.display(*operand)).collect();
        let called = format!("{name}({})", called.join(", "));
        let all: Vec<&Function> = catalog.functions(schema, name).collect();
        let mut signatures: Vec<String> =
            all.iter().take(SHOWN).map(|function| display_signature(catalog, function)).collect();
        if all.len() > SHOWN {
            signatures.push(format!("and {} more", all.len() - SHOWN));
        }
        let (message, help) = match unresolved {
            Unresolved::Ambiguous => (
                format!("the call {called} is ambiguous"),
                format!("say which types you mean with .cast_as(\"…\"); there are {}", signatures.join(", ")),
            ),
            Unresolved::NoMatch | Unresolved::Opaque => {
                (format!("there is no function {called}"), format!("there are {}", signatures.join(", ")))
            }
        };
        self.find(node, Finding::new(Code::UnknownFunction, message).with_help(help));
    }
}

/// A function as it would take a call's arguments, or nothing if it can't take that many or those names.
fn candidate<'f>(function: &'f Function, call: &Call, passed: usize) -> Option<Candidate<'f, Function>> {
    let declared = &function.arguments;
    let build = |arguments: Vec<Oid>, spread| {
        Some(Candidate { item: function, arguments, result: function.returns, spread })
    };
    if let FunctionKind::OrderedSet { .. } = function.kind
        && call.within_group.is_empty()
    {
        return None;
    }
    if call.arguments.iter().any(|argument| argument.name.is_some()) {
        return named(function, &call.arguments).and_then(|arguments| build(arguments, false));
    }
    let written_variadic = call.arguments.last().is_some_and(|argument| argument.variadic);
    if written_variadic {
        return (function.variadic.is_some() && passed == declared.len())
            .then(|| declared.clone())
            .and_then(|a| build(a, false));
    }
    if let Some(element) = function.variadic
        && passed >= declared.len()
    {
        let mut arguments = declared[..declared.len() - 1].to_vec();
        arguments.resize(passed, element);
        return build(arguments, true);
    }
    let least = declared.len() - usize::from(function.defaults).min(declared.len());
    (passed >= least && passed <= declared.len())
        .then(|| declared[..passed].to_vec())
        .and_then(|a| build(a, false))
}

/// The declared types of the arguments in the order in which they were passed.
fn named(function: &Function, arguments: &[Argument]) -> Option<Vec<Oid>> {
    let mut given = vec![false; function.arguments.len()];
    let mut types = Vec::with_capacity(arguments.len());
    for (index, argument) in arguments.iter().enumerate() {
        let position = match &argument.name {
            None => index,
            Some(name) => function.argument_names.iter().position(|its| its == name)?,
        };
        if std::mem::replace(given.get_mut(position)?, true) {
            return None;
        }
        types.push(function.arguments[position]);
    }
    let required = function.arguments.len() - usize::from(function.defaults).min(function.arguments.len());
    given[..required].iter().all(|given| *given).then_some(types)
}

fn display_signature(catalog: &Catalog, function: &Function) -> String {
    let arguments: Vec<String> = function.arguments.iter().map(|oid| types::display(catalog, *oid)).collect();
    format!("{}({})", function.name, arguments.join(", "))
}
