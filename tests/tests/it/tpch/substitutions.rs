//! A substitution of every parameter of each query, and the same question in SQL of another form.

pub struct Substitution {
    /// The parameters, as JSON.
    pub parameters: &'static str,
    pub sql: &'static str,
}

/// Those of Q1 to Q22. None gives what the defaults give, and none gives nothing.
pub const SUBSTITUTIONS: [Substitution; 22] = [
    // Q1
    Substitution {
        parameters: r#"{"delta": 60}"#,
        sql: "SELECT l_returnflag, l_linestatus, sum(l_quantity) AS sum_qty, sum(l_extendedprice) AS sum_base_price,
                     sum(l_extendedprice * (1 - l_discount)) AS sum_disc_price,
                     sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS sum_charge,
                     avg(l_quantity) AS avg_qty, avg(l_extendedprice) AS avg_price, avg(l_discount) AS avg_disc,
                     count(*) AS count_order
              FROM lineitem WHERE l_shipdate <= '1998-10-02' GROUP BY 1, 2 ORDER BY 1, 2",
    },
    // Q2
    Substitution {
        parameters: r#"{"size": 4, "type": "NICKEL", "region": "ASIA"}"#,
        sql: "WITH offer AS (
                  SELECT *, min(ps_supplycost) OVER (PARTITION BY ps_partkey) AS least
                  FROM partsupp JOIN supplier ON s_suppkey = ps_suppkey JOIN nation ON n_nationkey = s_nationkey
                  WHERE n_regionkey = (SELECT r_regionkey FROM region WHERE r_name = 'ASIA'))
              SELECT s_acctbal, s_name, n_name, p_partkey, p_mfgr, s_address, s_phone, s_comment
              FROM part JOIN offer ON ps_partkey = p_partkey AND ps_supplycost = least
              WHERE p_size = 4 AND p_type LIKE '%NICKEL' ORDER BY 1 DESC, 3, 2, 4",
    },
    // Q3
    Substitution {
        parameters: r#"{"segment": "MACHINERY", "date": "1995-03-31"}"#,
        sql: "SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount)) AS revenue, o_orderdate, o_shippriority
              FROM lineitem JOIN orders ON o_orderkey = l_orderkey
              WHERE o_custkey IN (SELECT c_custkey FROM customer WHERE c_mktsegment = 'MACHINERY')
                    AND o_orderdate < '1995-03-31' AND l_shipdate > '1995-03-31'
              GROUP BY 1, 3, 4 ORDER BY 2 DESC, 3 LIMIT 10",
    },
    // Q4
    Substitution {
        parameters: r#"{"date": "1997-10-01"}"#,
        sql: "SELECT o_orderpriority, count(DISTINCT o_orderkey) AS order_count
              FROM orders JOIN lineitem ON l_orderkey = o_orderkey AND l_commitdate < l_receiptdate
              WHERE o_orderdate BETWEEN '1997-10-01' AND '1997-12-31' GROUP BY 1 ORDER BY 1",
    },
    // Q5
    Substitution {
        parameters: r#"{"region": "AFRICA", "date": "1997-01-01"}"#,
        sql: "SELECT n_name, sum(l_extendedprice * (1 - l_discount)) AS revenue
              FROM lineitem, orders, customer, supplier, nation, region
              WHERE l_orderkey = o_orderkey AND o_custkey = c_custkey AND l_suppkey = s_suppkey AND r_name = 'AFRICA'
                    AND n_regionkey = r_regionkey AND n_nationkey = s_nationkey AND n_nationkey = c_nationkey
                    AND extract(year FROM o_orderdate) = 1997
              GROUP BY 1 ORDER BY 2 DESC",
    },
    // Q6
    Substitution {
        parameters: r#"{"date": "1996-01-01", "discount": "0.09", "quantity": 25}"#,
        sql: "SELECT sum(l_extendedprice * l_discount) AS revenue FROM lineitem
              WHERE extract(year FROM l_shipdate) = 1996 AND l_discount IN (0.08, 0.09, 0.10) AND l_quantity <= 24",
    },
    // Q7
    Substitution {
        parameters: r#"{"nation1": "CHINA", "nation2": "KENYA"}"#,
        sql: "SELECT sn.n_name AS supp_nation, cn.n_name AS cust_nation, extract(year FROM l_shipdate) AS l_year,
                     sum(l_extendedprice * (1 - l_discount)) AS revenue
              FROM lineitem JOIN supplier ON s_suppkey = l_suppkey JOIN nation sn ON sn.n_nationkey = s_nationkey
                   JOIN orders ON o_orderkey = l_orderkey JOIN customer ON c_custkey = o_custkey
                   JOIN nation cn ON cn.n_nationkey = c_nationkey
              WHERE (sn.n_name, cn.n_name) IN (('CHINA', 'KENYA'), ('KENYA', 'CHINA'))
                    AND extract(year FROM l_shipdate) IN (1995, 1996)
              GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    },
    // Q8: at this scale nobody sells what the defaults ask for: their answer is 0 in both years.
    Substitution {
        parameters: r#"{"nation": "CHINA", "region": "AFRICA", "type": "PROMO BRUSHED STEEL"}"#,
        sql: "SELECT extract(year FROM o_orderdate) AS o_year,
                     sum(CASE WHEN sn.n_name = 'CHINA' THEN l_extendedprice * (1 - l_discount) ELSE 0 END)
                     / sum(l_extendedprice * (1 - l_discount)) AS mkt_share
              FROM lineitem JOIN part ON p_partkey = l_partkey JOIN supplier ON s_suppkey = l_suppkey
                   JOIN nation sn ON sn.n_nationkey = s_nationkey JOIN orders ON o_orderkey = l_orderkey
                   JOIN customer ON c_custkey = o_custkey JOIN nation cn ON cn.n_nationkey = c_nationkey
                   JOIN region ON r_regionkey = cn.n_regionkey
              WHERE r_name = 'AFRICA' AND p_type = 'PROMO BRUSHED STEEL'
                    AND extract(year FROM o_orderdate) IN (1995, 1996)
              GROUP BY 1 ORDER BY 1",
    },
    // Q9
    Substitution {
        parameters: r#"{"color": "dim"}"#,
        sql: "SELECT n_name AS nation, extract(year FROM o_orderdate) AS o_year,
                     sum(l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity) AS sum_profit
              FROM lineitem JOIN partsupp ON (ps_partkey, ps_suppkey) = (l_partkey, l_suppkey)
                   JOIN part ON p_partkey = l_partkey JOIN supplier ON s_suppkey = l_suppkey
                   JOIN nation ON n_nationkey = s_nationkey JOIN orders ON o_orderkey = l_orderkey
              WHERE position('dim' IN p_name) > 0 GROUP BY 1, 2 ORDER BY 1, 2 DESC",
    },
    // Q10
    Substitution {
        parameters: r#"{"date": "1995-01-01"}"#,
        sql: "SELECT c_custkey, c_name, sum(l_extendedprice * (1 - l_discount)) AS revenue, c_acctbal,
                     (SELECT n_name FROM nation WHERE n_nationkey = c_nationkey), c_address, c_phone, c_comment
              FROM customer JOIN orders ON o_custkey = c_custkey JOIN lineitem ON l_orderkey = o_orderkey
              WHERE o_orderdate BETWEEN '1995-01-01' AND '1995-03-31' AND l_returnflag = 'R'
              GROUP BY c_custkey ORDER BY 3 DESC LIMIT 20",
    },
    // Q11
    Substitution {
        parameters: r#"{"nation": "FRANCE", "fraction": "0.005"}"#,
        sql: "SELECT ps_partkey, value FROM (
                  SELECT ps_partkey, sum(ps_supplycost * ps_availqty) AS value,
                         sum(sum(ps_supplycost * ps_availqty)) OVER () AS whole
                  FROM partsupp JOIN supplier ON s_suppkey = ps_suppkey JOIN nation ON n_nationkey = s_nationkey
                  WHERE n_name = 'FRANCE' GROUP BY 1) x
              WHERE value > whole * 0.005 ORDER BY 2 DESC",
    },
    // Q12
    Substitution {
        parameters: r#"{"modes": ["REG AIR", "RAIL", "FOB"], "date": "1997-01-01"}"#,
        sql: "SELECT l_shipmode, count(*) FILTER (WHERE o_orderpriority < '3') AS high_line_count,
                     count(*) FILTER (WHERE o_orderpriority >= '3') AS low_line_count
              FROM lineitem JOIN orders ON o_orderkey = l_orderkey
              WHERE l_shipmode IN ('FOB', 'RAIL', 'REG AIR') AND extract(year FROM l_receiptdate) = 1997
                    AND l_shipdate < l_commitdate AND l_commitdate < l_receiptdate
              GROUP BY 1 ORDER BY 1",
    },
    // Q13
    Substitution {
        parameters: r#"{"word1": "pending", "word2": "deposits"}"#,
        sql: "SELECT c_count, count(*) AS custdist FROM (
                  SELECT (SELECT count(*) FROM orders
                          WHERE o_custkey = c_custkey AND o_comment !~ 'pending.*deposits') AS c_count
                  FROM customer) x
              GROUP BY 1 ORDER BY 2 DESC, 1 DESC",
    },
    // Q14
    Substitution {
        parameters: r#"{"date": "1997-02-01"}"#,
        sql: "SELECT 100.00 * sum(CASE WHEN p_type LIKE 'PROMO%' THEN l_extendedprice * (1 - l_discount) ELSE 0 END)
                     / sum(l_extendedprice * (1 - l_discount)) AS promo_revenue
              FROM lineitem JOIN part ON p_partkey = l_partkey WHERE l_shipdate BETWEEN '1997-02-01' AND '1997-02-28'",
    },
    // Q15
    Substitution {
        parameters: r#"{"date": "1993-10-01"}"#,
        sql: "SELECT s_suppkey, s_name, s_address, s_phone, sum(l_extendedprice * (1 - l_discount)) AS total_revenue
              FROM supplier JOIN lineitem ON l_suppkey = s_suppkey
              WHERE l_shipdate BETWEEN '1993-10-01' AND '1993-12-31'
              GROUP BY s_suppkey ORDER BY 5 DESC FETCH FIRST ROW WITH TIES",
    },
    // Q16
    Substitution {
        parameters: r#"{"brand": "Brand#11", "type": "SMALL PLATED", "sizes": [9, 7, 8]}"#,
        sql: "SELECT p_brand, p_type, p_size, count(DISTINCT ps_suppkey) AS supplier_cnt
              FROM part JOIN partsupp ON ps_partkey = p_partkey JOIN supplier ON s_suppkey = ps_suppkey
              WHERE p_brand <> 'Brand#11' AND p_type !~ '^SMALL PLATED' AND p_size BETWEEN 7 AND 9
                    AND s_comment !~ 'Customer.*Complaints'
              GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3",
    },
    // Q17: at this scale the defaults find nothing: their answer is null.
    Substitution {
        parameters: r#"{"brand": "Brand#13", "container": "JUMBO PKG"}"#,
        sql: "SELECT sum(l_extendedprice) / 7.0 AS avg_yearly FROM (
                  SELECT *, avg(l_quantity) OVER (PARTITION BY l_partkey) AS average
                  FROM lineitem JOIN part ON p_partkey = l_partkey) x
              WHERE p_brand = 'Brand#13' AND p_container = 'JUMBO PKG' AND l_quantity < 0.2 * average",
    },
    // Q18
    Substitution {
        parameters: r#"{"quantity": 303}"#,
        sql: "SELECT c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum(l_quantity)
              FROM customer JOIN orders ON o_custkey = c_custkey JOIN lineitem ON l_orderkey = o_orderkey
              GROUP BY c_custkey, o_orderkey HAVING sum(l_quantity) > 303 ORDER BY 5 DESC, 4 LIMIT 100",
    },
    // Q19
    Substitution {
        parameters: r#"{"brand1": "Brand#24", "brand2": "Brand#41", "brand3": "Brand#32",
                        "quantity1": 5, "quantity2": 11, "quantity3": 25}"#,
        sql: "SELECT sum(l_extendedprice * (1 - l_discount)) AS revenue
              FROM lineitem JOIN part ON p_partkey = l_partkey
              WHERE l_shipmode = 'AIR' AND l_shipinstruct = 'DELIVER IN PERSON' AND p_size >= 1 AND (
                    p_brand = 'Brand#24' AND p_container ~ '^SM (CASE|BOX|PACK|PKG)$' AND p_size <= 5
                    AND l_quantity BETWEEN 5 AND 15
                    OR p_brand = 'Brand#41' AND p_container ~ '^MED (BAG|BOX|PKG|PACK)$' AND p_size <= 10
                    AND l_quantity BETWEEN 11 AND 21
                    OR p_brand = 'Brand#32' AND p_container ~ '^LG (CASE|BOX|PACK|PKG)$' AND p_size <= 15
                    AND l_quantity BETWEEN 25 AND 35)",
    },
    // Q20
    Substitution {
        parameters: r#"{"color": "lime", "date": "1997-01-01", "nation": "KENYA"}"#,
        sql: "SELECT DISTINCT s_name, s_address
              FROM partsupp JOIN supplier ON s_suppkey = ps_suppkey JOIN nation ON n_nationkey = s_nationkey
                   JOIN part ON p_partkey = ps_partkey
                   JOIN (SELECT l_partkey, l_suppkey, sum(l_quantity) AS shipped FROM lineitem
                         WHERE extract(year FROM l_shipdate) = 1997 GROUP BY 1, 2) x
                   ON (l_partkey, l_suppkey) = (ps_partkey, ps_suppkey)
              WHERE p_name ~ '^lime' AND n_name = 'KENYA' AND ps_availqty > 0.5 * shipped ORDER BY 1",
    },
    // Q21
    Substitution {
        parameters: r#"{"nation": "PERU"}"#,
        sql: "SELECT s_name, count(*) AS numwait
              FROM supplier JOIN nation ON n_nationkey = s_nationkey JOIN lineitem l ON l_suppkey = s_suppkey
                   JOIN orders ON o_orderkey = l_orderkey
                   JOIN (SELECT l_orderkey, count(DISTINCT l_suppkey) AS suppliers,
                                count(DISTINCT l_suppkey) FILTER (WHERE l_receiptdate > l_commitdate) AS late
                         FROM lineitem GROUP BY 1) x ON x.l_orderkey = l.l_orderkey
              WHERE n_name = 'PERU' AND o_orderstatus = 'F' AND l_receiptdate > l_commitdate
                    AND suppliers > 1 AND late = 1
              GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 100",
    },
    // Q22
    Substitution {
        parameters: r#"{"codes": ["12", "10", "11"]}"#,
        sql: "SELECT left(c_phone, 2) AS cntrycode, count(*) AS numcust, sum(c_acctbal) AS totacctbal
              FROM customer LEFT JOIN orders ON o_custkey = c_custkey
              WHERE o_orderkey IS NULL AND c_phone ~ '^1[0-2]' AND c_acctbal > (
                    SELECT avg(c_acctbal) FROM customer WHERE c_phone ~ '^1[0-2]' AND c_acctbal > 0)
              GROUP BY 1 ORDER BY 1",
    },
];
