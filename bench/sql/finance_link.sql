-- {first} to {last}: the new cases' numbers. Half of the firms consent, to one bank in ten cases to a second one.

CREATE TEMPORARY TABLE firms AS SELECT DISTINCT f, enterprise_id FROM bench.cases WHERE n BETWEEN {first} AND {last};

INSERT INTO products (bank_id, product_id, name_zh, name_en, amount_max, term_months_max, annual_rate_from,
    annual_rate_to, programmes, is_open, changed_at)
SELECT 'bank-' || b, 'credit-' || p, '信用贷', 'credit loan', 10000000, 36, 0.0385, 0.0435,
       CASE p WHEN 1 THEN '{{hnte}}'::text[] ELSE '{{}}' END, p < 3, now()
FROM generate_series(0, 19) AS b CROSS JOIN generate_series(1, 3) AS p
ON CONFLICT DO NOTHING;

INSERT INTO enterprises (enterprise_id, name, region, established_on, language, contact_email, caused_by)
SELECT enterprise_id, '示例精密制造第' || f || '有限公司', (441700 + f % 24)::text, date '2008-01-01' + (f % 3000)::integer,
       'zh-CN', 'contact-' || f || '@firm.example', 'certification.enterprises/' || enterprise_id || '/1'
FROM firms;

INSERT INTO titles (title_id, enterprise_id, programme, level, number, granted_on, valid_until, caused_by)
SELECT title_id, enterprise_id, programme, level, 'GR' || year || '44' || lpad(n::text, 7, '0'),
       (at + interval '60 days')::date, (at + interval '60 days' + interval '3 years' - interval '1 day')::date,
       'certification.titles/' || enterprise_id || '/' || row_number() OVER (PARTITION BY enterprise_id ORDER BY n)
FROM bench.cases WHERE n BETWEEN {first} AND {last} AND state = 'granted';

CREATE TEMPORARY TABLE given AS
SELECT bench.id('consent', f * 2 + again) AS consent_id, f, enterprise_id, again, 'bank-' || (f / 2 + again * 3) % 20 AS bank_id,
       bench.at(f * 2) AS at, f % 10 = 4 AS is_over
FROM firms CROSS JOIN generate_series(0, 1) AS again WHERE f % 2 = 0 AND (again = 0 OR f % 10 = 0);

INSERT INTO consents (consent_id, enterprise_id, bank_id, purpose, fields, text_version, on_title, given_on, given_at,
    given_by, expires_on, ended_at, ended_because)
SELECT consent_id, enterprise_id, bank_id, 'financing', '{{enterprise.name,title.number}}', '2016-05', true, at::date, at,
       'enterprise:' || enterprise_id, date '2030-12-31', CASE WHEN is_over THEN at + interval '1 year' END,
       CASE WHEN is_over THEN 'withdrawn' END
FROM given ORDER BY f;

CREATE TEMPORARY TABLE passed AS
SELECT bench.id('referral', c.n) AS referral_id, c.n, c.title_id, c.enterprise_id, g.consent_id, g.bank_id, c.at,
       CASE c.n / 100 % 10 WHEN 0 THEN 'sent' WHEN 1 THEN 'accepted' WHEN 2 THEN 'accepted' WHEN 3 THEN 'approved'
            WHEN 4 THEN 'rejected' WHEN 5 THEN 'returned' WHEN 6 THEN 'expired' ELSE 'disbursed' END AS state
FROM bench.cases c JOIN given g ON g.f = c.f AND g.again = 0
WHERE c.n BETWEEN {first} AND {last} AND c.state = 'granted';

SET session_replication_role = replica;
INSERT INTO referrals (referral_id, enterprise_id, bank_id, product_id, purpose, title_id, state, missing, consent_id,
    sent_at, fields_sent, approved_amount, disbursed_amount, created_at, caused_by)
SELECT referral_id, enterprise_id, bank_id, 'credit-1', 'financing', title_id, state, '{{}}', consent_id, at,
       '{{enterprise.name,title.number}}', CASE WHEN state IN ('approved', 'disbursed') THEN 500000 END,
       CASE state WHEN 'disbursed' THEN 500000 ELSE 0 END, at, 'bench/' || n
FROM passed ORDER BY n;

INSERT INTO outcomes (outcome_id, referral_id, bank_id, bank_reference, kind, details, state_after, recorded_at)
SELECT bench.id('outcome', n), referral_id, bank_id, 'reference-' || n, state, jsonb_build_object('kind', state), state, at
FROM passed WHERE state IN ('accepted', 'approved', 'rejected', 'returned', 'disbursed') ORDER BY n;

INSERT INTO work (kind, subject, payload, due_at)
SELECT 'consent.expire', consent_id::text, '{{}}'::jsonb, timestamptz '2031-01-01' FROM given WHERE NOT is_over
UNION ALL
SELECT 'referral.expire', referral_id::text, '{{}}'::jsonb, timestamptz '2031-01-01' FROM passed WHERE state IN ('sent', 'returned');

INSERT INTO inbox (consumer, topic, key, sequence)
SELECT 'finance-link', 'certification.enterprises', enterprise_id, 1 FROM firms
UNION ALL
SELECT 'finance-link', 'certification.titles', enterprise_id, count(*) FROM bench.cases
WHERE n BETWEEN {first} AND {last} AND state = 'granted' GROUP BY enterprise_id;

CREATE TEMPORARY TABLE said AS
SELECT f AS place, 'finance-link.consents' AS topic, enterprise_id AS key, 'consent-given' AS type, at,
       json_build_object('consent_id', consent_id, 'enterprise_id', enterprise_id, 'bank_id', bank_id) AS payload
FROM given
UNION ALL
SELECT n * 3 + step, CASE step WHEN 2 THEN 'finance-link.bank.' || bank_id ELSE 'finance-link.referrals' END,
       referral_id::text, CASE step WHEN 0 THEN 'referral-drafted' WHEN 1 THEN 'referral-sent' ELSE 'referral-offered' END, at,
       json_build_object('referral_id', referral_id, 'enterprise_id', enterprise_id, 'bank_id', bank_id, 'product_id', 'credit-1')
FROM passed CROSS JOIN generate_series(0, 2) AS step;

INSERT INTO events (event_id, topic, key, sequence, type, actor, payload, occurred_at)
SELECT gen_random_uuid(), topic, key, row_number() OVER (PARTITION BY topic, key ORDER BY place),
       'cn.huiqi.finance-link.' || type || '.v1', 'system:system', payload, at
FROM said ORDER BY place;

INSERT INTO event_keys (topic, key, sequence) SELECT topic, key, count(*) FROM said GROUP BY 1, 2;
DROP TABLE firms, given, passed, said;
