-- A title is taken away by two people: one proposes with ground and reasons, another decides.

ALTER TABLE titles ADD COLUMN revoked_on date;

COMMENT ON COLUMN titles.revoked_on IS 'from this day on nobody holds it; what it gave before is for the finance office and the tax authority';

CREATE TABLE revocations (
    revocation_id uuid        PRIMARY KEY,
    title_id      uuid        NOT NULL REFERENCES titles,
    enterprise_id text        NOT NULL,
    programme     text        NOT NULL,
    ground        text        NOT NULL,
    conduct_on    date        NOT NULL,
    reasons       jsonb       NOT NULL,
    state         text        NOT NULL CHECK (state IN ('proposed', 'dropped', 'revoked')),
    proposed_by   text        NOT NULL,
    proposed_at   timestamptz NOT NULL,
    decided_by    text CHECK (decided_by <> proposed_by),
    decided_at    timestamptz,
    decision_reasons jsonb    NOT NULL DEFAULT '[]',
    revoked_on    date,
    barred_until  date CHECK (barred_until >= revoked_on),
    CHECK ((state = 'proposed') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)),
    CHECK ((state = 'revoked') = (revoked_on IS NOT NULL))
);

COMMENT ON COLUMN revocations.ground IS 'the id of a ground in the edition that the title was granted under';
COMMENT ON COLUMN revocations.conduct_on IS 'when the ground arose: benefits are recovered from that year on';
COMMENT ON COLUMN revocations.barred_until IS 'the last day on which no application of the enterprise for the programme is taken';

-- One proposal stands at a time, and what is revoked stays so.
CREATE UNIQUE INDEX revocations_standing ON revocations (title_id) WHERE state <> 'dropped';
CREATE INDEX revocations_of_title ON revocations (title_id, revocation_id);
CREATE INDEX revocations_barring ON revocations (enterprise_id, programme) WHERE barred_until IS NOT NULL;
