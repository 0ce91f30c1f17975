-- Candidates and how they are tagged.

WITH words AS MATERIALIZED (
  SELECT ARRAY['brisk', 'quiet', 'curious', 'stubborn', 'gentle', 'bright', 'dusty', 'sober', 'merry', 'plain'] AS manner,
         ARRAY['heron', 'badger', 'walrus', 'finch', 'ibex', 'newt', 'moth', 'lynx', 'carp', 'mule', 'quokka'] AS animal,
         ARRAY['Looking for the next thing', 'Third-generation baker', 'I fix what others return',
               'Open to work — really', 'Ex-navy, now in payroll', 'Career changer: 🎻 → 💻',
               'Speaks four languages, one of them well', '"Details matter"', 'Back from parental leave'] AS headline,
         ARRAY['friend', 'job fair', 'newspaper', 'search', 'returning'] AS source
)
INSERT INTO candidate
SELECT n, encode(substring(d FROM 1 FOR 16), 'hex')::uuid,
       CASE WHEN family_first THEN family || ' ' || given ELSE given || ' ' || family END,
       pick(manner, draw(d, 7)) || '.' || pick(animal, draw(d, 8)) || '.' || n
         || '@' || pick('{example.com,example.net,example.org}', draw(d, 9)),
       CASE WHEN draw(e, 0) < 0.7
            THEN '+999 ' || 100 + below(900, draw(e, 1)) || ' ' || lpad(below(1000000, draw(e, 2))::text, 6, '0') END,
       CASE WHEN draw(e, 3) < 0.8 THEN country ELSE pick('{CA,DE,BR,PL,KE}', draw(e, 4)) END,
       years, draw(e, 6) < 0.3,
       CASE WHEN draw(e, 7) < 0.85 THEN 22000 + 500 * below(40, draw(e, 8)) + 1750 * years END,
       CASE WHEN draw(e, 9) < 0.6 THEN date '2006-12-31' - 365 * years - below(7300, draw(d, 7)) END,
       some_skills(f, 0, below(6, draw(f, 9))),
       jsonb_build_object('headline', pick(headline, draw(f, 5)), 'source', pick(source, draw(f, 6) * draw(f, 6)),
                          'pronouns', CASE WHEN draw(f, 7) < 0.4 THEN pick('{she/her,he/him,they/them}', draw(f, 7) / 0.4) END,
                          'camera_hours', round((20 * draw(f, 8))::numeric, 2)),
       timestamptz '2023-10-02 06:00:00+00'
         + make_interval(secs => floor(50000000 * elapsed * (1.5 - 0.5 * elapsed)))
         + below(1000000, draw(e, 4)) * interval '1 microsecond'
FROM words, how_many(40000, 40) candidates, generate_series(1, candidates) n,
     LATERAL (SELECT digest('candidate', n) AS d, digest('application', n) AS e, digest('profile', n) AS f,
                     n / candidates::float8 AS elapsed OFFSET 0) x,
     -- Half of them are from three of the ten countries.
     LATERAL (SELECT below(28, draw(e, 5) * draw(f, 8)) AS years,
                     CASE WHEN draw(d, 0) < 0.5 THEN 9 - below(3, draw(d, 0) * 2)
                          ELSE below(10, draw(d, 0) * 2 - 1) END AS origin OFFSET 0) y,
     LATERAL (SELECT country, family_first, pick(p.given, draw(d, 5)) AS given, pick(p.family, draw(d, 6)) AS family
              FROM people p WHERE p.id = origin) z
ORDER BY n;

WITH words AS MATERIALIZED (
  SELECT ARRAY['wow', 'call back', 'next year', 'too far', 'needs visa', 'great story', 'bad audio', 'boomerang',
               'panel split'] AS kinds
)
INSERT INTO tag
SELECT n, kinds[1 + (n - 1) % 9] || CASE WHEN n > 9 THEN ' ' || (n + 8) / 9 ELSE '' END,
       '#' || encode(substring(digest('tag', n) FROM 1 FOR 3), 'hex')
FROM words, generate_series(1, 45) n;

-- Up to four; the first tags are the usual ones.
INSERT INTO candidate_tag
SELECT c.id, tag_id, c.created_at + make_interval(secs => 3600 * (1 + min(k) + below(2000, draw(d, 9))))
FROM candidate c, LATERAL (SELECT digest('tags', c.id) AS d OFFSET 0) x, generate_series(1, below(5, draw(d, 0))) k,
     LATERAL (SELECT 1 + below(45, draw(d, k) * draw(d, k + 4)) AS tag_id) y
GROUP BY c.id, tag_id, d
ORDER BY c.id, tag_id;

ANALYZE candidate, tag, candidate_tag;
