-- Keys, indexes, the view; and away with what the rows were made with.

DROP TABLE people;
DROP FUNCTION some_skills, how_many, digest, draw, pick, below;

ALTER TABLE rating ADD PRIMARY KEY (id);
ALTER TABLE candidate ADD UNIQUE (email), ADD UNIQUE (external_id);
ALTER TABLE tag ADD UNIQUE (name);
ALTER TABLE question ADD UNIQUE (position_id, ordinal);

ALTER TABLE reviewer ADD FOREIGN KEY (company_id) REFERENCES company;
ALTER TABLE position ADD FOREIGN KEY (company_id) REFERENCES company;
ALTER TABLE question ADD FOREIGN KEY (position_id) REFERENCES position;
ALTER TABLE candidate_tag ADD FOREIGN KEY (candidate_id) REFERENCES candidate;
ALTER TABLE candidate_tag ADD FOREIGN KEY (tag_id) REFERENCES tag;
ALTER TABLE interview ADD FOREIGN KEY (position_id) REFERENCES position;
ALTER TABLE interview ADD FOREIGN KEY (candidate_id) REFERENCES candidate;
ALTER TABLE answer ADD FOREIGN KEY (interview_id) REFERENCES interview;
ALTER TABLE answer ADD FOREIGN KEY (question_id) REFERENCES question;
ALTER TABLE rating ADD FOREIGN KEY (interview_id) REFERENCES interview;
ALTER TABLE rating ADD FOREIGN KEY (answer_id) REFERENCES answer;
ALTER TABLE rating ADD FOREIGN KEY (reviewer_id) REFERENCES reviewer;

CREATE INDEX ON reviewer (company_id);
CREATE INDEX ON position (company_id);
CREATE INDEX ON candidate USING gin (skills);
CREATE INDEX ON candidate_tag (tag_id, candidate_id);
CREATE INDEX ON interview (position_id, status, created_at DESC, id DESC);
CREATE INDEX ON interview (position_id, created_at DESC, id DESC);
CREATE INDEX ON interview (candidate_id);
CREATE INDEX ON answer (interview_id);
CREATE INDEX ON answer (question_id);
CREATE INDEX ON rating (interview_id, created_at DESC, id DESC);
CREATE INDEX ON rating (answer_id);
CREATE INDEX ON rating (reviewer_id);

CREATE VIEW interview_card AS
SELECT i.id AS interview_id, i.status, i.device, i.created_at, i.completed_at,
       c.id AS candidate_id, c.name AS candidate_name, c.email AS candidate_email, c.country,
       p.id AS position_id, p.title AS position_title, p.location, p.salary_min, p.salary_max
FROM interview i
JOIN candidate c ON c.id = i.candidate_id
JOIN position p ON p.id = i.position_id;

ANALYZE company, reviewer, position, question, candidate, tag, candidate_tag, interview, answer, rating;
