-- The same database, as if it were another one, with a superuser's rights.
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{socket}', dbname 'postgres');
CREATE USER MAPPING FOR callslip_reader SERVER elsewhere OPTIONS (user 'postgres', password_required 'false');
CREATE FOREIGN TABLE app.remote (id int, secret text) SERVER elsewhere OPTIONS (schema_name 'app', table_name 'vault');
GRANT SELECT ON app.remote TO callslip_reader;
