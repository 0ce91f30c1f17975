mod columns;
mod constraints;
mod indexes;
mod policies;
mod views;

use std::collections::{HashMap, HashSet};

use futures_util::future::{try_join, try_join3};
use tokio_postgres::{Client, Error, Row};

use super::{
    ReflectError, character, failed, query,
    references::{References, Referred},
    scope::{Scope, join_extension},
};
use crate::catalog::{
    ObjectName, Oid, PartitionOf, Partitioning, Persistence, Relation, RelationKind, RowSecurity, Visibility,
};

pub(super) async fn read(client: &Client, scope: Scope) -> Result<Vec<Relation>, ReflectError> {
    let ((relations, columns, constraints), (indexes, policies, views)) = try_join(
        try_join3(
            query(client, "the relations", &relations(scope)),
            query(client, "the columns", &columns::sql(scope)),
            query(client, "the constraints", &constraints::sql(scope)),
        ),
        try_join3(
            query(client, "the indexes", &indexes::sql(scope)),
            query(client, "the policies", &policies::sql(scope)),
            query(client, "the views", &views::sql(scope)),
        ),
    )
    .await?;
    let mut reflected = decode(&relations, &columns, scope).map_err(failed("the relations"))?;
    constraints::add(&mut reflected, &constraints).map_err(failed("the constraints"))?;
    indexes::add(&mut reflected, &indexes).map_err(failed("the indexes"))?;
    policies::add(&mut reflected, &policies).map_err(failed("the policies"))?;
    let views = views::decode(&views).map_err(failed("the views"))?;
    let open = views.values().flat_map(|view| view.references.iter().copied()).collect();
    let references = References::follow(client, open, reflected.referred(&views)).await?;
    views::add(&mut reflected, views, &references);
    Ok(reflected.relations)
}

/// The beginning of a statement that reads of relations: `visible` has the ids of those that are reflected.
fn visible(scope: Scope) -> String {
    format!(
        "
WITH visible AS MATERIALIZED (
  SELECT c.oid, n.oid AS schema
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
    AND {usable})",
        usable = scope
            .visible("has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')"),
    )
}

/// The numbers of the columns (`attnum`) that an expression of one relation names, 0 for its whole row; of its node tree, which
/// has a string as numbers, so that nothing in one can be taken for a column.
fn columns_of(tree: &str) -> String {
    format!(
        "ARRAY(SELECT DISTINCT found[1]::int2 FROM regexp_matches({tree}, ':varattno (-?[0-9]+)', 'g') AS found)"
    )
}

fn relations(scope: Scope) -> String {
    format!(
        "{visible}
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, pg_get_userbyid(c.relowner), extension.extname, d.description,
       nullif(c.reltype, 0), c.relrowsecurity, c.relforcerowsecurity, pg_get_partkeydef(p.partrelid),
       coalesce(p.partattrs::int2[], '{{}}'), {partition_columns}, c.relispartition, pg_get_expr(c.relpartbound, c.oid),
       coalesce(parents.oids, '{{}}'), s.srvname
FROM visible v
JOIN pg_class c ON c.oid = v.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_description d ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
LEFT JOIN pg_partitioned_table p ON p.partrelid = c.oid
LEFT JOIN (
  WITH RECURSIVE above AS (
    SELECT inhrelid, inhparent, inhseqno, 0 AS steps FROM pg_inherits
    UNION
    SELECT above.inhrelid, i.inhparent, i.inhseqno, above.steps + 1
    FROM above JOIN pg_inherits i ON i.inhrelid = above.inhparent
    WHERE NOT EXISTS (SELECT FROM visible WHERE visible.oid = above.inhparent)
  )
  SELECT inhrelid, array_agg(inhparent ORDER BY steps, inhseqno) AS oids FROM above GROUP BY inhrelid
) parents ON parents.inhrelid = c.oid
LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid
LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver
{extension}
ORDER BY n.nspname, c.relname",
        visible = visible(scope),
        partition_columns = columns_of("p.partexprs::text"),
        extension = join_extension("pg_class", "c.oid"),
    )
}

/// The relations that are reflected, with what tells what belongs to them.
struct Reflected {
    relations: Vec<Relation>,
    /// The numbers of their columns (`attnum`), in their order.
    numbers: Vec<Vec<i16>>,
    positions: HashMap<Oid, usize>,
}

impl Reflected {
    /// The names of a relation's columns; none, if one of them is not reflected.
    fn names(&self, position: usize, numbers: &[i16]) -> Option<Vec<String>> {
        let (columns, known) = (&self.relations[position].columns, &self.numbers[position]);
        let name = |number| known.binary_search(number).ok().map(|index| columns[index].name.clone());
        numbers.iter().map(name).collect()
    }

    /// Whether all columns that an expression names are reflected: 0 is the whole row, and system columns have negative numbers.
    fn shows(&self, position: usize, numbers: &[i16]) -> bool {
        numbers.iter().all(|number| match number {
            0 => self.relations[position].hidden_columns == 0,
            number => *number < 0 || self.numbers[position].binary_search(number).is_ok(),
        })
    }

