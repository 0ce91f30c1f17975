-- The ratings of a slice of the interviews (callslip.slice of callslip.slices). Nine in ten completed interviews are
-- rated, by a panel of three to five of the company's reviewers: as a whole by all of them, each answer by most.
--
-- A score comes from the candidate's talent, the reviewer's severity and the day; one in fourteen is the opposite of what
-- the others think.

WITH interview_slice AS MATERIALIZED (
  SELECT i.id, i.position_id, i.candidate_id, i.completed_at, panel_of, 3 + below(3, draw(d, 1)) AS panel_size, below(1000, draw(d, 2)) AS first_seat,
         draw(digest('talent', i.candidate_id), 0) + draw(digest('talent', i.candidate_id), 1) AS talent
  FROM how_many(100000, 150) interviews,
       LATERAL (SELECT current_setting('callslip.slice')::bigint AS slice, current_setting('callslip.slices')::bigint AS slices) s,
       LATERAL (SELECT * FROM interview
                WHERE id > interviews * (slice - 1) / slices AND id <= interviews * slice / slices AND status = 'completed') i,
       LATERAL (SELECT digest('panel of', i.id) AS d OFFSET 0) x,
       LATERAL (SELECT company_id AS panel_of FROM position p WHERE p.id = i.position_id) p
  WHERE draw(d, 0) < 0.9
), reviewers AS MATERIALIZED (
  SELECT company_id, min(id) AS first_id, count(*)::integer AS seats FROM reviewer GROUP BY company_id
), severity AS MATERIALIZED (
  SELECT id AS reviewer_id, 1.2 * draw(digest('severity', id), 0) AS severity FROM reviewer
), rated AS (
  SELECT i.*, 0 AS place, NULL::bigint AS answer_id FROM interview_slice i
  UNION ALL
  SELECT i.*, (a.id % 8)::integer, a.id FROM interview_slice i JOIN answer a ON a.id BETWEEN i.id * 8 AND i.id * 8 + 7
), words AS MATERIALIZED (
  SELECT ARRAY['Read every word from the wall behind me.','Never got to the point','Sound only on the left, confidence on neither side','"Team player", said six times','I would not buy a bicycle from them','Half of it was the neighbour''s dog'] AS bad,
         ARRAY['Solid, a bit rehearsed','Good start; faded','Knows the job, not the tool','Okay. Ask again about the numbers','Fine 👍 but see answer 2','Better on the second viewing'] AS fair,
         ARRAY['Hire before lunch','I learnt something!','Calm, exact, funny','Wunderbar. Genau so.','Best answer of the week 🎉','Would follow them into a ferry storm','いいですね'] AS good
)
INSERT INTO rating
SELECT r.id * 64 + place * 8 + k, r.id, answer_id, v.reviewer_id, score,
       CASE WHEN draw(d, 4) < 0.3 THEN pick(CASE WHEN score < 2.5 THEN bad WHEN score < 4 THEN fair ELSE good END, draw(d, 5))
                                       || CASE WHEN draw(d, 6) < 0.05 THEN E'\n— see my notes' ELSE '' END END,
       completed_at + make_interval(secs => 1800 + below(1000000, draw(d, 7))) + below(1000000, draw(d, 8)) * interval '1 microsecond'
FROM words, rated r JOIN reviewers w ON w.company_id = r.panel_of, LATERAL generate_series(1, panel_size) k,
     LATERAL (SELECT digest('rating', r.id * 64 + place * 8 + k) AS d, first_id + (first_seat + k) % seats AS seat OFFSET 0) x
     JOIN severity v ON v.reviewer_id = x.seat,
     LATERAL (SELECT 2.1 + 1.5 * talent - severity + 1.4 * (draw(d, 1) - 0.5) AS opinion OFFSET 0) o,
     LATERAL (SELECT (floor(2 * least(5, greatest(1, CASE WHEN draw(d, 2) < 0.07 THEN 6 - opinion ELSE opinion END)) + 0.5) / 2)::numeric(3,1) AS score OFFSET 0) z
WHERE answer_id IS NULL OR draw(d, 3) < 0.8
ORDER BY 1;
