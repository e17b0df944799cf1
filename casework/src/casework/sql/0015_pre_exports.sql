-- Whole lists as files: who asked for which, and what the file held. The bytes lie in the storage.

CREATE TABLE exports (
    export_id  uuid        PRIMARY KEY,
    list       text        NOT NULL CHECK (list IN ('cases', 'titles', 'recommendation')),
    format     text        NOT NULL CHECK (format IN ('csv', 'xlsx')),
    filters    jsonb       NOT NULL DEFAULT '{}',
    asked_by   text        NOT NULL,
    asked_at   timestamptz NOT NULL,
    attempts   integer     NOT NULL DEFAULT 0,
    state      text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
    reason     text,
    file_key   text,
    rows       bigint      CHECK (rows >= 0),
    bytes      bigint      CHECK (bytes > 0),
    sha256     text        CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    as_of      timestamptz,
    done_at    timestamptz,
    removed_at timestamptz,
    CHECK ((state = 'waiting') = (done_at IS NULL)),
    CHECK ((state = 'failed') = (reason IS NOT NULL)),
    CHECK (state <> 'done' OR num_nulls(file_key, rows, bytes, sha256, as_of) = 0)
);

COMMENT ON TABLE exports IS 'a row outlives its file: it tells who took which list';
COMMENT ON COLUMN exports.attempts IS 'each attempt has an object of its own, exports/<export_id>/<attempt>; one of them becomes the file';
COMMENT ON COLUMN exports.as_of IS 'what was committed by then is in the file';
COMMENT ON COLUMN exports.removed_at IS 'when the file was taken away';
