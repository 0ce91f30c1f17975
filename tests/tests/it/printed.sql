CREATE SCHEMA printed;
CREATE SCHEMA unprinted;
COMMENT ON SCHEMA printed IS E'Red \x1b[31m;\nnot shown as such';
GRANT USAGE ON SCHEMA printed TO callslip_reader;

CREATE DOMAIN printed.code AS varchar(8) COLLATE "C" NOT NULL DEFAULT 'x' CONSTRAINT short CHECK (length(VALUE) < 8);
CREATE TYPE printed.place AS (street text, zip varchar(5));
CREATE TYPE printed."Odd one" AS ENUM ('a', 'b');
COMMENT ON TYPE printed."Odd one" IS 'Odd';
CREATE TYPE printed.words AS RANGE (subtype = text, collation = "C");
CREATE COLLATION printed.loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);

CREATE TABLE printed.customer (id int PRIMARY KEY, code printed.code UNIQUE DEFERRABLE);
CREATE TABLE printed.parcel (
  id       bigint GENERATED ALWAYS AS IDENTITY,
  year     int CONSTRAINT sane CHECK (year > 2000),
  customer int REFERENCES printed.customer ON DELETE CASCADE,
  name     varchar(40) COLLATE "C" DEFAULT 'none',
  tags     text[][],
  doubled  int GENERATED ALWAYS AS (year * 2) STORED,
  "a b"    printed."Odd one",
  secret   text,
  PRIMARY KEY (year, id)
) PARTITION BY RANGE (year);
COMMENT ON TABLE printed.parcel IS 'What is sent';
COMMENT ON COLUMN printed.parcel.name IS E'Of whom;\nwho sent it';
CREATE TABLE printed.parcel_2024 PARTITION OF printed.parcel FOR VALUES FROM (2024) TO (2025);
CREATE INDEX by_name ON printed.parcel (lower(name) DESC, "a b") INCLUDE (tags) WHERE year > 2020;
ALTER TABLE printed.parcel ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY recent ON printed.parcel FOR SELECT TO callslip_reader USING (year > 2020);
CREATE POLICY never ON printed.parcel AS RESTRICTIVE USING (year > 0) WITH CHECK (year > 1);
CREATE TABLE printed.note (
  parcel_year int, parcel_id bigint,
  CONSTRAINT about FOREIGN KEY (parcel_year, parcel_id) REFERENCES printed.parcel DEFERRABLE
);
CREATE TABLE printed.stay (during int4range, CONSTRAINT apart EXCLUDE USING gist (during WITH &&));
CREATE UNLOGGED TABLE printed.long_stay () INHERITS (printed.stay);
CREATE VIEW printed.recent WITH (security_barrier) AS SELECT upper(name) AS loud FROM printed.parcel WHERE year > 2023;
CREATE TABLE printed.for_others (id int);
CREATE TABLE unprinted.within (id int);

CREATE FUNCTION printed.priced(amount int, numeric DEFAULT 1, INOUT currency text DEFAULT 'EUR', OUT total numeric)
  LANGUAGE sql STABLE STRICT SECURITY DEFINER PARALLEL SAFE AS 'SELECT $3, $1 * $2';
CREATE FUNCTION printed.all_of(VARIADIC names text[]) RETURNS SETOF text LANGUAGE sql AS 'SELECT unnest(names)';
COMMENT ON FUNCTION printed.all_of IS 'Every one';
CREATE AGGREGATE printed.product(numeric) (SFUNC = numeric_mul, STYPE = numeric);
CREATE FUNCTION printed.rank_of(printed."Odd one") RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE CAST (printed."Odd one" AS int) WITH FUNCTION printed.rank_of AS ASSIGNMENT;
CREATE OPERATOR printed.<-> (LEFTARG = text, RIGHTARG = text, FUNCTION = pg_catalog.texteq);
CREATE FUNCTION printed.for_others() RETURNS int LANGUAGE sql AS 'SELECT 1';
REVOKE EXECUTE ON FUNCTION printed.for_others FROM PUBLIC;

GRANT SELECT ON ALL TABLES IN SCHEMA printed TO callslip_reader;
REVOKE SELECT ON printed.for_others, printed.parcel FROM callslip_reader;
GRANT SELECT (id, year, customer, name, tags, doubled, "a b"), UPDATE (name) ON printed.parcel TO callslip_reader;
GRANT INSERT ON printed.note TO callslip_reader;
