-- What PostgreSQL 16 has beyond 15.
SET search_path = stacks;

CREATE COLLATION own_rules (PROVIDER = icu, LOCALE = 'en', RULES = '&a < g');
CREATE VIEW as_json AS
  SELECT json_object('id': id, 'title': initcap(title) ABSENT ON NULL RETURNING jsonb) AS object, json_array(id, ltrim(title)) AS list,
    (SELECT json_arrayagg(l.period ORDER BY tstzrange_subdiff(lower(l.period), upper(l.period))) FROM loan l) AS periods,
    any_value(isbn) OVER () AS isbn, title IS JSON OBJECT WITH UNIQUE KEYS AS is_json, system_user AS who
  FROM book;
GRANT SELECT ON as_json TO reader;
