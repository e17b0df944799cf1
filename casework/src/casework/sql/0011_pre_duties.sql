-- What a title owes over time, each duty of each year with its days, and what was reported.

ALTER TABLE titles ADD COLUMN expired_at timestamptz;

COMMENT ON COLUMN titles.expired_at IS 'when it was told that the title ran out; a title that was revoked does not run out';

CREATE TABLE duties (
    duty_id       uuid    PRIMARY KEY,
    title_id      uuid    NOT NULL REFERENCES titles,
    enterprise_id text    NOT NULL,
    programme     text    NOT NULL,
    rule          text    NOT NULL,
    year          integer NOT NULL,
    kept_by       text    NOT NULL CHECK (kept_by IN ('report', 'application', 'assessment')),
    opens_on      date    NOT NULL,
    due_on        date    NOT NULL CHECK (due_on >= opens_on),
    reminded_on   date,
    grace_until   date CHECK (grace_until > due_on),
    done_on       date CHECK (done_on >= opens_on),
    result        text,
    missed_on     date CHECK (missed_on > coalesce(grace_until, due_on)),
    UNIQUE (title_id, rule, opens_on),
    CHECK (result IS NULL OR (done_on IS NOT NULL AND kept_by = 'assessment'))
);

COMMENT ON COLUMN duties.rule IS 'the id of a duty in the edition that the title was granted under';
COMMENT ON COLUMN duties.year IS 'what the duty is about, such as the year that a report tells of';
COMMENT ON COLUMN duties.grace_until IS 'the last day after a warning, where the edition gives one';
COMMENT ON COLUMN duties.missed_on IS 'the first day on which it was too late; it stays, whatever is reported afterwards';

CREATE INDEX duties_awaiting_an_application ON duties (enterprise_id, programme)
    WHERE kept_by = 'application' AND done_on IS NULL AND missed_on IS NULL;

CREATE TABLE reports (
    duty_id      uuid        PRIMARY KEY REFERENCES duties,
    contents     jsonb       NOT NULL,
    documents    jsonb       NOT NULL DEFAULT '[]',
    handed_in_by text        NOT NULL,
    handed_in_at timestamptz NOT NULL
);

CREATE FUNCTION refuse_changing_a_report() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a report that was handed in stays as it is';
END $$;

CREATE TRIGGER handed_in BEFORE UPDATE OR DELETE ON reports
    FOR EACH ROW EXECUTE FUNCTION refuse_changing_a_report();
