-- {first} to {last}: the new cases' numbers. The rows of bench.template hold one firm's facts and the engine's answer.

INSERT INTO enterprises (enterprise_id, name, region, established_on, mainland_resident, contact_email, changed_by, changed_at)
SELECT enterprise_id, '示例精密制造第' || f || '有限公司', (441700 + f % 24)::text, date '2008-01-01' + (f % 3000)::integer, true,
       'contact-' || f || '@firm.example', 'officer:li', bench.at(f)
FROM (SELECT DISTINCT f, enterprise_id FROM bench.cases WHERE n BETWEEN {first} AND {last}) AS firms;

INSERT INTO enterprise_facts (enterprise_id, facts, changed_by, changed_at)
SELECT enterprise_id, t.given, 'officer:li', bench.at(f)
FROM (SELECT DISTINCT f, enterprise_id FROM bench.cases WHERE n BETWEEN {first} AND {last}) AS firms
     JOIN bench.template t ON t.place = f % (SELECT count(*) FROM bench.template);

INSERT INTO assets (enterprise_id, asset_id, kind, acquired, granted_on, expires_on, in_force, owned, related, caused_by)
SELECT enterprise_id, 'ZL' || f || '.' || a, 'invention', 'self', date '2014-05-06', date '2034-05-05', true, true, true,
       'ip-enterprise.assets/' || enterprise_id || '/' || a
FROM (SELECT DISTINCT f, enterprise_id FROM bench.cases WHERE n BETWEEN {first} AND {last}) AS firms
     CROSS JOIN generate_series(1, 2) AS a;

INSERT INTO cases (case_id, enterprise_id, enterprise_name, programme, level, case_type, state, version, applied_on,
    edition, edition_hash, once_in_year, facts, answer, verdict, proposal, defects, reasons, drafted_at, changed_at)
SELECT c.case_id, c.enterprise_id, CASE WHEN c.state <> 'draft' THEN '示例精密制造第' || c.f || '有限公司' END, c.programme,
       c.level, 'first', c.state, CASE c.state WHEN 'draft' THEN 1 WHEN 'granted' THEN 9 ELSE 4 END, d.on, d.edition, d.hash,
       extract(year FROM d.on)::integer + (c.n - 1) % 2000 / 1000, t.facts, CASE WHEN c.state <> 'draft' THEN t.answer END,
       CASE WHEN c.state <> 'draft' THEN CASE c.state WHEN 'refused' THEN 'fail' WHEN 'submitted' THEN 'unknown' ELSE 'pass' END END,
       CASE WHEN c.state IN ('granted', 'proposed', 'on_notice', 'recorded') THEN 'grant' WHEN c.state = 'refused' THEN 'refuse' END,
       '[]', CASE c.state WHEN 'refused' THEN '["the score is not above 70"]'::jsonb ELSE '[]' END, c.at, c.at + interval '90 days'
FROM bench.cases c
     JOIN bench.template t ON t.place = c.f % (SELECT count(*) FROM bench.template)
     CROSS JOIN LATERAL (SELECT CASE WHEN c.state <> 'draft' THEN c.at::date END AS on,
                                CASE WHEN c.state <> 'draft' THEN date '2016-01-01' END AS edition,
                                CASE WHEN c.state <> 'draft' THEN t.edition_hash END AS hash) AS d
WHERE c.n BETWEEN {first} AND {last} ORDER BY c.n;

INSERT INTO case_documents (case_id, paper, file_name, media_type, bytes, sha256, added_at)
SELECT c.case_id, p.paper, p.paper || '.pdf', 'application/pdf', p.bytes, p.sha256, c.at
FROM bench.cases c CROSS JOIN bench.papers p WHERE c.n BETWEEN {first} AND {last} ORDER BY c.n;

INSERT INTO files (enterprise_id, sha256, file_id, bytes, media_type, file_name, added_at, added_by)
SELECT f.enterprise_id, p.sha256, gen_random_uuid(), p.bytes, 'application/pdf', 'scan.pdf', bench.at(f.f), 'enterprise:wang'
FROM (SELECT DISTINCT f, enterprise_id FROM bench.cases WHERE n BETWEEN {first} AND {last}) AS f
     CROSS JOIN (SELECT DISTINCT bytes, sha256 FROM bench.papers) AS p;

INSERT INTO judgements (case_id, name, judge, version, value, given_at)
SELECT c.case_id, j.name, 'expert:chen', 1, j.value, c.at + interval '30 days'
FROM bench.cases c CROSS JOIN bench.judged j
WHERE c.n BETWEEN {first} AND {last}
  AND c.state IN ('in_review', 'proposed', 'on_notice', 'recorded', 'granted', 'refused') ORDER BY c.n;

