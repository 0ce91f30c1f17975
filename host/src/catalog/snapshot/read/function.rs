use std::collections::HashSet;

use callslip_ir::snapshot::{read_reference, reference};

use super::super::SnapshotError;
use super::super::document::{CastEntry, FunctionEntry, FunctionKindName, OperatorEntry};
use super::{Reader, duplicate, name, unknown};
use crate::catalog::{Cast, Contents, Function, FunctionKind, Oid, Operator};

impl Reader {
    pub(super) fn function(&mut self, schema: &str, entry: FunctionEntry) -> Result<Function, SnapshotError> {
        let place = format!("the function {}", reference(schema, &entry.name));
        let wrong = |wrong| {
            let function = reference(schema, &entry.name);
            Err(SnapshotError::InvalidFunction { function, wrong })
        };
        if ![0, entry.arguments.len()].contains(&entry.argument_names.len()) {
            return wrong("has not as many `argument_names` as `arguments`");
        }
        if entry.variadic.is_some() && entry.arguments.is_empty() {
            return wrong("is `variadic` and has no `arguments`");
        }
        Ok(Function {
            oid: self.oid(),
            schema: schema.to_owned(),
            kind: match entry.kind {
                FunctionKindName::Function => FunctionKind::Function,
                FunctionKindName::Aggregate => FunctionKind::Aggregate,
                FunctionKindName::OrderedSet => FunctionKind::OrderedSet { direct: entry.direct },
                FunctionKindName::Window => FunctionKind::Window,
            },
            arguments: self.references(&entry.arguments, &place)?,
            argument_names: entry.argument_names,
            defaults: entry.defaults,
            variadic: entry.variadic.map(|ty| self.ty(&ty, &place)).transpose()?,
            returns: self.ty(&entry.returns, &place)?,
            columns: self.attributes(&entry.columns, &place)?,
            returns_set: entry.set,
            volatility: entry.volatility,
            security_definer: entry.security_definer,
            strict: entry.strict,
            leakproof: entry.leakproof,
            parallel: entry.parallel,
            language: entry.language,
            owner: entry.owner,
            extension: entry.extension,
            comment: entry.comment,
            hidden: entry.hidden,
            name: entry.name,
        })
    }

    pub(super) fn operator(&mut self, schema: &str, entry: OperatorEntry) -> Result<Operator, SnapshotError> {
        let place = format!("the operator {} of {schema}", entry.name);
        Ok(Operator {
            oid: self.oid(),
            schema: schema.to_owned(),
            left: entry.left.map(|ty| self.ty(&ty, &place)).transpose()?,
            right: self.ty(&entry.right, &place)?,
            result: self.ty(&entry.result, &place)?,
            function: None,
            extension: entry.extension,
            hidden: entry.hidden,
            name: entry.name,
        })
    }

    pub(super) fn cast(&self, entry: CastEntry, functions: &[Function]) -> Result<Cast, SnapshotError> {
        let place = format!("the cast from {} to {}", entry.source, entry.target);
        let function = entry.function.map(|function| self.function_of_cast(&function, functions, &place));
        Ok(Cast {
            source: self.ty(&entry.source, &place)?,
            target: self.ty(&entry.target, &place)?,
            function: function.transpose()?,
            context: entry.context,
            binary: entry.binary,
            extension: entry.extension,
        })
    }

    fn function_of_cast(
        &self,
        written: &str,
        functions: &[Function],
        place: &str,
    ) -> Result<Oid, SnapshotError> {
        let (schema, name, arguments) = match read_reference(written) {
            // In version 1 it is a name alone. A grant is of a name too, so that any of its signatures will do.
            Some((schema, name)) => (schema, name, None),
            None => {
                let signature = name::signature(written, place)?;
                let arguments = self.references(&signature.arguments, place)?;
                (signature.function.schema, signature.function.name, Some(arguments))
            }
        };
        let found = functions.iter().find(|function| {
            (&function.schema, &function.name) == (&schema, &name)
                && arguments.as_ref().is_none_or(|arguments| function.arguments == *arguments)
        });
        found.map(|function| function.oid).ok_or_else(|| unknown("function", written, place, None))
    }

    /// The types that references mean.
    fn references(&self, written: &[String], place: &str) -> Result<Vec<Oid>, SnapshotError> {
        written.iter().map(|ty| self.ty(ty, place)).collect()
    }

    pub(super) fn check_signatures(&self, contents: &Contents) -> Result<(), SnapshotError> {
        let mut functions = HashSet::with_capacity(contents.functions.len());
        for function in &contents.functions {
            if !functions.insert((&function.schema, &function.name, &function.arguments)) {
                let name = reference(&function.schema, &function.name);
                return Err(duplicate("a signature of the function", &name));
            }
        }
        let mut operators = HashSet::with_capacity(contents.operators.len());
        for operator in &contents.operators {
            if !operators.insert((&operator.schema, &operator.name, operator.left, operator.right)) {
                let name = format!("{} of {}", operator.name, operator.schema);
                return Err(duplicate("a signature of the operator", &name));
            }
        }
        Ok(())
    }

    pub(super) fn check_casts(&self, casts: &[Cast]) -> Result<(), SnapshotError> {
        let mut pairs = HashSet::with_capacity(casts.len());
        match casts.iter().find(|cast| !pairs.insert((cast.source, cast.target))) {
            None => Ok(()),
            Some(cast) => {
                let name = |oid| self.types.iter().find(|(_, its)| **its == oid);
                let name = |oid| name(oid).map_or_else(String::new, |((s, n), _)| reference(s, n));
                Err(duplicate("the cast", &format!("from {} to {}", name(cast.source), name(cast.target))))
            }
        }
    }
}
