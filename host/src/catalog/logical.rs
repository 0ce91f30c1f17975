use std::collections::{BTreeSet, HashMap, HashSet};

use callslip_ir::snapshot::reference;

use super::unused::{used, with_parts};
use super::{Contents, ObjectName, Oid, Schemas, Signature, TypeKind};

impl Contents {
    /// The same as plugins name it, for a snapshot that tables are made of: a logical schema has what is in the schema that it
    /// is, or in the first of those that it may be. The others, and a schema that a logical one hides, are left out, but for
    /// types that something else is of. What the database has as SQL, such as a default, keeps its real names.
    #[must_use]
    pub fn with_logical_names(mut self, schemas: &Schemas) -> Self {
        let mut names: HashMap<String, String> = HashMap::new();
        let mut left_out: HashSet<String> = HashSet::new();
        for (name, logical) in &schemas.logical {
            left_out.extend(logical.real().iter().cloned().chain([name.clone()]));
            names.extend(logical.representative().map(|real| (real.to_owned(), name.clone())));
        }
        left_out.retain(|schema| !names.contains_key(schema));
        if names.is_empty() {
            return self;
        }
        self.leave_out(&left_out);
        self.rename(&names);
        self
    }

    fn leave_out(&mut self, schemas: &HashSet<String>) {
        let stays = |schema: &String| !schemas.contains(schema);
        self.schemas.retain(|its| stays(&its.name));
        self.relations.retain(|its| stays(&its.schema));
        self.functions.retain(|its| stays(&its.schema));
        self.operators.retain(|its| stays(&its.schema));
        self.collations.retain(|its| stays(&its.schema));
        let relations: HashSet<Oid> = self.relations.iter().map(|its| its.oid).collect();
        for relation in &mut self.relations {
            relation.foreign_keys.retain(|key| relations.contains(&key.target));
        }
        let rows = self.relations.iter().filter_map(|its| its.row_type);
        let used = with_parts(self, used(self).chain(rows));
        let gone: HashSet<Oid> = self
            .types
            .iter()
            .filter(|ty| !stays(&ty.schema) && !used.contains(&ty.oid))
            .map(|ty| ty.oid)
            .collect();
        self.types.retain(|ty| !gone.contains(&ty.oid));
        for ty in &mut self.types {
            ty.array = ty.array.filter(|array| !gone.contains(array));
        }
        self.casts.retain(|cast| !gone.contains(&cast.source) && !gone.contains(&cast.target));
        let functions: HashSet<Oid> = self.functions.iter().map(|its| its.oid).collect();
        self.casts.retain(|cast| self.partial || cast.function.is_none_or(|oid| functions.contains(&oid)));
    }

    fn rename(&mut self, names: &HashMap<String, String>) {
        let schema = |its: &mut String| {
            if let Some(name) = names.get(its) {
                its.clone_from(name);
            }
        };
        let object = |its: &mut ObjectName| schema(&mut its.schema);
        self.schemas.iter_mut().for_each(|its| schema(&mut its.name));
        self.extensions.iter_mut().for_each(|its| schema(&mut its.schema));
        self.functions.iter_mut().for_each(|its| schema(&mut its.schema));
        self.operators.iter_mut().for_each(|its| schema(&mut its.schema));
        self.collations.iter_mut().for_each(|its| schema(&mut its.schema));
        for ty in &mut self.types {
            schema(&mut ty.schema);
            match &mut ty.kind {
                TypeKind::Range { collation, .. } => collation.iter_mut().for_each(object),
                TypeKind::Domain { rules, .. } => rules.collation.iter_mut().for_each(object),
                _ => {}
            }
        }
        for relation in &mut self.relations {
            schema(&mut relation.schema);
            relation.columns.iter_mut().filter_map(|its| its.collation.as_mut()).for_each(object);
            relation.partition_of.iter_mut().for_each(|its| object(&mut its.parent));
            relation.inherits.iter_mut().for_each(object);
            if let Some(view) = &mut relation.view {
                view.reads = renamed(&view.reads, object);
                view.calls = renamed(&view.calls, |its: &mut Signature| {
                    object(&mut its.function);
                    its.arguments.iter_mut().for_each(|ty| rename_reference(ty, names));
                });
            }
        }
    }
}

fn renamed<T: Clone + Ord>(set: &BTreeSet<T>, rename: impl Fn(&mut T)) -> BTreeSet<T> {
    let its = |its: &T| {
        let mut its = its.clone();
        rename(&mut its);
        its
    };
    set.iter().map(its).collect()
}

