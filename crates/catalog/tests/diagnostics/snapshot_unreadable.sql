CREATE TABLE `users` (
  `id` bigint(20) NOT NULL DEFAULT 'oops
);
