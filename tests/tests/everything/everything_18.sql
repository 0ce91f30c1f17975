-- What PostgreSQL 18 has beyond 17.
SET search_path = stacks;

CREATE COLLATION full_unicode (PROVIDER = builtin, LOCALE = 'PG_UNICODE_FAST');
CREATE TABLE seat (
  hall    int4range,
  during  daterange,
  name    text,
  shown   text GENERATED ALWAYS AS (upper(name)) VIRTUAL,
  stored  text GENERATED ALWAYS AS (lower(name)) STORED,
  PRIMARY KEY (hall, during WITHOUT OVERLAPS),
  UNIQUE (during, hall WITHOUT OVERLAPS),
  CONSTRAINT "not too long" CHECK (length(name) < 100) NOT ENFORCED
);
CREATE TABLE reserved (
  hall    int4range,
  during  daterange,
  book    int CONSTRAINT of_book REFERENCES book NOT ENFORCED,
  note    text CONSTRAINT noted NOT NULL NO INHERIT,
  CONSTRAINT of_seat FOREIGN KEY (hall, PERIOD during) REFERENCES seat (hall, PERIOD during)
);
-- Its rows may be null for all that.
ALTER TABLE reserved ADD CONSTRAINT booked NOT NULL book NOT VALID;
-- What a virtual column calls, whoever reads it calls.
CREATE VIEW seats AS SELECT shown, casefold(stored) AS folded FROM seat;
GRANT SELECT ON seat, reserved, seats TO reader;
