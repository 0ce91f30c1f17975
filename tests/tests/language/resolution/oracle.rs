use std::collections::BTreeSet;
use std::sync::OnceLock;

use callslip::catalog::{Catalog, reflect};
use callslip::cluster::{Cluster, ClusterOptions};
use callslip::grants::{GrantSettings, Grants};
use callslip::select::{self, Comment, Context, Limits};
use tokio_postgres::{Client, NoTls};

use super::expression::{Expression, type_name};

/// The types whose values are put together.
pub const TYPES: &[&str] = &[
    "bool",
    "int2",
    "int4",
    "int8",
    "numeric",
    "float4",
    "float8",
    "money",
    "oid",
    "text",
    "varchar",
    "bpchar",
    "name",
    "char",
    "bytea",
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "interval",
    "uuid",
    "json",
    "jsonb",
    "jsonpath",
    "inet",
    "cidr",
    "macaddr",
    "bit",
    "varbit",
    "point",
    "box",
    "polygon",
    "tsvector",
    "tsquery",
    "int4range",
    "int8range",
    "daterange",
    "int4multirange",
    "int2[]",
    "int4[]",
    "numeric[]",
    "text[]",
    "varchar[]",
    "mood",
    "mood[]",
    "pair",
    "d_int",
    "d_text",
    "d_varchar",
    "d_ints",
    "d_mood",
    "d_range",
    "d_int[]",
];

