-- class: slow
-- params:
-- Runs once on each connection of this class when it joins: from now on the backend looks twice a
-- second whether this server is still there, even in the middle of a long wait. Without it a backend
-- whose front end was killed would sleep on. (A version of PostgreSQL without the setting: no rows.)
SELECT set_config(name, '500', false)
  FROM pg_settings
 WHERE name = 'client_connection_check_interval'
