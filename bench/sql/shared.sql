-- In every database: identities that follow from a number, and the firms. {first} to {last} are the new cases' numbers.

CREATE SCHEMA IF NOT EXISTS bench;

-- A uuid7 of its own kind for each number, five minutes apart from 2016 on, so that it grows with time as a real one.
CREATE OR REPLACE FUNCTION bench.id(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (lpad(to_hex(1451606400000 + n * 300000), 12, '0') || '7' || substr(md5(kind || n), 1, 3) || '8'
            || substr(md5(kind || n), 4, 15))::uuid
$$;

CREATE OR REPLACE FUNCTION bench.at(n bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT timestamptz '2016-01-01 00:00+00' + n * interval '5 minutes'
$$;

CREATE TABLE IF NOT EXISTS bench.firms (f bigint PRIMARY KEY, enterprise_id text NOT NULL);

CREATE TABLE IF NOT EXISTS bench.cases (
    n bigint PRIMARY KEY, f bigint NOT NULL, enterprise_id text NOT NULL, case_id uuid NOT NULL, title_id uuid NOT NULL,
    state text NOT NULL, programme text NOT NULL, level text, year integer NOT NULL, at timestamptz NOT NULL
);

-- Two cases for each firm, a thousand cases apart. Of a hundred cases 40 are granted, 12 refused, 10 still drafts …
INSERT INTO bench.cases
SELECT n, f.f, f.enterprise_id, bench.id('case', n), bench.id('title', n),
       CASE WHEN c < 40 THEN 'granted' WHEN c < 52 THEN 'refused' WHEN c < 62 THEN 'draft' WHEN c < 70 THEN 'submitted'
            WHEN c < 76 THEN 'withdrawn' WHEN c < 82 THEN 'in_review' WHEN c < 86 THEN 'proposed'
            WHEN c < 90 THEN 'on_notice' WHEN c < 94 THEN 'recorded' WHEN c < 97 THEN 'accepted' ELSE 'returned' END,
       CASE WHEN p < 700 THEN 'hnte' WHEN p < 950 THEN 'st-sme' WHEN p < 999 THEN 'engineering-centre'
            ELSE 'innovation-platform' END,
       CASE WHEN p < 700 THEN 'national' WHEN p < 950 THEN NULL WHEN q < 90 THEN 'city' ELSE 'provincial' END,
       extract(year FROM bench.at(n))::integer, bench.at(n)
FROM generate_series({first}, {last}) AS n
     CROSS JOIN LATERAL (SELECT n * 37 % 100 AS c, n * 617 % 1000 AS p, n * 53 % 100 AS q) AS mix
     JOIN bench.firms f ON f.f = (n - 1) / 2000 * 1000 + (n - 1) % 1000 + 1;
ANALYZE bench.cases;
