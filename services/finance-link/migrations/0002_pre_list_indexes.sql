-- Every way in which the lists may be narrowed has an index in the order of its pages.

CREATE INDEX consents_of_bank ON consents (bank_id, consent_id);
CREATE INDEX referrals_by_state ON referrals (state, referral_id);
CREATE INDEX referrals_of_bank_by_state ON referrals (bank_id, state, referral_id);
CREATE INDEX referrals_by_product ON referrals (product_id, referral_id);

-- A consent that ends looks for what was sent under it.
CREATE INDEX referrals_of_consent ON referrals (consent_id) WHERE consent_id IS NOT NULL;
