use std::collections::{BTreeSet, HashMap};

use callslip_ir::snapshot::reference;
use futures_util::future::try_join5;
use tokio_postgres::{Client, Error, Row};

use super::{Called, Reference, Referred, TypeFacts, tree::references};
use crate::catalog::{
    ObjectName, Oid, Signature,
    reflect::{ReflectError, failed, query_of},
};

/// What was asked for, by id.
pub(super) struct Asked {
    pub(super) relations: HashMap<Oid, Referred>,
    /// Virtual columns: the relation, the number and what they are computed with.
    pub(super) computed: Vec<(Oid, i16, BTreeSet<Reference>)>,
    pub(super) operators: HashMap<Oid, Oid>,
    pub(super) types: HashMap<Oid, TypeFacts>,
    pub(super) functions: HashMap<Oid, Called>,
}

// What reads a materialized view reads its rows and runs nothing of its query.
const RELATIONS: &str = "
SELECT c.oid, n.nspname, c.relname, CASE c.relkind WHEN 'v' THEN r.ev_action::text END
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN'
WHERE c.oid = ANY ($1)";

// There are none before PostgreSQL 18.
const COMPUTED: &str = "
SELECT a.attrelid, a.attnum, e.adbin::text
FROM pg_attribute a
JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
WHERE a.attrelid = ANY ($1) AND a.attgenerated = 'v'";

const OPERATORS: &str = "
SELECT o.oid, o.oprcode::oid
FROM pg_operator o
WHERE o.oid = ANY ($1)";

