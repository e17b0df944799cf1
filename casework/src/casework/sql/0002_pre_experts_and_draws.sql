-- Who judges: the directory of experts, ties to enterprises, draws of panels, score sheets.

CREATE TABLE experts (
    expert_id       uuid        PRIMARY KEY,
    subject         text        NOT NULL UNIQUE,
    name            text        NOT NULL,
    kind            text        NOT NULL CHECK (kind IN ('technical', 'financial', 'management')),
    fields          jsonb       NOT NULL DEFAULT '[]',
    employer_id     text,
    employer_name   text,
    holdings        jsonb       NOT NULL DEFAULT '[]',
    available_from  date,
    available_until date,
    active          boolean     NOT NULL DEFAULT true,
    version         integer     NOT NULL DEFAULT 1 CHECK (version > 0),
    changed_at      timestamptz NOT NULL,
    CHECK (available_until >= available_from)
);

COMMENT ON COLUMN experts.subject IS 'who the expert is when signed in; events and published draws name the expert_id';

-- Each state of an entry, so that the pool of a past draw can be explained.
CREATE TABLE expert_versions (
    expert_id  uuid        NOT NULL REFERENCES experts,
    version    integer     NOT NULL,
    entry      jsonb       NOT NULL,
    changed_by text        NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (expert_id, version)
);

CREATE TABLE interests (
    interest_id   uuid        PRIMARY KEY,
    person        text        NOT NULL,
    enterprise_id text        NOT NULL,
    ground        text        NOT NULL CHECK (ground IN ('employer', 'holding', 'declared')),
    note          text,
    declared_by   text        NOT NULL,
    declared_at   timestamptz NOT NULL,
    ended_by      text,
    ended_at      timestamptz,
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);

COMMENT ON COLUMN interests.person IS 'role and subject, such as officer:li';

CREATE UNIQUE INDEX interests_once ON interests (person, enterprise_id, ground) WHERE ended_at IS NULL;
CREATE INDEX interests_by_enterprise ON interests (enterprise_id) WHERE ended_at IS NULL;

CREATE TABLE draws (
    draw_id      uuid        PRIMARY KEY,
    programme    text        NOT NULL,
    edition      date        NOT NULL,
    edition_hash text        NOT NULL,
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

COMMENT ON COLUMN draws.pool IS 'experts, cases and rules as they were frozen and published; pool_hash is over its canonical form';
COMMENT ON COLUMN draws.seed IS 'secret until the draw is revealed';

CREATE INDEX draws_by_programme ON draws (programme, draw_id);

CREATE FUNCTION refuse_changing_a_draw() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.revealed_at IS NOT NULL
        OR (to_jsonb(NEW) - '{beacon,revealed_by,revealed_at}'::text[])
            <> (to_jsonb(OLD) - '{beacon,revealed_by,revealed_at}'::text[]) THEN
        RAISE EXCEPTION 'a draw that was committed to is only ever revealed, once';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER committed BEFORE UPDATE OR DELETE ON draws
    FOR EACH ROW EXECUTE FUNCTION refuse_changing_a_draw();

-- A case is in one draw only: nobody draws again because the panel does not please.
CREATE TABLE draw_cases (
    case_id   uuid        PRIMARY KEY REFERENCES cases,
    draw_id   uuid        NOT NULL REFERENCES draws,
    opened_at timestamptz
);

COMMENT ON COLUMN draw_cases.opened_at IS 'when the last sheet was handed in, so that all may be seen';

CREATE INDEX draw_cases_by_draw ON draw_cases (draw_id);

CREATE TABLE seats (
    case_id    uuid        NOT NULL REFERENCES draw_cases,
    expert_id  uuid        NOT NULL REFERENCES experts,
    kind       text        NOT NULL,
    head       boolean     NOT NULL,
    rank       integer     NOT NULL,
    seated_at  timestamptz NOT NULL,
    recused_at timestamptz,
    recused_by text,
    reason     text,
    PRIMARY KEY (case_id, expert_id),
    CHECK ((recused_at IS NULL) = (recused_by IS NULL) AND (recused_at IS NULL) = (reason IS NULL))
);

CREATE INDEX seats_by_expert ON seats (expert_id, case_id);
CREATE UNIQUE INDEX seats_one_head ON seats (case_id) WHERE head AND recused_at IS NULL;

CREATE TABLE score_sheets (
    case_id      uuid        NOT NULL,
    expert_id    uuid        NOT NULL,
    version      integer     NOT NULL CHECK (version > 0),
    given        jsonb       NOT NULL,
    changed_at   timestamptz NOT NULL,
    handed_in_at timestamptz,
    PRIMARY KEY (case_id, expert_id),
    FOREIGN KEY (case_id, expert_id) REFERENCES seats
);

COMMENT ON COLUMN score_sheets.given IS 'name to true, false or an exact decimal string';

CREATE FUNCTION refuse_changing_a_sheet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a sheet that was handed in stays as it is';
END $$;

CREATE TRIGGER handed_in BEFORE UPDATE OR DELETE ON score_sheets
    FOR EACH ROW WHEN (OLD.handed_in_at IS NOT NULL) EXECUTE FUNCTION refuse_changing_a_sheet();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON expert_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_a_decision();
