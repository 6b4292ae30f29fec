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
INSERT INTO lix_async.about (name, value) OVERRIDING SYSTEM VALUE VALUES ('version', '2');
INSERT INTO lix_async.call (id, key, endpoint, given, status, attempts, credits, lost, due, changed, owner, error, body, point) OVERRIDING SYSTEM VALUE VALUES (1, '\xda580b75ebd99302520e10dd827bfca4', 'person.get', convert_to('"https://www.linkedin.com/in/person-23"', 'UTF8'), 3, 1, 1, 0, 0.0, 1700000000.3579614, NULL, NULL, convert_to('{"description":"Sales Manager at Kelvogrid Software","location":"Port Eskel, Nordavia","name":"Person Hulvamar","twitter":null,"phone":null,"aboutSummaryText":"Sales Manager in Port Eskel.\n\nCares about search engine optimisation.","salesNavLink":"https://linkedin.com/sales/lead/ACoAAScGVyc29uLTIz,NAME_SEARCH,undefined","link":"https://www.linkedin.com/in/person-23","experience":[{"description":"Runs the day to day.","title":"Sales Manager","dateStarted":"July 2024","dateEnded":"Present","organisation":{"name":"Kelvogrid Software","salesNavLink":"https://linkedin.com/sales/company/1000011"},"timePeriod":{"startedOn":{"month":7,"year":2024},"endedOn":{}},"location":"Port Eskel, Nordavia"}],"education":[],"skills":[{"name":"Search Engine Optimisation","numOfEndorsement":"20"},{"name":"Team Leadership","numOfEndorsement":"38"}]}', 'UTF8'), NULL);
INSERT INTO lix_async.call (id, key, endpoint, given, status, attempts, credits, lost, due, changed, owner, error, body, point) OVERRIDING SYSTEM VALUE VALUES (2, '\xbe45bcd6441ac31a0ac9d33f52e72cdd', 'person.get', convert_to('"https://www.linkedin.com/in/missing-one"', 'UTF8'), 4, 1, 0, 0, 0.0, 1700000000.872964, NULL, convert_to('{"type":"NotFoundError","message":"no profile could be found","status":404,"kind":"unknown_record"}', 'UTF8'), NULL, NULL);
INSERT INTO lix_async.call (id, key, endpoint, given, status, attempts, credits, lost, due, changed, owner, error, body, point) OVERRIDING SYSTEM VALUE VALUES (3, '\x3fcd44baa9885b0fa65fb01404e9cd6e', 'person.get', convert_to('"https://www.linkedin.com/in/doubt-one"', 'UTF8'), 5, 1, 0, 0, 0.0, 1700000001.3858445, NULL, convert_to('{"type":"TransportError","message":"the connection broke before the answer was complete (ReadError)","status":0,"kind":""}', 'UTF8'), NULL, NULL);
INSERT INTO lix_async.call (id, key, endpoint, given, status, attempts, credits, lost, due, changed, owner, error, body, point) OVERRIDING SYSTEM VALUE VALUES (4, '\x2bc6918b0bf8bd3c53c35cf573d6b506', 'person.get', convert_to('"https://www.linkedin.com/in/late-one"', 'UTF8'), 2, 1, 0, 0, 1700000181.9015424, 1700000001.901549, NULL, convert_to('{"type":"QueuedError","message":"lookup queued, try again later","status":202,"kind":"queued"}', 'UTF8'), NULL, NULL);
INSERT INTO lix_async.call (id, key, endpoint, given, status, attempts, credits, lost, due, changed, owner, error, body, point) OVERRIDING SYSTEM VALUE VALUES (5, '\x3e2e4d9b841bd973a6e07bfbd3814fb0', 'person.get', convert_to('"https://www.linkedin.com/in/failing-one"', 'UTF8'), 0, 1, 0, 0, 0.0, 1700000002.4170532, NULL, convert_to('{"type":"ServerError","message":"temporarily unavailable","status":503,"kind":"503"}', 'UTF8'), NULL, NULL);
INSERT INTO lix_async.call (id, key, endpoint, given, status, attempts, credits, lost, due, changed, owner, error, body, point) OVERRIDING SYSTEM VALUE VALUES (6, '\x7149b4fa710c4e05aea06d40b6ca5774', 'person.get', convert_to('{"email":"body-14@example.com"}', 'UTF8'), 3, 1, 1, 0, 0.0, 1700000002.9345174, NULL, NULL, convert_to('{"description":"Staff Engineer at Kelvogrid Software","location":"Velmora, Nordavia","name":"Body Ashkingsol","twitter":null,"phone":null,"aboutSummaryText":"Staff Engineer in Velmora.\n\nCares about event planning.","salesNavLink":"https://linkedin.com/sales/lead/ACoAASYm9keS0xNA,NAME_SEARCH,undefined","link":"https://www.linkedin.com/in/body-14","experience":[{"description":"Runs the day to day.","title":"Staff Engineer","dateStarted":"February 2022","dateEnded":"Present","organisation":{"name":"Kelvogrid Software","salesNavLink":"https://linkedin.com/sales/company/1000011"},"timePeriod":{"startedOn":{"month":2,"year":2022},"endedOn":{}},"location":"Velmora, Nordavia"}],"education":[],"skills":[{"name":"Event Planning","numOfEndorsement":"20"},{"name":"Distributed Systems"},{"name":"Java","numOfEndorsement":"68"},{"name":"Technical Writing","numOfEndorsement":"64"},{"name":"Compliance"}]}', 'UTF8'), NULL);
INSERT INTO lix_async.call (id, key, endpoint, given, status, attempts, credits, lost, due, changed, owner, error, body, point) OVERRIDING SYSTEM VALUE VALUES (7, '\x62bae150f4afdcb7cab36459e6ff28cb', 'person.get', convert_to('"https://www.linkedin.com/in/flying-one"', 'UTF8'), 1, 1, 0, 0, 0.0, 1700000003.4420693, 1, NULL, NULL, NULL);
INSERT INTO lix_async.call (id, key, endpoint, given, status, attempts, credits, lost, due, changed, owner, error, body, point) OVERRIDING SYSTEM VALUE VALUES (8, '\x0878c4ad131146b17f515f6d740beab4', 'person.get', convert_to('"https://www.linkedin.com/in/claimed-one"', 'UTF8'), 0, 0, 0, 0, 0.0, 1700000002.939296, 1, NULL, NULL, NULL);
SELECT setval('lix_async.owner', 1);
ALTER TABLE lix_async.call ALTER COLUMN id RESTART WITH 9;
