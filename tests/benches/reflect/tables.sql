-- 1,000 tables of 20 columns, each with a primary key, two foreign keys, two more indexes, a unique and a CHECK constraint, and a
-- comment on itself and on each column.
DO $$
DECLARE
  n int;
  col text;
BEGIN
  FOR n IN 1..1000 LOOP
    EXECUTE format(
      'CREATE TABLE t%1$s (
         id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
         parent bigint NOT NULL REFERENCES t%2$s ON DELETE CASCADE, previous bigint REFERENCES t%3$s,
         code varchar(40) NOT NULL UNIQUE, name text NOT NULL, note text, amount numeric(12, 2) NOT NULL DEFAULT 0,
         rate double precision, small smallint, number int DEFAULT 1, flag boolean NOT NULL DEFAULT false, day date,
         created timestamptz NOT NULL DEFAULT now(), changed timestamp, spent interval, payload jsonb, key uuid, tags text[],
         bytes bytea, address inet, CHECK (amount >= 0))',
      n, greatest(n / 2, 1), greatest(n - 1, 1));
    EXECUTE format('CREATE INDEX t%1$s_parent ON t%1$s (parent, created DESC)', n);
    EXECUTE format('CREATE INDEX t%1$s_name ON t%1$s (lower(name)) WHERE flag', n);
    EXECUTE format('COMMENT ON TABLE t%s IS %L', n, 'Table number ' || n);
    FOR col IN SELECT attname FROM pg_attribute WHERE attrelid = format('t%s', n)::regclass AND attnum > 0 LOOP
      EXECUTE format('COMMENT ON COLUMN t%s.%I IS %L', n, col, 'The ' || col || ' of table ' || n);
    END LOOP;
  END LOOP;
END $$;