/// Renames the schema of a type that is written as snapshots refer to it.
fn rename_reference(written: &mut String, names: &HashMap<String, String>) {
    let prefix = |schema: &str| {
        let of_any = reference(schema, "x");
        of_any[..of_any.len() - 1].to_owned()
    };
    let rest = |(real, name): (&String, &String)| {
        Some(format!("{}{}", prefix(name), written.strip_prefix(&prefix(real))?))
    };
    if let Some(renamed) = names.iter().find_map(rest) {
        *written = renamed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Collation, Column, ForeignKey, Function, LogicalSchema, Relation, Type, View};

    fn name(schema: &str, name: &str) -> ObjectName {
        ObjectName { schema: schema.into(), name: name.into() }
    }

    fn relation(oid: Oid, schema: &str, its: &str, ty: Oid) -> Relation {
        let columns =
            vec![Column { name: "c".into(), ty, collation: Some(name("acme", "own")), ..Column::default() }];
        Relation { oid, schema: schema.into(), name: its.into(), columns, ..Relation::default() }
    }

    #[test]
    fn a_logical_schema_has_what_is_in_the_first_that_it_may_be() {
        let ty =
            |oid, schema: &str| Type { oid, schema: schema.into(), name: "status".into(), ..Type::default() };
        let key = |target| ForeignKey { target, ..ForeignKey::default() };
        let signature = Signature { function: name("acme", "f"), arguments: vec!["acme.status[]".into()] };
        let view = View {
            reads: [name("acme", "t"), name("public", "t")].into(),
            calls: [signature].into(),
            ..View::default()
        };
        let function =
            |schema: &str| Function { schema: schema.into(), name: "f".into(), ..Function::default() };
        let collation =
            |schema: &str| Collation { schema: schema.into(), name: "own".into(), ..Collation::default() };
        let contents = Contents {
            relations: vec![
                Relation { view: Some(view), ..relation(1, "acme", "t", 10) },
                relation(2, "globex", "t", 11),
                relation(3, "tenant", "t", 12),
                Relation { foreign_keys: vec![key(1), key(2)], ..relation(4, "public", "t", 13) },
            ],
            types: vec![ty(10, "acme"), ty(11, "globex"), ty(12, "tenant"), ty(13, "globex")],
            functions: vec![function("acme"), function("globex"), function("v3")],
            collations: vec![collation("acme"), collation("globex")],
            ..Contents::default()
        };
        let allowed = vec!["acme".to_owned(), "globex".to_owned()];
        let schemas = Schemas {
            searched: vec!["tenant".into()],
            logical: [
                ("tenant".to_owned(), LogicalSchema::Chosen { claim: "t".into(), allowed }),
                ("reporting".to_owned(), LogicalSchema::Fixed("v3".into())),
            ]
            .into(),
        };
        let found = contents.clone().with_logical_names(&schemas);
        let names: Vec<(&str, Oid)> =
            found.relations.iter().map(|its| (its.schema.as_str(), its.oid)).collect();
        assert_eq!(names, [("tenant", 1), ("public", 4)]);
        assert_eq!(found.relations[1].foreign_keys, [key(1)]);
        let view = found.relations[0].view.as_ref().unwrap();
        assert_eq!(view.reads, [name("public", "t"), name("tenant", "t")].into());
        assert_eq!(view.calls.first().unwrap().to_string(), "tenant.f(tenant.status[])");
        assert_eq!(found.relations[0].columns[0].collation, Some(name("tenant", "own")));
        let types: Vec<(&str, Oid)> = found.types.iter().map(|its| (its.schema.as_str(), its.oid)).collect();
        assert_eq!(types, [("tenant", 10), ("globex", 13)]);
        let functions: Vec<&str> = found.functions.iter().map(|its| its.schema.as_str()).collect();
        assert_eq!(functions, ["tenant", "reporting"]);
        assert_eq!(found.collations.iter().map(|its| its.schema.as_str()).collect::<Vec<_>>(), ["tenant"]);
        // On the snapshot a logical schema is what it is called; on the database, what is configured.
        let fixed = schemas.clone().of_snapshot(&found);
        assert_eq!(fixed.logical["tenant"], LogicalSchema::Fixed("tenant".into()));
        assert_eq!(fixed.logical["reporting"], LogicalSchema::Fixed("reporting".into()));
        assert_eq!(schemas.clone().of_snapshot(&contents), schemas);
        assert_eq!(contents.clone().with_logical_names(&Schemas::default()), contents);
    }
}