const SCHEMA: &str = r#"
    CREATE TYPE mood AS ENUM ('happy');
    CREATE TYPE pair AS (a int4, b text);
    CREATE DOMAIN d_int AS int4;
    CREATE DOMAIN d_text AS text;
    CREATE DOMAIN d_varchar AS varchar(20);
    CREATE DOMAIN d_ints AS int4[];
    CREATE DOMAIN d_mood AS mood;
    CREATE DOMAIN d_range AS int4range;

    CREATE FUNCTION many(VARIADIC int4[]) RETURNS int4 LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION many_any(VARIADIC "any") RETURNS int4 LANGUAGE internal AS 'pg_num_nulls';
    CREATE FUNCTION many_alike(VARIADIC anyarray) RETURNS anyelement LANGUAGE sql AS 'SELECT $1[1]';
    CREATE FUNCTION many_compatible(VARIADIC anycompatiblearray) RETURNS anycompatible LANGUAGE sql AS 'SELECT $1[1]';
    CREATE FUNCTION one_or_many(int4) RETURNS int4 LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION one_or_many(VARIADIC int4[]) RETURNS int4 LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION less(int4, int4 DEFAULT 1, text DEFAULT 'x') RETURNS int4 LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION either_default(int4) RETURNS int4 LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION either_default(int4, int4 DEFAULT 1) RETURNS int4 LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION named(a int4, b text DEFAULT 'x', c numeric DEFAULT 1) RETURNS int4 LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION named(b int8, a text) RETURNS int4 LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION named_many(a int4, VARIADIC b int4[]) RETURNS int4 LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION takes_domain(d_int) RETURNS int4 LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION takes_row(pair) RETURNS int4 LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION alike(anyelement, anyelement) RETURNS anyelement LANGUAGE sql AS 'SELECT $1';
    CREATE FUNCTION compatible(anycompatible, anycompatible) RETURNS anycompatible LANGUAGE sql AS 'SELECT $1';
    CREATE FUNCTION with_array(anyelement, anyarray) RETURNS anyarray LANGUAGE sql AS 'SELECT $2';
    CREATE FUNCTION compatible_array(anycompatible, anycompatiblearray) RETURNS anycompatiblearray LANGUAGE sql AS 'SELECT $2';
    CREATE FUNCTION nonarray(anycompatiblenonarray, anycompatible) RETURNS anycompatible LANGUAGE sql AS 'SELECT $1';
    CREATE FUNCTION in_range(anyelement, anyrange) RETURNS anymultirange LANGUAGE sql AS 'SELECT NULL';
    CREATE FUNCTION of_multirange(anymultirange) RETURNS anyrange LANGUAGE sql AS 'SELECT NULL';
    CREATE FUNCTION compatible_range(anycompatible, anycompatiblerange) RETURNS anycompatiblemultirange LANGUAGE sql AS 'SELECT NULL';
    CREATE FUNCTION enums(anyenum, anyenum) RETURNS anyenum LANGUAGE sql AS 'SELECT $1';
    -- Beside those of pg_catalog.
    CREATE FUNCTION lower(pair) RETURNS text LANGUAGE sql AS 'SELECT $1.b';
    CREATE FUNCTION abs(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
    CREATE FUNCTION length(varchar) RETURNS int4 LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION plus(text, int4) RETURNS text LANGUAGE sql AS 'SELECT $1';
    CREATE OPERATOR + (LEFTARG = text, RIGHTARG = int4, FUNCTION = plus);
    CREATE FUNCTION dates_plus(date, int4) RETURNS text LANGUAGE sql AS 'SELECT ''hidden''';
    CREATE OPERATOR + (LEFTARG = date, RIGHTARG = int4, FUNCTION = dates_plus);

    CREATE FUNCTION ids(sql text) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE
        found text;
    BEGIN
        EXECUTE 'CREATE VIEW pg_temp.oracle AS ' || sql;
        SELECT string_agg(id[1], ' ') INTO found
        FROM pg_rewrite, regexp_matches(ev_action::text, ':(?:opno|funcid|aggfnoid|winfnoid) (\d+)', 'g') AS id
        WHERE ev_class = 'pg_temp.oracle'::regclass;
        -- Nothing stays, neither the view nor its locks.
        RAISE EXCEPTION USING ERRCODE = 'ZZ000';
    EXCEPTION
        WHEN SQLSTATE 'ZZ000' THEN RETURN 'ids ' || coalesce(found, '');
        WHEN others THEN RETURN SQLSTATE || ' ' || SQLERRM;
    END $$;
"#;

/// A PostgreSQL that says what SQL means, and a verifier of the same catalog.
pub struct Oracle {
    cluster: Cluster,
    catalog: Catalog,
    grants: Grants,
}

/// What PostgreSQL and the verifier make of an expression.
#[derive(Debug)]
pub struct Verdict {
    pub sql: String,
    /// The ids of functions and operators in plain SQL, or what PostgreSQL says against it.
    pub plain: Result<String, String>,
    /// What is printed, or the findings.
    pub printed: Result<String, String>,
    /// The ids of functions and operators in what is printed, or what PostgreSQL says against it.
    pub ids: Option<Result<String, String>>,
}

impl Verdict {
    /// Whether both accept it as the same, or both refuse it.
    pub fn agrees(&self) -> bool {
        let all = |ids: &str| ids.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
        match (&self.plain, &self.ids) {
            // The operand of CASE is printed with a cast that PostgreSQL would make anew for each arm.
            (Ok(plain), Some(Ok(ids))) => plain == ids || self.sql.contains("CASE") && all(plain) == all(ids),
            (Err(_), None) => true,
            _ => false,
        }
    }
}

/// The oracle that all tests of a run share.
pub fn oracle() -> &'static Oracle {
    static ORACLE: OnceLock<Oracle> = OnceLock::new();
    // On a thread and a runtime of its own: a test's own runtime ends with the test.
    ORACLE.get_or_init(|| {
        std::thread::spawn(|| tokio::runtime::Runtime::new().unwrap().block_on(Oracle::new()))
            .join()
            .expect("the oracle speaks")
    })
}

