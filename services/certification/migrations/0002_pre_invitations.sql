-- Invitations to act for an enterprise. The code itself is nowhere: its SHA-256 is enough to know it again.

CREATE TABLE invitations (
    invitation_id uuid        PRIMARY KEY,
    enterprise_id text        NOT NULL REFERENCES enterprises,
    kind          text        NOT NULL CHECK (kind IN ('owner', 'agent', 'viewer')),
    until         date,
    code_hash     bytea       NOT NULL CHECK (length(code_hash) = 32),
    invited_by    text        NOT NULL,
    invited_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL CHECK (expires_at > invited_at),
    accepted_by   text,
    accepted_at   timestamptz,
    cancelled_by  text,
    cancelled_at  timestamptz,
    CHECK ((kind = 'agent') = (until IS NOT NULL)),
    CHECK ((accepted_by IS NULL) = (accepted_at IS NULL)),
    CHECK ((cancelled_by IS NULL) = (cancelled_at IS NULL)),
    CHECK (accepted_at IS NULL OR cancelled_at IS NULL)
);

CREATE INDEX invitations_of_enterprise ON invitations (enterprise_id, invitation_id);
