-- Qualified throughout, since it is sent to sessions with any search_path. A row that was changed has another xmin. pg_class is hashed by
-- what it says instead: TRUNCATE, REINDEX, CLUSTER and REFRESH write its rows anew and change no schema.
WITH temporary AS MATERIALIZED (
  SELECT n.oid FROM pg_catalog.pg_namespace n
  WHERE n.nspname OPERATOR(pg_catalog.~) '^pg_(temp|toast)'
),
relation AS MATERIALIZED (
  SELECT c.* FROM pg_catalog.pg_class c
  WHERE NOT EXISTS (SELECT FROM temporary t WHERE t.oid OPERATOR(pg_catalog.=) c.relnamespace)
),
row_of (hash) AS (
  SELECT pg_catalog.hash_record_extended(ROW(1, c.oid, c.relname, c.relnamespace, c.relowner, c.relkind, c.relpersistence,
           c.relrowsecurity, c.relforcerowsecurity, c.relispartition, c.reloptions, c.relacl, c.relpartbound::pg_catalog.text), 0)
  FROM relation c
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(2, a.attrelid, a.attnum, a.xmin), 0)
  FROM pg_catalog.pg_attribute a JOIN relation c ON c.oid OPERATOR(pg_catalog.=) a.attrelid
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(3, d.oid, d.xmin), 0)
  FROM pg_catalog.pg_attrdef d JOIN relation c ON c.oid OPERATOR(pg_catalog.=) d.adrelid
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(4, i.indexrelid, i.xmin), 0)
  FROM pg_catalog.pg_index i JOIN relation c ON c.oid OPERATOR(pg_catalog.=) i.indrelid
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(5, k.oid, k.xmin), 0)
  FROM pg_catalog.pg_constraint k
  WHERE NOT EXISTS (SELECT FROM temporary t WHERE t.oid OPERATOR(pg_catalog.=) k.connamespace)
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(6, y.oid, y.xmin), 0)
  FROM pg_catalog.pg_type y
  WHERE NOT EXISTS (SELECT FROM temporary t WHERE t.oid OPERATOR(pg_catalog.=) y.typnamespace)
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(7, p.oid, p.xmin), 0) FROM pg_catalog.pg_proc p
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(8, n.oid, n.xmin), 0)
  FROM pg_catalog.pg_namespace n
  WHERE NOT EXISTS (SELECT FROM temporary t WHERE t.oid OPERATOR(pg_catalog.=) n.oid)
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(9, d.objoid, d.classoid, d.objsubid, d.xmin), 0) FROM pg_catalog.pg_description d
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(10, r.oid, r.xmin), 0)
  FROM pg_catalog.pg_rewrite r JOIN relation c ON c.oid OPERATOR(pg_catalog.=) r.ev_class
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(11, i.inhrelid, i.inhseqno, i.xmin), 0) FROM pg_catalog.pg_inherits i
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(12, e.oid, e.xmin), 0) FROM pg_catalog.pg_enum e
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(13, o.oid, o.xmin), 0) FROM pg_catalog.pg_operator o
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(14, c.oid, c.xmin), 0) FROM pg_catalog.pg_cast c
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(15, c.oid, c.xmin), 0) FROM pg_catalog.pg_collation c
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(16, p.oid, p.xmin), 0) FROM pg_catalog.pg_policy p
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(17, e.oid, e.xmin), 0) FROM pg_catalog.pg_extension e
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(18, s.oid, s.xmin), 0) FROM pg_catalog.pg_foreign_server s
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(19, f.ftrelid, f.xmin), 0) FROM pg_catalog.pg_foreign_table f
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(20, m.roleid, m.member, m.xmin), 0) FROM pg_catalog.pg_auth_members m
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(21, s.setdatabase, s.setrole, s.xmin), 0) FROM pg_catalog.pg_db_role_setting s
  UNION ALL
  SELECT pg_catalog.hash_record_extended(ROW(22, r.oid, r.rolsuper, r.rolinherit), 0)
  FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) CURRENT_USER
)
SELECT coalesce(pg_catalog.bit_xor(hash), 0) FROM row_of
