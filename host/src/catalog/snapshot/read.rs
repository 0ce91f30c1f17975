mod types;

use std::collections::{HashMap, HashSet};

use callslip_ir::snapshot::{read_reference, reference};

use super::document::{
    AttributeEntry, CastEntry, Document, ForeignKeyEntry, FunctionEntry, FunctionKindName, OperatorEntry,
    RelationEntry, UniqueKeyEntry,
};
use super::{Snapshot, SnapshotError};
use crate::catalog::{
    Attribute, Cast, Collation, Column, Contents, ForeignKey, Function, FunctionKind, Oid, Operator,
    Relation, UniqueKey, Volatility,
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
            contents.collations.push(Collation { schema: schema.clone(), name, ..Collation::default() });
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
    row_types: Vec<types::RowType>,
}

/// What a foreign key may refer to.
struct NamedRelation {
    oid: Oid,
    row_type: Option<Oid>,
    columns: HashSet<String>,
}

impl Reader {
    fn oid(&mut self) -> Oid {
        let oid = self.next;
        self.next += 1;
        oid
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

    fn attributes(&self, entries: &[AttributeEntry], place: &str) -> Result<Vec<Attribute>, SnapshotError> {
        let attribute = |entry: &AttributeEntry| {
            Ok(Attribute {
                name: entry.name.clone(),
                ty: self.ty(&entry.ty, place)?,
                type_modifier: entry.modifier.unwrap_or(-1),
            })
        };
        entries.iter().map(attribute).collect()
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
                ..Column::default()
            });
        }
        let mut unique_keys = Vec::with_capacity(entry.unique_keys.len());
        for key in entry.unique_keys {
            check(&key.columns, named, &key.name)?;
            let UniqueKeyEntry { name, primary, partial, columns } = key;
            unique_keys.push(UniqueKey { name, primary, partial, columns, ..UniqueKey::default() });
        }
        let mut foreign_keys = Vec::with_capacity(entry.foreign_keys.len());
        for ForeignKeyEntry { name, columns, target, target_columns } in entry.foreign_keys {
            check(&columns, named, &name)?;
            let of = read_reference(&target).and_then(|target| self.relations.get(&target));
            let of =
                of.ok_or_else(|| unknown("relation", &target, &format!("the key {name} of {place}"), None))?;
            check(&target_columns, of, &name)?;
            foreign_keys.push(ForeignKey {
                name,
                columns,
                target: of.oid,
                target_columns,
                ..ForeignKey::default()
            });
        }
        let (oid, row_type) = (named.oid, named.row_type);
        Ok(Relation {
            oid,
            schema: schema.to_owned(),
            name,
            kind: entry.kind,
            columns,
            hidden_columns: entry.hidden_columns,
            row_type,
            unique_keys,
            foreign_keys,
            comment: entry.comment,
            ..Relation::default()
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
            columns: self.attributes(&entry.columns, &place)?,
            returns_set: entry.set,
            volatility: entry.volatility.unwrap_or(Volatility::Immutable),
            security_definer: entry.security_definer,
            name: entry.name,
            ..Function::default()
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
            ..Operator::default()
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
            ..Cast::default()
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
