-- Objections to a proposed title: in writing, with a real name, each answered by a decision.

CREATE TABLE objections (
    objection_id uuid        PRIMARY KEY,
    case_id      uuid        NOT NULL REFERENCES cases,
    name         text        NOT NULL,
    unit         text,
    contact      text        NOT NULL,
    statement    text        NOT NULL,
    lodged_by    text        NOT NULL,
    lodged_at    timestamptz NOT NULL,
    state        text        NOT NULL CHECK (state IN ('lodged', 'dismissed', 'upheld', 'lapsed')),
    decided_by   text,
    decided_at   timestamptz,
    reasons      jsonb       NOT NULL DEFAULT '[]',
    CHECK ((state IN ('dismissed', 'upheld')) = (decided_by IS NOT NULL)),
    CHECK ((state = 'lodged') = (decided_at IS NULL))
);

COMMENT ON COLUMN objections.name IS 'who objects; like unit and contact it is for officers and auditors alone';
COMMENT ON COLUMN objections.statement IS 'for officers and auditors alone: it may tell who objects';
COMMENT ON COLUMN objections.state IS 'lapsed: the case was withdrawn before anybody decided';

CREATE INDEX objections_of_case ON objections (case_id, objection_id);

-- A case that is re-examined may come on notice once more: the row is the latest notice, events and decisions tell of all.
ALTER TABLE notices
    ADD COLUMN suspended_on date CHECK (suspended_on BETWEEN opens_on AND ends_on),
    DROP CONSTRAINT notices_outcome_check,
    ADD CONSTRAINT notices_outcome_check CHECK (outcome IN ('granted', 'withdrawn', 'refused', 'upheld'));

COMMENT ON COLUMN notices.suspended_on IS 'the day from which an objection stops its clock; null while the clock runs';
