-- A title that is valid for the calendar year may be granted on its last day.
ALTER TABLE titles DROP CONSTRAINT titles_check;
ALTER TABLE titles ADD CONSTRAINT titles_last_as_long CHECK (valid_until >= granted_on);
