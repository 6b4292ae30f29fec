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
INSERT INTO about VALUES ('run', 'Lix get');
INSERT INTO about VALUES ('version', '2');
INSERT INTO call VALUES (1, X'da580b75ebd99302520e10dd827bfca4', 'person.get', CAST('"https://www.linkedin.com/in/person-23"' AS BLOB), 3, 1, 1, 0, 0.0, 1700000000.2537107, NULL, NULL, CAST('{"description":"Sales Manager at Kelvogrid Software","location":"Port Eskel, Nordavia","name":"Person Hulvamar","twitter":null,"phone":null,"aboutSummaryText":"Sales Manager in Port Eskel.\n\nCares about search engine optimisation.","salesNavLink":"https://linkedin.com/sales/lead/ACoAAScGVyc29uLTIz,NAME_SEARCH,undefined","link":"https://www.linkedin.com/in/person-23","experience":[{"description":"Runs the day to day.","title":"Sales Manager","dateStarted":"July 2024","dateEnded":"Present","organisation":{"name":"Kelvogrid Software","salesNavLink":"https://linkedin.com/sales/company/1000011"},"timePeriod":{"startedOn":{"month":7,"year":2024},"endedOn":{}},"location":"Port Eskel, Nordavia"}],"education":[],"skills":[{"name":"Search Engine Optimisation","numOfEndorsement":"20"},{"name":"Team Leadership","numOfEndorsement":"38"}]}' AS BLOB), NULL);
INSERT INTO call VALUES (2, X'be45bcd6441ac31a0ac9d33f52e72cdd', 'person.get', CAST('"https://www.linkedin.com/in/missing-one"' AS BLOB), 4, 1, 0, 0, 0.0, 1700000000.2183537, NULL, CAST('{"type":"NotFoundError","message":"no profile could be found","status":404,"kind":"unknown_record"}' AS BLOB), NULL, NULL);
INSERT INTO call VALUES (3, X'7149b4fa710c4e05aea06d40b6ca5774', 'person.get', CAST('{"email":"body-14@example.com"}' AS BLOB), 3, 1, 1, 0, 0.0, 1700000000.218481, NULL, NULL, CAST('{"description":"Staff Engineer at Kelvogrid Software","location":"Velmora, Nordavia","name":"Body Ashkingsol","twitter":null,"phone":null,"aboutSummaryText":"Staff Engineer in Velmora.\n\nCares about event planning.","salesNavLink":"https://linkedin.com/sales/lead/ACoAASYm9keS0xNA,NAME_SEARCH,undefined","link":"https://www.linkedin.com/in/body-14","experience":[{"description":"Runs the day to day.","title":"Staff Engineer","dateStarted":"February 2022","dateEnded":"Present","organisation":{"name":"Kelvogrid Software","salesNavLink":"https://linkedin.com/sales/company/1000011"},"timePeriod":{"startedOn":{"month":2,"year":2022},"endedOn":{}},"location":"Velmora, Nordavia"}],"education":[],"skills":[{"name":"Event Planning","numOfEndorsement":"20"},{"name":"Distributed Systems"},{"name":"Java","numOfEndorsement":"68"},{"name":"Technical Writing","numOfEndorsement":"64"},{"name":"Compliance"}]}' AS BLOB), NULL);