INSERT INTO notices (case_id, enterprise_id, enterprise_name, programme, level, opens_on, ends_on, closed_at, outcome)
SELECT case_id, enterprise_id, '示例精密制造第' || f || '有限公司', programme, level, (at + interval '40 days')::date, (at + interval '54 days')::date,
       CASE state WHEN 'granted' THEN at + interval '60 days' END, CASE state WHEN 'granted' THEN 'granted' END
FROM bench.cases WHERE n BETWEEN {first} AND {last} AND state IN ('on_notice', 'recorded', 'granted') ORDER BY n;

INSERT INTO titles (title_id, case_id, enterprise_id, enterprise_name, programme, level, number, granted_on, valid_until,
    edition, edition_hash, granted_at)
SELECT c.title_id, c.case_id, c.enterprise_id, '示例精密制造第' || c.f || '有限公司', c.programme, c.level,
       'GR' || c.year || '44' || lpad(c.n::text, 7, '0'), (c.at + interval '60 days')::date,
       (c.at + interval '60 days' + interval '3 years' - interval '1 day')::date, date '2016-01-01', t.edition_hash,
       c.at + interval '60 days'
FROM bench.cases c JOIN bench.template t ON t.place = 0
WHERE c.n BETWEEN {first} AND {last} AND c.state = 'granted' ORDER BY c.n;

CREATE TEMPORARY TABLE steps AS
SELECT c.n, c.case_id, c.enterprise_id, c.programme, c.level, s.version, s.verb, s.from_state, s.to_state, s.type,
       c.at + s.version * interval '7 days' AS at
FROM bench.cases c JOIN (VALUES
    (1, 'draft', NULL, 'draft', NULL), (2, 'submit', 'draft', 'submitted', 'case-submitted'),
    (3, 'accept', 'submitted', 'accepted', NULL), (4, 'start_review', 'accepted', 'in_review', NULL),
    (5, 'judge', 'in_review', 'in_review', 'case-judged'), (6, 'propose', 'in_review', 'proposed', 'case-proposed'),
    (7, 'open_notice', 'proposed', 'on_notice', 'notice-opened'), (8, 'record', 'on_notice', 'recorded', NULL),
    (9, 'grant', 'recorded', 'granted', 'title-granted')
) AS s(version, verb, from_state, to_state, type) ON s.version <= CASE c.state
    WHEN 'draft' THEN 1 WHEN 'submitted' THEN 2 WHEN 'withdrawn' THEN 2 WHEN 'returned' THEN 2 WHEN 'accepted' THEN 3
    WHEN 'in_review' THEN 5 WHEN 'proposed' THEN 6 WHEN 'refused' THEN 6 WHEN 'on_notice' THEN 7 WHEN 'recorded' THEN 8 ELSE 9 END
WHERE c.n BETWEEN {first} AND {last};

INSERT INTO decisions (case_id, version, verb, actor, from_state, to_state, at)
SELECT case_id, version, verb, 'officer:li', from_state, to_state, at FROM steps ORDER BY n, version;

CREATE TEMPORARY TABLE said AS
SELECT n * 10 + version AS place,
       CASE type WHEN 'title-granted' THEN 'certification.titles' ELSE 'certification.cases' END AS topic,
       CASE type WHEN 'title-granted' THEN enterprise_id ELSE case_id::text END AS key, type, at,
       json_build_object('case_id', case_id, 'enterprise_id', enterprise_id, 'programme', programme, 'level', level,
           'case_type', 'first', 'edition', '2016-01-01', 'edition_hash', md5('edition') || md5('hash')) AS payload
FROM steps WHERE type IS NOT NULL
UNION ALL
SELECT f * 20, 'certification.enterprises', enterprise_id, 'enterprise-registered', bench.at(f),
       json_build_object('enterprise_id', enterprise_id, 'name', '示例精密制造第' || f || '有限公司', 'region', '441702',
           'established_on', '2008-01-01', 'language', 'zh-CN', 'contact_email', 'contact-' || f || '@firm.example')
FROM (SELECT DISTINCT f, enterprise_id FROM bench.cases WHERE n BETWEEN {first} AND {last}) AS firms;

INSERT INTO events (event_id, topic, key, sequence, type, actor, payload, occurred_at)
SELECT gen_random_uuid(), topic, key, row_number() OVER (PARTITION BY topic, key ORDER BY place),
       'cn.huiqi.certification.' || type || '.v1', 'officer:li', payload, at
FROM said ORDER BY place;

INSERT INTO event_keys (topic, key, sequence) SELECT topic, key, count(*) FROM said GROUP BY 1, 2;
DROP TABLE steps, said;
