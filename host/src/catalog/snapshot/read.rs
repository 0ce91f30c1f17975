use std::collections::{HashMap, HashSet};

use callslip_ir::snapshot::{read_reference, reference};

use super::document::{
    CastEntry, Document, ForeignKeyEntry, FunctionEntry, FunctionKindName, OperatorEntry, RelationEntry,
    TypeEntry, TypeKindName,
};
use super::{Snapshot, SnapshotError, builtin};
use crate::catalog::{
    Cast, Collation, Column, Contents, ForeignKey, Function, FunctionKind, Oid, Operator, PG_CATALOG,
    Relation, Type, TypeKind, UniqueKey, Volatility,
};
use crate::nearest::nearest;

/// The first id that is not PostgreSQL's own (`FirstNormalObjectId`).
const FIRST_OID: Oid = 16_384;

/// The snapshot that a document tells of, every name resolved.
pub(super) fn snapshot(document: Document) -> Result<Snapshot, SnapshotError> {
    let mut reader = Reader { next: FIRST_OID, ..Reader::default() };
    reader.name(&document)?;
    let mut contents = Contents { server_version: document.postgresql, partial: true, ..Contents::default() };
    contents.types = reader.types(&document)?;
    for (schema, entry) in document.schemas.0 {
        for (name, entry) in entry.relations.0 {
            contents.relations.push(reader.relation(&schema, name, entry)?);
        }
        for entry in entry.functions {
            contents.functions.push(reader.function(&schema, entry)?);
        }
        for entry in entry.operators {
            contents.operators.push(reader.operator(&schema, entry)?);
        }
        let mut collations = HashSet::new();
        for name in entry.collations {
            if !collations.insert(name.clone()) {
                return Err(duplicate("the collation", &reference(&schema, &name)));
            }
            contents.collations.push(Collation { schema: schema.clone(), name });
        }
    }
    reader.check_signatures(&contents)?;
    for entry in document.casts {
        contents.casts.push(reader.cast(entry, &contents.functions)?);
    }
    reader.check_casts(&contents.casts)?;
    Ok(Snapshot { contents, search: document.search })
}

/// The ids that names were given.
#[derive(Default)]
struct Reader {
    next: Oid,
    /// Types by schema and name.
    types: HashMap<(String, String), Oid>,
    /// Array types by their elements.
    arrays: HashMap<Oid, Oid>,
    relations: HashMap<(String, String), NamedRelation>,
}

/// What a foreign key may refer to.
struct NamedRelation {
    oid: Oid,
    columns: HashSet<String>,
}

impl Reader {
    fn oid(&mut self) -> Oid {
        let oid = self.next;
        self.next += 1;
        oid
    }

    /// Gives every type, array type and relation its id.
    fn name(&mut self, document: &Document) -> Result<(), SnapshotError> {
        for (schema, entry) in &document.schemas.0 {
            for (name, ty) in &entry.types.0 {
                let builtin = |find: fn(&str) -> Option<Oid>| find(name).filter(|_| schema == PG_CATALOG);
                let oid = builtin(builtin::type_oid).unwrap_or_else(|| self.oid());
                self.add_type(schema, name, oid)?;
                if let Some(array) = ty.array_name(name) {
                    let array_oid = builtin(builtin::array_oid).unwrap_or_else(|| self.oid());
                    self.add_type(schema, &array, array_oid)?;
                    self.arrays.insert(oid, array_oid);
                }
            }
            for (name, relation) in &entry.relations.0 {
                let columns = relation.columns.iter().map(|column| column.name.clone()).collect();
                let named = NamedRelation { oid: self.oid(), columns };
                self.relations.insert((schema.clone(), name.clone()), named);
            }
        }
        Ok(())
    }

    fn add_type(&mut self, schema: &str, name: &str, oid: Oid) -> Result<(), SnapshotError> {
        match self.types.insert((schema.to_owned(), name.to_owned()), oid) {
            None => Ok(()),
            Some(_) => Err(duplicate("the type", &reference(schema, name))),
        }
    }

    /// The type that a reference means.
    fn ty(&self, written: &str, place: &str) -> Result<Oid, SnapshotError> {
        let (element, is_array) = match written.strip_suffix("[]") {
            Some(element) => (element, true),
            None => (written, false),
        };
        let found = read_reference(element).and_then(|name| self.types.get(&name).copied());
        let found = if is_array { found.and_then(|oid| self.arrays.get(&oid).copied()) } else { found };
        found.ok_or_else(|| {
            let known: Vec<String> =
                self.types.keys().map(|(schema, name)| reference(schema, name)).collect();
            let near = nearest(element, known.iter().map(String::as_str)).filter(|near| *near != element);
            unknown("type", written, place, near)
        })
    }

