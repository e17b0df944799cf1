-- How a title is applied for, judged, published, granted and kept. Used by each service that grants titles.

CREATE TABLE cases (
    case_id         uuid        PRIMARY KEY,
    enterprise_id   text        NOT NULL,
    enterprise_name text,
    programme       text        NOT NULL,
    level           text,
    case_type       text        NOT NULL,
    state           text        NOT NULL DEFAULT 'draft' CHECK (state IN (
        'draft', 'submitted', 'returned', 'accepted', 'in_review', 'proposed', 'on_notice', 'objected', 'recorded',
        'granted', 'refused', 'withdrawn'
    )),
    version         integer     NOT NULL DEFAULT 1 CHECK (version > 0),
    applied_on      date,
    edition         date,
    edition_hash    text,
    once_in_year    integer,
    facts           jsonb       NOT NULL DEFAULT '{}',
    answer          jsonb,
    verdict         text        CHECK (verdict IN ('pass', 'fail', 'unknown')),
    proposal        text        CHECK (proposal IN ('grant', 'refuse')),
    defects         jsonb       NOT NULL DEFAULT '[]',
    reasons         jsonb       NOT NULL DEFAULT '[]',
    drafted_at      timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL,
    CHECK (state IN ('draft', 'withdrawn') OR (applied_on IS NOT NULL AND edition IS NOT NULL AND edition_hash IS NOT NULL))
);

COMMENT ON COLUMN cases.facts IS 'what the applicant gave while a draft; the facts that are judged once submitted';
COMMENT ON COLUMN cases.answer IS 'the engine''s last answer: every condition and score item with value, bound and source';
COMMENT ON COLUMN cases.once_in_year IS 'the year of application where the edition allows one application a year';

-- Lists page by the identity of a case, which grows with time (uuid7).
CREATE INDEX cases_by_enterprise ON cases (enterprise_id, case_id);
CREATE INDEX cases_by_programme ON cases (programme, state, case_id);
CREATE INDEX cases_by_state ON cases (state, case_id);
CREATE UNIQUE INDEX cases_once_a_year ON cases (enterprise_id, programme, once_in_year)
    WHERE once_in_year IS NOT NULL AND state <> 'withdrawn';

CREATE TABLE case_documents (
    case_id    uuid        NOT NULL REFERENCES cases,
    paper      text        NOT NULL,
    file_name  text        NOT NULL,
    media_type text        NOT NULL,
    bytes      bigint      NOT NULL CHECK (bytes > 0),
    sha256     text        NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    added_at   timestamptz NOT NULL,
    PRIMARY KEY (case_id, paper)
);

COMMENT ON COLUMN case_documents.paper IS 'which document of the edition''s list this is';

-- One row each time a person says something of one name; the latest of each person counts.
CREATE TABLE judgements (
    case_id  uuid        NOT NULL REFERENCES cases,
    name     text        NOT NULL,
    judge    text        NOT NULL,
    version  integer     NOT NULL CHECK (version > 0),
    value    jsonb       NOT NULL,
    given_at timestamptz NOT NULL,
    PRIMARY KEY (case_id, name, judge, version)
);

CREATE TABLE notices (
    case_id   uuid        PRIMARY KEY REFERENCES cases,
    opens_on  date        NOT NULL,
    ends_on   date        NOT NULL CHECK (ends_on >= opens_on),
    closed_at timestamptz,
    outcome   text        CHECK (outcome IN ('granted', 'withdrawn', 'refused')),
    CHECK ((closed_at IS NULL) = (outcome IS NULL))
);

CREATE INDEX notices_by_end ON notices (ends_on, case_id);

CREATE TABLE titles (
    title_id        uuid        PRIMARY KEY,
    case_id         uuid        NOT NULL UNIQUE REFERENCES cases,
    enterprise_id   text        NOT NULL,
    enterprise_name text,
    programme       text        NOT NULL,
    level           text,
    number          text        NOT NULL UNIQUE,
    granted_on      date        NOT NULL,
    valid_until     date        NOT NULL CHECK (valid_until > granted_on),
    edition         date        NOT NULL,
    edition_hash    text        NOT NULL,
    granted_at      timestamptz NOT NULL
);

CREATE INDEX titles_by_programme ON titles (programme, title_id);
CREATE INDEX titles_by_enterprise ON titles (enterprise_id, title_id);

-- The row lock, held to the commit, makes the numbers of a series follow each other without a gap.
CREATE TABLE title_series (
    series   text    PRIMARY KEY,
    sequence integer NOT NULL CHECK (sequence > 0)
);

COMMENT ON COLUMN title_series.series IS 'the number without its sequence, such as GR200944';

-- The audit: one row per decision, in the decision's own transaction.
CREATE TABLE decisions (
    case_id    uuid        NOT NULL REFERENCES cases,
    version    integer     NOT NULL,
    verb       text        NOT NULL,
    actor      text        NOT NULL,
    from_state text,
    to_state   text        NOT NULL,
    reasons    jsonb       NOT NULL DEFAULT '[]',
    at         timestamptz NOT NULL,
    PRIMARY KEY (case_id, version)
);

COMMENT ON COLUMN decisions.version IS 'the version of the case that the decision made';

CREATE FUNCTION refuse_rewriting_a_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'decisions are append-only';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON decisions
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_a_decision();
