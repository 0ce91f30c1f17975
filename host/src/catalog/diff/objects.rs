use super::change::ObjectKind;
use super::pairs::pairs;
use super::side::Side;
use super::ty::attributes;
use super::{Differ, ObjectRef, What};
use crate::catalog::{
    Cast, CastContext, Collation, Function, FunctionKind, Operator, PG_CATALOG, Parallel, Volatility,
};

impl Differ<'_> {
    pub(super) fn functions(&mut self) {
        let (old, new) = (&self.old.contents.functions, &self.new.contents.functions);
        let old_key = |its| signature(its, self.old.types(&its.arguments));
        let new_key = |its| signature(its, self.new.types(&its.arguments));
        for ((schema, name, arguments), pair) in pairs(old, new, old_key, new_key) {
            if !self.is_told(schema, pair.0.is_some() && pair.1.is_some()) {
                continue;
            }
            let object = ObjectRef::new(ObjectKind::Function, schema, name).with_arguments(arguments);
            match pair {
                (Some(old), Some(new)) => self.function(object, old, new),
                (None, Some(new)) => {
                    let set = if new.returns_set { "setof " } else { "" };
                    let as_ = format!("returns {set}{}", self.new.ty(new.returns));
                    self.about(object).appeared(as_);
                }
                _ => self.about(object).tell(What::Disappeared),
            }
        }
    }

    fn function(&mut self, object: ObjectRef, old: &Function, new: &Function) {
        let Function {
            oid: _,
            // What it is found by.
            schema: _,
            name: _,
            arguments: _,
            kind: old_kind,
            argument_names,
            defaults,
            variadic,
            returns,
            columns,
            returns_set,
            volatility,
            security_definer,
            strict,
            leakproof,
            parallel,
            language,
            owner,
            extension,
            comment,
            // What a login may do is no part of a schema.
            hidden: _,
        } = old;
        let variadic = (variadic.map(|oid| self.old.ty(oid)), new.variadic.map(|oid| self.new.ty(oid)));
        let returns = (self.old.ty(*returns), self.new.ty(new.returns));
        let columns = (attributes(&self.old, columns), attributes(&self.new, &new.columns));
        let all = self.all;
        let mut about = self.about(object);
        about.text(What::KIND, kind(*old_kind), kind(new.kind));
        let direct = |kind| match kind {
            FunctionKind::OrderedSet { direct } => Some(direct.to_string()),
            FunctionKind::Function | FunctionKind::Aggregate | FunctionKind::Window => None,
        };
        about.option("number of direct arguments", direct(*old_kind), direct(new.kind));
        if *argument_names != new.argument_names {
            about.option(
                "list of argument names",
                Some(argument_names.join(", ")),
                Some(new.argument_names.join(", ")),
            );
        }
        about.text(
            "number of arguments that may be left out",
            defaults.to_string(),
            new.defaults.to_string(),
        );
        about.option("VARIADIC type", variadic.0, variadic.1);
        about.text("result type", returns.0, returns.1);
        about.items("gives the column", &columns.0, &columns.1);
        about.order("order of the columns", &columns.0, &columns.1);
        about.is("one that returns a set", *returns_set, new.returns_set);
        about.text("volatility", self::volatility(*volatility), self::volatility(new.volatility));
        about.is("run with its owner's rights (SECURITY DEFINER)", *security_definer, new.security_definer);
        if all {
            about.is("strict", *strict, new.strict);
            about.is("leakproof", *leakproof, new.leakproof);
            about.text("parallel safety", self::parallel(*parallel), self::parallel(new.parallel));
            about.text("language", language, &new.language);
            about.text("owner", owner, &new.owner);
            about.option("extension", extension.clone(), new.extension.clone());
            about.option("comment", comment.clone(), new.comment.clone());
        }
    }

    pub(super) fn operators(&mut self) {
        let (old, new) = (&self.old.contents.operators, &self.new.contents.operators);
        let old_key = |its| operator(its, self.old.operands(its));
        let new_key = |its| operator(its, self.new.operands(its));
        for ((schema, name, operands), pair) in pairs(old, new, old_key, new_key) {
            if !self.is_told(schema, pair.0.is_some() && pair.1.is_some()) {
                continue;
            }
            let object = ObjectRef::new(ObjectKind::Operator, schema, name).with_arguments(operands);
            match pair {
                (Some(old), Some(new)) => {
                    let Operator {
                        oid: _,
                        schema: _,
                        name: _,
                        left: _,
                        right: _,
                        result,
                        function,
                        extension,
                        hidden: _,
                    } = old;
                    let results = (self.old.ty(*result), self.new.ty(new.result));
                    let functions = (self.old.own_function(*function), self.new.own_function(new.function));
                    let all = self.all;
                    let mut about = self.about(object);
                    about.text("result type", results.0, results.1);
                    if all {
                        about.option("function", functions.0, functions.1);
                        about.option("extension", extension.clone(), new.extension.clone());
                    }
                }
                (None, Some(new)) => {
                    let as_ = format!("gives {}", self.new.ty(new.result));
                    self.about(object).appeared(as_);
                }
                _ => self.about(object).tell(What::Disappeared),
            }
        }
    }

    pub(super) fn casts(&mut self) {
        let (old, new) = (&self.old.contents.casts, &self.new.contents.casts);
        let found = pairs(old, new, |its| self.old.cast(its), |its| self.new.cast(its));
        for ((source, target), pair) in found {
            let is_own = |side: &Side<'_>, cast: Option<&Cast>| {
                cast.is_some_and(|cast| side.is_own(cast.source) || side.is_own(cast.target))
            };
            let is_own = is_own(&self.old, pair.0) || is_own(&self.new, pair.1);
            let schema = if is_own { "" } else { PG_CATALOG };
            if !self.is_told(schema, pair.0.is_some() && pair.1.is_some()) {
                continue;
            }
            let object = ObjectRef::new(ObjectKind::Cast, "", &source).with_arguments(target);
            match pair {
                (Some(old), Some(new)) => {
                    let Cast { source: _, target: _, function, context: old_context, binary, extension } =
                        old;
                    let functions = (self.old.own_function(*function), self.new.own_function(new.function));
                    let all = self.all;
                    let mut about = self.about(object);
                    about.option("function", functions.0, functions.1);
                    about.text("context", context(*old_context), context(new.context));
                    about.is("binary-coercible", *binary, new.binary);
                    if all {
                        about.option("extension", extension.clone(), new.extension.clone());
                    }
                }
                (None, Some(new)) => self.about(object).appeared(context(new.context)),
                _ => self.about(object).tell(What::Disappeared),
            }
        }
    }

    pub(super) fn collations(&mut self) {
        fn key(its: &Collation) -> (&str, &str) {
            (&its.schema, &its.name)
        }
        let (old, new) = (&self.old.contents.collations, &self.new.contents.collations);
        for ((schema, name), pair) in pairs(old, new, key, key) {
            if !self.is_told(schema, pair.0.is_some() && pair.1.is_some()) {
                continue;
            }
            let all = self.all;
            let mut about = self.about(ObjectRef::new(ObjectKind::Collation, schema, name));
            match pair {
                (Some(old), Some(new)) => {
                    let Collation { schema: _, name: _, nondeterministic } = old;
                    if all {
                        about.is("nondeterministic", *nondeterministic, new.nondeterministic);
                    }
                }
                (None, Some(_)) => about.appeared(""),
                _ => about.tell(What::Disappeared),
            }
        }
    }
}

fn signature(function: &Function, arguments: String) -> (&str, &str, String) {
    (&function.schema, &function.name, arguments)
}

fn operator(operator: &Operator, operands: String) -> (&str, &str, String) {
    (&operator.schema, &operator.name, operands)
}

fn kind(kind: FunctionKind) -> &'static str {
    match kind {
        FunctionKind::Function => "function",
        FunctionKind::Aggregate => "aggregate",
        FunctionKind::OrderedSet { .. } => "ordered-set aggregate",
        FunctionKind::Window => "window function",
    }
}

fn volatility(volatility: Volatility) -> &'static str {
    match volatility {
        Volatility::Immutable => "IMMUTABLE",
        Volatility::Stable => "STABLE",
        Volatility::Volatile => "VOLATILE",
    }
}

fn parallel(parallel: Parallel) -> &'static str {
    match parallel {
        Parallel::Safe => "PARALLEL SAFE",
        Parallel::Restricted => "PARALLEL RESTRICTED",
        Parallel::Unsafe => "PARALLEL UNSAFE",
    }
}

fn context(context: CastContext) -> &'static str {
    match context {
        CastContext::Implicit => "implicit",
        CastContext::Assignment => "in assignments",
        CastContext::Explicit => "explicit",
    }
}
