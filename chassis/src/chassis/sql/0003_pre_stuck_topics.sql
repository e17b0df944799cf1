-- Topics that the broker refuses, kept by the active relay: their events wait in the outbox while the others go on.

CREATE TABLE stuck_topics (
    topic  text        PRIMARY KEY,
    reason text        NOT NULL,
    since  timestamptz NOT NULL DEFAULT now()
);
