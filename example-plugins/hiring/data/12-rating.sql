-- The ratings of a slice of the interviews (callslip.slice of callslip.slices). Nine in ten completed interviews are
-- rated, by a panel of three to five of the company's reviewers: as a whole by all of them, each answer by most.
--
-- A score comes from the candidate's talent, the reviewer's severity and the day; one in fourteen is the opposite of what
-- the others think. A rating's number is its interview's, then the question's place (0: the interview as a whole), then
-- the reviewer's on the panel.

WITH slice AS MATERIALIZED (
  SELECT interviews * (slice - 1) / slices AS after, interviews * slice / slices AS last
  FROM how_many(100000, 150) interviews,
       LATERAL (SELECT current_setting('callslip.slice')::bigint AS slice,
                       current_setting('callslip.slices')::bigint AS slices) s
), seen AS MATERIALIZED (
  SELECT i.id, i.completed_at, p.company_id, 3 + below(3, draw(d, 1)) AS panel, below(1000, draw(d, 2)) AS first_seat,
         draw(digest('talent', i.candidate_id), 0) + draw(digest('talent', i.candidate_id), 1) AS talent
  FROM slice
  JOIN interview i ON i.id > after AND i.id <= last
  JOIN position p ON p.id = i.position_id,
       LATERAL (SELECT digest('panel of', i.id) AS d OFFSET 0) x
  WHERE i.status = 'completed' AND draw(d, 0) < 0.9
), rated AS (
  SELECT seen.*, 0 AS place, NULL::bigint AS answer_id FROM seen
  UNION ALL
  SELECT seen.*, (a.id % 8)::integer, a.id
  FROM slice
  JOIN answer a ON a.id >= 8 * (after + 1) AND a.id < 8 * (last + 1)
  JOIN seen ON seen.id = a.interview_id
), seats AS (
  SELECT company_id, min(id) AS first_id, count(*)::integer AS seats FROM reviewer GROUP BY company_id
), severity AS MATERIALIZED (
  SELECT id AS reviewer_id, 1.2 * draw(digest('severity', id), 0) AS severity FROM reviewer
), judged AS (
  SELECT rated.id * 64 + place * 8 + k AS id, rated.id AS interview_id, answer_id, completed_at, talent,
         first_id + (first_seat + k) % seats AS reviewer_id
  FROM rated JOIN seats USING (company_id), generate_series(1, panel) k
), words AS MATERIALIZED (
  SELECT ARRAY['Read every word from the wall behind me.', 'Never got to the point', '"Team player", said six times',
               'Sound only on the left, confidence on neither side', 'I would not buy a bicycle from them',
               'Half of it was the neighbour''s dog'] AS bad,
         ARRAY['Solid, a bit rehearsed', 'Good start; faded', 'Knows the job, not the tool',
               'Okay. Ask again about the numbers', 'Fine 👍 but see answer 2', 'Better on the second viewing'] AS fair,
         ARRAY['Hire before lunch', 'I learnt something!', 'Calm, exact, funny', 'Wunderbar. Genau so.',
               'Best answer of the week 🎉', 'Would follow them into a ferry storm', 'いいですね'] AS good
)
INSERT INTO rating
SELECT id, interview_id, answer_id, reviewer_id, score,
       CASE WHEN draw(d, 4) < 0.3
            THEN pick(CASE WHEN score < 2.5 THEN bad WHEN score < 4 THEN fair ELSE good END, draw(d, 5))
                 || CASE WHEN draw(d, 6) < 0.05 THEN E'\n— see my notes' ELSE '' END END,
       completed_at + make_interval(secs => 1800 + below(1000000, draw(d, 7)))
         + below(1000000, draw(d, 8)) * interval '1 microsecond'
FROM words, judged JOIN severity USING (reviewer_id),
     LATERAL (SELECT digest('rating', id) AS d OFFSET 0) x,
     LATERAL (SELECT 2.1 + 1.5 * talent - severity + 1.4 * (draw(d, 1) - 0.5) AS opinion OFFSET 0) y,
     LATERAL (SELECT greatest(1, least(5, CASE WHEN draw(d, 2) < 0.07 THEN 6 - opinion ELSE opinion END)) AS mark OFFSET 0) z,
     LATERAL (SELECT (floor(2 * mark + 0.5) / 2)::numeric(3,1) AS score OFFSET 0) s
WHERE answer_id IS NULL OR draw(d, 3) < 0.8
ORDER BY id;