    fn types(&self, document: &Document) -> Result<Vec<Type>, SnapshotError> {
        let mut types = Vec::with_capacity(self.types.len());
        for (schema, entry) in &document.schemas.0 {
            for (name, entry) in &entry.types.0 {
                let place = reference(schema, name);
                let oid = self.types[&(schema.clone(), name.clone())];
                let kind = self.kind(entry, &place)?;
                let ty = Type {
                    oid,
                    schema: schema.clone(),
                    name: name.clone(),
                    category: entry.category.or(entry.kind.usual_category()).unwrap_or(UNTOLD),
                    kind,
                    preferred: entry.preferred,
                    array: self.arrays.get(&oid).copied(),
                };
                if let (Some(array), Some(array_name)) = (ty.array, entry.array_name(name)) {
                    types.push(array_type(&ty, array, array_name));
                }
                types.push(ty);
            }
        }
        settle_categories(&mut types)?;
        Ok(types)
    }

    fn kind(&self, entry: &TypeEntry, place: &str) -> Result<TypeKind, SnapshotError> {
        let TypeEntry { kind, labels, base, subtype, range, .. } = entry;
        let wrong = |wrong| SnapshotError::InvalidType { ty: place.to_owned(), wrong };
        Ok(match (kind, labels, base, subtype, range) {
            (TypeKindName::Base, None, None, None, None) => TypeKind::Base,
            (TypeKindName::Composite, None, None, None, None) => TypeKind::Composite,
            (TypeKindName::Pseudo, None, None, None, None) => TypeKind::Pseudo,
            (TypeKindName::Enum, Some(labels), None, None, None) => {
                if labels.iter().collect::<HashSet<_>>().len() < labels.len() {
                    return Err(wrong("has a label twice"));
                }
                TypeKind::Enum { labels: labels.clone() }
            }
            (TypeKindName::Domain, None, Some(base), None, None) => {
                TypeKind::Domain { base: self.ty(base, place)? }
            }
            (TypeKindName::Range, None, None, Some(subtype), None) => {
                TypeKind::Range { subtype: self.ty(subtype, place)? }
            }
            (TypeKindName::Multirange, None, None, None, Some(range)) => {
                TypeKind::Multirange { range: self.ty(range, place)? }
            }
            _ => {
                return Err(wrong(
                    "needs `labels` for an enum, `base` for a domain, `subtype` for a range, `range` \
                                   for a multirange, and none of the others",
                ));
            }
        })
    }

    fn relation(
        &mut self,
        schema: &str,
        name: String,
        entry: RelationEntry,
    ) -> Result<Relation, SnapshotError> {
        let place = reference(schema, &name);
        let named = &self.relations[&(schema.to_owned(), name.clone())];
        if named.columns.len() < entry.columns.len() {
            return Err(duplicate("a column of", &place));
        }
        let check = |columns: &[String], of: &NamedRelation, key: &str| match columns
            .iter()
            .find(|column| !of.columns.contains(*column))
        {
            None => Ok(()),
            Some(column) => {
                let near = nearest(column, of.columns.iter().map(String::as_str));
                Err(unknown("column", column, &format!("the key {key} of {place}"), near))
            }
        };
        let mut columns = Vec::with_capacity(entry.columns.len());
        for column in entry.columns {
            columns.push(Column {
                ty: self.ty(&column.ty, &format!("the column {} of {place}", column.name))?,
                name: column.name,
                type_modifier: column.modifier.unwrap_or(-1),
                nullable: column.nullable,
                comment: column.comment,
            });
        }
        let mut unique_keys = Vec::with_capacity(entry.unique_keys.len());
        for key in entry.unique_keys {
            check(&key.columns, named, &key.name)?;
            unique_keys.push(UniqueKey { name: key.name, primary: key.primary, columns: key.columns });
        }
        let mut foreign_keys = Vec::with_capacity(entry.foreign_keys.len());
        for ForeignKeyEntry { name, columns, target, target_columns } in entry.foreign_keys {
            check(&columns, named, &name)?;
            let of = read_reference(&target).and_then(|target| self.relations.get(&target));
            let of =
                of.ok_or_else(|| unknown("relation", &target, &format!("the key {name} of {place}"), None))?;
            check(&target_columns, of, &name)?;
            foreign_keys.push(ForeignKey { name, columns, target: of.oid, target_columns });
        }
        let oid = named.oid;
        Ok(Relation {
            oid,
            schema: schema.to_owned(),
            name,
            kind: entry.kind,
            columns,
            unique_keys,
            foreign_keys,
            comment: entry.comment,
        })
    }

