-- Every way in which the register may be narrowed has an index in the order of its pages.

CREATE INDEX assets_by_kind ON assets (kind, enterprise_id, asset_id);
CREATE INDEX assets_ended ON assets (enterprise_id, asset_id) WHERE NOT in_force;
