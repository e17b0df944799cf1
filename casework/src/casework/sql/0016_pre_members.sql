-- Who acts for an enterprise besides those whose token names it. certification invites; the other services are told.

CREATE TABLE members (
    member_id     uuid        PRIMARY KEY,
    enterprise_id text        NOT NULL,
    person        text        NOT NULL,
    kind          text        NOT NULL CHECK (kind IN ('owner', 'agent', 'viewer')),
    until         date,
    invited_by    text        NOT NULL,
    joined_at     timestamptz NOT NULL,
    ended_at      timestamptz,
    ended_by      text,
    caused_by     text        UNIQUE,
    CHECK ((kind = 'agent') = (until IS NOT NULL)),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);

COMMENT ON TABLE members IS 'a row stays when the membership has ended: it tells who acted by which right';
COMMENT ON COLUMN members.person IS 'as decisions name their actor, enterprise:<subject>';
COMMENT ON COLUMN members.until IS 'the last day on which an agent acts';
COMMENT ON COLUMN members.caused_by IS 'the last event that made the row what it is, where another service keeps the members';

CREATE UNIQUE INDEX members_live ON members (enterprise_id, person) WHERE ended_at IS NULL;
CREATE INDEX members_of_enterprise ON members (enterprise_id, member_id);
CREATE INDEX members_of_person ON members (person, member_id);

ALTER TABLE changes ADD COLUMN reported_by text;

COMMENT ON COLUMN changes.reported_by IS 'null where it was reported before the column was there: the event tells it';
