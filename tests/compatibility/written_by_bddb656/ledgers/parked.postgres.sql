CREATE SCHEMA IF NOT EXISTS lix_async;
CREATE TABLE IF NOT EXISTS lix_async.about (name text PRIMARY KEY, value text NOT NULL);
CREATE SEQUENCE IF NOT EXISTS lix_async.owner AS integer CYCLE;
CREATE TABLE IF NOT EXISTS lix_async.call (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key bytea NOT NULL UNIQUE,
    endpoint text NOT NULL,
    given bytea NOT NULL,
    status smallint NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    credits integer NOT NULL DEFAULT 0,
    lost integer NOT NULL DEFAULT 0,
    due double precision NOT NULL DEFAULT 0,
    changed double precision NOT NULL,
    owner integer,
    error bytea,
    body bytea,
    point bytea
);
CREATE INDEX IF NOT EXISTS call_owner ON lix_async.call (owner) WHERE owner IS NOT NULL;
CREATE INDEX IF NOT EXISTS call_queued ON lix_async.call (due) WHERE status = 2;
CREATE TABLE IF NOT EXISTS lix_async.page (
    key bytea NOT NULL, number integer NOT NULL, items bytea NOT NULL, PRIMARY KEY (key, number)
);
INSERT INTO lix_async.about (name, value) OVERRIDING SYSTEM VALUE VALUES ('parked', 'until the budget is agreed');
INSERT INTO lix_async.about (name, value) OVERRIDING SYSTEM VALUE VALUES ('version', '2');
INSERT INTO lix_async.call (id, key, endpoint, given, status, attempts, credits, lost, due, changed, owner, error, body, point) OVERRIDING SYSTEM VALUE VALUES (1, '\xa7e1fd0e12c4cfbb47b0aea4da8c19cb', 'contact.email_by_linkedin', convert_to('"https://www.linkedin.com/in/person-0"', 'UTF8'), 2, 1, 0, 0, 1700003605.6951787, 1700000005.6951833, NULL, NULL, convert_to('{"email":"","status":"PROBABLE","alternatives":["person.quellilo@dexolane-logistics.example.com","p.person.quellilo@dexolane-logistics.example.com"]}', 'UTF8'), NULL);
INSERT INTO lix_async.call (id, key, endpoint, given, status, attempts, credits, lost, due, changed, owner, error, body, point) OVERRIDING SYSTEM VALUE VALUES (2, '\x1ebe830ea23d5d6316b44dc054d56ac1', 'contact.email_by_linkedin', convert_to('"https://www.linkedin.com/in/person-1"', 'UTF8'), 3, 1, 1, 0, 0.0, 1700000005.6492817, NULL, NULL, convert_to('{"email":"person.dovraska@dexolane-logistics.example.com","status":"VALID","alternatives":["person.dovraska@dexolane-logistics.example.com"]}', 'UTF8'), NULL);
INSERT INTO lix_async.call (id, key, endpoint, given, status, attempts, credits, lost, due, changed, owner, error, body, point) OVERRIDING SYSTEM VALUE VALUES (3, '\x4a14707c2977a5a631ddf28e5c80332a', 'contact.email_by_linkedin', convert_to('"https://www.linkedin.com/in/person-3"', 'UTF8'), 3, 1, 1, 0, 0.0, 1700000005.6505804, NULL, NULL, convert_to('{"email":"person.luskunov@terramark-foods.example.com","status":"VALID","alternatives":["person.luskunov@terramark-foods.example.com"]}', 'UTF8'), NULL);
INSERT INTO lix_async.call (id, key, endpoint, given, status, attempts, credits, lost, due, changed, owner, error, body, point) OVERRIDING SYSTEM VALUE VALUES (4, '\xfd1e747142d5d1bea8f2101c013e90a8', 'contact.email_by_linkedin', convert_to('"https://www.linkedin.com/in/person-2"', 'UTF8'), 3, 1, 0, 0, 0.0, 1700000005.6505196, NULL, NULL, convert_to('{"email":null,"status":"UNKNOWN","alternatives":null}', 'UTF8'), NULL);
INSERT INTO lix_async.call (id, key, endpoint, given, status, attempts, credits, lost, due, changed, owner, error, body, point) OVERRIDING SYSTEM VALUE VALUES (5, '\x93cfea977b517515eb01e8c93a7fa94c', 'contact.email_by_linkedin', convert_to('"https://www.linkedin.com/in/person-4"', 'UTF8'), 3, 1, 1, 0, 0.0, 1700000005.7115972, NULL, NULL, convert_to('{"email":"person.jantunov@dexolane-logistics.example.com","status":"VALID","alternatives":["person.jantunov@dexolane-logistics.example.com"]}', 'UTF8'), NULL);
INSERT INTO lix_async.call (id, key, endpoint, given, status, attempts, credits, lost, due, changed, owner, error, body, point) OVERRIDING SYSTEM VALUE VALUES (6, '\xff165c24399fccb7916f8332dee979dc', 'contact.email_by_linkedin', convert_to('"https://www.linkedin.com/in/person-5"', 'UTF8'), 2, 1, 0, 0, 1700003605.7191334, 1700000005.7191353, NULL, NULL, convert_to('{"email":"","status":"PROBABLE","alternatives":["person.ostrunov@elvistack-robotics.example.com","p.person.ostrunov@elvistack-robotics.example.com"]}', 'UTF8'), NULL);
SELECT setval('lix_async.owner', 2);
ALTER TABLE lix_async.call ALTER COLUMN id RESTART WITH 7;
