//! The shop: its tables, and rows that are the same in every run.

use super::calendar::Month;

/// The tables, as an application would create them. `notes` is not in the config and lives on the default node.
pub const TABLES: [&str; 8] = [
    "CREATE TABLE users (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(64) NOT NULL,
  email VARCHAR(128) NOT NULL,
  region_id INT NOT NULL,
  created_at DATETIME NOT NULL
)",
    "CREATE TABLE orders (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id BIGINT UNSIGNED NOT NULL,
  status VARCHAR(16) NOT NULL,
  total DECIMAL(10,2) NOT NULL,
  created_at DATETIME NOT NULL,
  KEY (user_id)
)",
    "CREATE TABLE order_items (
  user_id BIGINT UNSIGNED NOT NULL,
  order_id BIGINT UNSIGNED NOT NULL,
  line INT NOT NULL,
  product_id INT NOT NULL,
  quantity INT NOT NULL,
  price DECIMAL(10,2) NOT NULL,
  PRIMARY KEY (user_id, order_id, line)
)",
    "CREATE TABLE payments (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  user_id BIGINT UNSIGNED NOT NULL,
  order_id BIGINT UNSIGNED NOT NULL,
  amount DECIMAL(10,2) NOT NULL,
  paid_at DATETIME NOT NULL,
  PRIMARY KEY (id, user_id)
)",
    "CREATE TABLE products (
  id INT NOT NULL PRIMARY KEY,
  name VARCHAR(64) NOT NULL,
  price DECIMAL(10,2) NOT NULL
)",
    "CREATE TABLE events (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  created_at DATETIME NOT NULL,
  user_id BIGINT UNSIGNED NOT NULL,
  kind VARCHAR(16) NOT NULL,
  PRIMARY KEY (id, created_at)
)",
    "CREATE TABLE regions (
  id INT NOT NULL PRIMARY KEY,
  name VARCHAR(32) NOT NULL
)",
    "CREATE TABLE notes (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  text VARCHAR(200) NOT NULL
)",
];

/// How many users there are.
pub const USERS: u64 = 200;
/// How many orders each user has.
pub const ORDERS_PER_USER: u64 = 3;
/// How many products there are.
pub const PRODUCTS: u64 = 40;
/// How many events there are in each month.
pub const EVENTS_PER_MONTH: u64 = 120;

const FIRST_NAMES: [&str; 20] = [
    "Ada", "Bao", "Chen", "Dina", "Emil", "Fatima", "Goro", "Hana", "Ines", "Jun", "Kofi", "Lena", "Mei",
    "Nils", "Olga", "Ping", "Rosa", "Sami", "Tao", "Yara",
];
const LAST_NAMES: [&str; 10] = ["Abe", "Brook", "Cruz", "Diaz", "Fox", "Gray", "Hill", "Kim", "Li", "Wang"];
const REGIONS: [&str; 5] = ["North", "South", "East", "West", "Islands"];
const STATUSES: [&str; 4] = ["new", "paid", "shipped", "returned"];
const KINDS: [&str; 4] = ["login", "view", "search", "logout"];

/// Price of a product in cents.
fn price(product: u64) -> u64 {
    195 + product * 137 % 4_900
}

fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// `(id, name)` of every region.
pub fn regions() -> Vec<String> {
    (1..).zip(REGIONS).map(|(id, name)| format!("({id}, '{name}')")).collect()
}

/// `(id, name, price)` of every product.
pub fn products() -> Vec<String> {
    (1..=PRODUCTS).map(|id| format!("({id}, 'Product {id}', {})", money(price(id)))).collect()
}

/// `(name, email, region_id, created_at)` of the n-th user, from 0.
pub fn user(n: u64, month: Month) -> String {
    let first = FIRST_NAMES[index(n, FIRST_NAMES.len())];
    let last = LAST_NAMES[index(n / 20, LAST_NAMES.len())];
    let email = format!("{}.{}@example.com", first.to_lowercase(), last.to_lowercase());
    format!("('{first} {last}', '{email}', {}, '{}')", n % 5 + 1, month.moment(n))
}

/// The two products that an order has, and how many of each.
pub fn items(order: u64) -> [(u64, u64); 2] {
    [(order * 7 % PRODUCTS + 1, order % 3 + 1), (order * 11 % PRODUCTS + 1, 1)]
}

fn total(order: u64) -> u64 {
    items(order).iter().map(|(product, quantity)| price(*product) * quantity).sum()
}

/// `(user_id, status, total, created_at)` of the n-th order.
pub fn order(n: u64, user: u64, month: Month) -> String {
    let status = STATUSES[index(n, STATUSES.len())];
    format!("({user}, '{status}', {}, '{}')", money(total(n)), month.moment(n))
}

/// `(user_id, order_id, line, product_id, quantity, price)` of the n-th order's lines.
pub fn order_items(n: u64, user: u64, order: u64) -> Vec<String> {
    (1..)
        .zip(items(n))
        .map(|(line, (product, quantity)): (u64, _)| {
            format!("({user}, {order}, {line}, {product}, {quantity}, {})", money(price(product)))
        })
        .collect()
}

/// `(user_id, order_id, amount, paid_at)` of the n-th order's payment.
pub fn payment(n: u64, user: u64, order: u64, month: Month) -> String {
    format!("({user}, {order}, {}, '{}')", money(total(n)), month.moment(n + 1))
}

/// `(created_at, user_id, kind)` of the n-th event of a month.
pub fn event(n: u64, user: u64, month: Month) -> String {
    format!("('{}', {user}, '{}')", month.moment(n), KINDS[index(n, KINDS.len())])
}

/// The remainder as an index; it is smaller than `length`, which is a `usize`.
fn index(n: u64, length: usize) -> usize {
    usize::try_from(n).map_or(0, |n| n % length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_have_two_decimals() {
        assert_eq!(money(205), "2.05");
    }

    #[test]
    fn an_order_costs_what_its_items_do() {
        let lines = order_items(4, 1, 9);
        assert_eq!(lines.len(), 2);
        assert!(order(4, 1, Month::new(2026, 3)).contains(&money(total(4))));
    }
}
