-- The version of all the files above. One that changes what is there adds a number.
INSERT INTO interleave.schema_version (version) VALUES (1) ON CONFLICT DO NOTHING;
