-- A video-interview company: its tables, and what the other files make their rows with.
--
-- Everything is made in the first schema of search_path. `callslip.scale` says how much: 1 is 200 companies, 100,000
-- interviews and about a million ratings. Every value is a function of its row's number: no random(), no now(), and
-- arithmetic that is exact, so that two loads give the same rows on any machine.

CREATE TYPE interview_status AS ENUM ('invited', 'started', 'completed', 'expired', 'withdrawn');

CREATE TABLE company (
  id         integer     PRIMARY KEY,
  name       text        NOT NULL,
  plan       text        NOT NULL CHECK (plan IN ('trial', 'team', 'enterprise')),
  settings   jsonb       NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL
);

CREATE TABLE reviewer (
  id         integer PRIMARY KEY,
  company_id integer NOT NULL,
  name       text    NOT NULL,
  email      text    NOT NULL
);

CREATE TABLE position (
  id         integer       PRIMARY KEY,
  company_id integer       NOT NULL,
  title      text          NOT NULL,
  location   text,
  remote     boolean       NOT NULL,
  salary_min numeric(10,2) NOT NULL,
  salary_max numeric(10,2) NOT NULL,
  skills     text[]        NOT NULL,
  opened_at  timestamptz   NOT NULL,
  closed_at  timestamptz
);

CREATE TABLE question (
  id          integer  PRIMARY KEY,
  position_id integer  NOT NULL,
  ordinal     smallint NOT NULL,
  prompt      text     NOT NULL,
  max_seconds integer  NOT NULL
);

CREATE TABLE candidate (
  id             bigint        PRIMARY KEY,
  external_id    uuid          NOT NULL,
  name           text          NOT NULL,
  email          text          NOT NULL,
  phone          text,
  country        text          NOT NULL,
  years          integer       NOT NULL,
  relocate       boolean       NOT NULL,
  desired_salary numeric(10,2),
  born_on        date,
  skills         text[]        NOT NULL,
  profile        jsonb         NOT NULL,
  created_at     timestamptz   NOT NULL
);

CREATE TABLE tag (
  id    integer PRIMARY KEY,
  name  text    NOT NULL,
  color text    NOT NULL
);

CREATE TABLE candidate_tag (
  candidate_id bigint      NOT NULL,
  tag_id       integer     NOT NULL,
  tagged_at    timestamptz NOT NULL,
  PRIMARY KEY (candidate_id, tag_id)
);

CREATE TABLE interview (
  id           bigint           PRIMARY KEY,
  position_id  integer          NOT NULL,
  candidate_id bigint           NOT NULL,
  status       interview_status NOT NULL,
  device       text             NOT NULL,
  created_at   timestamptz      NOT NULL,
  completed_at timestamptz
);

CREATE TABLE answer (
  id           bigint      PRIMARY KEY,
  interview_id bigint      NOT NULL,
  question_id  integer     NOT NULL,
  seconds      integer     NOT NULL,
  answered_at  timestamptz NOT NULL
);

CREATE TABLE rating (
  id           bigint       NOT NULL,
  interview_id bigint       NOT NULL,
  answer_id    bigint,
  reviewer_id  integer      NOT NULL,
  score        numeric(3,1) NOT NULL CHECK (score BETWEEN 1 AND 5),
  comment      text,
  created_at   timestamptz  NOT NULL
);

COMMENT ON TABLE interview IS 'A candidate''s video interview for a position';
COMMENT ON TABLE rating IS 'What a reviewer of the company thinks of an interview, or of one answer';
COMMENT ON COLUMN rating.answer_id IS 'The rated answer; null where the interview as a whole is rated';
COMMENT ON COLUMN rating.score IS 'From 1 to 5, in halves';

-- How many rows there are of what has `at_one` at scale 1, but at least `fewest`.
CREATE FUNCTION how_many(at_one integer, fewest integer) RETURNS integer
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN greatest(fewest, round(at_one * current_setting('callslip.scale')::float8)::integer);

