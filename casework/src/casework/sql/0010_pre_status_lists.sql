-- Each title has a place in the published status lists, for good. The default gives it to titles that old code grants
-- while the new one is rolled out, and to those that are there; a grant that rolls back leaves its place empty.

CREATE SEQUENCE title_status_places AS bigint MINVALUE 0;

ALTER TABLE titles ADD COLUMN status_place bigint NOT NULL DEFAULT nextval('title_status_places') UNIQUE;
ALTER SEQUENCE title_status_places OWNED BY titles.status_place;

COMMENT ON COLUMN titles.status_place IS 'list = place / 131072, index in it = place % 131072';

-- A list is written from those that were revoked, which are few.
CREATE INDEX titles_revoked_by_status_place ON titles (status_place) WHERE revoked_on IS NOT NULL;
