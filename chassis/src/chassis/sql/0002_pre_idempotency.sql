-- Answers already given, by who asked and the key of the request. One row per successful request that carried a key.

CREATE TABLE idempotency (
    actor      text        NOT NULL,
    key        text        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request    text        NOT NULL,
    body_hash  bytea       NOT NULL,
    status     smallint,
    headers    jsonb,
    body       bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (actor, key)
) WITH (fillfactor = 80);

CREATE INDEX idempotency_by_age ON idempotency (created_at);

COMMENT ON COLUMN idempotency.request IS 'method and path';
COMMENT ON COLUMN idempotency.status IS 'empty only inside the transaction that is giving the answer';
