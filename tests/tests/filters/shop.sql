-- Of two companies, of which the callers of the tests are of the first. The rows of the other make most expressions fail.
CREATE TABLE item (
    id int4 PRIMARY KEY,
    company_id int4 NOT NULL,
    name text NOT NULL,
    code text NOT NULL,
    divisor int4 NOT NULL,
    facts jsonb NOT NULL,
    place point NOT NULL
);
CREATE TABLE visit (id int4 PRIMARY KEY, item_id int4 NOT NULL, guest text NOT NULL, divisor int4 NOT NULL);
CREATE TABLE member (company_id int4, "user" text);

INSERT INTO item
SELECT n, 1, 'item ' || n, n::text, n, jsonb_build_object('n', n), point(n, n) FROM generate_series(1, 9) n;
INSERT INTO item
SELECT n, 2, 'hidden ' || n, 'swordfish', 0, '{"secret": "swordfish", "on": "2026-01-01"}', point('1e308', '1e308')
FROM generate_series(101, 1100) n;
INSERT INTO visit SELECT n, 1 + n % 9, 'guest ' || n, 1 + n % 3 FROM generate_series(1, 30) n;
INSERT INTO visit SELECT n, n, 'guest ' || n, 0 FROM generate_series(101, 1100) n;
INSERT INTO member VALUES (1, 'ann'), (2, 'bob');
CREATE INDEX ON item (company_id);
CREATE INDEX ON item USING gist (place);

CREATE FUNCTION of_company(int4, int4) RETURNS bool LANGUAGE plpgsql IMMUTABLE COST 1000000 AS $$ BEGIN RETURN $1 = $2; END $$;
CREATE FUNCTION whim(int4) RETURNS bool LANGUAGE sql VOLATILE RETURN true;

CREATE VIEW item_view AS SELECT id, company_id, name, 100 / divisor AS share FROM item;
CREATE VIEW over_view AS SELECT id FROM item_view;
CREATE MATERIALIZED VIEW item_kept AS SELECT id, company_id, name FROM item;
CREATE VIEW over_kept AS SELECT id, name FROM item_kept;
CREATE VIEW visit_view AS SELECT id FROM visit;

CREATE TABLE event (id int4, company_id int4, year int4) PARTITION BY LIST (year);
CREATE TABLE event_2025 PARTITION OF event FOR VALUES IN (2025);
CREATE TABLE event_2026 PARTITION OF event FOR VALUES IN (2026) PARTITION BY LIST (company_id);
CREATE TABLE event_2026_1 PARTITION OF event_2026 FOR VALUES IN (1);
CREATE TABLE event_2026_2 PARTITION OF event_2026 FOR VALUES IN (2);
INSERT INTO event SELECT n, 1 + n / 2 % 2, 2025 + n % 2 FROM generate_series(1, 8) n;
CREATE TABLE animal (id int4, company_id int4);
CREATE TABLE bird (wings int4) INHERITS (animal);
INSERT INTO animal VALUES (1, 1), (2, 2);
INSERT INTO bird VALUES (3, 1, 2), (4, 2, 2);
ANALYZE;
