//! Native tests, as an author writes them: no database, no WebAssembly.

use callslip_sdk::assert_sql;

use crate::PLUGIN;
use crate::tables::SNAPSHOT;

#[test]
fn every_query_says_what_it_is_for_and_has_an_example() {
    for query in PLUGIN.manifest().queries {
        assert!(!query.doc.is_empty() && !query.examples.is_empty(), "{}", query.name);
    }
}

#[test]
fn the_preview_is_a_tree_in_one_statement() {
    let net = |line: &str| {
        format!(
            "CAST(round(((CAST({line}.quantity AS numeric) * {line}.unit_price)
                         * (CAST(CAST($1 AS int4) AS numeric) - {line}.discount_percent))
                        / CAST(CAST($1 AS int4) AS numeric), CAST($2 AS int4)) AS numeric)"
        )
    };
    let tax = |line: &str| {
        format!(
            "CAST(round(({net} * {line}.tax_percent) / CAST(CAST($1 AS int4) AS numeric), CAST($2 AS int4)) AS numeric)",
            net = net(line)
        )
    };
    let sql = format!(
        r#"
        WITH line AS (
            SELECT pr.id AS product, pr.name AS name, l.quantity AS quantity, l.unit_price AS unit_price,
                   l.discount_percent AS discount_percent, {net} AS net, {tax} AS tax,
                   pr.stock - COALESCE(promised.pieces, CAST(CAST($3 AS int4) AS int8)) AS left_in_stock
            FROM public.order_line AS l
            JOIN public.product AS pr ON l.product_id = pr.id
            LEFT JOIN (SELECT mine.product_id AS product, sum(every.quantity) AS pieces
                       FROM public.order_line AS mine
                       JOIN public.order_line AS every ON every.product_id = mine.product_id
                       JOIN public.sales_order AS waiting ON every.order_id = waiting.id
                       WHERE (mine.order_id = CAST($4 AS int8)) AND (waiting.shipped_at IS NULL)
                       GROUP BY mine.product_id) AS promised ON promised.product = pr.id
            WHERE l.order_id = CAST($4 AS int8))
        SELECT o.id AS "order", o.placed_at AS placed_at,
               (SELECT row_to_json(n.*) AS row_to_json
                FROM (SELECT c.id AS id, c.name AS name, c.credit_limit AS credit_limit,
                             account.balance AS balance) AS n) AS customer,
               (SELECT COALESCE(json_agg(row_to_json(n.*)), CAST($5 AS json))
                FROM (SELECT line.product AS product, line.name AS name, line.quantity AS quantity,
                             line.unit_price AS unit_price, line.discount_percent AS discount_percent, line.net AS net,
                             line.tax AS tax, line.left_in_stock AS left_in_stock
                      FROM line AS line ORDER BY line.product ASC) AS n) AS lines,
               (SELECT row_to_json(n.*) AS row_to_json
                FROM (SELECT sum(line.net) AS net, sum(line.tax) AS tax, sum(line.net + line.tax) AS gross
                      FROM line AS line) AS n) AS totals,
               (SELECT COALESCE(json_agg(row_to_json(n.*)), CAST($5 AS json))
                FROM ((SELECT CAST($6 AS text) AS short_of, line.name AS whose,
                              CAST(- line.left_in_stock AS numeric) AS missing
                       FROM line AS line WHERE line.left_in_stock < CAST($3 AS int4))
                      UNION ALL
                      (SELECT CAST($7 AS text), c.name AS name, account.balance - c.credit_limit
                       WHERE account.balance > c.credit_limit)
                      ORDER BY short_of ASC, whose ASC) AS n) AS warnings
        FROM public.sales_order AS o
        JOIN public.customer AS c ON o.customer_id = c.id
        JOIN LATERAL (SELECT COALESCE(sum({owed_net} + {owed_tax}), CAST(CAST($3 AS int4) AS numeric)) AS balance
                      FROM public.sales_order AS unpaid
                      JOIN public.order_line AS owed ON owed.order_id = unpaid.id
                      WHERE (unpaid.customer_id = o.customer_id) AND (unpaid.paid_at IS NULL)) AS account
             ON CAST($8 AS bool)
        WHERE o.id = CAST($4 AS int8)
        -- $1: '100', $2: '2', $3: '0', $4: order, $5: '[]', $6: 'stock', $7: 'credit', $8: 'true'
        "#,
        net = net("l"),
        tax = tax("l"),
        owed_net = net("owed"),
        owed_tax = tax("owed")
    );
    assert_sql!(SNAPSHOT, PLUGIN, "preview", {}, &sql);
}

#[test]
fn what_is_suggested_is_not_in_the_order() {
    assert_sql!(SNAPSHOT, PLUGIN, "also_bought", {}, "
        SELECT pr.id AS product, pr.name AS name, pr.unit_price AS unit_price, sum(r.times_together) AS times_together
        FROM public.order_line AS l
        JOIN public.related_product AS r ON r.product_id = l.product_id
        JOIN public.product AS pr ON r.related_id = pr.id
        WHERE (l.order_id = CAST($1 AS int8))
              AND (NOT EXISTS (SELECT CAST($2 AS int4) FROM public.order_line AS there
                               WHERE (there.order_id = l.order_id) AND (there.product_id = r.related_id)))
        GROUP BY pr.id ORDER BY times_together DESC, pr.id ASC LIMIT CAST($3 AS int8)
        -- $1: order, $2: '1', $3: limit
    ");
}

#[test]
fn a_shortage_is_of_what_is_promised_in_all() {
    assert_sql!(
        SNAPSHOT,
        PLUGIN,
        "shortages",
        {},
        "
        SELECT pr.id AS product, pr.name AS name, pr.stock AS stock, sum(l.quantity) AS promised,
               pr.stock - sum(l.quantity) AS left_in_stock
        FROM public.product AS pr
        JOIN public.order_line AS l ON l.product_id = pr.id
        JOIN public.sales_order AS waiting ON l.order_id = waiting.id
        WHERE waiting.shipped_at IS NULL
        GROUP BY pr.id HAVING (pr.stock - sum(l.quantity)) <= CAST($1 AS int8)
        ORDER BY left_in_stock ASC, pr.id ASC
        -- $1: at_most
    "
    );
}
