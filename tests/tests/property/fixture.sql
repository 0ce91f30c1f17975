-- What the descriptions of the property test are about: every kind of thing that they can name, some under hostile names.
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('low', 'fair', 'high');
CREATE TYPE app.address AS (street text, number int4);

CREATE TABLE app.person (
    id int4 PRIMARY KEY,
    name text NOT NULL,
    points int8,
    price numeric(10, 2),
    weight float8,
    born date,
    seen timestamptz,
    wait interval,
    facts jsonb,
    marks int4[],
    tags text[],
    mood app.mood,
    span int4range,
    home app.address,
    active bool
);
CREATE TABLE app.worker (salary numeric) INHERITS (app.person);
CREATE TABLE app."Odd ""table""" (
    id int4 PRIMARY KEY,
    "select" text,
    "a""b" int8,
    "größe" numeric,
    "$1" bool,
    "-- /* {0} */" timestamptz,
    "a.b" date
);
CREATE VIEW app.lively AS SELECT id, name, mood, active FROM app.person;

CREATE FUNCTION app.twice(int4) RETURNS int4 LANGUAGE sql IMMUTABLE RETURN $1 * 2;
CREATE FUNCTION app.greet(who text, loud bool DEFAULT false, times int4 DEFAULT 1) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN who || loud::text || times::text;
CREATE FUNCTION app.total(VARIADIC int4[]) RETURNS int8 LANGUAGE sql IMMUTABLE RETURN cardinality($1)::int8;
CREATE FUNCTION app.pairs(n int4) RETURNS TABLE (k int4, v text) LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC SELECT n, n::text; END;
CREATE FUNCTION app.anything(n int4) RETURNS SETOF record LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC SELECT n, n::text; END;
CREATE OPERATOR app.<+> (LEFTARG = int4, RIGHTARG = int4, FUNCTION = int4pl);