    fn function(&mut self, schema: &str, entry: FunctionEntry) -> Result<Function, SnapshotError> {
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
        let arguments: Result<_, _> = entry.arguments.iter().map(|ty| self.ty(ty, &place)).collect();
        Ok(Function {
            oid: self.oid(),
            schema: schema.to_owned(),
            kind: match entry.kind {
                FunctionKindName::Function => FunctionKind::Function,
                FunctionKindName::Aggregate => FunctionKind::Aggregate,
                FunctionKindName::OrderedSet => FunctionKind::OrderedSet { direct: entry.direct },
                FunctionKindName::Window => FunctionKind::Window,
            },
            arguments: arguments?,
            argument_names: entry.argument_names,
            defaults: entry.defaults,
            variadic: entry.variadic.map(|ty| self.ty(&ty, &place)).transpose()?,
            returns: self.ty(&entry.returns, &place)?,
            returns_set: entry.set,
            volatility: entry.volatility.unwrap_or(Volatility::Immutable),
            security_definer: entry.security_definer,
            name: entry.name,
        })
    }

    fn operator(&mut self, schema: &str, entry: OperatorEntry) -> Result<Operator, SnapshotError> {
        let place = format!("the operator {} of {schema}", entry.name);
        Ok(Operator {
            oid: self.oid(),
            schema: schema.to_owned(),
            left: entry.left.map(|ty| self.ty(&ty, &place)).transpose()?,
            right: self.ty(&entry.right, &place)?,
            result: self.ty(&entry.result, &place)?,
            function: None,
            name: entry.name,
        })
    }

    fn cast(&self, entry: CastEntry, functions: &[Function]) -> Result<Cast, SnapshotError> {
        let place = format!("the cast from {} to {}", entry.source, entry.target);
        let function = match entry.function {
            None => None,
            Some(reference) => {
                let name = read_reference(&reference);
                // A grant is of a name, so that any of its signatures will do.
                let found = name.and_then(|(schema, name)| {
                    functions.iter().find(|function| function.schema == schema && function.name == name)
                });
                Some(found.ok_or_else(|| unknown("function", &reference, &place, None))?.oid)
            }
        };
        Ok(Cast {
            source: self.ty(&entry.source, &place)?,
            target: self.ty(&entry.target, &place)?,
            function,
            context: entry.context,
            binary: entry.binary,
        })
    }

    fn check_signatures(&self, contents: &Contents) -> Result<(), SnapshotError> {
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

    fn check_casts(&self, casts: &[Cast]) -> Result<(), SnapshotError> {
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

/// Stands for the category of a domain that takes its base's, until that is known.
const UNTOLD: char = '\0';

/// Gives each domain that does not say its category that of its base.
fn settle_categories(types: &mut [Type]) -> Result<(), SnapshotError> {
    let positions: HashMap<Oid, usize> =
        types.iter().enumerate().map(|(position, ty)| (ty.oid, position)).collect();
    for index in 0..types.len() {
        let (mut at, mut steps, mut category) = (index, 0, types[index].category);
        // Also where the category is told: whoever follows the bases must come to an end.
        while let TypeKind::Domain { base } = types[at].kind {
            steps += 1;
            if steps > types.len() {
                let ty = reference(&types[index].schema, &types[index].name);
                return Err(SnapshotError::InvalidType { ty, wrong: "is a domain over itself" });
            }
            at = positions[&base];
            if category == UNTOLD {
                category = types[at].category;
            }
        }
        types[index].category = category;
    }
    Ok(())
}

fn array_type(element: &Type, oid: Oid, name: String) -> Type {
    // PostgreSQL counts the array of `record` among the pseudo-types.
    let of_record = element.schema == PG_CATALOG && element.name == "record";
    Type {
        oid,
        schema: element.schema.clone(),
        name,
        kind: TypeKind::Array { element: element.oid },
        category: if of_record { 'P' } else { 'A' },
        preferred: false,
        array: None,
    }
}

impl TypeEntry {
    /// The name of the array type, if there is one.
    fn array_name(&self, name: &str) -> Option<String> {
        match &self.array {
            None => Some(format!("_{name}")),
            Some(array) => array.clone(),
        }
    }
}

fn unknown(what: &'static str, reference: &str, place: &str, nearest: Option<&str>) -> SnapshotError {
    SnapshotError::Unknown {
        what,
        reference: reference.to_owned(),
        place: place.to_owned(),
        nearest: nearest.map(str::to_owned),
    }
}

fn duplicate(what: &str, name: &str) -> SnapshotError {
    SnapshotError::Duplicate(format!("{what} {name}"))
}
