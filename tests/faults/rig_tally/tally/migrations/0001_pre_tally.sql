-- One row for each time that an event was applied. Nothing here is unique, for nothing but the mark may keep it so.

CREATE TABLE applied (
    id         bigint GENERATED ALWAYS AS IDENTITY,
    topic      text        NOT NULL,
    key        text        NOT NULL,
    sequence   bigint      NOT NULL,
    event_id   uuid        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE counters (
    topic   text   NOT NULL,
    key     text   NOT NULL,
    applied bigint NOT NULL,
    PRIMARY KEY (topic, key)
);
