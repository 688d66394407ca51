-- A session of the command-line client. It runs on the proxy and on one server, and must print the same.
SELECT 1 AS one, 'x' AS text, NULL AS nothing;
CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL, age INT);
CREATE TABLE regions (id INT NOT NULL PRIMARY KEY, name VARCHAR(20));
SHOW CREATE TABLE users\G
INSERT INTO users (name, age) VALUES ('Ada', 36), ('Bob', NULL), ('Zoë 😀', 7), ('Dora', 18), ('Emil', 50);
INSERT INTO regions VALUES (1, 'north'), (2, 'south');
SELECT * FROM users WHERE id = 3;
SELECT * FROM users ORDER BY id;
SELECT name FROM users ORDER BY age, id LIMIT 2 OFFSET 1;
SELECT COUNT(*), SUM(age), MIN(name) FROM users;
SELECT u.name, r.name FROM users u JOIN regions r ON r.id = u.id ORDER BY u.id;
SHOW TABLES;
DESC users;
BEGIN;
UPDATE users SET age = 1;
SELECT SUM(age) FROM users;
ROLLBACK;
SELECT SUM(age) FROM users;
DELIMITER //
SELECT name
  FROM users -- a comment
 WHERE id = 1 //
DELIMITER ;
DROP TABLE users, regions;
SHOW TABLES;
