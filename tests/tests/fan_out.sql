-- Positions with interviews and questions beside one another: what is summed over both comes too often.

CREATE TABLE company (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE position (id int PRIMARY KEY, company_id int NOT NULL REFERENCES company, budget int NOT NULL);
CREATE TABLE interview (id int PRIMARY KEY, position_id int NOT NULL REFERENCES position, minutes int NOT NULL);
CREATE TABLE rating (
    id int PRIMARY KEY,
    interview_id int NOT NULL REFERENCES interview,
    reviewer_id int NOT NULL,
    score int NOT NULL,
    UNIQUE (interview_id, reviewer_id)
);
CREATE TABLE question (id int PRIMARY KEY, position_id int NOT NULL REFERENCES position, points int NOT NULL);

-- At most one for a position, as an index says, or one that is of some rows.
CREATE TABLE advert (position_id int NOT NULL, clicks int NOT NULL);
CREATE UNIQUE INDEX ON advert (position_id);
CREATE TABLE opening (id int PRIMARY KEY, position_id int NOT NULL, open bool NOT NULL);
CREATE UNIQUE INDEX ON opening (position_id) WHERE open;
-- Nothing is known of these: no key, a view, a column that can't be read.
CREATE TABLE note (position_id int NOT NULL, words int NOT NULL);
CREATE VIEW held AS SELECT position_id, count(*) AS interviews FROM interview GROUP BY position_id;
CREATE TABLE deal (id int PRIMARY KEY, position_id int NOT NULL UNIQUE, secret int);

CREATE TABLE tag (id int PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE tagging (position_id int REFERENCES position, tag_id int REFERENCES tag, PRIMARY KEY (position_id, tag_id));
CREATE TABLE price (id int PRIMARY KEY, position_id int NOT NULL REFERENCES position, since int NOT NULL, until int NOT NULL);

-- Books on loan: many to many, with a key of its own.
CREATE TABLE series (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE book (id int PRIMARY KEY, series_id int NOT NULL REFERENCES series, pages int NOT NULL);
CREATE TABLE reader (id int PRIMARY KEY, age int NOT NULL);
CREATE TABLE loan (
    id int PRIMARY KEY,
    reader_id int NOT NULL REFERENCES reader,
    book_id int NOT NULL REFERENCES book,
    fine int NOT NULL
);
CREATE TABLE reminder (id int PRIMARY KEY, loan_id int NOT NULL REFERENCES loan, day int NOT NULL);
CREATE TABLE payment (id int PRIMARY KEY, reader_id int NOT NULL REFERENCES reader, cents int NOT NULL);

INSERT INTO company VALUES (1, 'Acme'), (2, 'Zeta');
INSERT INTO position VALUES (1, 1, 100), (2, 1, 50), (3, 2, 70);
INSERT INTO interview VALUES (1, 1, 30), (2, 1, 40), (3, 2, 20), (4, 3, 10), (5, 3, 60), (6, 3, 15);
INSERT INTO rating VALUES (1, 1, 1, 3), (2, 1, 2, 4), (3, 2, 1, 5), (4, 3, 1, 2), (5, 3, 2, 2), (6, 4, 1, 1);
INSERT INTO question VALUES (1, 1, 7), (2, 1, 3), (3, 1, 8), (4, 2, 1), (5, 3, 2), (6, 3, 9);
INSERT INTO advert VALUES (1, 10), (2, 20), (3, 30);
INSERT INTO opening VALUES (1, 1, true), (2, 1, false), (3, 2, true), (4, 3, true);
INSERT INTO note VALUES (1, 5), (2, 6), (3, 7);
INSERT INTO deal VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO tag VALUES (1, 'remote'), (2, 'senior');
INSERT INTO tagging VALUES (1, 1), (1, 2), (2, 1), (3, 1), (3, 2);
INSERT INTO price VALUES (1, 1, 0, 5), (2, 1, 6, 9), (3, 2, 0, 9), (4, 3, 0, 9);
INSERT INTO series VALUES (1, 'Green'), (2, 'Blue');
INSERT INTO book VALUES (1, 1, 100), (2, 1, 250), (3, 2, 70);
INSERT INTO reader VALUES (1, 9), (2, 30);
INSERT INTO loan VALUES (1, 1, 1, 0), (2, 1, 1, 5), (3, 1, 2, 5), (4, 2, 1, 0), (5, 2, 3, 0);
INSERT INTO reminder VALUES (1, 1, 1), (2, 1, 2), (3, 3, 1), (4, 5, 4), (5, 4, 1), (6, 4, 2), (7, 2, 1);
INSERT INTO payment VALUES (1, 1, 10), (2, 1, 20), (3, 2, 5), (4, 2, 6);

CREATE ROLE reader LOGIN;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
REVOKE SELECT ON deal FROM reader;
GRANT SELECT (id, position_id) ON deal TO reader;
