use callslip_ir::{Call, NodeId, Over, QualifiedName};

use super::Verifier;
use super::coerce::At;
use super::placement::Clause;
use crate::Code;
use crate::catalog::{CastContext, Function, FunctionKind, NameKind, Oid, PG_CATALOG, TypeKind};
use crate::grants::{PARTIAL_CATALOG, builtin};
use crate::select::scope::Scope;
use crate::select::signature::{self, Chosen, Operand, Pathway, Unresolved};
use crate::select::verified::Resolution;
use crate::select::{Finding, types};

impl<'a> Verifier<'a> {
    pub(super) fn call(&mut self, node: NodeId, call: &'a Call, scope: &Scope<'_>) -> Operand {
        let (sets, findings) = (self.sets_met, self.findings.len());
        let around = std::mem::take(&mut self.met);
        let mut operands: Vec<Operand> =
            call.arguments.iter().map(|argument| self.expression(argument.value, scope)).collect();
        let mut nodes: Vec<NodeId> = call.arguments.iter().map(|argument| argument.value).collect();
        let direct = std::mem::take(&mut self.met);
        for order in &call.within_group {
            let operand = self.expression(order.expression, scope);
            operands.push(operand);
            nodes.push(order.expression);
            self.ordering(order, operand);
        }
        for order in &call.order_by {
            self.order(order, scope);
        }
        if let Some(condition) = call.filter {
            let clause = self.enter(Clause::Filter);
            self.condition(condition, scope);
            self.enter(clause);
        }
        let rest = std::mem::take(&mut self.met);
        match &call.over {
            Some(Over::Window(window)) => self.window_of_call(node, window, scope),
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
        let has_variadic = call.arguments.iter().any(|argument| argument.variadic);
        if !call.within_group.is_empty() && (call.distinct || has_variadic || !call.order_by.is_empty()) {
            let message = "WITHIN GROUP goes with none of DISTINCT, VARIADIC and ORDER BY of the arguments";
            self.report(node, Code::InvalidStructure, message);
        }
        for (index, argument) in call.arguments.iter().enumerate() {
            if argument.variadic && call.distinct {
                let message = "DISTINCT and VARIADIC can't stand in one call";
                self.report(argument.value, Code::InvalidStructure, message);
            }
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
        let result = self.function(node, call, &nodes, &operands, sets);
        self.met = self.met.and(around).and(direct).and(rest);
        // Of what is wrong in itself it is not known where it stands.
        if self.findings.len() == findings {
            self.placed(node, call, direct, rest);
        }
        result
    }

    /// Resolves a function, brings its arguments to the types that it takes, and gives that of its result. The nodes and operands
    /// are those of the arguments and then of WITHIN GROUP; `sets` is how many calls that return a set were met before them.
    fn function(
        &mut self,
        node: NodeId,
        call: &'a Call,
        nodes: &[NodeId],
        operands: &[Operand],
        sets: usize,
    ) -> Operand {
        let catalog = self.context.catalog;
        let name = call.function.name.as_str();
        let schemas = self.context.path.all(catalog, NameKind::Function, &call.function);
        let Some(first) = schemas.iter().find_map(|schema| catalog.functions(schema, name).next()) else {
            if let Some(oid) = self.functional_cast(node, call, nodes, operands) {
                return Operand::Known(oid);
            }
            self.unknown_function(node, &call.function);
            return Operand::Opaque;
        };
        let candidates = signature::of_function(catalog, &schemas, name, call, operands.len());
        let exact = signature::exact(&candidates, operands).is_some();
        if !exact && let Some(oid) = self.functional_cast(node, call, nodes, operands) {
            return Operand::Known(oid);
        }
        let all = || schemas.iter().flat_map(|schema| catalog.functions(schema, name));
        let is_granted = |function: &&Function| self.context.grants.function(function);
        let any_granted = all().any(|function| is_granted(&function));
        let chosen = match signature::choose(catalog, candidates, operands, false) {
            Ok(chosen) if is_granted(&chosen.item) => chosen,
            Ok(chosen) => {
                self.function_not_granted(node, chosen.item);
                return Operand::Opaque;
            }
            Err(unresolved) if !any_granted => {
                // Which one is meant will be known once that is mended which keeps a type from being known.
                let is_one = all().count() == 1;
                match unresolved {
                    _ if is_one => self.function_not_granted(node, first),
                    Unresolved::Opaque if !self.findings.is_empty() => {}
                    _ => self.functions_not_granted(node, first),
                }
                return Operand::Opaque;
            }
            Err(Unresolved::Opaque) => {
                self.nearest_function(node, call, first, nodes, operands);
                return Operand::Opaque;
            }
            Err(unresolved) => {
                // Its signatures have what is in WITHIN GROUP too, so that without it none fits.
                let is_ordered_set =
                    |function: &Function| matches!(function.kind, FunctionKind::OrderedSet { .. });
                if call.within_group.is_empty() && all().all(is_ordered_set) {
                    self.needs_within_group(node, name);
                } else {
                    self.unresolved_function(node, &schemas, name, operands, &unresolved);
                }
                return Operand::Opaque;
            }
        };
        if chosen.item.schema == PG_CATALOG {
            self.json_casts_granted(node, name);
            self.text_casts_granted(name, nodes, operands, Some(&chosen.declared));
            self.row_types_granted(node, name, &printed_types(operands, &chosen.arguments));
        }
        self.variadic(node, call, &chosen, operands);
        self.used_as(node, call, chosen.item, operands.len());
        if chosen.item.kind != FunctionKind::Function {
            self.no_set_since(sets, node, &format!("a call of {name}"));
        }
        self.sets_met += usize::from(chosen.item.returns_set);
        self.calls(node, chosen.item);
        self.runs(node, Some(chosen.item.oid));
        self.called.insert(node, chosen.item.oid);
        self.function_used(node, chosen.item, nodes);
        self.result_fields(node, chosen.item);
        let printed = self.arguments(call, chosen.item, nodes, operands, &chosen);
        self.function_stays(node, call, chosen.item, &printed);
        chosen.result.map_or(Operand::Opaque, Operand::Known)
    }

    /// Makes sure that PostgreSQL finds the function that was chosen, with the arguments as they are printed.
    fn function_stays(&mut self, node: NodeId, call: &Call, chosen: &Function, printed: &[Operand]) {
        if printed.contains(&Operand::Opaque) {
            return;
        }
        let (catalog, schemas) = (self.context.catalog, [chosen.schema.as_str()]);
        let candidates = signature::of_function(catalog, &schemas, &chosen.name, call, printed.len());
        let again = signature::choose(catalog, candidates, printed, false);
        if !again.is_ok_and(|again| again.item.oid == chosen.oid) {
            self.unresolved_function(node, &schemas, &chosen.name, printed, &Unresolved::Ambiguous);
        }
    }

    /// PostgreSQL makes an array of the arguments that are spread over a VARIADIC one, and wants an array for VARIADIC "any".
    fn variadic(&mut self, node: NodeId, call: &Call, chosen: &Chosen<'_, Function>, operands: &[Operand]) {
        let catalog = self.context.catalog;
        let name = &chosen.item.name;
        let Some(variadic) = chosen.item.variadic.and_then(|oid| catalog.type_by_oid(oid)) else { return };
        let is_any = variadic.name == "any";
        if call.arguments.last().is_some_and(|argument| argument.variadic) && is_any {
            let is_array = match operands.last() {
                Some(Operand::Known(oid)) => {
                    catalog.element_type(catalog.base_type(*oid)) != catalog.base_type(*oid)
                }
                Some(Operand::Opaque) => true,
                Some(Operand::Untyped) | None => false,
            };
            if !is_array {
                self.only_for(node, &format!("the VARIADIC argument of {name} must be an array"));
            }
        }
        let last = chosen.arguments.last().copied().flatten().and_then(|oid| catalog.type_by_oid(oid));
        if let Some(last) = last.filter(|ty| chosen.spread && !is_any && ty.array.is_none()) {
            let ty = self.shown_type(last.oid);
            self.report(
                node,
                Code::UnknownType,
                format!("{name} makes an array of its arguments, and there are none of {ty}"),
            );
        }
    }

    /// Brings the arguments to the types that a function takes, and gives the types that they have where they are printed.
    fn arguments(
        &mut self,
        call: &Call,
        function: &Function,
        nodes: &[NodeId],
        operands: &[Operand],
        chosen: &Chosen<'_, Function>,
    ) -> Vec<Operand> {
        // PostgreSQL looks for what DISTINCT sorts by among the arguments as they are written.
        let as_written = call.distinct && !call.order_by.is_empty();
        let mut wanted = chosen.arguments.clone();
        if let FunctionKind::OrderedSet { .. } = function.kind {
            self.hypothetical(call, function, nodes, operands, &mut wanted);
        }
        let mut printed = Vec::with_capacity(operands.len());
        for (index, (&argument, &operand)) in nodes.iter().zip(operands).enumerate() {
            let (declared, ty) = (chosen.declared[index], wanted[index]);
            if as_written && matches!(operand, Operand::Known(_)) {
                self.coerced(argument, operand, ty);
                printed.push(operand);
            } else {
                self.argument(At::Value(argument), operand, declared, ty);
                printed.push(match (operand, ty) {
                    (Operand::Opaque, _) => operand,
                    (_, Some(ty)) => Operand::Known(ty),
                    // A constant that is left is text in the end.
                    (_, None) => self.known("text"),
                });
            }
        }
        printed
    }

    /// A hypothetical-set aggregate takes its last direct arguments as values of what it sorts by: each and its sort key have a
    /// common type, to which PostgreSQL brings them.
    fn hypothetical(
        &mut self,
        call: &Call,
        function: &Function,
        nodes: &[NodeId],
        operands: &[Operand],
        wanted: &mut [Option<Oid>],
    ) {
        let sorted = call.within_group.len();
        let direct = operands.len() - sorted;
        let any = |oid: Oid| self.context.catalog.type_by_oid(oid).is_some_and(|ty| ty.name == "any");
        if !function.variadic.is_some_and(any) || direct < sorted {
            return;
        }
        for key in direct..operands.len() {
            let value = key - sorted;
            // The sort key comes first: better one direct argument is converted than every row's.
            let pair = [(nodes[key], operands[key]), (nodes[value], operands[value])];
            let common = self.common_type(&pair, "WITHIN GROUP");
            (wanted[key], wanted[value]) = (common, common);
        }
    }

    /// A call of one argument whose name is a type's: PostgreSQL takes it for a cast, if no function takes exactly that argument
    /// and the cast needs none (`func_get_detail` of its parse_func.c).
    fn functional_cast(
        &mut self,
        node: NodeId,
        call: &Call,
        nodes: &[NodeId],
        operands: &[Operand],
    ) -> Option<Oid> {
        let ([argument], [operand], [value]) = (call.arguments.as_slice(), operands, nodes) else {
            return None;
        };
        if argument.name.is_some() || argument.variadic || call.star || !call.within_group.is_empty() {
            return None;
        }
        let catalog = self.context.catalog;
        let name = call.function.name.as_str();
        let schema = self.context.path.first(catalog, NameKind::Type, &call.function)?;
        let ty = catalog
            .ty(schema, name)
            .filter(|ty| !matches!(ty.kind, TypeKind::Composite { .. } | TypeKind::Pseudo))?;
        match *operand {
            Operand::Untyped => {}
            Operand::Opaque => return None,
            Operand::Known(from) => match signature::pathway(catalog, from, ty.oid, CastContext::Explicit)? {
                Pathway::Relabel => {}
                Pathway::Cast(cast) if cast.function.is_none() => {}
                Pathway::Text if !types::is_row(catalog, from) => {}
                Pathway::Cast(_) | Pathway::Text | Pathway::Elements(_) => return None,
            },
        }
        if call.distinct || !call.order_by.is_empty() || call.filter.is_some() || call.over.is_some() {
            self.only_for(
                node,
                &format!("{name} is a cast here, so it can't have DISTINCT, ORDER BY, FILTER or OVER"),
            );
        }
        if !self.context.grants.ty(catalog.type_by_oid(catalog.element_type(ty.oid))?) {
            self.type_not_granted(node, ty);
        }
        self.cast_granted(node, *operand, ty.oid);
        self.converts(node, *operand, Some(ty.oid));
        self.settle(*value, Some(ty.oid));
        self.resolve(node, Resolution::Type(types::of_oid(catalog, ty.oid)?));
        Some(ty.oid)
    }

    /// The function of `pg_catalog` that a special form calls. An operand without a node is written by the host. None, if it
    /// can't be told, as of a catalog snapshot, which leaves some of them out.
    pub(super) fn special_function(
        &mut self,
        name: &str,
        operands: &[(Option<NodeId>, Operand)],
    ) -> Option<Oid> {
        let catalog = self.context.catalog;
        let types: Vec<Operand> = operands.iter().map(|(_, operand)| *operand).collect();
        let candidates = signature::by_position(catalog, name, types.len());
        let is_known = !candidates.is_empty();
        let chosen = signature::choose(catalog, candidates, &types, false);
        let values = operands.iter().filter_map(|(node, operand)| Some(((*node)?, *operand)));
        let Ok(chosen) = chosen else {
            for (node, operand) in values.clone() {
                self.coerced(node, operand, None);
            }
            let unresolved = chosen.err().filter(|unresolved| is_known && *unresolved != Unresolved::Opaque);
            if let (Some(unresolved), Some((node, _))) = (unresolved, values.clone().next()) {
                self.unresolved_function(node, &[PG_CATALOG], name, &types, &unresolved);
            }
            return None;
        };
        if !self.context.grants.function(chosen.item) {
            if let Some((node, _)) = values.clone().next() {
                self.function_not_granted(node, chosen.item);
            }
            return None;
        }
        for (index, (node, operand)) in operands.iter().enumerate() {
            if let Some(node) = node {
                self.argument(At::Value(*node), *operand, chosen.declared[index], chosen.arguments[index]);
            }
        }
        self.run.insert(chosen.item.oid);
        chosen.result
    }

    /// Remembers what a call means.
    fn calls(&mut self, node: NodeId, function: &Function) {
        self.functions.insert((function.schema.clone(), function.name.clone()));
        self.resolve(
            node,
            Resolution::Object { schema: function.schema.clone(), name: function.name.clone() },
        );
    }

    /// A function of which only the name is known, since an argument's type is not: PostgreSQL makes it one of those of the
    /// schema that is printed.
    fn nearest_function(
        &mut self,
        node: NodeId,
        call: &Call,
        first: &'a Function,
        nodes: &[NodeId],
        operands: &[Operand],
    ) {
        for (&argument, &operand) in nodes.iter().zip(operands) {
            self.coerced(argument, operand, None);
        }
        let name = first.name.as_str();
        self.runs(node, None);
        if first.schema == PG_CATALOG {
            self.json_casts_granted(node, name);
            self.text_casts_granted(name, nodes, operands, None);
            self.row_types_granted(node, name, operands);
        }
        let passed = operands.len();
        let candidates = signature::of_function(self.context.catalog, &[&first.schema], name, call, passed);
        let ungranted = candidates.iter().find(|its| !self.context.grants.function(its.item));
        match ungranted.map(|candidate| candidate.item) {
            // What is wrong already may be all that keeps the argument's type from being known.
            Some(function) if self.findings.is_empty() => self.functions_not_granted(node, function),
            Some(_) => {}
            None => {
                self.function_used(node, first, nodes);
                self.calls(node, first);
            }
        }
        if let Some(candidate) = candidates.first()
            && candidates.iter().all(|its| its.item.kind == candidate.item.kind)
        {
            self.used_as(node, call, candidate.item, passed);
        }
    }

    fn unknown_function(&mut self, node: NodeId, written: &QualifiedName) {
        let contents = self.context.catalog.contents();
        let granted = contents
            .functions
            .iter()
            .filter(|f| f.schema != PG_CATALOG && self.context.grants.function(f))
            .map(|f| (f.schema.as_str(), f.name.as_str()));
        let names = builtin::function_names();
        let may_be_builtin = written.schema.as_deref().is_none_or(|schema| schema == PG_CATALOG);
        let is_builtin = may_be_builtin && names.binary_search(&written.name.as_str()).is_ok();
        let mut finding = Finding::new(Code::UnknownFunction, format!("there is no function {written}"));
        let near = self.did_you_mean(written, names.iter().map(|name| (PG_CATALOG, *name)).chain(granted));
        if let Some(help) = near.filter(|_| !is_builtin) {
            finding = finding.with_help(help);
        } else if contents.partial && may_be_builtin {
            finding = finding.with_help(PARTIAL_CATALOG);
        }
        self.find(node, finding);
    }

    fn unresolved_function(
        &mut self,
        node: NodeId,
        schemas: &[&str],
        name: &str,
        operands: &[Operand],
        unresolved: &Unresolved,
    ) {
        const SHOWN: usize = 6;
        let catalog = self.context.catalog;
        let called: Vec<String> = operands.iter().map(|operand| self.display(*operand)).collect();
        let called = format!("{name}({})", called.join(", "));
        let all: Vec<&Function> = schemas.iter().flat_map(|schema| catalog.functions(schema, name)).collect();
        let mut signatures: Vec<String> =
            all.iter().take(SHOWN).map(|function| self.shown_signature(function)).collect();
        if all.len() > SHOWN {
            signatures.push(format!("and {} more", all.len() - SHOWN));
        }
        let signatures = signatures.join(", ");
        let (message, help) = match unresolved {
            Unresolved::Ambiguous => (
                format!("the call {called} is ambiguous"),
                format!("say which types you mean with .cast_as(\"…\"); there are {signatures}"),
            ),
            Unresolved::Undetermined => (
                format!("the function of {called} takes any type, and nothing tells which one it gets"),
                "say which types you mean with .cast_as(\"…\")".to_owned(),
            ),
            Unresolved::NoMatch if name == "unnest" && operands.len() > 1 => (
                format!("there is no function {called}"),
                "several arrays stand in FROM, as the functions of one rare::rows_from(…)".to_owned(),
            ),
            Unresolved::NoMatch | Unresolved::Opaque => {
                (format!("there is no function {called}"), format!("there are {signatures}"))
            }
        };
        self.find(node, Finding::new(Code::UnknownFunction, message).with_help(help));
    }

    fn shown_signature(&self, function: &Function) -> String {
        let arguments: Vec<String> = function.arguments.iter().map(|oid| self.shown_type(*oid)).collect();
        format!("{}({})", function.name, arguments.join(", "))
    }
}

/// The operands, with the types that untyped ones take.
fn printed_types(operands: &[Operand], types: &[Option<Oid>]) -> Vec<Operand> {
    let typed = |(operand, ty): (&Operand, &Option<Oid>)| match (operand, ty) {
        (Operand::Untyped, Some(ty)) => Operand::Known(*ty),
        _ => *operand,
    };
    operands.iter().zip(types).map(typed).collect()
}
