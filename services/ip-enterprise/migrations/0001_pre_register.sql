-- The register of IP assets, and a copy of the enterprises that certification knows.

CREATE TABLE enterprises (
    enterprise_id  text PRIMARY KEY,
    name           text NOT NULL,
    region         text NOT NULL,
    established_on date NOT NULL,
    caused_by      text NOT NULL UNIQUE
);

COMMENT ON COLUMN enterprises.caused_by IS 'the last event that made the row what it is';

-- A right may be on the register before the bureau knows its enterprise.
CREATE TABLE assets (
    enterprise_id text        NOT NULL,
    asset_id      text        NOT NULL,
    kind          text        NOT NULL,
    acquired      text        NOT NULL,
    granted_on    date        NOT NULL,
    expires_on    date        CHECK (expires_on >= granted_on),
    in_force      boolean     NOT NULL,
    owned         boolean     NOT NULL,
    related       boolean     NOT NULL,
    changed_by    text        NOT NULL,
    changed_at    timestamptz NOT NULL,
    PRIMARY KEY (enterprise_id, asset_id)
);

COMMENT ON COLUMN assets.expires_on IS 'the last day on which the right is in force; NULL where it has no end or none is known';

CREATE TABLE imports (
    import_id   uuid        PRIMARY KEY,
    sha256      text        NOT NULL,
    rows        integer     NOT NULL,
    recorded    integer     NOT NULL,
    changed     integer     NOT NULL,
    imported_by text        NOT NULL,
    imported_at timestamptz NOT NULL
);
