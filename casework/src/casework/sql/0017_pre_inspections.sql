-- Inspections: which cases the bureau looks at beyond their papers, how each look came out, and the draws of random ones.

CREATE TABLE inspection_draws (
    draw_id      uuid        PRIMARY KEY,
    pool         jsonb       NOT NULL,
    pool_hash    text        NOT NULL CHECK (pool_hash ~ '^[0-9a-f]{64}$'),
    seed         bytea       NOT NULL CHECK (length(seed) = 32),
    seed_hash    text        NOT NULL CHECK (seed_hash = encode(sha256(seed), 'hex')),
    beacon       text,
    committed_by text        NOT NULL,
    committed_at timestamptz NOT NULL,
    revealed_by  text,
    revealed_at  timestamptz,
    CHECK ((revealed_at IS NULL) = (revealed_by IS NULL))
);

COMMENT ON COLUMN inspection_draws.pool IS 'the batch as it was frozen and published; pool_hash is over its canonical form';
COMMENT ON COLUMN inspection_draws.seed IS 'secret until the draw is revealed';

CREATE TRIGGER committed BEFORE UPDATE OR DELETE ON inspection_draws
    FOR EACH ROW EXECUTE FUNCTION refuse_changing_a_draw();

-- A case is in one draw only for each inspection: nobody draws again because the sample does not please.
CREATE TABLE inspection_draw_cases (
    case_id    uuid NOT NULL REFERENCES cases,
    inspection text NOT NULL,
    draw_id    uuid NOT NULL REFERENCES inspection_draws,
    PRIMARY KEY (case_id, inspection)
);

CREATE TABLE inspections (
    inspection_id   uuid        PRIMARY KEY,
    case_id         uuid        NOT NULL REFERENCES cases,
    enterprise_id   text        NOT NULL,
    enterprise_name text,
    programme       text        NOT NULL,
    level           text,
    round_id        uuid        REFERENCES rounds,
    inspection      text        NOT NULL,
    kind            text        NOT NULL CHECK (kind IN ('site', 'random')),
    draw_id         uuid        REFERENCES inspection_draws,
    due_on          date,
    overdue_on      date CHECK (overdue_on > due_on),
    state           text        NOT NULL CHECK (state IN ('due', 'passed', 'failed', 'lapsed')),
    added_at        timestamptz NOT NULL,
    UNIQUE (case_id, inspection),
    CHECK ((kind = 'random') = (draw_id IS NOT NULL))
);

COMMENT ON COLUMN inspections.inspection IS 'the id of an inspection in the edition of the case';
COMMENT ON COLUMN inspections.due_on IS 'the last day for it, where there is one';
COMMENT ON COLUMN inspections.overdue_on IS 'the first day on which it was too late, told to the officers; it stays';
COMMENT ON COLUMN inspections.state IS 'as the newest look has it; lapsed: not needed any more, and nobody had looked';

CREATE INDEX inspections_of_programme ON inspections (programme, inspection_id);
CREATE INDEX inspections_of_round ON inspections (round_id, inspection_id) WHERE round_id IS NOT NULL;
CREATE INDEX inspections_in_state ON inspections (state, inspection_id);

CREATE TABLE inspection_outcomes (
    inspection_id uuid        NOT NULL REFERENCES inspections,
    number        integer     NOT NULL CHECK (number > 0),
    outcome       text        NOT NULL CHECK (outcome IN ('passed', 'failed')),
    held_on       date        NOT NULL,
    officers      jsonb       NOT NULL,
    findings      text        NOT NULL,
    documents     jsonb       NOT NULL DEFAULT '[]',
    recorded_by   text        NOT NULL,
    recorded_at   timestamptz NOT NULL,
    PRIMARY KEY (inspection_id, number)
);

COMMENT ON COLUMN inspection_outcomes.documents IS 'declared by name, size and SHA-256';

CREATE FUNCTION refuse_changing_an_outcome() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what an inspection found stays as it was recorded; a second one is recorded beside it';
END $$;

CREATE TRIGGER recorded BEFORE UPDATE OR DELETE ON inspection_outcomes
    FOR EACH ROW EXECUTE FUNCTION refuse_changing_an_outcome();
