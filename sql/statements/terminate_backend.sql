-- class: control
-- params: pid int4
-- A connection was given up because its backend did not answer. No row: that backend is gone. Asked
-- by name and user too, since the number may belong to somebody else by now.
SELECT pg_terminate_backend(pid)
  FROM pg_stat_activity
 WHERE pid = $1 AND usename = current_user AND application_name = 'interleave'
