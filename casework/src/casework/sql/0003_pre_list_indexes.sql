-- Every way in which the lists may be narrowed has an index in the order of its pages.

CREATE INDEX cases_by_programme_alone ON cases (programme, case_id);
CREATE INDEX notices_open ON notices (case_id) WHERE closed_at IS NULL;
CREATE INDEX titles_by_level ON titles (programme, level, title_id);
CREATE INDEX titles_by_level_alone ON titles (level, title_id);
CREATE INDEX titles_by_last_day ON titles (valid_until, title_id);
CREATE INDEX titles_of_programme_by_last_day ON titles (programme, valid_until, title_id);
