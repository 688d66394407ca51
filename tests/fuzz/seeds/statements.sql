-- Statements of all kinds, one a line; those that the parser's own tests accept are seeds as well.
SELECT * FROM users WHERE id = 7 AND name IN ('a', 'b') ORDER BY age LIMIT 2, 5
SELECT "x", 'it''s', 'a\'b', "a""b", 'a' 'b' "c", N'n', _utf8mb4'u' FROM `a``b`.t -- end
SELECT 1.5, .5, 1., 1e5, 1.e+3, 0x1f, x'1F', X'', 0b01, b'1', 18446744073709551616, -0, 1.2.3
SELECT a IN (1), b IN (1,2,3), c IN ('x',?), d IN (1, NULL), e NOT IN (x'01'), f IN (/* */1), g IN (1.5,2.5)
SELECT @a, @'b', @`c`, @"d", @@e, @@session.f, @@global.`g`, @a.b, a@b
/*!50003 SELECT 1 */ /*M!100100 + 1 */
/*!40101 SET NAMES utf8 */
SELECT /*+ HINT */ /* c */ 1 # line
/* first */ SELECT 1; SELECT 2
INSERT INTO t (a, b) VALUES (1, 'x'), (?, NULL) ON DUPLICATE KEY UPDATE b = VALUES(b)
REPLACE t SET a = 1, b = DEFAULT
UPDATE t1, t2 SET t1.a = t2.b + 1 WHERE t1.id = t2.id AND t1.c->>'$.x' <=> NULL
DELETE FROM t WHERE a BETWEEN 1 AND 2 LIMIT 3
SET @a := 1, SESSION sql_mode = 'ANSI', @@global.x = DEFAULT, NAMES latin1 COLLATE latin1_bin
SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY
START TRANSACTION WITH CONSISTENT SNAPSHOT, READ WRITE
COMMIT AND NO CHAIN RELEASE
ROLLBACK TO SAVEPOINT `s`
SHOW FULL COLUMNS FROM t FROM s LIKE 'a%'
SHOW VARIABLES WHERE Variable_name = 'x' OR Value LIKE '%y'
CREATE TABLE IF NOT EXISTS s.t (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, n DECIMAL(10,2) DEFAULT '0.00' COMMENT 'it''s', t TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP, PRIMARY KEY (id), UNIQUE KEY u (n, t DESC), CONSTRAINT f FOREIGN KEY (n) REFERENCES o (n)) ENGINE=InnoDB
ALTER TABLE t ADD COLUMN (a INT), DROP INDEX i, RENAME TO u
CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END
PREPARE s FROM 'SELECT ?'
EXECUTE s USING @a, @b
LOCK TABLES t READ, u WRITE
EXPLAIN FORMAT=SERVAL SELECT 1
DESCRIBE s.t a
KILL QUERY 7
USE `s`
CALL p(1, @a)
LOAD DATA LOCAL INFILE 'f' INTO TABLE t FIELDS TERMINATED BY ',' (a, @b) SET c = @b
TRUNCATE TABLE t; 
SELECT ((((((((((((((((1))))))))))))))))
SELECT 1 WHERE a AND b OR c XOR d AND NOT e OR f = 1 AND g BETWEEN 1 AND 2 AND h
WITH RECURSIVE c AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT * FROM c
(SELECT 1) UNION (SELECT 2) ORDER BY 1
SELECT ü, 名前 FROM `táblä` WHERE 'ñ' LIKE '%_😀'
SELECT a--1, b-- 1
SELECT 'a' /*More*/ 'b', 'c' /*M!100100 x */, 'd' /* e */ 'f' /*+ g */
