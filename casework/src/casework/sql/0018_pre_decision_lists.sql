-- The lists with which the recognition authority decided rounds: which title and which refusal rests on which bytes.
-- The bytes lie in the storage as decision-lists/<list_id> and are kept as long as the titles.

CREATE TABLE decision_lists (
    list_id   uuid        PRIMARY KEY,
    round_id  uuid        NOT NULL REFERENCES rounds,
    format    text        NOT NULL CHECK (format IN ('csv', 'xlsx')),
    sha256    text        NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes     bigint      NOT NULL CHECK (bytes > 0),
    granted   integer     NOT NULL CHECK (granted >= 0),
    refused   integer     NOT NULL CHECK (refused >= 0),
    unchanged integer     NOT NULL CHECK (unchanged >= 0),
    taken_by  text        NOT NULL,
    taken_at  timestamptz NOT NULL,
    UNIQUE (round_id, sha256)
);

COMMENT ON COLUMN decision_lists.unchanged IS 'rows that said what was decided here before';

CREATE INDEX decision_lists_of_round ON decision_lists (round_id, list_id);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON decision_lists
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_a_decision();
