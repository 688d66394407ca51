CREATE TABLE `child` (
  `id` int(11) NOT NULL,
  `pid` int(11) DEFAULT NULL,
  `pk` int(11) DEFAULT NULL,
  `a` int(11) GENERATED ALWAYS AS (`id` + 1) VIRTUAL,
  `b` int(11) GENERATED ALWAYS AS (concat('a,(',`id`)) STORED,
  `c` int(11) DEFAULT NULL CHECK (`c` > 0 and `c` < 10),
  `d` int(11) INVISIBLE DEFAULT NULL,
  `e` int(11) DEFAULT NULL,
  `g` point NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `e` (`e`),
  KEY `fk,1` (`pid`,`pk`),
  SPATIAL KEY `g` (`g`),
  CONSTRAINT `child_ibfk_1` FOREIGN KEY (`e`) REFERENCES `parent` (`x`),
  CONSTRAINT `fk,1` FOREIGN KEY (`pid`, `pk`) REFERENCES `parent` (`id`, `k``2`) ON DELETE CASCADE ON UPDATE SET NULL,
  CONSTRAINT `ck` CHECK (`id` <> 5)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci ROW_FORMAT=COMPRESSED

CREATE TABLE `hashed` (
  `id` int(11) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
 PARTITION BY HASH (`id`)
PARTITIONS 4

CREATE TABLE `latin` (
  `a` varchar(10) NOT NULL,
  `b` text DEFAULT NULL,
  `c` varchar(3) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL,
  PRIMARY KEY (`a`(3),`c`)
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci

CREATE TABLE `nokey` (
  `a` int(11) DEFAULT NULL,
  `select` int(11) DEFAULT NULL,
  `b c` int(11) DEFAULT NULL
) ENGINE=MyISAM DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci

CREATE TABLE `numbers` (
  `a` tinyint(4) DEFAULT NULL,
  `b` tinyint(3) unsigned zerofill NOT NULL,
  `c` smallint(5) unsigned DEFAULT NULL,
  `d` mediumint(9) DEFAULT NULL,
  `e` int(11) NOT NULL AUTO_INCREMENT,
  `f` bigint(20) unsigned NOT NULL DEFAULT 5,
  `g` decimal(10,2) DEFAULT NULL,
  `h` decimal(65,30) unsigned DEFAULT NULL,
  `i` float DEFAULT NULL,
  `j` float(7,3) unsigned DEFAULT NULL,
  `k` double DEFAULT NULL,
  `l` double DEFAULT NULL,
  `m` bit(12) DEFAULT b'101',
  `n` tinyint(1) NOT NULL DEFAULT 1,
  `o` decimal(10,0) DEFAULT NULL,
  `p` decimal(5,0) DEFAULT NULL,
  `q` double DEFAULT NULL,
  `r` double DEFAULT NULL,
  `s` bigint(20) DEFAULT -7,
  `t` smallint(6) DEFAULT NULL,
  `u` bit(1) DEFAULT NULL,
  PRIMARY KEY (`e`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci

CREATE TABLE `oldstyle` (
  `a` int(11) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci

CREATE TABLE `parent` (
  `id` int(11) NOT NULL,
  `k``2` int(11) NOT NULL,
  `x` int(11) DEFAULT NULL,
  `y` text DEFAULT NULL,
  PRIMARY KEY (`id`,`k``2`),
  UNIQUE KEY `u1` (`x`),
  UNIQUE KEY `u 2` (`x` DESC,`id`),
  UNIQUE KEY `p2` (`y`(20)),
  KEY `x` (`x`),
  KEY `p` (`y`(10)),
  FULLTEXT KEY `ft` (`y`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci

CREATE TABLE `parts` (
  `id` int(11) NOT NULL,
  `d` date NOT NULL,
  PRIMARY KEY (`id`,`d`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
 PARTITION BY RANGE (year(`d`))
(PARTITION `p0` VALUES LESS THAN (2020) COMMENT = 'DEFAULT CHARSET=x' ENGINE = InnoDB,
 PARTITION `p1` VALUES LESS THAN MAXVALUE ENGINE = InnoDB)

CREATE TABLE `seqd` (
  `id` bigint(20) NOT NULL DEFAULT nextval(`sqltest`.`sq`),
  `r` double DEFAULT (rand() * 2),
  `x` int(11) DEFAULT (1 + 1),
  `n` varchar(10) DEFAULT NULL,
  `neg` decimal(5,2) DEFAULT -1.50,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci

CREATE TABLE `ser` (
  `id` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `v` varchar(4) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL,
  `l` mediumtext DEFAULT NULL,
  `lb` mediumblob DEFAULT NULL,
  UNIQUE KEY `id` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci

CREATE TABLE `sq` (
  `next_not_cached_value` bigint(21) NOT NULL,
  `minimum_value` bigint(21) NOT NULL,
  `maximum_value` bigint(21) NOT NULL,
  `start_value` bigint(21) NOT NULL COMMENT 'start value when sequences is created or value if RESTART is used',
  `increment` bigint(21) NOT NULL COMMENT 'increment value',
  `cache_size` bigint(21) unsigned NOT NULL,
  `cycle_option` tinyint(1) unsigned NOT NULL COMMENT '0 if no cycles are allowed, 1 if the sequence should begin a new cycle when maximum_value is passed',
  `cycle_count` bigint(21) NOT NULL COMMENT 'How many cycles have been done'
) ENGINE=InnoDB SEQUENCE=1

CREATE TABLE `strings` (
  `a` char(1) DEFAULT NULL,
  `b` char(10) NOT NULL DEFAULT 'it''s',
  `c` varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL,
  `d` text CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL,
  `e` tinytext DEFAULT NULL,
  `f` mediumtext NOT NULL,
  `g` longtext DEFAULT NULL,
  `h` binary(1) DEFAULT NULL,
  `i` binary(16) DEFAULT NULL,
  `j` varbinary(300) DEFAULT NULL,
  `k` blob DEFAULT NULL,
  `l` longblob DEFAULT NULL,
  `m` binary(5) DEFAULT NULL,
  `n` varchar(20) CHARACTER SET ascii COLLATE ascii_general_ci DEFAULT 'a\\b',
  `o` enum('a','b''c','d,e') NOT NULL DEFAULT 'a',
  `p` set('x','y') CHARACTER SET latin1 COLLATE latin1_bin DEFAULT NULL,
  `q` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`q`)),
  `r` char(3) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci DEFAULT NULL,
  `s` char(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL,
  `t` varchar(7) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci DEFAULT NULL,
  `u` varchar(5) DEFAULT NULL COMMENT 'with '' quote, and ) paren',
  `v` uuid DEFAULT uuid(),
  `w` inet6 DEFAULT NULL,
  `x` text DEFAULT 'abc',
  `y` varchar(9) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL,
  `z` enum('é','ü') DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='a ''table'' CHARSET=latin1'

CREATE TABLE `times` (
  `a` date DEFAULT NULL,
  `b` datetime NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  `c` datetime(6) DEFAULT current_timestamp(6),
  `d` timestamp NULL DEFAULT NULL,
  `e` timestamp(3) NULL DEFAULT NULL,
  `f` time DEFAULT NULL,
  `g` time(2) DEFAULT NULL,
  `h` year(4) DEFAULT NULL,
  `i` date DEFAULT '2024-02-29',
  `j` datetime DEFAULT '0000-00-00 00:00:00'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci

CREATE TABLE `versioned` (
  `id` int(11) NOT NULL,
  `a` int(11) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci WITH SYSTEM VERSIONING

CREATE TABLE `versioned2` (
  `id` int(11) NOT NULL,
  `s` timestamp(6) GENERATED ALWAYS AS ROW START,
  `e` timestamp(6) GENERATED ALWAYS AS ROW END,
  PRIMARY KEY (`id`,`e`),
  PERIOD FOR SYSTEM_TIME (`s`, `e`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci WITH SYSTEM VERSIONING

