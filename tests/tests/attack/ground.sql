-- What is attacked. The login of the host may do everything here that PostgreSQL lets a login do that is no superuser: only the
-- host stands between a plugin and all of this.
CREATE SCHEMA app;
CREATE TABLE app.item (id int PRIMARY KEY, label varchar(40) NOT NULL, secret text NOT NULL, amount int NOT NULL);
INSERT INTO app.item SELECT n, 'Item ' || n, 'secret of item ' || n, n FROM generate_series(1, 200) AS n;
CREATE TABLE app.vault (id int PRIMARY KEY, secret text NOT NULL, above int);
INSERT INTO app.vault VALUES (1, 'opensesame', NULL), (2, 'opensesame', 1);
ANALYZE app.vault;
CREATE SEQUENCE app.counter;
CREATE TABLE app.written (n int);
SELECT lo_from_bytea(4711, 'large');
GRANT ALL ON LARGE OBJECT 4711 TO callslip_reader;
-- What it does with what it owns, and was not granted to plugins.
CREATE TABLE app.own (n int, words tsvector);
CREATE INDEX words ON app.own USING gin (words);
CREATE INDEX ranges ON app.own USING brin (n);
ALTER TABLE app.own OWNER TO callslip_reader;
CREATE PUBLICATION nothing;
CREATE VIEW app.hidden AS SELECT v.id FROM app.vault AS v WHERE v.secret = 'opensesame';
ALTER DATABASE postgres SET app.password = 'opensesame';

CREATE FUNCTION app.writes(statement text) RETURNS int LANGUAGE plpgsql AS
    'BEGIN EXECUTE statement; RETURN 1; END';
-- PostgreSQL keeps a function from writing that says it doesn't, and not one that it calls.
CREATE FUNCTION app.mislabelled() RETURNS int LANGUAGE plpgsql IMMUTABLE AS
    $$BEGIN RETURN app.writes('INSERT INTO app.written VALUES (1)'); END$$;
CREATE FUNCTION app.into_temp() RETURNS int LANGUAGE plpgsql STABLE AS
    $$BEGIN RETURN app.writes('INSERT INTO pg_temp.kept VALUES (1)'); END$$;
CREATE FUNCTION app.elevated() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER AS
    'SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = ''keeper''';
CREATE FUNCTION app.copies() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS
    $$BEGIN EXECUTE format('COPY (SELECT 1) TO %L', current_setting('data_directory') || '/attacked-copied'); RETURN 1; END$$;
-- What an owner may be talked into granting.
CREATE FUNCTION app.sets() RETURNS text LANGUAGE sql AS $$SELECT set_config('app.who', 'the attacker', true)$$;
CREATE FUNCTION app.locks() RETURNS text LANGUAGE sql AS $$SELECT pg_advisory_xact_lock(4242)::text$$;
CREATE FUNCTION app.makes() RETURNS oid LANGUAGE sql AS $$SELECT lo_create(4812)$$;
CREATE FUNCTION app.tells() RETURNS text LANGUAGE sql AS $$SELECT pg_notify('borrowed', 'x')::text$$;
CREATE ROLE keeper PASSWORD 'opensesame';

-- More exact than PostgreSQL's own for a varchar.
CREATE FUNCTION public.lower(varchar) RETURNS text LANGUAGE sql STABLE AS 'SELECT secret FROM app.vault LIMIT 1';
CREATE FUNCTION public.abs(real) RETURNS text LANGUAGE sql STABLE AS 'SELECT secret FROM app.vault LIMIT 1';

GRANT USAGE, CREATE ON SCHEMA app TO callslip_reader;
GRANT ALL ON ALL TABLES IN SCHEMA app TO callslip_reader;
GRANT ALL ON ALL SEQUENCES IN SCHEMA app TO callslip_reader;
-- What the host's own login may not be.
CREATE ROLE replicator LOGIN REPLICATION;

-- Rows of two companies, of which plugins are given those of the first.
CREATE TABLE app.tenant (id int PRIMARY KEY, company int NOT NULL, note text NOT NULL);
INSERT INTO app.tenant VALUES (1, 1, '17'), (2, 2, 'opensesame');
CREATE VIEW app.of_tenant AS SELECT * FROM app.tenant;
CREATE TABLE app.part (id int, company int NOT NULL, note text) PARTITION BY LIST (company);
CREATE TABLE app.part_one PARTITION OF app.part FOR VALUES IN (1);
CREATE TABLE app.part_two PARTITION OF app.part FOR VALUES IN (2);
INSERT INTO app.part VALUES (1, 1, '17'), (2, 2, 'opensesame');
CREATE VIEW app.reads_file AS SELECT pg_read_file('PG_VERSION') AS f;
CREATE VIEW app.calls AS SELECT app.elevated() AS f;
CREATE VIEW app.calls_again AS SELECT c.f FROM app.calls AS c;
CREATE VIEW app.shows_functions AS SELECT p.prosrc FROM pg_catalog.pg_proc AS p;
GRANT SELECT ON app.tenant, app.of_tenant, app.part, app.part_two, app.reads_file, app.calls, app.calls_again,
    app.shows_functions TO callslip_reader;

-- What PostgreSQL's own policies keep apart: by a setting, and by the role of who asks.
CREATE TABLE app.by_claim AS SELECT * FROM app.tenant;
CREATE TABLE app.by_role AS SELECT * FROM app.tenant;
ALTER TABLE app.by_claim ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.by_role ENABLE ROW LEVEL SECURITY;
CREATE ROLE first;
CREATE ROLE second;
ALTER ROLE callslip_reader NOINHERIT;
GRANT first, second TO callslip_reader;
CREATE POLICY its ON app.by_claim USING (company = nullif(current_setting('app.company', true), '')::int);
CREATE POLICY its_first ON app.by_role TO first USING (company = 1);
CREATE POLICY its_second ON app.by_role TO second USING (company = 2);
GRANT USAGE ON SCHEMA app TO first, second;
GRANT SELECT ON app.by_claim, app.by_role TO callslip_reader, first, second;

-- Somebody who may read nothing, and asks PostgreSQL what there is.
CREATE TYPE app.mood AS ENUM ('glad');
CREATE ROLE prober LOGIN;
GRANT USAGE ON SCHEMA app TO prober;
GRANT SELECT (id, label) ON app.item TO prober;
