# Perl's DBI over DBD::mysql or DBD::MariaDB (CLIENT_VARIANT).
use strict;
use warnings;
use utf8;
use open ':std', ':encoding(UTF-8)';
use DBI;

my $driver = $ENV{CLIENT_VARIANT};
my $prefix = $driver eq 'mysql' ? 'mysql' : 'mariadb';
$| = 1;

sub step {
    my ($name, $body) = @_;
    if (eval { $body->(); 1 }) { print "ok $name\n"; return }
    (my $why = $@) =~ s/\s+/ /g;
    print "not ok $name: ", substr($why, 0, 300), "\n";
}

sub equal {
    my ($got, $expected) = @_;
    die "'" . substr($got // 'undef', 0, 100) . "' is not '" . substr($expected, 0, 100) . "'\n" unless defined $got && $got eq $expected;
}

sub fails {
    my ($number, $body) = @_;
    eval { $body->(); 1 } and die "error $number expected\n";
    equal($DBI::err, $number);
}

sub open_db {
    my (%more) = @_;
    my $port = delete $more{port} // $ENV{CLIENT_PORT};
    my $user = delete $more{user} // $ENV{CLIENT_USER};
    my $password = delete $more{password} // $ENV{CLIENT_PASSWORD};
    my $text = delete $more{dsn} // '';
    my $dsn = "DBI:$driver:database=$ENV{CLIENT_SCHEMA};host=$ENV{CLIENT_HOST};port=$port$text";
    my %utf8 = $driver eq 'mysql' ? (mysql_enable_utf8mb4 => 1) : ();
    return DBI->connect($dsn, $user, $password, { RaiseError => 1, PrintError => 0, %utf8, %more });
}

for my $entry (split / /, $ENV{CLIENT_LOGINS}) {
    my ($plugin, $port, $user, $password) = split /:/, $entry, -1;
    step("login $plugin", sub { equal(open_db(port => $port, user => $user, password => $password)->selectrow_array('SELECT 1'), 1) });
}
step('wrong password', sub { fails(1045, sub { open_db(password => 'wrong') }) });
step('TLS', sub {
    # Debian builds DBD::mysql with a library that cannot insist on TLS.
    my $optional = $driver eq 'mysql' ? ';mysql_ssl_optional=1' : '';
    my $db = open_db(dsn => ";${prefix}_ssl=1;${prefix}_ssl_ca_file=$ENV{CLIENT_CA}$optional");
    my (undef, $cipher) = $db->selectrow_array("SHOW STATUS LIKE 'Ssl_cipher'");
    die "not encrypted\n" unless $cipher;
});
my $db = open_db();
step('tables', sub {
    $db->do("DROP TABLE IF EXISTS $_") for qw(users t1);
    $db->do('CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80) CHARACTER SET utf8mb4, photo LONGBLOB)');
    $db->do('CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v VARCHAR(40))');
});
for my $server (0, 1) {
    step($server ? 'prepared statements' : 'emulated statements', sub {
        my $db = open_db("${prefix}_server_prepare" => $server);
        for my $name ("Zoë 😀", "it's \\ \"", '名前') {
            my $insert = $db->prepare('INSERT INTO users (name) VALUES (?)');
            $insert->execute($name);
            my $id = $driver eq 'mysql' ? $insert->{mysql_insertid} : $db->last_insert_id;
            equal($db->selectrow_array('SELECT name FROM users WHERE id = ?', undef, $id), $name);
        }
    });
}
step('transaction', sub {
    $db->begin_work;
    $db->do('DELETE FROM users');
    $db->rollback;
    equal($db->selectrow_array('SELECT COUNT(*) FROM users'), 6);
    $db->begin_work;
    equal($db->do("UPDATE users SET name = 'x' WHERE id IN (1, 2)"), 2);
    $db->commit;
});
step('batch', sub {
    my $insert = $db->prepare('INSERT INTO t1 VALUES (?, ?)');
    $db->begin_work;
    $insert->execute_array({}, [0 .. 199], [map "v$_", 0 .. 199]);
    $db->commit;
    equal($db->selectrow_array('SELECT COUNT(*) FROM t1'), 200);
});
step('8 MB blob', sub {
    my $blob = join('', map chr, 0 .. 255) x (8 * 1024 * 1024 / 256);
    my $insert = $db->prepare("INSERT INTO users (name, photo) VALUES ('blob', ?)");
    $insert->bind_param(1, $blob, DBI::SQL_BLOB());
    $insert->execute;
    my $read = open_db(LongReadLen => 16 << 20);
    my $got = $read->selectrow_array("SELECT photo FROM users WHERE name = 'blob'");
    die "another blob came back\n" unless $got eq $blob;
});
step('streaming', sub {
    # DBD::MariaDB returns no rows at all with this attribute, from any server.
    my $select = $db->prepare('SELECT id FROM t1 ORDER BY id', $driver eq 'mysql' ? { mysql_use_result => 1 } : {});
    $select->execute;
    my $expected = 0;
    while (my ($id) = $select->fetchrow_array) { equal($id, $expected++) }
    equal($expected, 200);
});
step('errors', sub {
    fails(1146, sub { $db->do('SELECT * FROM no_such_table') });
    fails(1062, sub { $db->do("INSERT INTO t1 VALUES (1, 'again')") });
    fails(1064, sub { $db->do('SELEC 1') });
});
step('catalogue', sub {
    my @columns = map { $_->[3] } @{ $db->column_info(undef, $ENV{CLIENT_SCHEMA}, 'users', '%')->fetchall_arrayref };
    equal("@columns", 'id name photo');
    my @keys = $db->primary_key(undef, $ENV{CLIENT_SCHEMA}, 'users');
    equal("@keys", 'id');
    my @tables = grep /users/, $db->tables(undef, $ENV{CLIENT_SCHEMA}, 'users', 'TABLE');
    equal(scalar @tables, 1);
});
step('dropped connection', sub {
    my $victim = open_db();
    my ($id) = $victim->selectrow_array('SELECT CONNECTION_ID()');
    $db->do("KILL $id");
    eval { $victim->selectrow_array('SELECT 1'); 1 } and die "a killed connection answers\n";
    equal($victim->ping ? 1 : 0, 0);
    equal(open_db()->selectrow_array('SELECT 1'), 1);
});
