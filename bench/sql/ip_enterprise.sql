-- {first} to {last}: the new cases' numbers.

CREATE TEMPORARY TABLE firms AS SELECT DISTINCT f, enterprise_id FROM bench.cases WHERE n BETWEEN {first} AND {last};

INSERT INTO enterprises (enterprise_id, name, region, established_on, caused_by)
SELECT enterprise_id, '示例精密制造第' || f || '有限公司', (441700 + f % 24)::text, date '2008-01-01' + (f % 3000)::integer,
       'certification.enterprises/' || enterprise_id || '/1'
FROM firms;

INSERT INTO assets (enterprise_id, asset_id, kind, acquired, granted_on, expires_on, in_force, owned, related, changed_by, changed_at)
SELECT enterprise_id, 'ZL' || f || '.' || a,
       CASE WHEN a = 1 THEN 'invention' WHEN f % 500 = 0 THEN 'plant_variety' ELSE 'utility_model' END, 'self',
       date '2014-05-06', date '2034-05-05', f % 50 <> 0, true, true, 'officer:li', bench.at(f)
FROM firms CROSS JOIN generate_series(1, 2) AS a;

INSERT INTO inbox (consumer, topic, key, sequence)
SELECT 'ip-enterprise', 'certification.enterprises', enterprise_id, 1 FROM firms;

INSERT INTO events (event_id, topic, key, sequence, type, actor, payload, occurred_at)
SELECT gen_random_uuid(), 'ip-enterprise.assets', enterprise_id, a, 'cn.huiqi.ip-enterprise.asset-recorded.v1',
       'officer:li', json_build_object('enterprise_id', enterprise_id, 'asset_id', 'ZL' || f || '.' || a), bench.at(f)
FROM firms CROSS JOIN generate_series(1, 2) AS a;

INSERT INTO event_keys (topic, key, sequence) SELECT 'ip-enterprise.assets', enterprise_id, 2 FROM firms;
DROP TABLE firms;
