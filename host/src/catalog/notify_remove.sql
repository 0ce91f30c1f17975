-- Takes back what `callslip catalog install-notify` has made.
BEGIN;
DROP EVENT TRIGGER IF EXISTS callslip_changed;
DROP EVENT TRIGGER IF EXISTS callslip_dropped;
DROP FUNCTION IF EXISTS callslip.catalog_changed();
-- Fails where somebody else has put something into it.
DROP SCHEMA IF EXISTS callslip;
COMMIT;
