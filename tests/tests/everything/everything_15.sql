-- What PostgreSQL 15 has beyond 14.
SET search_path = stacks;

CREATE TABLE award (book int, year int, rough numeric(3, -2), fine numeric(2, 5), UNIQUE NULLS NOT DISTINCT (book, year));
CREATE UNIQUE INDEX award_year ON award (year) NULLS NOT DISTINCT WHERE book IS NULL;
ALTER TABLE award ADD CONSTRAINT of_book FOREIGN KEY (book, year) REFERENCES award (book, year) ON DELETE SET NULL (year);
CREATE VIEW awards WITH (security_invoker, security_barrier = false) AS SELECT year, count(*) FROM award GROUP BY year;
GRANT SELECT ON award, awards TO reader;
