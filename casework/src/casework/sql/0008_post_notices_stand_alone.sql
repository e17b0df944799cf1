-- Notices that old code opened while the new one was rolled out.

UPDATE notices n
SET enterprise_id = c.enterprise_id, enterprise_name = c.enterprise_name, programme = c.programme, level = c.level
FROM cases c WHERE c.case_id = n.case_id AND n.programme IS NULL;

ALTER TABLE notices ALTER COLUMN enterprise_id SET NOT NULL, ALTER COLUMN programme SET NOT NULL;
