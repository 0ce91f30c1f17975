use std::collections::{BTreeMap, HashSet};

use futures_util::future::{try_join, try_join3, try_join5};
use tokio_postgres::{Client, Row};

use super::{ReflectError, failed, functions, query, schemas, scope::Scope, types};
use crate::catalog::{Cast, Collation, Extension, Function, Oid, Operator, Relation, Schema, Type};

/// Everything that is no relation.
pub(super) struct Objects {
    pub(super) settings: BTreeMap<String, String>,
    pub(super) schemas: Vec<Schema>,
    pub(super) extensions: Vec<Extension>,
    pub(super) types: Vec<Type>,
    pub(super) functions: Vec<Function>,
    pub(super) operators: Vec<Operator>,
    pub(super) casts: Vec<Cast>,
    pub(super) collations: Vec<Collation>,
}

/// The rows that tell of [`Objects`].
pub(super) struct Rows {
    settings: Vec<Row>,
    schemas: Vec<Row>,
    extensions: Vec<Row>,
    types: Vec<Row>,
    collations: Vec<Row>,
    functions: Vec<Row>,
    operators: Vec<Row>,
    casts: Vec<Row>,
}

pub(super) async fn read(client: &Client, scope: Scope) -> Result<Rows, ReflectError> {
    let ((settings, schemas, extensions), (types, collations, functions, operators, casts)) = try_join(
        try_join3(
            query(client, "the settings", schemas::SETTINGS),
            query(client, "the schemas", &schemas::schemas(scope)),
            query(client, "the extensions", schemas::EXTENSIONS),
        ),
        try_join5(
            query(client, "the types", &types::types(scope)),
            query(client, "the collations", &types::collations(scope)),
            query(client, "the functions", &functions::functions(scope)),
            query(client, "the operators", &functions::operators(scope)),
            query(client, "the casts", functions::CASTS),
        ),
    )
    .await?;
    Ok(Rows { settings, schemas, extensions, types, collations, functions, operators, casts })
}

impl Rows {
    /// What they tell, with the types that relations need.
    pub(super) fn used_by(&self, relations: &[Relation]) -> Result<Objects, ReflectError> {
        let functions = functions::decode_functions(&self.functions).map_err(failed("the functions"))?;
        let operators = functions::decode_operators(&self.operators).map_err(failed("the operators"))?;
        let used: HashSet<Oid> = relations
            .iter()
            .flat_map(|relation| relation.columns.iter().map(|column| column.ty))
            .chain(functions.iter().flat_map(Function::types))
            .chain(operators.iter().flat_map(|o| [o.right, o.result].into_iter().chain(o.left)))
            .collect();
        let row_types = relations.iter().filter_map(|relation| relation.row_type).collect();
        Ok(Objects {
            settings: schemas::decode_settings(&self.settings).map_err(failed("the settings"))?,
            schemas: schemas::decode_schemas(&self.schemas).map_err(failed("the schemas"))?,
            extensions: schemas::decode_extensions(&self.extensions).map_err(failed("the extensions"))?,
            types: types::decode_types(&self.types, used, &row_types).map_err(failed("the types"))?,
            functions,
            operators,
            casts: functions::decode_casts(&self.casts).map_err(failed("the casts"))?,
            collations: types::decode_collations(&self.collations).map_err(failed("the collations"))?,
        })
    }
}
