-- Consents, bank products, referrals and outcomes, and local copies of enterprises and titles. Money in yuan.

CREATE TABLE enterprises (
    enterprise_id  text PRIMARY KEY,
    name           text NOT NULL,
    region         text NOT NULL,
    established_on date NOT NULL,
    language       text NOT NULL,
    contact_email  text,
    caused_by      text NOT NULL UNIQUE
);

CREATE TABLE titles (
    title_id      uuid PRIMARY KEY,
    enterprise_id text NOT NULL,
    programme     text NOT NULL,
    level         text,
    number        text NOT NULL,
    granted_on    date NOT NULL,
    valid_until   date NOT NULL,
    caused_by     text NOT NULL UNIQUE
);

CREATE INDEX titles_of_enterprise ON titles (enterprise_id, granted_on);

CREATE TABLE products (
    bank_id          text           NOT NULL CHECK (bank_id ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    product_id       text           NOT NULL,
    name_zh          text           NOT NULL,
    name_en          text           NOT NULL,
    amount_max       numeric(18, 2) NOT NULL CHECK (amount_max > 0),
    term_months_max  integer        NOT NULL CHECK (term_months_max > 0),
    annual_rate_from numeric        NOT NULL CHECK (annual_rate_from >= 0 AND scale(annual_rate_from) <= 12),
    annual_rate_to   numeric        NOT NULL CHECK (annual_rate_to >= annual_rate_from AND scale(annual_rate_to) <= 12),
    programmes       text[]         NOT NULL,
    is_open          boolean        NOT NULL,
    changed_at       timestamptz    NOT NULL,
    PRIMARY KEY (bank_id, product_id)
);

COMMENT ON COLUMN products.annual_rate_from IS 'share per year: 0.0435 is 4.35 %';
COMMENT ON COLUMN products.programmes IS 'a valid title of any of these is needed; empty: everybody may apply';

CREATE TABLE consents (
    consent_id    uuid        PRIMARY KEY,
    enterprise_id text        NOT NULL,
    bank_id       text        NOT NULL,
    purpose       text        NOT NULL,
    fields        text[]      NOT NULL CHECK (cardinality(fields) > 0),
    text_version  text        NOT NULL,
    on_title      boolean     NOT NULL,
    given_on      date        NOT NULL,
    given_at      timestamptz NOT NULL,
    given_by      text        NOT NULL,
    expires_on    date        NOT NULL CHECK (expires_on >= given_on),
    ended_at      timestamptz,
    ended_because text CHECK (ended_because IN ('withdrawn', 'expired', 'replaced')),
    CHECK ((ended_at IS NULL) = (ended_because IS NULL))
);

-- One bank, one purpose, one consent: what is withdrawn leaves no older consent behind.
CREATE UNIQUE INDEX consents_standing ON consents (enterprise_id, bank_id, purpose) WHERE ended_at IS NULL;
CREATE INDEX consents_of_enterprise ON consents (enterprise_id, consent_id);

CREATE TABLE referrals (
    referral_id          uuid        PRIMARY KEY,
    enterprise_id        text        NOT NULL,
    bank_id              text        NOT NULL,
    product_id           text        NOT NULL,
    purpose              text        NOT NULL,
    title_id             uuid        REFERENCES titles,
    amount               numeric(18, 2) CHECK (amount > 0),
    term_months          integer CHECK (term_months > 0),
    loan_use             text,
    state                text        NOT NULL CHECK (state IN (
        'draft', 'sent', 'accepted', 'returned', 'approved', 'disbursed', 'rejected', 'withdrawn', 'expired')),
    missing              text[]      NOT NULL,
    consent_id           uuid        REFERENCES consents,
    sent_at              timestamptz,
    fields_sent          text[],
    approved_amount      numeric(18, 2) CHECK (approved_amount > 0),
    disbursed_amount     numeric(18, 2) NOT NULL DEFAULT 0,
    next_application_on  date,
    reason               text,
    created_at           timestamptz NOT NULL,
    caused_by            text,
    FOREIGN KEY (bank_id, product_id) REFERENCES products,
    UNIQUE (caused_by, bank_id, purpose),
    CHECK ((sent_at IS NULL) = (consent_id IS NULL) AND (sent_at IS NULL) = (fields_sent IS NULL)),
    CHECK (state IN ('draft', 'withdrawn', 'expired') OR sent_at IS NOT NULL),
    CHECK (disbursed_amount = 0 OR disbursed_amount <= approved_amount)
);

COMMENT ON COLUMN referrals.missing IS 'what a draft waits for: consent, title, enterprise, product';
COMMENT ON COLUMN referrals.sent_at IS 'of the last sending; each one is a ReferralSent in events';

CREATE INDEX referrals_of_enterprise ON referrals (enterprise_id, referral_id);
CREATE INDEX referrals_of_bank ON referrals (bank_id, referral_id);

-- Second line behind use_cases/sending.py: no row says that something was sent which its consent did not cover.
CREATE FUNCTION refuse_unconsented_sending() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM consents c
        WHERE c.consent_id = NEW.consent_id AND c.enterprise_id = NEW.enterprise_id AND c.bank_id = NEW.bank_id
          AND c.purpose = NEW.purpose AND c.ended_at IS NULL AND NEW.fields_sent <@ c.fields
          AND (NEW.sent_at AT TIME ZONE 'Asia/Shanghai')::date <= c.expires_on
    ) THEN
        RAISE EXCEPTION 'referral % is not covered by a standing consent', NEW.referral_id;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER consented_on_insert BEFORE INSERT ON referrals FOR EACH ROW
    WHEN (NEW.sent_at IS NOT NULL) EXECUTE FUNCTION refuse_unconsented_sending();
CREATE TRIGGER consented_on_sending BEFORE UPDATE OF sent_at, fields_sent, consent_id ON referrals FOR EACH ROW
    WHEN (NEW.sent_at IS NOT NULL) EXECUTE FUNCTION refuse_unconsented_sending();

CREATE TABLE outcomes (
    outcome_id     uuid        PRIMARY KEY,
    referral_id    uuid        NOT NULL REFERENCES referrals,
    bank_id        text        NOT NULL,
    bank_reference text        NOT NULL,
    kind           text        NOT NULL CHECK (kind IN ('accepted', 'returned', 'approved', 'disbursed', 'rejected')),
    details        jsonb       NOT NULL,
    state_after    text        NOT NULL,
    recorded_at    timestamptz NOT NULL,
    UNIQUE (bank_id, bank_reference)
);

CREATE INDEX outcomes_of_referral ON outcomes (referral_id, outcome_id);
