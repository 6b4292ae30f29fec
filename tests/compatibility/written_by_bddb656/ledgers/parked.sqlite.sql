PRAGMA user_version = 0;
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE call (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    endpoint TEXT NOT NULL,
    given BLOB NOT NULL,
    status INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    credits INTEGER NOT NULL DEFAULT 0,
    lost INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0,
    changed REAL NOT NULL,
    owner INTEGER,
    error BLOB,
    body BLOB,
    point BLOB
);
CREATE INDEX call_owner ON call (owner) WHERE owner IS NOT NULL;
CREATE INDEX call_queued ON call (due) WHERE status = 2;
CREATE INDEX call_doubt ON call (id) WHERE status = 5;
CREATE TABLE page (
    key BLOB NOT NULL, number INTEGER NOT NULL, items BLOB NOT NULL, PRIMARY KEY (key, number)
) WITHOUT ROWID;
INSERT INTO about VALUES ('parked', 'until the budget is agreed');
INSERT INTO about VALUES ('run', 'Lix email');
INSERT INTO about VALUES ('version', '2');
INSERT INTO call VALUES (1, X'a7e1fd0e12c4cfbb47b0aea4da8c19cb', 'contact.email_by_linkedin', CAST('"https://www.linkedin.com/in/person-0"' AS BLOB), 2, 1, 0, 0, 1700003605.9262884, 1700000005.926292, NULL, NULL, CAST('{"email":"","status":"PROBABLE","alternatives":["person.quellilo@dexolane-logistics.example.com","p.person.quellilo@dexolane-logistics.example.com"]}' AS BLOB), NULL);
INSERT INTO call VALUES (2, X'1ebe830ea23d5d6316b44dc054d56ac1', 'contact.email_by_linkedin', CAST('"https://www.linkedin.com/in/person-1"' AS BLOB), 3, 1, 1, 0, 0.0, 1700000005.8885543, NULL, NULL, CAST('{"email":"person.dovraska@dexolane-logistics.example.com","status":"VALID","alternatives":["person.dovraska@dexolane-logistics.example.com"]}' AS BLOB), NULL);
INSERT INTO call VALUES (3, X'fd1e747142d5d1bea8f2101c013e90a8', 'contact.email_by_linkedin', CAST('"https://www.linkedin.com/in/person-2"' AS BLOB), 3, 1, 0, 0, 0.0, 1700000005.8889637, NULL, NULL, CAST('{"email":null,"status":"UNKNOWN","alternatives":null}' AS BLOB), NULL);
INSERT INTO call VALUES (4, X'4a14707c2977a5a631ddf28e5c80332a', 'contact.email_by_linkedin', CAST('"https://www.linkedin.com/in/person-3"' AS BLOB), 3, 1, 1, 0, 0.0, 1700000005.8890696, NULL, NULL, CAST('{"email":"person.luskunov@terramark-foods.example.com","status":"VALID","alternatives":["person.luskunov@terramark-foods.example.com"]}' AS BLOB), NULL);
INSERT INTO call VALUES (5, X'93cfea977b517515eb01e8c93a7fa94c', 'contact.email_by_linkedin', CAST('"https://www.linkedin.com/in/person-4"' AS BLOB), 3, 1, 1, 0, 0.0, 1700000005.9416308, NULL, NULL, CAST('{"email":"person.jantunov@dexolane-logistics.example.com","status":"VALID","alternatives":["person.jantunov@dexolane-logistics.example.com"]}' AS BLOB), NULL);
INSERT INTO call VALUES (6, X'ff165c24399fccb7916f8332dee979dc', 'contact.email_by_linkedin', CAST('"https://www.linkedin.com/in/person-5"' AS BLOB), 2, 1, 0, 0, 1700003605.9594116, 1700000005.9594133, NULL, NULL, CAST('{"email":"","status":"PROBABLE","alternatives":["person.ostrunov@elvistack-robotics.example.com","p.person.ostrunov@elvistack-robotics.example.com"]}' AS BLOB), NULL);
