use std::collections::HashSet;

use futures_util::future::{try_join, try_join5};
use tokio_postgres::{Client, Row};

use super::{
    ReflectError, casts, collations,
    database::{self, Database},
    failed, functions, operators, query,
    scope::Scope,
    types,
};
use crate::catalog::{Cast, Collation, Function, Oid, Operator, Relation, Type};

/// Everything that is no relation.
pub(super) struct Objects {
    pub(super) database: Database,
    pub(super) types: Vec<Type>,
    pub(super) functions: Vec<Function>,
    pub(super) operators: Vec<Operator>,
    pub(super) casts: Vec<Cast>,
    pub(super) collations: Vec<Collation>,
}

/// The rows that tell of [`Objects`].
pub(super) struct Rows {
    database: Vec<Row>,
    types: Vec<Row>,
    collations: Vec<Row>,
    functions: Vec<Row>,
    operators: Vec<Row>,
    casts: Vec<Row>,
}

pub(super) async fn read(client: &Client, scope: Scope) -> Result<Rows, ReflectError> {
    let (database, (types, collations, functions, operators, casts)) = try_join(
        query(client, "the schemas, extensions and settings", &database::database(scope)),
        try_join5(
            query(client, "the types", &types::types(scope)),
            query(client, "the collations", &collations::collations(scope)),
            query(client, "the functions", &functions::functions(scope)),
            query(client, "the operators", &operators::operators(scope)),
            query(client, "the casts", &casts::casts()),
        ),
    )
    .await?;
    Ok(Rows { database, types, collations, functions, operators, casts })
}

impl Rows {
    /// What they tell, with the types that relations need.
    pub(super) fn used_by(&self, relations: &[Relation]) -> Result<Objects, ReflectError> {
        let functions = functions::decode(&self.functions).map_err(failed("the functions"))?;
        let operators = operators::decode(&self.operators).map_err(failed("the operators"))?;
        let used: HashSet<Oid> = relations
            .iter()
            .flat_map(|relation| relation.columns.iter().map(|column| column.ty))
            .chain(functions.iter().flat_map(Function::types))
            .chain(operators.iter().flat_map(|o| [o.right, o.result].into_iter().chain(o.left)))
            .collect();
        let row_types = relations.iter().filter_map(|relation| relation.row_type).collect();
        Ok(Objects {
            database: database::decode(&self.database)
                .map_err(failed("the schemas, extensions and settings"))?,
            types: types::decode(&self.types, used, &row_types).map_err(failed("the types"))?,
            functions,
            operators,
            casts: casts::decode(&self.casts).map_err(failed("the casts"))?,
            collations: collations::decode(&self.collations).map_err(failed("the collations"))?,
        })
    }
}