-- The digest of a row: 32 bytes, three for each of its draws.
CREATE FUNCTION digest(kind bytea, number bigint) RETURNS bytea
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN sha256(kind || int8send(number));

-- One of a row's ten draws, from 0 to 9: evenly spread, from 0 to less than 1.
CREATE FUNCTION draw(digest bytea, which integer) RETURNS float8
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (get_byte(digest, 3 * which) * 65536 + get_byte(digest, 3 * which + 1) * 256
          + get_byte(digest, 3 * which + 2)) / 16777216::float8;

-- The element of a list that a draw falls on.
CREATE FUNCTION pick(list text[], draw float8) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN list[1 + floor(draw * cardinality(list))::integer];

-- The whole number below `count` that a draw falls on.
CREATE FUNCTION below(count integer, draw float8) RETURNS integer
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN floor(draw * count)::integer;

-- Up to `count` skills, by the draws of a digest from one on.
CREATE FUNCTION some_skills(digest bytea, from_draw integer, count integer) RETURNS text[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN ARRAY(
    SELECT DISTINCT pick('{patience,sql,knife skills,negotiation,rust,forklift license,watercolour,triage,spreadsheets,
                           sign language,public speaking,python,night vision,café French,calculus,climbing}',
                         draw(digest, from_draw + k)) COLLATE "C"
    FROM generate_series(0, count - 1) k ORDER BY 1);

-- People by where they come from. The names are in the script, and in the order, in which they are written there.
CREATE TABLE people (id integer PRIMARY KEY, country text, given text[], family text[], family_first boolean);
INSERT INTO people VALUES
  (0, 'IE', '{Aoife,Cillian,Maeve,Fionn,Siobhán,Oisín,Gráinne,Tadhg}',
            '{O''Sullivan,Byrne,Ní Dhomhnaill,Gallagher,Mac Giolla Íosa,Doyle,O''Rourke}', false),
  (1, 'GR', '{Ελένη,Νίκος,Κατερίνα,Γιώργος,Δήμητρα,Σπύρος}', '{Παπαδάκης,Αλεξίου,Νικολάου,Ζαχαρίας,Βλάχος}', false),
  (2, 'JP', '{陽菜,蓮,美咲,大翔,結衣,健太}', '{佐藤,鈴木,高橋,伊藤,渡辺,小林}', true),
  (3, 'UA', '{Оксана,Тарас,Наталія,Богдан,Леся,Андрій}', '{Шевченко,Коваленко,Бондар,Мельник,Кравець}', false),
  (4, 'VN', '{Thị Hương,Minh,Ngọc Anh,Đức,Linh,Quân}', '{Nguyễn,Trần,Lê,Phạm,Đặng}', true),
  (5, 'NG', '{Adébáyọ̀,Chidinma,Fọláṣadé,Emeka,Ngozi,Olúwaṣeun,Halima}',
            '{Adéyemí,Okonkwo,Eze,Balógun,Bello,Nwachukwu}', false),
  (6, 'MX', '{Ximena,Íñigo,María José,Tomás,Guadalupe,Héctor,Renata}',
            '{Núñez de la Vega,Ibarra,Quiñones,Cárdenas,Peña Ortiz,Zúñiga}', false),
  (7, 'IS', '{Björk,Þór,Ásdís,Gunnar,Sigríður,Örn}', '{Jónsdóttir,Magnússon,Þorsteinsson,Einarsdóttir}', false),
  (8, 'IN', '{Ananya,Vikram,Meera,Arjun,Lakshmi,Rohan,Kavya}',
            '{Iyer,Chatterjee,Deshpande,Banerjee,Reddy,Kapoor}', false),
  (9, 'US', '{Harper,Mason,Luna,Billy Ray,Destiny,Wyatt,Jo,Ezekiel}',
            '{Whitfield,Carter-Jones,Delgado,St. Clair,Pruitt,McAllister,Vance}', false);
