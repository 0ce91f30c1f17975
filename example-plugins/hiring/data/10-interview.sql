-- A slice of the interviews (callslip.slice of callslip.slices): one run of numbers, made in the order of time.
--
-- Half of them go to positions by a cube, which makes the first ones popular, and half to all alike. How many are
-- completed depends on the position.

WITH slice AS MATERIALIZED (
  SELECT interviews, interviews * (slice - 1) / slices AS after, interviews * slice / slices AS last
  FROM how_many(100000, 150) interviews,
       LATERAL (SELECT current_setting('callslip.slice')::bigint AS slice,
                       current_setting('callslip.slices')::bigint AS slices) s
)
INSERT INTO interview
SELECT n, position_id, 1 + below(candidates, draw(d, 2)), status::interview_status,
       pick('{web,web,web,android,android,ios}', draw(d, 3)), created,
       CASE WHEN status = 'completed'
            THEN created + make_interval(secs => 900 + below(600000, draw(d, 4) * draw(d, 5))) END
FROM (SELECT count(*)::integer AS candidates FROM candidate) c,
     (SELECT count(*)::integer AS positions FROM position) p,
     slice, generate_series(after + 1, last) n,
     LATERAL (SELECT digest('interview', n) AS d, n / interviews::float8 AS elapsed OFFSET 0) x,
     LATERAL (SELECT CASE WHEN draw(d, 0) < 0.5 THEN draw(d, 1) * draw(d, 1) * draw(d, 1)
                          ELSE draw(d, 1) END AS popularity OFFSET 0) y,
     LATERAL (SELECT 1 + below(positions, popularity) AS position_id OFFSET 0) z,
     LATERAL (SELECT CASE WHEN draw(d, 6) < 0.5 + 0.34 * draw(digest('interview guide', position_id), 2) THEN 'completed'
                          ELSE pick('{invited,invited,started,started,expired,withdrawn}', draw(d, 7)) END AS status,
                     timestamptz '2024-02-05 05:00:00+00'
                       + make_interval(secs => floor(52000000 * elapsed * (1.5 - 0.5 * elapsed))
                                               + below(1800, draw(d, 8))) AS created
              OFFSET 0) s
ORDER BY n;
