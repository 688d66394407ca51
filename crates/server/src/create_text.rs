//! The text of SHOW CREATE TABLE, where it says what is no part of the definition.

/// The text without the AUTO_INCREMENT counter, which changes with every insert.
pub fn without_counter(create: &str) -> String {
    match create.rsplit_once(" AUTO_INCREMENT=") {
        Some((before, after)) if after.starts_with(|first: char| first.is_ascii_digit()) => {
            format!("{before}{}", after.trim_start_matches(|digit: char| digit.is_ascii_digit()))
        }
        _ => create.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_counter_goes() {
        let create = "CREATE TABLE `t` (\n  `id` int AUTO_INCREMENT\n) ENGINE=InnoDB AUTO_INCREMENT=17 DEFAULT CHARSET=utf8";
        let without = "CREATE TABLE `t` (\n  `id` int AUTO_INCREMENT\n) ENGINE=InnoDB DEFAULT CHARSET=utf8";
        assert_eq!(without_counter(create), without);
        assert_eq!(without_counter(without), without);
    }
}
