<?php
// PHP's PDO over mysqlnd, with prepared statements of the server and with its own.

$env = fn(string $name) => getenv("CLIENT_$name");
$blob = str_repeat(implode('', array_map('chr', range(0, 255))), 8 * 1024 * 1024 / 256);

function step(string $name, callable $body): void {
    try {
        $body();
        echo "ok $name\n";
    } catch (Throwable $error) {
        $text = preg_replace('/\s+/', ' ', get_class($error) . ': ' . $error->getMessage());
        echo "not ok $name: " . substr($text, 0, 300) . " (line {$error->getLine()})\n";
    }
}

function equal($got, $expected): void {
    if ($got !== $expected) {
        throw new Exception(substr(json_encode($got), 0, 120) . ' is not ' . substr(json_encode($expected), 0, 120));
    }
}

function fails(int $number, callable $action): void {
    try {
        $action();
    } catch (PDOException $error) {
        equal((int) ($error->errorInfo[1] ?? $error->getCode()), $number);
        return;
    }
    throw new Exception("error $number expected");
}

function connect(array $more = [], ?string $port = null, ?string $user = null, ?string $password = null): PDO {
    global $env;
    $dsn = "mysql:host={$env('HOST')};port=" . ($port ?? $env('PORT')) . ";dbname={$env('SCHEMA')};charset=utf8mb4";
    $options = [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_EMULATE_PREPARES => false, PDO::ATTR_STRINGIFY_FETCHES => false];
    return new PDO($dsn, $user ?? $env('USER'), $password ?? $env('PASSWORD'), $more + $options);
}

foreach (explode(' ', $env('LOGINS')) as $entry) {
    [$plugin, $port, $user, $password] = explode(':', $entry);
    step("login $plugin", fn() => equal(connect([], $port, $user, $password)->query('SELECT 1')->fetchColumn(), 1));
}
step('wrong password', fn() => fails(1045, fn() => connect(password: 'wrong')));
step('TLS', function () use ($env) {
    $db = connect([PDO::MYSQL_ATTR_SSL_CA => $env('CA'), PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT => true]);
    if (!$db->query("SHOW STATUS LIKE 'Ssl_cipher'")->fetch()[1]) throw new Exception('not encrypted');
});
$db = connect();
step('tables', function () use ($db) {
    foreach (['users', 't1'] as $table) $db->exec("DROP TABLE IF EXISTS $table");
    $db->exec('CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80) CHARACTER SET utf8mb4, paid DECIMAL(10,2), photo LONGBLOB)');
    $db->exec('CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v VARCHAR(40))');
});
foreach (['prepared' => false, 'emulated' => true] as $kind => $emulate) {
    $db->setAttribute(PDO::ATTR_EMULATE_PREPARES, $emulate);
    step("$kind statements", function () use ($db) {
        $insert = $db->prepare('INSERT INTO users (name, paid) VALUES (:name, :paid)');
        foreach (["Zoë 😀", "it's \\ \"", '名前', ''] as $name) {
            $insert->execute(['name' => $name, 'paid' => '-1.50']);
            $id = $db->lastInsertId();
            $select = $db->prepare('SELECT name, paid FROM users WHERE id = ?');
            $select->execute([$id]);
            equal($select->fetch(PDO::FETCH_NUM), [$name, '-1.50']);
        }
        equal($db->prepare('SELECT COUNT(*) FROM users WHERE id > ?')->execute([0]), true);
    });
}
$db->setAttribute(PDO::ATTR_EMULATE_PREPARES, false);
step('transaction', function () use ($db) {
    $db->beginTransaction();
    $db->exec("DELETE FROM users");
    $db->rollBack();
    equal((int) $db->query('SELECT COUNT(*) FROM users')->fetchColumn(), 8);
    $db->beginTransaction();
    equal($db->exec("UPDATE users SET paid = 2 WHERE id IN (1, 2, 3)"), 3);
    $db->commit();
});
step('batch', function () use ($db) {
    $db->exec('INSERT INTO t1 VALUES ' . implode(',', array_map(fn($n) => "($n,'v$n')", range(0, 999))));
    equal((int) $db->query('SELECT COUNT(*) FROM t1')->fetchColumn(), 1000);
});
step('8 MB blob', function () use ($db, $blob) {
    $insert = $db->prepare("INSERT INTO users (name, photo) VALUES ('blob', ?)");
    $insert->bindValue(1, $blob, PDO::PARAM_LOB);
    $insert->execute();
    $got = $db->query("SELECT photo FROM users WHERE name = 'blob'")->fetchColumn();
    if ($got !== $blob) throw new Exception('another blob came back');
});
step('streaming', function () {
    $db = connect([PDO::MYSQL_ATTR_USE_BUFFERED_QUERY => false]);
    equal($db->query('SELECT id FROM t1 ORDER BY id')->fetchAll(PDO::FETCH_COLUMN), range(0, 999));
});
step('several results', function () {
    $db = connect([PDO::ATTR_EMULATE_PREPARES => true]);
    $result = $db->query('SELECT 1; SELECT 2');
    equal((int) $result->fetchColumn(), 1);
    equal($result->nextRowset(), true);
    equal((int) $result->fetchColumn(), 2);
});
step('compression', function () {
    equal(connect([PDO::MYSQL_ATTR_COMPRESS => true])->query("SELECT REPEAT('x', 200000)")->fetchColumn(), str_repeat('x', 200000));
});
step('errors', function () use ($db) {
    fails(1146, fn() => $db->query('SELECT * FROM no_such_table'));
    fails(1062, fn() => $db->exec("INSERT INTO t1 VALUES (1, 'again')"));
    fails(1064, fn() => $db->query('SELEC 1'));
});
step('column metadata', function () use ($db) {
    $meta = $db->query('SELECT id, paid AS p FROM users LIMIT 1')->getColumnMeta(1);
    equal([$meta['name'], $meta['table'], $meta['native_type']], ['p', 'users', 'NEWDECIMAL']);
});
step('dropped connection', function () use ($db) {
    $victim = connect();
    $id = $victim->query('SELECT CONNECTION_ID()')->fetchColumn();
    $db->exec("KILL $id");
    try {
        @$victim->query('SELECT 1');
    } catch (PDOException) {
        equal((int) connect()->query('SELECT 1')->fetchColumn(), 1);
        return;
    }
    throw new Exception('a killed connection answers');
});
