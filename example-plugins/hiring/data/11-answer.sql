-- The answers of a slice of the interviews (callslip.slice of callslip.slices). An answer's number is its interview's and
-- then its question's place. Who has only started has answered at most two.

WITH slice AS MATERIALIZED (
  SELECT interviews * (slice - 1) / slices AS after, interviews * slice / slices AS last
  FROM how_many(100000, 150) interviews,
       LATERAL (SELECT current_setting('callslip.slice')::bigint AS slice,
                       current_setting('callslip.slices')::bigint AS slices) s
)
INSERT INTO answer
SELECT i.id * 8 + q.ordinal, i.id, q.id,
       4 + below(q.max_seconds - 3, 1 - draw(d, q.ordinal) * draw(d, q.ordinal)),
       i.created_at + make_interval(secs => 120 + 90 * q.ordinal + below(80, draw(d, q.ordinal)))
FROM slice
JOIN interview i ON i.id > after AND i.id <= last
JOIN question q ON q.position_id = i.position_id,
     LATERAL (SELECT digest('answers', i.id) AS d OFFSET 0) x
WHERE i.status = 'completed' OR i.status = 'started' AND q.ordinal <= below(3, draw(d, 0))
ORDER BY 1;
