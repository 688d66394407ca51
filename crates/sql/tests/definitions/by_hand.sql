create table if not exists shop . users (
  -- the key
  id bigint unsigned not null auto_increment primary key, # trailing
  email varchar(255) not null unique key collate utf8mb4_bin,
  parent int references users (id) on delete set null,
  flags set('a','b') default 'a,b',
  kind enum('x') charset latin1 binary,
  fixed char byte,
  odd future_type(3) of words default 1,
  amount numeric(20) zerofill,
  made timestamp default now() on update now() comment 'x',
  check (id > 0),
  unique (email, parent),
  constraint unique named (kind),
  foreign key by_parent (parent) references shop.users (id),
  index (made)
) engine innodb, default character set = 'utf8mb4', collate utf8mb4_unicode_ci;

CREATE TABLE t (a INT, PRIMARY KEY (A)) CHARSET latin1 AS SELECT 1;

CREATE TEMPORARY TABLE `s`.`t` (`a` serial, b nvarchar(3), c national character varying(4), d long, e dec(5,2) unsigned, f int(11) not null default +3)
