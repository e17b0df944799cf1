-- What an enterprise reports to have changed since it holds a title, and what an officer says of it.

CREATE TABLE changes (
    change_id   uuid        PRIMARY KEY,
    title_id    uuid        NOT NULL REFERENCES titles,
    rule        text        NOT NULL,
    changed_on  date        NOT NULL,
    reported_on date        NOT NULL CHECK (reported_on >= changed_on),
    late        boolean     NOT NULL,
    description text        NOT NULL,
    new_name    text,
    result      text,
    reasons     jsonb       NOT NULL DEFAULT '[]',
    decided_by  text,
    decided_at  timestamptz,
    CHECK ((result IS NULL) = (decided_by IS NULL) AND (result IS NULL) = (decided_at IS NULL))
);

COMMENT ON COLUMN changes.rule IS 'the id of a change in the edition that the title was granted under';

CREATE INDEX changes_of_title ON changes (title_id, change_id);