// What sorts values of a type is support function 1 of its default operator class for B-trees, which may be one of a type that it
// can be taken for.
const TYPES: &str = "
SELECT t.oid, t.typinput::oid, t.typoutput::oid, sorting.function,
       array_remove(array[nullif(t.typbasetype, 0), element.oid, r.rngsubtype, m.rngtypid], NULL)
         || ARRAY(SELECT a.atttypid FROM pg_attribute a
                  WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped),
       t.typtype = 'd',
       ARRAY(SELECT k.conbin::text FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c')
FROM pg_type t
LEFT JOIN pg_type element ON element.typarray = t.oid
LEFT JOIN pg_range r ON r.rngtypid = t.oid
LEFT JOIN pg_range m ON m.rngmultitypid = t.oid
LEFT JOIN LATERAL (
  SELECT f.amproc::oid AS function
  FROM pg_opclass o
  JOIN pg_am method ON method.oid = o.opcmethod AND method.amname = 'btree'
  JOIN pg_type taken ON taken.oid = o.opcintype
  JOIN pg_amproc f ON f.amprocfamily = o.opcfamily AND f.amproclefttype = o.opcintype
                  AND f.amprocrighttype = o.opcintype AND f.amprocnum = 1
  WHERE o.opcdefault AND t.typtype <> 'd'
    AND (o.opcintype = t.oid
      OR o.opcintype = CASE WHEN element.oid IS NOT NULL THEN 'anyarray'::regtype
                            ELSE CASE t.typtype WHEN 'e' THEN 'anyenum'::regtype WHEN 'r' THEN 'anyrange'::regtype
                                                WHEN 'm' THEN 'anymultirange'::regtype WHEN 'c' THEN 'record'::regtype END END
      OR EXISTS (SELECT FROM pg_cast c WHERE c.castsource = t.oid AND c.casttarget = o.opcintype
                                         AND c.castmethod = 'b' AND c.castcontext = 'i'))
  ORDER BY o.opcintype = t.oid DESC, taken.typispreferred DESC, o.oid
  LIMIT 1) sorting ON true
WHERE t.oid = ANY ($1)";

const FUNCTIONS: &str = "
SELECT p.oid, n.nspname, p.proname, coalesce(arguments.schemas, '{}'), coalesce(arguments.names, '{}'),
       coalesce(arguments.are_arrays, '{}'), p.proargdefaults::text
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
LEFT JOIN LATERAL (
  SELECT array_agg(tn.nspname::text ORDER BY argument.position) AS schemas,
         array_agg(coalesce(element.typname, t.typname)::text ORDER BY argument.position) AS names,
         array_agg(element.oid IS NOT NULL ORDER BY argument.position) AS are_arrays
  FROM unnest(p.proargtypes) WITH ORDINALITY AS argument (type, position)
  JOIN pg_type t ON t.oid = argument.type
  LEFT JOIN pg_type element ON element.typarray = t.oid
  JOIN pg_namespace tn ON tn.oid = coalesce(element.typnamespace, t.typnamespace)) arguments ON true
WHERE p.oid = ANY ($1)";

/// Asks for objects of each kind, if there are any.
pub(super) async fn ask(
    client: &Client,
    relations: Vec<Oid>,
    computed: Vec<Oid>,
    operators: Vec<Oid>,
    types: Vec<Oid>,
    functions: Vec<Oid>,
) -> Result<Asked, ReflectError> {
    let (relations, computed, operators, types, functions) = try_join5(
        query_of(client, "the relations that views read", RELATIONS, relations),
        query_of(client, "the columns that views read", COMPUTED, computed),
        query_of(client, "the operators that views use", OPERATORS, operators),
        query_of(client, "the types that views use", TYPES, types),
        query_of(client, "the functions that views call", FUNCTIONS, functions),
    )
    .await?;
    Ok(Asked {
        relations: decode(&relations, relation)?,
        computed: decode(&computed, column)?,
        operators: decode(&operators, operator)?,
        types: decode(&types, ty)?,
        functions: decode(&functions, function)?,
    })
}

fn decode<T, C: FromIterator<T>>(rows: &[Row], one: fn(&Row) -> Result<T, Error>) -> Result<C, ReflectError> {
    rows.iter().map(one).collect::<Result<_, _>>().map_err(failed("what views refer to"))
}

fn relation(row: &Row) -> Result<(Oid, Referred), Error> {
    let tree: Option<&str> = row.try_get(3)?;
    let name = ObjectName { schema: row.try_get(1)?, name: row.try_get(2)? };
    Ok((row.try_get(0)?, Referred { name, leads_to: tree.map(references).unwrap_or_default() }))
}

fn column(row: &Row) -> Result<(Oid, i16, BTreeSet<Reference>), Error> {
    Ok((row.try_get(0)?, row.try_get(1)?, references(row.try_get(2)?)))
}

fn operator(row: &Row) -> Result<(Oid, Oid), Error> {
    Ok((row.try_get(0)?, row.try_get(1)?))
}

fn ty(row: &Row) -> Result<(Oid, TypeFacts), Error> {
    let checks: Vec<&str> = row.try_get(6)?;
    let facts = TypeFacts {
        input: row.try_get(1)?,
        output: row.try_get(2)?,
        order: row.try_get(3)?,
        parts: row.try_get(4)?,
        is_domain: row.try_get(5)?,
        checks: checks.into_iter().flat_map(references).collect(),
    };
    Ok((row.try_get(0)?, facts))
}

fn function(row: &Row) -> Result<(Oid, Called), Error> {
    let (schemas, names): (Vec<&str>, Vec<&str>) = (row.try_get(3)?, row.try_get(4)?);
    let arguments = schemas.into_iter().zip(names).zip(row.try_get::<_, Vec<bool>>(5)?);
    let arguments = arguments.map(|((schema, name), is_array)| {
        let element = reference(schema, name);
        if is_array { format!("{element}[]") } else { element }
    });
    let function = ObjectName { schema: row.try_get(1)?, name: row.try_get(2)? };
    let signature = Signature { function, arguments: arguments.collect() };
    let defaults: Option<&str> = row.try_get(6)?;
    Ok((row.try_get(0)?, Called { signature, defaults: defaults.map(references).unwrap_or_default() }))
}
