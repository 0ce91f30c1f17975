use std::collections::BTreeSet;
use std::sync::OnceLock;

use callslip::catalog::{Catalog, SearchPath, reflect};
use callslip::cluster::Cluster;
use callslip::grants::{GrantSettings, Grants};
use callslip::select::{self, Comment, Context, Limits};
use callslip_ir::Description;
use callslip_tests::cluster;
use tokio_postgres::Client;

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
"#;

/// Tells the ids of the functions and operators of a statement, with this path to search, or why there are none.
const IDS: &str = r#"
    CREATE FUNCTION ids(path text, sql text) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE
        found text;
    BEGIN
        PERFORM set_config('search_path', path, true);
        EXECUTE 'CREATE VIEW pg_temp.oracle AS ' || sql;
        SELECT concat(string_agg(id[1], ' '), ';', string_agg(id[2], ' ')) INTO found
        FROM pg_rewrite,
             regexp_matches(ev_action::text, ':(?:(?:opno|funcid|aggfnoid|winfnoid) (\d+)|inputcollid (\d+))', 'g') AS id
        WHERE ev_class = 'pg_temp.oracle'::regclass;
        -- Nothing stays, neither the view nor its locks.
        RAISE EXCEPTION USING ERRCODE = 'ZZ000';
    EXCEPTION
        WHEN SQLSTATE 'ZZ000' THEN RETURN 'ids ' || found;
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
    /// The ids of functions and operators in plain SQL, a semicolon, and the ids of the collations that they use; or what PostgreSQL says against it.
    pub plain: Result<String, String>,
    /// What is printed, or the findings.
    pub printed: Result<String, String>,
    /// The same of what is printed, or what PostgreSQL says against it.
    pub ids: Option<Result<String, String>>,
}

impl Verdict {
    /// Whether both accept it as the same, or both refuse it.
    pub fn agrees(&self) -> bool {
        let all = |ids: &str| ids.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
        let (plain, printed) = match (&self.plain, &self.ids) {
            (Ok(plain), Some(Ok(printed))) => (plain, printed),
            (plain, printed) => return plain.is_err() && printed.is_none(),
        };
        let (Some(plain), Some(printed)) = (plain.split_once(';'), printed.split_once(';')) else {
            return false;
        };
        // The operand of CASE is printed with a cast that PostgreSQL would make anew for each arm.
        if self.sql.contains("CASE") {
            return all(plain.0) == all(printed.0) && all(plain.1) == all(printed.1);
        }
        // A constant that is passed as "any" is printed as a text, which has a collation.
        let has_constant = self.sql.replace("CAST(NULL", "").replace(" IS NULL AS", "").contains("NULL");
        plain.0 == printed.0 && (has_constant || plain.1 == printed.1)
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
    /// With everything granted.
    async fn new() -> Self {
        let mut oracle = Self::start(SCHEMA, TYPES).await;
        let contents = oracle.catalog.contents();
        let full = |schema: &str, name: &str| format!("{schema}.{name}");
        let visible = |schema: &str| schema == "pg_catalog" || schema == "public";
        let functions = contents.functions.iter().filter(|its| visible(&its.schema));
        let types = contents.types.iter().filter(|its| visible(&its.schema));
        let settings = GrantSettings {
            relations: vec!["public.t".to_owned()],
            functions: functions.map(|its| full(&its.schema, &its.name)).collect(),
            operators: vec!["public.+".to_owned()],
            casts: Vec::new(),
            types: types.map(|its| full(&its.schema, &its.name)).collect(),
        };
        oracle.grants = Grants::resolve(&settings, &oracle.catalog, &SearchPath::of(["public"])).unwrap();
        oracle
    }

    /// With the table `t`, which has a column of each type, as all that is granted.
    pub async fn start(schema: &str, types: &[&str]) -> Self {
        let columns: Vec<String> = types.iter().map(|ty| format!("\"{ty}\" {}", type_name(ty))).collect();
        let table = format!("CREATE TABLE t ({})", columns.join(", "));
        let (cluster, client) = cluster(&["SET search_path = public", schema, IDS, &table].join(";\n")).await;
        let catalog = Catalog::new(reflect(&client).await.unwrap());
        let settings = GrantSettings { relations: vec!["public.t".to_owned()], ..GrantSettings::default() };
        let grants = Grants::resolve(&settings, &catalog, &SearchPath::of(["public"])).unwrap();
        Self { cluster, catalog, grants }
    }

    /// A connection of the superuser.
    pub async fn client(&self) -> Client {
        connect(&self.cluster).await
    }

    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// What the verifier prints, with a literal instead of each parameter, or its findings.
    pub fn print(&self, description: &Description, literal: &str) -> Result<String, String> {
        let (limits, path) = (Limits::default(), SearchPath::of(["public"]));
        let context = Context {
            plugin: "oracle",
            catalog: &self.catalog,
            grants: &self.grants,
            path: &path,
            limits: &limits,
            filters: select::RowFilters::none(),
        };
        let verified = select::verify(description, context)
            .map_err(|findings| findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
        let comment = Comment { plugin: "oracle", query: "oracle", shape: "0", schemas: &[] };
        let printed = select::print(&select::lower(description, &verified), &comment, &[], &limits)
            .map_err(|finding| finding.to_string())?;
        let mut sql = printed.sql;
        for number in (1..=printed.parameters.len()).rev() {
            sql = sql.replace(&format!("CAST(${number} AS"), &format!("CAST({literal} AS"));
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
                .map(|part| {
                    scope.spawn(move || {
                        part.iter().map(|its| self.print(&its.description(), "NULL")).collect::<Vec<_>>()
                    })
                })
                .collect();
            parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
        });
        let plain: Vec<String> =
            expressions.iter().map(|its| format!("SELECT {} IS NULL AS x FROM t", its.sql())).collect();
        let accepted: Vec<&str> = printed.iter().filter_map(|printed| printed.as_deref().ok()).collect();
        let written: Vec<&str> = plain.iter().map(String::as_str).collect();
        // What is printed runs where nothing but PostgreSQL's own is searched.
        let asked = written.iter().map(|sql| ("public", *sql));
        let all: Vec<(&str, &str)> =
            asked.chain(accepted.iter().map(|sql| ("pg_catalog, pg_temp", *sql))).collect();
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

    async fn ids(&self, statements: &[(&str, &str)]) -> Vec<Result<String, String>> {
        let client = connect(&self.cluster).await;
        let mut all = Vec::with_capacity(statements.len());
        for part in statements.chunks(500) {
            let (paths, part): (Vec<&str>, Vec<&str>) = part.iter().copied().unzip();
            let sql = "SELECT public.ids(path, sql)
                       FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS s(path, sql, n) ORDER BY n";
            for row in client.query(sql, &[&paths, &part]).await.unwrap() {
                let found: String = row.get(0);
                all.push(found.strip_prefix("ids ").map(str::to_owned).ok_or(found));
            }
        }
        all
    }
}

async fn connect(cluster: &Cluster) -> Client {
    let client = callslip_tests::connect(&cluster.config()).await;
    client.batch_execute("SET search_path = public").await.unwrap();
    client
}
