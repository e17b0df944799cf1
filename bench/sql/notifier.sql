-- {first} to {last}: the new cases' numbers. One to eight notifications for each case, as the table of events says.

CREATE TEMPORARY TABLE firms AS SELECT DISTINCT f, enterprise_id FROM bench.cases WHERE n BETWEEN {first} AND {last};

INSERT INTO enterprises (enterprise_id, name, language, contact_email, caused_by)
SELECT enterprise_id, '示例精密制造第' || f || '有限公司', 'zh-CN', 'contact-' || f || '@firm.example',
       'certification.enterprises/' || enterprise_id || '/1'
FROM firms;

CREATE TEMPORARY TABLE told AS
SELECT c.n * 10 + t.place AS n, c.case_id, CASE t.who WHEN 'officer' THEN 'officers' ELSE c.enterprise_id END AS recipient,
       t.channel, t.template, t.statutory, c.at + t.place * interval '7 days' AS at, c.n * 13 % 1000 AS mix
FROM bench.cases c JOIN (VALUES
    (1, 2, 'case-submitted', 'enterprise', 'inbox', false), (2, 2, 'case-submitted', 'enterprise', 'mail', false),
    (3, 2, 'case-to-check', 'officer', 'inbox', false), (4, 5, 'case-judged', 'officer', 'inbox', false),
    (5, 6, 'case-proposed', 'officer', 'inbox', false), (6, 7, 'notice-opened', 'enterprise', 'inbox', true),
    (7, 7, 'notice-opened', 'enterprise', 'mail', true), (8, 9, 'title-granted', 'enterprise', 'inbox', true),
    (9, 9, 'title-granted', 'enterprise', 'mail', true)
) AS t(place, step, template, who, channel, statutory) ON t.step <= CASE c.state
    WHEN 'draft' THEN 1 WHEN 'submitted' THEN 2 WHEN 'withdrawn' THEN 2 WHEN 'returned' THEN 2 WHEN 'accepted' THEN 3
    WHEN 'in_review' THEN 5 WHEN 'proposed' THEN 6 WHEN 'refused' THEN 6 WHEN 'on_notice' THEN 7 WHEN 'recorded' THEN 8 ELSE 9 END
WHERE c.n BETWEEN {first} AND {last};

INSERT INTO notifications (notification_id, caused_by, event_type, recipient, channel, statutory, template,
    template_version, language, subject, body, state, reason_code, attempts, created_at, settled_at, read_at)
SELECT bench.id('notification' || n % 10, n / 10), 'certification.cases/' || case_id || '/' || n % 10,
       'cn.huiqi.certification.' || template || '.v1', recipient, channel, statutory, template, 1, 'zh-CN', '您的申请有新的进展',
       repeat('您的高新技术企业认定申请有新的进展，请登录查看。', 4),
       CASE WHEN channel = 'mail' AND mix = 0 THEN 'undelivered' ELSE 'delivered' END,
       CASE WHEN channel = 'mail' AND mix = 0 THEN 'refused' END, CASE channel WHEN 'mail' THEN 1 ELSE 0 END, at, at,
       CASE WHEN channel = 'inbox' AND mix > 3 THEN at END
FROM told ORDER BY n;

INSERT INTO inbox (consumer, topic, key, sequence)
SELECT 'notifier', 'certification.enterprises', enterprise_id, 1 FROM firms
UNION ALL
SELECT 'notifier', 'certification.cases', case_id::text, 1 FROM bench.cases
WHERE n BETWEEN {first} AND {last} AND state <> 'draft'
UNION ALL
SELECT 'notifier', 'certification.titles', enterprise_id, count(*) FROM bench.cases
WHERE n BETWEEN {first} AND {last} AND state = 'granted' GROUP BY enterprise_id;

INSERT INTO events (event_id, topic, key, sequence, type, actor, payload, occurred_at)
SELECT gen_random_uuid(), 'notifier.notifications', n::text, 1, 'cn.huiqi.notifier.notification-delivered.v1',
       'system:system', json_build_object('recipient', recipient, 'channel', channel, 'template', template), at
FROM told ORDER BY n;

INSERT INTO event_keys (topic, key, sequence) SELECT 'notifier.notifications', n::text, 1 FROM told;
DROP TABLE firms, told;
