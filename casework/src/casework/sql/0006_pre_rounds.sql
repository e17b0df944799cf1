-- Rounds (批次): when a programme takes applications. A programme without any takes them always.

CREATE TABLE rounds (
    round_id    uuid        PRIMARY KEY,
    programme   text        NOT NULL,
    level       text,
    name        text        NOT NULL,
    opens_on    date        NOT NULL,
    closes_on   date        NOT NULL CHECK (closes_on >= opens_on),
    forwards_on date        NOT NULL CHECK (forwards_on >= closes_on),
    quota       integer CHECK (quota > 0),
    source      text        NOT NULL,
    version     integer     NOT NULL CHECK (version > 0),
    changed_at  timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (programme, level, name)
);

COMMENT ON COLUMN rounds.closes_on IS 'the last day on which enterprises hand in';
COMMENT ON COLUMN rounds.forwards_on IS 'the last day on which the city recommends: nothing that was returned comes back after it';
COMMENT ON COLUMN rounds.source IS 'the notice that calls, by its document number';

CREATE INDEX rounds_of_programme ON rounds (programme, round_id);

-- Each state of a round: deadlines are extended, and who extended them is told.
CREATE TABLE round_versions (
    round_id   uuid        NOT NULL REFERENCES rounds,
    version    integer     NOT NULL,
    entry      jsonb       NOT NULL,
    changed_by text        NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (round_id, version)
);

ALTER TABLE cases ADD COLUMN round_id uuid REFERENCES rounds;

CREATE INDEX cases_of_round ON cases (round_id, case_id) WHERE round_id IS NOT NULL;
