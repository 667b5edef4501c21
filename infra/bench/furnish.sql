-- As many families as :families, each a patient without money and a relative who
-- pays, and :codes codes of theirs.
INSERT INTO places VALUES ('H43010399002', '长沙示例医院（二级甲等）', 'hospital', '2', '430103', true);
INSERT INTO items VALUES ('XJ01CAA040E001010100001', 'A', '{}', '{}', 20210101, 0), ('C1402010000000000001', 'B', '{"310": 2000, "390": 2000}', '{"2": 8000}', 20210101, 0);
INSERT INTO accounts SELECT '4301000000' || lpad(n::text, 8, '0'), '测*', '430100', '310', '11', true, false, CASE WHEN n % 2 = 0 THEN 0 ELSE 1000000000 END, 0, 1, repeat('0', 64), 2026, 0, 0
  FROM generate_series(0, 2 * :families - 1) n;
INSERT INTO grants SELECT 'B' || lpad(n::text, 25, '0'), '4301000000' || lpad((2 * n + 1)::text, 8, '0'), '4301000000' || lpad((2 * n)::text, 8, '0'), 1, '73',
  ARRAY['care', 'pharmacy'], 0, 0, 0, 0, false, 202603, 0, 0 FROM generate_series(0, :families - 1) n;
INSERT INTO codes SELECT 'code-' || n, '4301000000' || lpad((2 * (n % :families))::text, 8, '0'), '4301000000' || lpad((2 * (n % :families))::text, 8, '0'), '2026-03-12 05:00Z', 'issued', NULL
  FROM generate_series(1, :codes) n;
VACUUM ANALYZE;
CHECKPOINT;
