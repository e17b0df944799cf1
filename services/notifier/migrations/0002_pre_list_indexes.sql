-- Every way in which the list may be narrowed has an index in the order of its pages.

CREATE INDEX notifications_by_state_alone ON notifications (state, notification_id);
CREATE INDEX notifications_by_reason ON notifications (reason_code, notification_id) WHERE reason_code IS NOT NULL;
