//! Native tests, as an author writes them: no database, no WebAssembly.

use callslip_sdk::assert_sql;
use callslip_sdk::testing::plan;

use crate::PLUGIN;
use crate::tables::SNAPSHOT;

#[test]
fn the_plugin_offers_its_queries() {
    let queries = PLUGIN.manifest().queries;
    assert_eq!(queries.len(), 10);
    for query in &queries {
        assert!(!query.doc.is_empty(), "{} says what it is for", query.name);
        assert!(!query.examples.is_empty(), "{} has an example", query.name);
    }
}

#[test]
fn the_overview_has_its_statements_by_name() {
    let plan = plan(&PLUGIN, "overview", &[]).unwrap();
    let names: Vec<_> = plan.iter().map(|statement| statement.name.as_str()).collect();
    assert_eq!(names, ["positions", "totals"]);
}

#[test]
fn the_funnel_filters_by_what_is_there() {
    assert_sql!(SNAPSHOT, PLUGIN, "funnel", { open: true, since }, "
        SELECT p.id AS id, p.title AS title, count(i.id) AS started,
               count(i.id) FILTER (WHERE i.status = CAST($1 AS public.interview_status)) AS completed
        FROM public.position AS p
        LEFT JOIN public.interview AS i ON i.position_id = p.id
        WHERE ((p.company_id = CAST($2 AS int4)) AND (p.closed_at IS NULL)) AND (i.created_at >= CAST($3 AS timestamptz))
        GROUP BY p.id ORDER BY p.title ASC, p.id ASC LIMIT CAST($4 AS int8)
        -- $1: 'completed', $2: company, $3: since, $4: limit
    ");
    assert_sql!(SNAPSHOT, PLUGIN, "funnel", { open: false }, "
        SELECT p.id AS id, p.title AS title, count(i.id) AS started,
               count(i.id) FILTER (WHERE i.status = CAST($1 AS public.interview_status)) AS completed
        FROM public.position AS p
        LEFT JOIN public.interview AS i ON i.position_id = p.id
        WHERE p.company_id = CAST($2 AS int4)
        GROUP BY p.id ORDER BY p.title ASC, p.id ASC LIMIT CAST($3 AS int8)
        -- $1: 'completed', $2: company, $3: limit
    ");
}

#[test]
fn the_filter_and_the_permission_check_share_one_join() {
    assert_sql!(
        SNAPSHOT,
        PLUGIN,
        "interviews",
        { at_least },
        claims { admin: false },
        "
        SELECT DISTINCT i.id AS id, p.title AS title, i.completed_at AS completed_at
        FROM public.interview AS i
        JOIN public.position AS p ON p.id = i.position_id
        JOIN public.rating AS r ON (r.interview_id = i.id) AND (r.answer_id IS NULL)
        WHERE ((p.company_id = CAST($1 AS int4)) AND (r.score >= CAST($2 AS numeric)))
              AND (r.reviewer_id = CAST($3 AS int4))
        ORDER BY i.completed_at DESC NULLS LAST, i.id ASC LIMIT CAST($4 AS int8)
        -- $1: company, $2: at_least, $3: claim user, $4: limit
    "
    );
}

#[test]
fn each_to_many_join_is_counted_by_itself() {
    assert_sql!(
        SNAPSHOT,
        PLUGIN,
        "workload",
        {},
        "
        SELECT p.id AS id, p.title AS title,
               COALESCE(asked.questions, CAST(CAST($1 AS int4) AS int8)) AS questions,
               COALESCE(held.interviews, CAST(CAST($1 AS int4) AS int8)) AS interviews
        FROM public.position AS p
        LEFT JOIN (SELECT q.position_id AS position, count(*) AS questions FROM public.question AS q
                   GROUP BY q.position_id) AS asked ON asked.position = p.id
        LEFT JOIN (SELECT i.position_id AS position, count(*) AS interviews FROM public.interview AS i
                   GROUP BY i.position_id) AS held ON held.position = p.id
        WHERE p.company_id = CAST($2 AS int4)
        ORDER BY p.id ASC
        -- $1: '0', $2: company
    "
    );
}

#[test]
fn the_page_and_its_total_have_the_same_filters() {
    assert_sql!(SNAPSHOT, PLUGIN, "candidates.rows", { hours, sort: "-salary,name" }, "
        SELECT c.id AS id, c.name AS name, c.country AS country, c.desired_salary AS desired_salary, c.skills AS skills
        FROM public.candidate AS c
        WHERE CAST(c.profile ->> CAST($1 AS text) AS numeric) >= CAST($2 AS numeric)
        ORDER BY c.desired_salary DESC NULLS LAST, c.name ASC, c.id ASC
        LIMIT CAST($3 AS int8) OFFSET ((CAST($4 AS int8) - CAST($5 AS int8)) * CAST($3 AS int8))
        -- $1: 'camera_hours', $2: hours, $3: page_size, $4: page, $5: '1'
    ");
    assert_sql!(SNAPSHOT, PLUGIN, "candidates.total", { hours, sort: "-salary,name" }, "
        SELECT count(*) AS candidates
        FROM public.candidate AS c
        WHERE CAST(c.profile ->> CAST($1 AS text) AS numeric) >= CAST($2 AS numeric)
        -- $1: 'camera_hours', $2: hours
    ");
}

#[test]
fn every_query_has_a_plan_without_its_optional_parameters() {
    for query in PLUGIN.manifest().queries {
        let claims: &[(&str, &str)] = match query.name.as_str() {
            "interviews" => &[("admin", "true")],
            "detail" => &[("reviewer", "true")],
            _ => &[],
        };
        let plan = callslip_sdk::testing::plan_for(&PLUGIN, &query.name, &[], claims);
        assert!(plan.is_ok(), "{}: {plan:?}", query.name);
    }
}
