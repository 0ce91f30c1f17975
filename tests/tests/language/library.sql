-- A small library: a row or two of everything that the language can speak of.

CREATE TYPE genre AS ENUM ('novel', 'poetry', 'science');
CREATE TYPE address AS (street text, city text, zip int4);
CREATE DOMAIN isbn AS text CHECK (length(VALUE) = 13);

CREATE TABLE shelf (
    id int4 PRIMARY KEY,
    parent_id int4 REFERENCES shelf,
    name text NOT NULL
);

CREATE TABLE book (
    id int4 PRIMARY KEY,
    shelf_id int4 NOT NULL REFERENCES shelf,
    title text NOT NULL,
    isbn isbn UNIQUE,
    genre genre NOT NULL,
    published date,
    price numeric(8, 2),
    pages int4,
    tags text[] NOT NULL DEFAULT '{}',
    scores int4[] NOT NULL DEFAULT '{}',
    details jsonb NOT NULL DEFAULT '{}',
    words tsvector NOT NULL DEFAULT ''
);
-- What inherits is read with its parent, and without it by ONLY.
CREATE TABLE rare_book (vault text) INHERITS (book);

-- A key of two columns, and a reference to one.
CREATE TABLE copy (
    book_id int4 REFERENCES book,
    number int4,
    PRIMARY KEY (book_id, number)
);
CREATE TABLE repair (
    id int4 PRIMARY KEY,
    book_id int4 NOT NULL,
    number int4,
    CONSTRAINT repair_copy_fkey FOREIGN KEY (book_id, number) REFERENCES copy
);

CREATE TABLE reader (
    id int4 PRIMARY KEY,
    name text NOT NULL,
    email varchar(80),
    home address,
    ip inet,
    joined timestamptz NOT NULL
);

CREATE TABLE loan (
    id int8 PRIMARY KEY,
    book_id int4 NOT NULL REFERENCES book,
    reader_id int4 NOT NULL REFERENCES reader,
    period daterange NOT NULL,
    renewed timestamptz[],
    fine numeric(6, 2)
);

CREATE FUNCTION overdue(since date DEFAULT '2026-01-01', at_most int4 DEFAULT 10, OUT loan_id int8, OUT days int4)
RETURNS SETOF record STABLE LANGUAGE sql AS $$
    SELECT id, since - lower(period) FROM loan WHERE upper(period) < since ORDER BY id LIMIT at_most
$$;
CREATE FUNCTION pairs(VARIADIC items int4[]) RETURNS SETOF record IMMUTABLE LANGUAGE sql AS $$
    SELECT item, item * item FROM unnest(items) AS item
$$;
CREATE FUNCTION twice(item anyelement, OUT first anyelement, OUT second anyelement) IMMUTABLE LANGUAGE sql AS $$
    SELECT item, item
$$;
CREATE FUNCTION one_line(home address) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT home.street || ', ' || home.zip || ' ' || home.city
$$;

INSERT INTO shelf VALUES (1, NULL, 'All'), (2, 1, 'Fiction'), (3, 1, 'Science'), (4, 2, 'Novels'), (5, 2, 'Poetry');
INSERT INTO book VALUES
    (1, 4, 'The Long Road', '9780000000001', 'novel', '1999-03-01', 12.50, 320, '{road,family}', '{5,4,4}',
     '{"editions": [{"year": 1999, "copies": 500}, {"year": 2004, "copies": 80}], "award": "Best"}', 'long:2 road:3'),
    (2, 4, 'Low Tide', '9780000000002', 'novel', '2011-07-15', 9.90, 210, '{sea}', '{3,5}', '{"editions": []}', 'low:1 tide:2'),
    (3, 5, 'Salt', '9780000000003', 'poetry', '2011-07-15', NULL, 64, '{sea,short}', '{}', '{"award": null}', 'salt:1'),
    (4, 3, 'On Tides', NULL, 'science', '1986-11-30', 49.00, 512, '{sea,physics}', '{2,2,5,1}', '{"editions": [{"year": 1986, "copies": 40}]}', 'tide:2'),
    (5, 3, 'A Field Guide', '9780000000005', 'science', NULL, 25.00, NULL, '{}', '{4}', '{}', 'field:2 guid:3');
INSERT INTO rare_book VALUES
    (6, 5, 'Psalms', NULL, 'poetry', '1650-01-01', 900.00, 96, '{old}', '{}', '{}', 'psalm:1', 'B2');
INSERT INTO copy VALUES (1, 1), (1, 2), (4, 1);
INSERT INTO repair VALUES (1, 1, 2), (2, 4, 1), (3, 4, NULL);
INSERT INTO reader VALUES
    (1, 'Ada', 'ada@example.org', ('1 Mill Lane', 'Ely', 101), '10.0.0.1', '2025-01-01 10:00+00'),
    (2, 'Ben', NULL, ('2 High St', 'Ely', 102), '10.0.7.2/24', '2025-06-01 12:00+00'),
    (3, 'Cy', 'cy@example.org', NULL, NULL, '2026-02-03 08:30+00');
INSERT INTO loan VALUES
    (1, 1, 1, '[2026-01-02,2026-01-16)', NULL, NULL),
    (2, 2, 1, '[2026-01-10,2026-01-24)', '{2026-01-20 09:00+00}', 0.50),
    (3, 1, 2, '[2026-01-20,2026-02-03)', NULL, NULL),
    (4, 3, 2, '[2026-02-01,)', '{2026-02-10 09:00+00,2026-02-20 09:00+00}', 2.00),
    (5, 4, 3, '[2026-02-05,2026-02-19)', NULL, 2.00);
ANALYZE;
