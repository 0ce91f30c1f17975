CREATE SCHEMA shop;
CREATE SCHEMA hidden;
CREATE ROLE reader LOGIN;
GRANT USAGE ON SCHEMA shop TO reader;

CREATE TYPE shop.mood AS ENUM ('low', 'high');
ALTER TYPE shop.mood ADD VALUE 'it''s "ok"' BEFORE 'high';
CREATE DOMAIN shop.email AS text NOT NULL CHECK (value LIKE '%@%');
CREATE DOMAIN shop.work_email AS shop.email;
CREATE TYPE shop.address AS (street text, zip shop.work_email);
CREATE TYPE shop.span AS RANGE (subtype = float8);
CREATE COLLATION shop.plain FROM "C";
CREATE COLLATION hidden.plain FROM "C";
CREATE TYPE hidden.used AS ENUM ('a');
CREATE TYPE hidden.unused AS ENUM ('a');

CREATE TABLE shop.customer (
  id      int PRIMARY KEY,
  dropped int,
  name    varchar(40),
  mail    shop.email,
  label   hidden.used,
  address shop.address,
  secret  text UNIQUE,
  shouted text GENERATED ALWAYS AS (mail || '!') STORED,
  CONSTRAINT mail_label UNIQUE (mail, label)
);
ALTER TABLE shop.customer DROP COLUMN dropped;
COMMENT ON TABLE shop.customer IS E'Who buys;\n"quoted" ''too''';
COMMENT ON COLUMN shop.customer.name IS 'Full name';
CREATE UNIQUE INDEX ON shop.customer (lower(name));
CREATE UNIQUE INDEX by_name ON shop.customer (name) WHERE label IS NULL;
CREATE UNIQUE INDEX by_shouted ON shop.customer (shouted, id) INCLUDE (label);

CREATE TABLE shop.sale (
  id       bigint,
  year     int,
  customer int NOT NULL REFERENCES shop.customer,
  days     shop.span,
  PRIMARY KEY (year, id)
) PARTITION BY LIST (year);
CREATE TABLE shop.sale_2024 PARTITION OF shop.sale FOR VALUES IN (2024);
-- Its columns stand in another order.
CREATE TABLE shop.sale_2025 (days shop.span, gone int, customer int NOT NULL, year int NOT NULL, id bigint NOT NULL);
ALTER TABLE shop.sale_2025 DROP COLUMN gone;
ALTER TABLE shop.sale ATTACH PARTITION shop.sale_2025 FOR VALUES IN (2025);

CREATE TABLE shop.line (
  sale_id   bigint,
  sale_year int,
  secret    text REFERENCES shop.customer (secret),
  mood      shop.mood[],
  FOREIGN KEY (sale_year, sale_id) REFERENCES shop.sale (year, id)
);
CREATE TABLE shop.discount (id int PRIMARY KEY DEFERRABLE);
CREATE TABLE shop.for_others (id int);
CREATE TABLE hidden.within (id int);
CREATE TABLE hidden.kept (id int, gone int, at date);
ALTER TABLE hidden.kept DROP COLUMN gone;
CREATE TABLE shop.archived (id int, was hidden.kept);
CREATE TABLE shop."bad ""na'me"" 表; --" (
  "a b" int, """" int, "sélect" int, "$1" int, "'; DROP TABLE x; --" int, PRIMARY KEY ("""", "a b")
);

CREATE VIEW shop.open_sale AS SELECT s.id, s.customer, s.days, c AS whole, c.mail FROM shop.sale s LEFT JOIN shop.customer c ON c.id = s.customer;
CREATE MATERIALIZED VIEW shop.daily AS SELECT year, count(*) AS sales FROM shop.sale GROUP BY year;

CREATE FUNCTION shop.priced(amount int, numeric DEFAULT 1, INOUT currency text DEFAULT 'EUR', OUT total numeric)
  LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT $3, $1 * $2';
CREATE FUNCTION shop.months(year int) RETURNS TABLE (number int, label text) LANGUAGE sql AS $$ SELECT 1, 'January' $$;
CREATE FUNCTION shop.halved(INOUT numeric) LANGUAGE sql AS 'SELECT $1 / 2';
CREATE FUNCTION shop.unnamed(OUT int, OUT text) LANGUAGE sql AS $$ SELECT 1, 'a' $$;
CREATE FUNCTION shop.of_archived(shop.archived) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION shop.greatest_of(VARIADIC numbers int[]) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT max(n) FROM unnest(numbers) n';
CREATE FUNCTION shop.lines(int) RETURNS SETOF shop.line[] LANGUAGE sql AS 'SELECT array_agg(l) FROM shop.line l';
CREATE AGGREGATE shop.product(numeric) (SFUNC = numeric_mul, STYPE = numeric, INITCOND = '1');
CREATE FUNCTION shop.nth_final(internal, int, anyelement) RETURNS anyelement LANGUAGE internal AS 'percentile_disc_final';
CREATE AGGREGATE shop.nth_of(int ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = shop.nth_final, FINALFUNC_EXTRA);
CREATE FUNCTION shop.for_others() RETURNS int LANGUAGE sql AS 'SELECT 1';
REVOKE EXECUTE ON FUNCTION shop.for_others FROM PUBLIC;
CREATE FUNCTION hidden.within() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE shop.do_it() LANGUAGE sql AS 'SELECT 1';

CREATE FUNCTION shop.rank_of(shop.mood) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT array_position(enum_range($1), $1) $$;
CREATE CAST (shop.mood AS int) WITH FUNCTION shop.rank_of AS ASSIGNMENT;
CREATE FUNCTION shop.apart(shop.mood, shop.mood) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT abs(shop.rank_of($1) - shop.rank_of($2))';
CREATE OPERATOR shop.<-> (LEFTARG = shop.mood, RIGHTARG = shop.mood, FUNCTION = shop.apart, COMMUTATOR = OPERATOR(shop.<@@>));

GRANT SELECT ON ALL TABLES IN SCHEMA shop, hidden TO reader;
REVOKE SELECT ON shop.for_others, shop.customer, shop.archived FROM reader;
GRANT SELECT (id, name, mail, label, address, shouted) ON shop.customer TO reader;
