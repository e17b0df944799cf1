-- What every service keeps besides its own tables. See docs/architecture.md.

CREATE TABLE events (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    event_id    uuid        NOT NULL,
    topic       text        NOT NULL,
    key         text        NOT NULL,
    sequence    bigint      NOT NULL CHECK (sequence > 0),
    type        text        NOT NULL,
    actor       text        NOT NULL,
    traceparent text,
    caused_by   text,
    payload     json        NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, recorded_at)
) PARTITION BY RANGE (recorded_at);

CREATE INDEX events_by_key ON events (topic, key, sequence);

CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();

-- Partitions are made ahead of time: the months of `today` and `ahead` more.
CREATE FUNCTION add_event_partitions(ahead integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first date;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('add_event_partitions'));
    FOR step IN 0..ahead LOOP
        first := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => step))::date;
        IF to_regclass('events_' || to_char(first, 'YYYYMM')) IS NULL THEN
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF events FOR VALUES FROM (%L) TO (%L)',
                'events_' || to_char(first, 'YYYYMM'), first || ' 00:00+00', (first + interval '1 month')::date || ' 00:00+00'
            );
        END IF;
    END LOOP;
END $$;

SELECT add_event_partitions(2);

CREATE TABLE event_keys (
    topic    text   NOT NULL,
    key      text   NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (topic, key)
) WITH (fillfactor = 80);

CREATE TABLE outbox (
    id          bigint      PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    sealed      boolean     NOT NULL DEFAULT false
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

COMMENT ON COLUMN outbox.sealed IS 'already in the hash chain: a record that reconcile sends again';

CREATE TABLE relay_lease (
    only_row   boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    holder     uuid,
    expires_at timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO relay_lease DEFAULT VALUES;

-- The hash chain: each link covers the events it names, in that order, and the link before it.
CREATE TABLE seals (
    position  bigint      PRIMARY KEY,
    previous  bytea       NOT NULL UNIQUE,
    hash      bytea       NOT NULL,
    event_ids bigint[]    NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE inbox (
    consumer text    NOT NULL,
    topic    text    NOT NULL,
    key      text    NOT NULL,
    sequence bigint  NOT NULL DEFAULT 0,
    parked   boolean NOT NULL DEFAULT false,
    waiting  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (consumer, topic, key)
) WITH (fillfactor = 80);

COMMENT ON COLUMN inbox.parked IS 'an event of this key failed: it and all later ones are set aside until an operator decides';
COMMENT ON COLUMN inbox.waiting IS 'later events of this key arrived before the next one: they are set aside until it comes';

CREATE TABLE parked (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer  text        NOT NULL,
    topic     text        NOT NULL,
    key       text,
    sequence  bigint,
    reason    text        NOT NULL CHECK (reason IN ('bug', 'behind', 'gap', 'unplaced')),
    error     text        NOT NULL DEFAULT '',
    headers   jsonb       NOT NULL,
    payload   bytea       NOT NULL,
    "partition" integer   NOT NULL,
    "offset"  bigint      NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (consumer, topic, key, sequence)
);

CREATE UNIQUE INDEX parked_unplaced ON parked (consumer, topic, "partition", "offset") WHERE reason = 'unplaced';

COMMENT ON COLUMN parked.reason IS 'bug: its handler failed; behind: after such a one; gap: came before its turn; unplaced: names no place in a sequence';

CREATE TABLE parked_decisions (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    decision   text        NOT NULL CHECK (decision IN ('replayed', 'discarded')),
    actor      text        NOT NULL,
    note       text        NOT NULL DEFAULT '',
    consumer   text        NOT NULL,
    topic      text        NOT NULL,
    key        text,
    sequence   bigint,
    payload    bytea       NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE event_refusals (
    consumer   text        NOT NULL,
    caused_by  text        NOT NULL,
    code       text        NOT NULL,
    detail     text        NOT NULL,
    refused_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, caused_by)
);

CREATE TABLE work (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind         text        NOT NULL,
    subject      text        NOT NULL,
    payload      jsonb       NOT NULL,
    state        text        NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'done', 'given_up', 'cancelled')),
    due_at       timestamptz NOT NULL,
    attempts     integer     NOT NULL DEFAULT 0,
    lease        uuid,
    leased_until timestamptz,
    reason       text        NOT NULL DEFAULT '',
    finished_at  timestamptz
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE UNIQUE INDEX work_open ON work (kind, subject) WHERE state = 'due';
CREATE INDEX work_due ON work (due_at, id) WHERE state = 'due';

CREATE TABLE heartbeats (
    holder  text        PRIMARY KEY,
    beat_at timestamptz NOT NULL
);
