// Go's database/sql over go-sql-driver.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

var env = os.Getenv

func step(name string, body func() error) {
	err := body()
	if err == nil {
		fmt.Println("ok " + name)
		return
	}
	text := strings.Join(strings.Fields(err.Error()), " ")
	if len(text) > 300 {
		text = text[:300]
	}
	fmt.Printf("not ok %s: %s\n", name, text)
}

func dsn(change func(*mysql.Config)) string {
	config := mysql.NewConfig()
	config.Net, config.Addr = "tcp", env("CLIENT_HOST")+":"+env("CLIENT_PORT")
	config.User, config.Passwd, config.DBName = env("CLIENT_USER"), env("CLIENT_PASSWORD"), env("CLIENT_SCHEMA")
	config.MaxAllowedPacket, config.Collation = 64<<20, "utf8mb4_general_ci"
	if change != nil {
		change(config)
	}
	return config.FormatDSN()
}

func open(change func(*mysql.Config)) *sql.DB {
	db, err := sql.Open("mysql", dsn(change))
	if err != nil {
		panic(err)
	}
	return db
}

func one(db interface {
	QueryRow(string, ...interface{}) *sql.Row
}, query string, arguments ...interface{}) (text string, err error) {
	err = db.QueryRow(query, arguments...).Scan(&text)
	return
}

func prints(db *sql.DB, expected, query string, arguments ...interface{}) error {
	got, err := one(db, query, arguments...)
	if err == nil && got != expected {
		err = fmt.Errorf("%s: %.80q, not %.80q", query, got, expected)
	}
	return err
}

func fails(number uint16, err error) error {
	var server *mysql.MySQLError
	if errors.As(err, &server) && server.Number == number {
		return nil
	}
	return fmt.Errorf("error %d expected, not %v", number, err)
}

