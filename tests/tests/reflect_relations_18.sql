-- What PostgreSQL 18 adds.
SET search_path = zoo;
CREATE TABLE stay (
  cage    int4range,
  during  daterange,
  note    text,
  shown   text GENERATED ALWAYS AS (initcap(note)) VIRTUAL,
  told    text GENERATED ALWAYS AS (md5(note)) VIRTUAL,
  CONSTRAINT stay_key PRIMARY KEY (cage, during WITHOUT OVERLAPS),
  CONSTRAINT hoped CHECK (note <> '') NOT ENFORCED
);
CREATE TABLE visit (
  cage    int4range,
  during  daterange,
  animal  int CONSTRAINT hoped REFERENCES keeper_of NOT ENFORCED,
  CONSTRAINT within FOREIGN KEY (cage, PERIOD during) REFERENCES stay (cage, PERIOD during)
);
CREATE VIEW of_virtual AS SELECT shown FROM stay;
