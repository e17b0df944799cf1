-- Who is told what, over which channel, with which result.

-- What notifier knows of an enterprise. A row without a name was only heard of: its registration has not arrived yet.
CREATE TABLE enterprises (
    enterprise_id text PRIMARY KEY,
    name          text,
    language      text CHECK (language IN ('zh-CN', 'en')),
    contact_email text,
    caused_by     text UNIQUE,
    CHECK ((name IS NULL) = (language IS NULL)),
    CHECK ((name IS NULL) = (caused_by IS NULL)),
    CHECK (name IS NOT NULL OR contact_email IS NULL)
) WITH (fillfactor = 80);

CREATE TABLE notifications (
    notification_id  uuid        PRIMARY KEY,
    caused_by        text        NOT NULL,
    event_type       text        NOT NULL,
    recipient        text        NOT NULL,
    channel          text        NOT NULL CHECK (channel IN ('inbox', 'mail')),
    statutory        boolean     NOT NULL,
    template         text        NOT NULL,
    template_version integer,
    language         text CHECK (language IN ('zh-CN', 'en')),
    subject          text,
    body             text,
    facts            jsonb,
    state            text        NOT NULL CHECK (state IN ('waiting', 'pending', 'delivered', 'undelivered')),
    reason_code      text,
    answer           text        NOT NULL DEFAULT '',
    attempts         integer     NOT NULL DEFAULT 0,
    ambiguous        integer     NOT NULL DEFAULT 0,
    created_at       timestamptz NOT NULL,
    queued_at        timestamptz NOT NULL DEFAULT now(),
    settled_at       timestamptz,
    read_at          timestamptz,
    UNIQUE (caused_by, recipient, channel),
    CHECK ((state = 'undelivered') = (reason_code IS NOT NULL)),
    CHECK ((state IN ('delivered', 'undelivered')) = (settled_at IS NOT NULL)),
    CHECK ((state = 'waiting') = (facts IS NOT NULL)),
    CHECK (state NOT IN ('pending', 'delivered') OR num_nulls(template_version, language, subject, body) = 0)
) WITH (fillfactor = 80);

COMMENT ON COLUMN notifications.state IS 'waiting: its recipient is not known yet; pending: to be sent; delivered: the channel took it; undelivered: final, see reason_code';
COMMENT ON COLUMN notifications.facts IS 'the event, kept only until the notification can be written';
COMMENT ON COLUMN notifications.answer IS 'what the mail server said last';
COMMENT ON COLUMN notifications.ambiguous IS 'attempts after which nobody knows whether the server took the mail: each may be a duplicate';
COMMENT ON COLUMN notifications.queued_at IS 'database clock: since when it waits or is being sent, for the budgets that count real hours';

CREATE INDEX inbox_messages ON notifications (recipient, notification_id) WHERE channel = 'inbox' AND state = 'delivered';
CREATE INDEX inbox_unread ON notifications (recipient, notification_id)
    WHERE channel = 'inbox' AND state = 'delivered' AND read_at IS NULL;
CREATE INDEX notifications_waiting ON notifications (recipient) WHERE state = 'waiting';
CREATE INDEX notifications_of_recipient ON notifications (recipient, notification_id);
CREATE INDEX notifications_by_state ON notifications (channel, state, notification_id);
