-- The bytes of documents lie in the storage; here stands whose they are, and what was found in them.

CREATE TABLE files (
    enterprise_id text        NOT NULL,
    sha256        text        NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    file_id       uuid        NOT NULL UNIQUE,
    bytes         bigint      NOT NULL CHECK (bytes > 0),
    media_type    text        NOT NULL,
    file_name     text        NOT NULL,
    added_at      timestamptz NOT NULL,
    added_by      text        NOT NULL,
    PRIMARY KEY (enterprise_id, sha256)
);

COMMENT ON TABLE files IS 'the same bytes are kept once for each enterprise, and of another enterprise nobody learns that it has them';
COMMENT ON COLUMN files.file_id IS 'its key in the storage is files/<file_id>';
COMMENT ON COLUMN files.media_type IS 'as its bytes say';

CREATE INDEX files_of_enterprise ON files (enterprise_id, file_id);
