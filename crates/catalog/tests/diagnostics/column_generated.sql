CREATE TABLE `users` (
  `a` bigint(20) NOT NULL,
  `id` bigint(20) GENERATED ALWAYS AS (`a` + 1) STORED
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
