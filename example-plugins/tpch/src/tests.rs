//! Native tests, as an author writes them: no database, no WebAssembly.

use callslip_sdk::assert_sql;
use callslip_sdk::testing::plan;

use crate::PLUGIN;
use crate::tables::SNAPSHOT;

#[test]
fn there_are_22_queries_in_the_order_of_the_specification() {
    let queries = PLUGIN.manifest().queries;
    assert_eq!(queries.len(), 22);
    for (number, query) in (1..).zip(&queries) {
        assert!(query.name.starts_with(&format!("q{number:02}_")), "{}", query.name);
        assert!(query.doc.starts_with(&format!("TPC-H Q{number}: ")), "{}: {}", query.name, query.doc);
        assert!(query.examples.len() > 1, "{} has an example with other parameters", query.name);
    }
}

#[test]
fn every_query_is_one_statement_with_parameters_of_its_own() {
    for query in PLUGIN.manifest().queries {
        let plan = plan(&PLUGIN, &query.name, &[]).unwrap();
        assert_eq!(plan.len(), 1, "{}", query.name);
        assert!(!query.parameters.is_empty(), "{}", query.name);
        for parameter in &query.parameters {
            assert!(!parameter.doc.is_empty(), "{}: {} says what it is", query.name, parameter.name);
        }
    }
}

#[test]
fn the_lowest_cost_is_that_of_the_part_around_it() {
    assert_sql!(
        SNAPSHOT,
        PLUGIN,
        "q02_minimum_cost_supplier",
        {},
        "
        SELECT s.s_acctbal AS s_acctbal, s.s_name AS s_name, n.n_name AS n_name, part.p_partkey AS p_partkey,
               part.p_mfgr AS p_mfgr, s.s_address AS s_address, s.s_phone AS s_phone, s.s_comment AS s_comment
        FROM public.part AS part
        JOIN public.partsupp AS ps ON ps.ps_partkey = part.p_partkey
        JOIN public.supplier AS s ON s.s_suppkey = ps.ps_suppkey
        JOIN public.nation AS n ON n.n_nationkey = s.s_nationkey
        JOIN public.region AS r ON r.r_regionkey = n.n_regionkey
        WHERE ((part.p_size = CAST($1 AS int4)) AND (part.p_type ~~ (CAST($2 AS text) || CAST($3 AS text))))
              AND ((r.r_name = CAST($4 AS text)) AND (ps.ps_supplycost = (
                  SELECT min(ps_there.ps_supplycost) AS min
                  FROM public.partsupp AS ps_there
                  JOIN public.supplier AS s_there ON s_there.s_suppkey = ps_there.ps_suppkey
                  JOIN public.nation AS n_there ON n_there.n_nationkey = s_there.s_nationkey
                  JOIN public.region AS r_there ON r_there.r_regionkey = n_there.n_regionkey
                  WHERE (ps_there.ps_partkey = part.p_partkey) AND (r_there.r_name = CAST($4 AS text)))))
        ORDER BY s.s_acctbal DESC, n.n_name ASC, s.s_name ASC, part.p_partkey ASC LIMIT CAST($5 AS int4)
        -- $1: size, $2: '%', $3: type, $4: region, $5: '100'
    "
    );
}

#[test]
fn customers_without_orders_are_counted() {
    assert_sql!(SNAPSHOT, PLUGIN, "q13_customer_distribution", {}, "
        SELECT c_orders.c_count AS c_count, count(*) AS custdist
        FROM (SELECT c.c_custkey AS c_custkey, count(o.o_orderkey) AS c_count
              FROM public.customer AS c
              LEFT JOIN public.orders AS o
              ON (o.o_custkey = c.c_custkey)
                 AND (o.o_comment !~~ ((((CAST($1 AS text) || CAST($2 AS text)) || CAST($1 AS text)) || CAST($3 AS text))
                                       || CAST($1 AS text)))
              GROUP BY c.c_custkey) AS c_orders
        GROUP BY c_orders.c_count ORDER BY custdist DESC, c_orders.c_count DESC
        -- $1: '%', $2: word1, $3: word2
    ");
}

#[test]
fn the_revenue_is_declared_once_and_used_twice() {
    assert_sql!(
        SNAPSHOT,
        PLUGIN,
        "q15_top_supplier",
        {},
        "
        WITH revenue AS (SELECT l.l_suppkey AS supplier_no,
                                sum(l.l_extendedprice * (CAST(CAST($1 AS int4) AS numeric) - l.l_discount))
                                AS total_revenue
                         FROM public.lineitem AS l
                         WHERE (l.l_shipdate >= CAST($2 AS date))
                               AND (l.l_shipdate < (CAST($2 AS date) + CAST($3 AS interval)))
                         GROUP BY l.l_suppkey)
        SELECT s.s_suppkey AS s_suppkey, s.s_name AS s_name, s.s_address AS s_address, s.s_phone AS s_phone,
               revenue.total_revenue AS total_revenue
        FROM public.supplier AS s
        JOIN revenue AS revenue ON revenue.supplier_no = s.s_suppkey
        WHERE revenue.total_revenue = (SELECT max(each.total_revenue) AS max FROM revenue AS each)
        ORDER BY s.s_suppkey ASC
        -- $1: '1', $2: date, $3: '3 month'
    "
    );
}

#[test]
fn the_countries_are_one_array() {
    assert_sql!(SNAPSHOT, PLUGIN, "q22_global_sales_opportunity", {}, "
        SELECT custsale.cntrycode AS cntrycode, count(*) AS numcust, sum(custsale.c_acctbal) AS totacctbal
        FROM (SELECT substring(c.c_phone, CAST($1 AS int4), CAST($2 AS int4)) AS cntrycode, c.c_acctbal AS c_acctbal
              FROM public.customer AS c
              WHERE ((substring(c.c_phone, CAST($1 AS int4), CAST($2 AS int4)) = ANY (CAST($3 AS text[])))
                     AND (c.c_acctbal > (
                         SELECT avg(rich.c_acctbal) AS avg
                         FROM public.customer AS rich
                         WHERE (rich.c_acctbal > CAST($4 AS numeric))
                               AND (substring(rich.c_phone, CAST($1 AS int4), CAST($2 AS int4))
                                    = ANY (CAST($3 AS text[]))))))
                    AND (NOT EXISTS (SELECT CAST($1 AS int4) FROM public.orders AS o WHERE o.o_custkey = c.c_custkey)))
             AS custsale
        GROUP BY custsale.cntrycode ORDER BY custsale.cntrycode ASC
        -- $1: '1', $2: '2', $3: codes, $4: '0.00'
    ");
}
