-- Companies, their reviewers, their positions and what they ask.

WITH words AS MATERIALIZED (
  SELECT ARRAY['Paper', 'Copper', 'Velvet', 'Lazy', 'Northern', 'Hidden', 'Brass', 'Salted', 'Electric', 'Polite',
               'Second', 'Wandering', 'Borrowed', 'Late'] AS manner,
         ARRAY['Lantern', 'Otter', 'Compass', 'Harvest', 'Piano', 'Glacier', 'Biscuit', 'Umbrella', 'Beacon',
               'Orchard', 'Teapot', 'Comet', 'Ferry', 'Ledger'] AS thing,
         ARRAY['Clinics', 'Freight', 'Software', 'Bakeries', '& Daughters', 'Insurance', 'Airways', 'Robotics',
               'Hotels', 'Studios', 'Gardens', 'Bank', 'Labs'] AS trade
)
INSERT INTO company
SELECT n, pick(manner, draw(d, 0)) || ' ' || pick(thing, draw(d, 1)) || ' ' || pick(trade, draw(d, 2)),
       CASE WHEN n = 1 OR draw(d, 3) < 0.2 THEN 'enterprise' WHEN draw(d, 3) < 0.75 THEN 'team' ELSE 'trial' END,
       jsonb_build_object('accent', '#' || encode(substring(d FROM 28 FOR 3), 'hex'), 'sso', draw(d, 4) < 0.35,
                          'keep_videos_days', 30 * (1 + below(24, draw(d, 5))),
                          'locale', pick('{en,en,en,de,fr,ja,es,pt-BR}', draw(d, 6))),
       timestamptz '2018-04-01 08:00:00+00' + make_interval(secs => below(150000000, draw(d, 7)))
FROM words, generate_series(1, how_many(200, 3)) n, LATERAL (SELECT digest('company', n) AS d OFFSET 0) x;

-- From 5 to 15 at each company, their numbers in one run.
WITH words AS MATERIALIZED (
  SELECT ARRAY['coffee', 'night.owl', 'spreadsheet', 'red.pen', 'first.chair', 'stopwatch', 'sunny', 'notebook'] AS handle
)
INSERT INTO reviewer
SELECT n, company_id, CASE WHEN family_first THEN family || ' ' || given ELSE given || ' ' || family END,
       pick(handle, draw(d, 2)) || '.' || n || '@example.com'
FROM words,
     (SELECT c.id AS company_id, row_number() OVER (ORDER BY c.id, k) AS n
      FROM company c, generate_series(1, 5 + below(11, draw(digest('reviewers', c.id), 0))) k) r,
     LATERAL (SELECT digest('reviewer', n) AS d OFFSET 0) x,
     LATERAL (SELECT family_first, pick(p.given, draw(d, 0)) AS given, pick(p.family, draw(d, 1)) AS family
              FROM people p WHERE p.id = below(10, draw(d, 3))) y;

-- Each company has one, and the first companies have more of the rest.
WITH words AS MATERIALIZED (
  SELECT ARRAY['Night-shift', 'Junior', 'Senior', 'Part-time', 'Lead', 'Interim', '', '', '', ''] AS rank,
         ARRAY['Pastry Chef', 'Rust Developer', 'Ferry Captain', 'Actuary', 'Pediatric Nurse', 'Data Analyst',
               'Piano Tuner', 'Customer Success Manager', 'Forklift Operator', 'Illustrator', 'Payroll Clerk',
               'Machine Learning Engineer', 'Crane Inspector', 'Translator', 'Event Host', 'Solar Installer'] AS job,
         ARRAY['Reykjavík', 'Cork', 'Θεσσαλονίκη', '大阪', 'Łódź', 'Lagos', 'Oaxaca', 'Đà Nẵng', 'Pune',
               'Portland, OR', 'Zürich', 'Córdoba'] AS city
)
INSERT INTO position
SELECT n, CASE WHEN n <= companies THEN n ELSE 1 + below(companies, draw(d, 0) * (0.4 + 0.6 * draw(d, 0))) END,
       ltrim(pick(rank, draw(d, 1)) || ' ' || pick(job, draw(d, 2))),
       CASE WHEN draw(d, 3) < 0.88 THEN pick(city, draw(d, 4)) END, draw(e, 8) < 0.3,
       lowest, lowest + 2500 + 50 * below(700, draw(e, 1)),
       some_skills(e, 3, 3 + below(3, draw(e, 2))), opened,
       CASE WHEN draw(d, 6) < 0.3 THEN opened + make_interval(secs => 86400 * (14 + below(400, draw(d, 7)))) END
FROM words, (SELECT count(*)::integer AS companies FROM company) c, generate_series(1, how_many(2000, 12)) n,
     LATERAL (SELECT digest('position', n) AS d, digest('posting', n) AS e OFFSET 0) x,
     LATERAL (SELECT (24000 + 250 * below(380, draw(d, 8) * draw(e, 0)))::numeric(10,2) AS lowest,
                     timestamptz '2023-09-04 07:30:00+00' + make_interval(secs => below(25000000, draw(d, 9))) AS opened
              OFFSET 0) y;

-- Three to five at each position.
WITH words AS MATERIALIZED (
  SELECT ARRAY['Which mistake taught you most?', 'Teach us something in one minute.', 'A customer shouts. What now?',
               'What would your last team miss about you?', 'Estimate how many pianos there are in Cork.',
               'Show us a thing you made & are proud of.', 'When did you last change your mind?',
               'What should we have asked you?', 'Describe "done".', 'Why here, why now?',
               'How do you say no?'] AS prompts
)
INSERT INTO question
SELECT row_number() OVER (ORDER BY p.id, k), p.id, k, prompts[1 + (below(11, draw(d, 1)) + 3 * k) % 11],
       30 * (1 + below(6, draw(digest('question', p.id * 8 + k), 0)))
FROM words, position p, LATERAL (SELECT digest('interview guide', p.id) AS d OFFSET 0) x,
     generate_series(1, 3 + below(3, draw(d, 0))) k;

ANALYZE company, reviewer, position, question;
