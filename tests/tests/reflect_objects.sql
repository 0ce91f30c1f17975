CREATE ROLE keeper;
CREATE ROLE reader LOGIN;

CREATE SCHEMA shop AUTHORIZATION keeper;
CREATE SCHEMA hidden;
CREATE SCHEMA "Ex.tra";
GRANT USAGE ON SCHEMA shop, "Ex.tra" TO reader;
COMMENT ON SCHEMA shop IS E'What is sold;\nand to whom';
CREATE EXTENSION citext SCHEMA "Ex.tra" VERSION '1.6';

CREATE COLLATION shop.plain FROM "C";
CREATE COLLATION shop.loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE COLLATION hidden.plain FROM "C";

-- Domains with everything, with nothing, over another, and over what has a collation of its own.
CREATE DOMAIN shop.code AS varchar(8) COLLATE shop.plain NOT NULL DEFAULT 'a\b'
  CONSTRAINT "short?" CHECK (length(VALUE) < 8)
  CONSTRAINT beginning CHECK (VALUE ~ '^\w');
ALTER DOMAIN shop.code ADD CONSTRAINT later CHECK (VALUE <> 'x') NOT VALID;
COMMENT ON DOMAIN shop.code IS 'Short';
ALTER DOMAIN shop.code OWNER TO keeper;
CREATE DOMAIN shop.bare AS int;
CREATE DOMAIN shop.inner_code AS shop.code DEFAULT NULL CHECK (VALUE <> 'y');
CREATE DOMAIN shop.since AS timestamptz DEFAULT '2024-02-01 12:00:00+00' CHECK (VALUE > '2000-02-01 00:00:00+00'::timestamptz + '1 day 2 hours');
CREATE DOMAIN shop.amounts AS numeric(10, 2)[] CHECK (VALUE[1] > 1e-5::float8);

CREATE TYPE shop.words AS RANGE (subtype = text, collation = "C");
CREATE TYPE shop.plain_words AS RANGE (subtype = text);
CREATE TYPE shop.span AS RANGE (subtype = float8);
CREATE TYPE shop.mood AS ENUM ('low');
COMMENT ON TYPE shop.mood IS 'How it goes';
CREATE TABLE shop.sale (id int);
-- On an extension's behalf: with what they bring along.
ALTER EXTENSION citext ADD TYPE shop.span;
ALTER EXTENSION citext ADD TABLE shop.sale;

CREATE FUNCTION shop.careful(a int) RETURNS int
  LANGUAGE plpgsql STRICT LEAKPROOF PARALLEL SAFE STABLE SECURITY DEFINER AS 'BEGIN RETURN a; END';
ALTER FUNCTION shop.careful OWNER TO keeper;
COMMENT ON FUNCTION shop.careful IS 'Takes care';
CREATE FUNCTION shop.careless() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION shop.restricted() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL RESTRICTED AS 'SELECT 1';
CREATE FUNCTION shop.of_extension(shop.mood) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE AGGREGATE shop.total(int) (SFUNC = int4pl, STYPE = int, PARALLEL = SAFE);
COMMENT ON AGGREGATE shop.total(int) IS 'Adds';
CREATE OPERATOR shop.!! (RIGHTARG = shop.mood, FUNCTION = shop.of_extension);
CREATE OPERATOR shop.@@ (LEFTARG = text, RIGHTARG = text, FUNCTION = pg_catalog.texteq);
CREATE CAST (shop.mood AS int) WITH FUNCTION shop.of_extension;
ALTER EXTENSION citext ADD FUNCTION shop.of_extension(shop.mood);
ALTER EXTENSION citext ADD OPERATOR shop.!! (NONE, shop.mood);
ALTER EXTENSION citext ADD CAST (shop.mood AS int);

CREATE TYPE hidden.unused AS ENUM ('a');
CREATE FUNCTION hidden.within() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION hidden.of_cast(shop.mood) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 7::bigint';
CREATE CAST (shop.mood AS bigint) WITH FUNCTION hidden.of_cast AS ASSIGNMENT;
CREATE FUNCTION shop.for_others(int, int) RETURNS bool LANGUAGE sql AS 'SELECT true';
REVOKE EXECUTE ON FUNCTION shop.for_others FROM PUBLIC;
CREATE OPERATOR shop.## (LEFTARG = int, RIGHTARG = int, FUNCTION = shop.for_others);
GRANT SELECT ON shop.sale TO reader;

ALTER DATABASE postgres SET default_text_search_config = 'pg_catalog.german';
ALTER DATABASE postgres SET row_security = off;
ALTER ROLE reader SET default_transaction_isolation = 'serializable';
