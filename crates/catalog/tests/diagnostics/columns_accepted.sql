CREATE TABLE users (tenant INT NOT NULL, id BIGINT NOT NULL, PRIMARY KEY (tenant, id));
