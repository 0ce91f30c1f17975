-- The answers of a slice of the interviews (callslip.slice of callslip.slices). An answer's number is its interview's and
-- its question's place. Who has only started has answered at most two.

INSERT INTO answer
SELECT i.id * 8 + q.ordinal, i.id, q.id, 4 + below(q.max_seconds - 3, 1 - draw(d, q.ordinal) * draw(d, q.ordinal)),
       i.created_at + make_interval(secs => 120 + 90 * q.ordinal + below(80, draw(d, q.ordinal)))
FROM how_many(100000, 150) interviews,
     LATERAL (SELECT current_setting('callslip.slice')::bigint AS slice, current_setting('callslip.slices')::bigint AS slices) s,
     LATERAL (SELECT * FROM interview
              WHERE id > interviews * (slice - 1) / slices AND id <= interviews * slice / slices
                AND status IN ('completed', 'started')) i,
     LATERAL (SELECT digest('answers', i.id) AS d OFFSET 0) x,
     question q
WHERE q.position_id = i.position_id AND (i.status = 'completed' OR q.ordinal <= below(3, draw(d, 0)))
ORDER BY 1;
