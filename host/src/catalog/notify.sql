-- Tells Callslip of every change of this database's schema or of its privileges, when it is committed: hosts that listen
-- on the channel callslip_catalog then reflect the catalog anew, and check their plugins against it.
--
-- Run it as a superuser (event triggers need one) in each database. Run again, it replaces itself.
--
-- It says nothing of temporary objects and of what changes only data. Roles are not of one database: a change of who is a member
-- of what is found when the host next looks by itself.
--
-- A transaction that has notified can't be prepared for two-phase commit (PREPARE TRANSACTION).
BEGIN;

CREATE SCHEMA IF NOT EXISTS callslip;

CREATE OR REPLACE FUNCTION callslip.catalog_changed() RETURNS event_trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    lasts bool;
BEGIN
    IF TG_EVENT = 'sql_drop' THEN
        lasts := EXISTS (SELECT FROM pg_event_trigger_dropped_objects() WHERE NOT is_temporary);
    ELSE
        lasts := EXISTS (
            SELECT FROM pg_event_trigger_ddl_commands()
            WHERE schema_name IS DISTINCT FROM 'pg_temp' AND command_tag NOT IN ('REFRESH MATERIALIZED VIEW', 'REINDEX'));
    END IF;
    IF lasts THEN
        -- Equal ones of a transaction are sent once.
        PERFORM pg_notify('callslip_catalog', '');
    END IF;
END
$$;
-- Where there was one already, it stays its owner's, who could then have every superuser run what he writes into it.
ALTER FUNCTION callslip.catalog_changed() OWNER TO CURRENT_USER;
COMMENT ON FUNCTION callslip.catalog_changed() IS 'Tells Callslip that the schema changed (callslip catalog install-notify)';

DROP EVENT TRIGGER IF EXISTS callslip_changed;
CREATE EVENT TRIGGER callslip_changed ON ddl_command_end EXECUTE FUNCTION callslip.catalog_changed();
DROP EVENT TRIGGER IF EXISTS callslip_dropped;
CREATE EVENT TRIGGER callslip_dropped ON sql_drop EXECUTE FUNCTION callslip.catalog_changed();

COMMIT;
