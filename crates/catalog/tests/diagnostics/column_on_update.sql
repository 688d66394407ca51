CREATE TABLE `users` (
  `id` datetime NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  `a` bigint(20) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
