//! The queries say what the peers' `sql/qN.sql` say.

use callslip_sdk::assert_sql;

use crate::PLUGIN;
use crate::tables::SNAPSHOT;

#[test]
fn the_newest_twenty() {
    assert_sql!(SNAPSHOT, PLUGIN, "q2", {}, "
        SELECT i.id AS interview_id, CAST(i.status AS text) AS status, i.created_at AS created_at,
               i.completed_at AS completed_at, c.id AS candidate_id, c.name AS candidate_name, c.country AS country
        FROM public.interview AS i
        JOIN public.candidate AS c ON i.candidate_id = c.id
        WHERE ((i.position_id = CAST($1 AS int4)) AND (i.status = CAST($2 AS public.interview_status)))
              AND (i.created_at >= CAST($3 AS timestamptz))
        ORDER BY i.created_at DESC, i.id DESC
        LIMIT CAST($4 AS int4)
        -- $1: position_id, $2: status, $3: since, $4: '20'
    ");
}

#[test]
fn aggregates_of_parts_and_of_distinct_rows() {
    assert_sql!(SNAPSHOT, PLUGIN, "q3", {}, "
        SELECT p.id AS position_id, p.title AS title, co.name AS company, count(DISTINCT i.id) AS interviews,
               count(DISTINCT i.id) FILTER (WHERE i.status = CAST($1 AS public.interview_status)) AS completed,
               count(DISTINCT i.id) FILTER (WHERE i.status IN (CAST($2 AS public.interview_status),
                                                               CAST($3 AS public.interview_status))) AS lost,
               count(r.id) AS ratings,
               count(r.id) FILTER (WHERE r.score >= CAST(CAST($4 AS int4) AS numeric)) AS good_ratings,
               CAST(round(avg(r.score), CAST($5 AS int4)) AS float8) AS avg_score,
               percentile_cont(CAST(CAST($6 AS numeric) AS float8))
                   WITHIN GROUP (ORDER BY CAST(r.score AS float8) ASC) AS median_score,
               percentile_cont(CAST(CAST($7 AS numeric) AS float8))
                   WITHIN GROUP (ORDER BY CAST(r.score AS float8) ASC) AS p90_score
        FROM public.company AS co
        JOIN public.position AS p ON p.company_id = co.id
        JOIN public.interview AS i ON i.position_id = p.id
        LEFT JOIN public.rating AS r ON r.interview_id = i.id
        WHERE co.id = CAST($8 AS int4)
        GROUP BY p.id, p.title, co.name
        HAVING count(r.id) >= CAST($9 AS int4)
        ORDER BY avg_score DESC, p.id ASC
        -- $1: 'completed', $2: 'expired', $3: 'withdrawn', $4: '4', $5: '3', $6: '0.5', $7: '0.9', $8: company_id, $9: '20'
    ");
}

#[test]
fn the_first_three_of_each_group() {
    assert_sql!(SNAPSHOT, PLUGIN, "q4", {}, "
        WITH scored AS (SELECT i.position_id AS position_id, i.candidate_id AS candidate_id,
                               avg(r.score) AS avg_score, count(*) AS ratings
                        FROM public.position AS p
                        JOIN public.interview AS i ON i.position_id = p.id
                        JOIN public.rating AS r ON r.interview_id = i.id
                        WHERE p.company_id = CAST($1 AS int4)
                        GROUP BY i.position_id, i.candidate_id
                        HAVING count(*) >= CAST($2 AS int4)),
             ranked AS (SELECT scored.position_id AS position_id, scored.candidate_id AS candidate_id,
                               scored.avg_score AS avg_score, scored.ratings AS ratings,
                               row_number() OVER (PARTITION BY scored.position_id
                                                  ORDER BY scored.avg_score DESC, scored.ratings DESC,
                                                           scored.candidate_id ASC) AS place
                        FROM scored AS scored)
        SELECT ranked.position_id AS position_id, p.title AS position_title, ranked.place AS place,
               ranked.candidate_id AS candidate_id, c.name AS candidate_name,
               CAST(round(ranked.avg_score, CAST($2 AS int4)) AS float8) AS avg_score, ranked.ratings AS ratings
        FROM ranked AS ranked
        JOIN public.position AS p ON p.id = ranked.position_id
        JOIN public.candidate AS c ON c.id = ranked.candidate_id
        WHERE ranked.place <= CAST($2 AS int4)
        ORDER BY ranked.position_id ASC, ranked.place ASC
        -- $1: company_id, $2: '3'
    ");
}

#[test]
fn three_levels_over_the_latest_of_each() {
    assert_sql!(SNAPSHOT, PLUGIN, "q6", {}, "
        SELECT p.id AS position_id, CAST(i.status AS text) AS status, GROUPING(p.id, i.status) AS level,
               count(i.id) AS interviews, count(last.score) AS rated,
               CAST(round(avg(last.score), CAST($1 AS int4)) AS float8) AS avg_latest_score,
               max(last.created_at) AS last_rated_at
        FROM public.position AS p
        LEFT JOIN public.interview AS i ON (i.position_id = p.id) AND ((i.created_at >= CAST($2 AS timestamptz))
                                           AND (i.status <> CAST($3 AS public.interview_status)))
        LEFT JOIN LATERAL (SELECT r.score AS score, r.created_at AS created_at FROM public.rating AS r
                           WHERE r.interview_id = i.id ORDER BY r.created_at DESC, r.id DESC
                           LIMIT CAST($4 AS int4)) AS last ON CAST($5 AS bool)
        WHERE p.company_id = CAST($6 AS int4)
        GROUP BY GROUPING SETS ((p.id, i.status), (p.id), ())
        ORDER BY GROUPING(p.id, i.status) ASC, p.id ASC, i.status ASC
        -- $1: '3', $2: since, $3: 'withdrawn', $4: '1', $5: 'true', $6: company_id
    ");
}
