-- What PostgreSQL 17 has beyond 16.
SET search_path = stacks;

CREATE COLLATION by_code_point (PROVIDER = builtin, LOCALE = 'C.UTF-8');
CREATE VIEW of_json AS
  SELECT t.*, json_value(l.details, '$.a' RETURNING condition DEFAULT 'lost' ON EMPTY) AS value,
    json_query(l.details, '$.b' PASSING ascii(l.note) AS x WITH WRAPPER) AS query, json_exists(l.details, '$.c') AS "exists",
    json_scalar(chr(65)) AS scalar, now() AT LOCAL AS local
  FROM loan l, JSON_TABLE(l.details, '$.list[*]' COLUMNS (
    nr FOR ORDINALITY, title text PATH '$.t' DEFAULT btrim(' ') ON ERROR,
    NESTED PATH '$.more[*]' COLUMNS (code call_number PATH '$'))) t;
CREATE TABLE booking (hall int4range, seat int, EXCLUDE USING gist (hall WITH =, int4range(seat, seat, '[]') WITH &&)) PARTITION BY LIST (hall);
GRANT SELECT ON of_json, booking TO reader;