func all(actions ...func() error) error {
	for _, action := range actions {
		if err := action(); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	for _, entry := range strings.Fields(env("CLIENT_LOGINS")) {
		parts := strings.Split(entry, ":")
		step("login "+parts[0], func() error {
			db := open(func(c *mysql.Config) { c.Addr, c.User, c.Passwd = env("CLIENT_HOST")+":"+parts[1], parts[2], parts[3] })
			defer db.Close()
			return prints(db, "1", "SELECT 1")
		})
	}
	step("wrong password", func() error {
		return fails(1045, open(func(c *mysql.Config) { c.Passwd = "wrong" }).Ping())
	})
	step("TLS", encrypted)
	db := open(nil)
	step("tables", func() error {
		for _, statement := range []string{
			"DROP TABLE IF EXISTS users",
			"DROP TABLE IF EXISTS t1",
			"CREATE TABLE users (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80) CHARACTER SET utf8mb4, photo LONGBLOB, seen DATETIME(6))",
			"CREATE TABLE t1 (id INT NOT NULL PRIMARY KEY, v VARCHAR(40))",
		} {
			if _, err := db.Exec(statement); err != nil {
				return err
			}
		}
		return nil
	})
	for _, interpolate := range []bool{false, true} {
		other := open(func(c *mysql.Config) { c.InterpolateParams, c.ParseTime = interpolate, true })
		name := map[bool]string{false: "prepared statements", true: "interpolated statements"}[interpolate]
		step(name, func() error { return values(other) })
	}
	step("transaction", func() error { return transaction(db) })
	step("batch", func() error {
		statement := "INSERT INTO t1 VALUES (0,'v')"
		for n := 1; n < 1000; n++ {
			statement += fmt.Sprintf(",(%d,'v')", n)
		}
		_, err := db.Exec(statement)
		if err == nil {
			err = prints(db, "1000", "SELECT COUNT(*) FROM t1")
		}
		return err
	})
	step("8 MB blob", func() error { return blob(db) })
	step("streaming", func() error { return streaming(db) })
	step("several statements", several)
	step("errors", func() error {
		_, missing := db.Query("SELECT * FROM no_such_table")
		_, again := db.Exec("INSERT INTO t1 VALUES (1, 'again')")
		_, syntax := db.Exec("SELEC 1")
		return all(func() error { return fails(1146, missing) }, func() error { return fails(1062, again) }, func() error { return fails(1064, syntax) })
	})
	step("cancelled query", func() error { return cancelled(db) })
	step("dropped connection", func() error { return dropped(db) })
}

func encrypted() error {
	pem, err := os.ReadFile(env("CLIENT_CA"))
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	if err := mysql.RegisterTLSConfig("ours", &tls.Config{RootCAs: roots, ServerName: "localhost"}); err != nil {
		return err
	}
	var name, cipher string
	db := open(func(c *mysql.Config) { c.TLSConfig = "ours" })
	defer db.Close()
	if err := db.QueryRow("SHOW STATUS LIKE 'Ssl_cipher'").Scan(&name, &cipher); err != nil {
		return err
	}
	if cipher == "" {
		return errors.New("not encrypted")
	}
	return nil
}

func values(db *sql.DB) error {
	seen := time.Date(2026, 2, 28, 23, 59, 59, 999999000, time.UTC)
	for _, name := range []string{"Zoë 😀", "it's \\ \"", "名前", ""} {
		result, err := db.Exec("INSERT INTO users (name, seen) VALUES (?, ?)", name, seen)
		if err != nil {
			return err
		}
		id, _ := result.LastInsertId()
		var gotName string
		var gotSeen time.Time
		if err := db.QueryRow("SELECT name, seen FROM users WHERE id = ?", id).Scan(&gotName, &gotSeen); err != nil {
			return err
		}
		if gotName != name || !gotSeen.Equal(seen) {
			return fmt.Errorf("%q %v came back", gotName, gotSeen)
		}
	}
	return nil
}

func transaction(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	if _, err = tx.Exec("DELETE FROM users WHERE id > ?", 0); err != nil {
		return err
	}
	if err = tx.Rollback(); err != nil {
		return err
	}
	if err = prints(db, "8", "SELECT COUNT(*) FROM users"); err != nil {
		return err
	}
	tx, err = db.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	_, err = tx.Exec("DELETE FROM users WHERE id = 1")
	tx.Rollback()
	return fails(1792, err)
}

func blob(db *sql.DB) error {
	value := bytes.Repeat([]byte{0, 1, 2, 0xff, '\'', '\\', '"', 10}, 1<<20)
	if _, err := db.Exec("INSERT INTO users (name, photo) VALUES ('blob', ?)", value); err != nil {
		return err
	}
	var got []byte
	if err := db.QueryRow("SELECT photo FROM users WHERE name = ?", "blob").Scan(&got); err != nil {
		return err
	}
	if !bytes.Equal(got, value) {
		return errors.New("another blob came back")
	}
	return nil
}

func streaming(db *sql.DB) error {
	rows, err := db.Query("SELECT id FROM t1 ORDER BY id")
	if err != nil {
		return err
	}
	defer rows.Close()
	expected := 0
	for rows.Next() {
		var id int
		if err := rows.Scan(&id); err != nil || id != expected {
			return fmt.Errorf("%d, not %d: %v", id, expected, err)
		}
		expected++
	}
	if expected != 1000 {
		return fmt.Errorf("%d rows", expected)
	}
	return rows.Err()
}

func several() error {
	db := open(func(c *mysql.Config) { c.MultiStatements = true })
	defer db.Close()
	rows, err := db.Query("SELECT 1; SELECT 2")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	if !rows.NextResultSet() || !rows.Next() {
		return fmt.Errorf("no second result: %v", rows.Err())
	}
	var two int
	return rows.Scan(&two)
}

func cancelled(db *sql.DB) error {
	limit, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_, err := db.ExecContext(limit, "DO SLEEP(5)")
	if !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("not cancelled: %v", err)
	}
	return prints(db, "1", "SELECT 1")
}

func dropped(db *sql.DB) error {
	victim, err := db.Conn(context.Background())
	if err != nil {
		return err
	}
	defer victim.Close()
	var id int
	if err := victim.QueryRowContext(context.Background(), "SELECT CONNECTION_ID()").Scan(&id); err != nil {
		return err
	}
	if _, err := db.Exec(fmt.Sprintf("KILL %d", id)); err != nil {
		return err
	}
	if _, err := victim.ExecContext(context.Background(), "SELECT 1"); err == nil {
		return errors.New("a killed connection answers")
	}
	return prints(db, "1", "SELECT 1")
}
