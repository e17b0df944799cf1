-- Each new title asks whether the bank named a first day for another request; few referrals ever do.

CREATE INDEX referrals_barring ON referrals (enterprise_id, bank_id) WHERE next_application_on IS NOT NULL;
