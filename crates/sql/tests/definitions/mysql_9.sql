CREATE TABLE `plain` (
  `id` bigint unsigned NOT NULL AUTO_INCREMENT,
  `tiny` tinyint(1) NOT NULL DEFAULT '0',
  `n` int NOT NULL DEFAULT '-7',
  `u` smallint unsigned DEFAULT NULL,
  `d` decimal(12,4) NOT NULL DEFAULT '0.0000',
  `bits` bit(8) DEFAULT b'1010',
  `uuid` binary(16) NOT NULL DEFAULT (uuid_to_bin(uuid())),
  `name` varchar(64) CHARACTER SET latin1 COLLATE latin1_general_cs NOT NULL DEFAULT (concat(_utf8mb4'a,(',_utf8mb4'b)')),
  `code` char(3) CHARACTER SET ascii NOT NULL DEFAULT _ascii'x',
  `doc` json DEFAULT NULL,
  `at` datetime(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  `y` year DEFAULT NULL,
  `hidden` int DEFAULT NULL /*!80023 INVISIBLE */,
  `g` int GENERATED ALWAYS AS ((`n` + 1)) STORED NOT NULL,
  `v` int GENERATED ALWAYS AS (json_unquote(json_extract(`doc`,_utf8mb4'$.a'))) VIRTUAL,
  `p` point NOT NULL /*!80003 SRID 4326 */,
  `vec` vector(3) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `by_name` (`name`,`code`) USING BTREE COMMENT 'a, ) b',
  UNIQUE KEY `lower_name` ((lower(`name`))),
  UNIQUE KEY `prefix` (`name`(10) DESC,`n`),
  KEY `hidden_key` (`n`) /*!80000 INVISIBLE */,
  SPATIAL KEY `p` (`p`),
  CONSTRAINT `of_parent` FOREIGN KEY (`n`, `u`) REFERENCES `shop`.`parent` (`a`, `b`) ON DELETE SET DEFAULT,
  CONSTRAINT `positive` CHECK ((`n` > 0)) /*!80016 NOT ENFORCED */
) ENGINE=InnoDB AUTO_INCREMENT=42 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci STATS_PERSISTENT=1 COMMENT='it''s; DEFAULT CHARSET=latin1'
/*!50100 PARTITION BY RANGE (`id`)
(PARTITION p0 VALUES LESS THAN (100) ENGINE = InnoDB,
 PARTITION p1 VALUES LESS THAN MAXVALUE ENGINE = InnoDB) */;

CREATE TABLE `old_default` (
  `s` varchar(10) DEFAULT NULL,
  `t` varchar(10) CHARACTER SET latin1 DEFAULT NULL,
  `b` varchar(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
