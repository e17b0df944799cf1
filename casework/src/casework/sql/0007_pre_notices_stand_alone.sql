-- What is on public notice stands in the notice itself: lists of notices read no case, and narrow by an index of their own.

ALTER TABLE notices
    ADD COLUMN enterprise_id   text,
    ADD COLUMN enterprise_name text,
    ADD COLUMN programme       text,
    ADD COLUMN level           text;

UPDATE notices n
SET enterprise_id = c.enterprise_id, enterprise_name = c.enterprise_name, programme = c.programme, level = c.level
FROM cases c WHERE c.case_id = n.case_id;

CREATE INDEX notices_of_programme ON notices (programme, case_id);
CREATE INDEX notices_open_of_programme ON notices (programme, case_id) WHERE closed_at IS NULL;
