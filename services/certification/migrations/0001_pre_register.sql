-- What certification knows of enterprises.

CREATE TABLE enterprises (
    enterprise_id     text        PRIMARY KEY,
    name              text        NOT NULL,
    region            text        NOT NULL,
    established_on    date        NOT NULL,
    mainland_resident boolean,
    language          text        NOT NULL DEFAULT 'zh-CN' CHECK (language IN ('zh-CN', 'en')),
    contact_email     text,
    version           integer     NOT NULL DEFAULT 1 CHECK (version > 0),
    changed_by        text        NOT NULL,
    changed_at        timestamptz NOT NULL
);

CREATE TABLE enterprise_facts (
    enterprise_id text        PRIMARY KEY REFERENCES enterprises,
    facts         jsonb       NOT NULL,
    version       integer     NOT NULL DEFAULT 1 CHECK (version > 0),
    changed_by    text        NOT NULL,
    changed_at    timestamptz NOT NULL
);

COMMENT ON COLUMN enterprise_facts.facts IS 'in the names of the facts file: years, ip, conversions, incidents, choices';

-- The register of IP assets as ip-enterprise tells it. It may know an asset before the bureau knows the enterprise.
CREATE TABLE assets (
    enterprise_id text    NOT NULL,
    asset_id      text    NOT NULL,
    kind          text    NOT NULL,
    acquired      text    NOT NULL,
    granted_on    date    NOT NULL,
    expires_on    date,
    in_force      boolean NOT NULL,
    owned         boolean NOT NULL,
    related       boolean NOT NULL,
    caused_by     text    NOT NULL UNIQUE,
    PRIMARY KEY (enterprise_id, asset_id)
);

COMMENT ON COLUMN assets.caused_by IS 'the last event that made the row what it is';

CREATE TABLE imports (
    import_id   uuid        PRIMARY KEY,
    sha256      text        NOT NULL,
    rows        jsonb       NOT NULL,
    registered  integer     NOT NULL,
    changed     integer     NOT NULL,
    imported_by text        NOT NULL,
    imported_at timestamptz NOT NULL
);
