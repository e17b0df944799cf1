-- What certification and ip-enterprise take away no longer opens a product.

ALTER TABLE titles ADD COLUMN revoked_on date;
