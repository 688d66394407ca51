# Ruby's mysql2.
require 'mysql2'

$stdout.sync = true
BLOB = (0..255).map(&:chr).join.b * (8 * 1024 * 1024 / 256)

def step(name)
  yield
  puts "ok #{name}"
rescue Exception => e
  puts "not ok #{name}: #{"#{e.class}: #{e.message}".gsub(/\s+/, ' ')[0, 300]} (#{e.backtrace.first.split('/').last})"
end

def equal(got, expected)
  raise "#{got.inspect[0, 120]} is not #{expected.inspect[0, 120]}" unless got == expected
end

def fails(number)
  yield
rescue Mysql2::Error => e
  equal(e.error_number, number)
else
  raise "error #{number} expected"
end

def connect(**more)
  Mysql2::Client.new(host: ENV['CLIENT_HOST'], port: ENV['CLIENT_PORT'].to_i, username: ENV['CLIENT_USER'],
                     password: ENV['CLIENT_PASSWORD'], database: ENV['CLIENT_SCHEMA'], encoding: 'utf8mb4', **more)
end

def value(db, sql) = db.query(sql, as: :array).first.first

ENV['CLIENT_LOGINS'].split.each do |entry|
  plugin, port, user, password = entry.split(':', -1)
  step("login #{plugin}") { equal(value(connect(port: port.to_i, username: user, password: password), 'SELECT 1'), 1) }
end
step('wrong password') { fails(1045) { connect(password: 'wrong') } }
step('TLS') do
  db = connect(sslca: ENV['CLIENT_CA'], ssl_mode: :verify_ca)
  raise 'not encrypted' if db.query("SHOW STATUS LIKE 'Ssl_cipher'", as: :array).first[1].to_s.empty?
end
db = connect
step('tables') do
  %w[users t1].each { |table| db.query("DROP TABLE IF EXISTS #{table}") }
  db.query('CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80) CHARACTER SET utf8mb4, paid DECIMAL(10,2), photo LONGBLOB)')
  db.query('CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v VARCHAR(40))')
end
step('unicode') do
  ['Zoë 😀', "it's \\ \"", '名前'].each do |name|
    db.query("INSERT INTO users (name, paid) VALUES ('#{db.escape(name)}', 1.5)")
    equal(value(db, "SELECT name FROM users WHERE id = #{db.last_id}"), name)
  end
end
step('prepared statements') do
  insert = db.prepare('INSERT INTO users (name, paid) VALUES (?, ?)')
  insert.execute('Ada', BigDecimal('-10.5'))
  row = db.prepare('SELECT name, paid FROM users WHERE id = ?').execute(insert.last_id).first
  equal(row, { 'name' => 'Ada', 'paid' => BigDecimal('-10.5') })
end
step('transaction') do
  db.query('BEGIN')
  db.query('DELETE FROM users')
  db.query('ROLLBACK')
  equal(value(db, 'SELECT COUNT(*) FROM users'), 4)
end
step('batch') do
  db.query("INSERT INTO t1 VALUES #{(0...1000).map { |n| "(#{n},'v#{n}')" }.join(',')}")
  equal(db.affected_rows, 1000)
end
step('8 MB blob') do
  db.prepare("INSERT INTO users (name, photo) VALUES ('blob', ?)").execute(BLOB)
  raise 'another blob came back' unless value(db, "SELECT photo FROM users WHERE name = 'blob'").b == BLOB
end
step('streaming') do
  rows = db.query('SELECT id FROM t1 ORDER BY id', stream: true, cache_rows: false, as: :array)
  equal(rows.map(&:first), (0...1000).to_a)
end
step('several statements') do
  other = connect(flags: Mysql2::Client::MULTI_STATEMENTS)
  first = other.query('SELECT 1; SELECT 2').first
  other.next_result
  equal([first.values, other.store_result.first.values], [[1], [2]])
end
step('errors') do
  fails(1146) { db.query('SELECT * FROM no_such_table') }
  fails(1062) { db.query("INSERT INTO t1 VALUES (1, 'again')") }
  fails(1064) { db.query('SELEC 1') }
end
step('dropped connection') do
  victim = connect(reconnect: false)
  db.query("KILL #{value(victim, 'SELECT CONNECTION_ID()')}")
  begin
    victim.query('SELECT 1')
  rescue Mysql2::Error
    equal(value(connect, 'SELECT 1'), 1)
  else
    raise 'a killed connection answers'
  end
end
