-- Titles that were granted before there were duties get theirs: by now every process that runs plans them itself.
INSERT INTO work (kind, subject, payload, due_at)
SELECT 'title.duties', title_id::text, jsonb_build_object('title_id', title_id, 'plan', true), granted_at
FROM titles t
WHERE revoked_on IS NULL AND valid_until >= (now() AT TIME ZONE 'Asia/Shanghai')::date
    AND NOT EXISTS (SELECT FROM work w WHERE w.kind = 'title.duties' AND w.subject = t.title_id::text)
ON CONFLICT (kind, subject) WHERE state = 'due' DO NOTHING;