    fn name(&self, oid: Oid) -> Option<ObjectName> {
        let relation = &self.relations[*self.positions.get(&oid)?];
        Some(ObjectName { schema: relation.schema.clone(), name: relation.name.clone() })
    }

    /// All of them, with what the views among them lead to. What reads a materialized view reads its rows, and runs nothing of
    /// its query.
    fn referred(&self, views: &HashMap<Oid, views::Decoded>) -> HashMap<Oid, Referred> {
        let referred = |relation: &Relation| {
            let name = ObjectName { schema: relation.schema.clone(), name: relation.name.clone() };
            let view = views.get(&relation.oid).filter(|_| relation.kind == RelationKind::View);
            let leads_to = view.map(|view| view.references.clone()).unwrap_or_default();
            (relation.oid, Referred { name, leads_to })
        };
        self.relations.iter().map(referred).collect()
    }
}

fn decode(rows: &[Row], columns: &[Row], scope: Scope) -> Result<Reflected, Error> {
    let mut columns = columns::by_relation(columns, scope)?;
    let mut reflected = Reflected {
        relations: Vec::with_capacity(rows.len()),
        numbers: Vec::with_capacity(rows.len()),
        positions: HashMap::with_capacity(rows.len()),
    };
    for row in rows {
        let oid: Oid = row.try_get(0)?;
        // Between the two statements a right may have been granted or revoked: rights are not of the snapshot.
        let its = columns.remove(&oid).unwrap_or_default();
        if scope.visibility == Visibility::Readable && its.columns.is_empty() {
            continue;
        }
        reflected.positions.insert(oid, reflected.relations.len());
        reflected.numbers.push(its.numbers);
        reflected.relations.push(Relation {
            oid,
            schema: row.try_get(1)?,
            name: row.try_get(2)?,
            kind: match character(row, 3)? {
                'p' => RelationKind::PartitionedTable,
                'v' => RelationKind::View,
                'm' => RelationKind::MaterializedView,
                'f' => RelationKind::ForeignTable,
                _ => RelationKind::Table,
            },
            persistence: match character(row, 4)? {
                'u' => Persistence::Unlogged,
                't' => Persistence::Temporary,
                _ => Persistence::Permanent,
            },
            owner: row.try_get(5)?,
            extension: row.try_get(6)?,
            comment: row.try_get(7)?,
            row_type: row.try_get(8)?,
            row_security: RowSecurity {
                enabled: row.try_get(9)?,
                forced: row.try_get(10)?,
                policies: Vec::new(),
            },
            columns: its.columns,
            hidden_columns: its.hidden,
            foreign_server: row.try_get(17)?,
            ..Relation::default()
        });
    }
    for row in rows {
        add_partitioning(&mut reflected, row)?;
    }
    for row in rows {
        add_parents(&mut reflected, row)?;
    }
    Ok(reflected)
}

/// Adds how a relation's rows are parted, if what they are parted by is reflected.
fn add_partitioning(reflected: &mut Reflected, row: &Row) -> Result<(), Error> {
    let Some(&position) = reflected.positions.get(&row.try_get(0)?) else { return Ok(()) };
    // 0 among the columns of a partition key stands for an expression.
    let key_columns: Vec<i16> = row.try_get(12)?;
    let mut named: Vec<i16> = row.try_get(13)?;
    named.extend(key_columns.into_iter().filter(|number| *number != 0));
    let partitioning = match row.try_get(11)? {
        Some(key) if reflected.shows(position, &named) => Some(Partitioning { key }),
        _ => None,
    };
    reflected.relations[position].partitioning = partitioning;
    Ok(())
}

/// Adds the relations that a relation is a part of: those that are reflected, and in the place of one that is not those that it is a
/// part of. The bounds of a partition are values of what its parent is parted by.
fn add_parents(reflected: &mut Reflected, row: &Row) -> Result<(), Error> {
    let Some(&position) = reflected.positions.get(&row.try_get(0)?) else { return Ok(()) };
    let above: Vec<Oid> = row.try_get(16)?;
    // Several ways may lead to one.
    let mut seen = HashSet::new();
    let direct = above.first().copied();
    let parents: Vec<(Oid, ObjectName)> = above
        .into_iter()
        .filter(|oid| seen.insert(*oid))
        .filter_map(|oid| Some((oid, reflected.name(oid)?)))
        .collect();
    let is_parted = |oid| {
        let at: Option<&usize> = reflected.positions.get(&oid);
        at.is_some_and(|at| reflected.relations[*at].partitioning.is_some())
    };
    let (partition_of, inherits) = match (row.try_get(14)?, row.try_get(15)?, parents.first()) {
        (true, Some(bounds), Some((oid, parent))) if direct == Some(*oid) && is_parted(*oid) => {
            (Some(PartitionOf { parent: parent.clone(), bounds }), Vec::new())
        }
        _ => (None, parents.into_iter().map(|(_, parent)| parent).collect()),
    };
    let relation = &mut reflected.relations[position];
    relation.partition_of = partition_of;
    relation.inherits = inherits;
    Ok(())
}
