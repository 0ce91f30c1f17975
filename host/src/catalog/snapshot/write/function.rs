use super::super::document::{CastEntry, FunctionEntry, FunctionKindName, OperatorEntry};
use super::{Writer, comment};
use crate::catalog::{Cast, Function, FunctionKind, ObjectName, Operator, PG_CATALOG, Signature};

impl Writer<'_> {
    pub(super) fn function(&self, function: &Function) -> FunctionEntry {
        let (kind, direct) = match function.kind {
            FunctionKind::Function => (FunctionKindName::Function, 0),
            FunctionKind::Aggregate => (FunctionKindName::Aggregate, 0),
            FunctionKind::OrderedSet { direct } => (FunctionKindName::OrderedSet, direct),
            FunctionKind::Window => (FunctionKindName::Window, 0),
        };
        FunctionEntry {
            name: function.name.clone(),
            kind,
            arguments: self.types(&function.arguments),
            argument_names: function.argument_names.clone(),
            defaults: function.defaults,
            direct,
            variadic: function.variadic.map(|oid| self.ty(oid)),
            returns: self.ty(function.returns),
            columns: self.attributes(&function.columns),
            set: function.returns_set,
            volatility: function.volatility,
            security_definer: function.security_definer,
            strict: function.strict,
            leakproof: function.leakproof,
            parallel: function.parallel,
            language: function.language.clone(),
            owner: function.owner.clone(),
            extension: function.extension.clone(),
            comment: comment(&function.comment),
            hidden: function.hidden,
        }
    }

    pub(super) fn operator(&self, operator: &Operator) -> OperatorEntry {
        OperatorEntry {
            name: operator.name.clone(),
            left: operator.left.map(|oid| self.ty(oid)),
            right: self.ty(operator.right),
            result: self.ty(operator.result),
            extension: operator.extension.clone(),
            hidden: operator.hidden,
        }
    }

    pub(super) fn cast(&self, cast: &Cast) -> CastEntry {
        let function = cast.function.and_then(|oid| self.functions.get(&oid).copied());
        let signature = |function: &Function| {
            let name = ObjectName { schema: function.schema.clone(), name: function.name.clone() };
            Signature { function: name, arguments: self.types(&function.arguments) }.to_string()
        };
        CastEntry {
            source: self.ty(cast.source),
            target: self.ty(cast.target),
            function: function.filter(|function| function.schema != PG_CATALOG).map(signature),
            context: cast.context,
            binary: cast.binary,
            extension: cast.extension.clone(),
        }
    }
}