impl Oracle {
    async fn new() -> Self {
        let cluster = Cluster::start(ClusterOptions::default()).await.unwrap();
        let client = connect(&cluster).await;
        client.batch_execute(SCHEMA).await.unwrap();
        let columns: Vec<String> = TYPES.iter().map(|ty| format!("\"{ty}\" {}", type_name(ty))).collect();
        client.batch_execute(&format!("CREATE TABLE t ({})", columns.join(", "))).await.unwrap();
        let catalog = Catalog::new(reflect(&client).await.unwrap());
        let contents = catalog.contents();
        let full = |schema: &str, name: &str| format!("{schema}.{name}");
        let visible = |schema: &str| schema == "pg_catalog" || schema == "public";
        let functions = contents.functions.iter().filter(|its| visible(&its.schema));
        let types = contents.types.iter().filter(|its| visible(&its.schema));
        let settings = GrantSettings {
            relations: vec!["public.t".to_owned()],
            functions: functions.map(|its| full(&its.schema, &its.name)).collect(),
            operators: vec!["public.+".to_owned()],
            types: types.map(|its| full(&its.schema, &its.name)).collect(),
        };
        let grants = Grants::resolve(&settings, &catalog, &["public".to_owned()]).unwrap();
        Self { cluster, catalog, grants }
    }

    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// What the verifier prints, with nulls instead of parameters, or its findings.
    fn print(&self, expression: &Expression) -> Result<String, String> {
        let (limits, schemas) = (Limits::default(), ["public".to_owned()]);
        let context = Context {
            plugin: "oracle",
            catalog: &self.catalog,
            grants: &self.grants,
            schemas: &schemas,
            limits: &limits,
        };
        let description = expression.description();
        let verified = select::verify(&description, context)
            .map_err(|findings| findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
        let comment = Comment { plugin: "oracle", query: "oracle", shape: "0" };
        let printed = select::print(&select::lower(&description, &verified), &comment, &[], &limits)
            .map_err(|finding| finding.to_string())?;
        let mut sql = printed.sql;
        for number in (1..=printed.parameters.len()).rev() {
            sql = sql.replace(&format!("CAST(${number} AS"), "CAST(NULL AS");
        }
        assert!(!sql.contains('$'), "a parameter is left: {sql}");
        Ok(sql)
    }

    /// Asks both of them about each expression.
    pub async fn ask(&self, expressions: &[Expression]) -> Vec<Verdict> {
        const AT_ONCE: usize = 4;
        let printed: Vec<Result<String, String>> = std::thread::scope(|scope| {
            let size = expressions.len().div_ceil(AT_ONCE).max(1);
            let parts: Vec<_> = expressions
                .chunks(size)
                .map(|part| scope.spawn(move || part.iter().map(|its| self.print(its)).collect::<Vec<_>>()))
                .collect();
            parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
        });
        let plain: Vec<String> =
            expressions.iter().map(|its| format!("SELECT {} IS NULL AS x FROM t", its.sql())).collect();
        let wanted = printed.iter().filter_map(|printed| printed.as_ref().ok());
        let all: Vec<&str> = plain.iter().chain(wanted).map(String::as_str).collect();
        let size = all.len().div_ceil(AT_ONCE).max(1);
        let parts = all.chunks(size).map(|part| self.ids(part));
        let mut ids: Vec<Result<String, String>> =
            futures_util::future::join_all(parts).await.into_iter().flatten().collect();
        let mut of_printed = ids.split_off(plain.len()).into_iter();
        let verdict = |((sql, plain), printed): ((String, _), Result<String, String>)| {
            let ids = printed.is_ok().then(|| of_printed.next().unwrap());
            Verdict { sql, plain, printed, ids }
        };
        plain.into_iter().zip(ids).zip(printed).map(verdict).collect()
    }

    async fn ids(&self, statements: &[&str]) -> Vec<Result<String, String>> {
        let client = connect(&self.cluster).await;
        let mut all = Vec::with_capacity(statements.len());
        for part in statements.chunks(500) {
            let sql =
                "SELECT public.ids(sql) FROM unnest($1::text[]) WITH ORDINALITY AS s(sql, n) ORDER BY n";
            for row in client.query(sql, &[&part]).await.unwrap() {
                let found: String = row.get(0);
                all.push(found.strip_prefix("ids ").map(str::to_owned).ok_or(found));
            }
        }
        all
    }
}

async fn connect(cluster: &Cluster) -> Client {
    let (client, connection) = cluster.config().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("SET search_path = public").await.unwrap();
    client
}
